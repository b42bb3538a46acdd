"""Tables as crowd-kit has them: task, worker and label, and the experts' labels of tasks.

https://crowd-kit.readthedocs.io/en/latest/: its loaders read a folder with crowd_labels.csv and gt.csv. Older data sets
say performer for worker, NetEaseCrowd taskId, workerId, answer and truth.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import VotesError, quoted
from ..files.sources import printable
from .base import Account, Part
from .csv import read_rows
from .delimited import SHOWN, delimiter_of, header
from .recognition import Sample, wrong_layout

VOTES_FILE, TRUTH_FILE = "crowd_labels", "gt"  # names in a folder, without suffixes
SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst")

NAMES: Mapping[str, Sequence[str]] = {
    "observation_id": ("task", "taskId"),
    "user_id": ("worker", "performer", "workerId"),
    "label": ("label", "answer"),
}
OF_TRUTH = ("label", "true_label", "truth")


@dataclass(frozen=True)
class CrowdKit:
    """Votes in columns task, worker and label, and experts' labels in columns task and label, as CSV or TSV.

    Of a folder crowd_labels.csv and gt.csv are read. Columns may also be called performer, or taskId, workerId, answer
    and truth, as in data sets of crowd-kit, and true_label.
    """

    name: ClassVar[str] = "crowd-kit"

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a header has a task and a worker, or a folder the two files."""
        has_columns = any(sample.has_columns(task, worker) for task, worker in PAIRS)
        return has_columns or any(f"{VOTES_FILE}{suffix}" in sample.entries for suffix in SUFFIXES)

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """The files that are read."""
        return [file for path in paths for file in _files_in(path)]

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes of all files, and the experts' labels."""
        files = self.files(paths)
        for file in files:
            table, delimiter, columns = self._layout_of(file)
            yield from read_rows([file], account, table, columns, delimiter, with_optional=False)

    def _layout_of(self, file: Path) -> tuple[str, str, dict[str, str]]:
        """The table that a file has, its delimiter, and our names of its columns -> its own."""
        delimiter = delimiter_of(file, ",\t")
        names = header(file, delimiter=delimiter)
        ours = {column: next(filter(names.__contains__, known), "") for column, known in NAMES.items()}
        if ours["observation_id"] and ours["user_id"] and ours["label"]:
            return "votes", delimiter, ours
        label = next(filter(names.__contains__, OF_TRUTH), "")
        if ours["observation_id"] and label:
            return "truth", delimiter, {"observation_id": ours["observation_id"], "label": label}
        has = ", ".join(map(quoted, names[:SHOWN]))
        fault = f"has neither columns task, worker and label, nor task and label, but {has}"
        raise wrong_layout(file, self.name, fault, "name its columns so")


PAIRS = [(task, worker) for task in NAMES["observation_id"] for worker in NAMES["user_id"]]


def _files_in(path: Path) -> list[Path]:
    """A file; of a folder those of votes and of truth."""
    if not path.is_dir():
        return [path]
    found = [
        path / f"{name}{suffix}"
        for name in (VOTES_FILE, TRUTH_FILE)
        for suffix in SUFFIXES
        if (path / f"{name}{suffix}").is_file()
    ]
    if not found:
        what = f"has no {VOTES_FILE}.csv"
        raise VotesError(what, where=printable(str(path)), remedy="name the file of votes")
    return found
