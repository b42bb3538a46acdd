"""Every strategy beside plantnet equals its slow reference; Dawid and Skene's model equals a dense textbook."""

import math
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.strategies.registry import STRATEGIES
from plant_aggregate.trace import LikelihoodIteration
from tests.reference import dense_dawid_skene, plantnet, strategies
from tests.rows import votes_of
from tests.vote_strategies import prolific_vote_rows, vote_rows

Rows = list[dict[str, Any]]
LOGS = st.one_of(vote_rows(times=False), prolific_vote_rows(times=False))
TIED_AFTER_THE_FIRST_VOTE: Rows = [
    {"observation_id": observation, "user_id": user, "label": label, "is_author": user == author}
    for observation, author, cast in (
        (8, "eve", {"eve": "a", "flo": "a", "ana": "b", "bo": "b"}),
        (9, "flo", {"flo": "b", "ana": "a", "bo": "a"}),
        (10, "eve", {"eve": "b", "flo": "b", "ana": "a", "bo": "a"}),
    )
    for user, label in cast.items()
]
"""Under wawa flo weighs 2/3, ana and bo 1/3 each: on 9 the majority's a is tied with the author's b, and stays."""

FEW = {"max_iter": 4, "tolerance": 1e-12, "rounds": 7, "step_rounds": 3}
"""Models of probabilities are compared with their references while rounding has not grown."""


def strategy_with(name: str, **wanted: Any) -> Any:
    known = {key: value for key, value in wanted.items() if hasattr(STRATEGIES[name], key)}
    return STRATEGIES[name](**known)


def shares_of(consensus: plant_aggregate.Consensus) -> dict[Any, dict[Any, float]]:
    shares: dict[Any, dict[Any, float]] = {}
    for row in consensus.posteriors_to_arrow().to_pylist():
        shares.setdefault(row["observation_id"], {})[row["label"]] = row["share"]
    return shares


@pytest.mark.parametrize("name", list(strategies.STRATEGIES))
@given(rows=LOGS)
@example(rows=TIED_AFTER_THE_FIRST_VOTE)
@settings(max_examples=60)
def test_the_engine_equals_the_reference(name: str, rows: Rows) -> None:
    rows = plantnet.clean(rows)[0]
    strategy = strategy_with(name, **FEW)
    found = strategy.fit(votes_of(rows))
    assert_equals(found, strategies.fit(name, rows, **asdict(strategy) | iterations(found)))


def assert_equals(found: plant_aggregate.Consensus, expected: dict[str, Any]) -> None:
    """Countable things exactly, all others nearly."""
    for i, wanted in expected["shares"].items():
        shares = shares_of(found)[i]
        assert shares.keys() == wanted.keys()
        assert all(math.isclose(shares[k], wanted[k], abs_tol=1e-8) for k in wanted)
    for user in found.users_to_arrow().to_pylist():
        assert math.isclose(user["weight"], expected["weights"][user["user_id"]], rel_tol=1e-8, abs_tol=1e-8)
    for row, wanted in zip(found.to_arrow().to_pylist(), expected["observations"], strict=True):
        for column, value in wanted.items():
            if isinstance(value, float):
                assert math.isclose(row[column], value, abs_tol=1e-7), (column, row, wanted)
            else:
                assert row[column] == value, (column, row, wanted)
    if "log_likelihood" in expected:
        last = found.trace.iterations[-1]
        assert isinstance(last, LikelihoodIteration)
        assert math.isclose(last.log_likelihood, expected["log_likelihood"], rel_tol=1e-8, abs_tol=1e-8)


def iterations(found: plant_aggregate.Consensus) -> dict[str, int]:
    """A model that converged early has done fewer iterations."""
    return {"max_iter": len(found.trace.iterations)}


def test_every_strategy_has_a_reference() -> None:
    assert set(STRATEGIES) == {"plantnet", "auto", *strategies.STRATEGIES}


@st.composite
def dense_logs(draw: st.DrawFn, *, all_labels: bool) -> np.ndarray:
    """Rows (observation, user, label), all codes in use; with ``all_labels`` each is voted on each observation."""
    n_observations, n_users, n_labels = draw(st.integers(2, 8)), draw(st.integers(3, 6)), draw(st.integers(2, 3))
    rows = []
    for i in range(n_observations):
        labels = draw(st.lists(st.integers(0, n_labels - 1), min_size=n_users, max_size=n_users))
        if all_labels:
            labels[:n_labels] = draw(st.permutations(range(n_labels)))
        rows += [
            (i, u, label) for u, label in enumerate(labels) if all_labels or draw(st.booleans()) or u == i % n_users
        ]
    votes = np.array(rows)
    return np.stack([np.unique(column, return_inverse=True)[1] for column in votes.T], axis=1)


@pytest.mark.parametrize("all_labels", [False, True])
@given(data=st.data())
@settings(max_examples=150)
def test_dawid_skene_without_smoothing_is_the_textbooks(all_labels: bool, data: st.DataObject) -> None:
    """On all labels if all were voted, else on those voted."""
    votes = data.draw(dense_logs(all_labels=all_labels))
    log = pa.table(dict(zip(("observation_id", "user_id", "label"), votes.T, strict=True)))
    strategy = plant_aggregate.DawidSkene(prior_votes=0, label_smoothing=0, label_prior=1, max_iter=10, tolerance=1e-15)
    found = strategy.fit(plant_aggregate.votes_from_table(log))
    n_iterations = len(found.trace.iterations)
    expected = dense_dawid_skene.posteriors(votes, n_iterations, only_voted=not all_labels)
    for i, shares in shares_of(found).items():
        for k, share in shares.items():
            assert math.isclose(share, expected[i, k], abs_tol=1e-8)


@given(data=st.data())
@settings(max_examples=60)
def test_without_priors_no_iteration_lowers_the_likelihood(data: st.DataObject) -> None:
    votes = data.draw(dense_logs(all_labels=False))
    log = plant_aggregate.votes_from_table(
        pa.table(dict(zip(("observation_id", "user_id", "label"), votes.T, strict=True)))
    )
    for strategy in (
        plant_aggregate.DawidSkene(prior_votes=0, label_smoothing=0, max_iter=30),
        plant_aggregate.OneCoin(prior_votes=0, label_smoothing=0, label_prior=1, max_iter=30),
        plant_aggregate.Mace(prior_votes=0, guess_votes=0, label_smoothing=0, max_iter=30),
    ):
        likelihoods = [iteration.log_likelihood for iteration in strategy.fit(log).trace.iterations]
        assert all(after >= before - 1e-6 for before, after in pairwise(likelihoods))
