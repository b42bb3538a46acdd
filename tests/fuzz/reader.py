"""The parent of the process that reads: notices when it dies, hangs, or takes too much memory, and starts another."""

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.paths import ROOT

PATIENCE = 20.0
"""Seconds of processor time for a file: a machine that is busy with other things takes longer, and no more of it."""

WARM_UP = 300.0
"""Seconds of processor time for the first file, on which kernels may be compiled."""

STUCK = 900.0
"""Seconds after which a process hangs that uses no processor time."""

GREEDY = 6 * 2**30
"""Resident bytes at which the process is ended at once."""

GLANCE = 0.2
"""Seconds between looks at the memory."""


@dataclass
class Reader:
    """Runs command lines in another process, one after the other."""

    folder: Path
    warm_up: list[dict[str, Any]]
    """What a new process runs first."""
    prints: bool = False
    """Whether what goes to stdout is part of what a command says."""

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._noise = self.folder / "stderr"

    def ask(self, job: dict[str, Any], patience: float = PATIENCE) -> dict[str, Any]:
        """The answer to a job; one with the key ``end`` if the process did not survive it."""
        if self._process is None:
            self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        end = self._wait(patience)
        if end is None:
            line = self._answers.readline()
            if line:
                return dict(json.loads(line))
            end = f"crash: exit code {self._process.wait()}"
        self.stop()
        return {"end": end, "said": self._noise.read_bytes().decode(errors="replace")}

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._answers.close()
            self._process = None

    def _wait(self, patience: float) -> str | None:
        """Until an answer comes, or the end of the process; why it must be ended otherwise."""
        begun, used = time.monotonic(), self._processor_time()
        while not select.select([self._answers], [], [], GLANCE)[0]:
            if self._processor_time() - used > patience:
                return f"hang: no answer in {patience:g} s of processor time"
            if time.monotonic() - begun > STUCK:
                return f"hang: no answer in {STUCK:g} s"
            if self._resident() > GREEDY:
                return f"memory: more than {GREEDY >> 20} MiB"
        return None

    def _processor_time(self) -> float:
        assert self._process is not None
        try:
            # Behind the name, which may hold anything, come the state and further fields: user and system time.
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _resident(self) -> int:
        assert self._process is not None
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def start(self) -> None:
        """Begin a process, and let it read valid files first."""
        listening, speaking = os.pipe()
        self._noise.touch()
        with open(self._noise, "a") as noise:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.worker", str(speaking), str(self._noise)],
                stdin=subprocess.PIPE,
                stdout=noise if self.prints else subprocess.DEVNULL,
                stderr=noise,
                pass_fds=[speaking],
                cwd=ROOT,
                text=True,
            )
        os.close(speaking)
        self._answers = os.fdopen(listening)
        for job in self.warm_up:
            answer = self.ask(job, WARM_UP)
            if answer.get("exit_code") != 0:
                raise RuntimeError(f"a valid file is not read: {job} {answer}")
