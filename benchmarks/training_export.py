"""Time and peak memory of ``export training`` and ``subset``, as whole processes, on a simulated log.

    python -m benchmarks.training_export --scale 1

Scale 1 is 6.7 million observations with 9 million votes. The log is kept in ``benchmarks/logs/``, the run on it is not.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE, simulated

CALLS = {
    "export training": ["export", "RUN", "training"],
    "export training --hard": ["export", "RUN", "training", "--hard"],
    "export training --hard --group observation": ["export", "RUN", "training", "--hard", "--group", "observation"],
    "subset --genera-share 0.1": ["subset", "RUN", "--genera-share", "0.1"],
}
"""What is measured, by its name; RUN is filled in."""


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 6.7 million observations")
    parser.add_argument("--ids", choices=["int", "string"], default="int")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    limits = Limits(3600, 64 * GIB)
    votes = simulated(given.scale, given.ids)
    print("| command | seconds | peak GiB |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory(dir=LOGS) as folder:
        output = str(Path(folder, "consensus"))
        run = run_measured([*PLANT_AGGREGATE, "run", str(votes), "-q", "-o", output], limits)
        if run.ending:
            sys.exit(run.ending)
        for name, arguments in CALLS.items():
            command = [*PLANT_AGGREGATE, *arguments, "-q", "--overwrite", "-o", str(Path(folder, "made"))]
            command[command.index("RUN")] = output
            runs = [run_measured(command, limits) for _ in range(given.repeat)]
            failed = [each.ending for each in runs if each.ending]
            if failed:
                sys.exit(f"{name}: {failed[0]}")
            seconds, peak = median(each.seconds for each in runs), max(each.peak_memory for each in runs)
            print(f"| `{name}` | {seconds:.1f} | {peak / GIB:.2f} |")


if __name__ == "__main__":
    main()
