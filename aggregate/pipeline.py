"""The nightly job: read the votes, fit a strategy, write the run, publish it."""

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from .agreement import users_table
from .ambiguity import AmbiguitySettings, ambiguity_of
from .calibration import Calibration
from .consensus import Consensus
from .errors import AggregateWarning, ParameterError
from .ingest import Paths, Reading, listed, read, read_user_weights
from .ingest.ai_votes import read_ai
from .kernels.compiler import when_compiling
from .kernels.threads import available_cores, set_threads, side_by_side
from .progress import SILENT, Progress
from .publishing.calibrations import load_ai_calibration, load_calibration
from .publishing.manifest import manifest, write_manifest
from .publishing.run_folder import RunFolder
from .publishing.tables import write_consensus, write_posteriors, write_table
from .strategies.base import Strategy
from .strategies.plantnet import PlantNet
from .version import VERSION

PATHS = ("user_weights", "ai_votes", "ai_calibration", "calibration")
"""Settings that name files."""

MAX_THREADS = 1024
"""Far beyond any use; more is a slip of the hand that would take all memory."""


@dataclass(frozen=True)
class Settings:
    """What a run needs to know beside its strategy."""

    columns: Mapping[str, str] | None = None
    """Columns of ``aggregate.schema.VOTES`` -> the files' own names."""
    as_of: datetime | None = None
    """Leave out votes cast later; a time without zone is UTC."""
    max_rejected: float = 0.01
    """Share of the rows that may be unusable."""
    user_weights: str | os.PathLike[str] | None = None
    """File with fixed and minimum weights of users."""
    ai_votes: str | os.PathLike[str] | None = None
    """File with the AI's votes."""
    ai_calibration: str | os.PathLike[str] | None = None
    """File with a calibration of the AI's scores, which is applied to them first."""
    calibration: str | os.PathLike[str] | None = None
    """File with a calibration, or ``simulated``: adds the column ``probability``."""
    soft: bool = False
    """Also write posteriors.parquet: the probability of every label voted."""
    scores: Paths | None = None
    """A classifier's training scores: adds the columns ``aggregate.schema.SCORED``."""
    score_columns: Mapping[str, str] | None = None
    """Columns of ``aggregate.schema.SCORE_LISTS`` or ``SCORE_ROWS`` -> the files' own names."""
    normalise: bool = False
    """Divide each score list by its sum."""
    keep: int = 14
    """Older runs that stay."""
    threads: int | None = None
    """Threads to run on; None for all cores."""

    def __post_init__(self) -> None:
        faults = []
        if not 0 <= self.max_rejected <= 1:
            faults.append(f"max_rejected is {self.max_rejected} but must be in [0, 1]")
        if self.keep < 0:
            faults.append(f"keep is {self.keep} but must be at least 0")
        if self.threads is not None and not 1 <= self.threads <= MAX_THREADS:
            faults.append(f"threads is {self.threads} but must be in [1, {MAX_THREADS}]")
        if self.ai_calibration is not None and self.ai_votes is None:
            faults.append("ai_calibration is given without ai_votes")
        if faults:
            raise ParameterError("; ".join(faults))


@dataclass(frozen=True)
class Run:
    """A published run."""

    run_id: str
    folder: Path
    """The run's own folder."""
    latest: Path
    """The link that names it."""
    manifest: Mapping[str, Any]
    """The content of its run.json."""


