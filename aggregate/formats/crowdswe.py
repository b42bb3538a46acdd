"""Pl@ntNet-CrowdSWE, the votes that Pl@ntNet published: both releases, as folders of JSON and text files.

The first release (https://zenodo.org/records/10782465) numbers its observations, as "tasks", and tells the authors in
the lines of a file. The second (https://zenodo.org/records/17913995) has the observations' own ids everywhere.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Flags, Floats, Indices, LabelCodes
from ..arrow import plain, strings, to_arrow, to_numpy
from ..errors import VotesError, quoted
from ..files.sources import printable
from ..parameters import parameter
from .base import Account, Part, Rejected
from .json_records import members
from .opening import opened
from .recognition import wrong_layout
from .rows import BATCH_ROWS, Rows

if TYPE_CHECKING:
    from .recognition import Sample

T = TypeVar("T")

PACKED = ("", ".gz", ".zst")
KEY = r"^(0|[1-9][0-9]{0,17})$"  # an observation's or task's number, as text
UNSEEN = (-1, "-1", None)  # the experts' class of an observation that none of them has seen
ID = pa.string()

FIRST, SECOND = "answers/answers.json", "votes/human_votes.json"
SYNONYMS = "aggregation/k-southwestern-europe.json"

TWICE = "of a user who is twice in an observation, where the last one counts"
NO_VOTES = "that is no object of users and classes"
NO_SCORE = "without a score"
NOT_IN_RANGE = "with a score that is not in [0, 1]"
LISTS_AT_ONCE = 1 << 12
NO_SCORES = "that is no object of classes and scores"


@dataclass(frozen=True)
class CrowdSwe:
    """A folder with a release of Pl@ntNet-CrowdSWE. Labels are the names of species as published, with authors."""

    name: ClassVar[str] = "crowdswe"

    score_lists: bool = parameter(
        False, "also write all scores of the AI, which the second release has in ai_scores_all.json", group="Format"
    )

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether a folder holds the votes of a release."""
        return any(f"{name}{ending}" in sample.entries for name in (FIRST, SECOND) for ending in PACKED)

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes, the experts' labels and the AI's votes of a release."""
        if len(paths) != 1:
            remedy = "name the folder that a release was unpacked into"
            raise VotesError(f"{len(paths)} paths where one folder is expected", remedy=remedy)
        folder = _Folder(paths[0], account)
        release = _second(folder) if _is_second(folder) else _first(folder)
        yield from _votes(release, account)
        if release.truth:
            yield from _truth(release, *release.truth, account)
        if release.ai:
            yield from _ai_votes(release, *release.ai, account)
        if self.score_lists and release.all_scores:
            yield from _score_lists(release, release.all_scores, account)


class _Folder:
    """The files of a release: in folders, as published, or all in one."""

    def __init__(self, path: Path, account: Account) -> None:
        self.path = path
        self._details = account.details

    def find(self, name: str) -> Path | None:
        """A file, packed or not; None if it is missing."""
        places = (self.path / f"{place}{ending}" for place in (name, Path(name).name) for ending in PACKED)
        return next((path for path in places if path.is_file()), None)

    def needed(self, name: str) -> Path:
        """A file without which the votes mean nothing."""
        found = self.find(name)
        if found is None:
            remedy = "add it; an answers.json alone is converted as peerannot"
            raise VotesError(f"has no {name}", where=printable(str(self.path)), remedy=remedy)
        return found

    def optional(self, name: str) -> Path | None:
        """A file that may be missing, which is recorded."""
        found = self.find(name)
        if found is None:
            self.record("missing", name)
        return found

    def record(self, detail: str, value: str) -> None:
        """Add to a detail of the conversion."""
        before = self._details.get(detail)
        self._details[detail] = f"{before}, {value}" if before else value


class _Classes(NamedTuple):
    """The species, in the order of a file."""

    file: Path
    names: pa.Array  # by code
    codes: dict[object, int]  # by the number of the class, and by that as text

    def code(self, number: object) -> int:
        """The code of a class, -1 if there is none."""
        return self.codes.get(number, -1) if type(number) is int or type(number) is str else -1

    @property
    def unknown(self) -> str:
        """Why a class without a name cannot be used."""
        return f"of a class that {self.file.name} does not have"


class _Observations:
    """The observations that a release lists, by the keys that other files have for them."""

    def __init__(
        self, file: Path | None, places: Callable[[pa.Array], Indices], n: int, ids: pa.Array | None, authors: pa.Array
    ) -> None:
        """``places``: keys -> places among ids and authors, -1 for unknown. Without ``ids`` the keys are ids."""
        self.file = file
        self._places = places
        self._ids = ids
        self._authors = authors
        self._has_votes = np.zeros(n, np.bool_)
        self._n_twice = 0

    def of(self, keys: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Ids and authors, null where unknown."""
        places = self._places(keys)
        return keys if self._ids is None else _taken(self._ids, places), _taken(self._authors, places)

    def with_votes(self, keys: pa.Array) -> None:
        """Remember which ones have votes."""
        places = self._places(keys)
        places = places[(places >= 0) & (places < self._has_votes.size)]
        distinct = np.unique(places)
        self._n_twice += places.size - int(np.count_nonzero(~self._has_votes[distinct]))
        self._has_votes[distinct] = True

    @property
    def unknown(self) -> str:
        """Why an observation without an id cannot be used."""
        return f"of a task that {self.file.name if self.file else 'nothing'} does not have"

    def tell(self, account: Account, votes: Path) -> None:
        """Note what was seen of all."""
        if self.file is not None:
            listed = self._has_votes if self._ids is None else self._has_votes[to_numpy(self._ids.is_valid())]
            account.note(f"observations in {self.file.name} without votes", int(np.count_nonzero(~listed)))
        account.note(f"observations twice in {votes.name}", self._n_twice)


