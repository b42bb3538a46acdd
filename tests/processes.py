"""The program in a process of its own, as its users have it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = [sys.executable, "-m", "plant_aggregate.cli.start"]


def path_with(folder: str | Path) -> str:
    """A PYTHONPATH that begins with a folder; what is there stays, as the package itself may come from there."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the program."""


@contextmanager
def started(*arguments: str, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """The program, until it ends; killed if the block fails, which would otherwise wait for it, maybe for ever."""
    with process([*PROGRAM, *arguments], **options) as program:
        yield program


@contextmanager
def process(command: list[str], ignored: tuple[int, ...] = (), **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """A command, as :func:`started`, which ignores just these of the signals that end it, as under nohup.

    So it is however the tests themselves were started: what is handled here has its default there.
    """
    here = {number: signal.signal(number, signal.SIG_IGN if number in ignored else _handled) for number in ENDING}
    try:
        child = subprocess.Popen(command, text=True, **options)
    finally:
        for number, handler in here.items():
            signal.signal(number, handler)
    with child:
        try:
            yield child
        except BaseException:
            child.kill()
            raise


def _handled(*_: Any) -> None:
    """Handle a signal in the moment in which a process is started: as if it had come after."""


HANG = 600
"""Seconds after which a process hangs, however busy the machine is."""


class Mute:
    """A server that takes connections and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(HANG)
        self.port = self._listener.getsockname()[1]
        self._taken: list[socket.socket] = []

    def uri(self, store: str) -> str:
        """A file there, or so it is said."""
        if store == "fsspec":
            return f"waiting://bucket/{self.port}"
        query = f"?scheme=http&endpoint_override=127.0.0.1:{self.port}"
        return {"gs": "gs://anonymous@bucket/log", "s3": "s3://id:key@bucket/log"}[store] + query

    def wait_for_somebody(self) -> None:
        """Come back when somebody waits for an answer."""
        self._taken.append(self._listener.accept()[0])

    def close(self) -> None:
        """Leave all without an answer."""
        for taken in [*self._taken, self._listener]:
            taken.close()
