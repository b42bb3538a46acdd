"""Damaged and hostile configuration files against ``config`` and ``config --show``.

``python -m tests.fuzz.toml --files 20000 --seed 1`` makes and reads so many and says what became of them;
``--case 1000042`` does one of them again, and ``--save FOLDER`` keeps the bad ones.
"""

import random
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from plant_aggregate.cli.group import COMMANDS

from .campaign import MORE, TIMES, Verdict, campaign
from .reader import Reader
from .toml_mutations import ORIGINALS, mutate

GOOD = ("accepted", "refused")
NAME = "file.toml"
REFUSED = re.compile(
    rf"{NAME}(?:, line (\d+): .+|: \[run\] .+|: is not TOML: .+"
    r"|: is too large for a configuration|: cannot be read \(.+\))"
)
MISSING = re.compile(rf"{NAME}, line (\d+): \[[a-z-]+\] [a-z-]+: .+")
"""A path that is right as a setting, and leads nowhere."""

ERROR = "plant-aggregate: error: "


@dataclass(frozen=True)
class Case:
    """One file, how it came to be, and the command whose settings are shown."""

    number: int
    content: bytes
    made_by: str
    command: str

    def __str__(self) -> str:
        return f"{self.number} ({self.command}, {self.made_by})"


def main() -> int:
    """The command line; exit code 1 if a file was bad."""
    return campaign(__doc__ or "", Bench(), GOOD, ".toml")


def case_of(number: int) -> Case:
    """The file of a number: always the same."""
    chance = random.Random(number)
    content, made_by = mutate(chance, chance.choice(ORIGINALS))
    return Case(number, content, made_by, chance.choice(("run", *COMMANDS)))


class Bench:
    """A folder with one file, and a process that reads it."""

    def __enter__(self) -> "Bench":
        self._folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self._file = self._folder / NAME
        valid = self._folder / "valid.toml"
        valid.write_text(ORIGINALS[0])
        warm_up = {"arguments": ["config", "--show", "--config", str(valid)], "output": None, "warm": True}
        self._reader = Reader(self._folder, [warm_up], prints=True)
        peaks = []
        for original in ORIGINALS:
            self._file.write_text(original)
            answer = self._reader.ask(self._job("run"))
            if answer.get("exit_code") != 0:
                raise RuntimeError(f"a valid file is not read: {original} {answer}")
            peaks.append(answer["peak"])
        self._limit = min(TIMES * min(peaks), min(peaks) + MORE)
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def judge(self, numbers: Iterable[int]) -> Iterator[tuple[Case, Verdict]]:
        """Make and read the files of these numbers."""
        for number in numbers:
            case = case_of(number)
            yield case, self.verdict(case)

    def verdict(self, case: Case) -> Verdict:
        """Check a file, show its settings, and show what was shown once more."""
        self._file.write_bytes(case.content)
        checked = self._ask()
        verdict = judged(checked, case.content, self._limit)
        if verdict.kind not in GOOD:
            return verdict
        shown = self._ask(case.command)
        verdict = judged(shown, case.content, self._limit)
        if verdict.kind == "refused" or verdict.kind not in GOOD:
            same = shown.get("said") == checked["said"]
            return verdict if verdict.kind not in GOOD or same else Verdict("other", f"{checked} {shown}")
        if checked["exit_code"] == 2 and f"{NAME}: [run] " not in checked["said"]:  # what does not go together is shown
            return Verdict("other", f"{checked} {shown}")
        self._file.write_text(shown["said"], encoding="utf-8")
        again = self._ask(case.command)
        verdict = judged(again, shown["said"].encode(), self._limit)
        if verdict.kind != "accepted":
            return Verdict("shown", f"{shown['said']} {again}")
        lost = difference(case, shown["said"], again["said"])
        return Verdict("shown", lost) if lost else verdict

    def _ask(self, command: str | None = None) -> dict[str, Any]:
        return self._reader.ask(self._job(command))

    def _job(self, command: str | None = None) -> dict[str, Any]:
        show = [] if command is None else ["--show", command]
        return {"arguments": ["config", *show, "--config", str(self._file)], "output": None}


def judged(answer: dict[str, Any], content: bytes, limit: int) -> Verdict:
    """The verdict on an answer of the process that reads."""
    said, code = answer["said"], answer.get("exit_code")
    if "end" in answer:
        return Verdict(answer["end"].split(":")[0], f"{answer['end']}: {said}")
    if not isinstance(code, int) or any(bad in said for bad in ("Traceback", "internal error", "Exception ignored")):
        return Verdict("internal", f"{code} {said}")
    if not said.replace("\n", "").isprintable():
        return Verdict("unprintable", repr(said))
    if answer["peak"] > limit:
        return Verdict("memory", f"{answer['peak'] >> 20} MiB, limit {limit >> 20} MiB: {code} {said}")
    n_lines = content.count(b"\n") + 1
    lines = said.rstrip("\n").split("\n")
    if code == 2 and not _are_faults(lines, REFUSED, n_lines):
        return Verdict("lines", said)
    if code == 1 and not _are_faults([line for line in lines if line.startswith(ERROR)], MISSING, n_lines):
        return Verdict("lines", said)
    if code not in (0, 1, 2) or said.startswith(ERROR) != (code == 2) or (ERROR in said) != (code != 0):
        return Verdict("lines", f"{code} {said}")
    return Verdict("refused" if code == 2 else "accepted", said)


def _are_faults(lines: list[str], form: re.Pattern[str], n_lines: int) -> bool:
    """Whether every line is a fault of the file, in this form, and names a line that the file has."""
    folder = re.compile(rf"\S*/(?={NAME})")
    faults = [form.fullmatch(folder.sub("", line.removeprefix(ERROR), count=1)) for line in lines]
    return all(fault and (fault[1] is None or 1 <= int(fault[1]) <= n_lines) for fault in faults)


def difference(case: Case, shown: str, again: str) -> str:
    """What the settings shown are not that were given, or not after they were read once more; empty if none."""
    given, once, twice = (_table_of(case.command, text) for text in (case.content.decode(), shown, again))
    if repr(once) != repr(twice):
        return f"{once} is not {twice}"
    for key, value in given.items():
        plain = [_plain(item) for item in value] if isinstance(value, list) else _plain(value)
        if repr(once.get(key)) not in (repr(plain), repr([plain])):  # one text stands for a list of it
            return f"{key}: {once.get(key)!r} is not {plain!r}"
    return ""


def _table_of(command: str, text: str) -> dict[str, Any]:
    """The settings of a command, whose words are a path of tables: none if the file has no such table."""
    table = tomllib.loads(text)
    for word in command.split():
        table = table.get(word, {})
    return table


def _plain(value: Any) -> Any:
    """Dates are settings as text."""
    return value.isoformat() if isinstance(value, date) else value


if __name__ == "__main__":
    sys.exit(main())
