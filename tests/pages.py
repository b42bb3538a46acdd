"""The Python and the commands of a page of the docs, block by block."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.paths import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> Iterator[str]:
    """The blocks of Python, each behind as many empty lines as the page has lines before it, for tracebacks."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        yield "\n" * text[: found.start(1)].count("\n") + found[1]


def run_blocks(page: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run a page's blocks in the current folder, in order, except those with one of the texts; returns their names."""
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks(page):
        if not any(text in code for text in without):
            exec(compile(code, ROOT / "docs" / page, "exec"), names)
    return names


def commands(page: str) -> Iterator[list[str]]:
    """The commands of ours in a page's blocks of shell, in order, as lists of arguments without the program's name."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for found in SHELL.finditer(text):
        for line in found[1].replace("\\\n", "").splitlines():
            program, *arguments = shlex.split(line, comments=True) or [""]
            if program == "plant-aggregate":
                yield arguments


def work_on_sample(folder: Path) -> None:
    """Put the sample votes into a folder, as they are in a clone."""
    (folder / "sample_votes").symlink_to(ROOT / "sample_votes")
