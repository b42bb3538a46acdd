"""Amazon Mechanical Turk: the results of a batch, a CSV file with a line for each assignment.

https://docs.aws.amazon.com/AWSMechTurk/latest/RequesterUI/ReviewingResultsOutsideoftheRUI.html says how it is
downloaded, https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/ApiReference_AssignmentDataStructureArticle.html
what an assignment has, and https://docs.aws.amazon.com/sagemaker/latest/dg/sms-ui-template-reference.html in which ways
the elements of a form answer.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa

from ..errors import VotesError, did_you_mean, quoted
from ..files.sources import printable
from ..parameters import check_parameters, setting
from .base import Account, Part
from .delimited import Record, header, records
from .recognition import Sample, wrong_layout
from .rows import Rows
from .times import utc_time

ANSWER = "Answer."
TASK_ANSWERS = "Answer.taskAnswers"  # a list of an object: name of the element -> its answer
CHECKED = {"true": True, "false": False, "": False}
ZONES = {"UTC": 0, "GMT": 0, "PST": -8, "PDT": -7}  # hours
SEVERAL, NO_TEXT = "with more than one answer", "with an answer that is no text"

_option = partial(setting, group="Format")


class Given(NamedTuple):
    """The answer of an assignment."""

    label: str | None = None
    fault: str = ""


@dataclass(frozen=True)
class Mturk:
    """Results of a batch of Amazon Mechanical Turk (CSV): a vote for each assignment that was not rejected."""

    name: ClassVar[str] = "mturk"

    answer: str | None = _option(
        None,
        "the answer that is the label, if there are several: what follows `Answer.` in the name of its column, or of "
        "its columns with true and false",
        unset="the only one",
        metavar="NAME",
    )
    observation: str = _option("HITId", "the column of the observation's id, such as Input.image_url", metavar="COLUMN")
    rejected: bool = _option(False, "use the votes of assignments that were rejected, too")

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a file has the columns of a batch's results."""
        return sample.has_columns("HITId", "AssignmentId", "WorkerId")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes."""
        text = pa.string()
        votes = Rows("votes", observation_id=text, user_id=text, label=text, voted_at=pa.timestamp("us", "UTC"))
        for path in paths:
            names = header(path)
            if "WorkerId" not in names or not any(name.startswith(ANSWER) for name in names):
                fault = "lacks the columns 'WorkerId' and 'Answer.*'"
                raise wrong_layout(path, self.name, fault, "download the results of a batch as CSV")
            answers = _Answers.of(path, names, self.answer)
            columns = [self.observation, "WorkerId", *answers.columns]
            optional = ("AssignmentStatus", "SubmitTime", "Reject")
            for record in records(path, account, columns, optional=optional):
                self._add(record, answers, votes, account)
                yield from votes.full()
        yield from votes.rest()

    def _add(self, record: Record, answers: "_Answers", votes: Rows, account: Account) -> None:
        values = record.values
        is_rejected = values.get("AssignmentStatus") == "Rejected" or values.get("Reject", "").strip() != ""
        if is_rejected and not self.rejected:
            account.leave_out("of rejected assignments")
            return
        observation, user, given = values[self.observation], values["WorkerId"], answers.in_record(values)
        fault = given.fault or ("" if observation else f"without a {self.observation}")
        fault = fault or ("" if user else "without a WorkerId")
        if fault:
            rejected = record.rejected(fault, observation_id=observation, user_id=user, label=given.label)
            account.reject(rejected)
            return
        time = values.get("SubmitTime")
        voted_at = time_of(time)
        if time and voted_at is None:
            account.note("times that cannot be read, taken as missing")
        votes.add(observation, user, given.label, voted_at)


@dataclass(frozen=True)
class _Answers:
    """Which columns of a file have the answer."""

    columns: Sequence[str]
    name: str  # of the answer
    form: str  # "text", "flags" (a column for each choice) or "json"

    @classmethod
    def of(cls, path: Path, names: Sequence[str], wanted: str | None) -> "_Answers":
        """The columns of the answer that is wanted, or of the only one. Raises VotesError if it is not clear which."""
        known = _answers_in(path, names)
        if wanted is None and len(known) == 1:
            return next(iter(known.values()))
        where, listed = printable(str(path)), ", ".join(map(quoted, known))
        if not known:
            raise VotesError("has no answers", where=where, remedy="download the results of a batch that has some")
        if wanted is None:
            raise VotesError(f"has several answers: {listed}", where=where, remedy="say which: --answer NAME")
        wanted = wanted.removeprefix(ANSWER)
        found = known.get(wanted) or known.get(f"{wanted}.label")
        if found is None:
            what = f"has no answer {quoted(wanted)}, but {listed}"
            raise VotesError(what, where=where, remedy=did_you_mean(wanted, known) or "name one of them: --answer NAME")
        return found

    def in_record(self, values: Mapping[str, str]) -> Given:
        """The answer in a line: a label, none, or a fault."""
        if self.form == "text":
            return Given(values[self.columns[0]])
        if self.form == "flags":
            chosen: dict[str, Any] = {}
            for column in self.columns:
                flag = CHECKED.get(values[column].strip().lower())
                if flag is None:
                    return Given(values[column], "with neither true nor false")
                chosen[column.removeprefix(f"{ANSWER}{self.name}.")] = flag
            return _answer_of(chosen)
        elements = _elements_of(values[TASK_ANSWERS])
        return Given(None, "with answers that are no JSON") if elements is None else _answer_of(elements.get(self.name))


def _answers_in(path: Path, names: Sequence[str]) -> dict[str, _Answers]:
    """The answers that a file has, by name."""
    if TASK_ANSWERS in names:
        forms = (_elements_of(line.values[TASK_ANSWERS]) for line in records(path, Account(), [TASK_ANSWERS]))
        elements = dict.fromkeys(name for form in forms for name in form or ())
        return {name: _Answers([TASK_ANSWERS], name, "json") for name in elements}
    columns: dict[str, list[str]] = {}
    for column in names:
        if column.startswith(ANSWER):
            columns.setdefault(column.removeprefix(ANSWER).partition(".")[0], []).append(column)
    found = {}
    for name, several in columns.items():
        if len(several) > 1 and f"{ANSWER}{name}" not in several and f"{ANSWER}{name}.label" not in several:
            found[name] = _Answers(several, name, "flags")
            continue
        for column in several:
            found[column.removeprefix(ANSWER)] = _Answers([column], column.removeprefix(ANSWER), "text")
    return found


def _elements_of(text: str) -> Mapping[str, Any] | None:
    """What the elements of a form answer, by name; None if it is no JSON of that kind."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return value if isinstance(value, dict) else None


