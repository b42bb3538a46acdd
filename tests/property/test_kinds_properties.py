"""Dawid and Skene's model with clear and unclear observations, against its dense formulas."""

from dataclasses import asdict
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.progress import Silent
from tests.property.test_strategies_properties import dense_logs
from tests.reference import dense_dawid_skene
from tests.reference import kinds as reference
from tests.rows import Rows, assert_same_on_threads, bits

NAMES = ("observation_id", "user_id", "label")


def votes_of(rows: np.ndarray) -> plant_aggregate.Votes:
    return plant_aggregate.votes_from_table(pa.table(dict(zip(NAMES, rows.T, strict=True))))


def posteriors(found: plant_aggregate.Consensus) -> np.ndarray:
    q = np.zeros((found.votes.n_observations, found.votes.n_labels))
    rows = found.posteriors_to_arrow().to_pydict()
    q[rows["observation_id"], rows["label"]] = rows["share"]
    return q


def crowd(seed: int, n_observations: int = 150, n_labels: int = 2) -> np.ndarray:
    """Rows of a crowd that is mostly right on 2 observations in 3, and mostly wrong on some labels of the others."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, n_labels, n_observations)
    i, u = np.nonzero(chance.random((n_observations, 12)) < 0.5)
    skill = np.where(i % 3 < 2, 0.75 + 0.2 * (u % 3) / 2, np.where(truth[i] == 0, 0.35, 0.8))
    label = np.where(chance.random(i.size) < skill, truth[i], chance.integers(0, n_labels, i.size))
    return np.stack([np.unique(column, return_inverse=True)[1] for column in (i, u, label)], axis=1)


@given(data=st.data())
@settings(max_examples=100)
def test_one_kind_without_priors_is_the_textbooks_dawid_skene(data: st.DataObject) -> None:
    votes = data.draw(dense_logs(all_labels=False))
    found = reference.fit_from(0, votes, n_kinds=1, prior_votes=0, label_smoothing=0, max_iter=10, tolerance=1e-15)
    expected = dense_dawid_skene.posteriors(votes, len(found.log_likelihoods))
    np.testing.assert_allclose(found.q, expected, atol=1e-8)


@given(data=st.data(), prior_votes=st.sampled_from([0.0, 0.5, 3.0, 20.0]), label_prior=st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=50)
def test_the_engine_equals_the_formulas_under_any_prior(
    data: st.DataObject, prior_votes: float, label_prior: float
) -> None:
    votes = data.draw(dense_logs(all_labels=False))
    given_priors = {"prior_votes": prior_votes, "label_prior": label_prior, "label_smoothing": 0.5}
    found = plant_aggregate.Kinds(**given_priors, max_iter=6, tolerance=1e-9).fit(votes_of(votes))
    expected = reference.fit_from(found.trace.start - 1, votes, **given_priors, max_iter=6, tolerance=1e-9)
    np.testing.assert_allclose(posteriors(found), expected.q, atol=1e-7)
    np.testing.assert_allclose(found.users_to_arrow()["weight"].to_numpy(), expected.p, atol=1e-7)
    likelihoods = [iteration.log_likelihood for iteration in found.trace.iterations]
    np.testing.assert_allclose(likelihoods, expected.log_likelihoods, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_labels", [2, 4])
def test_the_start_is_that_of_the_formulas(seed: int, n_labels: int) -> None:
    """To the end, by the default parameters."""
    votes = crowd(seed, n_labels=n_labels)
    found, expected = plant_aggregate.Kinds().fit(votes_of(votes)), reference.fit(votes)
    assert found.trace.start == expected.start + 1
    assert len(found.trace.iterations) == len(expected.log_likelihoods)
    np.testing.assert_allclose(posteriors(found), expected.q, atol=1e-6)


def test_no_start_is_the_best_on_all_crowds() -> None:
    starts = {plant_aggregate.Kinds().fit(votes_of(crowd(seed))).trace.start for seed in range(12)}
    assert starts == {1, 2, 3}


def test_it_iterates_four_times_at_least_if_it_may() -> None:
    rows = np.array([(i, u, 0 if u else i % 2) for i in range(8) for u in range(5)])
    n = [len(plant_aggregate.Kinds(tolerance=0.5, max_iter=n).fit(votes_of(rows)).trace.iterations) for n in (2, 300)]
    assert n == [2, 4]


def test_a_crowd_that_agrees_has_nothing_to_choose_a_start_by() -> None:
    found = plant_aggregate.Kinds().fit(votes_of(np.array([(i, u, i % 2) for i in range(5) for u in range(3)])))
    assert found.trace.start == 1
    assert (found.agreement == 1).all()


def test_parameters_and_defaults_are_those_of_dawid_skene() -> None:
    assert asdict(plant_aggregate.Kinds()) == asdict(plant_aggregate.DawidSkene())


def test_progress_tells_the_starts_apart() -> None:
    class Heard(Silent):
        phases: ClassVar[list[str]] = []

        def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
            self.phases.append(name)

    plant_aggregate.Kinds().fit(votes_of(crowd(0)), progress=Heard())
    assert Heard.phases[1:4] == [f"estimate, start {number}" for number in (1, 2, 3)]


@pytest.mark.usefixtures("even_small_work")
@pytest.mark.parametrize("expert_weight", [1.0, 5.0])
def test_sums_of_several_threads_are_those_of_one(expert_weight: float) -> None:
    """Few cells and many votes: each thread has sums of its own."""
    rows = crowd(3)
    experts = plant_aggregate.truth_from_table(pa.table({"observation_id": [0, 4, 9], "label": [1, 0, 0]}))

    def fitted(rows: np.ndarray) -> tuple[Rows, Rows]:
        return bits(plant_aggregate.Kinds(expert_weight=expert_weight).fit(votes_of(rows), experts=experts))

    assert_same_on_threads(lambda: fitted(rows))
    assert fitted(np.random.default_rng(0).permutation(rows)) == fitted(rows)
