"""Saved predictors of prediction sets: what is loaded is what was saved, and files that are none are refused."""

import json
import math
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate import AggregateError, NamedScores, SetPredictor, VotesError, load_sets, save_sets
from plant_aggregate.arrays import Floats
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.methods import Method
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predictor import calibration_of, fit_predictor
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.saved import predictor_from_json, predictor_to_json
from plant_aggregate.assessment.conformal.scores.cumulative import draws_of
from plant_aggregate.assessment.conformal.scores.softmax import Softmax
from plant_aggregate.assessment.conformal.thresholds.base import Calibration, Thresholds
from plant_aggregate.assessment.conformal.thresholds.clustered import Clustered
from plant_aggregate.assessment.conformal.thresholds.fuzzy import Fuzzy
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from plant_aggregate.classifier_scores import ClassifierScores

K, N = 5, 120
NAMES = pa.array(["Abies alba", "Acer campestre", "Acer opalus", "Ilex «aquifolium»", "Quercus robur"])
SCORES = ["softmax", "pas", "wpas", "aps:own-mass=random", "raps:penalty=0.2,k-reg=1"]
RULES = [
    *("standard", "classwise", "interp-q:tau=0.7", "clustered:seed=3", "macro", "fuzzy:bandwidth=0.1"),
    "fuzzy-reconformalised:held-out=0.5,seed=2",
]


def fitted(method: Method, alphas: tuple[str, ...] = ("0.1", "0.25", "0.29")) -> tuple[SetPredictor, NamedScores]:
    """A predictor on random rows, and these."""
    random = np.random.default_rng(1)
    matrix = random.dirichlet(np.full(K, 0.5), N)
    truth = np.array([random.choice(K, p=shares) for shares in matrix], np.int32)
    lists = ClassifierScores.of_matrix(matrix)
    at_risk = np.array([False, True, False, False, True])
    weights = random.random(K)
    space = LabelSpace(NAMES, Prior(np.array([3.0, 0.0, 100.0, 7.0, 1.0]), 0.5), weights, at_risk)
    ids = pa.array(range(N))
    draws = draws_of(ids, 0) if method.score.randomised else None
    calibration = calibration_of(method.score, space, lists, truth, draws=draws)
    made = replace(fit_predictor(method.score, method.rule, calibration, alphas), fitted_on={"rows": N, "seed": 0})
    return made, NamedScores(ids, NAMES, lists)


def saved_again(predictor: SetPredictor) -> SetPredictor:
    return predictor_from_json(predictor_to_json(predictor), "sets.json")


def assert_same(one: SetPredictor, other: SetPredictor) -> None:
    """Every number is the same, bit by bit."""
    assert other.space.names.equals(one.space.names)
    assert list(other.thresholds) == list(one.thresholds)
    for alpha, wanted in one.thresholds.items():
        found = other.thresholds[alpha]
        assert (found.shared, found.strict) == (wanted.shared, wanted.strict)
        assert (found.ranked is None) == (wanted.ranked is None)
        if wanted.ranked is not None and found.ranked is not None:
            assert_bits(found.ranked.rows, wanted.ranked.rows)
            assert_bits(found.ranked.groups, wanted.ranked.groups)
        assert_bits(found.of_labels, wanted.of_labels)
    for name in ("weights", "at_risk"):
        assert_bits(getattr(other.space, name), getattr(one.space, name))
    assert (other.space.prior is None) == (one.space.prior is None)
    if one.space.prior is not None and other.space.prior is not None:
        assert other.space.prior.at_least == one.space.prior.at_least
        assert_bits(other.space.prior.counts, one.space.prior.counts)


def assert_bits(found: Any, wanted: Any) -> None:
    assert (found is None) == (wanted is None)
    if wanted is not None:
        assert found.dtype == wanted.dtype
        assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize(("score", "rule"), [*product(SCORES, RULES)])
def test_what_is_loaded_predicts_what_was_saved(score: str, rule: str) -> None:
    if score[1:4] in ("ps:", "aps") and score[0] in "ar" and rule.startswith("interp-q"):
        pytest.skip("interp-q is for scores of at least 0")
    predictor, scores = fitted(Method.of(f"{score}/{rule}"))
    again = saved_again(predictor)
    assert_same(predictor, again)
    assert (again.score, again.rule, again.slack) == (predictor.score, predictor.rule, predictor.slack)
    assert again.guarantee == predictor.guarantee
    assert dict(again.fitted_on) == dict(predictor.fitted_on)
    for alpha in predictor.thresholds:
        sets, wanted = again.predict(scores, alpha), predictor.predict(scores, alpha)
        assert sets.to_arrow().equals(wanted.to_arrow())
    assert predictor_to_json(again) == predictor_to_json(predictor)


