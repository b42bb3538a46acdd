"""Probabilities from evidence: against obvious twins and scikit-learn, saved and read, and honest on held out data."""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.assessment.calibration.labels import FEATURES, LOGISTIC, METHODS, Calibration, cross_validate
from plant_aggregate.assessment.calibration.maps import IsotonicMap, LogisticMap
from plant_aggregate.assessment.evaluation import match
from plant_aggregate.evidence import Evidence
from plant_aggregate.measures import calibration_error
from tests.paths import SAMPLE
from tests.reference import calibration as reference


@pytest.fixture(scope="module")
def consensus() -> plant_aggregate.Consensus:
    return plant_aggregate.PlantNet().fit(plant_aggregate.read_votes(SAMPLE / "votes.parquet"))


@pytest.fixture(scope="module")
def truth() -> plant_aggregate.Truth:
    return plant_aggregate.read_truth(SAMPLE / "truth.parquet")


WITHOUT_MODEL = [method for method in METHODS if method != "temper"]
"""The methods for a consensus that has no probability of its own."""


def made_up(n: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns of a consensus, and labels that are right with a probability that grows with confidence."""
    random = np.random.default_rng(seed)
    n_votes = random.integers(1, 6, n)
    n_labels = np.where(n_votes > 1, random.integers(1, 3, n), 1)
    confidence = random.uniform(0.1, 0.99, n)
    columns = {
        "confidence": confidence,
        "agreement": np.where(n_labels > 1, confidence, 1.0),
        "aum": np.where(n_labels > 1, 2 * confidence - 1, 1.0),
        "n_votes": n_votes,
        "n_labels": n_labels,
        "probability": confidence,
    }
    return columns, random.random(n) < 1 / (1 + np.exp(-(4 * confidence - 1)))


def beta_features(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: FEATURES[name](columns) for name in LOGISTIC["beta"]}


def evidence_of(columns: dict[str, np.ndarray]) -> Evidence:
    n = columns["confidence"].size
    return Evidence(
        observation_ids=pa.array(np.arange(n)),
        label_names=pa.array(["x", "y"]),
        labels=np.zeros(n, np.int32),
        valid=np.ones(n, np.bool_),
        margin=columns["aum"],
        weight=np.ones(n),
        **columns,
    )


def truth_of(right: np.ndarray) -> plant_aggregate.Truth:
    labels = np.where(right, "x", "y")
    return plant_aggregate.truth_from_table(
        pa.table({"observation_id": np.arange(right.size), "label": labels.tolist()})
    )


CONFIDENCES = st.sampled_from([0.1, 0.25, 0.5, 0.5, 0.75, 0.9])


@given(st.lists(st.tuples(CONFIDENCES, st.booleans()), min_size=1, max_size=40))
def test_isotonic_equals_pooling_by_hand(pairs: list[tuple[float, bool]]) -> None:
    confidence, right = (list(column) for column in zip(*pairs, strict=True))
    fitted = IsotonicMap.fit(np.array(confidence), np.array(right))
    for level, expected in reference.isotonic(confidence, right).items():
        found = float(fitted(np.array([level]))[0])
        if 0 < expected < 1:
            assert found == pytest.approx(expected)
        else:
            assert 0 < found < 1
    heights = fitted(np.linspace(0, 1, 101))
    assert (np.diff(heights) >= -1e-12).all()


def test_a_logistic_map_finds_the_slope_labels_were_drawn_with() -> None:
    columns, _ = made_up(200_000)
    slope = LogisticMap(-1.0, {"log_confidence": 2.0, "minus_log_doubt": 0.5})
    right = np.random.default_rng(3).random(200_000) < slope(beta_features(columns))
    found = LogisticMap.fit(beta_features(columns), right)
    assert found.intercept == pytest.approx(-1.0, abs=0.05)
    assert found.coefficients["log_confidence"] == pytest.approx(2.0, abs=0.1)
    assert found.coefficients["minus_log_doubt"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.extras
def test_scikit_learn_agrees() -> None:
    """Where no coefficient wants to be negative; its ridge is on the same standardised features."""
    linear = pytest.importorskip("sklearn.linear_model")
    columns, right = made_up(4000)
    values = np.stack([FEATURES[name](columns) for name in LOGISTIC["beta"]], axis=1)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    theirs = linear.LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(values, right)
    assert (theirs.coef_ > 0).all()
    ours = LogisticMap.fit(beta_features(columns), right)(beta_features(columns))
    assert ours == pytest.approx(theirs.predict_proba(values)[:, 1], abs=2e-3)


@pytest.mark.extras
def test_scikit_learns_isotonic_regression_agrees() -> None:
    isotonic = pytest.importorskip("sklearn.isotonic")
    columns, right = made_up(3000)
    theirs = isotonic.IsotonicRegression().fit(columns["confidence"], right).predict(columns["confidence"])
    inner = (theirs > 0) & (theirs < 1)
    ours = IsotonicMap.fit(columns["confidence"], right)(columns["confidence"])
    assert ours[inner] == pytest.approx(theirs[inner])


@pytest.mark.parametrize("method", METHODS)
def test_more_confidence_is_never_less_probable(method: str) -> None:
    """Even where the labels say the opposite."""
    columns, right = made_up(500)
    calibration = plant_aggregate.calibrate(evidence_of(columns), truth_of(columns["confidence"] < 0.5), method=method)
    confidence = np.linspace(0, 1, 50)
    for n_votes, n_labels in ((1, 1), (4, 1), (4, 2)):
        rising = calibration.probability(
            {
                "confidence": confidence,
                "agreement": np.ones(50),
                "aum": np.ones(50),
                "n_votes": np.full(50, n_votes),
                "n_labels": np.full(50, n_labels),
                "probability": confidence,
            }
        )
        assert (np.diff(rising) >= 0).all()
        assert ((rising > 0) & (rising < 1)).all()
    assert right.size == 500


@pytest.mark.parametrize("method", WITHOUT_MODEL)
@pytest.mark.parametrize("outcome", [True, False])
def test_experts_who_always_or_never_agree(method: str, outcome: bool) -> None:
    """Probabilities stay inside (0, 1): fifty observations prove nothing for certain."""
    columns, _ = made_up(50)
    calibration = plant_aggregate.calibrate(evidence_of(columns), truth_of(np.full(50, outcome)), method=method)
    probability = calibration.probability(columns)
    assert ((probability > 0.9) & (probability < 1) if outcome else (probability < 0.1) & (probability > 0)).all()


def test_held_out_probabilities_are_honest(consensus: plant_aggregate.Consensus, truth: plant_aggregate.Truth) -> None:
    """Fitted on half of the sample's experts, measured on the others."""
    half = np.arange(len(truth)) % 2 == 0

    def part(chosen: np.ndarray) -> plant_aggregate.Truth:
        rows = pa.array(np.flatnonzero(chosen))
        return replace(truth, observation_ids=truth.observation_ids.take(rows), labels=truth.labels.take(rows))

    for method in WITHOUT_MODEL:
        calibration = plant_aggregate.calibrate(consensus, part(half), method=method)
        matched, _, _ = match(consensus, part(~half))
        rows = plant_aggregate.truth.rows_of(consensus.votes.observation_ids, part(~half).observation_ids)[0]
        probability = calibration.probability(vars(Evidence.of(consensus, rows)))
        once = np.ones(len(matched))
        assert calibration_error(probability, matched.right, once) < 0.02
        assert calibration_error(matched.confidence, matched.right, once) > 0.06


def test_cross_validation_tells_signal_from_none(
    consensus: plant_aggregate.Consensus, truth: plant_aggregate.Truth
) -> None:
    found = plant_aggregate.calibrate(consensus, truth).cross_validated
    assert found["platt"]["log_loss"] < found["beta"]["log_loss"] < found["share right"]["log_loss"]
    assert found["platt"]["calibration_error"] < 0.01 < found["confidence"]["calibration_error"]
    columns, right = made_up(2000)
    shuffled = np.random.default_rng(0).permutation(right)
    noise = cross_validate(columns, shuffled)
    assert all(noise[method]["log_loss"] > noise["share right"]["log_loss"] - 0.002 for method in METHODS)


@pytest.mark.parametrize("method", WITHOUT_MODEL)
def test_a_saved_calibration_is_the_same(
    consensus: plant_aggregate.Consensus, truth: plant_aggregate.Truth, tmp_path: Path, method: str
) -> None:
    calibration = plant_aggregate.calibrate(consensus, truth, method=method)
    plant_aggregate.save_calibration(calibration, tmp_path / "calibration.json")
    read = plant_aggregate.load_calibration(tmp_path / "calibration.json")
    columns = vars(Evidence.of(consensus))
    assert (read.probability(columns) == calibration.probability(columns)).all()
    assert read.to_json() == calibration.to_json()
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.json"]
    assert read.fits(consensus)
    assert not read.fits(plant_aggregate.PlantNet(theta_acc=0.8).fit(consensus.votes))


def broken(change: Callable[[dict[str, Any]], object]) -> str:
    calibration = Calibration("beta", LogisticMap(0.0, {"log_confidence": 1.0, "minus_log_doubt": 1.0}), {}, {})
    contents = json.loads(calibration.to_json())
    change(contents)
    return json.dumps(contents)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "3",
        broken(lambda c: c.pop("map")),
        broken(lambda c: c.update(format="plant-aggregate calibration 2")),
        broken(lambda c: c.update(method="oracle")),
        broken(lambda c: c.update(method="platt")),
        broken(lambda c: c.update(method="isotonic")),
        broken(lambda c: c["map"].update(intercept="high")),
        broken(lambda c: c["map"].update(intercept=float("nan"))),
        broken(lambda c: c["map"]["coefficients"].update(log_confidence=-1)),
        broken(lambda c: c["map"]["coefficients"].update(log_confidence=None)),
        broken(lambda c: c.update(method="isotonic", map={"confidence": [], "probability": []})),
        broken(lambda c: c.update(method="isotonic", map={"confidence": [0.5, 0.1], "probability": [0.1, 0.2]})),
        broken(lambda c: c.update(method="isotonic", map={"confidence": [0.5], "probability": [0.1, 0.2]})),
        broken(lambda c: c.update(method="isotonic", map={"confidence": [0.5], "probability": [7]})),
        broken(lambda c: c.update(fitted_on=[])),
    ],
)
def test_what_is_no_calibration_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(plant_aggregate.VotesError, match=r"calibration.json: is not a calibration \(") as caught:
        plant_aggregate.load_calibration(path)
    assert "\n" not in str(caught.value)


