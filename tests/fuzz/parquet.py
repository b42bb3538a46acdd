"""Damaged and hostile Parquet files against the commands that read them.

``python -m tests.fuzz.parquet --files 20000 --seed 1`` makes and reads so many and says what became of them;
``--case 1000042`` does one of them again, and ``--save FOLDER`` keeps the bad ones.
"""

import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from . import originals as of
from .campaign import MORE, TIMES, Verdict, campaign
from .hostile import hostile_file
from .mutations import mutate
from .originals import Original, originals
from .reader import Reader

ROLES = {"votes": 14, "ai": 3, "truth": 2, "weights": 2, "scores": 4, "consensus": 1, "users": 1}
"""Inputs, and how often each is taken."""

HOSTILE = 0.15
"""Share of the files that are well formed and hostile instead of damaged."""

OPTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "votes": ((), ("--max-rejected", "1"), ("--max-rejected", "1", "--as-of", "2024-08-01"), ("--soft",)),
    "ai": ((), ("--max-rejected", "1"), ("--ai-mode", "user", "--parrots", "drop")),
    "scores": ((), ("--max-rejected", "1"), ("--max-rejected", "1", "--normalise")),
}
"""Further options of the commands: damage that is rejected row by row goes on into the work."""

GOOD = ("published", "refused")


@dataclass(frozen=True)
class Case:
    """One file and how it came to be."""

    number: int
    original: Original
    content: bytes
    made_by: str
    options: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.number} ({' '.join((self.original.name, *self.options))}, {self.made_by})"


def main() -> int:
    """The command line; exit code 1 if a file was bad."""
    return campaign(__doc__ or "", Bench(), GOOD, ".parquet")


class Bench:
    """A folder with valid files of everything, and a process that reads files."""

    def __enter__(self) -> "Bench":
        self._folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self._file, self._output = self._folder / "damaged.parquet", self._folder / "output"
        warm_up = []
        for ids in ("int", "text"):
            (self._folder / f"votes-{ids}.parquet").write_bytes(of.written(of.votes(ids)))
            (self._folder / f"truth-{ids}.parquet").write_bytes(of.written(of.truth(ids)))
            arguments = ["run", str(self._folder / f"votes-{ids}.parquet"), "-o", str(self._published(ids)), "-q"]
            warm_up.append({"arguments": arguments, "output": str(self._published(ids)), "keep": True, "warm": True})
        self._reader = Reader(self._folder, warm_up)
        self._reader.start()
        self._peaks: dict[str, int] = {}
        self._own_files: dict[str, Original] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def judge(self, numbers: Iterable[int]) -> Iterator[tuple[Case, Verdict]]:
        """Make and read the files of these numbers."""
        for number in numbers:
            case = self.case(number)
            yield case, self.verdict(case)

    @staticmethod
    def role(number: int) -> str:
        """Which input the file of a number is."""
        return _role(random.Random(number))

    def case(self, number: int) -> Case:
        """The file of a number: always the same."""
        chance = random.Random(number)
        role = _role(chance)
        original = chance.choice(self._originals(role))
        if chance.random() < HOSTILE:
            content, made_by = hostile_file(chance, pq.read_table(BytesIO(original.content)))
        else:
            content, made_by = mutate(chance, original.content)
        return Case(number, original, content, made_by, chance.choice(OPTIONS.get(role, ((),))))

    def verdict(self, case: Case) -> Verdict:
        """Read a file, and judge what came of it."""
        limit = self._limit(case.original)
        job = self._job(case.original, case.content)
        job["arguments"] += case.options
        answer = self._reader.ask(job)
        if "end" in answer:
            shutil.rmtree(self._output, ignore_errors=True)
        return judged(answer, limit)

    def _originals(self, role: str) -> list[Original]:
        if role in ("consensus", "users"):
            return [self._own(role, ids, number) for ids in ("int", "text") for number in range(len(of.WRITERS))]
        return [original for original in originals() if original.role == role]

    def _own(self, role: str, ids: str, writer: int) -> Original:
        """A file that a run wrote, as another writer would have written it."""
        key = f"{role}-{ids}-{writer}"
        if key not in self._own_files:
            table = pq.read_table(self._published(ids) / "latest" / f"{role}.parquet")
            self._own_files[key] = Original(key, role, ids, of.written(table, **of.WRITERS[writer]))
        return self._own_files[key]

    def _limit(self, original: Original) -> int:
        """Bytes that a file made of this one may take at most."""
        if original.name not in self._peaks:
            answer = self._reader.ask(self._job(original, original.content))
            if answer.get("exit_code") != 0:
                raise RuntimeError(f"a valid file is not read: {original.name} {answer}")
            self._peaks[original.name] = answer["peak"]
        peak = self._peaks[original.name]
        return min(TIMES * peak, peak + MORE)

    def _published(self, ids: str) -> Path:
        return self._folder / f"published-{ids}"

    def _job(self, original: Original, content: bytes) -> dict[str, Any]:
        """Put the file in place, and the command line that reads it."""
        file, ids, output = str(self._file), original.ids, str(self._output)
        self._file.write_bytes(content)
        votes, truth = (str(self._folder / f"{name}-{ids}.parquet") for name in ("votes", "truth"))
        run = ["run", votes, "-o", output, "-q"]
        evaluate = ["evaluate", str(self._published(ids)), "--truth", truth, "--resamples", "5", "-q"]
        if original.role == "votes":
            return {"arguments": ["run", file, "-o", output, "-q"], "output": output}
        if original.role == "ai":
            return {"arguments": [*run, "--ai-votes", file], "output": output}
        if original.role == "weights":
            return {"arguments": [*run, "--user-weights", file], "output": output}
        if original.role == "scores":
            table = str(self._folder / "ambiguity.parquet")
            return {"arguments": ["ambiguity", votes, "--scores", file, "-o", table, "-q"], "output": None}
        if original.role == "truth":
            evaluate[3] = file
        elif original.role == "consensus":
            evaluate[1] = file
        else:
            beside = self._folder / "beside"
            beside.mkdir(exist_ok=True)
            (beside / "consensus.parquet").write_bytes(self._own("consensus", ids, 0).content)
            (beside / "users.parquet").write_bytes(content)
            evaluate[1] = str(beside)
        return {"arguments": evaluate, "output": None}


