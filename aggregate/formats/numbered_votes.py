"""Votes as JSON objects of observations, their users, and the numbers of classes, with files of what the numbers mean.

So do peerannot and Pl@ntNet-CrowdSWE write them: ``{observation: {user: class}}``. Observations may have numbers, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Flags, Indices, LabelCodes
from ..arrow import plain, strings, to_arrow, to_numpy
from ..errors import VotesError, quoted
from ..files.sources import printable
from .base import Account, Part, Rejected
from .json_records import columns_of_members, members
from .opening import opened
from .rows import BATCH_ROWS

KEY = r"^(0|[1-9][0-9]{0,17})$"  # a number as text, as it is written in keys
UNKNOWN = (-1, "-1", None)  # an author, or the class of an observation that no expert has seen
AI = "AI"  # the key of peerannot for the AI among the users
ID = pa.string()

TWICE = "of a user who is twice in an observation, where the last one counts"
OF_AI = "of the AI, which have no score"
NO_VOTES = "without an object of users and classes"

ClaimsOfKeys: TypeAlias = Iterator[tuple[Sequence[str], Sequence[object]]]
"""Keys of observations, and a number of a class for each."""

Claim: TypeAlias = tuple[int, str, str | None]
"""Where a claim about an observation stands: the record, from 1, the key of the observation, and the user."""


class Names(Protocol):
    """What the numbers of classes mean."""

    @property
    def names(self) -> pa.Array:
        """Name of each code."""

    @property
    def unknown(self) -> str:
        """Why a class without a name cannot be used."""

    def codes_of(self, numbers: Sequence[object]) -> LabelCodes:
        """The codes of classes, -1 where there is none."""


class ListedNames(NamedTuple):
    """Names that a file lists."""

    unknown: str
    names: pa.Array
    codes: Mapping[object, int]  # by the number, and by the number as text

    def codes_of(self, numbers: Sequence[object]) -> LabelCodes:
        """See Names."""
        code = self.codes.get
        return np.array([code(n, -1) if type(n) is int or type(n) is str else -1 for n in numbers], np.int32)


def listed_names(names: Mapping[int, str], unknown: str) -> ListedNames:
    """The names of numbers."""
    codes: dict[object, int] = {}
    for code, number in enumerate(names):
        codes[number] = codes[str(number)] = code
    return ListedNames(unknown, strings(names.values()), codes)


def read_names(path: Path, what: str = "class", *, reverse: bool = False) -> ListedNames:
    """The names in a converter: name -> number, or number -> name. Raises VotesError if a number has two."""
    names: dict[int, str] = {}
    for record in members(path):
        name, number = (record.value, _number(record.key)) if reverse else (record.key, _number(record.value))
        if number < 0 or not isinstance(name, str):
            fault = f"record {record.number:,} is no {what} with a number"
            raise VotesError(fault, where=printable(str(path)), remedy="check that it is this kind of file")
        if names.setdefault(number, name) != name:
            fault = f"{what} {number} is both {quoted(names[number])} and {quoted(name)}"
            raise VotesError(fault, where=printable(str(path)), remedy="leave one of them")
    return listed_names(names, f"of a {what} that {path.name} does not have")


class Observations:
    """Observations, and what is known of them, by the keys that the votes have for them."""

    def __init__(
        self,
        places: Callable[[pa.Array], Indices],
        n: int,
        *,
        authors: pa.Array,
        ids: pa.Array | None = None,
        listed_in: Path | None = None,
    ) -> None:
        """Args: see below.

        places: keys -> places of observations among ids and authors, -1 for unknown ones.
        n: places that there are.
        authors: null for unknown ones; may be shorter.
        ids: null for places that are none; without them the keys are the ids.
        listed_in: the file that lists them, for what is noted.
        """
        self._places = places
        self._ids = ids
        self._authors = authors
        self._listed_in = listed_in
        self._has_votes = np.zeros(n, np.bool_)
        self._n_twice = 0

    def of(self, keys: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Ids and authors, null where unknown."""
        places = self._places(keys)
        return keys if self._ids is None else taken(self._ids, places), taken(self._authors, places)

    def faults(self, ids: pa.Array) -> dict[str, Flags]:
        """Which of the observations with these ids have none, by the reason."""
        if self._listed_in is None or self._ids is None:
            return {}
        return {f"of a task that {self._listed_in.name} does not have": to_numpy(ids.is_null())}

    def with_votes(self, keys: pa.Array) -> None:
        """Remember that these have votes."""
        places = self._places(keys)
        places = places[(places >= 0) & (places < self._has_votes.size)]
        distinct = np.unique(places)
        self._n_twice += places.size - int(np.count_nonzero(~self._has_votes[distinct]))
        self._has_votes[distinct] = True

    def note_in(self, account: Account, votes: Path) -> None:
        """Note what was seen of all."""
        if self._listed_in is not None:
            listed = self._has_votes if self._ids is None else self._has_votes[to_numpy(self._ids.is_valid())]
            account.note(f"observations in {self._listed_in.name} without votes", int(np.count_nonzero(~listed)))
        account.note(f"observations twice in {votes.name}", self._n_twice)


