"""Simulates vote logs with known truth, of any size, that resemble Pl@ntNet's.

The model is described in docs/simulation.md. ``published`` has the numbers to reproduce; ``species`` and ``crowd``
simulate observations and users, ``voting`` and ``classifier`` the votes of users and AI, ``timing`` their times;
``stream`` combines these block by block, and is where attacks, such as parrots, replace votes; ``marginals`` counts the
result, ``files`` writes it.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ..errors import ParameterError
from ..listeners import ProgressLike, listening
from ..parameters import check_parameters, parameter
from ..reprs import changed_repr, short_repr

if TYPE_CHECKING:
    import pyarrow as pa

    from .marginals import Marginals, Tally
    from .published import Totals
    from .stream import Plan

IdKind = Literal["int", "string"]

_simulated = partial(parameter, group="Simulation")


@dataclass(frozen=True)
class Tables:
    """A simulation in memory: Arrow tables with the columns of the tables of these names in ``schema``."""

    votes: "pa.Table"
    truth: "pa.Table"
    ai_votes: "pa.Table | None"
    marginals: "Marginals"
    scores: "pa.Table | None" = None
    training_counts: "pa.Table | None" = None

    __repr__ = short_repr


@dataclass(frozen=True)
class Simulation:
    """A vote log that is determined by these parameters, and generated on use.

    Raises ParameterError.
    """

    # Counts of a scale beyond 60 might not fit 32 bits.
    scale: float = _simulated(
        0.01, "size relative to the published data: 1 is 6,699,593 observations; up to 60", "in (0, 60]"
    )
    seed: int = _simulated(0, "another seed, another log of the same kind", "at least 0")
    ai: bool = _simulated(False, "also write ai_votes.parquet, with scores")
    parrots: float = _simulated(0.0, "users who vote what the AI says, 0 to 1; with --ai", "in [0, 1]", unit="share")
    experts: float | None = _simulated(
        None,
        "write the truth of this share of the observations only, 0 to 1, more often where there are several votes  "
        "[default: of all]",
        "in [0, 1]",
        unit="share",
    )
    ids: IdKind = _simulated("int", "ids are integers, or strings (UUIDs of observations)", choices=get_args(IdKind))
    scores: bool = _simulated(
        False, "also write scores.parquet, a list of likely species for each observation, and training_counts.parquet"
    )

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.parrots and not self.ai:
            raise ParameterError("parrots vote what the AI says", remedy="simulate its votes, too (--ai)")

    @property
    def totals(self) -> "Totals":
        """The counts that the simulation reaches exactly."""
        from .published import Totals

        return Totals.at(self.scale)

    @cached_property
    def tables(self) -> Tables:
        """The whole simulation in memory: some 100 bytes per vote."""
        import pyarrow as pa

        from .files import Tabulator
        from .stream import Plan

        batches: dict[str, list[pa.RecordBatch]] = {}
        with listening() as listener:
            plan = Plan.make(self.scale, self.seed, listener, self.parrots)
            tabulator, tally = Tabulator(plan, self.ids), _tally(plan)
            for block in plan.blocks(ai=self.ai, experts=self.experts, progress=listener, scores=self.scores):
                tally.add(block)
                for file, batch in tabulator.batches(block).items():
                    batches.setdefault(file, []).append(batch)
            if self.scores:
                batches["training_counts.parquet"] = [tabulator.training_counts()]
        tables = {file: _plain(pa.Table.from_batches(parts)) for file, parts in batches.items()}
        made = (tables.get(f"{name}.parquet") for name in ("ai_votes", "scores", "training_counts"))
        ai_votes, *lists = made
        return Tables(tables["votes.parquet"], tables["truth.parquet"], ai_votes, tally.marginals(), *lists)

    def write(self, folder: str | Path, *, overwrite: bool = False, progress: ProgressLike = None) -> "Marginals":
        """Write votes.parquet and truth.parquet into ``folder``; count the marginals.

        With ``ai`` also ai_votes.parquet, with ``scores`` scores.parquet and training_counts.parquet. Written block by
        block, with 25 bytes of memory per vote and 250 MB, 500 MB with ``scores``. The files appear when they are
        complete.
        ``progress``: True shows a bar, False does not, by default there is one in notebooks; or a listener.
        """
        from .files import Tabulator, check_folder, parquet_files
        from .stream import Plan

        folder = Path(folder)
        check_folder(folder, overwrite=overwrite)
        lists = ["scores.parquet", "training_counts.parquet"] if self.scores else []
        names = ["votes.parquet", "truth.parquet", *(["ai_votes.parquet"] if self.ai else []), *lists]
        with listening(progress) as listener:
            plan = Plan.make(self.scale, self.seed, listener, self.parrots)
            tabulator, tally = Tabulator(plan, self.ids), _tally(plan)
            with parquet_files(folder, {name: tabulator.schema(name) for name in names}) as write:
                for block in plan.blocks(ai=self.ai, experts=self.experts, progress=listener, scores=self.scores):
                    tally.add(block)
                    for file, batch in tabulator.batches(block).items():
                        write[file](batch)
                if self.scores:
                    write["training_counts.parquet"](tabulator.training_counts())
        return tally.marginals()


def simulate(
    scale: float = 0.01,
    *,
    seed: int = 0,
    ai: bool = False,
    experts: float | None = None,
    ids: IdKind = "int",
    parrots: float = 0.0,
    scores: bool = False,
) -> Simulation:
    """A vote log with known truth that has the marginals of Pl@ntNet's South-Western Europe data [L25].

    Args:
        scale: size relative to the published data: 1 is 6,699,593 observations; up to 60. In (0, 60], default 0.01.
        seed: another seed, another log of the same kind. At least 0, default 0.
        ai: also write ai_votes.parquet, with scores. Default False.
        parrots: users who vote what the AI says, 0 to 1; with ai. In [0, 1], default 0.
        experts: write the truth of this share of the observations only, 0 to 1, more often where there are several
            votes. In [0, 1], default: of all.
        ids: ids are integers, or strings (UUIDs of observations). One of int, string, default 'int'.
        scores: also write scores.parquet, a list of likely species for each observation, and training_counts.parquet.
            Default False.

    >>> tables = simulate(0.0001, seed=1).tables
    >>> tables.votes.num_rows, tables.truth.column_names
    (901, ['observation_id', 'label'])
    """
    return Simulation(scale, seed, ai, parrots, experts, ids, scores)


def _tally(plan: "Plan") -> "Tally":
    from .marginals import Tally

    return Tally(plan.totals.users, len(plan.flora.names))


def _plain(table: "pa.Table") -> "pa.Table":
    """The table with labels as plain strings instead of dictionaries, as a file has them."""
    import pyarrow as pa

    name, kind = ("labels", pa.list_(pa.string())) if "labels" in table.column_names else ("label", pa.string())
    place = table.schema.get_field_index(name)
    nullable = table.schema.field(place).nullable
    return table.set_column(place, pa.field(name, kind, nullable=nullable), table.column(place).cast(kind))