def _role(chance: random.Random) -> str:
    return chance.choices(list(ROLES), list(ROLES.values()))[0]


def judged(answer: dict[str, Any], limit: int) -> Verdict:
    """The verdict on an answer of the process that reads."""
    said, code = answer["said"], answer.get("exit_code")
    if "end" in answer:
        return Verdict(answer["end"].split(":")[0], f"{answer['end']}: {_gist(said)}")
    if not isinstance(code, int) or any(bad in said for bad in ("Traceback", "internal error", "Exception ignored")):
        return Verdict("internal", f"{code} {said}")
    if answer["wrong"]:
        return Verdict("leftovers", answer["wrong"])
    if not said.replace("\n", "").isprintable():
        return Verdict("unprintable", repr(said))
    lines = [line for line in said.splitlines() if not line.startswith("plant-aggregate: warning: ")]
    if code == 0 and lines:
        return Verdict("lines", said)
    if code != 0 and (code not in (1, 2) or not _is_complaint(lines)):
        return Verdict("lines", f"{code} {said}")
    if answer["peak"] > limit:
        return Verdict("memory", f"{answer['peak'] >> 20} MiB, limit {limit >> 20} MiB: {code} {said}")
    return Verdict("published" if code == 0 else "refused", f"{code} {said}")


def _gist(said: str) -> str:
    """Of a crash report: its beginning, and where our own code stood."""
    lines = said.splitlines()
    ours = [line.strip() for line in lines if re.search(r"/(aggregate|cli)/.* line", line)]
    return " | ".join([*lines[:3], *ours[:4]])


def _is_complaint(lines: list[str]) -> bool:
    """One line; or, of faults in columns, one for each."""
    if not lines or not all(line.startswith("plant-aggregate: error: ") for line in lines):
        return False
    return len(lines) == 1 or all(re.search(r"(damaged|users)\.parquet: column '", line) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
