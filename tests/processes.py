"""The program in a process of its own, as its users have it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PROGRAM = [sys.executable, "-m", "aggregate_cli.main"]


@contextmanager
def started(*arguments: str, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """The program, until it ends; killed if the block fails, which would otherwise wait for it, maybe for ever."""
    with subprocess.Popen([*PROGRAM, *arguments], text=True, **options) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
