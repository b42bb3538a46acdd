"""Confusions under any posteriors equal those in dense arrays: probabilities, diagonal, posteriors, likelihood."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.arrays import Floats
from plant_aggregate.disputes import vote_shares
from plant_aggregate.kernels.confusions import moved
from plant_aggregate.strategies.dawid_skene import ConfusionModel
from plant_aggregate.strategies.parts.confusions import Cells, Confusions
from plant_aggregate.strategies.parts.posteriors import Accuracies, CaseWeights
from tests.reference import plantnet, strategies
from tests.rows import assert_same_on_threads, votes_of
from tests.vote_strategies import prolific_vote_rows, vote_rows

Rows = list[dict[str, Any]]
LOGS = st.one_of(vote_rows(times=False), prolific_vote_rows(times=False))
PRIOR_VOTES = st.sampled_from([0.0, 0.5, 3.0, 30.0, 1e6])
ONE_LABEL: Rows = [{"observation_id": i, "user_id": u, "label": "a"} for i in range(3) for u in range(2)]
AT_ODDS: Rows = [{"observation_id": i, "user_id": u, "label": "ab"[u]} for i in range(3) for u in range(2)]


class Scene(NamedTuple):
    """Votes, and posteriors of the candidates of the disputed observations."""

    votes: plant_aggregate.Votes
    posteriors: Floats

    @property
    def y(self) -> strategies.Votes:
        """The votes as the reference takes them, by codes."""
        votes, observation = self.votes, np.repeat(np.arange(self.votes.n_observations), np.diff(self.votes.offsets))
        y: strategies.Votes = {i: {} for i in range(votes.n_observations)}
        for i, user, label in zip(observation.tolist(), votes.users.tolist(), votes.labels.tolist(), strict=True):
            y[i][user] = label
        return y

    @property
    def shares(self) -> strategies.Shares:
        """The posteriors as the reference takes them; 1 where the votes agree."""
        disputes, candidates = self.votes.disputes, self.votes.disputes.candidates
        shares: strategies.Shares = {i: dict.fromkeys(ballots.values(), 1.0) for i, ballots in self.y.items()}
        for place, i in enumerate(disputes.observations.tolist()):
            part = slice(candidates.offsets[place], candidates.offsets[place + 1])
            shares[i] = dict(zip(candidates.labels[part].tolist(), self.posteriors[part].tolist(), strict=True))
        return shares


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any posteriors, also those that are certain."""
    votes = votes_of(plantnet.clean(draw(LOGS))[0])
    candidates = votes.disputes.candidates
    parts = []
    for size in np.diff(candidates.offsets).tolist():
        weights = draw(st.lists(st.sampled_from([0.0, 0.0, 1e-3, 0.1, 1.0, 1.0, 7.0]), min_size=size, max_size=size))
        parts.append(np.array(weights) / sum(weights) if sum(weights) else np.full(size, 1 / size))
    return Scene(votes, np.concatenate(parts) if parts else np.empty(0))


def voted(rows: Rows) -> Scene:
    votes = votes_of(rows)
    return Scene(votes, vote_shares(votes.disputes))


def close(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, rel_tol=1e-8, abs_tol=1e-10)


