"""What is alive at the peak of the main job, counted array by array, against what the process took.

    python -m benchmarks.memory --scales 0.1 1

Runs ``plant-aggregate run`` on simulated logs with integer ids and prints the account beside the measured peak. The
account itself is printed in docs/performance.md.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE, simulated

MIB = 2**20


class Item(NamedTuple):
    """So many bytes for each of something."""

    what: str
    per: str
    bytes: int


ACCOUNT = (
    Item("user, label, author", "vote", 4 + 4 + 1),
    Item("the vote once more, by user and label: (user, species) pairs are runs of these", "vote", 8),
    Item("id, as it came (an integer)", "observation", 8),
    Item("where its votes begin", "observation", 8),
    Item("label", "observation", 4),
    Item("weight of its votes", "observation", 8),
    Item("state, whether it changed, whether it is stale, whether it is valid", "observation", 4),
    Item("id, as it came (an integer)", "user", 8),
    Item("where the user's votes begin", "user", 8),
    Item("weight, now and before", "user", 16),
    Item("species as author, as voter, in all, and those of the iteration before", "user", 24),
    Item("columns of users.parquet", "user", 40),
)
"""Integer ids; at the moment when ``consensus.parquet`` begins to be written."""

PROGRAM = 200 * MIB
"""The interpreter, the libraries and the compiled kernels: what a run of a few votes takes."""

ROW_GROUP = 1 << 19
WRITER = 136
"""Bytes for each observation of a row group, while it is derived, encoded and compressed."""


def expected_peak(counts: dict[str, int]) -> int:
    """Bytes at the peak, for ``counts`` of votes, observations and users."""
    held = sum(item.bytes * counts[item.per] for item in ACCOUNT)
    return PROGRAM + held + WRITER * min(counts["observation"], ROW_GROUP)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="The main job's memory, counted and measured.")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.1, 1.0], help="1 is 9 million votes")
    options = parser.parse_args()
    print("| votes | observations | users | counted | measured | bytes a vote |")
    print("|---:|---:|---:|---:|---:|---:|")
    for scale in options.scales:
        votes = simulated(scale, "int")
        with tempfile.TemporaryDirectory(dir=LOGS) as output:
            command = [*PLANT_AGGREGATE, "run", str(votes), "-q", "-o", output]
            run = run_measured(command, Limits(seconds=3600, memory=1024 * GIB))
            found = json.loads((Path(output) / "latest" / "run.json").read_text())["counts"]
        counts = {"vote": found["votes"]["used"], "observation": found["observations"], "user": found["users"]}
        expected = expected_peak(counts)
        figures = " | ".join(f"{count:,}" for count in counts.values())
        print(
            f"| {figures} | {expected / MIB:,.0f} MiB | {run.peak_memory / MIB:,.0f} MiB "
            f"| {run.peak_memory / counts['vote']:.0f} |"
        )


if __name__ == "__main__":
    main()
