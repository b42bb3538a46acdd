"""Responses of the Pl@ntNet API, version 2: what it says of the pictures of one observation.

https://my.plantnet.org/doc/api/identify describes them. Whoever asked has added the id of the observation to each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import pyarrow as pa

from ..errors import VotesError, warn
from ..files.sources import printable
from ..parameters import check_parameters, parameter
from .base import Account, Part
from .binomials import is_binomial
from .json_ids import is_id
from .json_records import Record, items, kind_of, lines, outline
from .recognition import wrong_layout
from .rows import Rows
from .scores import is_share

if TYPE_CHECKING:
    from .recognition import Sample

NO_ID = "without an observation id"
NO_OBJECT = "without the form of a response of the API"
TWICE = "in which a key occurs twice"
NOT_IN_RANGE = "with a score that is not in [0, 1]"
NO_NAME = "whose best result has no such name or id"
ERROR = "with an error of the API instead of results"
NOTHING = "without results"
NO_SPECIES = "whose best result is no species"
FURTHER = "of an observation that has another response"
LABELS = {
    "name": ("species", "scientificNameWithoutAuthor"),
    "full-name": ("species", "scientificName"),
    "gbif": ("gbif", "id"),
    "powo": ("powo", "id"),
}
_option = partial(parameter, group="Format")


class _Result(NamedTuple):
    score: float
    label: str | None
    is_species: bool


@dataclass(frozen=True)
class PlantNetApi:
    """Responses of the Pl@ntNet API (v2): one in each line, a list of them, or a file or folder of single ones."""

    name: ClassVar[str] = "plantnet-api"

    observation: str = _option(
        "observation_id",
        "the member of a response that is the observation's id; a file with a single response without it is called so",
        metavar="FIELD",
    )
    label: str = _option(
        "name",
        "what a species is called: its name, without or with the author, or its id in GBIF or Plants of the World",
        choices=tuple(LABELS),
    )
    score_lists: bool = _option(False, "also write all results of each response; they do not add up to 1")

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether a file has results with scores and species."""
        return any(sample.has_paths(f"{at}results.item.score", f"{at}results.item.species") for at in ("", "item."))

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """The files, and the JSON files of folders."""
        return [file for path in paths for file in (_files_in(path) if path.is_dir() else [path])]

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The AI's votes, and score lists; see ``Format.read``."""
        text, number = pa.string(), pa.float64()
        votes = Rows("ai_votes", observation_id=text, label=text, score=number)
        lists = Rows("scores", observation_id=text, labels=pa.list_(text), probabilities=pa.list_(number))
        engines: dict[str, dict[str, None]] = {"version": {}, "project": {}}
        listed: set[str] = set()
        for path, record in _responses(paths):
            account.read(table="ai_votes")
            response = record.value if isinstance(record.value, dict) else {}
            given = response.get(self.observation, record.key)
            observation = str(given) if is_id(given) else None
            results = self._results(record, response, observation)
            if isinstance(results, str):
                if results in (ERROR, NOTHING):
                    account.leave_out(results, table="ai_votes")
                else:
                    account.reject(record.rejected(path, results, table="ai_votes", observation_id=observation))
                continue
            for key, value in (("version", response), ("project", response.get("query"))):
                found = value.get(key) if isinstance(value, dict) else None
                if isinstance(found, str):
                    engines[key][found] = None
            best = results[0]
            if best.label is None:
                account.reject(record.rejected(path, NO_NAME, table="ai_votes", observation_id=observation))
            elif not best.is_species:
                account.leave_out(NO_SPECIES, table="ai_votes")
            else:
                votes.add(observation, best.label, best.score)
                yield from votes.full()
            if self.score_lists and observation is not None:
                account.read(table="scores")
                if observation in listed:
                    account.leave_out(FURTHER, table="scores")
                    continue
                listed.add(observation)
                shares: dict[str, float] = {}
                for result in results:
                    if result.label is not None:
                        shares.setdefault(result.label, result.score)
                lists.add(observation, list(shares), list(shares.values()))
                yield from lists.full()
        yield from votes.rest()
        yield from lists.rest()
        for key, names in engines.items():
            account.details[key] = ", ".join(sorted(names)) or "unknown"
            if len(names) > 1:
                warn(f"responses are of {len(names)} {key}s ({', '.join(sorted(names))}), which know other species")

    def _results(self, record: Record, response: Mapping[str, Any], observation: str | None) -> list[_Result] | str:
        """The results, the best first, or the reason why there are none."""
        if record.fault:
            return record.fault
        if record.repeated:
            return TWICE
        if "statusCode" in response:
            return ERROR
        results = response.get("results")
        if not isinstance(results, list):
            return NO_OBJECT
        if not results:
            return NOTHING
        if observation is None:
            return NO_ID
        found = []
        for result in results:
            if not isinstance(result, dict) or not isinstance(result.get("species"), dict):
                return NO_OBJECT
            score = result.get("score")
            if not is_share(score):
                return NOT_IN_RANGE
            name = result["species"].get("scientificNameWithoutAuthor")
            found.append(_Result(float(score), self._label(result), isinstance(name, str) and is_binomial(name)))
        return sorted(found, key=lambda result: -result.score)

    def _label(self, result: Mapping[str, Any]) -> str | None:
        owner, key = LABELS[self.label]
        label = result[owner].get(key) if isinstance(result.get(owner), dict) else None
        return str(label).strip() if is_id(label) and str(label).strip() else None


def _responses(paths: Sequence[Path]) -> Iterator[tuple[Path, Record]]:
    """All responses; one that is alone in a file has its name as key."""
    for path in paths:
        if path.is_dir():
            files = _files_in(path)
            if not files:
                raise VotesError("has no JSON files", where=printable(str(path)), remedy="name a folder of responses")
        else:
            files = [path]
        for file in files:
            for record in _responses_in(file):
                yield file, record


def _files_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.name.lower().endswith((".json", ".json.gz")))


def _responses_in(path: Path) -> Iterator[Record]:
    try:
        kind = kind_of(path)
    except VotesError as error:
        raise wrong_layout(path, PlantNetApi.name, error.what, error.remedy) from error
    if kind == "lines":
        return lines(path)
    if kind == "list":
        return items(path)
    response = outline(path)
    if not {"results", "statusCode"} & response.keys():
        raise wrong_layout(path, PlantNetApi.name, "is no response of the API", "see that it is what the API returned")
    name = path.name.removesuffix(".gz")
    return iter([Record(1, name.removesuffix(".json"), response, [])])
