"""Zooniverse: the classification export of a project or workflow, a CSV file with JSON in it."""

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Flags, Indices
from ..arrow import to_arrow
from ..blocks import count
from ..errors import VotesError, did_you_mean, quoted, warn
from ..files.sources import printable
from ..parameters import check_parameters, parameter
from .base import LONGEST, Account, Part, Rejected
from .delimited import chunks, delimiter_of, header, records
from .panoptes import (
    CHOICES,
    DRAWING,
    SEVERAL,
    TYPED,
    UNKNOWN,
    Answer,
    Choice,
    TaskVersions,
    answers,
    from_json,
    names_nothing,
    without_vowels,
)
from .recognition import Sample, wrong_layout
from .rows import Rows
from .times import utc_time

COLUMNS = (
    "classification_id",
    "user_name",
    "user_id",
    "workflow_id",
    "workflow_version",
    "created_at",
    "metadata",
    "annotations",
    "subject_ids",
)
OPTIONAL = ("gold_standard", "expert")
EXPORT_IT = "give the classification export of a project or workflow"
CHOOSE_TASK = "choose one with the option task"
MISSING = ("", "NA")  # where NA can be no value, it is what R writes for an empty one
OTHER_FILES = {
    "extractor": "what panoptes-aggregation extracted",
    "reducer": "what panoptes-aggregation reduced",
    "display_name": "a workflow export",
    "locations": "a subject export",
}
"""A column that only other files of Zooniverse projects have -> what these are."""
MOST_DIGITS = 19  # of an integer of 64 bits; Python does not read those of thousands
SHOWN = 5  # pairs of ids that a warning names

Row = Mapping[str, str]
"""A line of an export: column -> value."""

_option = partial(parameter, group="Format")