def test_a_run_with_a_calibration_has_probabilities(tmp_path: Path, truth: plant_aggregate.Truth) -> None:
    plain = plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "plain")
    calibration = plant_aggregate.calibrate(plant_aggregate.read_evidence(plain.folder, truth).evidence, truth)
    plant_aggregate.save_calibration(calibration, tmp_path / "calibration.json")
    settings = plant_aggregate.Settings(calibration=tmp_path / "calibration.json")
    run = plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "out", settings=settings)
    table = pq.read_table(run.folder / "consensus.parquet")
    assert table.drop_columns(["probability"]).equals(pq.read_table(plain.folder / "consensus.parquet"))
    probability = np.asarray(table["probability"])
    assert probability.dtype == np.float64
    assert ((probability > 0) & (probability < 1)).all()
    assert run.manifest["calibration"]["method"] == "platt"
    evaluation = plant_aggregate.evaluate(plant_aggregate.read_evidence(run.folder, truth).evidence, truth, resamples=0)
    measures = evaluation.subsets[0].measures
    assert measures["probability_calibration_error"].value < 0.01 < measures["calibration_error"].value


def test_the_calibration_on_simulations_says_so_and_holds_on_another_simulation() -> None:
    calibration = plant_aggregate.load_calibration("simulated")
    assert calibration.fitted_on["simulated"] == {"scale": 0.1, "seed": 1}
    tables = plant_aggregate.simulate(0.02, seed=77).tables
    consensus = plant_aggregate.PlantNet().fit(plant_aggregate.votes_from_table(tables.votes))
    matched, _, _ = match(consensus, plant_aggregate.truth_from_table(tables.truth))
    assert calibration.fits(consensus)
    probability = calibration.probability(vars(Evidence.of(consensus)))
    for chosen in (matched.n_votes >= 1, matched.n_votes >= 2):
        error = calibration_error(probability[chosen], matched.right[chosen], np.ones(chosen.sum()))
        assert error < 0.025


def test_a_run_warns_where_probabilities_may_be_off(tmp_path: Path) -> None:
    settings = plant_aggregate.Settings(calibration="simulated")
    strategy = plant_aggregate.PlantNet(theta_acc=0.8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path, strategy, settings)
    messages = [str(warning.message) for warning in caught]
    assert any("calibrated on simulated votes" in message for message in messages)
    assert any("fitted on another strategy or other parameters" in message for message in messages)
    assert run.manifest["warnings"] == messages


def test_too_few_experts(consensus: plant_aggregate.Consensus) -> None:
    some = pa.table({"observation_id": consensus.votes.observation_ids[:19], "label": ["x"] * 19})
    with pytest.raises(
        plant_aggregate.VotesError, match=r"19 of its 19 observations are in the consensus, and a .* needs 20"
    ):
        plant_aggregate.calibrate(consensus, plant_aggregate.truth_from_table(some))


def test_senseless_parameters(consensus: plant_aggregate.Consensus, truth: plant_aggregate.Truth) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match="one of platt, beta, isotonic, temper"):
        plant_aggregate.calibrate(consensus, truth, method="tarot")
