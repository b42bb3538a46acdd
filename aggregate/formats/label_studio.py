"""Label Studio: the full JSON export of a project of choices or taxonomies.

https://labelstud.io/guide/task_format: a list of tasks, with the annotations of persons and the predictions of models.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa

from ..errors import VotesError
from ..files.sources import printable
from ..parameters import check_parameters, setting
from .base import Account, Part, Rejected
from .json_ids import id_type, is_id, the_only
from .json_records import Record, items, kind_of
from .recognition import Sample, wrong_layout
from .rows import Rows
from .scores import is_share
from .times import utc_time

KINDS = ("choices", "taxonomy")  # of controls whose answers are labels
LEVELS = " / "  # between the levels of a path, as Label Studio shows it
_option = partial(setting, group="Format")
EXPORT = "export the project from Label Studio as JSON, not JSON-MIN, CSV or TSV"
NO_ID = "without a text or an integer as id of the observation"
SEVERAL = "with more than one answer"


class Answer(NamedTuple):
    """What an annotation or a prediction says."""

    label: str | None
    fault: str = ""  # why it has no label, and cannot be used
    absence: str = ""  # why it has no label, without fault


@dataclass
class Survey:
    """What is in all files, and must be known before the first row."""

    controls: Counter[str] = field(default_factory=Counter)  # name -> answers
    versions: Counter[str] = field(default_factory=Counter)  # of the model -> predictions
    observations: dict[type, str] = field(default_factory=dict)  # type of the ids -> where the first is
    users: dict[type, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)  # types of controls whose answers are no labels

    def add(self, given: Mapping[str, Any]) -> None:
        """Count the controls that an annotation or a prediction answers."""
        for control, kind in _controls_of(given):
            if kind in KINDS:
                self.controls[control] += 1
            else:
                self.others.add(kind)


@dataclass(frozen=True)
class LabelStudio:
    """Annotations of choices or taxonomies, exported from Label Studio as JSON; predictions become AI votes."""

    name: ClassVar[str] = "label-studio"

    observation: str | None = _option(
        None,
        "the member of a task's data that is the observation's id; without it the task's own id",
        unset="the task's id",
        metavar="FIELD",
    )
    control: str | None = _option(
        None, "the control whose answers are the labels, if there are several", unset="the only one", metavar="NAME"
    )
    level: str = _option(
        "last",
        "what is the label in a taxonomy: the last name of the path, or all of its names",
        choices=("last", "all"),
    )
    without_user: str = _option(
        "keep",
        "what happens to annotations that nobody completed: each has a user of its own, or is rejected",
        choices=("keep", "reject"),
    )
    ground_truth_votes: bool = _option(False, "annotations set as ground truth are votes, too")
    model_version: str | None = _option(
        None,
        "the model version whose predictions are the AI's votes, if there are several",
        unset="the only one",
        metavar="VERSION",
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a file is a list of tasks."""
        return sample.has_paths("item.data") and bool(
            sample.paths & {"item.annotations", "item.completions", "item.predictions"}
        )

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes, the truth and the AI's votes."""
        survey = Survey()
        for path in paths:
            _check_layout(path)
            for record in items(path):
                self._look_into(record, path, survey)
        yield from _Reading(self, survey, account).parts(paths)

    def observation_of(self, task: Mapping[str, Any]) -> Any:
        """What a task has as id of the observation."""
        if self.observation is None:
            return task.get("id")
        data = task.get("data")
        return data.get(self.observation) if isinstance(data, dict) else None

    def _look_into(self, record: Record, path: Path, survey: Survey) -> None:
        task = _task_of(record, path)
        where = f"record {record.number:,} of {printable(str(path))}"
        observation = self.observation_of(task)
        if is_id(observation):
            survey.observations.setdefault(type(observation), where)
        for annotation in _annotations_of(task, record, path):
            user = _user_of(annotation)
            if user is not None:
                survey.users.setdefault(type(user), where)
            survey.add(annotation)
        for prediction in _predictions_of(task):
            survey.versions[_version_of(prediction)] += 1
            survey.add(prediction)


@dataclass(frozen=True)
class _Item:
    """An annotation or a prediction, on its way to a table."""

    table: str
    observation: Any
    given: Mapping[str, Any]
    task: Record
    path: Path

    def rejected(self, reason: str, label: str | None) -> Rejected:
        """The item as one that cannot be used."""
        observation = self.observation if is_id(self.observation) else None
        record = self.task._replace(value=self.given)
        return record.rejected(
            self.path, reason, table=self.table, observation_id=observation, user_id=_user_of(self.given), label=label
        )


