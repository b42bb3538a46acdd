"""Time and peak memory of the main job, as a whole process, on a simulated log.

    python benchmarks/main_job.py --scale 1 --repeat 5

Simulates the log once (kept in ``benchmarks/logs/``), runs ``plant-aggregate run`` on it again and again, and prints
each run, the median, and the seconds per phase of the median run. Nothing here is a test: machines differ and are
shared.
"""

import argparse
import json
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from simulated_logs import LOGS, PLANT_AGGREGATE, simulated


def timed_run(votes: Path, threads: int | None) -> tuple[float, dict[str, object]]:
    """Seconds from the start of the process to its end, and what run.json says."""
    options = [] if threads is None else ["--threads", str(threads)]
    with tempfile.TemporaryDirectory(dir=LOGS) as output:
        started = time.perf_counter()
        run = [*PLANT_AGGREGATE, "run", str(votes), "-q", "-o", output, *options]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        spent = time.perf_counter() - started
        return spent, json.loads((Path(output) / "latest" / "run.json").read_text())


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="Time and peak memory of plant-aggregate run.")
    parser.add_argument("--scale", type=float, default=0.1, help="1 is 9 million votes (default 0.1)")
    parser.add_argument("--ids", choices=["int", "string"], default="int")
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    LOGS.mkdir(exist_ok=True)
    votes = simulated(options.scale, options.ids)
    timed_run(votes, options.threads)  # compiles the kernels if need be, and warms the file cache
    runs = sorted((timed_run(votes, options.threads) for _ in range(options.repeat)), key=lambda run: run[0])
    seconds, manifest = runs[len(runs) // 2]
    counts = manifest["counts"]
    assert isinstance(counts, dict)
    print(f"{counts['votes']['used']:,} votes, {options.ids} ids, {options.repeat} runs")
    print("whole command: " + ", ".join(f"{spent:.2f}" for spent, _ in runs) + " s")
    print(f"median {statistics.median(spent for spent, _ in runs):.2f} s, of which:")
    phases = manifest["seconds"]
    assert isinstance(phases, dict)
    for phase, spent in phases.items():
        print(f"  {phase:<24}{spent:6.2f} s")
    print(f"  {'start and publish':<24}{seconds - sum(phases.values()):6.2f} s")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB (the most of all runs)")


if __name__ == "__main__":
    main()