@dataclass(frozen=True)
class Zooniverse:
    """Classifications of a Zooniverse project or workflow, exported as CSV; the gold standard is the truth."""

    name: ClassVar[str] = "zooniverse"

    task: str | None = _option(
        None,
        "the task whose answers are the votes, if there are several, such as T0",
        unset="the only one",
        metavar="TASK",
    )
    workflow: str | None = _option(
        None, "the id of the workflow, if several have that task", unset="the only one", metavar="ID"
    )
    workflow_version: str | None = _option(
        None,
        "the version of the workflow alone: 106.2, or 106 for all whose number begins so",
        unset="all",
        metavar="VERSION",
    )
    workflows: str | None = _option(
        None,
        "the workflow export (CSV), by which labels are what volunteers saw in place of ids of choices",
        is_file=True,
        unset="ids of choices",
        metavar="FILE",
    )
    choices: str | None = _option(
        None,
        "a CSV or TSV file with the columns choice and label: what choices are called; without a label, no vote",
        is_file=True,
        unset="none",
        metavar="FILE",
    )
    anonymous: str = _option(
        "keep",
        "users who were not logged in: one for each address, none, or one for each classification",
        choices=("keep", "drop", "each"),
    )
    repeats: str = _option(
        "first", "which vote counts of a user who classified a subject again", choices=("first", "latest")
    )
    several: str = _option(
        "skip",
        "classifications with several choices: no vote, or a vote for each, on SUBJECT+CHOICE",
        choices=("skip", "split"),
    )
    nothing_here: bool = _option(False, "choices such as NTHNGHR and Nothing Here are labels, too")
    test_classifications: bool = _option(False, "use classifications from before the project was live, too")

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a file has the columns of a classification export."""
        return sample.has_columns("classification_id", "annotations", "subject_ids")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """Votes, and the truth by classifications of the gold standard; see ``Format.read``."""
        task = self.task or self._only_task(paths)
        reading = _Reading(self, task, account)
        for path in paths:
            for line, row in _rows(path, account):
                reading.add(path, line, row)
        if not reading.ballots and not reading.truth:
            raise self._no_votes(paths, task, account)
        yield from reading.tables(_named(paths))

    def excluded(self, row: Row) -> str:
        """The reason why a row is not of the workflow and version that are asked for; empty if it is."""
        if self.workflow is not None and row["workflow_id"] != self.workflow:
            return "of another workflow"
        version, wanted = row["workflow_version"], self.workflow_version
        if wanted is not None and wanted not in (version, version.partition(".")[0]):
            return "of another version of the workflow"
        return ""

    def _tasks(self, paths: Sequence[Path]) -> dict[str, Counter[str]]:
        """The tasks of the workflow -> how many answers there are of each kind."""
        tasks: dict[str, Counter[str]] = defaultdict(Counter)
        for path in paths:
            for _, row in _rows(path, Account()):
                if not self.excluded(row):
                    for answer in _answers(row) or ():
                        tasks[answer.task][answer.kind] += 1
        return dict(sorted(tasks.items()))

    def _only_task(self, paths: Sequence[Path]) -> str:
        tasks = self._tasks(paths)
        if len(tasks) != 1:
            what = f"there are several tasks: {_listed(tasks)}" if tasks else "there are no answers to tasks"
            raise VotesError(what, where=_named(paths), remedy=CHOOSE_TASK if tasks else EXPORT_IT)
        return next(iter(tasks))

    def _no_votes(self, paths: Sequence[Path], task: str, account: Account) -> VotesError:
        """Why there are no votes."""
        where, tasks = _named(paths), self._tasks(paths)
        if tasks and task not in tasks:
            what = f"there is no task {quoted(task)}: there are {_listed(tasks)}"
            return VotesError(what, where=where, remedy=did_you_mean(task, tasks) or CHOOSE_TASK)
        kinds, others = tasks.get(task, Counter()), [name for name in tasks if tasks[name].keys() & {*CHOICES}]
        if kinds[DRAWING] and not kinds.keys() & {*CHOICES}:
            marks = f"marks on the image in {count(kinds[DRAWING], 'classification')}, which do not name the subject"
            remedy = f"choose a task with choices: {', '.join(others)}" if others else "these are no votes"
            return VotesError(f"task {quoted(task)} is a drawing: {marks}", where=where, remedy=remedy)
        reasons = account.left_out.get("votes", Counter()) + account.n_rejected.get("votes", Counter())
        why = ", ".join(f"{n:,} {reason}" for reason, n in reasons.most_common())
        return VotesError(f"no classification is a vote: {why}" if why else "has no classifications", where=where)


class _LeftOut(Exception):  # noqa: N818 - a rule, no error
    """A classification is no vote, by a rule: the message is the reason."""


class _Unusable(Exception):  # noqa: N818
    """A classification cannot be used: the message is the reason."""


class _Voted(NamedTuple):
    """What a classification says of its subject."""

    label: str
    choice: str  # as in the export
    observation: str


class _Reading:
    """Classifications become votes once all are read: only then is known which one of a user counts."""

    def __init__(self, options: Zooniverse, task: str, account: Account) -> None:
        self._options, self._task, self._account = options, task, account
        self._labels = _Labels(options, task)
        self.ballots = _Ballots(has_choice=self._labels.are_given)
        self.truth: dict[str, Counter[str]] = defaultdict(Counter)  # observation -> label -> classifications
        self._n_rows = 0
        self._workflows: Counter[str] = Counter()

    def add(self, path: Path, line: int, row: Row) -> None:
        """Read a classification, which the account has counted."""
        self._n_rows += 1
        table = "votes"
        try:
            if reason := self._options.excluded(row):
                raise _LeftOut(reason)
            if _is_gold_standard(row):
                self._account.leave_out("of the gold standard, which is the truth")
                table = "truth"
                self._account.read(table=table)
                for voted in self._voted(row, table):
                    self.truth[voted.observation][voted.label] += 1
            else:
                self._add_votes(row)
        except _LeftOut as reason:
            self._account.leave_out(str(reason), table=table)
        except _Unusable as reason:
            ids = row["subject_ids"], row["user_id"] or row["user_name"], None
            text = row["annotations"][:LONGEST]
            self._account.reject(Rejected(table, printable(str(path)), "line", line, str(reason), *ids, text))

    def tables(self, where: str) -> Iterator[Part]:
        """The votes that count, and the truth. Raises VotesError if they are of several workflows."""
        if len(self._workflows) > 1:
            found = ", ".join(f"{name} ({count(n, 'vote')})" for name, n in self._workflows.most_common())
            what = f"task {quoted(self._task)} is in several workflows: {found}"
            raise VotesError(what, where=where, remedy="choose one with the option workflow")
        self._account.details["task"] = self._task
        if self._workflows:
            (self._account.details["workflow"],) = self._workflows
        self._labels.report(self._account)
        yield from self.ballots.counted(self._options.repeats, self._account)
        yield from self._truth()

    def _add_votes(self, row: Row) -> None:
        if not self._options.test_classifications and not _is_live(row):
            raise _LeftOut("from before the project was live")
        is_anonymous = row["user_id"] in MISSING
        if is_anonymous and self._options.anonymous == "drop":
            raise _LeftOut("of users who were not logged in")
        if is_anonymous and self._options.anonymous == "each":
            user = f"not-logged-in-{row['classification_id']}"
        else:
            user = row["user_name"] if is_anonymous else row["user_id"]
        if not user:
            raise _Unusable("without a user")
        number, time = _number(row), utc_time(row["created_at"])
        if time is None and row["created_at"] not in MISSING:
            self._account.note("times that cannot be read, taken as missing")
        for voted in self._voted(row, "votes"):
            self.ballots.add(self._n_rows, number, user, is_anonymous, time, voted, row)
            self._workflows[row["workflow_id"]] += 1

    def _voted(self, row: Row, table: str) -> list[_Voted]:
        """What a classification names: one label, or several apart. Raises _LeftOut and _Unusable."""
        subject = row["subject_ids"]
        if subject in MISSING:
            raise _Unusable("without a subject")
        chosen = self._chosen(row)
        labels: dict[str, str] = {}  # label -> choice
        for choice in chosen:
            labels.setdefault(self._labels.of(choice, row), str(choice.text))
        if len(labels) < len(chosen):
            self._account.note("classifications with the same choice twice")
        labels.pop("", None)
        if not labels:
            raise _LeftOut("with a choice that has no label in the file of choices")
        if len(labels) > 1 and self._options.several == "skip":
            raise _LeftOut("with several choices")
        named = [item for item in labels.items() if self._options.nothing_here or not any(map(names_nothing, item))]
        if not named:
            raise _LeftOut("with nothing here")
        if len(labels) == 1:
            return [_Voted(*named[0], subject)]
        self._account.note("classifications with several choices, each a vote on SUBJECT+CHOICE")
        self._account.read(len(named) - 1, table=table)
        return [_Voted(label, choice, f"{subject}+{label}") for label, choice in named]

    def _chosen(self, row: Row) -> list[Choice]:
        """The choices of the task, at least one. Raises _LeftOut and _Unusable."""
        given = _answers(row)
        if given is None:
            raise _Unusable("with annotations that are not JSON of this kind")
        of_task = [answer for answer in given if answer.task == self._task]
        if not of_task:
            raise _LeftOut(f"without task {self._task}")
        if self._labels.is_typed(row):
            raise _LeftOut("with text or a number, which is no choice")
        chosen = [choice for answer in of_task for choice in answer.choices]
        if not chosen and any(answer.kind == DRAWING for answer in of_task):
            raise _LeftOut("with marks on the image, which do not name the subject")
        if not chosen and any(answer.value == [] for answer in of_task):  # what the button beside a survey says
            beside = (choice for answer in given if answer.kind == SEVERAL for choice in answer.choices)
            chosen = [choice for choice in beside if names_nothing(str(choice.text))][:1]
        if not chosen:
            raise _LeftOut("without an answer")
        return chosen

    def _truth(self) -> Iterator[Part]:
        rows = Rows("truth", observation_id=pa.string(), label=pa.string())
        for observation, labels in self.truth.items():
            n = labels.total()
            if len(labels) > 1:
                self._account.leave_out("on subjects whose gold standard is not the same throughout", n, table="truth")
                continue
            self._account.leave_out("that say the same of a subject again", n - 1, table="truth")
            rows.add(observation, *labels)
            yield from rows.full()
        yield from rows.rest()


class _Labels:
    """What choices are called: by the file of choices, else by the workflow export, else as in the classifications."""

    def __init__(self, options: Zooniverse, task: str) -> None:
        self._options = options
        self.are_given = options.choices is not None or options.workflows is not None
        self._file = {} if options.choices is None else _read_labels(Path(options.choices))
        self._unused = set(self._file)
        self._versions = None if options.workflows is None else TaskVersions.read(Path(options.workflows), task)
        self._ids: Counter[str] = Counter()  # those that are labels, as nothing else calls them otherwise

    def is_typed(self, row: Row) -> bool:
        """Whether the answer is text or a number that was typed in: by its form it may be that of a question."""
        workflow, version = row["workflow_id"], row["workflow_version"]
        return self._versions is not None and self._versions.type_of(workflow, version) in TYPED

    def of(self, choice: Choice, row: Row) -> str:
        """The label of a choice, empty if it has none. Raises _Unusable."""
        text = choice.text
        if text == UNKNOWN:
            raise _Unusable("with an answer that the export does not name")
        if choice.is_id and text not in self._file and self._versions is not None:
            name = self._versions.name_of(text, row["workflow_id"], row["workflow_version"])
            if name is None:
                raise _Unusable("with a choice that the workflow export does not name")
            text = name
        elif isinstance(text, int):
            raise _Unusable("with the number of an answer, which the workflow export names")
        elif choice.is_id and text not in self._file:
            self._ids[text] += 1
        if text in self._file:
            self._unused.discard(text)
            return self._file[text]
        return text

    def report(self, account: Account) -> None:
        """Warn of ids that look like those of one choice, and count labels of choices that nobody made."""
        account.note("choices in the file of choices that nobody made", len(self._unused))
        used = [one for one in self._ids if self._options.nothing_here or not names_nothing(one)]
        long = {without_vowels(one): one for one in used if without_vowels(one) != one}
        pairs = [(long[one], one) for one in used if one in long]
        if pairs:
            pairs.sort(key=lambda pair: -self._ids[pair[0]] - self._ids[pair[1]])
            named = [" and ".join(f"{one} ({self._ids[one]:,})" for one in pair) for pair in pairs[:SHOWN]]
            more = f", and {len(pairs) - SHOWN:,} more pairs" if len(pairs) > SHOWN else ""
            warn(
                f"choices look the same under ids of two versions of the workflow: {', '.join(named)}{more}; "
                "give the workflow export (option workflows), or one label for both (option choices)"
            )


class _Numbers(dict[str, int]):
    """Texts -> numbers in the order in which they come."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