class _Reading:
    """The rows of all files."""

    def __init__(self, options: LabelStudio, survey: Survey, account: Account) -> None:
        self.options, self.account = options, account
        if options.control is None and not survey.controls and survey.others:
            kinds = ", ".join(sorted(survey.others))
            raise VotesError(
                f"there is no control of choices or a taxonomy, but of {kinds}",
                remedy="votes are answers of such controls",
            )
        self.control = the_only("control", options.control, survey.controls, "answer")
        self.version = the_only("model version", options.model_version, survey.versions, "prediction")
        observation = id_type(survey.observations, "observations")
        self.users_are_integers = id_type(survey.users, "users") == pa.int64()
        user = pa.int64() if self.users_are_integers else pa.string()
        time, label = pa.timestamp("us", tz="UTC"), pa.string()
        self.votes = Rows("votes", observation_id=observation, user_id=user, label=label, voted_at=time)
        self.truth = Rows("truth", observation_id=observation, label=label)
        self.ai_votes = Rows("ai_votes", observation_id=observation, label=label, score=pa.float64())
        self.tables = (self.votes, self.truth, self.ai_votes)

    def parts(self, paths: Sequence[Path]) -> Iterator[Part]:
        """All tables, batch by batch."""
        for path in paths:
            for record in items(path):
                self._add_task(record, path)
                for rows in self.tables:
                    yield from rows.full()
        for rows in self.tables:
            yield from rows.rest()

    def _add_task(self, record: Record, path: Path) -> None:
        task = _task_of(record, path)
        observation = self.options.observation_of(task)
        annotations, predictions = _annotations_of(task, record, path), _predictions_of(task)
        if not annotations:
            has_key = "annotations" in task or "completions" in task
            self.account.note("tasks that nobody annotated" if has_key else "tasks without the key 'annotations'")
        for annotation in annotations:
            is_truth = annotation.get("ground_truth") is True
            if is_truth:
                self._add_truth(_Item("truth", observation, annotation, record, path))
            if not is_truth or self.options.ground_truth_votes:
                self._add_vote(_Item("votes", observation, annotation, record, path))
        wanted = [prediction for prediction in predictions if _version_of(prediction) == self.version]
        if predictions:
            self.account.read(len(predictions), table="ai_votes")
        self.account.leave_out("of another model version", len(predictions) - len(wanted), table="ai_votes")
        self.account.leave_out("before the latest of the task", max(len(wanted) - 1, 0), table="ai_votes")
        if wanted:
            latest = max(wanted, key=lambda prediction: str(prediction.get("created_at") or ""))
            self._add_ai_vote(_Item("ai_votes", observation, latest, record, path))

    def _add_vote(self, item: _Item) -> None:
        self.account.read()
        label = self._label_of(item)
        if label is None:
            return
        user = self._user_of(item.given)
        if user is None:
            self.account.reject(item.rejected("without a user", label))
            return
        time = item.given.get("updated_at") or item.given.get("created_at")
        voted_at = utc_time(time)
        if time is not None and voted_at is None:
            self.account.note("times that are not in ISO 8601, taken as missing")
        self.votes.add(item.observation, user, label, voted_at)

    def _add_truth(self, item: _Item) -> None:
        self.account.read(table="truth")
        label = self._label_of(item)
        if label is not None:
            self.truth.add(item.observation, label)

    def _add_ai_vote(self, item: _Item) -> None:
        label = self._label_of(item)
        if label is None:
            return
        regions = _regions_of(item.given, self.control)
        scores = [score for scored in (item.given, *regions) if (score := scored.get("score")) is not None]
        if not scores:
            self.account.reject(item.rejected("without a score", label))
        elif not is_share(scores[0]):
            self.account.reject(item.rejected("with a score that is no number in [0, 1]", label))
        else:
            self.ai_votes.add(item.observation, label, float(scores[0]))

    def _label_of(self, item: _Item) -> str | None:
        """The label of an annotation or a prediction; None if it is left out or rejected."""
        if item.given.get("was_cancelled") is True or item.given.get("skipped") is True:
            self.account.leave_out("cancelled", table=item.table)
            return None
        answer = _answer_of(_regions_of(item.given, self.control), self.options.level)
        absence = answer.absence
        if answer.label is not None and not answer.fault and not answer.label.strip() and item.table != "votes":
            absence = "with a blank answer"
        if absence:
            self.account.leave_out(absence, table=item.table)
            return None
        fault = answer.fault or ("" if is_id(item.observation) else NO_ID)
        if fault:
            self.account.reject(item.rejected(fault, answer.label))
            return None
        return answer.label

    def _user_of(self, annotation: Mapping[str, Any]) -> int | str | None:
        """The user of an annotation, or one of its own; None if it has neither."""
        user = _user_of(annotation)
        if user is not None:
            return user
        own = annotation.get("id")
        if self.options.without_user == "reject" or not is_id(own):
            return None
        if self.users_are_integers and not str(own).isdecimal():
            return None
        self.account.note("annotations that nobody completed, each with a user of its own")
        return -int(own) if self.users_are_integers else f"annotation:{own}"


