"""``run.json``, with types: what was run, on which inputs, and the results."""

import json
import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from ..blocks import count
from ..consensus import StrategyChoice
from ..errors import ParameterError, VotesError
from ..files.destination import RECORD_FILE
from ..files.locations import redacted
from ..files.sources import Input, read_text
from ..files.writing import writing
from ..names import NameFindings
from ..parameters import declared
from ..reprs import short_repr
from ..settings import ReadSettings
from ..taxon_names.report import LabelCounts
from ..trace import Iteration, LikelihoodIteration
from .tables import Output

REMEDY = "name a run of plant-aggregate run"

CHECKED = ("run_id", "strategy", "parameters", "settings", "files", "seconds", "held", "outputs")
"""Fields that must be valid if they are there; other invalid fields count as unknown."""

MISSING_IF_NONE = ("strategy_class", "strategy_choice", "conversion", "start", "cleaned_labels", "probability")
"""Fields that a run.json does not have if they are None."""

SIMPLE: Mapping[Any, Any] = {str: str, bool: bool, int: int, float: (int, float), NoneType: NoneType, Any: object}
"""Types of fields whose values are the same in JSON -> their types there."""


@dataclass(frozen=True)
class VoteCounts:
    """Rows of the vote log, as in ``ingest.builder.RowCounts``."""

    read: int
    """Rows of the vote log that were read: the sum of those used, superseded, no_opinion, after_as_of and rejected."""
    used: int
    """Votes that count: one for each observation and user."""
    superseded: int
    """Rows that a later row of the same user on the same observation replaced or withdrew."""
    no_opinion: int
    """Rows without a label."""
    after_as_of: int
    """Rows cast after `settings.as_of`."""
    untimed: int
    """Rows without a time, if others have one: they count as older than those."""
    rejected: int
    """Rows that could not be used: those of `rejected.parquet` that are votes of users."""
    rejected_by_reason: Mapping[str, int]
    """The same by reason; empty if there are none."""


@dataclass(frozen=True, kw_only=True)
class AiCounts:
    """Observations that the AI changed, 0 for strategies without that; and rows of its votes."""

    observations: int = 0
    """Observations that the AI votes on."""
    agreed: int = 0
    """Observations whose label the AI names, and where it changed nothing."""
    validated: int = 0
    """Observations with the same label as without the AI, valid only with it."""
    invalidated: int = 0
    """Observations with the same label as without the AI, not valid because of it."""
    relabelled: int = 0
    """Observations with another label than without the AI."""
    valid_by_ai: int = 0
    """Valid labels that would not be valid without the AI: validated, or relabelled and valid."""
    share_of_valid: float = 0.0
    """The same as a share of all valid labels."""
    rejected: int
    """Rows of the AI's votes that could not be used."""
    rejected_by_reason: Mapping[str, int]
    """The same by reason; empty if there are none."""
    no_opinion: int
    """Rows of the AI's votes without a label."""
    further: int
    """Rows of the AI's votes that were left out because another one of the same observation counts."""


@dataclass(frozen=True)
class ExpertCounts:
    """Experts' labels that were given."""

    given: int = 0
    """Rows with a label, one for each observation: the sum of those used, unknown and refused."""
    used: int = 0
    """Observations whose label they fixed: those with `by_expert`."""
    unvoted: int = 0
    """Those of the used on which nobody voted the experts' label."""
    unknown: int = 0
    """Labels of observations that are not in the run."""
    refused: int = 0
    """Labels that count as no opinion, as the same labels do among votes: see `cleaned_labels`."""
    unlabelled: int = 0
    """Rows without a label."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Rows, observations, labels and users."""

    votes: VoteCounts | None = None
    """Rows of the vote log by outcome."""
    observations: int
    """Observations of the consensus."""
    users: int
    """Users with a vote."""
    labels: int
    """Distinct labels voted."""
    valid: int
    """Observations with status `valid`."""
    contested: int
    """Observations with status `contested`."""
    needs_votes: int
    """Observations with status `needs_votes`."""
    ambiguous: int
    """Ambiguous observations, of any status."""
    self_validating_users: int
    """Users whose weight is at least `theta_conf`."""
    ai: AiCounts | None = None
    """What the AI changed; missing if no AI took part."""
    experts: ExpertCounts | None = None
    """Labels of experts; missing if none were given."""

    __repr__ = short_repr

    def plain(self) -> dict[str, Any]:
        """As in run.json."""
        return {name: value for name, value in _fields(self).items() if value is not None or name == "votes"}


