"""The training export: what a script finds in it, and where it is from."""

import json
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.exports.training import (
    Training,
    TrainingData,
    TrainingSettings,
    blocks_of,
    class_weights,
    training_table,
)
from tests.paths import SAMPLE

VOTES = SAMPLE / "votes.parquet"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> plant_aggregate.Run:
    """The sample, with the shares of its labels."""
    settings = plant_aggregate.Settings(soft=True)
    return plant_aggregate.run(VOTES, tmp_path_factory.mktemp("sample"), "plantnet", settings)


@pytest.fixture(scope="module")
def data(run: plant_aggregate.Run) -> TrainingData:
    return training_table(run, TrainingSettings())


def test_each_observation_of_the_consensus_is_used_or_left_out_with_a_reason(
    run: plant_aggregate.Run, data: TrainingData
) -> None:
    consensus = run.to_arrow()
    ids = data.table.column("observation_id").to_pylist() + data.excluded.column("observation_id").to_pylist()
    assert sorted(ids) == consensus.column("observation_id").to_pylist()
    assert data.excluded.column("reason").null_count == 0
    reasons = data.excluded.column("reason").to_pylist()
    assert {reason: reasons.count(reason) for reason in set(reasons)} == {
        reason: n for reason, n in data.assignment.left_out.items() if n
    }


def test_the_rows_are_those_of_the_consensus(run: plant_aggregate.Run, data: TrainingData) -> None:
    consensus = {row["observation_id"]: row for row in run.to_arrow().to_pylist()}
    names = data.class_names
    for row in data.table.to_pylist():
        found = consensus[row["observation_id"]]
        assert found["valid"]
        assert row["sample_weight"] == found["confidence"]
        assert names[row["class_index"]] == row["label"] == found["label"]
        for column in ("confidence", "aum", "ambiguous", "margin", "agreement", "n_votes"):
            assert row[column] == found[column]


def test_no_author_is_in_two_sets(data: TrainingData) -> None:
    votes = pq.read_table(VOTES).to_pylist()
    author = {row["observation_id"]: row["user_id"] for row in votes if row["is_author"]}
    sets = defaultdict(set)
    for row in data.table.to_pylist():
        if row["observation_id"] in author:
            sets[author[row["observation_id"]]].add(row["split"])
    assert {len(found) for found in sets.values()} == {1}


def test_the_next_night_moves_nothing(data: TrainingData, tmp_path: Path) -> None:
    """The night before had two thirds of the votes."""
    votes = pq.read_table(VOTES)
    before = plant_aggregate.run(votes.slice(0, 18_000), tmp_path / "before")
    first = training_table(before, votes=votes.slice(0, 18_000))
    sets = dict(zip(*(data.table.column(name).to_pylist() for name in ("observation_id", "split")), strict=True))
    rows = first.table.select(["observation_id", "split"]).to_pylist()
    shared = [row for row in rows if row["observation_id"] in sets]
    assert len(shared) > 5000
    assert all(sets[row["observation_id"]] == row["split"] for row in shared)


def test_classes_are_sorted_and_have_a_training_observation(data: TrainingData) -> None:
    labels = data.classes.column("label").to_pylist()
    assert labels == sorted(labels)
    assert data.classes.column("class_index").to_pylist() == list(range(len(labels)))
    for split in ("train", "validation", "test"):
        rows = data.table.filter(pa.compute.equal(data.table.column("split").cast(pa.string()), split))
        counts = np.bincount(rows.column("class_index").to_numpy(), minlength=len(labels))
        assert data.classes.column(f"n_{split}").to_pylist() == counts.tolist()
    assert min(data.classes.column("n_train").to_pylist()) >= 1


def test_soft_labels_are_the_posteriors(run: plant_aggregate.Run, data: TrainingData) -> None:
    expected = defaultdict(dict)
    for row in run.read_table("posteriors.parquet").to_pylist():
        expected[row["observation_id"]][row["label"]] = row["share"]
    names = data.class_names
    for row in data.table.to_pylist():
        found = dict(zip(row["soft_labels"], row["soft_shares"], strict=True))
        assert found == expected[row["observation_id"]]
        assert row["soft_classes"] == [names.index(label) if label in names else -1 for label in row["soft_labels"]]
    assert data.soft_from == "posteriors.parquet of the run"