NUMBERS = st.floats(allow_nan=False)
SOME = st.lists(NUMBERS, min_size=3, max_size=3).map(np.array)
COUNTS = st.lists(st.floats(0, 1e300), min_size=3, max_size=3).filter(any).map(np.array)


@given(
    thresholds=st.builds(Thresholds, NUMBERS, st.none() | SOME, st.booleans()),
    names=st.sampled_from([pa.array([-1, 2, 2**40]), pa.array(["", "a", "é\n"]), pa.array([1, 2, 3], pa.int16())]),
    prior=st.none() | st.builds(Prior, COUNTS, st.floats(0, 10)),
    weights=st.none() | SOME,
    at_risk=st.none() | st.lists(st.booleans(), min_size=3, max_size=3).map(np.array),
)
def test_any_numbers_come_back(
    thresholds: Thresholds, names: pa.Array, prior: Prior | None, weights: Floats | None, at_risk: Any
) -> None:
    space = LabelSpace(names, prior, weights, at_risk)
    predictor = SetPredictor(Softmax(), Standard(), space, {Alpha.of("0.1"): thresholds})
    assert_same(predictor, saved_again(predictor))
    assert "NaN" not in predictor_to_json(predictor)
    assert "Infinity" not in predictor_to_json(predictor)


def test_levels_are_exact() -> None:
    predictor, _ = fitted(Method.of("softmax"), ("0.29", "0.10", "0.050000001"))
    assert list(saved_again(predictor).thresholds) == list(predictor.thresholds)
    assert len(predictor.thresholds) == 3


def test_what_rules_are_given_by_label_is_saved() -> None:
    given = {name: name.split()[0] for name in NAMES.to_pylist()} | {"Tilia": "Tilia", "Quercus robur": None}
    again = saved_again(fitted(Method(Softmax(), Clustered(given=given)))[0])
    assert isinstance(again.rule, Clustered)
    assert again.rule.given == {name: given[name] for name in NAMES.to_pylist()}
    positions = {name: place / K for place, name in enumerate(NAMES.to_pylist())}
    again = saved_again(fitted(Method(Softmax(), Fuzzy(positions=positions)))[0])
    assert isinstance(again.rule, Fuzzy)
    assert again.rule.positions == positions


def test_clusters_that_are_no_texts_or_numbers_are_refused(tmp_path: Path) -> None:
    given = {name: ("genus", name) for name in NAMES.to_pylist()}
    predictor, _ = fitted(Method(Softmax(), Clustered(given=given)))
    with pytest.raises(AggregateError, match=r"^given of clustered cannot be saved: that of 'Abies alba' is a tuple"):
        save_sets(predictor, tmp_path / "sets.json")
    assert list(tmp_path.iterdir()) == []


@dataclass(frozen=True)
class Lowest:
    """A rule of a user's own, that no package has registered."""

    name: ClassVar[str] = "lowest"
    slack: ClassVar[float] = 0.0
    guarantee: ClassVar[str] = ""
    needs_prior: ClassVar[bool] = False

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """The lowest score."""
        return Thresholds(float(calibration.scores.min()))


def test_a_rule_of_a_module_that_is_imported_can_be_loaded() -> None:
    assert saved_again(fitted(Method(Softmax(), Lowest()))[0]).rule == Lowest()


def test_the_file_is_small_where_thresholds_are_shared(tmp_path: Path) -> None:
    names = pa.array([f"Species {number:06}" for number in range(50_000)])
    prior = Prior(np.random.default_rng(0).zipf(1.5, 50_000).astype(np.float64).clip(max=1e6))
    thresholds = Thresholds(-math.inf, np.where(np.arange(50_000) < 300, np.linspace(0, 1, 50_000), -math.inf))
    predictor = SetPredictor(Softmax(), Standard(), LabelSpace(names, prior), {Alpha.of("0.1"): thresholds})
    save_sets(predictor, tmp_path / "sets.json")
    assert (tmp_path / "sets.json").stat().st_size < 2_000_000
    assert len(load_sets(tmp_path / "sets.json").space) == 50_000


def changed(**parts: Any) -> str:
    return json.dumps({**json.loads(predictor_to_json(fitted(Method.of("pas/classwise"))[0])), **parts})


def threshold(**parts: Any) -> dict[str, Any]:
    return {"0.1": {"shared": 0.5, "of_labels": None, "strict": False, "ranked": None, **parts}}


