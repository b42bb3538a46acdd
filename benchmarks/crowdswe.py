"""The conversion of a release of Pl@ntNet-CrowdSWE, as a whole process, on one that is made in its size.

python -m benchmarks.crowdswe --scale 1
python -m benchmarks.crowdswe --scale 1 --release 2
python -m benchmarks.crowdswe --scale 0.1 --parsers

At scale 1 there are 6.7 million observations with 9 million votes of 800,000 users for 11,425 classes, and for each
observation an answer of the AI and a line of the experts. ``--parsers`` compares ways to read the votes alone, those
that are installed; json.load, msgspec and orjson hold the whole file in memory.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE

OBSERVATIONS, USERS, CLASSES = 6_700_000, 800_000, 11_425
FIRST_ID = 1_000_000_000
LIMITS = Limits(600, 8 * GIB)

OURS = "from pathlib import Path; from plant_aggregate.formats.json_records import members as read; "
PARSERS = {
    "the records of this package": OURS + "print(sum(len(record.value) for record in read(Path({path!r}))))",
    "ijson.kvitems": "import ijson; print(sum(len(v) for _, v in ijson.kvitems(open({path!r}, 'rb'), '')))",
    "ijson.basic_parse": "import ijson; print(sum(1 for _ in ijson.basic_parse(open({path!r}, 'rb'))))",
    "ijson.kvitems in Python": "from ijson.backends import python as ijson; "
    "print(sum(len(v) for _, v in ijson.kvitems(open({path!r}, 'rb'), '')))",
    "json_stream": "import json_stream as read; "
    "print(sum(1 for _, v in read.load(open({path!r})).items() for _ in v.items()))",
    "json.load": "import json; print(sum(map(len, json.load(open({path!r})).values())))",
    "msgspec": "import msgspec; print(sum(map(len, msgspec.json.decode(open({path!r}, 'rb').read()).values())))",
    "orjson": "import orjson; print(sum(map(len, orjson.loads(open({path!r}, 'rb').read()).values())))",
}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 9 million votes")
    parser.add_argument("--release", type=int, default=1, choices=(1, 2))
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--parsers", action="store_true", help="ways to read the votes, instead of the conversion")
    given = parser.parse_args()
    folder = LOGS / f"crowdswe-{given.release}-scale-{given.scale:g}"
    if not (folder / "complete").exists():
        (make_first if given.release == 1 else make_second)(folder, int(OBSERVATIONS * given.scale))
        (folder / "complete").touch()
    votes = folder / ("answers/answers.json" if given.release == 1 else "votes/human_votes.json")
    with tempfile.TemporaryDirectory() as output:
        to = ["-q", "--overwrite", "-o", f"{output}/tables"]
        commands = {
            "all files: convert crowdswe": [*PLANT_AGGREGATE, "convert", "crowdswe", str(folder), *to],
            "the votes alone: convert peerannot": [*PLANT_AGGREGATE, "convert", "peerannot", str(votes), *to],
        }
        if given.parsers:
            commands = {name: [sys.executable, "-c", code.format(path=str(votes))] for name, code in PARSERS.items()}
        print("| | seconds | processor | peak GiB |\n|---|---:|---:|---:|")
        for name, command in commands.items():
            runs = [run_measured(command, LIMITS) for _ in range(given.repeat)]
            best = min(runs, key=lambda run: run.seconds)
            print(
                f"| {name} | {best.seconds:.1f} | {best.cpu_seconds:.1f} | {best.peak_memory / GIB:.2f} | {best.ending}"
            )


def make_first(folder: Path, n: int) -> None:
    """Write the layout of the first release, in little memory."""
    answers = (f'"{task}": {{{_members(_votes(task), 6)}\n   }}' for task in range(n))
    _write(folder / "answers/answers.json", answers)
    _write_lines(folder / "answers/ground_truth.txt", (_truth(task) for task in range(n)))
    _write(folder / "converters/tasks.json", (f'"{FIRST_ID + task}": {task}' for task in range(n)))
    _write(folder / "converters/classes.json", (f'"Genus species{number} L.": {number}' for number in range(CLASSES)))
    _write_lines(folder / "aggregation/authors.txt", (_author(task) for task in range(n)))
    _write(folder / "aggregation/ai_answers.json", (f'"{task}": {_class(task)}' for task in range(n)))
    _write(folder / "aggregation/ai_scores.json", (f'"{task}": {_share(task, 5):.5f}' for task in range(n)))
    _write(
        folder / "aggregation/ai_classes.json", (f'"Genus species{number} L.": {number}' for number in range(CLASSES))
    )


def make_second(folder: Path, n: int) -> None:
    """Write the layout of the second release, in little memory."""
    keys = range(FIRST_ID, FIRST_ID + n)
    answers = (f'"{key}": {{{_members(_votes(key - FIRST_ID), 6, quote=True)}\n   }}' for key in keys)
    _write(folder / "votes/human_votes.json", answers)
    _write(folder / "votes/ground_truth.json", (f'"{key}": {_truth(key - FIRST_ID)}' for key in keys))
    _write(folder / "votes/ai_votes.json", (f'"{key}": "{_class(key - FIRST_ID)}"' for key in keys))
    _write(folder / "ai_scores/ai_scores.json", (f'"{key}": {_share(key, 5):.5f}' for key in keys))
    _write(folder / "converters/authors.json", (f'"{key}": "{_author(key - FIRST_ID)}"' for key in keys))
    names = [f'"Genus species{number} L.": "{number}"' for number in range(CLASSES)]
    _write(folder / "converters/unified_classes.json", names)


def _share(number: int, salt: int) -> float:
    """A number in [0, 1) that looks random."""
    return ((number * 2654435761 + salt * 40503) ^ (number >> 7)) % 2**32 / 2**32


def _class(task: int) -> int:
    return int(CLASSES * _share(task, 1) ** 3)


def _author(task: int) -> int:
    return int(USERS * _share(task, 2) ** 2)


def _truth(task: int) -> int:
    return _class(task) if task % 250 == 0 else -1


def _votes(task: int) -> Iterator[tuple[int, int]]:
    """Users, the author first, and classes: one vote on three observations of four, 1.34 on average."""
    yield _author(task), _class(task)
    if task % 4 == 0:
        for voter in range(1 + (task % 11 == 0) * 4):
            yield USERS + (task + voter * 7919) % 10_000, _class(task + (task % 5 == 0))


def _members(votes: Iterable[tuple[int, int]], indent: int, *, quote: bool = False) -> str:
    mark = '"' if quote else ""
    return ",".join(f'\n{" " * indent}"{user}": {mark}{number}{mark}' for user, number in votes)


def _write(path: Path, members: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        before = "{\n   "
        for member in members:
            file.write(before)
            file.write(member)
            before = ",\n   "
        file.write("\n}")


def _write_lines(path: Path, values: Iterable[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{value}\n" for value in values)


if __name__ == "__main__":
    main()