def test_without_posteriors_they_are_the_same_from_the_votes(tmp_path: Path, data: TrainingData) -> None:
    plain = plant_aggregate.run(VOTES, tmp_path / "consensus")
    again = training_table(plain, TrainingSettings())
    assert again.soft_from == "votes, by the users' final weights"
    assert again.table.drop_columns("soft_shares").equals(data.table.drop_columns("soft_shares"))
    shares = [pa.compute.list_flatten(each.column("soft_shares")).to_numpy() for each in (again.table, data.table)]
    np.testing.assert_allclose(*shares, rtol=1e-12)


@pytest.mark.parametrize(
    ("strategy", "ai_votes"),
    [(plant_aggregate.DawidSkene(), None), (plant_aggregate.PlantNet(ai_mode="user"), SAMPLE / "ai_votes.parquet")],
    ids=["posterior probabilities", "an AI that votes"],
)
def test_shares_that_users_weights_do_not_give_are_not_made_up(tmp_path: Path, strategy: Any, ai_votes: Any) -> None:
    run = plant_aggregate.run(VOTES, tmp_path / "consensus", strategy, plant_aggregate.Settings(ai_votes=ai_votes))
    data = training_table(run)
    assert "soft_labels" not in data.table.column_names
    assert data.soft_from is None
    assert "(run --soft)" in str(data.no_soft)
    soft = plant_aggregate.Settings(ai_votes=ai_votes, soft=True)
    written = training_table(plant_aggregate.run(VOTES, tmp_path / "soft", strategy, soft))
    for row in written.table.to_pylist():
        assert dict(zip(row["soft_labels"], row["soft_shares"], strict=True))[row["label"]] == row["agreement"]


def test_the_calibrated_probability_is_the_weight(tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        run = plant_aggregate.run(VOTES, tmp_path, "plantnet", plant_aggregate.Settings(calibration="simulated"))
    data = training_table(run, hard=True)
    assert data.weight_from == "probability"
    assert data.table.column("sample_weight").equals(data.table.column("probability"))
    assert not data.table.column("sample_weight").equals(data.table.column("confidence"))


def test_without_authors_each_observation_is_on_its_own(tmp_path: Path) -> None:
    votes = pq.read_table(VOTES).drop_columns("is_author")
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        run = plant_aggregate.run(votes, tmp_path / "consensus")
    with pytest.raises(plant_aggregate.VotesError, match="was given its votes in memory; name the files"):
        training_table(run)
    by_author = training_table(run, votes=votes)
    by_observation = training_table(run, group="observation", hard=True)
    assert by_author.table.column("split").equals(by_observation.table.column("split"))
    assert "no author is known: split by observation" in str(blocks_of(by_author)[0].content)


def test_files(run: plant_aggregate.Run, data: TrainingData, tmp_path: Path) -> None:
    Training().write(run, tmp_path)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert files == [
        *("classes.parquet", "data/test.parquet", "data/train.parquet", "data/validation.parquet"),
        *("excluded.parquet", "training.json"),
    ]
    for name in ("train", "validation", "test"):
        written = pq.read_table(tmp_path / "data" / f"{name}.parquet")
        assert written.column("split").unique().to_pylist() == [name]
        assert written.schema.field("label").type == pa.string()
        assert written.schema.field("class_index").type == pa.int64()
        assert written.schema.field("soft_labels").type == pa.list_(pa.string())
        assert written.to_pylist() == data.splits[name].to_pylist()
    facts = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    assert facts["splits"] == {name: table.num_rows for name, table in data.splits.items()}
    assert facts["shares_wanted"] == {"train": 0.8, "validation": 0.1, "test": 0.1}


def test_a_set_that_nothing_falls_into_is_left_out(run: plant_aggregate.Run, tmp_path: Path) -> None:
    blocks = Training(val=0, test=1e-12).write(run, tmp_path)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["train.parquet"]
    assert "no test set: nothing falls into it" in blocks[0].content


def test_class_weights_follow_their_formulas() -> None:
    n = np.array([5, 0, 95])
    found = class_weights(n, 0.9)
    assert found["weight_inverse_frequency"].tolist()[::2] == [100 / (2 * 5), 100 / (2 * 95)]
    effective = [(1 - 0.9) / (1 - 0.9**5), (1 - 0.9) / (1 - 0.9**95)]
    np.testing.assert_allclose(found["weight_effective_number"][[0, 2]], np.array(effective) / np.mean(effective))
    roots = np.array([5**-0.5, 95**-0.5])
    np.testing.assert_allclose(found["weight_square_root"][[0, 2]], roots / roots.mean())
    np.testing.assert_allclose(found["log_prior"][[0, 2]], np.log([0.05, 0.95]))
    assert all(np.isnan(weights[1]) for weights in found.values())
