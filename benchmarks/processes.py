"""One command as a whole process: its seconds, its processor time, its peak memory, and limits on the first and last.

For Linux. A child's peak memory counts from that of the process that started it, so whoever measures must be small:
import nothing large before the last measurement.
"""

import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

GIB = 2**30
BETWEEN_LOOKS = 0.05
"""Seconds between two looks at a process that has limits."""


@dataclass(frozen=True)
class Limits:
    """What one process may use."""

    seconds: float
    memory: float
    """Bytes."""


@dataclass(frozen=True)
class Run:
    """What one process has used."""

    seconds: float
    cpu_seconds: float
    peak_memory: int
    """Bytes."""
    ending: str
    """Empty for a run that finished; what stopped it otherwise."""


def run_measured(command: list[str], limits: Limits) -> Run:
    """Run the command to its end, or to a limit."""
    with tempfile.TemporaryFile() as complaints:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints)
        watch = Watch(process.pid, limits)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.perf_counter() - started
        watch.end()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        ending = watch.verdict
        if process.returncode != 0 and not ending:
            complaints.seek(0)
            ending = f"failed: {last_line(complaints.read()) or f'exit code {process.returncode}'}"
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, ending)


class Watch:
    """Kills a process that exceeds its limits. Nobody reaps the process before the watch has ended."""

    def __init__(self, pid: int, limits: Limits) -> None:
        self.verdict = ""
        self._pid = pid
        self._limits = limits
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        deadline = time.perf_counter() + self._limits.seconds
        while not self._over.wait(BETWEEN_LOOKS):
            if time.perf_counter() > deadline:
                self._stop(f"stopped after {self._limits.seconds:g} s")
            elif resident_memory(self._pid) > self._limits.memory:
                self._stop(f"stopped at {self._limits.memory / GIB:.3g} GiB")

    def _stop(self, verdict: str) -> None:
        self.verdict = self.verdict or verdict
        os.kill(self._pid, 9)


def resident_memory(pid: int) -> int:
    """Bytes of memory that a process holds now; 0 when it has just ended."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def last_line(text: bytes) -> str:
    """The last line of a complaint, without a table's bar."""
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1].strip().replace("|", " ")[:120] if lines else ""
