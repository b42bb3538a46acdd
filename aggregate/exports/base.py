"""What an export is: a frozen dataclass of its options, with ``write(run, folder)``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..progress import SILENT, Progress

if TYPE_CHECKING:
    from ..blocks import Block
    from ..publishing.run import Run


class Export(Protocol):
    """A layout that another tool reads. Its fields, made with ``parameter(...)``, are its options."""

    name: ClassVar[str]  # as on the command line

    def write(self, run: "Run", folder: Path, *, progress: Progress = SILENT) -> "list[Block]":
        """Write files into an empty folder, which is published as a whole afterwards; what was written, as blocks.

        Raises VotesError if the run lacks what is needed, and ParameterError.
        """


def fault_of(kind: Any) -> str:
    """What a class lacks to be an export, in words; empty if nothing."""
    if not isinstance(getattr(kind, "name", None), str):
        return "has no name"
    return "" if callable(getattr(kind, "write", None)) else "has no method write(run, folder, progress=...)"
