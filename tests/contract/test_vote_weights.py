"""A vote weighs what its user weighs, times the vote's factor: said in one place, and true of every strategy."""

import ast
import inspect
import re
from dataclasses import replace
from math import fsum
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.kernels import label_weights, scores, species_counts
from plant_aggregate.strategies.registry import STRATEGIES
from tests.contract.test_strategies import bits, crowd, table

ENGINE = Path(plant_aggregate.__file__).parent
AI_MODES = ("ignore", "user", "fixed", "invalidating", "confident")
FITS = [*STRATEGIES, *(f"plantnet {mode}" for mode in AI_MODES)]
OF_WEIGHT = ("majority", "naive-soft", "wawa", "two-thirds", "zero-based-skill", "iwmv")
"""Strategies whose shares are those of the users' weight."""

pytestmark = pytest.mark.filterwarnings("ignore::plant_aggregate.AggregateWarning")


def fit(name: str, votes: plant_aggregate.Votes) -> plant_aggregate.Consensus:
    name, _, mode = name.partition(" ")
    if not mode:
        return STRATEGIES[name]().fit(votes)
    observations = list(range(0, 97, 2))
    columns = {"observation_id": observations, "label": [f"species {i % 9}" for i in observations], "score": [0.9] * 49}
    ai = plant_aggregate.ai_votes_from_table(pa.table(columns))
    return plant_aggregate.PlantNet(ai_mode=mode).fit(votes, ai_votes=ai)


@pytest.mark.parametrize("name", FITS)
def test_factors_of_one_change_no_bit(name: str) -> None:
    votes = plant_aggregate.votes_from_table(table(crowd(0)))
    assert bits(fit(name, replace(votes, factors=np.ones(votes.n_votes, np.float32)))) == bits(fit(name, votes))


def test_an_estimate_begins_with_the_shares_of_weighted_votes() -> None:
    """So the users' votes are right to 0.8 and 0.2, the mean is 1/2, and the prior has two votes of that."""
    rows = {"observation_id": [1, 1], "user_id": ["ana", "bo"], "label": ["Acer", "Ilex"]}
    votes = replace(plant_aggregate.votes_from_table(rows), factors=np.array([1, 0.25], np.float32))
    found = plant_aggregate.OneCoin(max_iter=1).fit(votes)
    assert np.allclose(found.users.weight, [(0.8 + 2 * 0.5) / 3, (0.2 + 2 * 0.5) / 3], rtol=1e-12)


@pytest.mark.parametrize("name", FITS)
def test_a_vote_weighs_its_factor_of_its_users_weight(name: str) -> None:
    votes = plant_aggregate.votes_from_table(table(crowd(1)))
    votes = replace(votes, factors=np.random.default_rng(0).choice([0.25, 0.5, 1], votes.n_votes).astype(np.float32))
    found = fit(name, votes)
    weights = dict(zip(*found.users_to_pandas()[["user_id", "weight"]].T.to_numpy(), strict=True))
    rows = found.to_pandas().set_index("observation_id")
    sums: dict[tuple[int, str], list[float]] = {}
    for i, (start, stop) in enumerate(zip(votes.offsets[:-1], votes.offsets[1:], strict=True)):
        for j in range(start, stop):
            key = votes.observation_ids[i].as_py(), votes.label_names[votes.labels[j]].as_py()
            weight = weights[votes.user_ids[votes.users[j]].as_py()] * float(votes.factors[j])
            sums.setdefault(key, []).append(weight)
    if " " in name:
        rows = rows[rows.index % 2 == 1]  # those that the AI has no vote on
    for i, label, weight in rows.reset_index()[["observation_id", "label", "weight"]].itertuples(index=False):
        assert weight == pytest.approx(fsum(sums[i, label]))
        assert name not in OF_WEIGHT or share_of(sums, i, label) == pytest.approx(rows["agreement"][i])


def share_of(sums: dict[tuple[int, str], list[float]], observation: int, label: str) -> float:
    whole = fsum(weight for (i, _), weights in sums.items() if i == observation for weight in weights)
    return fsum(sums[observation, label]) / whole


def test_one_place_in_python_and_one_function_of_kernels_weigh_a_vote() -> None:
    """``user_weights`` sets the weights of users, and weighs no vote."""
    places = {
        str(path.relative_to(ENGINE)): len(re.findall(r"weights\[(\w+\.)?users\b", path.read_text()))
        for path in ENGINE.rglob("*.py")
    }
    found = {path: number for path, number in places.items() if number and path != "user_weights.py"}
    assert found == {"disputes.py": 1, "kernels/label_weights.py": 1, "kernels/species_counts.py": 1}


@pytest.mark.parametrize(
    ("name", "module"), [("_weight_of", species_counts), ("_add", species_counts), ("_add", scores)]
)
def test_files_of_kernels_share_these_functions_to_the_letter(name: str, module: ModuleType) -> None:
    assert body_of(module, name) == body_of(label_weights, name)


def body_of(module: ModuleType, name: str) -> str:
    """A function without its docstring."""
    function = ast.parse(inspect.getsource(getattr(module, name).function)).body[0]
    assert isinstance(function, ast.FunctionDef)
    return ast.unparse(ast.Module([function.args, *function.body[1:]], []))  # type: ignore[list-item]