class _Ballots:
    """All votes, from which the one that counts of each user on each subject is chosen in the end."""

    def __init__(self, has_choice: bool) -> None:
        self._has_choice = has_choice
        text = pa.string()
        self._rows = Rows(
            "votes",
            observation_id=text,
            user_id=text,
            label=text,
            voted_at=pa.timestamp("us", tz="UTC"),
            **({"choice": text} if has_choice else {}),
            classification_id=text,
            workflow_version=text,
            logged_in=pa.bool_(),
            expert=text,
        )
        self._parts: list[Part] = []
        self._numbers = {"subject": _Numbers(), "user": _Numbers(), "label": _Numbers()}
        self._columns = {name: array("q") for name in (*self._numbers, "classification", "row", "anonymous")}

    def __len__(self) -> int:
        return len(self._columns["row"])

    def add(
        self, n_row: int, number: int, user: str, is_anonymous: bool, time: datetime | None, voted: _Voted, row: Row
    ) -> None:
        """Add a vote of the classification ``number``, which stands in the ``n_row``-th row of the files."""
        named = [voted.choice] if self._has_choice else []
        expert = None if row.get("expert", "") in MISSING else row["expert"]
        self._rows.add(
            voted.observation,
            user,
            voted.label,
            time,
            *named,
            row["classification_id"],
            row["workflow_version"],
            not is_anonymous,
            expert,
        )
        texts = {"subject": row["subject_ids"], "user": user, "label": voted.label}
        for name, value in texts.items():
            self._columns[name].append(self._numbers[name][value])
        for name, number_of_vote in (("classification", number), ("row", n_row), ("anonymous", is_anonymous)):
            self._columns[name].append(number_of_vote)
        self._parts += self._rows.full()

    def counted(self, repeats: str, account: Account) -> Iterator[Part]:
        """The votes that count; the others are left out."""
        self._parts += self._rows.rest()
        columns = {name: np.asarray(values, np.int64) for name, values in self._columns.items()}
        counts, chosen = _counts(columns, len(self._numbers["user"]), is_latest=repeats == "latest")
        is_copy = ~counts & (columns["classification"] == columns["classification"][chosen])
        is_repeat = ~counts & ~is_copy
        account.leave_out("that are in the files before", int(is_copy.sum()))
        when = "before" if repeats == "first" else "again later"
        account.leave_out(f"of users who classified the subject {when}", int(is_repeat.sum()))
        differs = is_repeat & (columns["label"] != columns["label"][chosen])
        account.note("repeats with another label than the one that counts", int(differs.sum()))
        anonymous = columns["user"][counts & (columns["anonymous"] == 1)]
        account.note("votes of users who were not logged in", anonymous.size)
        account.note("users who were not logged in, as far as their addresses tell", np.unique(anonymous).size)
        start = 0
        for table, batch in self._parts:
            yield table, batch.filter(to_arrow(counts[start : start + batch.num_rows]))
            start += batch.num_rows


