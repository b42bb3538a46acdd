"""The measurement of experts' labels judges what no expert labelled; it runs from end to end on a tiny crowd."""

import json
import random
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import gold
from benchmarks.crowds import expected_accuracy
from benchmarks.gold_results import TABLES
from plant_aggregate import read_votes
from plant_aggregate.strategies.registry import STRATEGIES
from tests.assessment.expert_strategies import Repeats


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """40 observations with 4 votes each, many of them tied; one user is always right."""
    chance = random.Random(1)
    truth = {f"o{i:02}": "abc"[i % 3] for i in range(40)}
    rows = [
        {
            "observation_id": o,
            "user_id": f"u{u}",
            "label": label if u == 0 or chance.random() < 0.3 else chance.choice("abc"),
        }
        for o, label in truth.items()
        for u in range(4)
    ]
    folder = tmp_path / "crowds" / "tiny"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "votes.parquet")
    known = {"observation_id": list(truth)[:30], "label": list(truth.values())[:30]}
    pq.write_table(pa.table(known), folder / "truth.parquet")
    return folder


@pytest.mark.parametrize("name", ["majority", "dawid-skene"])
def test_tied_labels_count_as_in_the_other_benchmarks(name: str, crowd: Path) -> None:
    known, strategy = gold.Known.read(crowd), STRATEGIES[name]()
    consensus = strategy.fit(read_votes(crowd / "votes.parquet"))
    truth = pd.read_parquet(crowd / "truth.parquet")
    right = known.right(strategy)
    assert right.mean() == pytest.approx(expected_accuracy(consensus.posteriors_to_pandas(), truth))
    assert name != "majority" or set(np.unique(right)) == {0, 0.5, 1}


def test_labels_that_are_given_are_not_judged(crowd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy that repeats what it is given would be right there, and is as right as before elsewhere."""
    monkeypatch.setattr(gold, "STRATEGIES", {"auto": Repeats, "repeats": Repeats})
    known = gold.Known.read(crowd)
    assert known.right(Repeats(), np.arange(30)).tolist() == [1] * 30
    accuracy = gold.given(known, 3)["accuracy"]
    for name in ("auto", "repeats"):
        for share in ("0.05", "0.1"):
            assert accuracy[f"{share} {name} 1"] == accuracy[f"{share} {name} without"] < 0.99
    assert len({accuracy[f"{share} curve"] for share in ("0", "0.01", "0.2")}) == 1
    asked = gold.asked(known, 3)
    assert len({value for name, value in asked.items() if name.endswith("never")}) == 1
    assert max(value for name, value in asked.items() if name.endswith("all")) > asked["nobody all"]


def test_the_strategy_that_is_chosen_is_best_on_the_labels() -> None:
    without = {"a": np.array([1, 1, 0, 0.0]), "b": np.array([1, 0, 1, 1.0]), "auto": np.ones(4)}
    assert gold.chosen_by(without, np.array([1])).tolist() == [1, 1, 0, 0]
    assert gold.chosen_by(without, np.array([0])).tolist() == [1, 0.5, 0.5, 0.5]


@pytest.mark.slow
def test_all_tables_are_made(crowd: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    output = crowd / "gold.json"
    command = ["gold", "--crowds", str(crowd.parent), "--draws", "2", "--labels", "5", "--output", str(output)]
    monkeypatch.setattr(gold.species_log, "__defaults__", (0.0005,))
    monkeypatch.setattr(sys, "argv", command)
    gold.main()
    results = json.loads(output.read_text())
    assert [each["crowd"] for each in results["measured"]] == ["tiny"]
    assert results["measured"][0]["labels"] == {"0.01": 1, "0.02": 1, "0.05": 2, "0.1": 3, "0.2": 6}
    printed = capsys.readouterr().out
    assert [f"### {name}\n" in printed for name in TABLES] == [True] * len(TABLES)
    assert "| tiny | 3 | " in printed
    assert [each["labels"] for each in results["species_log"]][:3] == [5, 5, 5]


def test_authors_are_asked_about_as_many_new_species_as_they_lack() -> None:
    users = pd.DataFrame({"user_id": ["ana", "bo", "cy"], "n_species": [6, 7, 9]})
    rows = [  # observation, author, label, status
        (1, "ana", "a", "valid"),
        (2, "ana", "a", "needs_votes"),  # no new species
        (3, "ana", "b", "needs_votes"),
        (4, "ana", "b", "needs_votes"),  # nor the second
        (5, "ana", "c", "needs_votes"),
        (6, "ana", "d", "needs_votes"),  # two are enough
        (7, "bo", "e", "contested"),
        (8, "bo", "f", "needs_votes"),
        (9, "cy", "g", "needs_votes"),  # has more than eight
    ]
    log = pd.DataFrame(rows, columns=["observation_id", "user_id", "label", "status"]).assign(is_author=True)
    asked = gold.near_eight(log.drop(columns="user_id"), users, log.drop(columns="status"))
    assert asked.tolist() == [3, 5, 8]
