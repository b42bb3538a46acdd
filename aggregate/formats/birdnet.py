"""What BirdNET hears in recordings: the CSV files of BirdNET-Analyzer, and of the package birdnet.

BirdNET-Analyzer (https://birdnet-team.github.io/BirdNET-Analyzer/; ``analyze.utils.generate_csv``) writes fields
without quotes, whatever is in them; birdnet (https://pypi.org/project/birdnet/; ``to_csv``) quotes them.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pyarrow as pa

from ..errors import VotesError
from ..files.sources import printable
from ..parameters import check_parameters
from .base import LONGEST, Account, Part, Rejected
from .binomials import is_binomial
from .delimited import FEWER, header, records, rows
from .observation_files import UNKNOWN_FILE, FileObservations, base_parameter, observations_parameter
from .recognition import wrong_layout
from .rows import Rows
from .scores import share_of

if TYPE_CHECKING:
    from .recognition import Sample

ANALYZER = ("Start (s)", "End (s)", "Scientific name", "Common name", "Confidence")
PACKAGE = ("input", "start_time", "end_time", "species_name", "confidence")
FILE = "File"
NAMES = 4  # fields of a row of BirdNET-Analyzer before its confidence, if no name has a comma
CONFIDENCE = re.compile(r"(0\.\d{4}|1\.0000)")  # as BirdNET-Analyzer writes it
SOUNDS = ("Human non-vocal", "Human vocal", "Human whistle", "Power tools")  # those that have the form of species
RESULTS = ".BirdNET.results.csv"

NO_CONFIDENCE = "without a confidence in [0, 1]"
NO_SPECIES = "of no species, such as Noise"
LESS_CERTAIN = "less certain than another of its observation"
REPAIRED = "rows with commas in names or paths, which have no quotes: read by where the confidence stands"


class _Detection(NamedTuple):
    """A species in a segment of a recording."""

    path: Path
    line: int
    text: str
    recording: str
    label: str
    confidence: str


class _Best(NamedTuple):
    confidence: float
    label: str
    recording: str


@dataclass(frozen=True)
class BirdNet:
    """Detections of BirdNET-Analyzer or of the package birdnet (CSV): the most certain species of each observation."""

    name: ClassVar[str] = "birdnet"

    observations: str | None = observations_parameter()
    base_folder: str | None = base_parameter()

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether a file has one of the two headers."""
        return sample.has_columns(*ANALYZER) or sample.has_columns(*PACKAGE)

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """The files, those of folders as far as they have detections."""
        return [table for path in paths for table in (_tables_in(path) if path.is_dir() else [path])]

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The AI's votes; see ``Format.read``."""
        observations = FileObservations.read(self.observations, self.base_folder)
        best: dict[str, _Best] = {}
        for path in _files(paths, account):
            for detection in _detections(path, account):
                observation = observations.of(detection.recording)
                fault = _fault_of(detection) or (UNKNOWN_FILE if observation is None else "")
                if fault:
                    account.reject(_rejected(detection, fault, observation))
                elif not _is_species(detection.label) or observation is None:
                    account.leave_out(NO_SPECIES, table="ai_votes")
                else:
                    found = _Best(float(detection.confidence), detection.label, detection.recording)
                    if observation in best:
                        account.leave_out(LESS_CERTAIN, table="ai_votes")
                    best[observation] = min(best.get(observation, found), found, key=_order)
        text = pa.string()
        votes = Rows("ai_votes", observation_id=text, label=text, score=pa.float64(), file=text)
        for observation, found in best.items():
            votes.add(observation, found.label, found.confidence, found.recording)
            yield from votes.full()
        yield from votes.rest()


def _order(found: _Best) -> tuple[float, str]:
    """The most certain first, of equally certain ones that with the smallest label."""
    return -found.confidence, found.label


def _is_species(label: str) -> bool:
    """Whether a label is a species. Common names do not tell: those of noises are translated, or not, as others are."""
    return is_binomial(label) and label not in SOUNDS


def _fault_of(detection: _Detection) -> str:
    if not detection.label or not detection.recording:
        return "without a species or recording"
    return "" if share_of(detection.confidence.strip()) is not None else NO_CONFIDENCE


def _rejected(detection: _Detection, reason: str, observation: str | None) -> Rejected:
    where, text = printable(str(detection.path)), detection.text[:LONGEST]
    known = observation or detection.recording
    return Rejected("ai_votes", where, "line", detection.line, reason, known, None, detection.label, text)


def _files(paths: Sequence[Path], account: Account) -> Iterator[Path]:
    """The files, those of folders as far as they have detections: a folder of results has settings, too."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = _tables_in(path)
        account.note("other CSV files in folders", len(list(path.rglob("*.csv"))) - len(found))
        if not found:
            raise wrong_layout(path, BirdNet.name, "has no CSV files of detections", "name files, or a folder of them")
        yield from found


def _tables_in(folder: Path) -> list[Path]:
    return [table for table in sorted(folder.rglob("*.csv")) if _has_detections(table)]


def _has_detections(table: Path) -> bool:
    with suppress(VotesError):  # empty, or no text
        return bool(_layout_of(header(table)))
    return False


def _layout_of(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that detections begin with; none if they are no detections."""
    return next((known for known in (ANALYZER, PACKAGE) if tuple(columns[: len(known)]) == known), ())


def _detections(path: Path, account: Account) -> Iterator[_Detection]:
    columns = header(path)
    layout = _layout_of(columns)
    if not layout:
        raise wrong_layout(path, BirdNet.name, "has neither header of BirdNET's CSV files", "check what wrote it")
    yield from _of_analyzer(path, columns, account) if layout is ANALYZER else _of_package(path, account)


def _of_package(path: Path, account: Account) -> Iterator[_Detection]:
    for record in records(path, account, PACKAGE, table="ai_votes"):
        species = record.values["species_name"].partition("_")[0].strip()
        recording, confidence = record.values["input"], record.values["confidence"]
        yield _Detection(path, record.line, record.text, recording, species, confidence)


def _of_analyzer(path: Path, columns: Sequence[str], account: Account) -> Iterator[_Detection]:
    """The rows after the header. What is after the confidence is the path, then further columns, if they are there."""
    lines = rows(path, quote="")
    next(lines)
    alone = path.name.removesuffix(RESULTS).removesuffix(".csv")
    n_further = len(columns) - len(ANALYZER) - (FILE in columns)
    for row in lines:
        account.read(table="ai_votes")
        fields = row.fields
        at = next((place for place, each in enumerate(fields) if place >= NAMES and CONFIDENCE.fullmatch(each)), 0)
        fault = row.fault or (FEWER if len(fields) < len(columns) else "" if at else NO_CONFIDENCE)
        after = fields[at + 1 : len(fields) - n_further]
        if not fault and bool(after) != (FILE in columns):
            fault = NO_CONFIDENCE
        detection = _Detection(
            path,
            row.line,
            row.text,
            ",".join(after) or alone,
            fields[2] if fields[2:] else "",
            fields[at] if at else "",
        )
        if fault:
            account.reject(_rejected(detection, fault, None))
            continue
        account.note(REPAIRED, len(fields) > len(columns))
        yield detection
