"""Time and peak memory of plant-aggregate ambiguity, as a whole process, on simulated votes and made-up scores.

    python -m benchmarks.ambiguity --scale 0.15 --epochs 20 --top 10

Scale 0.15 is a million observations. The votes are simulated; the scores are drawn, not learnt: each list has a voted
label and others near it by frequency, with probabilities that sharpen from epoch to epoch. Both are made once, a row
group at a time, and kept in ``benchmarks/logs/``.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import GIB, Limits, Run, run_measured
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE, simulated

ROWS = 50_000
"""Score lists made at a time: a row group."""


def made_up_scores(votes: Path, epochs: int, top: int) -> Path:
    """A file of score lists for the observations of a log, made if it is not there.

    A process of its own makes it, so that this one stays small (see ``processes``).
    """
    path = votes.parent / f"scores-{epochs}-{top}.parquet"
    if not path.exists():
        command = [sys.executable, "-m", "benchmarks.ambiguity", "--make", str(votes), str(path), str(epochs), str(top)]
        subprocess.run(command, check=True)
    return path


def make(votes: Path, path: Path, epochs: int, top: int) -> None:
    """Write the scores epoch by epoch."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    log = pq.read_table(votes, columns=["observation_id", "label"])
    log = log.filter(pc.is_valid(log["label"])).combine_chunks()
    labels = log["label"].dictionary_encode().combine_chunks()
    first = np.unique(pc.rank(log["observation_id"], tiebreaker="dense").to_numpy(), return_index=True)[1]
    ids, voted = log["observation_id"].take(pa.array(first)).combine_chunks(), labels.indices.to_numpy()[first]
    names = labels.dictionary
    n_labels = len(names)
    schema = pa.schema(
        [
            ("observation_id", ids.type),
            ("epoch", pa.int16()),
            ("labels", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
            ("probabilities", pa.list_(pa.float32())),
        ]
    )
    chance = np.random.default_rng(0)
    staged = path.with_suffix(".partial")
    with pq.ParquetWriter(staged, schema, compression="zstd", store_schema=False) as writer:
        for epoch in range(epochs):
            order = chance.permutation(len(ids))
            for start in range(0, order.size, ROWS):
                rows = order[start : start + ROWS]
                places = np.cumsum(chance.integers(1, n_labels // top, (rows.size, top)), axis=1) + voted[rows, None]
                listed = (places - places[:, :1] + voted[rows, None]) % n_labels  # distinct, the voted one first
                gone = chance.random(rows.size) < 0.1
                listed[gone] = (listed[gone] + 1) % n_labels
                shares = chance.dirichlet([0.5 + 0.2 * epoch] + [0.3] * top, rows.size)[:, :top].astype(np.float32)
                edges = pa.array(np.arange(0, rows.size * top + 1, top, dtype=np.int32))
                words = pa.DictionaryArray.from_arrays(pa.array(listed.ravel().astype(np.int32)), names)
                columns = [
                    ids.take(pa.array(rows)),
                    pa.array(np.full(rows.size, epoch, np.int16)),
                    pa.ListArray.from_arrays(edges, words),
                    pa.ListArray.from_arrays(edges, pa.array(shares.ravel())),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    staged.rename(path)


def measured(votes: Path, scores: Path, trust: str) -> Run:
    """The command as a whole process."""
    with tempfile.TemporaryDirectory(dir=LOGS) as output:
        command = [*PLANT_AGGREGATE, "ambiguity", str(votes), "--scores", str(scores), "-q", "-o", output]
        run = run_measured([*command, "--trust", trust], Limits(seconds=3600, memory=1024 * GIB))
    if run.ending:
        raise SystemExit(run.ending)
    return run


def main() -> None:
    """Parse, measure, print."""
    if sys.argv[1:2] == ["--make"]:
        make(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description="Time and peak memory of plant-aggregate ambiguity.")
    parser.add_argument("--scale", type=float, default=0.015, help="0.15 is a million observations (default 0.015)")
    parser.add_argument("--ids", choices=["int", "string"], default="int")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--top", type=int, default=10, help="labels a list")
    parser.add_argument("--trust", choices=["auto", "confusion", "weight"], nargs="+", default=["auto"])
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    LOGS.mkdir(exist_ok=True)
    votes = simulated(options.scale, options.ids)
    scores = made_up_scores(votes, options.epochs, options.top)
    print(f"{scores.stat().st_size / GIB:.2f} GiB of scores")
    few = simulated(0.0005, options.ids)
    few_scores = made_up_scores(few, 1, options.top)
    for trust in options.trust:
        measured(few, few_scores, trust)  # compiles the kernels if need be
        for _ in range(options.repeat):
            run = measured(votes, scores, trust)
            print(
                f"trust {trust}: {run.seconds:.1f} s ({run.cpu_seconds:.1f} s of processors), "
                f"{run.peak_memory / GIB:.2f} GiB"
            )


if __name__ == "__main__":
    main()
