"""Kills the program, again and again, and looks whether the output folder keeps its promises.

``python -m tests.breaking.kills --kills 200 --seed 1`` kills real commands at random moments, and then one at each of
its changes of the file system and at each boundary of its phases, scene by scene.
"""

import argparse
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .promises import Watch, known_runs, latest_of, runs_in, what_is_left
from .steps import GUARD, KILLED, OTHER_RUN, RUN, SCENES, Bench, Kill, named, write_votes

COMMANDS = {
    "run": [*RUN, "--keep", "5"],
    "run of other votes": [*OTHER_RUN, "--keep", "2"],
    "run with a guard": [*OTHER_RUN, *GUARD],
    "publish of a held run": ["publish", "HELD"],
    "publish of an older run": ["publish", "OLDEST"],
    "rollback": ["rollback"],
}

SHARES = (5, 5, 4, 2, 1, 2)
"""How often each command is tried."""

LONGER, SHORTER = 1.02, 0.9
"""How the life that is expected of a command changes with one that was killed, and one that had ended."""

EACH = 5
"""A run is left undisturbed after so many kills."""


def main() -> int:
    """Kill and report; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="at random moments")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        good = _report("at random moments", random_kills(Path(folder), wanted.kills, wanted.seed))
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        for scene in SCENES:
            good &= _report(f"at every step of {scene.name}", bench.kills(scene))
    return 0 if good else 1


def random_kills(folder: Path, kills: int, seed: int) -> Iterator[Kill]:
    """Kill so many commands of real processes in one output folder, at moments of their lives.

    Those that ended before they were to be killed are tries, too, but no kills.
    """
    write_votes(folder)
    chance = random.Random(seed)
    output = folder / "consensus"
    watch = Watch(output)
    _seconds_of(folder, RUN, watch)  # may compile
    lives = {command[0]: _seconds_of(folder, command, watch) for command in (RUN, ["rollback"])}
    lives["publish"] = lives["rollback"]
    killed_so_far = 0
    for number in itertools.count(1):
        (what,) = chance.choices(list(COMMANDS), SHARES)
        before = latest_of(output)
        # More often late than early: the first half of a life goes into loading the program.
        killed = _killed(folder, COMMANDS[what], after=lives[COMMANDS[what][0]] * chance.random() ** 0.5)
        lives[COMMANDS[what][0]] *= LONGER if killed else SHORTER  # the machine may be busier now, or less
        killed_so_far += killed
        broken, left = watch.broken(), what_is_left(output) if killed else "ended before the kill"
        switched = latest_of(output) != before
        if number % EACH == 0:
            broken += _undisturbed(folder, watch)
        yield Kill(what, number, f"{left}; latest {'switched' if switched else 'as before'}", broken)
        if killed_so_far == kills:
            return


def _seconds_of(folder: Path, command: list[str], watch: Watch) -> float:
    """How long a command lives that nobody kills."""
    begun = time.monotonic()
    subprocess.run(_arguments(folder, command), cwd=folder, stdout=subprocess.DEVNULL, check=True)
    life = time.monotonic() - begun
    watch.broken()
    return life


def _killed(folder: Path, command: list[str], after: float) -> bool:
    """Kill a command after so many seconds; False if it had ended."""
    process = subprocess.Popen(
        _arguments(folder, command), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == KILLED


def _undisturbed(folder: Path, watch: Watch) -> list[str]:
    """The promises that a run does not keep which nobody disturbs."""
    known = known_runs(watch.output) & watch.seen | runs_in(watch.output / "held")
    done = subprocess.run(_arguments(folder, RUN), cwd=folder, capture_output=True, check=False)
    failed = [f"the next run failed: {done.stderr!r}"] if done.returncode else []
    return failed + watch.broken_after_a_run(known)


def _arguments(folder: Path, command: list[str]) -> list[str]:
    return [sys.executable, "-m", "plant_aggregate.cli.start", *named(command, folder / "consensus"), "-o", "consensus"]


def _report(where: str, kills: Iterator[Kill]) -> bool:
    """Print what was left how often, and what was broken; whether nothing was."""
    left: Counter[str] = Counter()
    good = True
    for kill in kills:
        left[kill.left] += 1
        for fault in kill.broken:
            good = False
            print(f"BROKEN: {kill.scene}, {kill.step}: {fault}")
    print(f"{left.total():,} tries, killed {where}, left")
    for what, times in left.most_common():
        print(f"{times:8,}  {what}")
    return good


if __name__ == "__main__":
    sys.exit(main())
