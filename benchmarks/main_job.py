"""Time and peak memory of the main job, as a whole process, on a simulated log.

    python -m benchmarks.main_job --scale 1 --ids int string --threads 1 2 4

Simulates the log once (kept in ``benchmarks/logs/``), runs ``plant-aggregate run`` on it again and again, and prints
each run, the median, and the seconds per phase of the median run. Checks that all runs on a log wrote the same bytes,
whatever the number of threads.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import GIB, Limits, Run, run_measured
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE, simulated


@dataclass(frozen=True)
class Measured:
    """One run of the main job."""

    process: Run
    manifest: dict[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of all tables."""
        return " ".join(output["sha256"] for output in self.manifest["outputs"].values())


def measured_run(votes: Path, threads: int | None) -> Measured:
    """Run the main job on a log."""
    options = [] if threads is None else ["--threads", str(threads)]
    with tempfile.TemporaryDirectory(dir=LOGS) as output:
        command = [*PLANT_AGGREGATE, "run", str(votes), "-q", "-o", output, *options]
        process = run_measured(command, Limits(seconds=3600, memory=1024 * GIB))
        if process.ending:
            raise SystemExit(process.ending)
        return Measured(process, json.loads((Path(output) / "latest" / "run.json").read_text()))


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="Time and peak memory of plant-aggregate run.")
    parser.add_argument("--scale", type=float, default=0.1, help="1 is 9 million votes (default 0.1)")
    parser.add_argument("--ids", choices=["int", "string"], nargs="+", default=["int"])
    parser.add_argument("--threads", type=int, nargs="+", default=[None], help="default: all cores")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    LOGS.mkdir(exist_ok=True)
    kinds = [(ids, threads) for ids in options.ids for threads in options.threads]
    logs = {ids: simulated(options.scale, ids) for ids in options.ids}
    for ids, threads in kinds:
        measured_run(logs[ids], threads)  # compiles the kernels if need be, and warms the file cache
    runs: dict[tuple[str, int | None], list[Measured]] = {kind: [] for kind in kinds}
    for _ in range(options.repeat):  # in turns: what else happens on the machine happens to all
        for ids, threads in kinds:
            runs[ids, threads].append(measured_run(logs[ids], threads))
    for (ids, threads), measured in runs.items():
        print_runs(f"{ids} ids, {threads or 'all'} threads", measured)
    for ids in options.ids:
        digests = {run.digest for threads in options.threads for run in runs[ids, threads]}
        print(f"{ids} ids: " + ("the same bytes from every run" if len(digests) == 1 else "RESULTS DIFFER"))
        if len(digests) > 1:
            raise SystemExit(1)


def print_runs(name: str, runs: list[Measured]) -> None:
    """Each run, the median, and its phases."""
    ordered = sorted(runs, key=lambda run: run.process.seconds)
    median = ordered[len(ordered) // 2]
    print(f"{median.manifest['counts']['votes']['used']:,} votes, {name}, {len(runs)} runs")
    print("whole command: " + ", ".join(f"{run.process.seconds:.2f}" for run in ordered) + " s")
    print(f"median {median.process.seconds:.2f} s ({median.process.cpu_seconds:.2f} s of processors), of which:")
    phases = median.manifest["seconds"]
    for phase, spent in phases.items():
        print(f"  {phase:<24}{spent:6.2f} s")
    print(f"  {'start and publish':<24}{median.process.seconds - sum(phases.values()):6.2f} s")
    print(f"peak memory {max(run.process.peak_memory for run in runs) / GIB:.2f} GiB (the most of all runs)")


if __name__ == "__main__":
    main()
