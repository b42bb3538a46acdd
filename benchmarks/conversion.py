"""The conversion of votes in CSV, as a whole process.

python -m benchmarks.conversion --scale 1

The log is a simulated one with all columns: at scale 1 it has 9 million votes. Once its text is as plain as it can be,
once all of it is in quotes, once every millionth record lacks a field, and once it is gzipped.
"""

import argparse
import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE, simulated

LIMITS = Limits(600, 8 * GIB)
EVERY = 1_000_000  # records of which one is bad

# In a process of its own: who measures must stay small.
WRITE = """
import sys
import pyarrow.csv
import pyarrow.parquet
log, path, quotes = sys.argv[1:]
with pyarrow.parquet.ParquetFile(log) as file, open(path, "wb") as csv:
    batches = file.iter_batches()
    first = next(batches)
    style = pyarrow.csv.WriteOptions(quoting_style=quotes)
    with pyarrow.csv.CSVWriter(csv, first.schema, write_options=style) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
"""


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 9 million votes")
    parser.add_argument("--repeat", type=int, default=1)
    given = parser.parse_args()
    print("| convert csv | MB | seconds | processor | peak GiB |\n|---|---:|---:|---:|---:|")
    for name, path in _files(given.scale).items():
        with tempfile.TemporaryDirectory() as output:
            command = [*PLANT_AGGREGATE, "convert", "csv", str(path), "-q", "--overwrite", "-o", f"{output}/votes"]
            runs = [run_measured(command, LIMITS) for _ in range(given.repeat)]
        best = min(runs, key=lambda run: run.seconds)
        size = path.stat().st_size / 1e6
        used = f"{best.seconds:.1f} | {best.cpu_seconds:.1f} | {best.peak_memory / GIB:.2f}"
        print(f"| {name} | {size:,.0f} | {used} | {best.ending}")


def _files(scale: float) -> dict[str, Path]:
    """What is measured -> its file, made if it is not there."""
    folder = LOGS / f"csv-scale-{scale:g}"
    plain, quoted, bad, packed = (folder / name for name in ("plain.csv", "quoted.csv", "bad.csv", "plain.csv.gz"))
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        log = simulated(scale, "int")
        for path, quotes in ((plain, "none"), (quoted, "all_valid")):
            subprocess.run([sys.executable, "-c", WRITE, log, path, quotes], check=True)
        with plain.open("rb") as source, bad.open("wb") as target:
            for number, line in enumerate(source):
                target.write(line if number % EVERY != EVERY // 2 else line.partition(b",")[2])
        with plain.open("rb") as source, gzip.open(packed, "wb", 6) as target:
            shutil.copyfileobj(source, target)
        (folder / "complete").touch()
    return {
        "plain text": plain,
        "all text in quotes": quoted,
        "one bad record in a million": bad,
        "plain text, gzipped": packed,
    }


if __name__ == "__main__":
    main()