class _Claim(NamedTuple):
    """What is said of an observation, as it stands in a file."""

    record: int  # from 1
    key: str  # of the observation
    number: object  # of the class
    user: str | None = None


class _Truth(NamedTuple):
    file: Path
    unit: str
    claims: Iterable[_Claim]


class _Ai(NamedTuple):
    answers: Path
    scores: Path
    classes: _Classes


class _Release(NamedTuple):
    votes: Path
    classes: _Classes
    observations: _Observations
    truth: _Truth | None
    ai: _Ai | None
    all_scores: Path | None


def _is_second(folder: _Folder) -> bool:
    first, second = folder.find(FIRST), folder.find(SECOND)
    if first and second:
        remedy = "name a folder with one of them"
        raise VotesError("holds both releases", where=printable(str(folder.path)), remedy=remedy)
    if not first and not second:
        fault = f"has neither {FIRST} nor {SECOND}" if folder.path.is_dir() else "is no folder"
        raise wrong_layout(folder.path, CrowdSwe.name, fault, "name the folder that a release was unpacked into")
    return second is not None


def _first(folder: _Folder) -> _Release:
    folder.record("release", "1")
    votes, classes = folder.needed(FIRST), _classes(folder.needed("converters/classes.json"))
    observations = _tasks(folder.needed("converters/tasks.json"), folder.optional("aggregation/authors.txt"))
    truth = folder.optional("answers/ground_truth.txt")
    answers = folder.optional("aggregation/ai_answers.json")
    scores = folder.optional("aggregation/ai_scores.json")
    ai_classes = folder.optional("aggregation/ai_classes.json")
    synonyms = folder.optional(SYNONYMS)
    if synonyms:
        folder.record("synonyms", printable(str(synonyms)))
    return _Release(
        votes,
        classes,
        observations,
        _Truth(truth, "line", _claims_of_lines(truth)) if truth else None,
        _Ai(answers, scores, _classes(ai_classes)) if answers and scores and ai_classes else None,
        None,
    )


def _second(folder: _Folder) -> _Release:
    folder.record("release", "2")
    votes, classes = folder.needed(SECOND), _unified_classes(folder)
    observations = _own_ids(folder.optional("converters/authors.json"))
    truth = folder.optional("votes/ground_truth.json")
    answers, scores = folder.optional("votes/ai_votes.json"), folder.optional("ai_scores/ai_scores.json")
    return _Release(
        votes,
        classes,
        observations,
        _Truth(truth, "record", _claims_of_members(truth)) if truth else None,
        _Ai(answers, scores, classes) if answers and scores else None,
        folder.find("ai_scores/ai_scores_all.json"),
    )


