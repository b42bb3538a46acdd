"""iNaturalist: observations with their identifications, as its API answers (JSON).

https://api.inaturalist.org/v1/docs: pages of observations, or of identifications, each with its taxon.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeGuard

import pyarrow as pa

from ..errors import VotesError
from ..files.sources import printable
from ..parameters import check_parameters, parameter
from .base import Account, Part
from .json_ids import LARGEST
from .json_records import Record, items, kind_of, lines, outline
from .recognition import Sample, wrong_layout
from .rows import Rows
from .times import utc_time

ANCESTOR = re.compile(r"\d{1,18}", re.ASCII)  # the id of one
SPECIES = 10  # level of the rank, as iNaturalist numbers them: a subspecies has 5, a genus 20
LEVELS = {"species": SPECIES, "hybrid": SPECIES, "subspecies": 5, "variety": 5, "form": 5, "infrahybrid": 5}
"""Levels of ranks up to species, where a taxon has the name of its rank alone; all others are above."""
ABOVE = 100

OF_CSV = {"quality_grade", "species_guess", "iconic_taxon_name", "captive_cultivated", "num_identification_agreements"}
"""Columns of the CSV export, of which users choose some."""
FETCH = "fetch the observations from https://api.inaturalist.org/v1/observations"

_option = partial(parameter, group="Format")


@dataclass(frozen=True)
class INaturalist:
    """Identifications of observations, as the API of iNaturalist answers (JSON)."""

    name: ClassVar[str] = "inaturalist"

    coarse: str = _option(
        "apart",
        "identifications above species, such as of a genus: in coarse_votes.parquet, among the votes, or left out",
        choices=("apart", "keep", "drop"),
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a file has observations with identifications, or is an export of observations as CSV."""
        ends = ("identifications", "own_observation")
        return _is_csv_export(sample) or any(
            sample.has_paths(f"{begin}{end}")
            for begin in ("", "item.", "results.item.", "item.results.item.")
            for end in ends
        )

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes, those of coarser taxa, and the taxa."""
        reading = _Reading(self.coarse, account)
        for path in paths:
            for record, value in _records(path, account):
                reading.add(path, record, value)
                yield from reading.full()
        yield from reading.rest()


@dataclass
class Taxon:
    """What the files say of a taxon."""

    name: str | None = None
    rank: str | None = None
    level: float | None = None  # of the rank
    parent: int | None = None
    species: int | None = None  # that it is, or belongs to


@dataclass
class Taxa:
    """The taxa that occur in the files, by id: what one place lacks may be in another."""

    known: dict[int, Taxon] = field(default_factory=dict)

    def add(self, given: object) -> None:
        """Take in what a taxon of the API has: its ancestors, too."""
        if not isinstance(given, dict) or not _is_id(given.get("id")):
            return
        taxon = self._of(given["id"])
        taxon.name = taxon.name or _text(given.get("name"))
        taxon.rank = taxon.rank or _text(given.get("rank"))
        if taxon.level is None:
            taxon.level = _level(given)
        if taxon.species is None and _is_id(given.get("min_species_taxon_id")):
            taxon.species = given["min_species_taxon_id"]
        self._add_lineage([*(each for each in _ancestors(given) if each != given["id"]), given["id"]])
        if _is_id(given.get("parent_id")):
            taxon.parent = given["parent_id"]
            self._of(taxon.parent)
        ancestors = given.get("ancestors")
        for ancestor in ancestors if isinstance(ancestors, list) else ():
            self.add(ancestor)

    def level_of(self, taxon_id: int) -> float | None:
        """The level of a taxon's rank; None if unknown."""
        return self.known[taxon_id].level if taxon_id in self.known else None

    def species_of(self, taxon_id: int) -> int | None:
        """The species that a taxon below species belongs to; None if unknown."""
        taxon = self.known.get(taxon_id)
        if taxon is not None and taxon.species is not None and self.level_of(taxon.species) in (SPECIES, None):
            return taxon.species
        seen = set()
        while taxon is not None and taxon.parent is not None and taxon.parent not in seen:
            seen.add(taxon.parent)
            level = self.level_of(taxon.parent)
            if level == SPECIES:
                return taxon.parent
            if level is not None and level > SPECIES:
                return None
            taxon = self.known.get(taxon.parent)
        return None

    def rows(self) -> Iterator[Part]:
        """The taxonomy."""
        rows = Rows("taxonomy", label=pa.int64(), parent=pa.int64(), rank=pa.string(), name=pa.string())
        for taxon_id, taxon in sorted(self.known.items()):
            rows.add(taxon_id, taxon.parent, taxon.rank, taxon.name)
            yield from rows.full()
        yield from rows.rest()

    def _of(self, taxon_id: int) -> Taxon:
        return self.known.setdefault(taxon_id, Taxon())

    def _add_lineage(self, lineage: Sequence[int]) -> None:
        for place, taxon_id in enumerate(lineage):
            taxon = self._of(taxon_id)
            if place and taxon.parent is None:
                taxon.parent = lineage[place - 1]


