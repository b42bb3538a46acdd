"""Evaluations and comparisons of methods, on a classifier whose labels have a long tail."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from plant_aggregate.assessment.conformal.comparison import compare_methods
from plant_aggregate.assessment.conformal.evaluation import evaluate_outcomes, evaluate_predictor
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.methods import Method
from plant_aggregate.assessment.conformal.metrics import SetOutcomes
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.report.prediction_sets import comparison_blocks, evaluation_blocks
from plant_aggregate.blocks import Interval
from plant_aggregate.errors import ParameterError
from plant_aggregate.schema import LABEL_COVERAGE, SET_COMPARISON, SET_EVALUATION, SET_MEASURES
from tests.assessment.conformal.long_tail import compared, evaluated, fitted, halves, label_space

ALPHAS = ["0.2", "0.1"]


def test_covers_is_membership_in_the_sets():
    predictor, (split,) = fitted("softmax/classwise", ALPHAS), halves()
    rows = split.evaluation
    for alpha in ALPHAS:
        sets = predictor.predict(rows.scores, alpha)
        always = set(np.flatnonzero(sets.always).tolist())
        members = [
            always | set(sets.labels[a:b].tolist())
            for a, b in zip(sets.offsets[:-1].tolist(), sets.offsets[1:].tolist(), strict=True)
        ]
        assert sets.covers(rows.truth).tolist() == [k in names for k, names in zip(rows.truth, members, strict=True)]
        assert sets.sizes.tolist() == [len(names) for names in members]


def test_an_evaluation_has_every_measure_with_an_interval_around_it():
    evaluation = evaluated(ALPHAS, resamples=200)
    assert [str(level.alpha) for level in evaluation.levels] == ALPHAS
    for level in evaluation.levels:
        assert list(level.measures) == [column.name for column in SET_MEASURES]
        for name, estimate in level.measures.items():
            assert estimate.low <= estimate.value <= estimate.high, name
        macro = level.measures["macro_coverage"]
        assert macro.high - macro.low > 0.02
        assert macro.value < level.measures["marginal_coverage"].value  # the tail is covered less


def test_the_tables_of_an_evaluation_are_those_of_the_schema():
    evaluation = evaluated(ALPHAS)
    table, of_labels = evaluation.to_arrow(), evaluation.per_label()
    assert table.column_names == [column.name for column in SET_EVALUATION]
    assert of_labels.column_names == [column.name for column in LABEL_COVERAGE]
    assert table["low"].null_count == table.num_rows  # no resamples
    frame = of_labels.to_pandas()
    for level, alpha in zip(evaluation.levels, ALPHAS, strict=True):
        mine = frame[frame["alpha"] == float(alpha)]
        assert mine["coverage"].mean() == pytest.approx(level.measures["macro_coverage"].value)
        assert mine["rows"].sum() == level.observations
        assert mine["label"].is_monotonic_increasing
        assert mine[mine["at_risk"]]["coverage"].mean() == pytest.approx(level.measures["at_risk_coverage"].value)
    assert mine.set_index("label")["prior_count"]["sp01"] == 500


def test_a_true_label_outside_the_label_space_is_a_miss_with_a_name():
    predictor, (split,) = fitted("softmax", ["0.1"]), halves()
    rows = split.evaluation
    truth = rows.truth.copy()
    truth[:3] = [40, 41, 41]
    names = pa.concat_arrays([label_space().names, pa.array(["unheard", "unseen"])])
    evaluation = evaluate_predictor(predictor, rows.scores, truth, names=names, resamples=0)
    last = evaluation.per_label().slice(evaluation.levels[0].labels - 2).to_pylist()
    assert [(row["label"], row["rows"], row["covered"], row["in_label_space"]) for row in last] == [
        ("unheard", 1, 0, False),
        ("unseen", 2, 0, False),
    ]
    assert [row["prior_count"] for row in last] == [None, None]


def test_json_has_the_measures_and_no_nan():
    outcomes = SetOutcomes(
        np.array([0, 1], np.int32), np.array([True, False]), np.array([1, 2], np.int32), np.array([False, True]), 2
    )
    space = LabelSpace(pa.array(["a", "b"]), at_risk=np.array([False, False]))
    level = evaluate_outcomes(outcomes, Alpha.of("0.1"), space, resamples=0)
    assert math.isnan(level.measures["at_risk_coverage"].value)
    text = json.dumps(evaluated(ALPHAS).to_dict(), allow_nan=False)
    assert json.loads(text)["levels"][1]["measures"]["macro_coverage"]["low"] is None


@pytest.mark.parametrize("wrong", [{"resamples": -1}, {"seed": -1}])
def test_invalid_numbers_are_refused(wrong):
    (split,) = halves()
    with pytest.raises(ParameterError, match="must be at least 0"):
        evaluate_predictor(fitted("softmax", ["0.1"]), split.evaluation.scores, split.evaluation.truth, **wrong)


def test_a_comparison_evaluates_each_method_as_alone():
    comparison = compared(["softmax", "softmax/classwise"], ALPHAS, resamples=20)
    for each in comparison.compared:
        alone = evaluated(ALPHAS, each.method, resamples=20)
        assert [level.measures for level in each.levels] == [level.measures for level in alone.levels]
    table = comparison.to_arrow()
    assert table.column_names == [column.name for column in SET_COMPARISON]
    assert table["method"].to_pylist() == ["softmax", "softmax", "softmax/classwise", "softmax/classwise"]
    assert table["guarantee"].to_pylist()[::2] == ["marginal >= 1 - alpha", "each label >= 1 - alpha"]
    one, other = (each.levels[1].measures for each in comparison.compared)
    assert one["macro_coverage"].value < other["macro_coverage"].value
    assert one["mean_size"].value < other["mean_size"].value


def test_of_several_splits_measures_are_means_between_the_lowest_and_the_highest():
    both = compared(["softmax"], ["0.1"], n_splits=2).compared[0].levels[0]
    method = {"softmax": Method.of("softmax")}
    values = [compare_methods(method, [split], ["0.1"], resamples=0).compared[0].levels[0] for split in halves(2)]
    macro = [level.measures["macro_coverage"].value for level in values]
    found = both.measures["macro_coverage"]
    assert (found.value, found.low, found.high) == (pytest.approx(np.mean(macro)), min(macro), max(macro))
    assert both.by_label.rows.sum() == sum(level.observations for level in values)
    assert both.by_label.covered.sum() == sum(level.by_label.covered.sum() for level in values)


def test_a_method_that_cannot_be_used_is_shown_with_the_reason():
    class Broken:
        name, slack, guarantee, needs_prior = "broken", 0.0, "", False

        def fit(self, calibration, alpha):
            raise ParameterError("needs a training set")

    good = Method.of("softmax")
    comparison = compare_methods({"softmax": good, "x/broken": Method(good.score, Broken())}, halves(), ["0.1"])
    assert [bool(each.levels) for each in comparison.compared] == [True, False]
    assert comparison.to_arrow().filter(pa.array([False, True])).to_pylist()[0]["fault"] == "needs a training set"
    (block,) = (block for block in comparison_blocks(comparison) if block.title.startswith("cannot"))
    assert block.content == ["  x/broken: needs a training set"]
    with pytest.raises(ParameterError, match="nothing to compare"):
        compare_methods({}, halves(), ["0.1"])


def test_tables_show_each_level_beside_the_others_and_the_smallest_sets_first():
    head, block = evaluation_blocks(evaluated(ALPHAS, resamples=10))
    (table,) = block.content
    assert head.title == "softmax/standard: 1,500 observations of 40 labels"
    assert [row[0] for row in table.rows] == ALPHAS
    assert isinstance(table.rows[0][1], Interval)
    comparison = compared(["softmax/classwise", "softmax"], ALPHAS)
    (rows, _) = (
        part.rows for block in comparison_blocks(comparison) for part in block.content if hasattr(part, "rows")
    )
    assert [row[0].name for row in rows] == ["softmax", "softmax/classwise"]


def test_results_are_a_line_in_an_interpreter_and_a_table_in_a_notebook():
    evaluation, comparison = evaluated(["0.1"]), compared(["softmax"], ["0.1"])
    assert repr(evaluation).startswith("SetEvaluation(1,500 observations; alpha 0.1: coverage 9")
    assert repr(comparison).startswith("SetComparison(1 method, of which 1 can be used, fitted on 1,500 rows")
    for result in (evaluation, comparison):
        assert "<table>" in result._repr_html_()
        assert len(result.to_pandas()) == result.to_arrow().num_rows
