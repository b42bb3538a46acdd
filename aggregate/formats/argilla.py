"""Argilla: records in the flat form, of ``records.to_datasets()`` or ``records.to_list(flatten=True)``.

https://docs.argilla.io/latest/how_to_guides/import_export/. Of a question Q a record has ``Q.responses``,
``Q.responses.users`` and ``Q.responses.status``, lists of the same length, and ``Q.suggestion``, ``Q.suggestion.score``
and ``Q.suggestion.agent``.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa

from ..errors import VotesError, reason_of
from ..files.footers import MAGIC
from ..files.sources import printable
from ..parameters import check_parameters, setting
from .base import Account, Part
from .json_ids import id_type, is_id, the_only
from .json_records import Record, items, kind_of, lines
from .recognition import Sample, wrong_layout
from .rows import Rows
from .scores import is_share

RESPONSES, USERS, STATUS = ".responses", ".responses.users", ".responses.status"
SUGGESTION, SCORE, AGENT = ".suggestion", ".suggestion.score", ".suggestion.agent"
SUBMITTED = "submitted"
ROWS = 1 << 12  # of a Parquet file that are looked at together
EXPORT = "export the flat form: dataset.records.to_datasets().to_parquet(FILE)"
NO_ID = "without a text or an integer as id of the observation"
NO_NAME = "with the number of a class, whose name only a Parquet file has"

_option = partial(setting, group="Format")


class Answer(NamedTuple):
    """The label that a response or a suggestion gives."""

    label: str | None
    fault: str = ""  # why it has no label, and cannot be used


@dataclass
class Survey:
    """What is in all files, and must be known before the first row."""

    questions: Counter[str] = field(default_factory=Counter)  # name -> records
    agents: dict[str, Counter[str]] = field(default_factory=dict)  # question -> agent -> suggestions
    observations: dict[type, str] = field(default_factory=dict)  # type of the ids -> where the first is


@dataclass(frozen=True)
class Argilla:
    """Records of Argilla, as Parquet or JSON in the flat form: submitted responses are votes, suggestions AI votes."""

    name: ClassVar[str] = "argilla"

    question: str | None = _option(
        None, "the question whose responses are the labels, if there are several", unset="the only one", metavar="NAME"
    )
    observation: str = _option(
        "id", "the observation's id: that of the record, or the name of a field or of metadata", metavar="FIELD"
    )
    agent: str | None = _option(
        None,
        "the agent whose suggestions are the AI's votes, if there are several",
        unset="the only one",
        metavar="NAME",
    )
    assume_submitted: bool = _option(
        False, "read nested JSON, too, which does not say which responses are drafts or were discarded"
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a file has records, flat or nested."""
        nested = ("item.responses", "item.suggestions", "item.fields", "item.vectors")
        return any(path.endswith(STATUS) for path in sample.paths) or sample.has_paths(*nested)

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes and the AI's votes."""
        survey = Survey()
        for path in paths:
            for record in self.records(path):
                self._look_into(record, path, survey)
        yield from _Reading(self, survey, account).parts(paths)

    def _look_into(self, record: Record, path: Path, survey: Survey) -> None:
        flat = record.value
        observation = flat.get(self.observation)
        if is_id(observation):
            where = f"{record.unit} {record.number:,} of {printable(str(path))}"
            survey.observations.setdefault(type(observation), where)
        for key, value in flat.items():
            if key.endswith(RESPONSES) and value is not None:
                survey.questions[key.removesuffix(RESPONSES)] += 1
            elif key.endswith(SUGGESTION) and value is not None:
                question = key.removesuffix(SUGGESTION)
                survey.questions[question] += 0
                survey.agents.setdefault(question, Counter())[str(flat.get(question + AGENT) or "")] += 1

    def records(self, path: Path) -> Iterator[Record]:
        """The records of a file, flat. Raises VotesError if it is in another layout."""
        for record in _parquet_records(path, self.observation) if _is_parquet(path) else _json_records(path):
            flat = record.value
            if record.fault or not isinstance(flat, dict):
                fault = f"{record.unit} {record.number:,} is {record.fault or 'no object'}"
                raise VotesError(fault, where=printable(str(path)), remedy=EXPORT)
            if isinstance(flat.get("responses"), dict) and isinstance(flat.get("fields"), dict):
                if not self.assume_submitted:
                    which = f"{record.unit} {record.number:,}"
                    fault = f"{which} is nested, and does not say which responses are drafts or were discarded"
                    remedy = f"{EXPORT}; or count all of them: --assume-submitted"
                    raise VotesError(fault, where=printable(str(path)), remedy=remedy)
                record = record._replace(value=_flat(flat))
            elif "id" not in flat or not any(key.endswith((RESPONSES, SUGGESTION)) for key in flat):
                fault = f"{record.unit} {record.number:,} is no record of Argilla, with 'id' and 'QUESTION.responses'"
                raise wrong_layout(path, self.name, fault, EXPORT)
            yield record


