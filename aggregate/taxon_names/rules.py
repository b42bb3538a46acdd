"""Reads a label as a scientific name by stated rules, or says why it is none.

Every label is read by itself, so the result does not depend on the others. A name that is clean stays what it is.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from .authorship import is_authorship
from .spelling import tidy
from .vocabulary import (
    AGGREGATES,
    ALSO_AUTHORS,
    AUTHORS_IN_FULL,
    CULTIVAR_GROUPS,
    INFRAGENERIC,
    MARKERS,
    NO_EPITHET,
    PLACEHOLDERS,
    SEVERAL,
    SIGNS,
    UNCERTAIN,
    UNKNOWN_SPECIES,
)

SPECIES, BELOW, CULTIVAR, AGGREGATE, FORMULA, ABOVE = (
    "species",
    "below species",
    "cultivar",
    "aggregate",
    "hybrid formula",
    "above species",
)
"""Ranks, as far as they matter here. An aggregate is a name with `agg.` or `s.l.`"""


class Name(NamedTuple):
    """A label that was read as a name."""

    label: str  # the name as it is to be written, without authors
    rank: str
    species: str | None = None  # the species that it is, or is part of; None if it names none
    authorship: str = ""
    rules: tuple[str, ...] = ()  # those that changed the label
    parents: tuple[str, ...] = ()  # the names in a hybrid formula


class Refused(NamedTuple):
    """A label that names no species for certain."""

    reason: str


Reading = Name | Refused

CLEAN = re.compile(r"[A-Z][a-z]+ [a-z]{2,}(?:-[a-z]+)*")

QUOTED = r"""(?<!\S)(?:'[^']+'|"[^"]+")(?![^\s,])"""
WORDS = re.compile(QUOTED + r"|\S+")
SIGN_ATTACHED = re.compile(r"(?<=\S)×|×(?=\S)")
MARKER_ATTACHED = re.compile(
    r"(?<![\w.])(nothosubsp|subsp|ssp|nothovar|var|subvar|convar|forma|cv|cf|aff|sect|subg|ser|sp|agg)\.(?=[\w×])", re.I
)
FORM_ATTACHED = re.compile(r"(?<=\s)f\.(?=[a-z]{3})")
AGGREGATE_NOTE, IN_WIDE_SENSE, IN_STRICT_SENSE = "agg.", "s.l.", "s.str."
WIDE = r"s\.\s?l(?:at)?\.?|s\.\s?lat(?:o|iss)?\.?|sens(?:u|\.) lat(?:o|iss\w*|\.)?"
STRICT = r"s\.\s?s(?:tr)?\.?|s\.\s?str(?:icto)?\.?|sens(?:u|\.) str(?:icto|\.)?"
NOTES = [
    (re.compile(rf"\s[(\[]?(?:{words})[)\]]?(?=\s|$)"), note)
    for words, note in (
        (WIDE, IN_WIDE_SENSE),
        (STRICT, IN_STRICT_SENSE),
        ("species complex|species aggregate|species group", AGGREGATE_NOTE),
    )
]
"""Notes of several words -> the one word that rules know."""

ABBREVIATED = re.compile(r"[A-Z][a-z]{0,2}\.")
GENUS = re.compile(r"[^\W\d_]{2,}(?:-[^\W\d_]{2,})?")
GROUP = re.compile(r"[A-Z][^\W\d_]+(?: [A-Z][^\W\d_]+)*")
CAPITAL_EPITHET = re.compile(r"[^\W\d_]{3,}(?:-[^\W\d_]+)*")


def read_name(label: str) -> Reading:
    """What a label names.

    >>> name = read_name("QUERCUS  robur L.")
    >>> name.label, name.rank, name.rules
    ('Quercus robur', 'species', ('white space', 'case', 'authorship'))
    >>> read_name("Betula pendula/pubescens")
    Refused(reason='several names')
    """
    if CLEAN.fullmatch(label):
        genus, _, epithet = label.partition(" ")
        if epithet not in NO_EPITHET and genus.lower() not in PLACEHOLDERS:
            return Name(label, SPECIES, label)
    text, rules = tidy(label)
    if not text:
        return Refused("blank")
    reason = _refusal_of(text)
    if reason:
        return Refused(reason)
    try:
        name = _read(text)
    except UnreadError as error:
        return Refused(str(error))
    if name.label == label:
        return name._replace(rules=())
    return name._replace(rules=tuple(dict.fromkeys((*rules, *name.rules))) or ("white space",))


