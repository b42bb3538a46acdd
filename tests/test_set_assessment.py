"""Prediction sets evaluated and compared from files and from memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from plant_aggregate import compare_sets, evaluate_sets, scores_from_matrix
from plant_aggregate.errors import AggregateWarning, ParameterError, VotesError
from plant_aggregate.prediction_sets import fit_sets, predict_sets
from tests.assessment.conformal.long_tail import K, N, label_space, labelled_scores
from tests.assessment.conformal.real_lists import DATA, needs_real_lists

NAMES = label_space().names
METHODS = ["softmax/standard", "pas/standard", "wpas/standard", "softmax/classwise"]


def matrix():
    return labelled_scores().scores.probabilities.reshape(N, K)


@pytest.fixture(scope="module")
def scores():
    """The observations 0 to N - 1."""
    return scores_from_matrix(matrix(), NAMES, top=None)


@pytest.fixture(scope="module")
def truth():
    labels = NAMES.take(pa.array(labelled_scores().truth))
    return pd.DataFrame({"observation_id": np.arange(N), "label": labels.to_pandas()})


def measures(comparison, name, measure="macro_coverage"):
    return {each.method: each.levels[0].measures[measure].value for each in comparison.compared if each.levels}[name]


def test_sets_are_evaluated_on_the_observations_that_have_a_list_and_a_label(scores, truth):
    predictor = fit_sets(scores, truth[: N // 2], score="pas", alpha=["0.2", "0.1"])
    others = pd.concat([truth[N // 2 :], pd.DataFrame({"observation_id": [N + 7], "label": ["sp00"]})])
    evaluation = evaluate_sets(predictor, scores, others, resamples=10)
    assert [level.observations for level in evaluation.levels] == [N // 2, N // 2]
    assert [
        abs(level.measures["marginal_coverage"].value - goal) < 0.04
        for level, goal in zip(evaluation.levels, (0.8, 0.9), strict=True)
    ]
    (level,) = evaluate_sets(predictor, scores, others, alpha=0.1, resamples=10).levels
    assert level.measures == evaluation.levels[1].measures
    with pytest.raises(ParameterError, match="fitted at"):
        evaluate_sets(predictor, scores, others, alpha=0.3)


def test_a_label_that_the_predictor_does_not_know_is_a_miss(scores, truth):
    predictor = fit_sets(scores, truth[: N // 2])
    others = truth[N // 2 :].assign(label=lambda rows: rows["label"].where(rows["label"] != "sp00", "sp00 alias"))
    rows = evaluate_sets(predictor, scores, others, resamples=0).per_label().to_pylist()
    assert [(row["label"], row["covered"], row["in_label_space"]) for row in rows if row["coverage"] == 0] == [
        ("sp00 alias", 0, False)
    ]


@pytest.mark.parametrize("method", ["pas/standard", "softmax/classwise"])
def test_sets_that_were_written_are_evaluated_as_those_of_the_lists(scores, truth, tmp_path, method):
    """Also where labels are in every set, which the files need not list."""
    pq.write_table(scores_from_matrix(matrix(), NAMES, top=20).to_arrow(), tmp_path / "scores.parquet")
    score, rule = method.split("/")
    options = {"score": score, "threshold": rule, "alpha": ["0.2", "0.1"]}
    predictor = fit_sets(tmp_path / "scores.parquet", truth[: N // 2], **options)
    predict_sets(tmp_path / "scores.parquet", predictor, tmp_path / "sets.parquet", alpha="0.1")
    rest = truth[N // 2 :].sample(frac=1, random_state=0)
    rest.iloc[0, 1] = "unknown"
    of_lists = evaluate_sets(predictor, tmp_path / "scores.parquet", rest, alpha="0.1", resamples=5, genus=True)
    of_sets = evaluate_sets(predictor, tmp_path / "sets.parquet", rest, resamples=5, genus=True)
    assert of_sets.to_arrow().equals(of_lists.to_arrow())
    assert of_sets.per_label().equals(of_lists.per_label())
    assert (of_sets.not_listed, of_sets.space) == (None, of_lists.space)
    with pytest.raises(ParameterError, match=r"the sets are of alpha 0\.1 alone"):
        evaluate_sets(predictor, tmp_path / "sets.parquet", rest, alpha="0.2")
    with pytest.raises(ParameterError, match=r"but the model is softmax/standard at alpha 0\.3"):
        evaluate_sets(fit_sets(scores, truth, alpha=0.3), tmp_path / "sets.parquet", rest)
    with pytest.warns(AggregateWarning, match="another model of the same method and level"):
        evaluate_sets(fit_sets(scores, truth[:1000], **options), tmp_path / "sets.parquet", rest, resamples=0)
    with pytest.raises(VotesError, match="has none of the 1 observations"):
        evaluate_sets(predictor, tmp_path / "sets.parquet", truth[:1].assign(observation_id=-1))


def test_files_of_sets_and_of_anything_else_are_not_evaluated_together(scores, truth, tmp_path):
    pq.write_table(scores.to_arrow(), tmp_path / "scores.parquet")
    for alpha in ("0.1", "0.2"):
        predict_sets(tmp_path / "scores.parquet", fit_sets(scores, truth, alpha=alpha), tmp_path / f"{alpha}.parquet")
    predictor = fit_sets(scores, truth, alpha="0.1")
    for other in ("0.2.parquet", "scores.parquet"):
        paths = [tmp_path / "0.1.parquet", tmp_path / other]
        with pytest.raises(VotesError, match=f"{other}.*has no sets of the same model and level"):
            evaluate_sets(predictor, paths, truth)


def test_sets_that_are_never_empty_cover_no_less(scores, truth, tmp_path):
    pq.write_table(scores.to_arrow(), tmp_path / "scores.parquet")
    predictor = fit_sets(scores, truth[: N // 2], alpha=0.4)
    found = {}
    for never_empty in (False, True):
        predict_sets(tmp_path / "scores.parquet", predictor, tmp_path / "sets.parquet", never_empty=never_empty)
        found[never_empty] = evaluate_sets(predictor, tmp_path / "sets.parquet", truth[N // 2 :], resamples=0).levels[0]
    assert found[False].measures["empty"].value > 0.05
    assert found[True].measures["empty"].value == 0
    gain = found[True].measures["marginal_coverage"].value - found[False].measures["marginal_coverage"].value
    assert 0 < gain < found[False].measures["empty"].value


def test_files_and_memory_give_the_same(scores, truth, tmp_path):
    pq.write_table(scores.to_arrow(), tmp_path / "scores.parquet")
    truth.to_parquet(tmp_path / "truth.parquet")
    in_memory = compare_sets(scores, truth, METHODS[:2], resamples=5)
    from_files = compare_sets(tmp_path / "scores.parquet", tmp_path / "truth.parquet", METHODS[:2], resamples=5)
    assert from_files.to_arrow().equals(in_memory.to_arrow())


def test_a_warning_says_that_thresholds_were_fitted_on_the_same_observations(scores, truth):
    with pytest.warns(AggregateWarning, match="fitted on these observations"):
        evaluate_sets(fit_sets(scores, truth), scores, truth, resamples=0)


def test_methods_are_compared_on_the_same_division_in_the_order_of_the_paper(scores, truth):
    at_risk = [f"sp{k}" for k in range(30, 40)]
    comparison = compare_sets(scores, truth, METHODS, at_risk=at_risk, gamma=100, resamples=0)
    assert comparison.calibration_rows + comparison.evaluation_rows == N
    assert abs(comparison.calibration_rows - N / 2) < 100
    softmax, pas, _, classwise = (measures(comparison, name) for name in METHODS)
    assert softmax < min(pas, classwise)
    sizes = {name: measures(comparison, name, "mean_size") for name in METHODS}
    assert sizes["softmax/standard"] < sizes["pas/standard"] < sizes["softmax/classwise"]
    risk = {name: measures(comparison, name, "at_risk_coverage") for name in METHODS}
    assert risk["softmax/standard"] < risk["pas/standard"] < risk["wpas/standard"]


def test_an_observation_is_on_the_same_side_whatever_others_there_are(scores, truth):
    every = compare_sets(scores, truth, ["softmax"], resamples=0)
    fewer = compare_sets(scores, truth[::3], ["softmax"], resamples=0)
    other = compare_sets(scores, truth, ["softmax"], seed=1, resamples=0)
    assert fewer.calibration_rows < every.calibration_rows
    assert every.calibration_rows != other.calibration_rows
    shuffled = compare_sets(scores, truth.sample(frac=1, random_state=0), ["softmax"], resamples=0)
    assert shuffled.to_arrow().equals(every.to_arrow())


def test_rows_to_fit_on_may_be_others_and_are_not_evaluated(scores, truth):
    first, rest = truth[:1000], truth[900:]
    with pytest.warns(AggregateWarning, match="100 observations left out"):
        comparison = compare_sets(scores, rest, METHODS[:2], calibration=first, resamples=5)
    assert (comparison.calibration_rows, comparison.evaluation_rows) == (1000, N - 1000)
    predictor = fit_sets(scores, first, score="pas")
    alone = evaluate_sets(predictor, scores, truth[1000:], resamples=5).levels[0]
    assert comparison.compared[1].levels[0].measures == alone.measures


def test_repeats_are_means_over_divisions(scores, truth):
    single = [compare_sets(scores, truth, ["pas"], seed=seed, resamples=0) for seed in (4, 5, 6)]
    both = compare_sets(scores, truth, ["pas"], seed=4, repeats=3, resamples=100)
    values = [measures(each, "pas") for each in single]
    found = both.compared[0].levels[0].measures["macro_coverage"]
    assert (found.value, found.low, found.high) == (pytest.approx(np.mean(values)), min(values), max(values))


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"share": 1.0}, ParameterError, r"share is 1\.0 but must be in \(0, 1\)"),
        ({"repeats": 0}, ParameterError, "repeats is 0 but must be at least 1"),
        ({"repeats": 2, "calibration": "truth"}, ParameterError, "exclude each other"),
        ({"calibration": "truth"}, VotesError, "all observations to evaluate on are to be fitted on"),
        ({"share": 1e-9}, VotesError, "0 would be fitted on"),
        ({"methods": ["sofmax"]}, ParameterError, "score is 'sofmax' but must be one of"),
        ({"alpha": 1.5}, ParameterError, r"alpha is 1\.5"),
    ],
)
def test_what_cannot_be_compared_is_said(scores, truth, wrong, error, message):
    wrong = {name: truth if value == "truth" else value for name, value in wrong.items()}
    with pytest.raises(error, match=message):
        compare_sets(scores, truth, **wrong)


def test_truncated_lists_make_some_methods_unusable_and_say_why(scores, truth):
    short = scores_from_matrix(matrix(), NAMES, top=2)
    comparison = compare_sets(short, truth, ["softmax", "aps", "softmax/classwise"], alpha=["0.5", "0.05"], resamples=0)
    softmax, aps, _ = comparison.compared
    assert "aps needs the probabilities of all labels" in aps.fault
    assert [str(alpha) for alpha in softmax.useless] == ["0.05"]
    assert "calibration rows, and" in next(iter(softmax.useless.values()))
    faults = comparison.to_arrow().filter(pc.equal(pc.field("method"), "softmax"))["fault"].to_pylist()
    assert faults[0] is None
    assert "lists have up to 2 labels" in faults[1]
    assert softmax.levels[1].measures["whole_space"].value == 1


@needs_real_lists
def test_all_methods_on_real_lists():
    comparison = compare_sets(DATA / "scores.parquet", DATA / "experts.parquet", alpha=["0.2"], repeats=3, resamples=0)
    usable = {each.method: each.levels[0].measures for each in comparison.compared if each.levels}
    assert usable["softmax/standard"]["mean_size"].value < usable["softmax/interp-q:tau=0.9"]["mean_size"].value < 10
    assert {each.method for each in comparison.compared} - set(usable) == {"aps/standard", "raps/standard"}