def _counts(columns: Mapping[str, Indices], n_users: int, is_latest: bool) -> tuple[Flags, Indices]:
    """Which votes count, and for each vote one that counts of the same user on the same subject.

    That is all votes of the user's first or latest classification of the subject, by the number of the classification.
    """
    key = columns["subject"] * n_users + columns["user"]
    number = columns["classification"] * (-1 if is_latest else 1)
    order = np.lexsort((columns["row"], number, key))
    begins = np.flatnonzero(np.diff(key[order], prepend=-1))
    best = order[np.repeat(begins, np.diff(begins, append=order.size))]  # in that order
    chosen = np.empty_like(order)
    chosen[order] = best
    return columns["row"] == columns["row"][chosen], chosen


def _rows(path: Path, account: Account) -> Iterator[tuple[int, Row]]:
    """The classifications of a file, each with its line."""
    _check_header(path)
    for chunk in chunks(path, account, COLUMNS, optional=OPTIONAL, remedy=EXPORT_IT):
        names = chunk.batch.schema.names
        columns = [column.to_pylist() for column in chunk.batch.columns]
        for line, *values in zip(chunk.lines.tolist(), *columns, strict=True):
            yield line, dict(zip(names, values, strict=True))


def _check_header(path: Path) -> None:
    """Raise VotesError if a file is no classification export: it says what it looks like."""
    if path.is_dir():
        raise VotesError("is a folder", where=printable(str(path)), remedy=EXPORT_IT)
    names = header(path)
    known = [what for name, what in OTHER_FILES.items() if name in names]
    missing = [name for name in COLUMNS if name not in names]
    if known or missing:
        raise wrong_layout(
            path, Zooniverse.name, f"is {known[0]}" if known else f"has no column {missing[0]}", EXPORT_IT
        )