def _answer_of(element: Any) -> Given:
    """The label in what an element of a form answers."""
    if isinstance(element, dict) and set(element) == {"label"}:
        element = element["label"]
    elif isinstance(element, dict) and set(element) == {"labels"}:
        element = element["labels"]
    elif isinstance(element, dict) and all(isinstance(flag, bool) for flag in element.values()):
        element = [name for name, flag in element.items() if flag]
    several = element if isinstance(element, list) else [] if element is None else [element]
    if not all(isinstance(label, str) for label in several):
        return Given(json.dumps(element, ensure_ascii=False), NO_TEXT)
    distinct = list(dict.fromkeys(several))
    return Given("; ".join(distinct), SEVERAL) if len(distinct) > 1 else Given(*distinct)


def time_of(text: str | None) -> datetime | None:
    """A time as in ``SubmitTime``; None for anything else.

    >>> time_of("Thu Aug 12 10:11:12 PDT 2021")
    datetime.datetime(2021, 8, 12, 17, 11, 12, tzinfo=datetime.timezone.utc)
    >>> time_of("2019-12-01T13:04:59Z")
    datetime.datetime(2019, 12, 1, 13, 4, 59, tzinfo=datetime.timezone.utc)
    >>> time_of("Thu Aug 12 10:11:12 CST 2021")
    """
    words = (text or "").split()
    if len(words) != 6 or words[4] not in ZONES:
        return utc_time(text)
    try:
        local = datetime.strptime(" ".join([*words[1:4], words[5]]), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return None
    return local - timedelta(hours=ZONES[words[4]])
