"""An interrupt ends a run in one line wherever it comes, the loading of modules included, and it never hangs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import Write

from ..processes import HANG

MOMENTS = 40

OF_SCIPY = "Error in generated code:\n"
"""What scipy 1.12 writes, and a function after it, where an interrupt comes while its copy of decorator makes that."""

STEPPED = """
import os, signal, sys, threading

moment, *arguments = sys.argv[1:]
left, me = int(moment), threading.get_ident()

def audit(event, details):
    global left
    if threading.get_ident() != me:
        return
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGINT)
    elif left % 100 == 0 and left < 0:
        os.write(2, b".")

from plant_aggregate.cli.start import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have what they start in the background ignore it
sys.addaudithook(audit)
sys.argv[1:] = arguments
main()
"""
"""The program, interrupted at an event of the interpreter (an import, a file that is opened, ...) by its number; with
number 0 it is not, and a dot is written every hundred events."""


def stepped(moment: int, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", STEPPED, str(moment), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=HANG,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run {votes} -q", "runs"])
def test_an_interrupt_anywhere_is_one_line(write: Write, work: Path, command: str) -> None:
    votes = str(write())
    arguments = command.format(votes=votes).split()
    if command == "runs":
        assert stepped(0, "run", votes, "-q")[0] == 0
    for _ in range(2):  # once kernels are compiled there are fewer events; the second run has one before it to compare
        stepped(0, *arguments)
    exit_code, dots = stepped(0, *arguments)
    n_events = 100 * dots.count(".")
    assert exit_code == 0, dots
    assert n_events > 300
    last = n_events * 9 // 10  # then it may have been published already, and end as if nothing had come
    for moment in range(1, last, max(1, last // MOMENTS)):
        exit_code, said = stepped(moment, *arguments)
        if said.startswith(OF_SCIPY):
            said = said[said.index("\n\nplant-aggregate: ") + 2 :]
        assert said.startswith("plant-aggregate: error: interrupted"), (moment, exit_code, said)
        assert said.count("\n") == 1, (moment, said)
        assert exit_code == 130, (moment, said)
