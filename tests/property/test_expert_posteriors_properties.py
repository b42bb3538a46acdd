"""Models of probabilities with experts' labels equal their slow references; and what experts mean holds on any log."""

import math
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.kernels import threads
from plant_aggregate.strategies.parts.posteriors import PosteriorStrategy
from plant_aggregate.strategies.registry import STRATEGIES
from tests.property.test_expert_properties import Labels, logs_with_experts, truth
from tests.property.test_strategies_properties import (
    FEW,
    assert_equals,
    dense_logs,
    iterations,
    shares_of,
    strategy_with,
)
from tests.reference import dense_dawid_skene, strategies
from tests.rows import Rows, bits, votes_of

MODELS = [name for name, kind in STRATEGIES.items() if issubclass(kind, PosteriorStrategy)]
WEIGHTS = st.sampled_from([1.0, 5.0, 0.25, 0.1, 3.7, 1000.0])

pytestmark = pytest.mark.usefixtures("even_small_work")
for_each_model = pytest.mark.parametrize("name", MODELS)


def fit(name: str, rows: Rows, labels: Labels, weight: float = 1.0, **others: Any) -> plant_aggregate.Consensus:
    strategy = strategy_with(name, **FEW, expert_weight=weight, **others)
    found: plant_aggregate.Consensus = strategy.fit(votes_of(rows), experts=truth(labels))
    return found


def weights_of(found: plant_aggregate.Consensus) -> dict[Any, float]:
    users: pa.Table = found.users_to_arrow()
    return dict(zip(users["user_id"].to_pylist(), users["weight"].to_pylist(), strict=True))


def assert_close(found: dict[Any, float], expected: dict[Any, float]) -> None:
    assert found.keys() == expected.keys()
    assert all(math.isclose(found[key], expected[key], rel_tol=1e-9, abs_tol=1e-9) for key in expected)


def test_models_take_experts() -> None:
    assert set(MODELS) == {"dawid-skene", "wds", "kinds", "one-coin", "mace", "glad"}


@for_each_model
@given(log=logs_with_experts(), weight=WEIGHTS)
@settings(max_examples=60)
def test_the_engine_equals_the_reference(name: str, log: tuple[Rows, Labels], weight: float) -> None:
    rows, labels = log
    found = fit(name, rows, labels, weight)
    parameters = asdict(strategy_with(name, **FEW, expert_weight=weight)) | iterations(found)
    assert_equals(found, strategies.fit(name, rows, experts=labels, **parameters))


@for_each_model
@given(log=logs_with_experts(), weight=WEIGHTS)
@settings(max_examples=30)
def test_a_label_of_experts_is_certain_and_valid(name: str, log: tuple[Rows, Labels], weight: float) -> None:
    rows, labels = log
    found = fit(name, rows, labels, weight, theta_conf=1e6)
    assert found.by_expert is not None
    table = found.to_arrow().to_pylist()
    for row, by_expert in zip(table, found.by_expert.tolist(), strict=True):
        assert row["by_expert"] == by_expert == (row["observation_id"] in labels)
        if by_expert:
            assert row["label"] == labels[row["observation_id"]]
            assert (row["valid"], row["status"], row["ambiguous"]) == (True, "valid", False)
            assert (row["agreement"], row["margin"], row["aum"], row["entropy"]) == (1.0, 1.0, 1.0, 0.0)
            assert row["confidence"] == 0.999999
            assert row["runner_up"] != row["label"]
        else:
            assert not row["valid"]
    assert found.trace.iterations[-1].valid == len([i for i in labels if i in {row["observation_id"] for row in rows}])


@for_each_model
@given(log=logs_with_experts())
@settings(max_examples=30)
def test_experts_who_agree_with_all_voters_change_no_user(name: str, log: tuple[Rows, Labels]) -> None:
    rows, _ = log
    voted: dict[Any, set[Any]] = {}
    for row in rows:
        voted.setdefault(row["observation_id"], set()).add(row["label"])
    unanimous = {i: labels.pop() for i, labels in voted.items() if len(labels) == 1}
    if not unanimous:
        return
    # As many iterations of both: with experts, an estimate also waits for the weights.
    found = fit(name, rows, unanimous)
    alone = strategy_with(name, **FEW | {"max_iter": len(found.trace.iterations)}).fit(votes_of(rows))
    if len(alone.trace.iterations) < len(found.trace.iterations):
        return
    assert_close(weights_of(found), weights_of(alone))
    assert found.labels.tolist() == alone.labels.tolist()
    for i, shares in shares_of(alone).items():
        assert_close(shares_of(found)[i], shares)
    last = [each.trace.iterations[-1] for each in (found, alone)]
    assert math.isclose(last[0].log_likelihood, last[1].log_likelihood, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "kinds"])