def _classes(path: Path, *, reverse: bool = False) -> _Classes:
    """The classes of a converter: species -> number, or number -> species."""
    names: dict[int, str] = {}
    for record in members(path):
        name, number = (record.value, _number(record.key)) if reverse else (record.key, _number(record.value))
        if number < 0 or not isinstance(name, str):
            fault = f"record {record.number:,} is no species with a number"
            raise VotesError(fault, where=printable(str(path)), remedy="check that it is a list of classes")
        if names.setdefault(number, name) != name:
            fault = f"class {number} is both {quoted(names[number])} and {quoted(name)}"
            raise VotesError(fault, where=printable(str(path)), remedy="leave one of them")
    codes: dict[object, int] = {}
    for code, number in enumerate(names):
        codes[number] = codes[str(number)] = code
    return _Classes(path, strings(names.values()), codes)


def _unified_classes(folder: _Folder) -> _Classes:
    """The classes of the second release, which has them both ways."""
    unified, reverse = (folder.find(f"converters/{which}unified_classes.json") for which in ("", "reverse_"))
    if unified is None:
        return _classes(reverse or folder.needed("converters/unified_classes.json"), reverse=reverse is not None)
    classes = _classes(unified)
    if reverse:
        other = _classes(reverse, reverse=True)
        if other.codes.keys() != classes.codes.keys() or any(
            classes.names[code] != other.names[other.codes[number]] for number, code in classes.codes.items()
        ):
            fault = f"{unified.name} and {reverse.name} do not tell the same classes"
            raise VotesError(fault, where=printable(str(unified.parent)), remedy="remove the wrong one")
    return classes


def _tasks(tasks: Path, authors: Path | None) -> _Observations:
    """Observations that have numbers, by these."""
    ids: list[pa.Array] = [pa.nulls(0, ID)]
    numbers: list[Indices] = [np.empty(0, np.int64)]
    for some in _batches(members(tasks)):
        numbers.append(np.array([_number(record.value) for record in some], np.int64))
        wrong = np.flatnonzero(numbers[-1] < 0)
        if wrong.size:
            fault = f"record {some[wrong[0]].number:,} is no observation with the number of a task"
            raise VotesError(fault, where=printable(str(tasks)), remedy="check that it is a list of tasks")
        ids.append(strings(record.key for record in some))
    places = _places_of(np.concatenate(numbers), tasks)
    of_lines = [strings(_author(line) for line in lines) for lines in _lines(authors)] if authors else []
    authors_of_tasks = plain(pa.chunked_array(of_lines, ID))
    ids_of_tasks = _taken(plain(pa.chunked_array(ids, ID)), places)
    return _Observations(tasks, _keys_as_numbers, places.size, ids_of_tasks, authors_of_tasks)


def _places_of(numbers: Indices, tasks: Path) -> Indices:
    """The place of each number from 0 to the largest, -1 for missing ones."""
    n = int(numbers.max(initial=-1)) + 1
    if n > 10 * numbers.size + 1000:
        fault = f"has {numbers.size:,} tasks with numbers up to {n - 1:,}"
        raise VotesError(fault, where=printable(str(tasks)), remedy="number the tasks from 0")
    twice = np.flatnonzero(np.bincount(numbers, minlength=n) > 1)
    if twice.size:
        fault = f"gives the number {twice[0]} to several observations"
        raise VotesError(fault, where=printable(str(tasks)), remedy="leave one of them")
    places = np.full(n, -1, np.int64)
    places[numbers] = np.arange(numbers.size)
    return places


def _own_ids(authors: Path | None) -> _Observations:
    """Observations whose ids are the keys; those of which the author is told."""
    keys: list[pa.Array] = [pa.nulls(0, ID)]
    users: list[pa.Array] = [pa.nulls(0, ID)]
    for some in _batches(members(authors) if authors else ()):
        keys.append(strings(record.key for record in some))
        users.append(strings(_author(record.value) for record in some))
    index = _Index(plain(pa.chunked_array(keys)))
    return _Observations(authors, index.places, len(index), None, plain(pa.chunked_array(users)))


def _author(user: object) -> str | None:
    """The id of an author, None if it is unknown."""
    return str(user) if type(user) in (int, str) and user not in ("", *UNSEEN) else None


def _claims_of_lines(path: Path) -> Iterator[_Claim]:
    """The claim about each task is a line."""
    lines = (line for some in _lines(path) for line in some)
    for task, line in enumerate(lines):
        yield _Claim(task + 1, str(task), line)