def _answers(row: Row) -> list[Answer] | None:
    """The answers of a classification; None if they cannot be read."""
    try:
        return list(answers(from_json(row["annotations"])))
    except (ValueError, RecursionError):
        return None


def _is_gold_standard(row: Row) -> bool:
    value = row.get("gold_standard", "").lower()
    if value not in ("true", "false", "", "na"):
        raise _Unusable("with a gold_standard that is neither true nor false")
    return value == "true"


def _is_live(row: Row) -> bool:
    """Whether the project was live; it was if nothing says otherwise."""
    if row["metadata"] in MISSING:
        return True
    try:
        metadata = json.loads(row["metadata"])
        return metadata.get("live_project") is not False
    except (ValueError, AttributeError, RecursionError):
        raise _Unusable("with metadata that are not a JSON object") from None


def _number(row: Row) -> int:
    text = row["classification_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text) < 1 << 63):
        raise _Unusable("with a classification_id that is no number")
    return int(text)


def _read_labels(path: Path) -> dict[str | int, str]:
    """Choice -> label, from a file of the user's. Raises VotesError."""
    account, where = Account(), printable(str(path))
    labels: dict[str | int, str] = {}
    for record in records(path, account, ("choice", "label"), delimiter=delimiter_of(path)):
        choice, label = record.values["choice"], record.values["label"].strip()
        if labels.setdefault(choice, label) != label:
            what = f"line {record.line} gives {quoted(choice)} another label than a line before"
            raise VotesError(what, where=where, remedy="leave one of them")
    for item in account.rejected:
        raise VotesError(f"line {item.number} is a record {item.reason}", where=where, remedy="write choice,label")
    return labels


def _named(paths: Sequence[Path]) -> str:
    return printable(str(paths[0])) + (f" and {len(paths) - 1:,} more" if len(paths) > 1 else "")


def _listed(tasks: Mapping[str, Counter[str]]) -> str:
    """``T0 (survey 1,000), T1 (question 4, unanswered 996)``."""
    kinds = {task: ", ".join(f"{kind} {n:,}" for kind, n in known.most_common()) for task, known in tasks.items()}
    return ", ".join(f"{task} ({known})" for task, known in kinds.items())