@dataclass(frozen=True)
class ChangeCounts:
    """Differences between two runs, in observations."""

    in_both: int
    """Observations that are in both runs."""
    new: int
    """Observations that are in this run only."""
    gone: int
    """Observations that are in the other run only."""
    label_changed: int
    """Observations with another label."""
    label_changes_share: float
    """Share of the observations in both runs whose label is another."""
    status_changed: int
    """Observations with another status."""
    became_valid: int
    """Observations that are valid in this run, and in the other one not valid or not there."""
    no_longer_valid: int
    """Observations that were valid in the other run, and are not, or gone."""
    valid_before: int
    """Valid observations of the other run."""
    valid_now: int
    """Valid observations of this run."""
    valid_drop: float
    """Share by which the number of valid observations fell; negative if it rose."""
    why: Mapping[str, int]
    """Observations that differ, by the reason in changes.parquet: `votes`, `experts`, `ai`, `settings` or `weights`."""


@dataclass(frozen=True)
class RunChanges:
    """Differences between a run and another one."""

    against: str | None = None
    """The id of the other run, which was published when this one was made."""
    counts: ChangeCounts | None = None
    """None if the two could not be compared."""
    incomparable: str | None = None
    """Why the two could not be compared; then this and `against` alone are there."""

    __repr__ = short_repr

    def plain(self) -> dict[str, Any]:
        """As in run.json."""
        reason = {} if self.incomparable is None else {"incomparable": self.incomparable}
        return {"against": self.against, **({} if self.counts is None else _fields(self.counts)), **reason}

    @classmethod
    def from_plain(cls, contents: Any) -> "RunChanges":
        """The differences in run.json. Raises TypeError if ``contents`` is not an object."""
        if not isinstance(contents, dict):
            raise TypeError("no object")
        return cls(**dict(_known(cls, {**contents, "counts": contents})))


@dataclass(frozen=True)
class FileFacts:
    """A file that a setting names."""

    path: str | None = None
    """The path or URI, without secrets; of several files the first, and how many more."""
    sha256: str | None = None
    """SHA-256 of its content; of several files that of all their digests, one after the other."""


@dataclass(frozen=True)
class OutputFacts:
    """A table of a run."""

    rows: int | None = None
    """Rows of the table."""
    bytes: int | None = None
    """Size of the file."""
    sha256: str | None = None
    """SHA-256 of the file, as 64 hexadecimal digits."""

    @classmethod
    def of(cls, output: Output) -> "OutputFacts":
        """The facts of a table that was written."""
        return cls(output.rows, output.bytes, output.sha256)


@dataclass(frozen=True)
class ModelProbability:
    """How the column `probability` was made of the posteriors of the strategy's model."""

    tau: float
    """What the log-odds of the label against all others are multiplied with."""


@dataclass(frozen=True)
class StrategyClass:
    """The class of a strategy that is not built in."""

    path: str | None = None
    """Its module and name, as `--strategy` takes them."""
    package: str | None = None
    """The installed package that its module is of; null if it is of none."""
    version: str | None = None
    """The version of that package."""
    sha256: str | None = None
    """SHA-256 of the file of its module; null if there is none."""


@dataclass(frozen=True)
class RecordCounts:
    """Records of another format that are for one table."""

    read: int = 0
    """Records that were read: the sum of those used, left out and rejected."""
    used: int = 0
    """Records that became rows."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Records that are no rows by a rule of the format, by the rule."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Records that cannot be used, by the reason."""
    rows: int = 0
    """Rows that they became."""