def _claims_of_members(path: Path) -> Iterator[_Claim]:
    for record in members(path):
        yield _Claim(record.number, record.key or "", record.value)


def _votes(release: _Release, account: Account) -> Iterator[Part]:
    claims: list[_Claim] = []
    observations: list[str] = []
    n_empty = 0

    def batch() -> Iterator[Part]:
        release.observations.with_votes(strings(observations))
        yield from _table_of_votes(release, claims, account)
        observations.clear()
        claims.clear()

    for record in members(release.votes):
        if not isinstance(record.value, dict):
            account.read()
            account.reject(record.rejected(release.votes, NO_VOTES, observation_id=record.key))
            continue
        key = record.key or ""
        account.read(len(record.repeated))
        account.leave_out(TWICE, len(record.repeated))
        n_empty += not record.value
        observations.append(key)
        claims += [_Claim(record.number, key, number, user) for user, number in record.value.items()]
        if len(claims) >= BATCH_ROWS:
            yield from batch()
    yield from batch()
    account.note(f"observations without votes in {release.votes.name}", n_empty)
    release.observations.tell(account, release.votes)


def _table_of_votes(release: _Release, claims: Sequence[_Claim], account: Account) -> Iterator[Part]:
    account.read(len(claims))
    users = strings(claim.user for claim in claims)
    ids, authors = release.observations.of(strings(claim.key for claim in claims))
    account.note("votes on observations whose author is unknown", authors.null_count)
    columns = {"user_id": users, "is_author": pc.equal(users, authors)}
    origin = _Origin("votes", release.votes, "record")
    yield from _usable(origin, claims, ids, release, release.classes, columns, account)


def _truth(release: _Release, path: Path, unit: str, claims: Iterable[_Claim], account: Account) -> Iterator[Part]:
    origin = _Origin("truth", path, unit)
    for some in _batches(claims):
        account.read(len(some), table="truth")
        seen = [claim for claim in some if claim.number not in UNSEEN]
        account.leave_out("that no expert has seen", len(some) - len(seen), table="truth")
        ids, _ = release.observations.of(strings(claim.key for claim in seen))
        yield from _usable(origin, seen, ids, release, release.classes, {}, account)


def _ai_votes(release: _Release, answers: Path, scores: Path, classes: _Classes, account: Account) -> Iterator[Part]:
    origin = _Origin("ai_votes", answers, "record")
    keys: list[pa.Array] = [pa.nulls(0, ID)]
    numbers: list[object] = []
    for some in _batches(members(answers)):
        keys.append(strings(record.key for record in some))
        numbers += [record.value for record in some]
    index = _Index(plain(pa.chunked_array(keys)))
    scored = _scores(scores, index, numbers, account)
    for start in range(0, len(numbers), BATCH_ROWS):
        some_keys = index.keys[start : start + BATCH_ROWS]
        some_numbers, some_scores = numbers[start : start + BATCH_ROWS], scored[start : start + BATCH_ROWS]
        account.read(len(some_keys), table="ai_votes")
        ids, _ = release.observations.of(some_keys)
        claims = [
            _Claim(record, key, number)
            for record, (key, number) in enumerate(zip(some_keys.to_pylist(), some_numbers, strict=True), start + 1)
        ]
        faults = {NO_SCORE: np.isnan(some_scores), NOT_IN_RANGE: (some_scores < 0) | (some_scores > 1)}
        columns = {"score": to_arrow(some_scores)}
        yield from _usable(origin, claims, ids, release, classes, columns, account, faults)


class _Origin(NamedTuple):
    table: str
    file: Path
    unit: str


def _usable(
    origin: _Origin,
    claims: Sequence[_Claim],
    ids: pa.Array,
    release: _Release,
    classes: _Classes,
    columns: Mapping[str, pa.Array],
    account: Account,
    further_faults: Mapping[str, Flags] | None = None,
) -> Iterator[Part]:
    """The claims without a fault as a batch; the others are rejected, for the first fault that they have."""
    codes = np.array([classes.code(claim.number) for claim in claims], np.int32)
    faults = {release.observations.unknown: to_numpy(ids.is_null()), classes.unknown: codes < 0}
    good = np.ones(len(claims), np.bool_)
    for reason, wrong in (faults | dict(further_faults or {})).items():
        for row in np.flatnonzero(wrong & good).tolist():
            record, key, number, user = claims[row]
            observation = ids[row].as_py() or key
            where = printable(str(origin.file))
            account.reject(Rejected(origin.table, where, origin.unit, record, reason, observation, user, str(number)))
        good &= ~wrong
    all_columns = {"observation_id": ids, "label": _taken(classes.names, codes), **columns}
    if good.any():
        batch = pa.record_batch(list(all_columns.values()), names=list(all_columns))
        yield origin.table, batch if good.all() else batch.filter(to_arrow(good))


