"""What is alive at the peak of the main job, counted array by array, against what the process took.

    python benchmarks/memory.py --scales 0.1 1

Runs ``plant-aggregate run`` on simulated logs with integer ids and prints the account beside the measured peak. The
account itself is printed in docs/memory.md.
"""

import argparse
from typing import NamedTuple

from processes import run_measured
from simulated_logs import simulated_votes

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

WRITER = 90 * MIB
"""The rows that are derived and compressed at a time, however many there are in all; less where there are few."""


def expected_peak(counts: dict[str, int]) -> int:
    """Bytes at the peak, for ``counts`` of votes, observations and users."""
    return PROGRAM + WRITER + sum(item.bytes * counts[item.per] for item in ACCOUNT)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="The main job's memory, counted and measured.")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.1, 1.0], help="1 is 9 million votes")
    options = parser.parse_args()
    print("| votes | observations | users | counted | measured | bytes a vote |")
    print("|---:|---:|---:|---:|---:|---:|")
    for scale in options.scales:
        run = run_measured(simulated_votes(scale, "int"))
        counts = {
            "vote": run.manifest["counts"]["votes"]["used"],
            "observation": run.manifest["counts"]["observations"],
            "user": run.manifest["counts"]["users"],
        }
        expected = expected_peak(counts)
        figures = " | ".join(f"{count:,}" for count in counts.values())
        print(
            f"| {figures} | {expected / MIB:,.0f} MiB | {run.peak_bytes / MIB:,.0f} MiB "
            f"| {run.peak_bytes / counts['vote']:.0f} |"
        )


if __name__ == "__main__":
    main()