def numbered_observations(tasks: Path | None, authors: Path | None, users: ListedNames | None = None) -> Observations:
    """Observations that have numbers: ``tasks`` has id -> number, ``authors`` the author of each number in a line.

    Without ``tasks`` the numbers are the ids. ``users`` has the ids of users that have numbers, too.
    """
    ids, n = (None, 0) if tasks is None else _ids_of_tasks(tasks)
    lines = [_authors(some, users) for some in lines_of(authors)] if authors else []
    of_tasks = plain(pa.chunked_array(lines, ID))
    return Observations(keys_as_numbers, n or len(of_tasks), authors=of_tasks, ids=ids, listed_in=tasks)


def _authors(lines: Sequence[str], users: ListedNames | None) -> pa.Array:
    return strings(map(author_id, lines)) if users is None else taken(users.names, users.codes_of(lines))


def author_id(user: object) -> str | None:
    """The id of an author, None if it is unknown."""
    return str(user) if type(user) in (int, str) and user not in ("", *UNKNOWN) else None


def _ids_of_tasks(path: Path) -> tuple[pa.Array, int]:
    """The id of each number, null for those that are none, and how many numbers there are."""
    ids: list[pa.Array] = [pa.nulls(0, ID)]
    numbers: list[Indices] = [np.empty(0, np.int64)]
    n_before = 0
    for keys, values in columns_of_members(path):
        numbers.append(np.array([_number(value) for value in values], np.int64))
        ids.append(strings(keys))
        wrong = np.flatnonzero(numbers[-1] < 0)
        if wrong.size:
            fault = f"record {n_before + int(wrong[0]) + 1:,} is no observation with the number of a task"
            raise VotesError(fault, where=printable(str(path)), remedy="check that it is a list of tasks")
        n_before += len(keys)
    places = _places_of(np.concatenate(numbers), path)
    return taken(plain(pa.chunked_array(ids, ID)), places), places.size


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


def votes_of(
    path: Path, observations: Observations, classes: Names, account: Account, users: ListedNames | None = None
) -> Iterator[Part]:
    """The votes in a file ``{observation: {user: class}}``. ``users`` has the ids of users that have numbers."""
    keys: list[str] = []  # of observations
    records: list[int] = []
    counts: list[int] = []  # of votes
    voters: list[str] = []
    numbers: list[object] = []
    n_empty = 0

    def batch() -> Iterator[Part]:
        account.read(len(voters))
        of_keys, ids_of_voters = strings(keys), strings(voters)
        observations.with_votes(of_keys)
        rows = np.repeat(np.arange(len(keys)), counts)
        ids, authors = (values.take(to_arrow(rows)) for values in observations.of(of_keys))
        account.note("votes on observations whose author is unknown", authors.null_count)
        faults = observations.faults(ids)
        if users is not None:
            ids_of_voters = taken(users.names, users.codes_of(voters))
            faults[users.unknown] = to_numpy(ids_of_voters.is_null())
        claims = Claims("votes", path, "record", lambda row: (records[rows[row]], keys[rows[row]], voters[row]))
        columns = {"user_id": ids_of_voters, "is_author": pc.equal(ids_of_voters, authors)}
        yield from claims.usable(ids, numbers, classes, columns, faults, account)
        for column in (keys, records, counts, voters, numbers):
            column.clear()

    for record in members(path):
        if not isinstance(record.value, dict):
            account.read()
            account.reject(record.rejected(path, NO_VOTES, observation_id=record.key))
            continue
        if record.repeated:
            account.read(len(record.repeated))
            account.leave_out(TWICE, len(record.repeated))
        if AI in record.value:
            del record.value[AI]
            account.read()
            account.leave_out(OF_AI)
        n_empty += not record.value
        keys.append(record.key or "")
        records.append(record.number)
        counts.append(len(record.value))
        voters += record.value
        numbers += record.value.values()
        if len(voters) >= BATCH_ROWS:
            yield from batch()
    yield from batch()
    account.note(f"observations without votes in {path.name}", n_empty)
    observations.note_in(account, path)


