"""Final scores of a real classifier, without epochs. The data are not ours to ship: without them this is skipped."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from tests.paths import ROOT
from tests.reference import ambiguity as reference

DATA = ROOT.parent / "shared" / "data" / "plantnet_ai_scores"


@pytest.mark.skipif(not DATA.exists(), reason="the real scores are not here")
@pytest.mark.filterwarnings("ignore::plant_aggregate.AggregateWarning")
def test_the_margins_of_final_scores_are_those_of_the_reference() -> None:
    first, experts = (pq.read_table(DATA / f"{name}.parquet") for name in ("ai_votes", "experts"))
    names = [{"user_id": [user] * table.num_rows} for user, table in (("machine", first), ("expert", experts))]
    tables = [
        pa.table({**user, **{name: table[name] for name in ("observation_id", "label")}})
        for user, table in zip(names, (first, experts), strict=True)
    ]
    votes = plant_aggregate.votes_from_table(pa.concat_tables(tables))
    consensus = plant_aggregate.Majority().fit(votes)
    found = plant_aggregate.ambiguity_of(consensus, DATA / "scores.parquet")
    assert found.counts["epochs"] == 1
    assert found.counts["scored"] == first.num_rows
    assert found.counts["lists"]["above_one"] > 0, "some real lists add up to more than 1"

    rows = pa.concat_tables(tables).to_pylist()
    labels = dict(zip(*(consensus.to_arrow()[name].to_pylist() for name in ("observation_id", "label")), strict=True))
    lists = pq.read_table(DATA / "scores.parquet").to_pylist()
    scores = {
        (row["observation_id"], 0): dict(zip(row["labels"], row["probabilities"], strict=True)) for row in lists[:500]
    }
    chosen = {i for i, _ in scores}
    wanted = reference.ambiguity(
        [row for row in rows if row["observation_id"] in chosen], labels, scores, lambda user, _: 1.0, "second"
    )
    for row in found.to_arrow().to_pylist():
        if row["observation_id"] in chosen:
            assert row["score_aum"] == pytest.approx(wanted[row["observation_id"]]["score_aum"], abs=1e-6)
            assert row["aumc"] == pytest.approx(wanted[row["observation_id"]]["aumc"], abs=1e-6)
