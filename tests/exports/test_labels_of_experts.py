"""Labels that experts gave a run, in what is made of the run."""

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from tests.paths import SAMPLE

WEIGHED = 0.999999


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> plant_aggregate.Run:
    """The sample with every third label of the truth; some of them nobody voted."""
    folder = tmp_path_factory.mktemp("with-experts")
    truth = pq.read_table(SAMPLE / "truth.parquet")
    pq.write_table(truth.take(list(range(0, truth.num_rows, 3))), folder / "experts.parquet")
    settings = plant_aggregate.Settings(experts=folder / "experts.parquet")
    return plant_aggregate.run(SAMPLE / "votes.parquet", folder / "consensus", settings=settings)


def test_training_has_them_with_all_of_the_share_and_full_weight(run: plant_aggregate.Run) -> None:
    data = plant_aggregate.training_table(run, min_per_class=1)
    by_expert = [row for row in data.to_pandas().to_dict("records") if row["by_expert"]]
    assert len(by_expert) > 1000
    assert {row["sample_weight"] for row in by_expert} == {WEIGHED}
    assert data.soft_from == "votes, by the users' final weights"
    shares = [dict(zip(row["soft_labels"], row["soft_shares"], strict=True)) for row in by_expert]
    assert all(found[row["label"]] == 1.0 for row, found in zip(by_expert, shares, strict=True))
    assert {sum(found.values()) for found in shares} == {1.0}


def test_soft_labels_are_those_of_posteriors(run: plant_aggregate.Run, tmp_path: Path) -> None:
    settings = plant_aggregate.Settings(experts=run.record.settings["experts"], soft=True)
    soft = plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "soft", settings=settings)
    names = ["observation_id", "soft_labels", "soft_shares"]
    tables = [plant_aggregate.training_table(each).table.select(names) for each in (run, soft)]
    assert tables[0].to_pylist() == tables[1].to_pylist()


def test_the_card_counts_them(run: plant_aggregate.Run, tmp_path: Path) -> None:
    plant_aggregate.export(run, "huggingface", tmp_path / "out", min_per_class=1)
    data = plant_aggregate.training_table(run, min_per_class=1).table
    n = pc.sum(data["by_expert"]).as_py()
    assert f" {n:,} of the labels are those of experts (`by_expert`). " in (tmp_path / "out/README.md").read_text()


@pytest.mark.parametrize("name", ["csv", "croissant", "training"])
def test_exports_with_the_column(run: plant_aggregate.Run, tmp_path: Path, name: str) -> None:
    plant_aggregate.export(run, name, tmp_path / "out")
    if name == "csv":
        header = next((tmp_path / "out").glob("*.csv")).read_text().splitlines()[0]
        assert '"by_expert"' in header.split(",")


@pytest.mark.filterwarnings("ignore:probabilities are calibrated on simulated votes")
def test_a_calibration_says_that_they_are_right(run: plant_aggregate.Run, tmp_path: Path) -> None:
    """The evidence of votes against a label that nobody voted is none against the label."""
    settings = plant_aggregate.Settings(experts=run.record.settings["experts"], calibration="simulated")
    calibrated = plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "consensus", settings=settings)
    table = calibrated.to_arrow()
    of_experts = table.filter(table["by_expert"])
    assert pc.unique(of_experts["probability"]).to_pylist() == [WEIGHED]
    assert pc.max(table.filter(pc.invert(table["by_expert"]))["probability"]).as_py() < WEIGHED