def _check_layout(path: Path) -> None:
    """Raise VotesError if a file is no list."""
    fault = "is a folder"
    if not path.is_dir():
        try:
            if kind_of(path) == "list":
                return
            fault = "is a JSON object, not a list of tasks"
        except VotesError as error:
            if "empty" in error.what or "cannot be read" in error.what:
                raise
            fault = error.what
    raise wrong_layout(path, LabelStudio.name, fault, EXPORT)


def _task_of(record: Record, path: Path) -> Mapping[str, Any]:
    """A record that is a task. Raises VotesError if it is something else."""
    task = record.value
    where = printable(str(path))
    if not isinstance(task, dict):
        raise VotesError(f"record {record.number:,} is no task of Label Studio", where=where, remedy=EXPORT)
    has_votes = not task.keys().isdisjoint(("annotations", "completions"))
    if not has_votes and not task.keys().isdisjoint(("annotation_id", "annotator")):
        fault = f"record {record.number:,} is of a JSON-MIN export, which does not say what was cancelled"
        raise VotesError(fault, where=where, remedy=EXPORT)
    if not has_votes and task.keys().isdisjoint(("predictions", "total_annotations", "data")):
        fault = f"record {record.number:,} is no task of Label Studio, with 'data' and 'annotations'"
        raise wrong_layout(path, LabelStudio.name, fault, EXPORT)
    return task


def _annotations_of(task: Mapping[str, Any], record: Record, path: Path) -> Sequence[Mapping[str, Any]]:
    annotations = task.get("annotations", task.get("completions"))
    if annotations is None:
        return ()
    if not isinstance(annotations, list) or not all(isinstance(annotation, dict) for annotation in annotations):
        fault = f"the annotations of record {record.number:,} are ids, or no objects"
        raise VotesError(fault, where=printable(str(path)), remedy=EXPORT)
    return annotations


def _predictions_of(task: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    predictions = task.get("predictions")
    return [item for item in predictions if isinstance(item, dict)] if isinstance(predictions, list) else ()


def _version_of(prediction: Mapping[str, Any]) -> str:
    return str(prediction.get("model_version") or "")


def _regions_of(given: Mapping[str, Any], control: str | None) -> list[Mapping[str, Any]]:
    """The regions of a control in what an annotation or a prediction has as result, which may be null or partial."""
    result = given.get("result")
    if not isinstance(result, list):
        return []
    return [region for region in result if isinstance(region, dict) and region.get("from_name") == control]


def _controls_of(given: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The name and type of each control that a result answers."""
    result = given.get("result")
    return {
        (region["from_name"], region["type"])
        for region in (result if isinstance(result, list) else ())
        if isinstance(region, dict) and isinstance(region.get("from_name"), str) and isinstance(region.get("type"), str)
    }


def _answer_of(regions: Sequence[Mapping[str, Any]], level: str) -> Answer:
    """The one answer of a control in its regions."""
    if not regions:
        return Answer(None, absence="without an answer of the control")
    answers: dict[tuple[str, ...], None] = {}
    for region in regions:
        value = region.get("value")
        if not isinstance(value, dict):
            continue
        for kind in KINDS:
            listed = value.get(kind)
            for item in listed if isinstance(listed, list) else ():
                path = item if kind == "taxonomy" else [item]
                if not isinstance(path, list) or not path or not all(isinstance(name, str) for name in path):
                    return Answer(None, fault="with an answer that is no text")
                answers[tuple(path)] = None
    if not answers:
        return Answer(None, absence="with an empty answer")
    if len(answers) > 1:
        return Answer("; ".join(LEVELS.join(path) for path in answers), fault=SEVERAL)
    (path,) = answers
    return Answer(path[-1] if level == "last" else LEVELS.join(path))


def _user_of(annotation: Mapping[str, Any]) -> int | str | None:
    """Who completed an annotation; None if it says nothing."""
    user = annotation.get("completed_by")
    if isinstance(user, dict):
        user = user.get("id") if is_id(user.get("id")) else user.get("email")
    return user if is_id(user) else None
