"""What classifiers say of camera trap pictures: classes of seven fields, one for each box, become one answer a picture.

The classes are those of SpeciesNet, ``UUID;class;order;family;genus;epithet;common name``
(https://github.com/google/cameratrapai), which MegaDetector's layout has as descriptions of categories.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from ..parameters import parameter
from .base import Account, Part
from .json_records import Record
from .observation_files import UNKNOWN_FILE, FileObservations
from .rows import Rows
from .scores import is_share

HUMAN = "990ae9dd-7a59-4344-afcb-1b7b21368000"
NO_RESULT = "no cv result"
RANKS = ("class", "order", "family", "genus")

OF_PEOPLE = "of people"
OF_NOTHING = "naming nothing: blank, vehicle, animal or no result"
FAILED = "of pictures that could not be read or classified"
UNCLASSIFIED = "without a classified animal"
ABOVE_SPECIES = "of a taxon above species"
MIXED = "with a species beside a taxon above species, or with several of these"
UNSCORED = "rolled up, geofenced or by the detector, so without a score of the species"
SEVERAL = "with more than one species"
MALFORMED = "of a class that has not seven fields"
TWICE = "in which a key occurs twice"
NOT_IN_RANGE = "with a score that is not in [0, 1]"
NO_SCORES = "without scores of all classes"
AMBIGUOUS_SCORES = "with several boxes, and no species that their scores would be of"
FURTHER = "of a further picture of the observation"
WRONG_SCORES = "with scores that are no probabilities of as many classes"


def unscored_parameter() -> Any:
    """The option to keep answers that are no AI votes."""
    return parameter(
        False, "also write answers above species, or without a score of the species, with a null score", group="Format"
    )


class Taxon(NamedTuple):
    """What a class names."""

    kind: Literal["species", "higher", "nothing", "human"]
    label: str
    rank: str


def taxon_of(text: object) -> Taxon | None:
    """What a class of seven fields names; None if it has not seven.

    >>> taxon_of("3a6b;mammalia;carnivora;felidae;felis;silvestris lybica;african wildcat")
    Taxon(kind='species', label='Felis silvestris lybica', rank='species')
    >>> taxon_of("9c56;mammalia;carnivora;felidae;;;cat family")
    Taxon(kind='higher', label='Felidae', rank='family')
    >>> taxon_of("e289;;;;;;vehicle").kind
    'nothing'
    """
    fields = [field.strip() for field in text.split(";")] if isinstance(text, str) else []
    if len(fields) != 7:
        return None
    *higher, epithet, common = fields[1:]
    genus = higher[-1]
    if fields[0] == HUMAN:
        return Taxon("human", "Homo sapiens", "species")
    if NO_RESULT in higher or not any(higher):
        return Taxon("nothing", common, "")
    if genus and epithet:
        return Taxon("species", f"{_capital(genus)} {epithet}", "species")
    rank, name = next((rank, name) for rank, name in zip(reversed(RANKS), reversed(higher), strict=True) if name)
    return Taxon("higher", _capital(name), rank)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


class Box(NamedTuple):
    """What is said of a box, or of the whole picture."""

    taxon: Taxon | None  # None for a class that has not seven fields
    score: object  # None if it is no score of the class alone
    source: str
    labels: Sequence[str | None] = ()  # of the classifier, before anything is made of them; None for what is none
    scores: Sequence[object] = ()  # theirs


class Answer(NamedTuple):
    """What is said of a picture."""

    taxon: Taxon
    box: Box


def answer_of(boxes: Sequence[Box]) -> Answer | str:
    """One answer of all boxes, or the reason why there is none.

    Boxes that name nothing, or people, do not count beside others.
    """
    if not boxes:
        return UNCLASSIFIED
    if any(box.taxon is None for box in boxes):
        return MALFORMED
    named = [(box.taxon, box) for box in boxes if box.taxon is not None and box.taxon.kind in ("species", "higher")]
    if not named:
        return OF_PEOPLE if any(box.taxon is not None and box.taxon.kind == "human" for box in boxes) else OF_NOTHING
    taxa = {taxon for taxon, _ in named}
    if sum(taxon.kind == "species" for taxon in taxa) > 1:
        return SEVERAL
    if len(taxa) > 1:
        return MIXED
    if any(box.score is not None and not is_share(box.score) for _, box in named):
        return NOT_IN_RANGE
    return Answer(*max(named, key=lambda pair: pair[1].score if is_share(pair[1].score) else -1.0))


REJECTED = (SEVERAL, MALFORMED, NOT_IN_RANGE, TWICE, UNKNOWN_FILE)


class Pictures:
    """The rows of what is said of pictures: AI votes, and score lists if they are asked for."""

    def __init__(self, files: FileObservations, account: Account, *, unscored: bool, score_lists: bool) -> None:
        self._files = files
        self._account = account
        self._unscored = unscored
        self._score_lists = score_lists
        text, number = pa.string(), pa.float64()
        self._votes = Rows("ai_votes", observation_id=text, label=text, score=number, rank=text, source=text, file=text)
        lists = pa.list_(text), pa.list_(number)
        self._lists = Rows("scores", observation_id=text, labels=lists[0], probabilities=lists[1])
        self._has_list: set[str] = set()

    def add(self, path: Path, record: Record, file: object, boxes: Sequence[Box], fault: str = "") -> Iterator[Part]:
        """What is said of a picture; ``fault``: the reason why nothing is."""
        observation = self._files.of(file) if isinstance(file, str) else None
        fault = TWICE if record.repeated else fault
        answer = fault or (UNKNOWN_FILE if observation is None else answer_of(boxes))
        self._account.read(table="ai_votes")
        self._vote(path, record, file, observation, answer)
        yield from self._votes.full()
        if self._score_lists:
            self._account.read(table="scores")
            self._list(path, record, file, observation, boxes, answer)
            yield from self._lists.full()

    def rest(self) -> Iterator[Part]:
        """The rows that are left."""
        yield from self._votes.rest()
        yield from self._lists.rest()

    def _vote(self, path: Path, record: Record, file: object, observation: str | None, answer: Answer | str) -> None:
        if isinstance(answer, str):
            if answer in REJECTED:
                rejected = record.rejected(path, answer, table="ai_votes", observation_id=observation or file)
                self._account.reject(rejected)
            else:
                self._account.leave_out(answer, table="ai_votes")
            return
        taxon, box = answer
        score = float(box.score) if taxon.kind == "species" and is_share(box.score) else None
        if score is None and not self._unscored:
            self._account.leave_out(UNSCORED if taxon.kind == "species" else ABOVE_SPECIES, table="ai_votes")
            return
        self._votes.add(observation, taxon.label, score, taxon.rank, box.source, file)

    def _list(
        self,
        path: Path,
        record: Record,
        file: object,
        observation: str | None,
        boxes: Sequence[Box],
        answer: Answer | str,
    ) -> None:
        scored = [box for box in boxes if box.labels]
        if isinstance(answer, Answer) and answer.box.labels:
            scored = [answer.box]
        if observation is None or answer in (FAILED, TWICE):
            reason = UNKNOWN_FILE if observation is None else str(answer)
        elif not scored:
            reason = NO_SCORES
        elif len(scored) > 1:
            reason = AMBIGUOUS_SCORES
        elif observation in self._has_list:
            reason = FURTHER
        else:
            probabilities = _probabilities(scored[0])
            if probabilities is None:
                wrong = record.rejected(path, WRONG_SCORES, table="scores", observation_id=observation)
                self._account.reject(wrong)
                return
            self._has_list.add(observation)
            self._lists.add(observation, list(probabilities), list(probabilities.values()))
            return
        self._account.leave_out(reason, table="scores")


def _probabilities(box: Box) -> dict[str, float] | None:
    """Label -> probability, that of classes with the same label added; None if they are none."""
    found: dict[str, float] = {}
    if len(box.labels) != len(box.scores):
        return None
    for label, score in zip(box.labels, box.scores, strict=True):
        if label is None or not is_share(score):
            return None
        found[label] = found.get(label, 0.0) + score
    return found


def listed(value: Any) -> Iterable[Any]:
    """The items of a list of JSON; none if it is no list."""
    return value if isinstance(value, list) else ()
