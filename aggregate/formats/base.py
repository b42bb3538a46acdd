"""What a format is: a frozen dataclass of its options, with ``read(paths, account)`` -> batches of tables."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from ..progress import SILENT, Progress
from ..schema import AI_VOTES, SCORE_LISTS, TAXONOMY, TRUTH, VOTES, Table

if TYPE_CHECKING:
    import pyarrow as pa

TABLES: Mapping[str, Table] = {
    "votes": VOTES,
    "truth": TRUTH,
    "ai_votes": AI_VOTES,
    "scores": SCORE_LISTS,
    "taxonomy": TAXONOMY,
    "coarse_votes": VOTES,  # for taxa above species, where these are not among the votes
}
"""What a format may give: name of the table, and of its file -> the columns that it has.

A table may have further columns, and need not have the optional ones.
"""

Part: TypeAlias = "tuple[str, pa.RecordBatch]"
"""The name of a table, and rows of it. All rows of a table have the same columns and types."""

LONGEST = 1000  # characters of a rejected record that are kept
MOST_KEPT = 100_000  # rejected records that are kept; all are counted


class Format(Protocol):
    """The layout that a platform or tool writes. Its fields, made with ``parameter(...)``, are its options.

    It may have three further methods. The static ``recognises(sample)`` says whether a file looks like its own (see
    ``recognition.py``). ``files(paths)`` lists the files that ``read`` reads of the folders among ``paths``, if these
    are not all below them: their SHA-256 are recorded. ``as_read(details)``, of tables that have versions, is the
    format that reads what a conversion with these details read, whatever has been written since.
    """

    name: ClassVar[str]  # as on the command line

    def read(self, paths: "Sequence[Path]", account: "Account") -> Iterator[Part]:
        """The rows of the tables, batch by batch, in the order of the input.

        ``paths`` are local files and folders, at least one, as they were given. Every record that was read is in
        ``account``. Raises VotesError if a file cannot be read or is in another layout: with file, and line or record.
        """


def fault_of(kind: Any) -> str:
    """What a class lacks to be a format, in words; empty if nothing."""
    if not isinstance(getattr(kind, "name", None), str):
        return "has no name"
    return "" if callable(getattr(kind, "read", None)) else "has no method read(paths, account)"


@dataclass(frozen=True)
class Rejected:
    """A record that cannot be used."""

    table: str  # the one of TABLES that it would be a row of
    file: str
    unit: str  # what is counted: "line", "record"
    number: int  # which one, from 1
    reason: str
    observation_id: str | None = None
    user_id: str | None = None
    label: str | None = None
    text: str | None = None  # the record, at most LONGEST characters of it


@dataclass
class Account:
    """Whether each record was used, left out on purpose, or rejected because it cannot be used.

    A record is what the layout counts: a line, a classification, an annotation. Each belongs to one table. What is left
    out or rejected is counted by reason, in words that stand after a number: "of a live project's test phase".
    """

    progress: Progress = SILENT
    n_read: Counter[str] = field(default_factory=Counter)  # by table
    left_out: dict[str, Counter[str]] = field(default_factory=dict)  # table -> reason -> records
    n_rejected: dict[str, Counter[str]] = field(default_factory=dict)  # table -> reason -> records
    rejected: list[Rejected] = field(default_factory=list)  # the first MOST_KEPT of them
    facts: Counter[str] = field(default_factory=Counter)  # what else is worth knowing, in words -> how many
    details: dict[str, str] = field(default_factory=dict)  # for the record of the conversion: "snapshot" -> "7"

    def read(self, n: int = 1, *, table: str = "votes") -> None:
        """Count records that were read, used or not."""
        self.n_read[table] += n
        self.progress.advance(n)

    def leave_out(self, reason: str, n: int = 1, *, table: str = "votes") -> None:
        """Count records, among those read, that are no rows by a rule of the format."""
        if n:
            self.left_out.setdefault(table, Counter())[reason] += n

    def reject(self, rejected: Rejected) -> None:
        """Count, and keep, a record, among those read, that cannot be used."""
        self.n_rejected.setdefault(rejected.table, Counter())[rejected.reason] += 1
        if len(self.rejected) < MOST_KEPT:
            self.rejected.append(rejected)

    def note(self, fact: str, n: int = 1) -> None:
        """Count something that leaves no record out: "users who were not logged in"."""
        if n:
            self.facts[fact] += n

    def n_used(self, table: str = "votes") -> int:
        """The records of a table that are neither left out nor rejected."""
        unused = (self.left_out.get(table, Counter()), self.n_rejected.get(table, Counter()))
        return self.n_read[table] - sum(counts.total() for counts in unused)
