"""Labels of any origin, evaluated against experts: what needs more than labels is left out, and nothing is made up."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate import Evaluation, ParameterError, Truth, Votes, VotesError
from plant_aggregate.assessment.report.comparison import comparison_blocks
from plant_aggregate.assessment.report.evaluation import evaluation_blocks
from plant_aggregate.cli.text import as_text
from plant_aggregate.frames import to_table
from tests.paths import SAMPLE

OF_LABELS = ["accuracy_of_labels"]


@pytest.fixture(scope="module")
def votes() -> Votes:
    return plant_aggregate.read_votes(SAMPLE / "votes.parquet")


@pytest.fixture(scope="module")
def truth() -> Truth:
    return plant_aggregate.read_truth(SAMPLE / "truth.parquet")


@pytest.fixture(scope="module")
def table(votes: Votes) -> pa.Table:
    """A whole consensus."""
    return plant_aggregate.Wawa().fit(votes).to_arrow()


@pytest.fixture(scope="module")
def labels(table: pa.Table) -> pa.Table:
    return table.select(["observation_id", "label"])


def in_terminal(evaluation: Evaluation) -> str:
    return "\n".join([as_text(evaluation_blocks(evaluation))])


FORMS: dict[str, Callable[[pa.Table], Any]] = {
    "arrow": lambda table: table,
    "dict": lambda table: table.to_pydict(),
    "pandas": lambda table: table.to_pandas(),
    "categorical": lambda table: table.to_pandas().astype({"label": "category"}),
    "names of crowd-kit": lambda table: table.to_pandas().rename(columns={"observation_id": "task"}),
    "series": lambda table: table.to_pandas().set_index("observation_id")["label"],
    "truth": lambda table: plant_aggregate.truth_from_table(table),
    "in another order": lambda table: table.to_pandas().sample(frac=1, random_state=3),
}


@pytest.mark.parametrize("form", FORMS)
def test_labels_in_every_form_have_the_measures_of_labels_alone(
    form: str, votes: Votes, truth: Truth, labels: pa.Table
) -> None:
    whole = plant_aggregate.evaluate(plant_aggregate.Wawa().fit(votes), truth, resamples=20)
    found = plant_aggregate.evaluate(FORMS[form](labels), truth, resamples=20)
    (group,) = found.subsets
    assert (group.name, list(group.measures)) == ("all", OF_LABELS)
    assert group.measures["accuracy_of_labels"] == whole.subsets[0].measures["accuracy_of_labels"]
    assert found.by_votes == ()
    assert found.overlap.matched == whole.overlap.matched
    pairs = [(pair.truth, pair.label, pair.observations) for pair in whole.confusions]
    assert [(pair.truth, pair.label, pair.observations) for pair in found.confusions] == pairs
    assert {pair.valid for pair in found.confusions} == {None}


def test_what_is_left_out_is_nowhere(truth: Truth, labels: pa.Table) -> None:
    found = plant_aggregate.evaluate(labels, truth, resamples=0)
    printed = in_terminal(found)
    assert printed.startswith("5,025 observations of 1,103 species known to experts and labelled\n")
    for word in ("valid = wrong", "macro", "kept", "calibration", "two votes", "disagreement", "ever voted", "votes  "):
        assert word not in printed
    assert printed.count("valid") == 1  # accuracy of labels, valid or not
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert list(written["subsets"][0]["measures"]) == OF_LABELS
    assert written["by_votes"] == []
    assert set(found.to_arrow()["measure"].to_pylist()) == set(OF_LABELS)
    assert "5,025 observations" in found._repr_html_()


@pytest.mark.parametrize(
    ("further", "measures", "subsets"),
    [
        (["confidence"], [*OF_LABELS, "calibration_error", "risk_coverage_area"], 1),
        (["valid"], ["accuracy", "accuracy_of_valid", *OF_LABELS, "macro_precision", "macro_recall"], 1),
        (["n_votes"], OF_LABELS, 2),
        (["n_votes", "n_labels"], OF_LABELS, 3),
        (["status", "aum"], OF_LABELS, 1),
    ],
)
def test_further_columns_of_a_consensus_are_used(
    further: list[str], measures: list[str], subsets: int, truth: Truth, table: pa.Table
) -> None:
    whole = plant_aggregate.evaluate(table, truth, resamples=0)
    frame = table.select(["observation_id", "label", *further]).to_pandas()
    found = plant_aggregate.evaluate(frame, truth, resamples=0)
    assert list(found.subsets[0].measures)[: len(measures)] == measures
    assert len(found.subsets) == subsets
    assert len(found.by_votes) == (5 if "n_votes" in further else 0)
    for group, same in zip(found.subsets, whole.subsets, strict=False):
        assert {name: each.value for name, each in group.measures.items()} == {
            name: same.measures[name].value for name in group.measures
        }
    assert in_terminal(found)


def test_a_table_of_a_whole_consensus_is_as_the_consensus(votes: Votes, truth: Truth, table: pa.Table) -> None:
    expected = plant_aggregate.evaluate(plant_aggregate.Wawa().fit(votes), truth, resamples=10).to_dict()
    assert plant_aggregate.evaluate(table.to_pandas(), truth, resamples=10).to_dict() == expected


def test_a_run_is_evaluated_as_its_consensus(votes: Votes, truth: Truth, tmp_path: Path) -> None:
    run = plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "out", "wawa")
    found = plant_aggregate.evaluate(run, truth, resamples=0)
    published = plant_aggregate.evaluate(run.evidence(truth).evidence, truth, resamples=0)
    assert found.to_dict() == published.to_dict()
    assert found.subsets[2].measures["kept"].value < 1


def test_observations_without_a_label_are_ignored_and_counted(truth: Truth, labels: pa.Table) -> None:
    known = truth.at(np.arange(10))
    some = labels.to_pandas().set_index("observation_id")["label"].loc[known.observation_ids.to_pylist()[:6]]
    some.iloc[0] = None
    found = plant_aggregate.evaluate(some, known, resamples=0)
    assert (found.overlap.matched, found.overlap.unknown) == (5, 5)
    assert "5 more that experts know have no label: ignored" in in_terminal(found)
    alone = plant_aggregate.evaluate(some.iloc[1:], known, resamples=0)
    assert found.to_dict() == alone.to_dict()


LABELS = {"observation_id": [1, 2], "label": ["Acer", "Abies"]}
EXPERTS = {"observation_id": [1, 2], "label": ["Acer", "Pinus"]}


@pytest.mark.parametrize(
    ("given", "error", "saying"),
    [
        ("labels.parquet", TypeError, "write open_run('labels.parquet'), or read_truth('labels.parquet') for a table"),
        (3, TypeError, "a consensus is wanted, not an int: write Wawa().fit(votes), or a frame of obs"),
        (["Acer"], TypeError, "a consensus is wanted, not a list"),
        (
            plant_aggregate.votes_from_table(
                {**{name: [1] for name in ("observation_id", "user_id")}, "label": ["Acer"]}
            ),
            TypeError,
            "a consensus is wanted, not a Votes: write Wawa().fit(votes)",
        ),
        ({"observation_id": [1], "species": ["Acer"]}, VotesError, "write columns={'label': 'species'}"),
        ({"observation_id": [1, 1], "label": ["a", "b"]}, VotesError, "labels: observation 1 occurs more than once"),
        ({"observation_id": ["1"], "label": ["a"]}, VotesError, "has type int64, but string in the labels"),
        ({"observation_id": [1], "label": [3]}, VotesError, "column 'label' has type string, but int64 in the labels"),
        ({"observation_id": [9], "label": ["a"]}, VotesError, "none of its 2 observations is in the labels"),
        ({**LABELS, "confidence": [0.5, 1.5]}, VotesError, "labels: column 'confidence' holds values outside [0, 1]"),
        ({**LABELS, "valid": ["a", "b"]}, VotesError, "'valid' has type string"),
    ],
)
def test_what_cannot_be_evaluated_is_a_line(given: Any, error: type[Exception], saying: str) -> None:
    with pytest.raises(error) as failure:
        plant_aggregate.evaluate(given, EXPERTS)
    assert saying in str(failure.value)
    assert "\n" not in str(failure.value)


def test_names_of_columns_are_those_of_each_frame(labels: pa.Table) -> None:
    theirs = pd.DataFrame(LABELS).rename(columns={"label": "agg_label"})
    votes = {"observation_id": [1, 2], "user_id": ["ana", "bo"], "agg_label": ["Acer", "Pinus"]}
    columns = {"label": "agg_label"}
    found = plant_aggregate.evaluate(theirs, EXPERTS, columns=columns, resamples=0)
    assert found.subsets[0].measures["accuracy_of_labels"].value == 0.5
    compared = plant_aggregate.compare(votes, EXPERTS, "majority", labels={"x": theirs}, columns=columns, resamples=0)
    of_all = compared.to_arrow().filter(pa.array([True, False, False] * 2))
    assert of_all["accuracy_of_labels"].to_pylist() == [1.0, 0.5]


def test_labels_that_differ_in_case_are_warned_of() -> None:
    lower = {"observation_id": [1, 2], "label": ["acer", "pinus"]}
    with pytest.warns(plant_aggregate.AggregateWarning, match="labels differ from one of the labels only in case"):
        plant_aggregate.evaluate(lower, EXPERTS, resamples=0)
    votes = {"observation_id": [1, 2], "user_id": ["ana", "bo"], "label": ["Acer", "Pinus"]}
    with pytest.warns(plant_aggregate.AggregateWarning, match="labels differ from one of the labels 'x' only in case"):
        plant_aggregate.compare(votes, EXPERTS, "majority", labels={"x": lower}, resamples=0)


def test_labels_stand_beside_strategies_on_the_same_observations(votes: Votes, truth: Truth, labels: pa.Table) -> None:
    whole = plant_aggregate.compare(votes, truth, "wawa", resamples=20, labels={"same": labels})
    ours, theirs = whole.compared
    assert [group.observations for group in theirs.evaluation.subsets] == [5025, 3097, 132]
    for one, other in zip(ours.evaluation.subsets, theirs.evaluation.subsets, strict=True):
        assert dict(other.measures) == {"accuracy_of_labels": one.measures["accuracy_of_labels"]}
    assert (theirs.seconds, theirs.iterations, theirs.converged) == (None, None, None)
    rows = whole.to_arrow().to_pylist()
    assert {name for name, value in rows[3].items() if value is not None} == {
        *("strategy", "subset", "observations"),
        *("accuracy_of_labels", "accuracy_of_labels_low", "accuracy_of_labels_high"),
    }
    line = next(line for line in as_text(comparison_blocks(whole)).splitlines() if line.startswith("same"))
    assert line.split().count("-") == 8
    assert "did not converge" not in as_text(comparison_blocks(whole))


def test_labels_that_are_lacking_count_as_wrong_beside_strategies(votes: Votes, truth: Truth, labels: pa.Table) -> None:
    part = labels.slice(0, 9000)
    found = plant_aggregate.compare(votes, truth, ["wawa"], labels={"part": part}, resamples=0)
    theirs = found.compared[1].evaluation
    alone = plant_aggregate.evaluate(part, truth, resamples=0)
    n_right = round(alone.subsets[0].measures["accuracy_of_labels"].value * alone.overlap.matched)
    assert theirs.subsets[0].measures["accuracy_of_labels"].value == n_right / 5025
    assert theirs.overlap.without_label == 5025 - alone.overlap.matched
    printed = as_text(comparison_blocks(found))
    assert f"part has no label for {theirs.overlap.without_label:,} of the expert observations: they cou" in printed


def test_a_whole_consensus_beside_strategies_has_all_measures(votes: Votes, truth: Truth, table: pa.Table) -> None:
    of_table = plant_aggregate.compare(votes, truth, "wawa", labels={"table": table.to_pandas()}, resamples=5)
    fitted, given = of_table.compared
    assert given.evaluation.to_dict() == fitted.evaluation.to_dict()
    consensus = plant_aggregate.Majority().fit(votes)
    of_fit = plant_aggregate.compare(votes, truth, "majority", labels={"fit": consensus}, resamples=0)
    assert [each.evaluation.to_dict() for each in of_fit.compared] == [of_fit.compared[0].evaluation.to_dict()] * 2


def test_labels_alone_are_compared(votes: Votes, truth: Truth, labels: pa.Table) -> None:
    found = plant_aggregate.compare(votes, truth, [], labels={"one": labels, "two": labels}, resamples=0)
    assert [each.strategy for each in found.compared] == ["one", "two"]
    assert "accuracy_of_labels 92.0 %" in repr(found)


@pytest.mark.parametrize(
    ("labels", "error", "saying"),
    [
        ({"wawa": LABELS}, ParameterError, "labels and a strategy are both named wawa; give them another name"),
        (pd.DataFrame(LABELS), TypeError, "labels are wanted, not a pandas.DataFrame: write a dict of them by name"),
        ({"x": "labels.parquet"}, TypeError, "write open_run('labels.parquet'), or read_truth('labels.parquet')"),
        ({"x": {"observation_id": [9], "label": ["a"]}}, VotesError, "observations with votes is in the labels 'x'"),
    ],
)
def test_labels_that_cannot_be_compared(labels: Any, error: type[Exception], saying: str) -> None:
    votes = {"observation_id": [1, 2], "user_id": ["ana", "bo"], "label": ["Acer", "Pinus"]}
    with pytest.raises(error) as failure:
        plant_aggregate.compare(votes, EXPERTS, ["wawa"], labels=labels)
    assert saying in str(failure.value)


def test_a_calibration_needs_a_consensus(truth: Truth, labels: pa.Table) -> None:
    evidence = plant_aggregate.Evidence.from_table(labels, labels["label"].unique())
    with pytest.raises(VotesError, match="these labels have no confidence, agreement, aum, n_votes, n_labels"):
        plant_aggregate.calibrate(evidence, truth)


@pytest.mark.extras
def test_charts_show_what_is_known(votes: Votes, truth: Truth, labels: pa.Table) -> None:
    pytest.importorskip("matplotlib")
    from plant_aggregate import charts

    compared = plant_aggregate.compare(votes, truth, ["wawa"], labels={"theirs": labels}, resamples=5)
    assert {text.get_text() for text in charts.accuracy_against_retrieval(compared).texts} == {"wawa"}
    axes = charts.confusions(plant_aggregate.evaluate(labels, truth, resamples=0))
    assert axes.get_legend() is None
    assert sum(bar.get_width() for bar in axes.patches) > 0


@pytest.mark.extras
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_results_of_crowd_kit_stand_beside_ours(votes: Votes, truth: Truth) -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    rows = pq.read_table(SAMPLE / "votes.parquet").rename_columns({"observation_id": "task", "user_id": "worker"})
    theirs = aggregation.MajorityVote().fit_predict(rows.to_pandas())
    found = plant_aggregate.compare(votes, truth, ["majority"], labels={"crowd-kit": theirs}, resamples=0)
    ours, crowdkit = (each.evaluation.subsets[0].measures["accuracy_of_labels"].value for each in found.compared)
    assert math.isclose(ours, crowdkit, abs_tol=0.02)  # ties
    assert found.compared[1].evaluation.overlap.without_label == 0
    kept = plant_aggregate.Consensus.from_labels(votes, theirs)
    assert kept.n_observations == votes.n_observations


def test_a_name_that_no_frame_has_stands_for_no_other_column() -> None:
    labels = {**LABELS, "species": ["Ilex", "Ilex"]}
    votes = {**LABELS, "user_id": ["ana", "bo"]}
    for columns in ({"label": "speceis"}, {"observation_id": "obs"}):
        with pytest.raises(VotesError, match=f"no table has a column '{next(iter(columns.values()))}': there are "):
            plant_aggregate.evaluate(labels, EXPERTS, columns=columns)
        with pytest.raises(VotesError, match="no table has a column"):
            plant_aggregate.compare(votes, EXPERTS, "majority", labels={"x": labels}, columns=columns)
    wrong: Any = ["label"]
    with pytest.raises(TypeError, match="columns are wanted, not a list: write columns="):
        plant_aggregate.evaluate(labels, EXPERTS, columns=wrong)


def test_frames_that_can_be_read_once_may_have_names_of_their_own() -> None:
    def reader(frame: Any) -> pa.RecordBatchReader:
        return to_table(frame).rename_columns(["photo", "label"]).to_reader(1)

    found = plant_aggregate.evaluate(reader(LABELS), reader(EXPERTS), columns={"observation_id": "photo"}, resamples=0)
    assert found.to_dict() == plant_aggregate.evaluate(LABELS, EXPERTS, resamples=0).to_dict()


def test_nothing_is_no_comparison() -> None:
    with pytest.raises(ParameterError, match="there is nothing to compare; give strategies or labels"):
        plant_aggregate.compare({**LABELS, "user_id": ["ana", "bo"]}, EXPERTS, [])
