"""A process that runs command lines, each in a fork of itself, which may be made to die at a step.

A step is a change of the file system, or the boundary of two phases of a run. By the forks the kernels are loaded once,
and a run takes a tenth of a second. Takes a job a line on stdin, as JSON, and answers each in a line.
"""

import json
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # as the command has it

from plant_aggregate.cli.main import run_command
from plant_aggregate.run_log import PhaseTimer

STEPS = {"os.rename", "os.mkdir", "os.symlink", "os.remove", "os.rmdir", "shutil.rmtree"}
"""What is a step wherever it happens. In the output folder whatever is opened is one, too: what is opened for reading
has just been written by pyarrow, which tells nobody, or is about to be flushed."""

PATIENCE = 900
"""Seconds for a job, after which it hangs."""


def main() -> None:
    """Answer until stdin ends."""
    os.chdir(sys.argv[1])
    noise = Path("said")
    answers = os.fdopen(os.dup(1), "w")
    with noise.open("w") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    for line in sys.stdin:
        job = json.loads(line)
        os.truncate(noise, 0)
        os.lseek(1, 0, os.SEEK_SET)
        exit_code = run_command(job["arguments"]) if job["warm_up"] else _in_a_fork(job)
        sys.stdout.flush()
        answers.write(json.dumps({"exit_code": exit_code, "said": noise.read_text(errors="replace")}) + "\n")
        answers.flush()


def _in_a_fork(job: dict[str, Any]) -> int:
    """The exit code of a command line; that of a signal is negative."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        if job["dies_at"] is not None:
            _die_at(job["dies_at"], job["output"])
        exit_code = run_command(job["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_at(step: int, output: str) -> None:
    """From now on this process dies just before its n-th step, counted from 1."""
    steps = count(1)
    end_phase = PhaseTimer.end

    def take_a_step() -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def look(event: str, details: tuple[Any, ...]) -> None:
        if event in STEPS or (event == "open" and str(details[0]).startswith(output)):
            take_a_step()

    def end_and_count(clock: PhaseTimer) -> None:
        end_phase(clock)
        take_a_step()

    sys.addaudithook(look)
    PhaseTimer.end = end_and_count  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
