"""Who listens to progress: a bar in a notebook or on a terminal, lines in a log, or nobody."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from .errors import on_one_line
from .kernels.compiler import when_compiling
from .progress import SILENT, Progress

ProgressLike: TypeAlias = "Progress | bool | None"
"""True shows progress, False does not, None shows it in notebooks; a listener is called."""

COMPILING = "compiling kernels that this version has not run here yet (some seconds)"
PATIENCE = 1.0  # seconds in which a notebook shows nothing: most calls are done by then
INTERVAL = 0.1  # seconds between two changes of what a notebook shows


@contextmanager
def listening(progress: ProgressLike = None) -> Iterator[Progress]:
    """A listener as the caller wants it, until the work is done; it also hears when kernels must be compiled."""
    if progress is None:
        progress = in_notebook()
    if not isinstance(progress, bool):
        with when_compiling(lambda: progress.note(COMPILING)):
            yield progress
        return
    if not progress or (sys.stderr is None and not in_notebook()):
        yield SILENT
        return
    listener = NotebookBar() if in_notebook() else Bar() if sys.stderr.isatty() else Lines(_to_stderr)
    try:
        with when_compiling(lambda: listener.note(COMPILING)):
            yield listener
    finally:
        listener.close()


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


class Bar:
    """A bar for the current phase, on a terminal, removed when the phase ends."""

    def __init__(self) -> None:
        self._bar: Any = None

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Begin another bar."""
        from tqdm import tqdm

        self.close()
        layout = None if unit else "{desc} ..."
        scaled = total is not None
        self._bar = tqdm(
            total=total, desc=name, unit=f" {unit}", unit_scale=scaled, leave=False, bar_format=layout, file=sys.stderr
        )

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        self._bar.update(steps)

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        from tqdm import tqdm

        tqdm.write(on_one_line(text), file=sys.stderr)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class NotebookBar:
    """A bar for the current phase, in a notebook, once a call takes longer than a moment; removed at the end.

    It is an element of HTML, which needs no widgets, and of which nothing stays in the notebook's file.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown_at = 0.0
        self._display: Any = None
        self._name, self._unit, self._note = "", "", ""
        self._done, self._total = 0, 0

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Show the name of another phase."""
        self._name, self._unit, self._done, self._total, self._note = name, unit, 0, total or 0, ""
        self._show()

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        self._done, self._note = self._done + steps, ""
        if time.monotonic() - self._shown_at > INTERVAL:
            self._show()

    def note(self, text: str) -> None:
        """Show a text in place of the phase, at once, until something is done."""
        self._began, self._note = 0.0, text
        self._show()

    def close(self) -> None:
        """Remove the bar."""
        if self._display is not None:
            self._display.update({"text/html": "", "text/plain": ""}, raw=True)

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._began < PATIENCE:
            return
        from html import escape

        self._shown_at = now
        text = self._in_words()
        is_part = self._total and not self._note
        value = f' value="{min(self._done, self._total)}" max="{self._total}"' if is_part else ""
        shown = {"text/html": f"<progress{value}></progress> {escape(text)}", "text/plain": text}
        if self._display is None:
            from IPython.display import display

            self._display = display(shown, raw=True, display_id=True)
        else:
            self._display.update(shown, raw=True)

    def _in_words(self) -> str:
        name = on_one_line(self._note or self._name)
        if self._note or not self._unit or not (self._done or self._total):
            return f"{name} ..."
        of_all = f" of {self._total:,}" if self._total else ""
        unit = self._unit.removesuffix("s") if self._done == 1 and not of_all else self._unit
        return f"{name}: {self._done:,}{of_all} {unit}"


class Lines:
    """A line for each phase, with the time, for logs."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Write a line."""
        self.note(f"{name}: {total:,} {unit}" if total is not None else name)

    def advance(self, steps: int = 1) -> None:
        """Ignore: a log needs no bar."""

    def note(self, text: str) -> None:
        """Write a line with the time."""
        self._write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {on_one_line(text)}")

    def close(self) -> None:
        """Nothing is open."""


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
