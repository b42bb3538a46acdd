"""How the engine reports progress, to any listener."""

from typing import Protocol


class Progress(Protocol):
    """Listener to a computation, which is a sequence of phases."""

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """A phase begins, and the one before ends; it has ``total`` steps of ``unit``, None if unknown."""

    def advance(self, steps: int = 1) -> None:
        """``steps`` more steps of the current phase are done."""

    def note(self, text: str) -> None:
        """A message for the log."""


class Silent:
    """A listener that ignores everything."""

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Ignore."""

    def advance(self, steps: int = 1) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""


SILENT = Silent()