class Identification(NamedTuple):
    """A user's opinion of an observation that counts, as the API has it."""

    observation: int
    user: int
    taxon: int
    given: Mapping[str, Any]
    is_author: bool | None


class _Reading:
    """Identifications become rows as soon as the rank and the name of what they name are known."""

    def __init__(self, coarse: str, account: Account) -> None:
        self._coarse, self._account = coarse, account
        self._taxa = Taxa()
        self._ids: set[int] = set()  # of identifications
        self._n_bare = 0  # observations without the key for them
        self._waiting: list[Identification] = []  # for what the files say later of their taxa
        self._rows = {name: _rows_of(name) for name in ("votes", "coarse_votes")}

    def add(self, path: Path, record: Record, value: Mapping[str, Any]) -> None:
        """Read an observation, or an identification with its observation."""
        observation = value.get("observation")
        if isinstance(observation, dict):
            self._taxa.add(observation.get("taxon"))
            self._add(path, record, value, observation)
            return
        identifications = value.get("identifications")
        if not isinstance(identifications, list):
            self._n_bare += 1
            return
        for taxon in (value.get("taxon"), value.get("community_taxon")):
            self._taxa.add(taxon)
        for given in identifications:
            self._add(path, record, given, value)

    def full(self) -> Iterator[Part]:
        """Batches that are full."""
        for rows in self._rows.values():
            yield from rows.full()

    def rest(self) -> Iterator[Part]:
        """What is left, and the taxa."""
        for found in self._waiting:
            self._use(found)
            yield from self.full()
        for rows in self._rows.values():
            yield from rows.rest()
        if self._n_bare and not self._account.n_read["votes"]:
            raise VotesError(f"none of {self._n_bare:,} observations has identifications", remedy=FETCH)
        self._account.note("observations without the key 'identifications'", self._n_bare)
        self._account.read(len(self._taxa.known), table="taxonomy")
        yield from self._taxa.rows()

    def _add(self, path: Path, record: Record, given: object, observation: Mapping[str, Any]) -> None:
        """Count an identification, and use it if it counts and its taxon is known well enough."""
        self._account.read()
        if not isinstance(given, dict):
            self._account.reject(record.rejected(path, "that are no objects"))
            return
        for taxon in (given.get("taxon"), given.get("previous_observation_taxon")):
            self._taxa.add(taxon)
        user = given.get("user")
        ids: tuple[Any, Any, Any] = (
            observation.get("id"),
            user.get("id") if isinstance(user, dict) else None,
            _taxon_of(given),
        )
        reason, fault = self._unused(given, *ids)
        if reason:
            self._account.leave_out(reason)
        elif fault:
            known = record._replace(value=given)
            self._account.reject(known.rejected(path, fault, observation_id=ids[0], user_id=ids[1], label=ids[2]))
        else:
            found = Identification(*ids, _trimmed(given), _is_author(given, observation))
            if self._is_known(found.taxon):
                self._use(found)
            else:
                self._waiting.append(found)

    def _unused(self, given: Mapping[str, Any], observation: object, user: object, taxon: object) -> tuple[str, str]:
        """Why an identification is left out, or else why it cannot be used; both empty if it is used."""
        if given.get("current") is False:
            return "that their users have withdrawn or replaced", ""
        if given.get("hidden") is True:
            return "that moderators have hidden", ""
        if given.get("spam") is True:
            return "marked as spam", ""
        if given.get("current") is not True:
            return "", "that do not say whether they are current"
        for value, what in ((observation, "an observation"), (user, "a user"), (taxon, "a taxon")):
            if not _is_id(value):
                return "", f"without the id of {what}"
        own = given.get("id")
        if _is_id(own):
            if own in self._ids:
                return "that are in the files before", ""
            self._ids.add(own)
        return "", ""

    def _is_known(self, taxon: int) -> bool:
        """Whether nothing that the files may say later changes the row of an identification as this taxon."""
        level = self._taxa.level_of(taxon)
        label = self._taxa.species_of(taxon) if level is not None and level < SPECIES else taxon
        return level is not None and label in self._taxa.known and self._taxa.known[label].name is not None

    def _use(self, found: Identification) -> None:
        level, label, table = self._taxa.level_of(found.taxon), found.taxon, "votes"
        if level is None:
            self._account.note("identifications as a taxon whose rank is not in the files, taken as above species")
        elif level < SPECIES:
            species = self._taxa.species_of(found.taxon)
            label = found.taxon if species is None else species
            how = (
                "the votes have that taxon, as its species is not in the files"
                if species is None
                else "the votes have its species"
            )
            self._account.note(f"identifications as a taxon below species: {how}")
        if level is None or level > SPECIES:
            if self._coarse == "drop":
                self._account.leave_out("as a taxon above species")
                return
            if self._coarse == "apart":
                self._account.leave_out("as a taxon above species, which are coarse votes")
                self._account.read(table="coarse_votes")
                table = "coarse_votes"
        taxon, given = self._taxa.known.get(label, Taxon()), found.given
        time = utc_time(given["created_at"])
        if time is None:
            self._account.note("identifications without a time")
        self._rows[table].add(
            found.observation,
            found.user,
            label,
            found.is_author,
            time,
            taxon.name,
            taxon.rank,
            found.taxon,
            given["id"],
            given["category"],
            given["disagreement"],
            given["vision"],
        )