def run(
    paths: Paths,
    output: str | os.PathLike[str] = "consensus",
    strategy: Strategy | None = None,
    settings: Settings | None = None,
    *,
    progress: Progress = SILENT,
) -> Run:
    """Read votes, fit ``strategy`` (default PlantNet()), and publish the result in the folder ``output``.

    Raises VotesError, ParameterError or PublishError; then nothing is published and ``output/latest`` is as it was.
    """
    strategy = PlantNet() if strategy is None else strategy
    settings = Settings() if settings is None else settings
    for name in ("user_weights", "ai_votes"):
        if getattr(settings, name) is not None and not isinstance(strategy, PlantNet):
            raise ParameterError(f"{name} are for the strategy plantnet, not for {strategy.name}")
    started = datetime.now(UTC)
    set_threads(settings.threads or available_cores())
    clock = _PhaseClock(progress)
    when_compiling(lambda: progress.note("compiling the kernels, once for this version and machine (some seconds)"))
    with _heard_warnings() as heard, _reserved(output).new_run(started) as new:
        calibration = None if settings.calibration is None else load_calibration(settings.calibration)
        ai_calibration = None if settings.ai_calibration is None else load_ai_calibration(settings.ai_calibration)
        beside: dict[str, Any] = {}
        if settings.user_weights is not None:
            beside["user_weights"] = read_user_weights(settings.user_weights)
        reading = read(
            paths,
            columns=settings.columns,
            as_of=settings.as_of,
            max_rejected=settings.max_rejected,
            progress=clock,
        )
        inputs, rejected = list(reading.inputs), reading.rejected
        if settings.ai_votes is not None:
            clock.phase("read the AI's votes")
            ai = read_ai(settings.ai_votes, max_rejected=settings.max_rejected)
            inputs.append(ai.input)
            rejected = pa.concat_tables([rejected, ai.quarantine.to_arrow(_types_of(rejected))])
            beside["ai_votes"] = ai.ai_votes if ai_calibration is None else ai_calibration.apply_to(ai.ai_votes)
        consensus = strategy.fit(reading.votes, progress=clock, **beside)
        if calibration is not None:
            _warn_of(calibration, consensus)
        ambiguity = None
        if settings.scores is not None:
            ambiguity = ambiguity_of(
                consensus,
                settings.scores,
                AmbiguitySettings(normalise=settings.normalise, max_rejected=settings.max_rejected),
                columns=settings.score_columns,
                progress=clock,
            )
        clock.phase("write", total=consensus.n_observations, unit="observations")
        outputs = side_by_side(
            lambda: write_consensus(consensus, new.folder, clock, calibration, ambiguity),
            lambda: write_table(users_table(consensus), new.folder / "users.parquet"),
            lambda: write_table(rejected, new.folder / "rejected.parquet"),
            *([lambda: write_posteriors(consensus, new.folder)] if settings.soft else []),
        )
        clock.end()
        contents = manifest(
            run_id=new.run_id,
            version=VERSION,
            consensus=consensus,
            settings=_plain_settings(settings, started),
            inputs=[asdict(item) for item in inputs],
            rows=_row_counts(reading),
            outputs=outputs,
            seconds=clock.seconds,
            warnings=heard,
        )
        if settings.ai_votes is not None:
            contents["counts"]["ai"] |= {
                "rejected": sum(ai.ai_votes.rejected.values()),
                "rejected_by_reason": dict(ai.ai_votes.rejected),
                "no_opinion": ai.ai_votes.n_unlabelled,
            }
        if calibration is not None:
            contents["calibration"] = {"method": calibration.method, "fitted_on": dict(calibration.fitted_on)}
        if ambiguity is not None:
            contents["ambiguity"] = {"trust": ambiguity.trust, **ambiguity.counts}
        write_manifest(contents, new.folder)
        folder = new.publish()
    new.output.prune(settings.keep)
    return Run(new.run_id, folder, new.output.latest, contents)


def _types_of(table: pa.Table) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in table.schema}


def _warn_of(calibration: Calibration, consensus: Consensus) -> None:
    """Probabilities are as good as what they were fitted on."""
    if calibration.fitted_on.get("simulated"):
        warnings.warn(
            "probabilities are calibrated on simulated votes: they are as true as the simulation's assumptions "
            "(docs/simulation.md); calibrate on expert labels to have your own",
            AggregateWarning,
            stacklevel=3,
        )
    if not calibration.fits(consensus):
        warnings.warn(
            "the calibration was fitted on another strategy or other parameters: its probabilities may be off; "
            "run plant-aggregate calibrate again",
            AggregateWarning,
            stacklevel=3,
        )


def _reserved(output: str | os.PathLike[str]) -> RunFolder:
    if not os.fspath(output):
        raise ParameterError("output is empty but must name a folder")
    folder = RunFolder(output)
    folder.prepare()
    return folder


def _row_counts(reading: Reading) -> dict[str, Any]:
    counts = asdict(reading.rows)
    return {**counts, "rejected": sum(reading.rows.rejected.values()), "rejected_by_reason": counts["rejected"]}


def _plain_settings(settings: Settings, started: datetime) -> dict[str, Any]:
    as_of = None if settings.as_of is None else settings.as_of.isoformat()
    paths = {name: getattr(settings, name) for name in PATHS}
    scores = settings.scores
    return {
        **vars(settings),
        "scores": None if scores is None else [os.fspath(path) for path in listed(scores)],
        "score_columns": dict(settings.score_columns or {}),
        "columns": dict(settings.columns or {}),
        "as_of": as_of,
        **{name: None if path is None else os.fspath(path) for name, path in paths.items()},
        "threads": settings.threads or available_cores(),
        "started": started.isoformat(),
    }


class _PhaseClock:
    """Passes progress on, and notes the seconds each phase took."""

    def __init__(self, listener: Progress) -> None:
        self.listener = listener
        self.seconds: dict[str, float] = {}
        self._phase: str | None = None
        self._since = 0.0

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """End the phase before and begin another."""
        self.end()
        self._phase, self._since = name, time.perf_counter()
        self.listener.phase(name, total, unit)

    def advance(self, steps: int = 1) -> None:
        """Pass on."""
        self.listener.advance(steps)

    def note(self, text: str) -> None:
        """Pass on."""
        self.listener.note(text)

    def end(self) -> None:
        """End the current phase."""
        if self._phase is not None:
            spent = time.perf_counter() - self._since
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + spent
            self._phase = None


@contextmanager
def _heard_warnings() -> Iterator[list[str]]:
    """The messages of the engine's warnings, each of which is shown, whatever was warned of before."""
    messages: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", AggregateWarning)
        show = warnings.showwarning

        def note_and_show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, AggregateWarning):
                messages.append(str(message))
            show(message, category, *place, **more)

        warnings.showwarning = note_and_show
        yield messages
