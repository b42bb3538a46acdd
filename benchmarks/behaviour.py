"""Whether a change of the code changed what plant-aggregate does.

    python -m benchmarks.behaviour record before.json --command /path/to/the/old/.venv/bin/plant-aggregate
    python -m benchmarks.behaviour record after.json
    python -m benchmarks.behaviour compare before.json after.json
    python -m benchmarks.behaviour check before.json

``record`` calls the installed command as a user does, never the package, in a temporary folder: all strategies, AI
modes and commands on the sample votes and on a simulated log, and some hundred and fifty calls that fail. An entry of
the file is what one call did (exit code, standard output, standard error, files gone), or one file that it wrote:
digests of a Parquet table and its columns, keys, types and values of JSON, the lines of text. ``compare`` prints the
entries that differ, and exits with 1 if there are any; ``check`` records and compares at once. ``--only`` takes the
scenarios whose names begin so, such as ``strategies/``, ``errors/`` or ``guards``.

What is masked, and why, is said in ``behaviour_record.py``; the calls are in ``behaviour_calls.py``. Compare records
of one machine: libraries of other versions write other bytes.
"""

import argparse
import difflib
import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.behaviour_calls import SETUP, scenarios
from benchmarks.behaviour_inputs import write_inputs
from benchmarks.behaviour_record import Record, sha256

SAMPLE_VOTES = Path(__file__).parents[1] / "sample_votes"

INPUTS = ("sample", "sim", "strings", "made")
"""Folders that all scenarios read, and none writes in."""

Entries = dict[str, Any]


def main() -> int:
    """Record, compare, or both; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    for name in ("record", "check"):
        task = tasks.add_parser(name)
        task.add_argument("file", type=Path)
        installed = Path(sys.executable).with_name("plant-aggregate")
        task.add_argument("--command", default=str(installed), help="default: the one beside this Python")
        task.add_argument("--jobs", type=int, default=2, help="scenarios at a time")
        task.add_argument("--only", default="", metavar="PREFIX", help="scenarios whose names begin so")
    compared = tasks.add_parser("compare")
    compared.add_argument("before", type=Path)
    compared.add_argument("after", type=Path)
    arguments = parser.parse_args()
    if arguments.task == "compare":
        return compare(read(arguments.before), read(arguments.after))
    entries = record(arguments.command, arguments.jobs, arguments.only)
    if arguments.task == "check":
        before = read(arguments.file)
        return compare({name: before[name] for name in before if is_chosen(name, arguments.only)}, entries)
    arguments.file.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(entries)} entries in {arguments.file}")
    return 0


def read(path: Path) -> Entries:
    entries: Entries = json.loads(path.read_text())
    return entries


def is_chosen(name: str, prefix: str) -> bool:
    return name.startswith((prefix, "setup"))


def record(command: str, jobs: int, prefix: str) -> Entries:
    """What the installed ``command`` does now, in the scenarios chosen."""
    path = shutil.which(command)
    if path is None:
        sys.exit(f"{command}: no such command")
    chosen = {name: lines for name, lines in scenarios().items() if is_chosen(name, prefix)}
    with tempfile.TemporaryDirectory(prefix="behaviour-") as folder:
        root = Path(folder).resolve()
        shutil.copytree(SAMPLE_VOTES, root / "sample")
        entries = _recorded("setup", SETUP, str(Path(path).absolute()), root)
        write_inputs(root)
        entries["setup: inputs"] = inputs = _inputs(root)
        with ThreadPoolExecutor(jobs) as pool:
            done = [pool.submit(_recorded, *item, str(Path(path).absolute()), root) for item in chosen.items()]
            for each in done:
                entries |= each.result()
        if _inputs(root) != inputs or {"out", *INPUTS} != {path.name for path in root.iterdir()}:
            sys.exit("a scenario wrote outside of its folder, so others may have seen it: correct behaviour_calls.py")
    return entries


def _inputs(root: Path) -> dict[str, str]:
    """The SHA-256 of all files that the scenarios read."""
    paths = sorted(path for place in INPUTS for path in (root / place).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): sha256(path.read_bytes()) for path in paths}


def _recorded(name: str, lines: list[str], command: str, root: Path) -> Entries:
    started = time.monotonic()
    scenario = Record(name, command, root)
    for line in lines:
        scenario.do(line)
    print(f"{name}: {len(lines)} calls, {time.monotonic() - started:.0f} s", file=sys.stderr)
    return scenario.entries


def compare(before: Entries, after: Entries) -> int:
    """Print what differs; 1 if anything does."""
    names = list(before | after)
    differing = [name for name in names if as_lines(before, name) != as_lines(after, name)]
    for name in differing:
        print(f"--- {name}")
        if name not in before or name not in after:
            print(f"    only {'after' if name in after else 'before'}")
            continue
        diff = difflib.unified_diff(as_lines(before, name), as_lines(after, name), lineterm="", n=1)
        print("\n".join(f"    {line}" for line in list(diff)[2:] if not line.startswith("@@")))
    print(f"{len(names) - len(differing)} of {len(names)} the same")
    return 1 if differing else 0


def as_lines(entries: Entries, name: str) -> list[str]:
    """An entry as JSON, a line for each value."""
    return json.dumps(entries.get(name), indent=1, ensure_ascii=False).splitlines()


if __name__ == "__main__":
    sys.exit(main())
