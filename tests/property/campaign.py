"""Runs every property test of the repository on random examples, seed after seed, until the time is up.

``python -m tests.property.campaign --minutes 60 --seed 1`` takes the seeds 1, 2, 3, ... in turn, and prints how to
repeat what failed. A file or a test to run instead of all may be named as for pytest.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.paths import ROOT

HANG = 3600
"""Seconds that no single test takes on the busiest machine."""
NO_TESTS = 5
"""pytest's exit code where nothing was collected."""
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?: - .*)?$", re.MULTILINE)
PASSING = re.compile(r"(\d+) passing")


@dataclass(frozen=True)
class Round:
    """What came of one seed."""

    seed: int
    code: int
    printed: str

    @property
    def examples(self) -> int:
        """Examples that held."""
        return sum(map(int, PASSING.findall(self.printed)))

    @property
    def failed(self) -> list[str]:
        """Tests that failed; where there is none but pytest itself did, all that were to run."""
        return FAILED.findall(self.printed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report; 1 if a test failed with some seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="no seed is begun later [default: 60]")
    parser.add_argument("--seed", type=int, default=1, help="the first one [default: 1]")
    parser.add_argument("tests", nargs="*", help="files or tests [default: all]")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    rounds: list[Round] = []
    while not rounds or time.monotonic() - began < 60 * given.minutes:
        done = one_round(given.seed + len(rounds), given.tests)
        rounds.append(done)
        outcome = "all hold" if done.code == 0 else f"{len(done.failed)} failed, exit code {done.code}"
        print(f"seed {done.seed}: {done.examples:,} examples, {outcome}", flush=True)
        if done.code != 0:
            print(done.printed)
            for test in done.failed:
                print(f"again: HYPOTHESIS_PROFILE=campaign {' '.join(command(done.seed, [test]))}", flush=True)
        if done.code == NO_TESTS:
            return done.code
    bad = [done.seed for done in rounds if done.code != 0]
    examples, minutes = sum(done.examples for done in rounds), (time.monotonic() - began) / 60
    print(f"{len(rounds)} seeds, {examples:,} examples, {minutes:.0f} minutes; with a failure: {bad or 'none'}")
    return 1 if bad else 0


def command(seed: int, tests: Sequence[str]) -> list[str]:
    """How pytest runs property tests with a seed."""
    chosen = ["-n", "0", "-m", "hypothesis", f"--hypothesis-seed={seed}", f"--timeout={HANG}"]
    return ["python", "-m", "pytest", *chosen, *tests]


def one_round(seed: int, tests: Sequence[str]) -> Round:
    """All property tests with one seed."""
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "campaign"}
    report = ["-rfE", "--tb=short", "-p", "no:cacheprovider", "--hypothesis-show-statistics"]
    done = subprocess.run(
        [sys.executable, *command(seed, tests)[1:], *report],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Round(seed, done.returncode, done.stdout)


if __name__ == "__main__":
    sys.exit(main())
