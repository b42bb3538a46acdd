"""Synonyms with their accepted names: chains are followed, cycles refused, homonyms told apart by their authors."""

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from ..errors import VotesError, quoted
from .authorship import Citation
from .files import Pair
from .rules import ABOVE, FORMULA, Name, read_name
from .spelling import folded, tidy

AMBIGUOUS = "a homonym: several accepted names"
OTHER_AUTHORS = "a homonym: other authors"


def key_of(name: Name) -> str:
    """What names have in common that differ only in marks on letters and in the sign of a hybrid (ICN H.3.3).

    >>> isoetes, plain = read_name("Isoëtes × tenella"), read_name("Isoetes tenella")
    >>> key_of(isoetes) == key_of(plain)
    True
    """
    label = name.label if name.rank == FORMULA else name.label.replace("× ", "").replace("+ ", "")
    return folded(label)


def is_free_text(name: Name | None) -> bool:
    """Whether a text is compared as it stands: it is no name, or a genus with `spp.` behind it."""
    return name is None or (name.rank == ABOVE and "sp." in name.rules)


class Use(NamedTuple):
    """One use of a name."""

    authors: Citation | None  # None if none are cited
    label: str  # the accepted name


class Found(NamedTuple):
    """What synonyms say of a name."""

    label: str  # the accepted name, "" for no opinion; that of the name itself if the synonyms do not decide
    homonym: str = ""  # why they do not


class _Text(NamedTuple):
    """A text of the file, as it is compared with others."""

    label: str  # as a label
    node: Hashable  # equal for texts that are the same name by the same authors
    key: str  # equal for texts that are the same name; "" for what is compared as it stands
    authors: Citation | None


class Synonyms:
    """Accepted names by text, and by name.

    Args:
        pairs: synonyms and accepted names.
        origin: names their file in messages.
        are_names: whether texts are read as names; else they are compared as they stand.

    Raises VotesError if synonyms go round in a circle.
    """

    def __init__(self, pairs: Iterable[Pair] = (), *, origin: str = "synonyms", are_names: bool = True) -> None:
        self._origin = origin
        self._are_names = are_names
        self._labels: dict[str, dict[str, None]] = {}  # text that is compared as it stands -> its accepted labels
        self._uses: dict[str, list[Use]] = {}  # key of a name -> its uses
        self._fill(pairs)

    def of_text(self, text: str) -> Found | None:
        """The accepted label of a text as it stands; None if the synonyms do not have it, or have it as a name."""
        labels = self._labels.get(text)
        if labels is None:
            return None
        return Found(next(iter(labels))) if len(labels) == 1 else Found(text, AMBIGUOUS)

    def of_name(self, name: Name) -> Found | None:
        """The accepted name of a name; None if the synonyms do not have it."""
        key = key_of(name)
        uses = self._uses.get(key)
        if not uses:
            return None
        labels = {use.label for use in uses}
        if name.authorship:
            cited = Citation.of(name.authorship)
            agreeing = {use.label for use in uses if use.authors is not None and use.authors.agrees(cited)}
            if len(agreeing) == 1:
                return Found(agreeing.pop())
            is_synonym = any(self._text(label).key != key for label in labels)
            if not agreeing and is_synonym and all(use.authors is not None for use in uses):
                return Found(f"{name.label} {name.authorship}", OTHER_AUTHORS)
        return Found(labels.pop()) if len(labels) == 1 else Found(name.label, AMBIGUOUS)

    def _fill(self, pairs: Iterable[Pair]) -> None:
        accepted: dict[Hashable, _Text] = {}  # those that the file says are accepted
        texts: dict[Hashable, _Text] = {}
        above: dict[Hashable, dict[Hashable, None]] = {}  # synonym -> what it is a synonym of
        for pair in pairs:
            verbatim, other = self._text(pair.verbatim), self._text(pair.accepted)
            texts.setdefault(verbatim.node, verbatim)
            texts.setdefault(other.node, other)
            if verbatim.node == other.node or (verbatim.key and verbatim.key == other.key):
                accepted[verbatim.node] = accepted[other.node] = other
            elif verbatim.label:
                above.setdefault(verbatim.node, {})[other.node] = None
        chain = {node: next(iter(found)) for node, found in above.items() if len(found) == 1 and node not in accepted}
        for synonym, others in above.items():
            for node in others:
                self._add(texts[synonym], texts[self._end(node, chain, texts)])
        for node, text in texts.items():
            if node not in above or node in accepted:
                self._add(text, accepted.get(node, text))
        for key, uses in self._uses.items():
            cited = {use.label for use in uses if use.authors is not None}
            self._uses[key] = [use for use in uses if use.authors is not None or use.label not in cited]

    def _add(self, text: _Text, accepted: _Text) -> None:
        use = Use(text.authors, accepted.label)
        if not text.key:
            self._labels.setdefault(text.label, {})[accepted.label] = None
        elif use not in self._uses.setdefault(text.key, []):
            self._uses[text.key].append(use)

    def _end(self, node: Hashable, chain: dict[Hashable, Hashable], texts: dict[Hashable, _Text]) -> Hashable:
        """The end of a chain of synonyms."""
        passed = [node]
        while passed[-1] in chain:
            following = chain[passed[-1]]
            if following in passed:
                circle = [texts[each].label for each in [*passed[passed.index(following) :], following]]
                what = f"the synonyms go round in a circle: {' -> '.join(map(quoted, circle))}"
                raise VotesError(what, where=self._origin, remedy="leave out one of them")
            passed.append(following)
        return passed[-1]

    def _text(self, text: str) -> _Text:
        plain = tidy(text)[0]
        reading = read_name(plain) if self._are_names else None
        name = reading if isinstance(reading, Name) else None
        if name is None or is_free_text(name):
            return _Text(plain, plain, "", None)
        key = key_of(name)
        authors = Citation.of(name.authorship) if name.authorship else None
        return _Text(name.label, (key, authors), key, authors)
