"""A defence is a function and a line in the registry: strategies apply it by the name of their parameter."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.defences.base import Defence, Examined, FirstConsensus
from plant_aggregate.defences.registry import DEFENCES
from plant_aggregate.parameters import declared, parameter
from plant_aggregate.progress import Progress
from plant_aggregate.schema import Column
from plant_aggregate.strategies.plantnet.weighting import WEIGHT_FUNCTIONS, weights_of
from plant_aggregate.strategies.registry import STRATEGIES


def examine(first: FirstConsensus, mode: str, progress: Progress) -> Examined:
    """Silence users whose first vote is all there is of them."""
    n_votes = first.votes.n_votes_of_users
    table = (Column("passes_by", "float64", "1 for a user of one vote"),)
    factors = (n_votes > 1).astype(np.float64) if mode == "silence" else None
    return Examined(table, {"passes_by": (n_votes == 1).astype(np.float64)}, factors)


PASSERS_BY = Defence(("keep", "silence"), examine)
BUILT_IN = tuple(DEFENCES)


@dataclass(frozen=True)
class Guarded(plant_aggregate.PlantNet):
    """The strategy with one parameter more."""

    passers_by: str = parameter("keep", "what users of one vote weigh", choices=PASSERS_BY.modes)


@pytest.fixture(autouse=True)
def passers_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEFENCES, "passers_by", PASSERS_BY)


def votes_of(*rows: tuple[int, str, str]) -> plant_aggregate.Votes:
    return plant_aggregate.votes_from_table(pd.DataFrame(rows, columns=["observation_id", "user_id", "label"]))


@pytest.mark.filterwarnings("ignore:no vote is known")
def test_a_new_defence_weighs_users_and_has_columns_of_its_own() -> None:
    votes = votes_of((1, "ann", "a"), (1, "bo", "b"), (1, "cy", "b"), (2, "ann", "a"))
    kept = Guarded().fit(votes)
    silenced = Guarded(passers_by="silence").fit(votes)
    assert [str(kept.votes.label_names[i]) for i in kept.labels] == ["b", "a"]
    assert [str(silenced.votes.label_names[i]) for i in silenced.labels] == ["a", "a"]
    users = silenced.users_to_pandas().set_index("user_id")
    assert users["passes_by"].to_dict() == {"ann": 0, "bo": 1, "cy": 1}
    assert users["weight"].to_dict() == {"ann": silenced.gamma, "bo": 0, "cy": 0}
    assert "parrot_score" not in users


@pytest.mark.filterwarnings("ignore:no vote is known")
def test_weights_that_the_operator_has_fixed_stay() -> None:
    votes = votes_of((1, "ann", "a"), (1, "bo", "b"), (2, "ann", "a"))
    fixed = plant_aggregate.UserWeights(pa.array(["bo"]), np.array([3.0]), np.array([np.nan]))
    users = Guarded(passers_by="silence").fit(votes, user_weights=fixed).users_to_pandas().set_index("user_id")
    assert users["weight"]["bo"] == 3.0


@pytest.mark.parametrize("ai_mode", ["user", "confident"])
def test_factors_of_several_defences_multiply(ai_mode: str) -> None:
    tables = plant_aggregate.simulate(0.001, seed=1, ai=True, parrots=0.3).tables
    votes = plant_aggregate.votes_from_table(tables.votes)
    ai_votes = plant_aggregate.ai_votes_from_table(tables.ai_votes)
    strategy = Guarded(ai_mode=ai_mode, parrots="discount", passers_by="silence")
    users = strategy.fit(votes, ai_votes=ai_votes).users_to_pandas()
    factors = (1 - users["parrot_score"]) * (users["passes_by"] != 1)
    assert (factors == 0).any()
    assert ((factors > 0) & (factors < 1)).any()
    function = WEIGHT_FUNCTIONS[strategy.weight_function]
    estimated = weights_of(users["n_species"].to_numpy(), function, strategy.alpha, strategy.beta, strategy.gamma)
    np.testing.assert_array_equal(users["weight"], estimated * factors)


@pytest.mark.filterwarnings("ignore:no vote is known")
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_defence_has_a_strategy_and_those_with_its_parameter_apply_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = DEFENCES[name].modes
    applied = []

    def find_nothing(first: FirstConsensus, mode: str, progress: Progress) -> Examined:
        applied.append(mode)
        return Examined()

    monkeypatch.setitem(DEFENCES, name, Defence(modes, find_nothing))
    strategies = [strategy for strategy in STRATEGIES.values() if name in declared(strategy)]
    for strategy in strategies:
        assert declared(strategy)[name].choices == modes
        strategy(**{name: modes[-1]}).fit(votes_of((1, "ann", "a"), (1, "bo", "b")))
    assert len(applied) == len(strategies) > 0