@given(scene=scenes(), prior_votes=PRIOR_VOTES, exponent=st.sampled_from([0.0, 1.0]))
@example(scene=voted(ONE_LABEL), prior_votes=0.0, exponent=1.0)
@example(scene=voted(AT_ODDS), prior_votes=0.0, exponent=1.0)
@settings(max_examples=150)
def test_an_iteration_equals_the_dense(scene: Scene, prior_votes: float, exponent: float) -> None:
    strategy = plant_aggregate.DawidSkene(prior_votes=prior_votes, label_prior=exponent)
    y, q = scene.y, scene.shares
    dense = strategies.DenseConfusions(y, q, prior_votes)
    model = ConfusionModel(strategy, scene.votes)
    model.maximise(scene.posteriors)
    assert all(close(weight, dense.accuracies[user]) for user, weight in enumerate(model.weights()))

    disputes = scene.votes.disputes
    for user, label, right in zip(
        disputes.users.tolist(), disputes.labels.tolist(), model.right_of_votes(), strict=True
    ):
        assert close(right, dense(user, label, label))

    posteriors, log_likelihood = model.expect()
    log_prior = strategies.label_prior_of(y, q, exponent, strategy.label_smoothing)
    logs = {
        (i, k): log_prior[k] + math.fsum(strategies.log(dense(user, label, k)) for user, label in y[i].items())
        for i in y
        for k in q[i]
    }
    expected = strategies.posteriors_of(y, log_prior, lambda _, user, label, k: strategies.log(dense(user, label, k)))
    for i, found in Scene(scene.votes, posteriors).shares.items():
        assert all(math.isclose(found[k], expected[i][k], abs_tol=1e-8) for k in found)
    evidence = [np.logaddexp.reduce([logs[i, k] for k in q[i]]) for i in y]
    assert math.isclose(log_likelihood, math.fsum(evidence), rel_tol=1e-8, abs_tol=1e-8)


@given(scene=scenes(), prior_votes=PRIOR_VOTES)
@example(scene=voted(ONE_LABEL), prior_votes=0.0)
@example(scene=voted(AT_ODDS), prior_votes=0.0)
@settings(max_examples=150)
def test_the_diagonal_of_every_user_and_label_equals_the_dense(scene: Scene, prior_votes: float) -> None:
    dense = strategies.DenseConfusions(scene.y, scene.shares, prior_votes)
    model = ConfusionModel(plant_aggregate.DawidSkene(prior_votes=prior_votes), scene.votes)
    model.maximise(scene.posteriors)
    known = model.diagonal()
    for user in range(scene.votes.n_users):
        of_user = slice(known.offsets[user], known.offsets[user + 1])
        listed = dict(zip(known.labels[of_user].tolist(), known.right[of_user].tolist(), strict=True))
        assert list(listed) == sorted(listed)
        for k in range(scene.votes.n_labels + 1):  # the last was never voted
            prior, _ = moved(known.crowd_right[k], known.crowd_wrong[k], known.accuracies[user], known.mean)
            right = listed.get(k, prior)
            assert 0 <= right <= 1
            if k == scene.votes.n_labels:
                assert close(right, dense.accuracies[user])
            elif prior_votes > 0:
                assert close(right, dense(user, k, k))


@given(scene=scenes(), share=st.floats(0, 1), prior_votes=PRIOR_VOTES)
@settings(max_examples=60)
def test_kinds_of_observations_share_the_cells(scene: Scene, share: float, prior_votes: float) -> None:
    """Each kind counts its part of the posteriors, and only one the undisputed; with all of them it is the only one."""
    once = CaseWeights(scene.votes.disputes, 1.0)
    cells, accuracies = Cells(scene.votes, once), Accuracies(scene.votes, prior_votes, once)
    accuracies.maximise(scene.posteriors)
    alone, clear, unclear = (Confusions(cells, prior_votes, undisputed=kind != 2) for kind in range(3))
    alone.maximise(scene.posteriors, accuracies)
    clear.maximise(scene.posteriors, accuracies)
    unclear.maximise(scene.posteriors * share, accuracies)
    assert np.array_equal(alone.probabilities, clear.probabilities)
    assert unclear.log_likelihood() == 0
    assert np.isfinite(unclear.probabilities).all()
    assert ((unclear.probabilities >= 0) & (unclear.probabilities <= 1 + 1e-12)).all()


@pytest.mark.usefixtures("even_small_work")
@given(scene=scenes())
@settings(max_examples=20)
def test_threads_change_no_bit(scene: Scene) -> None:
    def iteration() -> list[str]:
        model = ConfusionModel(plant_aggregate.DawidSkene(), scene.votes)
        model.maximise(scene.posteriors)
        posteriors, log_likelihood = model.expect()
        return [*map(float.hex, [log_likelihood, *posteriors.tolist(), *model.diagonal().right.tolist()])]

    assert_same_on_threads(iteration)
