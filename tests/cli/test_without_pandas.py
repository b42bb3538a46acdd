"""No command loads pandas: it takes a third of a second, and a signal that falls into it is lost."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.paths import SAMPLE

COMMANDS = """
run {votes} -q -o out
run {votes} -q -o out --soft --calibration simulated --user-weights weights.csv
run {votes} -q -o out --soft --scores scores.parquet --max-label-changes 1
run {votes} -q -o out --scores rows.parquet --strategy dawid-skene
run {votes} -q -o with-ai --ai-votes {ai} --soft
run {votes} -q -o with-ai --ai-votes {ai} --ai-mode user --metrics metrics.prom
run {votes} -q -o with-ai --ai-votes {ai} --ai-mode confident --json
run dirty.parquet -q -o dirty --max-rejected 1
run dirty.parquet -q -o dirty --max-rejected 1 --as-of 2100-01-01 --soft
diff out with-ai --table changes.parquet
runs -o out
rollback -o out
export out csv -o csv
export out crowd-kit -o crowd-kit --truth {truth}
export out peerannot -o peerannot --truth {truth}
export out huggingface -o huggingface --images images.csv --embed
export out imagefolder -o imagefolder --images images.csv
export out webdataset -o webdataset --images images.csv
export out croissant -o croissant
export out training -o training --votes {votes} --genera-share 0.5
export out training -o hard --hard --group observation
subset out -o subset --genera 300 --truth {truth} --observations classes --csv
evaluate out --truth {truth}
calibrate out --truth {truth} -o calibration.json
calibrate-ai {ai} --truth {truth} -o ai.json --votes {votes}
run {votes} -q -o out --calibration calibration.json --ai-votes {ai} --ai-calibration ai.json
compare {votes} --truth {truth} --strategies majority -o comparison.csv
compare {votes} --truth {truth} --strategies majority --json
ambiguity {votes} --scores scores.parquet -o ambiguity.parquet
convert csv votes.csv -q -o converted
convert csv votes.csv -q -o converted --overwrite --ids text --csv
run votes.csv --from csv -q -o of-csv
simulate simulated --scale 0.0001 --ai
simulate simulated --scale 0.0001 --ids string --overwrite
"""

RUN_ALL = """if True:
    import sys
    from plant_aggregate.cli.main import run_command
    for line in sys.stdin.read().splitlines():
        if (exit_code := run_command(line.split())) != 0:
            sys.exit(f"exit code {exit_code} of {line}")
        if "pandas" in sys.modules:
            sys.exit(f"pandas was loaded by {line}")
"""


def write_inputs(folder: Path) -> None:
    votes = pq.read_table(SAMPLE / "votes.parquet")
    ids = votes["observation_id"].unique().to_pylist()[:200]
    names = votes["label"].unique().to_pylist()[:3]
    lists = [(i, epoch) for i in ids for epoch in range(2)]
    scores = {"observation_id": [i for i, _ in lists], "epoch": [epoch for _, epoch in lists]}
    table = "".join(f"{i},picture.png\n" for i in votes["observation_id"].unique().to_pylist())
    (folder / "images.csv").write_text(f"observation_id,image\n{table}")
    (folder / "picture.png").write_bytes(b"of no matter")
    shares = {"labels": [names] * len(lists), "probabilities": [[0.6, 0.3, 0.1]] * len(lists)}
    pq.write_table(pa.table(scores | shares), folder / "scores.parquet")
    each = {name: np.repeat(values, 3) for name, values in scores.items()}
    rows = {"label": names * len(lists), "probability": [0.6, 0.3, 0.1] * len(lists)}
    pq.write_table(pa.table(each | rows), folder / "rows.parquet")
    dirty = pa.table(
        {
            "observation_id": ["a", "a", "b", "", None, "b", "b"],
            "user_id": ["x", "y", "x", "x", "y", "", "y"],
            "label": ["A", "B", " ", "A", "A", "A", None],
            "is_author": [True, None, False, False, False, False, None],
            "voted_at": pa.array([1, 2, 3, 4, 5, 6, None], pa.timestamp("us")),
        }
    )
    pq.write_table(dirty, folder / "dirty.parquet")
    (folder / "votes.csv").write_text(
        "observation_id,user_id,label,voted_at\n1,ana,Acer,2026-01-01\n2,bo,Acer,2026-01-01\n"
    )
    (folder / "weights.csv").write_text("user_id,fixed_weight\n1,0.5\n2,\n")


@pytest.mark.slow
def test_no_command_loads_pandas(tmp_path: Path) -> None:
    write_inputs(tmp_path)
    files = {name: SAMPLE / f"{file}.parquet" for name, file in (("votes", "votes"), ("ai", "ai_votes"))}
    commands = COMMANDS.format(**files, truth=SAMPLE / "truth.parquet").strip()
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL], input=commands, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
