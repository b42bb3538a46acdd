"""Cleans labels: each distinct one once, whatever the order they come in."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arrow import dictionary_of, strings, to_arrow, to_numpy
from ..errors import VotesError
from ..files.locations import redacted
from .checklists import NOT_LISTED, Checklist
from .files import listed, pairs
from .parsers import Parser, find_parser
from .rules import ABOVE, BELOW, CULTIVAR, Name, Refused, read_name
from .settings import NameSettings
from .spelling import tidy
from .synonyms import Synonyms, is_free_text

if TYPE_CHECKING:
    import pyarrow as pa

    from ..arrays import LabelCodes

SYNONYM = "synonym"


class Decision(NamedTuple):
    """What a label counts as, and why."""

    label: str | None  # None if it is refused
    rules: tuple[str, ...] = ()  # those that changed it
    reason: str = ""  # why it is refused; or why the synonyms did not decide


class _Draft(NamedTuple):
    """A label between the rules and the lists."""

    label: str
    name: Name | None  # None for a text that is compared as it stands
    rules: tuple[str, ...] = ()
    is_stated: bool = False  # in a list, as it stands
    homonym: str = ""  # why the synonyms do not decide


class _Recoded(NamedTuple):
    """Distinct labels, and what they count as."""

    names: "pa.Array"
    keeps: bool  # whether those that are refused stay
    cleaned: "pa.Array"  # distinct
    codes: "LabelCodes"  # int32[n]; the position of each among these


class NameCleaner:
    """Cleans labels as settings say.

    Raises VotesError if a file cannot be used, and ParameterError if a parser is not installed.
    """

    def __init__(self, settings: NameSettings) -> None:
        self.settings = settings
        self.parser: Parser | None = None if settings.parser is None else find_parser(settings.parser)
        self.votes: Counter[str] = Counter()  # label as it stands -> rows of votes with it
        self.ai_votes: Counter[str] = Counter()
        self._decided: dict[str, Decision] = {}
        self._last: _Recoded | None = None  # of the last batch
        self._synonyms = Synonyms()
        self._checklist: Checklist | None = None
        if settings.synonyms is not None:
            origin = redacted(os.fspath(settings.synonyms))
            self._synonyms = Synonyms(pairs(settings.synonyms), origin=origin, are_names=settings.names)
        if settings.checklist is not None:
            self._checklist = self._read_checklist(settings.checklist)

    @classmethod
    def recorded(cls, labels: Mapping[str, str | None]) -> "NameCleaner":
        """What does again what was done before: ``labels`` has those that were not left as they stand."""
        cleaner = cls(NameSettings())
        cleaner._decided.update((verbatim, Decision(label)) for verbatim, label in labels.items())
        return cleaner

    def decide(self, labels: Iterable[str]) -> list[Decision]:
        """What each label counts as, and why."""
        labels = list(labels)
        new = [label for label in dict.fromkeys(labels) if label not in self._decided]
        self._decided.update(zip(new, self._decide(new), strict=True))
        return [self._decided[label] for label in labels]

    def clean(
        self, labels: "pa.Array", counts: "Counter[str] | None" = None, *, keep_refused: bool = False
    ) -> "pa.Array":
        """Strings, or a dictionary of them, cleaned, in an array of the same type; the rows of each are counted.

        Those that are refused are null, or with ``keep_refused`` as they were. Raises VotesError for integers.
        """
        import pyarrow as pa

        is_dictionary = pa.types.is_dictionary(labels.type)
        check_texts(labels.type.value_type if is_dictionary else labels.type)
        coded = labels if is_dictionary else labels.dictionary_encode()
        codes = to_numpy(coded.indices.cast(pa.int64()), null=-1)
        if counts is not None:
            times = np.bincount(codes + 1, minlength=1)[1:]
            seen = np.flatnonzero(times)
            counts.update(
                dict(zip(coded.dictionary.take(to_arrow(seen)).to_pylist(), times[seen].tolist(), strict=True))
            )
        names, code_of = self._recoded(coded.dictionary, keep_refused)
        cleaned = dictionary_of(np.append(code_of, np.int32(-1))[codes], names)
        return cleaned if is_dictionary else cleaned.dictionary_decode()

    def _recoded(self, names: "pa.Array", keep_refused: bool) -> "tuple[pa.Array, LabelCodes]":
        """The cleaned labels of distinct ones, and the position among them of each, int32[n], -1 for none."""
        if self._last is None or self._last.keeps != keep_refused or not names.equals(self._last.names):
            texts = names.to_pylist()
            there = [text for text in texts if text is not None]
            cleaned: dict[str | None, str | None] = {
                text: text if decision.label is None and keep_refused else decision.label
                for text, decision in zip(there, self.decide(there), strict=True)
            }
            found = dict.fromkeys(label for label in cleaned.values() if label is not None)
            place: dict[str | None, int] = {label: number for number, label in enumerate(found)}
            codes = np.array([place.get(cleaned.get(text), -1) for text in texts], np.int32)
            self._last = _Recoded(names, keep_refused, strings(found).cast(names.type), codes)
        return self._last.cleaned, self._last.codes

    def _decide(self, labels: list[str]) -> list[Decision]:
        drafts = [self._draft(label) for label in labels]
        faults: Mapping[str, str] = {}
        if self.parser is not None:
            names = (draft.name for draft in drafts if isinstance(draft, _Draft) and not draft.is_stated)
            faults = self.parser.check([name for name in names if name is not None])
        return [
            draft if isinstance(draft, Decision) else self._decision(label, draft, faults)
            for label, draft in zip(labels, drafts, strict=True)
        ]

    def _draft(self, label: str) -> _Draft | Decision:
        """What a label is by the rules, if no list has it as it stands."""
        if not label.strip():
            return Decision(label)  # which is no opinion anyway
        text, spelled = tidy(label)
        stated = self._synonyms.of_text(text)
        if stated is not None:
            rules = spelled if stated.label == text else (SYNONYM,)
            return _Draft(stated.label, self._name(stated.label), rules, True, stated.homonym)
        reading = read_name(label) if self.settings.names else None
        name = reading if isinstance(reading, Name) else None
        if is_free_text(name) and self._checklist is not None and self._checklist.has_text(text):
            return _Draft(text, None, spelled, is_stated=True)
        if isinstance(reading, Refused):
            return Decision(None, reason=reading.reason)
        return _Draft(label, None) if name is None else _Draft(name.label, name._replace(rules=()), name.rules)

    def _decision(self, verbatim: str, draft: _Draft, faults: Mapping[str, str]) -> Decision:
        """What a label counts as by the parser and the lists."""
        if not draft.is_stated and draft.label in faults:
            return Decision(None, reason=faults[draft.label])
        draft = self._accepted(draft)
        if self.settings.to_species and draft.name is not None and draft.name.rank in (BELOW, CULTIVAR):
            if draft.name.species is None:
                return Decision(None, reason="a cultivar of no species")
            species = _Draft(draft.name.species, self._name(draft.name.species), (*draft.rules, "to species"))
            draft = self._accepted(species)
        label, name = draft.label, draft.name
        if not label:
            return Decision(None, reason="no opinion, by the synonyms")
        is_above = name is not None and name.rank == ABOVE and not is_free_text(name)
        if is_above and not self.settings.higher_taxa:
            return Decision(None, reason=ABOVE)
        if self._checklist is not None:
            found = self._checklist.spelling_of(label, name)
            if found is None:
                return Decision(None, reason=NOT_LISTED)
            draft = draft._replace(label=found, rules=draft.rules if found == label else (*draft.rules, "checklist"))
        return Decision(draft.label, () if draft.label == verbatim else draft.rules, draft.homonym)

    def _accepted(self, draft: _Draft) -> _Draft:
        """A label with its accepted name."""
        found = None if draft.name is None else self._synonyms.of_name(draft.name)
        if found is None or (found.label == draft.label and not found.homonym):
            return draft
        if found.homonym:
            return draft._replace(label=found.label, homonym=found.homonym)
        return _Draft(found.label, self._name(found.label), (*draft.rules, SYNONYM))

    def _name(self, label: str) -> Name | None:
        """A label of a list as a name."""
        reading = read_name(label) if self.settings.names and label else None
        return reading if isinstance(reading, Name) else None

    def _read_checklist(self, path: str | os.PathLike[str]) -> Checklist:
        """A checklist, with its names cleaned as labels are."""
        drafts = []
        for line in listed(path):
            text = tidy(line)[0]
            name = self._name(text)
            if text:
                draft = _Draft(text if name is None or is_free_text(name) else name.label, name)
                drafts.append(self._accepted(draft))
        if not drafts:
            raise VotesError("lists no name", where=redacted(os.fspath(path)), remedy="leave out --checklist")
        return Checklist((draft.label, draft.name) for draft in drafts)


def check_texts(kind: "pa.DataType", where: str | None = None) -> None:
    """Raise VotesError for labels that are no texts; ``where`` names their file."""
    import pyarrow as pa

    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        remedy = "leave out --names, --synonyms and --checklist, or write names as labels"
        raise VotesError(
            f"column 'label' has type {kind}: numbers are not cleaned as names", where=where, remedy=remedy
        )
