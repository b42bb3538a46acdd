"""What checksums cost a run: those of the pages that it writes, and the SHA-256 of the run before that it looks at.

``python -m benchmarks.checksums OUTPUT`` writes the consensus published in an output folder again and again, with
checksums and without in turn, and hashes it; seconds of processor time, as a share of those that the run took.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable

import pyarrow.parquet as pq

import plant_aggregate

PAIRS = 15


def main() -> None:
    """Print both costs beside the time of the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", help="an output folder of plant-aggregate run")
    run = plant_aggregate.open_latest(parser.parse_args().output)
    table = run.read_table()
    whole = sum(run.manifest["seconds"].values())

    def write(*, checksums: bool) -> None:
        pq.write_table(table, io.BytesIO(), compression="zstd", compression_level=1, write_page_checksum=checksums)

    dearer = [_seconds(lambda: write(checksums=True)) - _seconds(lambda: write(checksums=False)) for _ in range(PAIRS)]
    hashed = [_seconds(run.verify) for _ in range(PAIRS)]
    for what, seconds in (("checksums of pages", dearer), ("SHA-256 of the run before", hashed)):
        median = statistics.median(seconds)
        print(f"{what}: {1000 * median:.1f} ms, {100 * median / whole:.2f} % of a run of {whole:.1f} s")


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
