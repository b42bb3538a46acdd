"""``conformal fit --run RUN --weighted``: labels of a run count by the probability that they are right."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.assessment.conformal.order import Alpha, threshold_at
from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, refused
from tests.test_coverage_check import observed

N = 400
FIT = ["conformal", "fit", "scores.parquet", "--run", "run.parquet"]


@pytest.fixture
def run(work: Path) -> Path:
    """Lists, and a consensus with probabilities whose labels are wrong as often as these say."""
    rng = np.random.default_rng(0)
    scores, truth = observed(N, 1)
    probability = rng.uniform(0.5, 1, N)
    labels = np.array(truth["label"].to_pylist(), dtype=object)
    wrong = rng.random(N) > probability
    labels[wrong] = rng.choice(labels, wrong.sum())
    pq.write_table(scores, "scores.parquet")
    votes = pa.table({"observation_id": truth["observation_id"], "user_id": ["ana"] * N, "label": labels.tolist()})
    table = plant_aggregate.Majority().fit(plant_aggregate.votes_from_table(votes)).to_arrow()
    table = table.set_column(table.column_names.index("valid"), "valid", pa.array(rng.random(N) < 0.8))
    pq.write_table(table.append_column("probability", pa.array(probability)), "run.parquet")
    return work


def scores_of_labels() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The probability that lists give to the labels of the run, the weight of each, and whether it is valid."""
    lists, run = pq.read_table("scores.parquet").to_pylist(), pq.read_table("run.parquet")
    shares = [dict(zip(row["labels"], row["probabilities"], strict=True)) for row in lists]
    found = [share.get(label, 0) for share, label in zip(shares, run["label"].to_pylist(), strict=True)]
    return np.array(found), run["probability"].to_numpy(), np.array(run["valid"])


def threshold() -> float:
    return json.loads(Path("sets.json").read_text())["thresholds"]["0.2"]["shared"]


def test_each_label_counts_by_its_probability(run: Path, capfd: Capture) -> None:
    assert run_command([*FIT, "--weighted", "--alpha", "0.2"]) == 0
    printed = capfd.readouterr().out
    assert "labels valid or not, each counting by the probability that it is right" in printed
    assert "guaranteed coverage: none" in printed
    scores, weights, valid = scores_of_labels()
    weighted = threshold()
    assert weighted == threshold_at(scores, Alpha.of("0.2"), weights)
    assert run_command([*FIT, "--alpha", "0.2"]) == 0
    assert threshold() == threshold_at(scores[valid], Alpha.of("0.2")) != weighted
    saved = json.loads(Path("sets.json").read_text())
    assert saved["fitted_on"]["weighted"] is False


def test_labels_that_are_certain_count_as_without_weights(run: Path, capfd: Capture) -> None:
    table = pq.read_table("run.parquet")
    for name, values in (("probability", np.ones(N)), ("valid", np.ones(N, np.bool_))):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, "run.parquet")
    found = []
    for options in ([], ["--weighted"]):
        assert run_command([*FIT, *options, "--alpha", "0.2"]) == 0
        found.append(threshold())
    assert found[0] == found[1]
    capfd.readouterr()


def test_sets_of_weighted_rows_are_not_checked(run: Path, capfd: Capture) -> None:
    assert run_command([*FIT, "--weighted", "--alpha", "0.2"]) == 0
    capfd.readouterr()
    line = refused(
        capfd, "conformal", "check", "scores.parquet", "--run", "run.parquet", "--sets", "sets.json", exit_code=2
    )
    assert "the calibration rows have weights: the distribution of coverage is not known" in line


def test_weights_that_are_too_small_for_a_level_are_told(run: Path, capfd: Capture) -> None:
    line = refused(capfd, *FIT, "--weighted", "--alpha", "0.003")
    assert "alpha 0.003 needs calibration rows of weight 332.3 in all, and theirs is 3" in line
    line = refused(capfd, *FIT, "--weighted", "--alpha", "0.01")
    assert "needs calibration rows whose lists have the true label, apart from a weight of" in line


def test_weighted_needs_a_run_with_probabilities(run: Path, capfd: Capture) -> None:
    assert "--weighted" in refused(
        capfd, "conformal", "fit", "scores.parquet", "--truth", "run.parquet", "--weighted", exit_code=2
    )
    table = pq.read_table("run.parquet").drop_columns(["probability"])
    pq.write_table(table, "run.parquet")
    assert "has no column 'probability'; publish it with run --calibration" in refused(capfd, *FIT, "--weighted")
    scores, truth = observed(20, 2)
    with pytest.raises(plant_aggregate.ParameterError, match="weighted is given without run"):
        plant_aggregate.fit_sets(plant_aggregate.scores_from_table(scores), truth, weighted=True)