class UnreadError(Exception):
    """Why words are no name."""


NOT_READ = "not read as a name"


def _refusal_of(text: str) -> str | None:
    """Why a text cannot name one species, whatever its words are."""
    if not text.isascii() and not all(map(_is_latin, text)):
        return "letters that are not Latin"
    if "?" in text or "¿" in text:
        return "a question mark"
    if any(mark in text for mark in "/|;\\"):
        return "several names"
    return None


def _is_latin(character: str) -> bool:
    return character.isascii() or not character.isalpha() or unicodedata.name(character, "").startswith("LATIN")


def _read(text: str) -> Name:
    rules: list[str] = []
    is_caseless = not (any(map(str.islower, text)) and any(map(str.isupper, text)))
    if is_caseless and len(text) > 1:
        text = text.lower()
    marked = _with_single_marks(text)
    rules += [note for _, note in NOTES if f" {note}" in marked and f" {note}" not in text]
    words = WORDS.findall(marked)
    bare = [word.replace(".", "").strip("()[],") for word in words]
    if bare[0].lower() in PLACEHOLDERS:
        raise UnreadError("no name of a taxon")
    for word in bare:
        reason = UNCERTAIN.get(word.lower())
        if reason and not (word.lower() in ALSO_AUTHORS and word != word.lower()):
            raise UnreadError(reason)
    if not SEVERAL.isdisjoint(bare):
        raise UnreadError("several names")
    if not is_caseless and len(words) == 2 and words[1].endswith(".") and _is_epithet(words[1][:-1]):
        words[1] = words[1][:-1]
        rules.append("marks around it")
    parts = _parts_of(words)
    if any(word in ("x", "X") for word in words) or SIGN_ATTACHED.search(text):
        rules.append("hybrid sign")
    name = _read_one(*parts[0]) if len(parts) == 1 else _read_parents(parts)
    return name._replace(rules=(*rules, *name.rules))


def _read_parents(parts: Sequence[tuple[str, list[str]]]) -> Name:
    """A hybrid by its parents, which are sorted: the cross is the same (ICN H.4)."""
    rules: list[str] = []
    names: list[Name] = []
    for sign, words in parts:
        if names:
            words, was_short = _with_genus(words, names[0].label.split()[0])
            rules += ["parents in full"] * was_short
        names.append(_read_one(sign, words))
        rules += names[-1].rules
    if any(name.rank == ABOVE for name in names):
        raise UnreadError("a hybrid of genera")
    parents = tuple(sorted(name.label for name in names))
    rules += ["order of parents"] * (parents != tuple(name.label for name in names))
    return Name(" × ".join(parents), FORMULA, rules=tuple(rules), parents=parents)


def _with_single_marks(text: str) -> str:
    """A text with spaces where words meet, and a word for each note of several words."""
    text = SIGN_ATTACHED.sub(" × ", text)
    text = MARKER_ATTACHED.sub(r"\1. ", text)
    text = FORM_ATTACHED.sub("f. ", text)
    for pattern, note in NOTES:
        text = pattern.sub(f" {note}", text)
    return text