@dataclass(frozen=True)
class ConversionFacts:
    """How votes were read from another format."""

    format: str | None = None
    """The name of the format, or its class as `package.module:Class`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its options that are not as by default, by name."""
    ids: str | None = None
    """The type of ids that was asked for; null for those that the format gives."""
    paths: tuple[str, ...] = ()
    """The files and folders that were given; `inputs` has the files in these, too."""
    records: RecordCounts | None = None
    """The records of votes."""
    notes: Mapping[str, int] = field(default_factory=dict)
    """What else is worth knowing of them, in words -> how many."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Further facts of the format, such as the version of a table."""

    __repr__ = short_repr

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "ConversionFacts":
        """The facts in the record of a conversion."""
        records = RecordCounts(**record["tables"]["votes"])
        known = {name: record[name] for name in ("format", "options", "ids", "notes", "details")}
        return cls(**known, paths=tuple(record["paths"]), records=records)


@dataclass(frozen=True)
class RunRecord:
    """The content of a run.json; None, or empty, is what it lacks, as one of another version or program may.

    The texts below the fields are also those of docs/run_json.md.
    """

    run_id: str | None = None
    """The id of the run: the UTC time when it started, with a number if that is taken."""
    version: str | None = None
    """The version of plant-aggregate that made the run."""
    strategy: str | None = None
    """The name of the strategy."""
    strategy_class: StrategyClass | None = None
    """The class of the strategy; missing if it is built in."""
    strategy_choice: StrategyChoice | None = None
    """Why this strategy; missing if it was asked for by name."""
    parameters: Mapping[str, Any] | None = None
    """The parameters of the strategy, by name, defaults included; `ambiguous_below` as it was applied."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The other options of the run, by name, defaults included; and `started`, when it began to write (ISO 8601)."""
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    """The files that settings name and that are read as a whole, such as a calibration, by the name of the setting."""
    inputs: tuple[Input, ...] = ()
    """The files, or tables in memory, that were read row by row: those of the votes, then those of the AI's."""
    conversion: ConversionFacts | None = None
    """How votes were read from another format; missing if they were not."""
    counts: Counts | None = None
    """Rows, observations, labels and users."""
    trace: tuple[LikelihoodIteration | Iteration, ...] = ()
    """The iterations of the strategy, in order; a single one if it does not iterate."""
    converged: bool | None = None
    """Whether the iterations came to an end by themselves."""
    cycle_length: int | None = None
    """The length of the cycle that the iterations ended in; 0 if in none."""
    start: int | None = None
    """Which of several starts of `kinds` the iterations are from, counted from 1; missing for other strategies."""
    probability: ModelProbability | None = None
    """How `probability` follows from the strategy's model; missing if it does not, as with a `calibration`."""
    outputs: Mapping[str, OutputFacts] = field(default_factory=dict)
    """The tables of the run, by the names of their files."""
    names: Mapping[str, NameFindings] = field(default_factory=dict)
    """Suspicious names among `labels` and `users`."""
    cleaned_labels: LabelCounts | None = None
    """Outcomes of the labels that were cleaned as scientific names; missing if none were."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Facts of add-ons, by name, which are keys of run.json itself."""
    changes: RunChanges | None = None
    """Differences from the run that was published when this one was made; null if there was none."""
    held: tuple[str, ...] = ()
    """Why a guard held the run back; empty if it was published at once."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each phase, by its name, until run.json was written."""
    peak_memory_bytes: int | None = None
    """The most memory that the process held."""
    warnings: tuple[str, ...] = ()
    """The warnings of the run."""
    contents: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """The whole content of the file, if the record was read from one."""

    def __repr__(self) -> str:
        counts = self.counts
        numbers = "" if counts is None else f": {counts.valid:,} of {count(counts.observations, 'observation')} valid"
        return f"RunRecord({self.run_id}, {self.strategy}{numbers})"

    def compared(
        self,
        changes: RunChanges | None,
        held: Sequence[str],
        output: Output,
        seconds: Mapping[str, float],
        warnings: Sequence[str],
    ) -> "RunRecord":
        """The complete record, with the differences from the run before, and the reasons to hold this run back.

        ``changes`` is None if there was no run before; ``output`` is the table of them; ``seconds`` are per phase, up
        to here; ``warnings`` are those of the whole run.
        """
        return replace(
            self,
            changes=changes,
            held=tuple(held),
            seconds={phase: round(spent, 4) for phase, spent in seconds.items()},
            peak_memory_bytes=peak_memory(),
            warnings=tuple(warnings),
            outputs={**self.outputs, output.name: OutputFacts.of(output)},
        )

    @property
    def reading(self) -> ReadSettings:
        """How the run read its votes; default settings where that is not known."""
        known = {"columns": {}} | {
            name: self.settings[name] for name in declared(ReadSettings) if name in self.settings
        }
        as_of = known.get("as_of")
        return ReadSettings(**{**known, "as_of": None if as_of is None else datetime.fromisoformat(as_of)})

    def plain(self) -> dict[str, Any]:
        """The content for run.json; a record that was read keeps its content."""
        if self.contents is not None:
            return dict(self.contents)
        written: dict[str, Any] = {}
        for name, value in _fields(self).items():
            if name != "contents" and not (value is None and name in MISSING_IF_NONE):
                written |= value if name == "further" else {name: value}
        return written

    @classmethod
    def from_plain(cls, contents: Any) -> "RunRecord":
        """The record in the content of a run.json, which may have been edited. Raises TypeError, ValueError."""
        if not isinstance(contents, dict) or "outputs" not in contents:
            raise TypeError
        names = {item.name for item in fields(cls)} - {"further", "contents"}
        known = dict(_known(cls, {name: value for name, value in contents.items() if name in names}))
        if any(name in contents and name not in known for name in CHECKED):
            raise TypeError
        further = {name: value for name, value in contents.items() if name not in names}
        record = cls(**known, further=further, contents=contents)
        counted = {**contents.get("counts", {}), **(contents.get("changes") or {})}
        numbers = [counted.get(name) or 0 for name in ("observations", "valid", "label_changed")]
        if not all(isinstance(number, int) for number in numbers) or not _can_be_used(record.reading):
            raise TypeError
        return record