class _Reading:
    """The rows of all files."""

    def __init__(self, options: Argilla, survey: Survey, account: Account) -> None:
        self.options, self.account = options, account
        question = the_only("question", options.question, survey.questions, "record")
        self.question = "" if question is None else question
        agents = survey.agents.get(self.question, Counter())
        self.agent = the_only("agent", options.agent, agents, "suggestion")
        observation, text = id_type(survey.observations, "observations"), pa.string()
        self.votes = Rows("votes", observation_id=observation, user_id=text, label=text)
        self.ai_votes = Rows("ai_votes", observation_id=observation, label=text, score=pa.float64())

    def parts(self, paths: Sequence[Path]) -> Iterator[Part]:
        """All tables, batch by batch."""
        for path in paths:
            for record in self.options.records(path):
                self._add_responses(record, path)
                self._add_suggestion(record, path)
                for rows in (self.votes, self.ai_votes):
                    yield from rows.full()
        for rows in (self.votes, self.ai_votes):
            yield from rows.rest()

    def _add_responses(self, record: Record, path: Path) -> None:
        flat = record.value
        given = [flat.get(self.question + key) for key in (RESPONSES, USERS, STATUS)]
        values, users, states = (item if isinstance(item, list) else [] for item in given)
        if not values:
            self.account.note("records without a response to the question")
            return
        self.account.read(len(values))
        observation = flat.get(self.options.observation)
        if not len(values) == len(users) == len(states):
            for value in values:
                fault = "with lists of responses, users and status of different lengths"
                self._reject(record, path, fault, observation, _answer_of(value).label)
            return
        for value, user, status in zip(values, users, states, strict=True):
            if status != SUBMITTED:
                self.account.leave_out(f"with status {status}" if status else "without a status")
                continue
            answer = _answer_of(value)
            if answer.label is None and not answer.fault:
                self.account.leave_out("with an empty answer")
                continue
            fault = answer.fault or ("" if is_id(observation) else NO_ID)
            fault = fault or ("" if isinstance(user, str) and user else "without a user")
            if fault:
                self._reject(record, path, fault, observation, answer.label, user)
            else:
                self.votes.add(observation, user, answer.label)

    def _add_suggestion(self, record: Record, path: Path) -> None:
        flat = record.value
        value, score = flat.get(self.question + SUGGESTION), flat.get(self.question + SCORE)
        if value is None:
            return
        self.account.read(table="ai_votes")
        observation, answer = flat.get(self.options.observation), _answer_of(value)
        if str(flat.get(self.question + AGENT) or "") != self.agent:
            self.account.leave_out("of another agent", table="ai_votes")
        elif isinstance(value, int) and not isinstance(value, bool):
            self.account.leave_out(NO_NAME, table="ai_votes")
        elif answer.label is None and not answer.fault:
            self.account.leave_out("with an empty answer", table="ai_votes")
        else:
            score = score[0] if isinstance(score, list) and len(score) == 1 else score
            fault = answer.fault or ("" if is_id(observation) else NO_ID)
            if not fault and score is None:
                fault = "without a score"
            elif not fault and not is_share(score):
                fault = "with a score that is no number in [0, 1]"
            if fault:
                self._reject(record, path, fault, observation, answer.label, table="ai_votes")
            else:
                self.ai_votes.add(observation, answer.label, float(score))

    def _reject(
        self,
        record: Record,
        path: Path,
        fault: str,
        observation: Any,
        label: str | None,
        user: Any = None,
        table: str = "votes",
    ) -> None:
        observation = observation if is_id(observation) else None
        self.account.reject(
            record.rejected(path, fault, table=table, observation_id=observation, user_id=user, label=label)
        )


def _answer_of(value: Any) -> Answer:
    """The label in a value: a text, or a list of one."""
    several = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(label, str) for label in several):
        return Answer(json.dumps(value, ensure_ascii=False), "with an answer that is no text")
    distinct = list(dict.fromkeys(several))
    return (
        Answer("; ".join(distinct), "with more than one answer") if len(distinct) > 1 else Answer(*distinct or [None])
    )


def _flat(nested: Mapping[str, Any]) -> dict[str, Any]:
    """A nested record in the flat form, all of whose responses are submitted."""
    flat = {**nested["fields"], **(nested.get("metadata") or {}), "id": nested.get("id")}
    for question, responses in nested["responses"].items():
        several = [item for item in responses or () if isinstance(item, dict)]
        flat[question + RESPONSES] = [item.get("value") for item in several]
        flat[question + USERS] = [item.get("user_id") for item in several]
        flat[question + STATUS] = [SUBMITTED] * len(several)
    for question, suggestion in (nested.get("suggestions") or {}).items():
        if isinstance(suggestion, dict):
            for key, name in ((SUGGESTION, "value"), (SCORE, "score"), (AGENT, "agent")):
                flat[question + key] = suggestion.get(name)
    return flat


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _json_records(path: Path) -> Iterator[Record]:
    """The records of a file of JSON: a list, or one in each line."""
    if path.is_dir():
        raise wrong_layout(path, Argilla.name, "is a folder", EXPORT)
    try:
        is_list = kind_of(path) == "list"
    except VotesError as error:
        if "JSON" not in error.what:
            raise
        raise wrong_layout(path, Argilla.name, error.what, EXPORT) from error
    yield from items(path) if is_list else lines(path)


def _parquet_records(path: Path, observation: str) -> Iterator[Record]:
    """The rows of a Parquet file, with the names of classes in place of their numbers."""
    import pyarrow.parquet as pq

    suffixes = (RESPONSES, USERS, STATUS, SUGGESTION, SCORE, AGENT)
    number = 0
    try:
        file = pq.ParquetFile(path)
        columns = [name for name in file.schema_arrow.names if name in ("id", observation) or name.endswith(suffixes)]
        names = _class_names(file.schema_arrow)
        for batch in file.iter_batches(ROWS, columns=columns):
            for row in batch.to_pylist():
                number += 1
                for column in names.keys() & row.keys():
                    row[column] = names[column].get(row[column])
                yield Record(number, None, row, [], "row")
    except (pa.ArrowException, OSError) as error:
        fault = f"cannot be read as Parquet ({reason_of(error)})"
        raise VotesError(fault, where=printable(str(path)), remedy="export it again") from error


def _class_names(schema: pa.Schema) -> dict[str, dict[int, str | None]]:
    """Column -> number of a class -> its name, which datasets writes into the metadata; one may be None."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {
        column: dict(enumerate(feature["names"]))
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and isinstance(feature.get("names"), list)
    }
