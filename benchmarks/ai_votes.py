"""What AI votes cost: the main job with and without them, in turns, as whole processes.

python -m benchmarks.ai_votes --scale 1 --repeat 5
"""

import argparse
import subprocess
import sys
import tempfile
from statistics import median

from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE

MODES = ("ignore", "invalidating", "confident", "fixed", "user")


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 9 million votes, and an AI vote on 6.7 million")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    given = parser.parse_args()
    folder = LOGS / f"scale-{given.scale:g}-ai"
    if not (folder / "ai_votes.parquet").exists():
        simulate = [*PLANT_AGGREGATE, "simulate", str(folder), "--scale", str(given.scale), "--ai", "-q"]
        subprocess.run(simulate, check=True, stdout=subprocess.DEVNULL)
    options = {"without": []} | {mode: ["--ai-votes", str(folder / "ai_votes.parquet")] for mode in given.modes}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in options}
    with tempfile.TemporaryDirectory() as output:
        for turn in range(given.repeat + 1):  # the first, which may compile kernels, is not counted
            for name, more in options.items():
                mode = [] if name == "without" else ["--ai-mode", name]
                command = [*PLANT_AGGREGATE, "run", str(folder / "votes.parquet"), "-q", "-o", output]
                run = run_measured([*command, *more, *mode], Limits(600, 16 * GIB))
                if run.ending:
                    sys.exit(f"{name}: {run.ending}")
                if turn:
                    found[name].append((run.seconds, run.peak_memory / GIB))
    alone = median(seconds for seconds, _ in found["without"])
    print("| AI votes | seconds | more than without | peak GiB |\n|---|---:|---:|---:|")
    for name, runs in found.items():
        seconds, peak = median(run[0] for run in runs), max(run[1] for run in runs)
        print(f"| {name} | {seconds:.2f} | {100 * (seconds / alone - 1):.0f} % | {peak:.2f} |")


if __name__ == "__main__":
    main()