UNKNOWN = RunRecord()  # the record of a consensus without a run.json


def peak_memory() -> int:
    """Peak memory of this process, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def write_record(record: RunRecord, folder: Path) -> None:
    """Write ``run.json``. Raises PublishError."""
    path = folder / RECORD_FILE
    with writing(path):
        path.write_text(json.dumps(record.plain(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_record(path: str) -> RunRecord:
    """Read a run.json. Raises VotesError."""
    text = read_text(path, REMEDY)
    try:
        contents = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise VotesError("is not JSON", where=redacted(path), remedy=REMEDY) from error
    try:
        return RunRecord.from_plain(contents)
    except (TypeError, ValueError, ParameterError) as error:
        raise VotesError("is not the record of a run", where=redacted(path), remedy=REMEDY) from error


def _can_be_used(reading: ReadSettings) -> bool:
    """Whether the settings are valid for reading votes."""
    return isinstance(reading.columns, dict) and all(isinstance(name, str) for name in reading.columns.values())


def _plain(value: Any) -> Any:
    """A value of a record as in JSON."""
    if hasattr(value, "plain"):
        return value.plain()
    if is_dataclass(value):
        return _fields(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as in JSON."""
    return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}


def _known(kind: Any, contents: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass that JSON has, with valid types."""
    for item in fields(kind):
        if item.name in contents:
            with suppress(TypeError):
                yield item.name, _read(item.type, contents[item.name])


def _read(kind: Any, value: Any) -> Any:
    """Convert a value in JSON to the type of a field. Raises TypeError if it has another type."""
    if kind in SIMPLE:
        if isinstance(value, SIMPLE[kind]):
            return value
    elif hasattr(kind, "from_plain"):
        return kind.from_plain(value)
    elif is_dataclass(kind):
        return kind(**dict(_known(kind, value if isinstance(value, dict) else {})))  # type: ignore[operator]
    elif isinstance(kind, UnionType):
        for one in get_args(kind):
            with suppress(TypeError):
                return _read(one, value)
    elif get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_read(get_args(kind)[0], item) for item in value)
    elif get_origin(kind) is Mapping and isinstance(value, dict):
        return {name: _read(get_args(kind)[1], item) for name, item in value.items()}
    raise TypeError(f"{value!r} is not of type {kind}")