def truth_of(
    path: Path, unit: str, claims: ClaimsOfKeys, observations: Observations, classes: Names, account: Account
) -> Iterator[Part]:
    """The experts' labels that a file claims, in records that are called ``unit``."""
    n_before = 0
    for keys, numbers in claims:
        account.read(len(keys), table="truth")
        seen = [row for row, number in enumerate(numbers) if number not in UNKNOWN]
        account.leave_out("that no expert has seen", len(keys) - len(seen), table="truth")
        seen_keys = [keys[row] for row in seen]
        ids, _ = observations.of(strings(seen_keys))

        def claim(row: int, n: int = n_before, seen: list[int] = seen, keys: list[str] = seen_keys) -> Claim:
            return n + seen[row] + 1, keys[row], None

        of_seen = [numbers[row] for row in seen]
        where = Claims("truth", path, unit, claim)
        yield from where.usable(ids, of_seen, classes, {}, observations.faults(ids), account)
        n_before += len(keys)


def claims_of_lines(path: Path) -> ClaimsOfKeys:
    """Each line is about the observation of its number, from 0."""
    n_before = 0
    for lines in lines_of(path):
        yield [str(task) for task in range(n_before, n_before + len(lines))], lines
        n_before += len(lines)


class Claims(NamedTuple):
    """What a file says of observations, a row for each."""

    table: str
    file: Path
    unit: str
    claim: Callable[[int], Claim]  # of a row

    def usable(
        self,
        ids: pa.Array,
        numbers: Sequence[object],
        classes: Names,
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
            all_columns = {"observation_id": ids, "label": taken(classes.names, codes), **columns}
            batch = pa.record_batch(list(all_columns.values()), names=list(all_columns))
            yield self.table, batch if good.all() else batch.filter(to_arrow(good))


class Index:
    """Looks keys up among others. Takes 16 bytes for each of these beside the keys, if all are numbers."""

    def __init__(self, keys: pa.Array) -> None:
        self.keys = keys
        numbers = keys_as_numbers(keys)
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
        wanted = keys_as_numbers(keys)
        found = np.minimum(np.searchsorted(self._sorted, wanted), len(self) - 1)
        return np.where(self._sorted[found] == wanted, self._order[found], -1)


def keys_as_numbers(keys: pa.Array) -> Indices:
    """Keys as integers, -1 for what is not written as they are."""
    are_numbers = pc.match_substring_regex(keys, KEY)
    numbers = to_numpy(keys.filter(are_numbers).cast(pa.int64()))
    if numbers.size == len(keys):
        return numbers
    all_numbers = np.full(len(keys), -1, np.int64)
    all_numbers[to_numpy(are_numbers)] = numbers
    return all_numbers


def taken(values: pa.Array, places: Indices | LabelCodes) -> pa.Array:
    """The values in some places, null where there is none."""
    return values.take(to_arrow(places, null=(places < 0) | (places >= len(values))))


def lines_of(path: Path) -> Iterator[list[str]]:
    """The lines of a text file without white space around them, some at a time."""
    with opened(path) as file:
        while lines := file.readlines(1 << 20):
            yield [line.strip().decode(errors="replace") for line in lines]


def _number(value: Any) -> int:
    """An integer, or a text that is one, if it is not negative; else -1."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else -1
    return value if type(value) is int and value >= 0 else -1
