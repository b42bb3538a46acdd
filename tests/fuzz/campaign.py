"""Many files made and read, and what became of them: the command line of both fuzzers."""

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PER_SEED = 1_000_000
"""Numbers of files that belong to a seed."""

TIMES, MORE = 3, 384 * 2**20
"""Memory that a file may take: so many times as much as the one it was made of, and no more bytes than so beyond."""

SAY_EVERY = 1000
"""Files between signs of life."""


class Case(Protocol):
    """A file, and how it came to be, which is what it is as a text."""

    number: int
    content: bytes


@dataclass(frozen=True)
class Verdict:
    """What became of a file: a kind, and the details."""

    kind: str
    detail: str = ""


class Bench(AbstractContextManager["Bench"], Protocol):
    """Where files are read."""

    def judge(self, numbers: Iterable[int]) -> Iterator[tuple[Case, Verdict]]:
        """Make and read the files of these numbers."""


def kinds_of(bench: Bench, good: Collection[str], files: int) -> set[str]:
    """What became of the first files; an AssertionError with all that is not ``good``."""
    with bench:
        judgements = list(bench.judge(range(files)))
    bad = [f"{verdict.kind}: {case}: {verdict.detail}" for case, verdict in judgements if verdict.kind not in good]
    assert not bad, "\n".join(bad)
    return {verdict.kind for _, verdict in judgements}


def campaign(about: str, bench: Bench, good: Collection[str], suffix: str) -> int:
    """Read what the command line asks for; 1 if what became of a file is not among the ``good`` kinds."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, nargs="*", help="only these, by the numbers of a summary")
    parser.add_argument("--save", type=Path, help="keep the bad files here")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    bad: dict[str, list[int]] = {}
    first = given.seed * PER_SEED
    with bench:
        for case, verdict in bench.judge(given.case or range(first, first + given.files)):
            counts[verdict.kind] += 1
            if counts.total() % SAY_EVERY == 0:
                print(f"{counts.total():,} files", file=sys.stderr)
            if given.case or verdict.kind not in good:
                print(f"{verdict.kind}: {case}: {verdict.detail[:2000]}", flush=True)
            if verdict.kind not in good:
                bad.setdefault(verdict.kind, []).append(case.number)
                if given.save:
                    given.save.mkdir(parents=True, exist_ok=True)
                    (given.save / f"{case.number}{suffix}").write_bytes(case.content)
    print(f"{counts.total():,} files: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common()))
    for kind, numbers in sorted(bad.items()):
        print(f"  {kind}: --case", *numbers)
    return 1 if bad else 0
