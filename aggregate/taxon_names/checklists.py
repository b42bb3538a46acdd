"""Labels that may be voted: the names in a list."""

from collections.abc import Iterable

from .rules import Name
from .synonyms import is_free_text, key_of

NOT_LISTED = "not in the checklist"


class Checklist:
    """The labels of a list, each with the name that it is, or None if it is compared as it stands."""

    def __init__(self, labels: Iterable[tuple[str, Name | None]]) -> None:
        self._texts: set[str] = set()
        self._names: dict[str, dict[str, None]] = {}  # key of a name -> labels in the list
        for label, name in labels:
            if is_free_text(name):
                self._texts.add(label)
            elif name is not None:
                self._names.setdefault(key_of(name), {})[label] = None

    def __len__(self) -> int:
        return len(self._texts) + len(self._names)

    def has_text(self, text: str) -> bool:
        """Whether a text is in the list as it stands."""
        return text in self._texts

    def spelling_of(self, label: str, name: Name | None) -> str | None:
        """A label as the list writes it; None if it is not in it. ``name``: what it is, None for a text."""
        if name is None or is_free_text(name):
            return label if label in self._texts else None
        listed = self._names.get(key_of(name), {})
        return label if label in listed else next(iter(listed), None)