def _scores(path: Path, index: "_Index", numbers: Sequence[object], account: Account) -> Floats:
    """The score of each of the AI's answers, NaN without one: a number, or that of its class in an object of many."""
    scores = np.full(len(index), np.nan)
    n_others = 0
    for some in _batches(members(path)):
        places = index.places(strings(record.key for record in some))
        for place, record in zip(places.tolist(), some, strict=True):
            value = record.value
            if place >= 0:
                value = value.get(str(numbers[place])) if isinstance(value, dict) else value
                scores[place] = value if type(value) in (int, float) else np.nan
        n_others += int(np.count_nonzero(places < 0))
    account.note(f"scores in {path.name} without a vote of the AI", n_others)
    return scores


def _score_lists(release: _Release, path: Path, account: Account) -> Iterator[Part]:
    rows = Rows("scores", observation_id=ID, labels=pa.list_(pa.string()), probabilities=pa.list_(pa.float64()))
    names = release.classes.names.to_pylist()
    for record in members(path):
        account.read(table="scores")
        if not isinstance(record.value, dict) or record.repeated:
            account.reject(record.rejected(path, NO_SCORES, table="scores", observation_id=record.key))
            continue
        codes = [release.classes.code(number) for number in record.value]
        probabilities = list(record.value.values())
        if -1 in codes:
            fault = release.classes.unknown
        elif not all(type(value) in (int, float) and 0 <= value <= 1 for value in probabilities):
            fault = NOT_IN_RANGE
        else:
            rows.add(record.key, [names[code] for code in codes], probabilities)
            if record.number % LISTS_AT_ONCE == 0:
                yield from rows.rest()
            continue
        account.reject(record.rejected(path, fault, table="scores", observation_id=record.key))
    yield from rows.rest()


class _Index:
    """Looks keys up among others. Takes 16 bytes for each of these beside the keys, if all are numbers."""

    def __init__(self, keys: pa.Array) -> None:
        self.keys = keys
        numbers = _keys_as_numbers(keys)
        self._by_text: dict[str, int] | None = None
        if (numbers < 0).any():
            self._by_text = {key: place for place, key in enumerate(keys.to_pylist())}
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]

    def __len__(self) -> int:
        return len(self.keys)

    def places(self, keys: pa.Array) -> Indices:
        """The place of each key, -1 for one that is not there."""
        if self._by_text is not None:
            return np.array([self._by_text.get(key, -1) for key in keys.to_pylist()], np.int64)
        if not len(self):
            return np.full(len(keys), -1, np.int64)
        wanted = _keys_as_numbers(keys)
        found = np.minimum(np.searchsorted(self._sorted, wanted), len(self) - 1)
        return np.where(self._sorted[found] == wanted, self._order[found], -1)


def _keys_as_numbers(keys: pa.Array) -> Indices:
    """Keys as integers, -1 for what is not written as one in the release."""
    are_numbers = pc.match_substring_regex(keys, KEY)
    numbers = to_numpy(keys.filter(are_numbers).cast(pa.int64()))
    if numbers.size == len(keys):
        return numbers
    all_numbers = np.full(len(keys), -1, np.int64)
    all_numbers[to_numpy(are_numbers)] = numbers
    return all_numbers


def _number(value: Any) -> int:
    """An integer, or a text that is one, if it is not negative; else -1."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else -1
    return value if type(value) is int and value >= 0 else -1


def _taken(values: pa.Array, places: Indices | LabelCodes) -> pa.Array:
    """The values in some places, null where there is none."""
    return values.take(to_arrow(places, null=(places < 0) | (places >= len(values))))


def _lines(path: Path) -> Iterator[list[str]]:
    """The lines of a text file without white space around them, some at a time."""
    with opened(path) as file:
        while lines := file.readlines(1 << 20):
            yield [line.strip().decode(errors="replace") for line in lines]


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, BATCH_ROWS)):
        yield some
