"""A consensus from labels that somebody found: the columns are those of a strategy that finds the same ones."""

import random
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate import Consensus, Iteration, ParameterError, Trace, Votes, VotesError
from plant_aggregate.strategies.base import parameters_with
from plant_aggregate.strategies.registry import ALL, STRATEGIES
from tests.paths import SAMPLE

OF_ITERATIONS = ["aum", "ambiguous"]
OF_MODEL = ["confidence", "probability"]
ROWS = {
    "observation_id": [7, 7, 7, 8, 9, 9],
    "user_id": ["ana", "bo", "cy", "ana", "bo", "cy"],
    "label": ["Acer", "Acer", "Abies", "Tilia", "Abies", "Acer"],
}


@pytest.fixture(scope="module")
def sample() -> Votes:
    return plant_aggregate.read_votes(SAMPLE / "votes.parquet")


@pytest.fixture
def votes() -> Votes:
    return plant_aggregate.votes_from_table(ROWS)


def shuffled(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas().sample(frac=1, random_state=5)
    return frame


@pytest.mark.parametrize("name", [name for name in ALL if name != "plantnet"])
def test_labels_weights_and_shares_of_a_strategy_give_its_consensus(name: str, sample: Votes) -> None:
    fitted = STRATEGIES[name]().fit(sample)
    by_code = Consensus.from_labels(
        sample, fitted.labels, weights=fitted.users.weight, shares=fitted.shares, strategy=STRATEGIES[name]()
    )
    by_id = Consensus.from_labels(
        sample,
        shuffled(fitted.to_arrow()),
        weights=shuffled(fitted.users_to_arrow()),
        shares=shuffled(fitted.posteriors_to_arrow()),
        strategy=STRATEGIES[name](),
        trace=fitted.trace,
    )
    not_given = OF_ITERATIONS if fitted.model is None else OF_ITERATIONS + OF_MODEL
    total = np.bincount(sample.observations, fitted.users.weight[sample.users])
    for found in (by_code, by_id):
        columns = [name for name in fitted.to_arrow().column_names if name not in not_given]
        assert found.to_arrow().select(columns).equals(fitted.to_arrow().select(columns))
        assert set(found.to_arrow().column_names) == {*columns, *OF_ITERATIONS, "confidence"}
        assert found.confidence == pytest.approx(found.agreement * total / (total + found.gamma))
        assert found.users_to_arrow().equals(fitted.users_to_arrow())
        assert found.posteriors_to_arrow().equals(fitted.posteriors_to_arrow())
        assert (found.strategy, found.gamma) == (name, fitted.gamma)
        assert found.parameters == asdict(STRATEGIES[name]())
        assert parameters_with(STRATEGIES[name](), ()) == fitted.parameters
        assert np.array_equal(found.aum, found.margin)
    assert by_id.trace == fitted.trace


@pytest.mark.parametrize("name", ["majority", "wawa"])
def test_the_shares_are_by_default_those_of_the_weight_and_the_trace_leads_from_the_majority(
    name: str, sample: Votes
) -> None:
    fitted = STRATEGIES[name]().fit(sample)
    weights = None if name == "majority" else fitted.users.weight
    found = Consensus.from_labels(sample, fitted.labels, weights=weights)
    assert found.to_arrow().drop_columns(OF_ITERATIONS).equals(fitted.to_arrow().drop_columns(OF_ITERATIONS))
    assert found.trace == fitted.trace
    assert found.strategy == "labels"


@pytest.mark.parametrize(
    "given",
    [
        [1, 2, 0],
        np.array([1, 2, 0], np.uint8),
        ["Acer", "Tilia", "Abies"],
        np.array(["Acer", "Tilia", "Abies"]),
        pa.array(["Acer", "Tilia", "Abies"]).dictionary_encode(),
        pd.Series(["Abies", "Tilia", "Acer"], index=[9, 8, 7]),
        {"observation_id": [8, 9, 7], "label": ["Tilia", "Abies", "Acer"]},
        {"task": [8, 9, 7], "label": ["Tilia", "Abies", "Acer"]},
    ],
    ids=["codes", "small codes", "list", "array", "dictionary", "series", "dict", "names of crowd-kit"],
)
def test_labels_in_every_form(votes: Votes, given: Any) -> None:
    found = Consensus.from_labels(votes, given)
    assert found.to_arrow()["label"].to_pylist() == ["Acer", "Tilia", "Abies"]
    assert found.agreement.tolist() == [2 / 3, 1.0, 0.5]
    assert found.margin.tolist() == pytest.approx([1 / 3, 1.0, 0.0])


def test_a_label_need_not_be_the_likeliest(votes: Votes) -> None:
    found = Consensus.from_labels(votes, ["Abies", "Tilia", "Abies"])
    assert found.margin[0] == pytest.approx(-1 / 3)
    assert found.to_arrow()["runner_up"].to_pylist()[0] == "Acer"


@pytest.mark.parametrize(
    "given",
    [
        [0.5, 2.0, 1.0],
        pd.Series([2.0, 1.0, 0.5], index=["bo", "cy", "ana"]),
        {"user_id": ["cy", "ana", "bo", "dan"], "weight": [1.0, 0.5, 2.0, 9.0]},
    ],
    ids=["list", "series", "dict"],
)
def test_weights_in_every_form(votes: Votes, given: Any) -> None:
    found = Consensus.from_labels(votes, [1, 2, 0], weights=given)
    assert found.weight.tolist() == [2.5, 0.5, 2.0]
    assert found.valid.tolist() == [True, False, False]


def test_shares_may_be_of_all_labels_and_are_divided_by_the_sum_of_those_voted(votes: Votes) -> None:
    dense = np.array([[0.2, 0.6, 0.2], [0.0, 0.1, 0.9], [0.3, 0.1, 0.6]])
    of_candidates = [0.25, 0.75, 0.75, 0.25]
    rows = {"observation_id": [9, 9, 7, 7, 7], "label": ["Acer", "Abies", "Acer", "Abies", "Pinus"]}
    for shares in (dense, of_candidates, {**rows, "share": [0.1, 0.3, 0.6, 0.2, 0.2]}):
        found = Consensus.from_labels(votes, [1, 2, 0], shares=shares)
        assert found.candidate_shares.tolist() == pytest.approx(of_candidates)
        assert found.agreement.tolist() == pytest.approx([0.75, 1.0, 0.75])


@pytest.mark.parametrize("kind", ["arrow", "chunked", pytest.param("polars", marks=pytest.mark.extras)])
def test_columns_in_the_order_of_the_votes(kind: str, votes: Votes) -> None:
    def column(values: list[Any]) -> Any:
        if kind == "polars":
            return pytest.importorskip("polars").Series(values)
        return pa.array(values) if kind == "arrow" else pa.chunked_array([values[:1], values[1:]])

    labels, weights, shares = ["Acer", "Tilia", "Abies"], [0.5, 2.0, 1.0], [0.25, 0.75, 0.75, 0.25]
    found = Consensus.from_labels(votes, column(labels), weights=column(weights), shares=column(shares))
    expected = Consensus.from_labels(votes, labels, weights=weights, shares=shares)
    assert found.to_arrow().equals(expected.to_arrow())
    assert found.users_to_arrow().equals(expected.users_to_arrow())
    with pytest.raises(ParameterError, match="weights must be finite numbers, at least 0"):
        Consensus.from_labels(votes, labels, weights=column([0.5, None, 1.0]))


def test_integers_are_codes_in_arrays_and_labels_in_tables() -> None:
    rows = {"observation_id": [7, 7, 8], "user_id": [1, 2, 1], "label": [30, 10, 20]}
    votes = plant_aggregate.votes_from_table(rows)
    for given in ([2, 1], pa.array([30, 20]), {"observation_id": [7, 8], "label": [30, 20]}):
        assert Consensus.from_labels(votes, given).to_arrow()["label"].to_pylist() == [30, 20]
    with pytest.raises(VotesError, match="labels hold codes that are not in 0 to 2; codes are positions in"):
        Consensus.from_labels(votes, [30, 20])


def test_thresholds_are_those_given_then_those_of_the_strategy(votes: Votes) -> None:
    strict = plant_aggregate.Wawa(theta_acc=0.9, theta_conf=1.9)
    found = Consensus.from_labels(votes, [1, 2, 0], strategy=strict, theta_conf=0.75)
    assert (found.theta_acc, found.parameters["theta_conf"], found.strategy) == (0.9, 0.75, "wawa")
    assert found.valid.tolist() == [False, True, False]
    found = Consensus.from_labels(votes, [1, 2, 0], ambiguous_quantile=0.34)
    assert found.ambiguous.tolist() == [False, False, True]


def test_a_trace_may_leave_out_what_is_not_counted(votes: Votes) -> None:
    trace = Trace((Iteration(2), Iteration(0)), converged=False)
    found = Consensus.from_labels(votes, [1, 2, 0], trace=trace)
    assert found.trace == trace
    assert [iteration.valid for iteration in found.trace.iterations] == [None, None]
    assert found.trace.cycle_length == 0


@pytest.mark.parametrize(
    ("given", "saying"),
    [
        (["Acer", "Tilia"], "2 labels for 3 observations; give each observation of the votes a label"),
        ([1, 2, 3], "labels hold codes that are not in 0 to 2"),
        (["Acer", "Tilia", None], "labels lack 1 of 3 observations, the first 9"),
        ({"observation_id": [7, 8], "label": ["Acer", "Tilia"]}, "labels lack 1 of 3 observations, the first 9"),
        (
            {"observation_id": [7, 8, 9, 10], "label": ["Acer", "Tilia", "Acer", "Acer"]},
            "labels of observations without votes, 1 in all; give",
        ),
        ({"observation_id": [7, 8, 8], "label": ["Acer", "Tilia", "Tilia"]}, "labels have an observation twice"),
        ({"observation_id": ["7", "8", "9"], "label": ["Acer", "Tilia", "Acer"]}, "has type string, but int64 in the"),
        (
            ["acer", "Tilia", "Acer"],
            "nobody voted the label of 1 of 3 observations, the first 7, anywhere: 'acer'; a c",
        ),
    ],
)
def test_labels_that_cannot_be_those_of_the_votes(votes: Votes, given: Any, saying: str) -> None:
    with pytest.raises(VotesError) as failure:
        Consensus.from_labels(votes, given)
    assert saying in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("numbers", "saying"),
    [
        ({"weights": [1.0, 2.0]}, "weights have shape (2,) but there are 3 users"),
        ({"weights": [1.0, -2.0, 1.0]}, "weights must be finite numbers, at least 0"),
        ({"weights": {"user_id": ["ana", "bo"], "weight": [1.0, 1.0]}}, "weights lack 1 of the 3 users"),
        ({"weights": {"user_id": ["bo"] * 3, "weight": [1.0] * 3}}, "weights have a user twice"),
        ({"shares": [0.5, 0.5]}, "shares have shape (2,) but there are 3 observations x 3 labels, and 4 candidates"),
        ({"shares": [0.5, 0.5, np.nan, 1.0]}, "shares must be finite numbers, at least 0"),
        ({"shares": [0.5, 0.5, 0.0, 0.0]}, "shares of the labels voted on observation 9 are all 0"),
        ({"theta_acc": 1.5}, "theta_acc is 1.5 but must be in (0, 1]"),
    ],
)
def test_numbers_that_cannot_be_used(votes: Votes, numbers: dict[str, Any], saying: str) -> None:
    with pytest.raises((VotesError, ParameterError)) as failure:
        Consensus.from_labels(votes, [1, 2, 0], **numbers)
    assert saying in str(failure.value)


@pytest.mark.parametrize("given", [None, "Acer", 3, [[1, 2, 0]], [1.0, 2.0, 0.0]])
def test_what_is_no_label_an_observation_is_a_type_error(votes: Votes, given: Any) -> None:
    with pytest.raises(TypeError, match="write an array of names or codes, or a frame of observation_id and label"):
        Consensus.from_labels(votes, given)


@pytest.mark.parametrize(
    "shares", [None, {"observation_id": [7, 7, 9], "label": ["Tilia", "Acer", "Acer"], "share": [0.6, 0.4, 1.0]}]
)
def test_a_label_that_nobody_voted_there_has_no_weight(votes: Votes, shares: Any) -> None:
    """On a disputed observation, and on one where all agree."""
    with pytest.warns(
        plant_aggregate.AggregateWarning, match="nobody voted the label of 2 of 3 observations, the first 7"
    ):
        found = Consensus.from_labels(
            votes,
            ["Tilia", "Acer", "Acer"],
            shares=None
            if shares is None
            else {
                name: [*values, *more]
                for (name, values), more in zip(shares.items(), ([8], ["Tilia"], [1.0]), strict=True)
            },
        )
    table = found.to_arrow()
    assert table["label"].to_pylist() == ["Tilia", "Acer", "Acer"]
    assert found.weight.tolist() == [0.0, 0.0, 1.0]
    assert found.valid.tolist() == [False, False, False]
    assert found.n_labels.tolist() == [2, 1, 2]
    assert table["n_votes"].to_pylist() == [3, 1, 2]
    assert table["runner_up"].to_pylist() == ["Acer", "Tilia", "Abies"]
    if shares is None:
        assert found.agreement.tolist() == [0.0, 0.0, 0.5]
        assert found.margin.tolist() == pytest.approx([-2 / 3, -1.0, 0.0])
        assert table["status"].to_pylist() == ["contested"] * 3
    else:
        assert found.agreement.tolist() == pytest.approx([0.6, 0.0, 1.0])
        assert found.margin.tolist() == pytest.approx([0.2, -1.0, 1.0])
    assert found.users.agreement_rate.tolist() == [0.0, 0.0, 0.5]
    soft = found.posteriors_to_pandas()
    assert soft.groupby("observation_id")["share"].sum().tolist() == pytest.approx([1.0, 1.0, 1.0])
    of_labels = plant_aggregate.evaluate(found, table.select(["observation_id", "label"]), resamples=0)
    assert of_labels.subsets[0].measures["accuracy_of_labels"].value == 1.0


def test_labels_without_votes_change_no_other_observation(sample: Votes) -> None:
    """Those of a strategy, of which a few are replaced: all columns of the others are what they were."""
    fitted = plant_aggregate.Wawa().fit(sample)
    labels, chance = fitted.labels.copy(), np.random.default_rng(4)
    changed = np.sort(chance.choice(sample.n_observations, 50, replace=False))
    labels[changed] = (labels[changed] + 1000) % sample.n_labels
    with pytest.warns(plant_aggregate.AggregateWarning, match="nobody voted the label of"):
        found = Consensus.from_labels(sample, labels, weights=fitted.users.weight)
    whole = Consensus.from_labels(sample, fitted.labels, weights=fitted.users.weight)
    others = pa.array(~np.isin(np.arange(sample.n_observations), changed))
    assert found.to_arrow().filter(others).equals(whole.to_arrow().filter(others))
    assert not found.valid[changed].any()
    assert found.counts["valid"] == int(whole.valid.sum()) - int(whole.valid[changed].sum())


def test_observations_that_only_the_ai_voted_on_are_left_out_by_the_caller(votes: Votes) -> None:
    ai = plant_aggregate.ai_votes_from_table({"observation_id": [10], "label": ["Acer"], "score": [0.9]})
    joined = plant_aggregate.PlantNet().fit(
        plant_aggregate.votes_from_table({**ROWS, "is_author": [True] * 6}), ai_votes=ai
    )
    with pytest.raises(VotesError, match=r"give votes\.voted"):
        Consensus.from_labels(joined.votes, joined.labels)
    found = Consensus.from_labels(joined.votes.voted, joined.labels[:3])
    assert found.n_observations == 3


def test_large_crowds_and_few_disputes() -> None:
    """Votes without any dispute have no candidates; and nothing depends on the order of a table."""
    chance = random.Random(2)
    ids = chance.sample(range(10**6), 50)
    votes = plant_aggregate.votes_from_table({"observation_id": ids, "user_id": ids, "label": ["Acer"] * 50})
    found = Consensus.from_labels(votes, {"observation_id": ids, "label": ["Acer"] * 50}, shares=np.ones((50, 1)))
    assert found.counts["needs_votes"] == 50


def test_a_column_for_each_label_becomes_shares_as_the_message_says() -> None:
    """As crowd-kit's ``probas_``."""
    votes = plant_aggregate.votes_from_table(
        {"task": [7, 7, 9], "worker": ["a", "b", "a"], "label": ["Acer", "Ilex", "Ilex"]}
    )
    wide = pd.DataFrame({"Acer": [0.9, 0.0], "Ilex": [0.1, 1.0]}, index=pd.Index([7, 9], name="task"))
    with pytest.raises(VotesError) as raised:
        Consensus.from_labels(votes, ["Acer", "Ilex"], shares=wide)
    written = str(raised.value).partition("; write ")[2].removesuffix(" after it")
    long = eval(f"wide{written}", {"wide": wide})
    found = Consensus.from_labels(votes, ["Acer", "Ilex"], shares=long)
    assert found.posteriors_to_pandas()["share"].tolist() == [0.9, 0.1, 1.0]