BROKEN = {
    "{": "(Expecting property name",
    "[]": "is not a model of prediction sets (",
    '{"format": "plant-aggregate calibration 1"}': "(format is 'plant-aggregate calibration 1', not 'plant-a",
    changed(format="plant-aggregate prediction sets 2"): "(format is 'plant-aggregate prediction sets 2', not",
    changed(score={"name": "sofmax", "options": {}}): "(there is no score 'sofmax' here)",
    changed(threshold={"name": "own", "options": {}}): "(there is no threshold rule 'own' here)",
    changed(threshold={"name": "its:Own", "options": {}}): "rule 'its:Own' here: import its before)",
    changed(threshold={"name": "subprocess:Popen", "options": {"args": "true"}}): "('subprocess:Popen' is no",
    changed(score={"name": "pas", "options": {"tau": 3}}): "unexpected keyword argument 'tau'",
    changed(score={"name": "raps", "options": {"penalty": -1}}): "penalty is -1 but must be in [0, 1e6]",
    changed(thresholds={"1.5": {}}): "(alpha is 1.5 but must be a number in (0, 1))",
    changed(thresholds=threshold(shared="nan")): "(a number is NaN)",
    changed(thresholds=threshold(of_labels={"values": [1], "which": [0, 0]})): "(2 numbers for 5 labels)",
    changed(thresholds=threshold(of_labels={"values": [1], "which": [7] * 5})): "index 7 is out of bounds",
    changed(thresholds={}): "(it has no level)",
    changed(labels=["a", 7]): "is not a model of prediction sets (",
    changed(labels=["a", "b", "b", "d", "e"]): "(a label is there twice)",
    changed(label_type="cat"): "is not a model of prediction sets (",
    changed(at_risk=[9]): "index 9 is out of bounds",
    changed(weights={"values": [], "which": []}): "(0 numbers for 5 labels)",
}


@pytest.mark.parametrize("text", BROKEN, ids=[saying[:40] for saying in BROKEN.values()])
def test_a_file_that_is_no_model_is_refused_in_a_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "sets.json").write_text(text)
    with pytest.raises(VotesError) as raised:
        load_sets(tmp_path / "sets.json")
    message = str(raised.value)
    assert message.startswith(f"{tmp_path}/sets.json: is not a model of prediction sets (")
    assert BROKEN[text] in message
    assert message.endswith("; make one with plant-aggregate conformal fit")
    assert "\n" not in message


def test_a_cut_or_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "sets.json"
    save_sets(fitted(Method.of("softmax"))[0], path)
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    with pytest.raises(VotesError, match=r"sets.json: is not a model of prediction sets \("):
        load_sets(path)
    with pytest.raises(VotesError, match=r"gone.json: cannot be read \(no such file"):
        load_sets(tmp_path / "gone.json")


@pytest.mark.parametrize(
    ("method", "about", "guarantee"),
    [
        ("softmax", {}, "marginal >= 1 - alpha, of observations drawn like the calibration rows"),
        ("softmax/fuzzy", {}, ""),
        ("softmax", {"weighted": True}, ""),
        (
            "softmax/interp-q",
            {"from_run": "20261123T021500Z"},
            "marginal >= 1 - 2 alpha, of observations that would be valid in such a run, as to the label that it gives "
            "them",
        ),
        (
            "softmax",
            {"from_run": "20261123T021500Z", "min_probability": 0.9},
            "marginal >= 1 - alpha, of observations that would be valid in such a run with a probability of at least "
            "0.9, as to the label that it gives them",
        ),
        (
            "softmax/fuzzy-reconformalised",
            {"prior": "the calibration rows"},
            "marginal >= 1 - alpha, of observations drawn like the calibration rows; nearly so, as the prior is "
            "counted in these rows",
        ),
        (
            "pas",
            {"prior": "the calibration rows"},
            "marginal >= 1 - alpha, of observations drawn like the calibration rows; nearly so, as the prior is "
            "counted in these rows",
        ),
        ("pas", {"prior": "counts.csv"}, "marginal >= 1 - alpha, of observations drawn like the calibration rows"),
    ],
    ids=["experts", "none", "weighted", "run", "probable", "prior of the rule", "prior of the rows", "prior"],
)
def test_the_guarantee_says_of_which_observations_it_is(method: str, about: dict[str, Any], guarantee: str) -> None:
    predictor = replace(fitted(Method.of(method))[0], fitted_on=about)
    assert predictor.guarantee == guarantee
    assert json.loads(predictor_to_json(predictor))["guarantee"] == (guarantee or None)
