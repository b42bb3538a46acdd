"""Parrots are found where they can be, and nobody else is."""

import numpy as np
import pandas as pd
import pytest

import plant_aggregate
from plant_aggregate.progress import SILENT
from plant_aggregate.simulation.stream import Plan

SCALE, SEED = 0.02, 3


@pytest.fixture(scope="module")
def crowd() -> tuple[plant_aggregate.Votes, plant_aggregate.AiVotes, plant_aggregate.Truth, np.ndarray]:
    """A crowd of which one in ten is a parrot; and the ids of these."""
    tables = plant_aggregate.simulate(SCALE, seed=SEED, ai=True, parrots=0.1).tables
    plan = Plan.make(SCALE, SEED, SILENT, 0.1)
    return (
        plant_aggregate.votes_from_table(tables.votes),
        plant_aggregate.ai_votes_from_table(tables.ai_votes),
        plant_aggregate.truth_from_table(tables.truth),
        plan.crowd.ids[plan.parrots],
    )


def test_users_of_many_votes_are_told_apart(
    crowd: tuple[plant_aggregate.Votes, plant_aggregate.AiVotes, plant_aggregate.Truth, np.ndarray],
) -> None:
    votes, ai_votes, _, parrots = crowd
    users = plant_aggregate.PlantNet(ai_mode="ignore").fit(votes, ai_votes=ai_votes).users_to_pandas()
    is_parrot = users["user_id"].isin(parrots)
    often = users["n_ai_votes"] >= 50
    assert users.loc[is_parrot & often, "parrot_score"].min() >= 0.5
    assert users.loc[~is_parrot, "parrot_score"].max() < 0.5
    assert users.loc[users["n_ai_votes"] == 1, "parrot_score"].max() < 0.2


@pytest.mark.parametrize("mode", ["discount", "drop"])
def test_without_their_weight_disputes_are_settled_better(
    crowd: tuple[plant_aggregate.Votes, plant_aggregate.AiVotes, plant_aggregate.Truth, np.ndarray], mode: str
) -> None:
    votes, ai_votes, truth, _ = crowd
    accuracy = {}
    for parrots in ("keep", mode):
        consensus = plant_aggregate.PlantNet(ai_mode="confident", parrots=parrots).fit(votes, ai_votes=ai_votes)
        disputed = plant_aggregate.evaluate(consensus, truth, resamples=0).subsets[2]
        accuracy[parrots] = disputed.measures["accuracy"].value
    assert accuracy[mode] > accuracy["keep"] + 0.05


def test_the_score_is_the_formula() -> None:
    """Five observations; the AI is right on two of three valid labels 'a'; ann always says what it says."""
    rows = [(i, u, "a") for i in (1, 2, 3) for u in ("bo", "cy", "di")] + [(1, "ann", "a"), (3, "ann", "b")]
    votes = plant_aggregate.votes_from_table(pd.DataFrame(rows, columns=["observation_id", "user_id", "label"]))
    ai = pd.DataFrame({"observation_id": [1, 2, 3], "label": ["a", "a", "b"], "score": [0.9, 0.9, 0.9]})
    with pytest.warns(plant_aggregate.AggregateWarning):
        consensus = plant_aggregate.PlantNet(ai_mode="ignore", theta_acc=0.6).fit(
            votes, ai_votes=plant_aggregate.ai_votes_from_table(ai)
        )
    assert consensus.valid.all()
    overall = (2 + 1) / (3 + 2)
    accuracy = (2 + 10 * overall) / (3 + 10)
    users = consensus.users_to_pandas().set_index("user_id")
    assert users.loc["ann", "expected_ai_agreement"] == pytest.approx(accuracy, abs=1e-9)
    assert users.loc["ann", "ai_agreement"] == 1.0
    assert users.loc["ann", "parrot_score"] == pytest.approx((2 - 2 * accuracy) / (2 - 2 * accuracy + 5), abs=1e-8)
    assert users.loc["bo", "parrot_score"] == pytest.approx(max(0, 2 - 3 * accuracy) / (3 - 3 * accuracy + 5), abs=1e-8)
