import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from plant_aggregate.schema import SCORE_LISTS, TRAINING_COUNTS
from plant_aggregate.simulation import simulate


@pytest.fixture(scope="module")
def made():
    """67,000 observations with lists and the AI's votes."""
    return simulate(0.01, seed=4, ai=True, scores=True).tables


@pytest.fixture(scope="module")
def items(made):
    """A row for each label of each list, beside the truth of the observation and its first vote."""
    lists = made.scores.to_pandas()
    lists["true"] = made.truth.to_pandas()["label"]
    voted = made.votes.to_pandas().sort_values("voted_at", kind="stable").drop_duplicates("observation_id")
    lists = lists.merge(voted[["observation_id", "label"]].rename(columns={"label": "voted"}))
    return lists.explode(["labels", "probabilities"]).astype({"probabilities": float})


@pytest.fixture(scope="module")
def firsts(items, made):
    """The first row of each list, with the number of training images of the truth."""
    counts = made.training_counts.to_pandas().set_index("label")["count"]
    first = items.drop_duplicates("observation_id")
    return first.assign(right=first["labels"] == first["true"], images=first["true"].map(counts).fillna(0).to_numpy())


def test_columns_are_those_of_score_lists_and_training_counts(made):
    assert made.scores.column_names == [column.name for column in SCORE_LISTS if not column.optional]
    assert [str(kind) for kind in made.scores.schema.types] == ["int64", "list<item: string>", "list<item: float>"]
    assert made.training_counts.column_names == [column.name for column in TRAINING_COUNTS]
    assert made.scores["observation_id"].equals(made.truth["observation_id"])


def test_votes_are_byte_identical_with_and_without_lists(tmp_path):
    simulate(0.001, seed=7).write(tmp_path / "plain")
    simulate(0.001, seed=7, scores=True).write(tmp_path / "scored")
    for name in ("votes.parquet", "truth.parquet"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "scored" / name).read_bytes()
    assert sorted(path.stem for path in (tmp_path / "scored").iterdir()) == [
        "scores",
        "training_counts",
        "truth",
        "votes",
    ]


def test_files_hold_the_tables_and_the_same_seed_gives_the_same_lists(tmp_path):
    simulation = simulate(0.001, seed=7, scores=True, ids="string")
    simulation.write(tmp_path)
    for name in ("scores", "training_counts"):
        table = pq.read_table(tmp_path / f"{name}.parquet")
        assert table.to_pylist() == getattr(simulation.tables, name).to_pylist()
    assert not simulate(0.001, seed=8, scores=True).tables.scores.equals(simulation.tables.scores)


@pytest.mark.parametrize("scale", [1e-9, 3e-7, 1e-6, 1e-5, 1e-4])
def test_a_handful_of_observations_have_lists_that_can_be_read(tmp_path, scale):
    for seed in range(5):
        simulate(scale, seed=seed, scores=True).write(tmp_path, overwrite=True)
        table = pq.read_table(tmp_path / "scores.parquet")
        assert table.num_rows == pq.read_table(tmp_path / "truth.parquet").num_rows
        assert pd.Series(table["labels"].to_pylist()).str.len().min() >= 1


def test_lists_are_truncated_and_in_descending_order(items):
    p = items.groupby("observation_id")["probabilities"]
    assert (p.diff().dropna() <= 0).all()
    assert items["probabilities"].between(0.001 - 1e-9, 1).all()
    assert p.size().max() <= 100
    assert not items.duplicated(["observation_id", "labels"]).any()


def test_sums_are_not_one(items):
    total = items.groupby("observation_id")["probabilities"].sum()
    assert total.median() == pytest.approx(0.91, abs=0.03)
    assert 0.04 < (total > 1).mean() < 0.12


def test_probabilities_are_roughly_right_and_rather_too_low(firsts):
    for low, high in ((0.3, 0.6), (0.6, 0.8), (0.8, 0.95)):
        part = firsts[firsts["probabilities"].between(low, high)]
        assert part["probabilities"].mean() < part["right"].mean() < part["probabilities"].mean() + 0.4
    assert firsts["right"].mean() == pytest.approx(0.86, abs=0.03)


def test_species_with_few_images_score_worse(firsts):
    bands = pd.cut(firsts["images"], [-1, 0, 2, 10, 100, 1e9])
    right = firsts.groupby(bands, observed=True)["right"].mean()
    assert right.iloc[0] == 0, "species without images are never named"
    assert (np.diff(right) > 0).all()
    assert right.iloc[-1] > 0.9


def test_only_species_with_images_are_listed(items, made):
    assert set(items["labels"]) <= set(made.training_counts["label"].to_pylist())
    assert set(items["true"]) - set(made.training_counts["label"].to_pylist())


def test_what_is_confused_by_users_is_confused_by_the_classifier(firsts):
    wrong = firsts[~firsts["right"]]
    genus = wrong["labels"].str.split().str[0] == wrong["true"].str.split().str[0]
    assert genus.mean() > 0.5
    both = wrong[wrong["voted"] != wrong["true"]]
    assert (both["labels"] == both["voted"]).mean() == pytest.approx(0.45, abs=0.15)
    known = firsts[firsts["images"] >= 20]
    assert known[known["voted"] != known["true"]]["right"].mean() < known["right"].mean() - 0.05


def test_the_ai_votes_what_comes_first_in_its_lists(firsts, made):
    ai = made.ai_votes.to_pandas()
    assert (ai["label"].to_numpy() == firsts["labels"].to_numpy()).all()
    assert np.allclose(ai["score"], firsts["probabilities"], atol=1e-6)


def test_parrots_vote_what_comes_first_in_the_lists():
    tables = simulate(0.001, seed=1, ai=True, scores=True, parrots=1.0).tables
    first = dict(zip(tables.ai_votes["observation_id"].to_pylist(), tables.ai_votes["label"].to_pylist(), strict=True))
    votes = tables.votes.to_pydict()
    assert [first[i] for i in votes["observation_id"]] == votes["label"]
