"""Pl@ntNet-CrowdSWE, the votes that Pl@ntNet published: both releases, as folders of JSON and text files.

The first release (https://zenodo.org/records/10782465) numbers its observations, as "tasks", and has the authors in
the lines of a file. The second (https://zenodo.org/records/17913995) has the observations' own ids everywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Floats
from ..arrow import plain, strings, to_arrow
from ..errors import VotesError
from ..files.sources import printable
from ..parameters import parameter
from .base import Account, Part
from .json_records import columns_of_members, members
from .numbered_votes import (
    ID,
    Claim,
    Claims,
    ClaimsOfKeys,
    Index,
    ListedNames,
    Observations,
    author_id,
    claims_of_lines,
    numbered_observations,
    read_names,
    truth_of,
    votes_of,
)
from .opening import PACKED, find_file
from .recognition import wrong_layout
from .rows import BATCH_ROWS, Rows
from .scores import is_share

if TYPE_CHECKING:
    from .recognition import Sample

FIRST, SECOND = "answers/answers.json", "votes/human_votes.json"
ALL_SCORES = "ai_scores/ai_scores_all.json"
SYNONYMS = "aggregation/k-southwestern-europe.json"
READ = (
    FIRST,
    "answers/ground_truth.txt",
    "converters/tasks.json",
    "converters/classes.json",
    "aggregation/authors.txt",
    "aggregation/ai_answers.json",
    "aggregation/ai_scores.json",
    "aggregation/ai_classes.json",
    SECOND,
    "votes/ground_truth.json",
    "votes/ai_votes.json",
    "ai_scores/ai_scores.json",
    "converters/authors.json",
    "converters/unified_classes.json",
    "converters/reverse_unified_classes.json",
)
"""All files of both releases, except what ``score_lists`` reads."""
LISTS_AT_ONCE = 1 << 12

NO_SCORE = "without a score"
NOT_IN_RANGE = "with a score that is not in [0, 1]"
NO_SCORES = "without an object of classes and scores"


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

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """The files of a release that are read."""
        names = [*READ, *([ALL_SCORES] if self.score_lists else [])]
        found = (find_file(folder, name, Path(name).name) for folder in paths for name in names)
        return [path for path in found if path is not None]

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes, the experts' labels and the AI's votes of a release."""
        if len(paths) != 1:
            remedy = "name the folder that a release was unpacked into"
            raise VotesError(f"{len(paths)} paths where one folder is expected", remedy=remedy)
        folder = _Folder(paths[0], account)
        release = _second(folder) if _is_second(folder) else _first(folder)
        yield from votes_of(release.votes, release.observations, release.classes, account)
        if release.truth:
            yield from truth_of(*release.truth, release.observations, release.classes, account)
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
        return find_file(self.path, name, Path(name).name)

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


class _Truth(NamedTuple):
    file: Path
    unit: str
    claims: ClaimsOfKeys


class _Ai(NamedTuple):
    answers: Path
    scores: Path
    classes: ListedNames


class _Release(NamedTuple):
    votes: Path
    classes: ListedNames
    observations: Observations
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
    votes, classes = folder.needed(FIRST), read_names(folder.needed("converters/classes.json"))
    observations = numbered_observations(
        folder.needed("converters/tasks.json"), folder.optional("aggregation/authors.txt")
    )
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
        _Truth(truth, "line", claims_of_lines(truth)) if truth else None,
        _Ai(answers, scores, read_names(ai_classes)) if answers and scores and ai_classes else None,
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
        folder.find(ALL_SCORES),
    )


def _unified_classes(folder: _Folder) -> ListedNames:
    """The classes of the second release, which has them both ways."""
    unified, reverse = (folder.find(f"converters/{which}unified_classes.json") for which in ("", "reverse_"))
    if unified is None:
        return read_names(reverse or folder.needed("converters/unified_classes.json"), reverse=reverse is not None)
    classes = read_names(unified)
    if reverse:
        other = read_names(reverse, reverse=True)
        if other.codes.keys() != classes.codes.keys() or any(
            classes.names[code] != other.names[other.codes[number]] for number, code in classes.codes.items()
        ):
            fault = f"{unified.name} and {reverse.name} do not have the same classes"
            raise VotesError(fault, where=printable(str(unified.parent)), remedy="remove the wrong one")
    return classes


def _own_ids(authors: Path | None) -> Observations:
    """Observations whose ids are the keys; some of them with an author."""
    keys: list[pa.Array] = [pa.nulls(0, ID)]
    users: list[pa.Array] = [pa.nulls(0, ID)]
    for some_keys, values in columns_of_members(authors) if authors else ():
        keys.append(strings(some_keys))
        users.append(strings(author_id(value) for value in values))
    index = Index(plain(pa.chunked_array(keys)))
    known = plain(pa.chunked_array(users))
    return Observations(index.places, len(index), authors=known, listed_in=authors)


def _ai_votes(release: _Release, ai: _Ai, account: Account) -> Iterator[Part]:
    keys: list[pa.Array] = [pa.nulls(0, ID)]
    numbers: list[object] = []
    for some_keys, values in columns_of_members(ai.answers):
        keys.append(strings(some_keys))
        numbers += values
    index = Index(plain(pa.chunked_array(keys)))
    scores = _scores(ai.scores, index, numbers, account)
    for start in range(0, len(numbers), BATCH_ROWS):
        rows = slice(start, start + BATCH_ROWS)
        account.read(len(numbers[rows]), table="ai_votes")
        ids, _ = release.observations.of(index.keys[rows])
        faults = release.observations.faults(ids) | {
            NO_SCORE: np.isnan(scores[rows]),
            NOT_IN_RANGE: (scores[rows] < 0) | (scores[rows] > 1),
        }

        def claim(row: int, start: int = start) -> Claim:
            return start + row + 1, index.keys[start + row].as_py(), None

        claims = Claims("ai_votes", ai.answers, "record", claim)
        columns = {"score": to_arrow(scores[rows])}
        yield from claims.usable(ids, numbers[rows], ai.classes, columns, faults, account)


def _scores(path: Path, index: Index, numbers: Sequence[object], account: Account) -> Floats:
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
        elif not all(map(is_share, probabilities)):
            fault = NOT_IN_RANGE
        else:
            rows.add(record.key, [names[code] for code in codes], probabilities)
            if record.number % LISTS_AT_ONCE == 0:
                yield from rows.rest()
            continue
        account.reject(record.rejected(path, fault, table="scores", observation_id=record.key))
    yield from rows.rest()