def _parts_of(words: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The names between hybrid signs, each with the sign that belongs to it: of a genus, or before an epithet.

    Several are the parents of a hybrid.
    """
    parts: list[tuple[str, list[str]]] = [("", [])]
    for place, word in enumerate(words):
        sign, part = parts[-1]
        if word not in SIGNS:
            part.append(word)
            continue
        following = words[place + 1] if place + 1 < len(words) else ""
        if not following:
            raise UnreadError("a hybrid formula that is not complete")
        if word == "+" and place:
            raise UnreadError("several names")
        if not part:
            if sign:
                raise UnreadError(NOT_READ)
            parts[-1] = (word, part)
        elif len(part) == 1 and _is_epithet(following):
            part.append("×")
        else:
            parts.append(("", []))
    return parts


def _with_genus(part: Sequence[str], genus: str) -> tuple[list[str], bool]:
    """A parent with its genus in full, and whether it was not."""
    first = part[0]
    if ABBREVIATED.fullmatch(first) and genus.startswith(first[:-1]):
        return [genus, *part[1:]], True
    alone = len(part) == 1 or not _is_epithet(part[1])
    if _is_epithet(first) and alone and first.capitalize() != genus:
        return [genus, *part], True
    return list(part), False


def _read_one(sign: str, words: Sequence[str]) -> Name:
    """A name that is no hybrid formula. ``sign`` stands before its genus."""
    prefix = "" if not sign else "+ " if sign == "+" else "× "
    first, rest = words[0], list(words[1:])
    if ABBREVIATED.fullmatch(first) and rest:
        raise UnreadError("an abbreviated genus")
    if not GENUS.fullmatch(first):
        raise UnreadError("a number" if any(map(str.isdigit, first)) else NOT_READ)
    genus = first[0].upper() + first[1:].lower()
    found = _after_genus(prefix + genus, rest)
    return found if genus == first else found._replace(rules=("case", *found.rules))


def _after_genus(genus: str, rest: list[str]) -> Name:
    if not rest:
        return Name(genus, ABOVE)
    key = rest[0].lower().rstrip(".")
    if key.strip("()") in UNKNOWN_SPECIES:
        return Name(genus, ABOVE, rules=("sp.",))
    for place, word in enumerate(rest):
        marker = INFRAGENERIC.get(word.lower().rstrip("."))
        if marker and (place == 0 or is_authorship(rest[:place])):
            return _infrageneric(genus, marker, rest[place + 1 :], written=word)
    quoted = _cultivar(rest[0])
    if quoted:
        return _cultivar_of(genus, None, quoted, rest[1:], ())
    rules: tuple[str, ...] = ()
    if rest[0].startswith("(") and rest[0].endswith(")") and len(rest) > 1 and _is_epithet(rest[1]):
        rest, rules = rest[1:], ("subgenus",)
    epithet, hybrid = rest[0], ""
    if epithet == "×":
        hybrid, epithet, rest = "× ", rest[1], rest[1:]
    if not _is_epithet(epithet):
        if _is_capital_epithet(epithet, rest[1:]):
            epithet, rules = epithet.lower(), (*rules, "case")
        else:
            _check_authors(rest)
            return Name(genus, ABOVE, authorship=" ".join(rest), rules=("authorship",))
    name = _below_species(f"{genus} {hybrid}{epithet}", rest[1:])
    return name._replace(rules=(*rules, *name.rules))


def _below_species(species: str, rest: Sequence[str]) -> Name:
    """A species with what follows its epithet: epithets below species, authors, a cultivar, notes."""
    tail = _Tail(species)
    words = list(rest)
    if words and _is_epithet(words[0]):
        tail.epithet = words.pop(0)
    while words:
        word = words.pop(0)
        key = word.lower().rstrip(".")
        following = words[0] if words else ""
        if quoted := _cultivar(word):
            tail.end_of_authors()
            return _cultivar_of(species, species, quoted, words, tuple(tail.rules))
        if key == "cv":
            tail.end_of_authors()
            name = " ".join(words).strip("'\" ")
            return _cultivar_of(species, species, name, (), (*tail.rules, "rank written as"))
        if key in MARKERS and _is_epithet(following):
            tail.end_of_authors()
            tail.add_epithet(word, words.pop(0))
        elif key in MARKERS and key != "f" and (not words or is_authorship(words)):
            tail.rules.append("rank without a name")
        elif word in (IN_WIDE_SENSE, IN_STRICT_SENSE) or (key in AGGREGATES and word[0].islower()):
            tail.add_note(word if word in (IN_WIDE_SENSE, IN_STRICT_SENSE) else AGGREGATE_NOTE, word)
        elif word.strip(")") in CULTIVAR_GROUPS and tail.authors and not words:
            return tail.group()
        else:
            tail.authors.append(word)
    return tail.name()


class _Tail:
    """What follows the epithet of a species, word by word."""

    def __init__(self, species: str) -> None:
        self.species = species
        self.marker = self.epithet = self.note = ""
        self.authors: list[str] = []  # of the last epithet
        self.rules: list[str] = []

    def end_of_authors(self) -> None:
        """What comes next is not of the authors. Raises UnreadError if the words before cite none."""
        _check_authors(self.authors)
        self.rules += ["authorship"] * bool(self.authors)
        self.authors = []

    def add_epithet(self, marker: str, epithet: str) -> None:
        """An epithet below species; of several the last counts."""
        self.rules += ["one rank below species"] * bool(self.epithet)
        self.marker, self.epithet = MARKERS[marker.lower().rstrip(".")], epithet
        self.rules += ["rank written as"] * (self.marker != marker)

    def add_note(self, note: str, written: str) -> None:
        """That the species, and nothing below it, is meant with others, in a wide or in a strict sense."""
        if self.note or self.epithet:
            raise UnreadError(NOT_READ)
        self.note = note
        self.rules += [AGGREGATE_NOTE] * (note == AGGREGATE_NOTE and written != note)

    def group(self) -> Name:
        """A group of cultivars, whose name was taken for authors."""
        group = " ".join(self.authors).strip("( ")
        if self.epithet or self.note or not GROUP.fullmatch(group):
            raise UnreadError(NOT_READ)
        rules = (*self.rules, "rank written as")
        return Name(f"{self.species} {group} Group", CULTIVAR, self.species, rules=rules)

    def name(self) -> Name:
        """The name, once there are no more words."""
        cited = " ".join(self.authors)
        self.end_of_authors()
        rules, species = tuple(self.rules), self.species
        if self.epithet:
            below = f"{self.marker} {self.epithet}".lstrip()
            return Name(f"{species} {below}", BELOW, species, cited, rules)
        if self.note in (AGGREGATE_NOTE, IN_WIDE_SENSE):
            return Name(f"{species} {self.note}", AGGREGATE, None, cited, rules)
        return Name(species, SPECIES, species, cited, (*rules, IN_STRICT_SENSE) if self.note else rules)


def _check_authors(authors: Sequence[str]) -> None:
    """Raise UnreadError if words, of which there may be none, cite no authors."""
    if not authors:
        return
    indeterminate = [word for word in authors if word.lower().rstrip(".") in UNKNOWN_SPECIES]
    if not is_authorship(authors) or (indeterminate and "nov." not in authors):
        raise UnreadError("a number" if any(map(str.isdigit, "".join(authors))) else NOT_READ)


def _infrageneric(genus: str, marker: str, rest: Sequence[str], written: str) -> Name:
    rules = ["rank written as"] * (marker != written)
    if not rest or not GENUS.fullmatch(rest[0]):
        return Name(genus, ABOVE, rules=(*rules, "rank without a name"))
    name = rest[0].capitalize()
    if rest[1:]:
        rules.append("authorship")
    return Name(f"{genus} {marker} {name}", ABOVE, rules=tuple(rules))


def _cultivar(word: str) -> str | None:
    """The name of a cultivar in quotes; None for another word."""
    if len(word) > 2 and word[0] in "'\"" and word.rstrip(",")[-1] == word[0]:
        return word.rstrip(",")[1:-1].strip()
    return None


def _cultivar_of(taxon: str, species: str | None, name: str, after: Sequence[str], rules: tuple[str, ...]) -> Name:
    if not name or after or "'" in name:
        raise UnreadError(NOT_READ)
    return Name(f"{taxon} '{name}'", CULTIVAR, species, rules=rules)


def _is_epithet(word: str) -> bool:
    """Whether a word can be an epithet: letters in lower case, hyphens and apostrophes, and no word of another use."""
    if len(word) < 2 or not word.islower() or word in NO_EPITHET:
        return False
    return word.isalpha() or all(part.isalpha() for part in word.replace("'", "-").split("-"))


def _is_capital_epithet(word: str, after: Sequence[str]) -> bool:
    """Whether a word with a capital is an epithet, as in ``Papaver Rhoeas L.``, and no author."""
    lower = word.lower()
    if not CAPITAL_EPITHET.fullmatch(word) or lower in AUTHORS_IN_FULL or not _is_epithet(lower):
        return False
    return not after or after[0].lower().rstrip(".") in MARKERS or is_authorship(after)
