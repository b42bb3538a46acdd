"""Real crowd votes run through the whole job. The data are not ours to ship: without them these tests are skipped."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import aggregate

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "crowd"
LOGS = sorted(DATA.glob("*/votes.parquet"))


@pytest.mark.skipif(not LOGS, reason="the real logs are not here")
@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.parent.name)
def test_a_real_log_gives_a_label_to_every_observation(log: Path, tmp_path: Path) -> None:
    with pytest.warns(aggregate.AggregateWarning, match="author"):  # none of them knows authors
        run = aggregate.run(log, tmp_path)
    rows = pq.read_table(log).to_pylist()
    result = pq.read_table(run.latest / "consensus.parquet").to_pandas()
    assert result["observation_id"].tolist() == sorted({row["observation_id"] for row in rows})
    assert result["label"].isin({row["label"] for row in rows}).all()
    assert result["n_votes"].sum() == len({(row["observation_id"], row["user_id"]) for row in rows})
    assert run.manifest["converged"]
