"""The first run after an installation, which compiles the kernels, and those after it, on sample_votes.

python -m benchmarks.start --repeat 5
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.simulated_logs import PLANT_AGGREGATE

SAMPLE = Path(__file__).parent.parent / "sample_votes" / "votes.parquet"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="Cold and warm start.")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    cold, warm = [], []
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["NUMBA_CACHE_DIR"] = f"{folder}/kernels"
            command = [*PLANT_AGGREGATE, "run", str(SAMPLE), "-q", "-o", f"{folder}/consensus"]
            for kind in (cold, warm, warm):
                kind.append(run_measured(command, Limits(seconds=600, memory=64 * GIB)).seconds)
    for name, seconds in (("cold", cold), ("warm", warm)):
        listed = ", ".join(f"{second:.2f}" for second in sorted(seconds))
        print(f"{name}: median {statistics.median(seconds):.2f} s of {listed}")


if __name__ == "__main__":
    main()
