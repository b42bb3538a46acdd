"""Vote logs whose truth is known, as large as wanted, that look like Pl@ntNet's.

The model is set out in docs/simulation.md. ``published`` holds what is imitated, ``species`` and ``crowd`` who votes
on what, ``voting`` how, ``timing`` when, ``stream`` puts it together block by block, ``marginals`` counts what came
out, ``files`` writes it.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ParameterError
from ..progress import SILENT, Progress
from .identifiers import IdKind
from .marginals import Marginals, Tally, published_at, side_by_side
from .published import Totals

if TYPE_CHECKING:
    import pyarrow as pa

    from .stream import Plan

__all__ = ["Marginals", "Simulation", "Tables", "published_at", "side_by_side", "simulate"]

MAX_SCALE = 60.0
"""Beyond it counts would not fit 32 bits with room to spare."""


@dataclass(frozen=True)
class Tables:
    """A simulation in memory: Arrow tables with the columns of ``schema.VOTES``, ``TRUTH`` and ``AI_VOTES``."""

    votes: "pa.Table"
    truth: "pa.Table"
    ai_votes: "pa.Table | None"
    marginals: Marginals


@dataclass(frozen=True)
class Simulation:
    """A vote log that is determined by these parameters, and drawn when it is asked for.

    ``scale`` is the size relative to the published data (6,699,593 observations), ``experts`` the share of the
    observations whose truth is told (None: all), ``ids`` says whether ids are integers or strings. ``parrots`` is the
    share of the users who vote what the AI says; it takes ``ai``.
    """

    scale: float
    seed: int = 0
    ai: bool = False
    experts: float | None = None
    ids: IdKind = "int"
    parrots: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and 0 < self.scale <= MAX_SCALE):
            raise ParameterError(f"scale {self.scale:g} is not above 0 and at most {MAX_SCALE:g}")
        if self.experts is not None and not 0 <= self.experts <= 1:
            raise ParameterError(f"experts {self.experts:g} is not a share from 0 to 1")
        if not 0 <= self.parrots <= 1:
            raise ParameterError(f"parrots {self.parrots:g} is not a share from 0 to 1")
        if self.parrots and not self.ai:
            raise ParameterError("parrots vote what the AI says", remedy="simulate its votes, too (--ai)")
        if self.seed < 0:
            raise ParameterError(f"seed {self.seed} is negative")
        if self.ids not in ("int", "string"):
            raise ParameterError(f"ids {self.ids!r} is neither 'int' nor 'string'")

    @property
    def totals(self) -> Totals:
        """The counts that are reached by construction."""
        return Totals.at(self.scale)

    @cached_property
    def tables(self) -> Tables:
        """The whole simulation in memory: some 100 bytes per vote."""
        import pyarrow as pa

        from .files import Tabulator
        from .stream import Plan

        plan = Plan.make(self.scale, self.seed, SILENT, self.parrots)
        tabulator, tally = Tabulator(plan, self.ids), _tally(plan)
        batches: dict[str, list[pa.RecordBatch]] = {}
        for block in plan.blocks(ai=self.ai, experts=self.experts, progress=SILENT):
            tally.add(block)
            for file, batch in tabulator.batches(block).items():
                batches.setdefault(file, []).append(batch)
        tables = {file: _plain(pa.Table.from_batches(parts)) for file, parts in batches.items()}
        return Tables(
            tables["votes.parquet"], tables["truth.parquet"], tables.get("ai_votes.parquet"), tally.marginals()
        )

    def write(self, folder: str | Path, *, overwrite: bool = False, progress: Progress = SILENT) -> Marginals:
        """Write votes.parquet, truth.parquet and, with ``ai``, ai_votes.parquet into ``folder``; count the marginals.

        Block by block, in 25 bytes of memory per vote and 250 MB. The files appear when they are complete.
        """
        from .files import Tabulator, check_folder, parquet_files
        from .stream import Plan

        folder = Path(folder)
        check_folder(folder, overwrite=overwrite)
        plan = Plan.make(self.scale, self.seed, progress, self.parrots)
        tabulator, tally = Tabulator(plan, self.ids), _tally(plan)
        names = ("votes.parquet", "truth.parquet", *(["ai_votes.parquet"] if self.ai else []))
        with parquet_files(folder, {name: tabulator.schema(name) for name in names}) as write:
            for block in plan.blocks(ai=self.ai, experts=self.experts, progress=progress):
                tally.add(block)
                for file, batch in tabulator.batches(block).items():
                    write[file](batch)
        return tally.marginals()


def simulate(
    scale: float = 0.01,
    *,
    seed: int = 0,
    ai: bool = False,
    experts: float | None = None,
    ids: IdKind = "int",
    parrots: float = 0.0,
) -> Simulation:
    """A vote log with known truth that has the marginals of Pl@ntNet's South-Western Europe data [L25].

    >>> tables = simulate(0.0001, seed=1).tables
    >>> tables.votes.num_rows, tables.truth.column_names
    (901, ['observation_id', 'label'])
    """
    return Simulation(scale, seed, ai, experts, ids, parrots)


def _tally(plan: "Plan") -> Tally:
    return Tally(plan.totals.users, len(plan.flora.names))


def _plain(table: "pa.Table") -> "pa.Table":
    """The table with its labels as plain strings, as they are read from a file."""
    import pyarrow as pa

    place = table.schema.get_field_index("label")
    return table.set_column(
        place,
        pa.field("label", pa.string(), nullable=table.schema.field(place).nullable),
        table.column(place).cast(pa.string()),
    )