@given(log=logs_with_experts(), times=st.sampled_from([2, 3, 5]))
@settings(max_examples=30)
def test_a_weight_is_as_good_as_copies_of_the_observation(name: str, log: tuple[Rows, Labels], times: int) -> None:
    """Where all labels are as likely, so that numbers of observations mean nothing, as they do in kinds."""
    rows, labels = log
    found = fit(name, rows, labels, times, label_prior=0.0)
    copied = [row | {"observation_id": f"{row['observation_id']}"} for row in rows]
    copies = [
        row | {"observation_id": f"{row['observation_id']} copy {copy}"}
        for copy in range(times - 1)
        for row in rows
        if row["observation_id"] in labels
    ]
    known = {
        f"{i}{copy}": label for i, label in labels.items() for copy in ("", *(f" copy {c}" for c in range(times - 1)))
    }
    expected = fit(name, copied + copies, known, label_prior=0.0)
    assert len(found.trace.iterations) == len(expected.trace.iterations)
    assert_close(weights_of(found), weights_of(expected))
    theirs = shares_of(expected)
    for i, shares in shares_of(found).items():
        assert_close(shares, theirs[str(i)])


@given(log=logs_with_experts(), weight=WEIGHTS)
@settings(max_examples=60)
def test_where_experts_know_all_an_accuracy_is_the_share_of_right_votes(
    log: tuple[Rows, Labels], weight: float
) -> None:
    rows, labels = log
    every = {row["observation_id"]: row["label"] for row in rows} | labels
    right = {row["user_id"]: [0, 0] for row in rows}
    for row in rows:
        right[row["user_id"]][row["label"] == every[row["observation_id"]]] += 1
    n_right, n_wrong = (weight * sum(each[which] for each in right.values()) for which in (1, 0))
    m = (n_right + 1) / (n_right + n_wrong + 2)
    expected = {u: (weight * yes + 2 * m) / (weight * (no + yes) + 2) for u, (no, yes) in right.items()}
    found = fit("one-coin", rows, every, weight, prior_votes=2.0)
    assert_close(weights_of(found), expected)
    assert found.valid.all()
    assert found.trace.converged


@for_each_model
@given(log=logs_with_experts(), weight=WEIGHTS)
@settings(max_examples=20)
def test_threads_and_the_order_of_rows_change_no_bit(name: str, log: tuple[Rows, Labels], weight: float) -> None:
    rows, labels = log
    backwards = dict(reversed(list(labels.items())))
    results = []
    for count in (1, 2, 4):
        threads.set_threads(count)
        results.append(bits(fit(name, rows, labels, weight)))
        results.append(bits(fit(name, rows[::-1], backwards, weight)))
    assert all(result == results[0] for result in results)


@st.composite
def dense_logs_with_experts(draw: st.DrawFn, *, all_labels: bool) -> tuple[np.ndarray, np.ndarray]:
    """Votes as of ``dense_logs``, and experts' label of each observation, -1 for none."""
    votes = draw(dense_logs(all_labels=all_labels))
    n_observations, _, n_labels = votes.max(axis=0) + 1
    unvoted = 0 if all_labels else 1
    known = [draw(st.integers(-1, n_labels - 1 + unvoted)) for _ in range(n_observations)]
    known[0] = max(known[0], 0)
    return votes, np.array(known)


def dense_fit(votes: np.ndarray, known: np.ndarray, strategy: Any) -> plant_aggregate.Consensus:
    log = pa.table(dict(zip(("observation_id", "user_id", "label"), votes.T, strict=True)))
    labels = {int(i): int(known[i]) for i in np.flatnonzero(known >= 0)}
    found: plant_aggregate.Consensus = strategy.fit(plant_aggregate.votes_from_table(log), experts=truth(labels))
    return found


@pytest.mark.parametrize("all_labels", [False, True])
@given(data=st.data(), weight=WEIGHTS)
@settings(max_examples=150)
def test_dawid_skene_without_smoothing_is_the_textbooks(all_labels: bool, data: st.DataObject, weight: float) -> None:
    votes, known = data.draw(dense_logs_with_experts(all_labels=all_labels))
    strategy = plant_aggregate.DawidSkene(
        prior_votes=0, label_smoothing=0, label_prior=1, max_iter=10, tolerance=1e-15, expert_weight=weight
    )
    found = dense_fit(votes, known, strategy)
    n_iterations = len(found.trace.iterations)
    expected = dense_dawid_skene.posteriors(votes, n_iterations, only_voted=not all_labels, known=known, weight=weight)
    names = found.votes.label_names.to_pylist()
    assert set(names) <= set(range(expected.shape[1]))
    for i, shares in shares_of(found).items():
        for k, share in shares.items():
            assert math.isclose(share, expected[i, k], abs_tol=1e-7)


@given(log=dense_logs_with_experts(all_labels=False))
@settings(max_examples=60)
def test_without_priors_no_iteration_lowers_the_likelihood(log: tuple[np.ndarray, np.ndarray]) -> None:
    """That of the votes and of the experts' labels."""
    for strategy in (
        plant_aggregate.DawidSkene(prior_votes=0, label_smoothing=0, max_iter=30),
        plant_aggregate.OneCoin(prior_votes=0, label_smoothing=0, label_prior=1, max_iter=30),
        plant_aggregate.Mace(prior_votes=0, guess_votes=0, label_smoothing=0, max_iter=30),
    ):
        likelihoods = [iteration.log_likelihood for iteration in dense_fit(*log, strategy).trace.iterations]
        assert all(after >= before - 1e-6 for before, after in pairwise(likelihoods))
