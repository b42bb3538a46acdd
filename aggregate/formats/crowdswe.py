"""Pl@ntNet-CrowdSWE, the votes that Pl@ntNet published: both releases, as folders of JSON and text files.

The first release (https://zenodo.org/records/10782465) numbers its observations, as "tasks", and tells the authors in
the lines of a file. The second (https://zenodo.org/records/17913995) has the observations' own ids everywhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Flags, Floats, Indices, LabelCodes
from ..arrow import plain, strings, to_arrow, to_numpy
from ..errors import VotesError, quoted
from ..files.sources import printable
from ..parameters import parameter
from .base import Account, Part, Rejected
from .json_records import columns_of_members, members
from .opening import opened
from .recognition import wrong_layout
from .rows import BATCH_ROWS, Rows

if TYPE_CHECKING:
    from .recognition import Sample

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
            yield from _truth(release, release.truth, account)
        if release.ai:
            yield from _ai_votes(release, release.ai, account)
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

    def codes_of(self, numbers: Sequence[object]) -> LabelCodes:
        """The codes of classes, -1 where there is none."""
        code = self.codes.get
        return np.array([code(n, -1) if type(n) is int or type(n) is str else -1 for n in numbers], np.int32)

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

    def faults(self, ids: pa.Array) -> dict[str, Flags]:
        """Which observations have no id."""
        return {f"of a task that {self.file.name} does not have": to_numpy(ids.is_null())} if self.file else {}

    def tell(self, account: Account, votes: Path) -> None:
        """Note what was seen of all."""
        if self.file is not None:
            listed = self._has_votes if self._ids is None else self._has_votes[to_numpy(self._ids.is_valid())]
            account.note(f"observations in {self.file.name} without votes", int(np.count_nonzero(~listed)))
        account.note(f"observations twice in {votes.name}", self._n_twice)


class _Truth(NamedTuple):
    file: Path
    unit: str
    claims: Iterator[tuple[Sequence[str], Sequence[object]]]  # keys of observations and numbers of classes


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
        _Truth(truth, "record", columns_of_members(truth)) if truth else None,
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
    n_before = 0
    for keys, values in columns_of_members(tasks):
        numbers.append(np.array([_number(value) for value in values], np.int64))
        ids.append(strings(keys))
        wrong = np.flatnonzero(numbers[-1] < 0)
        if wrong.size:
            fault = f"record {n_before + int(wrong[0]) + 1:,} is no observation with the number of a task"
            raise VotesError(fault, where=printable(str(tasks)), remedy="check that it is a list of tasks")
        n_before += len(keys)
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
    for some_keys, values in columns_of_members(authors) if authors else ():
        keys.append(strings(some_keys))
        users.append(strings(_author(value) for value in values))
    index = _Index(plain(pa.chunked_array(keys)))
    return _Observations(authors, index.places, len(index), None, plain(pa.chunked_array(users)))


def _author(user: object) -> str | None:
    """The id of an author, None if it is unknown."""
    return str(user) if type(user) in (int, str) and user not in ("", *UNSEEN) else None


def _claims_of_lines(path: Path) -> Iterator[tuple[Sequence[str], Sequence[object]]]:
    """Each line is about a task."""
    n_before = 0
    for lines in _lines(path):
        yield [str(task) for task in range(n_before, n_before + len(lines))], lines
        n_before += len(lines)


def _votes(release: _Release, account: Account) -> Iterator[Part]:
    keys: list[str] = []  # of observations
    records: list[int] = []
    counts: list[int] = []  # of votes
    users: list[str] = []
    numbers: list[object] = []
    n_empty = 0

    def batch() -> Iterator[Part]:
        account.read(len(users))
        of_keys, voters = strings(keys), strings(users)
        release.observations.with_votes(of_keys)
        rows = np.repeat(np.arange(len(keys)), counts)
        ids, authors = (values.take(to_arrow(rows)) for values in release.observations.of(of_keys))
        account.note("votes on observations whose author is unknown", authors.null_count)
        claims = _Claims(
            "votes", release.votes, "record", lambda row: (records[rows[row]], keys[rows[row]], users[row])
        )
        columns = {"user_id": voters, "is_author": pc.equal(voters, authors)}
        yield from claims.usable(ids, numbers, release.classes, columns, release.observations.faults(ids), account)
        for column in (keys, records, counts, users, numbers):
            column.clear()

    for record in members(release.votes):
        if not isinstance(record.value, dict):
            account.read()
            account.reject(record.rejected(release.votes, NO_VOTES, observation_id=record.key))
            continue
        if record.repeated:
            account.read(len(record.repeated))
            account.leave_out(TWICE, len(record.repeated))
        n_empty += not record.value
        keys.append(record.key or "")
        records.append(record.number)
        counts.append(len(record.value))
        users += record.value
        numbers += record.value.values()
        if len(users) >= BATCH_ROWS:
            yield from batch()
    yield from batch()
    account.note(f"observations without votes in {release.votes.name}", n_empty)
    release.observations.tell(account, release.votes)


def _truth(release: _Release, truth: _Truth, account: Account) -> Iterator[Part]:
    n_before = 0
    for keys, numbers in truth.claims:
        account.read(len(keys), table="truth")
        seen = [row for row, number in enumerate(numbers) if number not in UNSEEN]
        account.leave_out("that no expert has seen", len(keys) - len(seen), table="truth")
        seen_keys = [keys[row] for row in seen]
        ids, _ = release.observations.of(strings(seen_keys))

        def claim(row: int, n: int = n_before, seen: list[int] = seen, keys: list[str] = seen_keys) -> _Claim:
            return n + seen[row] + 1, keys[row], None

        claims = _Claims("truth", truth.file, truth.unit, claim)
        faults = release.observations.faults(ids)
        yield from claims.usable(ids, [numbers[row] for row in seen], release.classes, {}, faults, account)
        n_before += len(keys)


def _ai_votes(release: _Release, ai: _Ai, account: Account) -> Iterator[Part]:
    keys: list[pa.Array] = [pa.nulls(0, ID)]
    numbers: list[object] = []
    for some_keys, values in columns_of_members(ai.answers):
        keys.append(strings(some_keys))
        numbers += values
    index = _Index(plain(pa.chunked_array(keys)))
    scores = _scores(ai.scores, index, numbers, account)
    for start in range(0, len(numbers), BATCH_ROWS):
        rows = slice(start, start + BATCH_ROWS)
        account.read(len(numbers[rows]), table="ai_votes")
        ids, _ = release.observations.of(index.keys[rows])
        faults = release.observations.faults(ids) | {
            NO_SCORE: np.isnan(scores[rows]),
            NOT_IN_RANGE: (scores[rows] < 0) | (scores[rows] > 1),
        }

        def claim(row: int, start: int = start) -> _Claim:
            return start + row + 1, index.keys[start + row].as_py(), None

        claims = _Claims("ai_votes", ai.answers, "record", claim)
        columns = {"score": to_arrow(scores[rows])}
        yield from claims.usable(ids, numbers[rows], ai.classes, columns, faults, account)


_Claim: TypeAlias = tuple[int, str, str | None]
"""Record, key of the observation, and user, of what is said of an observation."""


class _Claims(NamedTuple):
    """What a file says of observations, a row for each."""

    table: str
    file: Path
    unit: str
    claim: Callable[[int], _Claim]  # of a row

    def usable(
        self,
        ids: pa.Array,
        numbers: Sequence[object],
        classes: _Classes,
        columns: Mapping[str, pa.Array],
        faults: Mapping[str, Flags],
        account: Account,
    ) -> Iterator[Part]:
        """The rows without a fault as a batch; the others are rejected, for the first fault that they have."""
        codes = classes.codes_of(numbers)
        good = np.ones(len(ids), np.bool_)
        for reason, wrong in (*faults.items(), (classes.unknown, codes < 0)):
            for row in np.flatnonzero(wrong & good).tolist():
                record, key, user = self.claim(row)
                where, observation, label = printable(str(self.file)), ids[row].as_py() or key, str(numbers[row])
                rejected = Rejected(self.table, where, self.unit, record, reason, observation, user, label)
                account.reject(rejected)
            good &= ~wrong
        if good.any():
            all_columns = {"observation_id": ids, "label": _taken(classes.names, codes), **columns}
            batch = pa.record_batch(list(all_columns.values()), names=list(all_columns))
            yield self.table, batch if good.all() else batch.filter(to_arrow(good))


def _scores(path: Path, index: "_Index", numbers: Sequence[object], account: Account) -> Floats:
    """The score of each of the AI's answers, NaN without one: a number, or that of its class in an object of many."""
    scores = np.full(len(index), np.nan)
    n_others = 0
    for keys, values in columns_of_members(path):
        places = index.places(strings(keys))
        for place, value in zip(places.tolist(), values, strict=True):
            if place >= 0:
                score = value.get(str(numbers[place])) if isinstance(value, dict) else value
                scores[place] = score if type(score) is float or type(score) is int else np.nan
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
        codes = release.classes.codes_of(list(record.value)).tolist()
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
