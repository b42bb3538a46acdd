"""Every strategy on a simulated log, one process each: seconds of fitting, of the whole process, and peak memory.

Run as:

python benchmarks/strategies_at_scale.py --scale 1
"""

import argparse
import sys

from processes import GIB, Limits, run_measured
from simulated_logs import simulated

FIT = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import aggregate
from aggregate.strategies.registry import STRATEGIES
votes = aggregate.read_votes(sys.argv[2])
started = time.perf_counter()
consensus = STRATEGIES[sys.argv[1]]().fit(votes)
fitted = time.perf_counter() - started
open(sys.argv[3], "w").write(json.dumps([fitted, len(consensus.trace.iterations), consensus.trace.converged]))
"""


def main() -> None:
    """Measure and print a Markdown table."""
    import json
    import tempfile
    from pathlib import Path

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 9 million votes")
    parser.add_argument("--strategies", nargs="+", default=names(), help="default: all")
    given = parser.parse_args()
    log = simulated(given.scale, "int")
    print("| strategy | fit, s | whole process, s | peak GiB | iterations |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        for name in given.strategies:
            run = run_measured([sys.executable, "-c", FIT, name, str(log), str(answer)], Limits(600, 8 * GIB))
            if run.ending:
                print(f"| `{name}` | {run.ending} | | | |")
                continue
            fitted, iterations, converged = json.loads(answer.read_text())
            ending = "" if converged else " (limit)"
            peak = run.peak_memory / GIB
            print(f"| `{name}` | {fitted:.2f} | {run.seconds:.1f} | {peak:.2f} | {iterations}{ending} |", flush=True)


def names() -> list[str]:
    """All strategies, read from the registry's text: whoever measures must stay small."""
    import subprocess

    listed = "from aggregate.strategies.registry import STRATEGIES; print(*STRATEGIES)"
    return subprocess.run([sys.executable, "-c", listed], check=True, capture_output=True, text=True).stdout.split()


if __name__ == "__main__":
    main()
