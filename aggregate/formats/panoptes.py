"""What Panoptes, the software of Zooniverse, writes into its exports: annotations, and the workflows they follow."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import VotesError
from ..files.sources import printable
from .base import Account
from .delimited import records

SURVEY, QUESTION, SEVERAL, DROPDOWN = "survey", "question", "question with several answers", "dropdown"
DRAWING, TEXT, UNANSWERED, OTHER = "drawing", "text", "unanswered", "other"
CHOICES = (SURVEY, QUESTION, SEVERAL, DROPDOWN)
"""Kinds of answers that are choices."""

TYPED = {"text": TEXT, "slider": TEXT}
"""Types of tasks whose answers look like those of a question, and are none -> the kind of answer that they are."""

UNKNOWN = "unknown answer label"
"""What an export has for an answer that its version of the workflow does not list."""

VOWELS = re.compile("[AEIOUY]")
HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")  # one of the two surrogates that a character is written with
NOT_LETTERS = re.compile("[^A-Z]")

NOTHING = (
    "nothing", "nothing here", "nothing there", "nothing present", "nothing visible", "nothing to see",
    "no animal", "no animals", "no animal present", "no animals present", "no animals visible", "no wildlife",
    "blank", "empty", "empty image", "none of the above",
)  # fmt: skip
"""Choices that name no species, in words."""


def without_vowels(choice: str) -> str:
    """The letters of a choice as ids had them for a time: GIRAFFE is GRFF.

    >>> without_vowels("Nothing here")
    'NTHNGHR'
    """
    return VOWELS.sub("", _letters(choice))


def _letters(choice: str) -> str:
    return NOT_LETTERS.sub("", choice.upper())


NOTHING_IDS = frozenset({_letters(words) for words in NOTHING} | {without_vowels(words) for words in NOTHING})


def names_nothing(choice: str) -> bool:
    """Whether a choice, an id or in words, says that there is nothing to identify.

    >>> names_nothing("NTHNGHR"), names_nothing("Nothing Here"), names_nothing("Nothofagus")
    (True, True, False)
    """
    return _letters(choice) in NOTHING_IDS


def from_json(text: str) -> Any:
    """A value of JSON. Raises ValueError if it is none, or has text that is not Unicode: half of a surrogate pair."""
    value = json.loads(text)
    if HALF_PAIR.search(text):
        json.dumps(value, ensure_ascii=False).encode()
    return value


class Choice(NamedTuple):
    """What a volunteer chose."""

    text: str | int  # an integer is the place of an answer among those of the task
    is_id: bool  # or else in words


class Answer(NamedTuple):
    """A volunteer's answer to a task."""

    task: str
    value: Any

    @property
    def kind(self) -> str:
        """What the answer is, by its form: that of a text typed in is that of a question."""
        if self.value is None or self.value == [] or (isinstance(self.value, str) and not _is_filled(self.value)):
            return UNANSWERED
        if _is_choice(self.value):
            return QUESTION
        items = self.value if isinstance(self.value, list) else [self.value]
        if all(map(_is_choice, items)):
            return SEVERAL
        if not all(isinstance(item, dict) for item in items):
            return OTHER
        if all("choice" in item for item in items):
            return SURVEY
        if all("select_label" in item for item in items):
            return DROPDOWN if any(item.get("value") is not None for item in items) else UNANSWERED
        return DRAWING if any("tool" in item or "x" in item for item in items) else OTHER

    @property
    def choices(self) -> list[Choice]:
        """What was chosen; nothing if the answer is not of a kind with choices."""
        items = self.value if isinstance(self.value, list) else [self.value]
        if self.kind == SURVEY:
            return [Choice(item["choice"], is_id=True) for item in items if _is_filled(item["choice"])]
        if self.kind == DROPDOWN:
            texts = [item.get("label", item.get("value")) for item in items]
            return [Choice(text, is_id=False) for text in texts if _is_filled(text)]
        if self.kind not in CHOICES:
            return []
        return [Choice(item, isinstance(item, int)) for item in items if isinstance(item, int) or _is_filled(item)]


