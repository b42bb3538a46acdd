"""Tells authors of names from other words, and whether two citations are of the same authors."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .spelling import folded
from .vocabulary import CONNECTIVES, PARTICLES

AMONG_AUTHORS = CONNECTIVES | PARTICLES

YEAR = re.compile(r"[(\[]*1[6-9]\d\d[a-z]?[)\]]*|[(\[]*20\d\d[a-z]?[)\]]*")


def is_authorship(words: Sequence[str]) -> bool:
    """Whether words, at least one, are a citation of authors.

    >>> is_authorship("(L.) Reut. ex d'Urv.".split()), is_authorship("oak tree".split())
    (True, False)
    """
    text = " ".join(words)
    if text.count("(") != text.count(")") or text.count("[") != text.count("]"):
        return False
    first = words[0].lstrip("([")
    if first.rstrip(",") in CONNECTIVES or first[:1] in ",.;:" or YEAR.fullmatch(first.rstrip(",")):
        return False
    return all(map(_among_authors, words)) and (_names_someone(words) or first.rstrip(".,") in ("hort", "ined"))


def _names_someone(words: Sequence[str]) -> bool:
    return any(_is_name(word.strip("([,;:])")) for word in words)


def _among_authors(word: str) -> bool:
    bare = word.strip("([,;:])")
    if not bare:
        return word in ("(", ")", ",", "[", "]")
    return bool(bare in AMONG_AUTHORS or YEAR.fullmatch(bare) or _is_name(bare))


def _is_name(word: str) -> bool:
    """Whether a word is a name, or an abbreviation in lower case: ``Lindl.``, ``d'Urv.``, ``l.``."""
    if any(letter.isdigit() for letter in word):
        return False
    return any(letter.isupper() for letter in word) or (word.endswith(".") and word not in AMONG_AUTHORS)


class Citation(NamedTuple):
    """The authors of a name, in a form that can be compared."""

    combination: tuple[str, ...]  # those of the name; each as `surname`, or `surname f` for the son
    basionym: tuple[str, ...]  # those in brackets

    @classmethod
    def of(cls, text: str) -> "Citation":
        """The authors in a text, without those before `ex`, initials and years.

        >>> Citation.of("(L.) Hook.f. & T.Thomson")
        Citation(combination=('hook f', 'thomson'), basionym=('l',))
        """
        inside, _, outside = text[1:].partition(")") if text.startswith("(") else ("", "", text)
        return cls(_surnames(outside), _surnames(inside))

    def agrees(self, other: "Citation") -> bool:
        """Whether both are the same authors, as far as both name them.

        >>> Citation.of("(Linn.) Miller").agrees(Citation.of("Mill.")), Citation.of("L.").agrees(Citation.of("L.f."))
        (True, False)
        """
        both_basionyms = not (self.basionym and other.basionym) or _same(self.basionym, other.basionym)
        return both_basionyms and _same(self.combination, other.combination)


def _surnames(text: str) -> tuple[str, ...]:
    text = re.sub(r"\b(?:emend|non|nec|nom|in|apud)\b.*", "", text)  # of other publications, or of the name itself
    text = re.split(r"\bex\b", text)[-1]
    names = []
    for author in re.split(r"&|,|;|\bet\b|\band\b", text):
        words = re.sub(r"[.\s]+", " ", re.sub(r"[\[\]()0-9]", "", author)).split()
        is_son = len(words) > 1 and words[-1] in ("f", "fil")
        if is_son:
            words.pop()
        surname = next((word for word in reversed(words) if len(word) > 1), words[-1] if words else "")
        if surname and surname not in ("al", "ined", "hort"):
            names.append(folded(surname).replace("-", "").replace("'", "") + (" f" if is_son else ""))
    return tuple(names)


def _same(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    return len(ours) == len(theirs) and all(map(_same_author, ours, theirs))


def _same_author(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if short == long:
        return True
    if short == "l":
        return long in ("linn", "linne", "linnaeus")
    return len(short) >= 3 and long.startswith(short) and " f" not in short + long
