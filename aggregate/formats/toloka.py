"""Toloka: the responses of a pool, a TSV file with a line for each task of each Toloker.

https://toloka.ai/docs/guide/result-of-eval says which columns it has, https://toloka.ai/docs/guide/accept what
``ACCEPT:verdict`` is, and toloka-kit (``toloka.client.assignment.GetAssignmentsTsvParameters.Field``) which further
columns of the assignment may be asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from ..errors import VotesError, quoted
from ..files.sources import printable
from ..parameters import check_parameters, setting
from .base import Account, Part
from .delimited import Record, header, records
from .recognition import Sample, wrong_layout
from .rows import Rows
from .times import utc_time

INPUT, OUTPUT, GOLDEN = "INPUT:", "OUTPUT:", "GOLDEN:"
USER, STATUS = "ASSIGNMENT:worker_id", "ASSIGNMENT:status"
SUBMITTED, STARTED = "ASSIGNMENT:submitted", "ASSIGNMENT:started"  # the page of tasks; the default has only the latter
UNANSWERED = ("ACTIVE", "SKIPPED", "EXPIRED")
VERDICT, HINT = "ACCEPT:verdict", "HINT:text"

_option = partial(setting, group="Format")


@dataclass
class _Truth:
    """The right answers of control tasks, which each of their lines repeats."""

    rows: Rows
    known: dict[str, str] = field(default_factory=dict)

    def add(self, record: Record, observation: str, label: str, account: Account) -> None:
        """Add the right answer, once for each observation."""
        account.read(table="truth")
        if not observation:
            account.reject(record.rejected("without an id of the observation", table="truth", label=label))
        elif observation not in self.known:
            self.known[observation] = label
            self.rows.add(observation, label)
        elif self.known[observation] == label:
            account.leave_out("of which an earlier line says the same", table="truth")
        else:
            fault = "with another right answer than an earlier line"
            account.reject(record.rejected(fault, table="truth", observation_id=observation, label=label))


@dataclass(frozen=True)
class Toloka:
    """Responses of a pool of Toloka (TSV): votes, and the right answers of control tasks as truth."""

    name: ClassVar[str] = "toloka"

    answer: str | None = _option(
        None,
        "the field of the responses that is the label, if there are several: result of OUTPUT:result",
        unset="the only one",
        metavar="NAME",
    )
    observation: str | None = _option(
        None,
        "the column of the observation's id, if there are several inputs: INPUT:image",
        unset="the only input",
        metavar="COLUMN",
    )
    rejected: bool = _option(False, "use the votes of assignments that were rejected, too")

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a file has the columns of a pool's responses."""
        return sample.has_columns(USER) and any(column.startswith(OUTPUT) for column in sample.columns)

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes and the truth."""
        text = pa.string()
        votes = Rows("votes", observation_id=text, user_id=text, label=text, voted_at=pa.timestamp("us", "UTC"))
        truth = _Truth(Rows("truth", observation_id=text, label=text))
        for path in paths:
            names = header(path, delimiter="\t")
            if USER not in names or not any(name.startswith(OUTPUT) for name in names):
                fault = f"lacks the columns {quoted(USER)} and 'OUTPUT:*'"
                raise wrong_layout(path, self.name, fault, "download the results of a pool as TSV")
            answer = self.answer and OUTPUT + self.answer.removeprefix(OUTPUT)
            answer = _the_only(answer, names, OUTPUT, "answer", path)
            observation = _the_only(self.observation, names, INPUT, "observation", path)
            golden = GOLDEN + answer.removeprefix(OUTPUT)
            time = next((name for name in (SUBMITTED, STARTED) if name in names), "")
            if time == STARTED:
                account.details["voted_at"] = f"{STARTED}, when the page of tasks was opened"
            optional = [STATUS, VERDICT, HINT, golden, time]
            for record in records(path, account, [observation, USER, answer], optional=optional, delimiter="\t"):
                if record.values.get(golden):
                    truth.add(record, record.values[observation], record.values[golden], account)
                self._add(record, observation, answer, record.values.get(time), votes, account)
                yield from votes.full()
        yield from votes.rest()
        yield from truth.rows.rest()

    def _add(
        self, record: Record, observation: str, answer: str, time: str | None, votes: Rows, account: Account
    ) -> None:
        values = record.values
        if values.get(STATUS) in UNANSWERED:
            account.leave_out("of assignments that were not completed")
            return
        if (values.get(STATUS) == "REJECTED" or values.get(VERDICT) == "-") and not self.rejected:
            account.leave_out("of rejected assignments")
            return
        if not values[observation] or not values[USER]:
            fault = f"without a value of {USER if values[observation] else observation}"
            account.reject(record.rejected(fault, user_id=values[USER], label=values[answer]))
            return
        if values.get(HINT):
            account.note("votes on training tasks")
        voted_at = utc_time(time)
        if time and voted_at is None:
            account.note("times that are not in ISO 8601, taken as missing")
        votes.add(values[observation], values[USER], values[answer], voted_at)


def _the_only(wanted: str | None, names: Sequence[str], prefix: str, option: str, path: Path) -> str:
    """The column that is wanted, or the only one with a prefix. Raises VotesError if there is none or several."""
    found = [name for name in names if name.startswith(prefix)]
    if wanted is not None and wanted in names:
        return wanted
    if wanted is None and len(found) == 1:
        return found[0]
    listed = ", ".join(map(quoted, found)) or "none"
    fault = (
        f"has several columns {prefix}*: {listed}"
        if wanted is None
        else f"has no column {quoted(wanted)}, but {listed}"
    )
    raise VotesError(fault, where=printable(str(path)), remedy=f"say which: --{option}")