def _is_filled(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _is_choice(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def answers(annotations: Any) -> Iterator[Answer]:
    """The answers in the annotations of a classification, those of combined tasks one by one.

    Raises ValueError if these are no annotations.
    """
    if not isinstance(annotations, list):
        raise ValueError("no list")
    for annotation in annotations:
        if not isinstance(annotation, dict) or "task" not in annotation:
            raise ValueError("no task")
        value = annotation.get("value")
        if isinstance(value, list) and value and all(isinstance(item, dict) and "task" in item for item in value):
            yield from answers(value)
        else:
            yield Answer(str(annotation["task"]), value)


Version = tuple[int, int]  # major, which counts changes of the tasks, and minor, of the words


def version_of(text: str) -> Version:
    """A workflow version as two numbers: it is no decimal number, 1.10 comes after 1.9.

    Raises ValueError if it is none.

    >>> version_of("1.10") > version_of("1.9")
    True
    """
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


@dataclass(frozen=True)
class TaskVersion:
    """A task as a version of its workflow has it."""

    type: str
    choices: Mapping[str, str | None]  # id of a survey's choice -> in words, if the export has them
    answers: tuple[str | None, ...]  # of a question, likewise


@dataclass
class TaskVersions:
    """A task in all versions of the workflows that have it, from a workflow export."""

    origin: str
    versions: dict[str, dict[Version, TaskVersion]] = field(default_factory=dict)  # by workflow

    @classmethod
    def read(cls, path: Path, task: str) -> "TaskVersions":
        """Read a workflow export. Raises VotesError."""
        where = printable(str(path))
        found, account = cls(where), Account()
        remedy = "give the workflow export of the same project, which has a row for each version"
        columns = ("workflow_id", "version", "tasks", "strings")
        for record in records(path, account, columns, optional=("minor_version",), remedy=remedy):
            row = record.values
            try:
                tasks, strings = from_json(row["tasks"]), from_json(row["strings"] or "{}")
                version = int(row["version"]), int(row.get("minor_version") or 0)
                known = _task_version(task, tasks[task], strings) if task in tasks else None
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                fault = f"line {record.line} is no version of a workflow ({type(error).__name__})"
                raise VotesError(fault, where=where, remedy=remedy) from error
            if known:
                found.versions.setdefault(row["workflow_id"], {})[version] = known
        if account.rejected:
            first = account.rejected[0]
            raise VotesError(f"line {first.number} is a record {first.reason}", where=where, remedy="export it again")
        return found

    def type_of(self, workflow: str, version: str) -> str:
        """The type of the task, empty if unknown."""
        known = self._at(workflow, version)
        return known.type if known else ""

    def name_of(self, choice: str | int, workflow: str, version: str) -> str | None:
        """A choice in words, by the version that it was made in, else by any that has it; None if none has."""
        known = self._at(workflow, version)
        if isinstance(choice, int):
            return known.answers[choice] if known and 0 <= choice < len(known.answers) else None
        if known and choice in known.choices:
            return known.choices[choice]
        names = {one.choices.get(choice) for one in self.versions.get(workflow, {}).values()} - {None}
        return names.pop() if len(names) == 1 else None

    def _at(self, workflow: str, text: str) -> TaskVersion | None:
        """The task at a version, or, if the export lacks it, at the first after it, else at the last.

        So does Panoptes (``find_workflow_at_version`` of its classification_dump_cache.rb).
        """
        versions = self.versions.get(workflow)
        if not versions:
            return None
        try:
            major, minor = wanted = version_of(text)
        except ValueError:
            return versions[max(versions)]
        if wanted in versions:
            return versions[wanted]
        later = [version for version in versions if version[0] >= major and version[1] >= minor]
        return versions[min(later) if later else max(versions)]


def _task_version(name: str, task: Mapping[str, Any], strings: Mapping[str, str]) -> TaskVersion:
    """A task whose labels are keys of ``strings``, such as ``T0.choices.CVT.label``, or, in old versions, words."""

    def words(label: str) -> str | None:
        return strings.get(label, None if label.startswith(f"{name}.") else label)

    choices = {choice: words(known["label"]) for choice, known in (task.get("choices") or {}).items()}
    return TaskVersion(task["type"], choices, tuple(words(item["label"]) for item in task.get("answers") or ()))