def _rows_of(table: str) -> Rows:
    return Rows(
        table,
        observation_id=pa.int64(),
        user_id=pa.int64(),
        label=pa.int64(),
        is_author=pa.bool_(),
        voted_at=pa.timestamp("us", tz="UTC"),
        name=pa.string(),  # of the label
        rank=pa.string(),
        taxon_id=pa.int64(),  # as identified
        identification_id=pa.int64(),
        category=pa.string(),
        disagreement=pa.bool_(),
        vision=pa.bool_(),
    )


def _trimmed(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a row has of an identification."""
    own = given.get("id")
    return {
        "created_at": given.get("created_at"),
        "id": own if _is_id(own) else None,
        "category": _text(given.get("category")),
        **{name: _flag(given.get(name)) for name in ("disagreement", "vision")},
    }


def _records(path: Path, account: Account) -> Iterator[tuple[Record, Mapping[str, Any]]]:
    """The observations, or identifications, of a file of one of the layouts."""
    for record in _values(path):
        if record.fault:
            account.read()
            account.reject(record.rejected(path, record.fault))
            continue
        page = record.value.get("results") if isinstance(record.value, dict) else None
        for value in page if isinstance(page, list) else [record.value]:
            if not isinstance(value, dict) or value.keys().isdisjoint(
                ("identifications", "observation", "quality_grade")
            ):
                fault = f"{record.unit} {record.number:,} is no observation or identification of iNaturalist"
                raise wrong_layout(path, INaturalist.name, fault, FETCH)
            yield record, value


def _values(path: Path) -> Iterator[Record]:
    """Observations, identifications, or pages of these."""
    if path.is_dir():
        raise VotesError("is a folder", where=printable(str(path)), remedy="name the files in it")
    sample = Sample.of(path)
    if _is_csv_export(sample):
        fault = "is an export of observations as CSV, which has no identifications, so no votes"
        raise VotesError(fault, where=printable(str(path)), remedy=FETCH)
    try:
        kind = kind_of(path)
    except VotesError as error:
        raise (
            error if sample.paths or not sample.text else wrong_layout(path, INaturalist.name, error.what, FETCH)
        ) from error
    if kind == "lines":
        return lines(path)
    if kind == "list":
        return items(path)
    if sample.has_paths("results"):
        return items(path, "results")
    return iter([Record(1, None, outline(path), [])])


def _is_csv_export(sample: Sample) -> bool:
    return len(OF_CSV & set(sample.columns)) > 1 and "id" in sample.columns


def _ancestors(given: Mapping[str, Any]) -> list[int]:
    """The ids of a taxon's ancestors from the root on; the taxon itself may be the last of them."""
    listed = given.get("ancestor_ids")
    if not isinstance(listed, list):
        listed = [int(text) for text in str(given.get("ancestry") or "").split("/") if ANCESTOR.fullmatch(text)]
    return [each for each in listed if _is_id(each)]


def _level(given: Mapping[str, Any]) -> float | None:
    level, rank = given.get("rank_level"), given.get("rank")
    if isinstance(level, int | float) and not isinstance(level, bool):
        return level
    return LEVELS.get(rank, ABOVE) if isinstance(rank, str) and rank else None


def _taxon_of(given: Mapping[str, Any]) -> Any:
    taxon = given.get("taxon")
    return given["taxon_id"] if "taxon_id" in given else taxon.get("id") if isinstance(taxon, dict) else None


def _is_author(given: Mapping[str, Any], observation: Mapping[str, Any]) -> bool | None:
    own, observer = _flag(given.get("own_observation")), observation.get("user")
    if own is None and isinstance(observer, dict) and _is_id(observer.get("id")):
        return bool(observer["id"] == given["user"]["id"])
    return own


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    """Text that is not empty; half of a surrogate pair is a question mark, as fast backends of ijson make of it."""
    return value.encode(errors="replace").decode() if isinstance(value, str) and value else None


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST
