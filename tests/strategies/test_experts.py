"""Experts' labels in the models of probabilities, as callers give them."""

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate import DawidSkene, Glad, Mace, Majority, OneCoin
from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.parameters import Interval, declared
from plant_aggregate.strategies.parts.posteriors import PosteriorStrategy
from plant_aggregate.strategies.registry import STRATEGIES

MODELS = [name for name, kind in STRATEGIES.items() if issubclass(kind, PosteriorStrategy)]
CROWD = {
    "observation_id": [7, 7, 7, 9, 9, 12],
    "user_id": ["ana", "bo", "cy", "ana", "bo", "cy"],
    "label": ["Acer", "Acer", "Ilex", "Ilex", "Acer", "Ilex"],
}
EXPERTS = {"observation_id": [12, 7, 40], "label": ["Abies", "Ilex", "Zea"]}
for_each_model = pytest.mark.parametrize("name", MODELS)


def fit(name: str = "dawid-skene", experts: Any = EXPERTS, **parameters: Any) -> plant_aggregate.Consensus:
    votes = plant_aggregate.votes_from_table(CROWD)
    strategy = STRATEGIES[name](**parameters)
    found: plant_aggregate.Consensus = strategy.fit(  # type: ignore[call-arg]
        votes, experts=plant_aggregate.truth_from_table(experts)
    )
    return found


@for_each_model
@pytest.mark.parametrize("frame", [dict, pd.DataFrame, pa.table], ids=["dict", "pandas", "arrow"])
def test_fit_predict_takes_them_as_a_frame(name: str, frame: Any) -> None:
    found = STRATEGIES[name]().fit_predict(frame(CROWD), experts=frame(EXPERTS))  # type: ignore[attr-defined]
    assert found[[7, 12]].to_dict() == {7: "Ilex", 12: "Abies"}
    assert found.index.tolist() == [7, 9, 12]


@for_each_model
def test_the_consensus_says_which_labels_are_theirs(name: str) -> None:
    found = fit(name)
    assert found.by_expert is not None
    assert found.by_expert.tolist() == [True, False, True]
    table = found.to_pandas().set_index("observation_id")
    assert table["by_expert"].tolist() == [True, False, True]
    assert table["status"][[7, 12]].tolist() == ["valid", "valid"]
    assert table["n_labels"].tolist() == [2, 2, 1]
    assert table["runner_up"][[7, 12]].tolist() == ["Acer", "Ilex"]
    assert table["weight"][12] == 0.0
    assert (table["confidence"] < 1).all()
    assert found.counts["valid"] >= 2


@for_each_model
def test_without_experts_there_is_no_column_and_no_parameter_of_theirs(name: str) -> None:
    found = STRATEGIES[name](expert_weight=5).fit(plant_aggregate.votes_from_table(CROWD))
    assert found.by_expert is None
    assert "by_expert" not in found.to_arrow().column_names
    assert "expert_weight" not in found.parameters
    assert fit(name, expert_weight=5).parameters["expert_weight"] == 5


@for_each_model
def test_the_posteriors_have_the_label_that_nobody_voted(name: str) -> None:
    posteriors = fit(name).posteriors_to_pandas()
    of_experts = posteriors[posteriors["observation_id"] == 12]
    assert dict(zip(of_experts["label"], of_experts["share"], strict=True)) == {"Abies": 1.0, "Ilex": 0.0}


def test_a_larger_weight_says_more_of_the_users() -> None:
    """Of ana's and bo's votes experts know one, which is wrong; cy is right on one of two."""
    light, even, heavy = (fit("one-coin", expert_weight=weight).users.weight for weight in (0.01, 1.0, 100.0))
    assert (light[:2] > even[:2]).all()
    assert (even[:2] > heavy[:2]).all()
    assert (heavy[:2] < 0.02).all()
    assert abs(heavy[2] - 0.5) < abs(light[2] - 0.5)


@for_each_model
def test_experts_who_labelled_everything(name: str) -> None:
    found = fit(name, {"observation_id": [7, 9, 12], "label": ["Acer", "Acer", "Zea"]})
    assert found.valid.all()
    assert found.trace.converged
    assert found.labels_to_pandas().to_dict() == {7: "Acer", 9: "Acer", 12: "Zea"}


@pytest.mark.parametrize("kind", [Glad, Mace])
def test_an_estimate_goes_on_until_the_users_weights_have_converged(kind: Any) -> None:
    """These move from step to step even where no posterior can."""
    found = kind(tolerance=1e-6).fit(
        plant_aggregate.votes_from_table(CROWD),
        experts=plant_aggregate.truth_from_table({"observation_id": [7, 9, 12], "label": ["Acer", "Acer", "Ilex"]}),
    )
    assert found.trace.converged
    assert len(found.trace.iterations) > 2


def test_the_votes_of_a_consensus_can_be_fitted_without_experts() -> None:
    """A label of theirs that nobody voted stays one of the labels there are."""
    votes = fit().votes
    assert votes.expert_labels is not None
    for strategy in (Majority(), OneCoin()):
        found = strategy.fit(votes)
        assert found.by_expert is None
        assert found.labels_to_pandas()[12] == "Ilex"
    assert Majority().fit(votes).labels_to_pandas().to_dict() == Majority().fit_predict(CROWD).to_dict()


def test_other_strategies_take_no_experts() -> None:
    with pytest.raises(ParameterError, match=r"experts are for the strategy .*dawid-skene.*, not for majority"):
        Majority().fit_predict(CROWD, experts=EXPERTS)


def test_experts_of_other_observations_are_a_mistake() -> None:
    with pytest.raises(VotesError, match="nobody voted on any of its 1 observation"):
        fit(experts={"observation_id": [40], "label": ["Acer"]})


@for_each_model
@pytest.mark.parametrize("weight", [0, -1, 1e7, float("nan"), float("inf")])
def test_weights_out_of_range(name: str, weight: float) -> None:
    with pytest.raises(ParameterError, match=r"expert_weight is .* but must be in"):
        STRATEGIES[name](expert_weight=weight)


@for_each_model
@pytest.mark.parametrize("end", ["low", "high"])
def test_the_ends_of_the_range(name: str, end: str) -> None:
    interval = Interval.of(declared(STRATEGIES[name])["expert_weight"].range)
    assert interval is not None
    found = fit(name, expert_weight=getattr(interval, end), **({"prior_votes": 0} if name != "glad" else {}))
    assert np.isfinite(found.users.weight).all()
    assert ((found.users.weight >= 0) & (found.users.weight <= 1 + 1e-12)).all()
    assert np.isfinite(found.candidate_shares).all()


def test_the_weight_is_given_by_name() -> None:
    """So that parameters given by position keep their meaning."""
    for name in MODELS:
        (item,) = (item for item in fields(STRATEGIES[name]) if item.name == "expert_weight")  # type: ignore[arg-type]
        assert item.kw_only
    assert DawidSkene(1.5, 0.7, None, None, 300, 0.01, 4.0).prior_votes == 4.0


@for_each_model
def test_an_only_vote_that_experts_contradict_says_the_same_of_the_others_first_as_last(name: str) -> None:
    def found(contradicted: int) -> dict[str, Any]:
        alone = {"observation_id": [20, 30, contradicted], "user_id": ["ana"] * 3, "label": ["Acer"] * 3}
        votes = plant_aggregate.votes_from_table({column: [*CROWD[column], *alone[column]] for column in CROWD})
        experts = plant_aggregate.truth_from_table({"observation_id": [30, contradicted], "label": ["Acer", "Ilex"]})
        consensus: plant_aggregate.Consensus = STRATEGIES[name]().fit(votes, experts=experts)  # type: ignore[call-arg]
        of_one: dict[str, Any] = consensus.to_pandas().set_index("observation_id").loc[20].to_dict()
        return of_one

    assert found(1) == found(40)
