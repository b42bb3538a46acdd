"""How the engine says where it is; who shows it is not the engine's business."""

from typing import Protocol


class Progress(Protocol):
    """Listener to a long piece of work, which is a sequence of phases."""

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """A new phase begins (and the one before ends); ``total`` steps of ``unit`` lie ahead, None if unknown."""

    def advance(self, steps: int = 1) -> None:
        """``steps`` more steps of the current phase are done."""

    def note(self, text: str) -> None:
        """Something worth a line in the log."""


class Silent:
    """A listener that shows nothing."""

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Ignore."""

    def advance(self, steps: int = 1) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""


SILENT = Silent()
