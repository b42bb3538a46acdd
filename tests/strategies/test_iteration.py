"""The iteration uses four verbs: another engine that implements them arrives at the same consensus."""

from typing import Any

import numpy as np
import pytest

import plant_aggregate
from plant_aggregate.derived.columns import DisputeFindings, UserFindings
from plant_aggregate.derived.species import n_species
from plant_aggregate.derived.votes_by_user import VotesByUser
from plant_aggregate.strategies.plantnet.ai_role import AiRole
from plant_aggregate.strategies.plantnet.iteration import Estimate, Report, Rules

from ..reference.plantnet import heaviest, tally


class Partitions:
    """An engine whose partitions are dictionaries, each of some observations; only sets of species are put together.

    What a verb makes of a partition depends on that partition, the weights, and nothing else.
    """

    n_partitions = 1

    def __init__(self, role: AiRole, by_user: VotesByUser, rules: Rules) -> None:
        votes = self.votes = role.votes
        self.n_users = votes.n_users
        self.rules = rules
        self.partitions: list[dict[int, tuple[dict[int, int], set[int]]]] = [{} for _ in range(self.n_partitions)]
        for i in range(votes.n_observations):
            of_i = range(votes.offsets[i], votes.offsets[i + 1])
            ballots = {int(votes.users[j]): int(votes.labels[j]) for j in of_i}
            authors = {int(votes.users[j]) for j in of_i if votes.is_author[j]}
            self.partitions[i % self.n_partitions][i] = ballots, authors
        self.yhat = dict.fromkeys(range(votes.n_observations), -1)
        self.s = dict.fromkeys(range(votes.n_observations), False)
        self.seen: list[dict[int, float]] = []

    @property
    def labels(self) -> np.ndarray:
        return np.array(list(self.yhat.values()), np.int32)

    @property
    def valid(self) -> np.ndarray:
        return np.array(list(self.s.values()))

    def settle(self, weights: np.ndarray) -> np.ndarray:
        w = dict(enumerate(weights.tolist()))
        for partition in self.partitions:
            for i, (ballots, authors) in partition.items():
                self.yhat[i] = heaviest(tally(ballots, w).weight, ballots, authors, held=self.yhat[i])
        return self.labels[self.votes.disputes.observations]

    def weigh(self, weights: np.ndarray) -> int:
        w = dict(enumerate(weights.tolist()))
        self.seen.append(w)
        for partition in self.partitions:
            for i, (ballots, _) in partition.items():
                found = tally(ballots, w)
                conf, acc = found.weight[self.yhat[i]], found.share(self.yhat[i])
                self.s[i] = bool(self.rules.thresholds.passes(np.array([conf]), np.array([acc]))[0])
        return sum(self.s.values())

    def count_species(self) -> tuple[np.ndarray, np.ndarray]:
        authored, voted = (np.zeros((self.n_users, 1 + max(self.yhat.values())), np.bool_) for _ in range(2))
        for partition in self.partitions:
            for i, (ballots, authors) in partition.items():
                for u, k in ballots.items():
                    if k == self.yhat[i] and u not in authors:
                        voted[u, k] |= self.s[i] or not self.rules.votes_need_validity
                    elif k == self.yhat[i]:
                        authored[u, k] |= self.s[i]
        return authored.sum(axis=1, dtype=np.int32), (voted & ~authored).sum(axis=1, dtype=np.int32)

    def report(self, estimate: Estimate) -> Report:
        disputes, w, weight, columns = self.votes.disputes, self.seen[-1], np.empty(self.labels.size), []
        for partition in self.partitions:
            for i, (ballots, authors) in partition.items():
                found, label = tally(ballots, w), self.yhat[i]
                weight[i] = found.weight[label]
                if others := {k: of_k for k, of_k in found.weight.items() if k != label}:
                    aum = np.mean([tally(ballots, then).margin(label) for then in self.seen[:-1]])
                    confidence = weight[i] / (found.total + self.rules.gamma)
                    of_label = confidence, found.share(label), found.margin(label), aum, found.entropy()
                    columns.append((i, *of_label, len(found.weight), heaviest(others, ballots, authors)))
        findings = DisputeFindings(*map(np.array, list(zip(*sorted(columns), strict=True))[1:]))
        self_validating = estimate.weights >= self.rules.thresholds.theta_conf
        species = n_species(estimate.n_author, estimate.n_vote), estimate.n_author, estimate.n_vote
        users = UserFindings(estimate.weights, *species, *np.zeros((3, self.n_users)), self_validating)
        vote_weights = disputes.vote_weights(estimate.weights)
        return Report(self.labels, weight, self.valid, disputes, vote_weights, findings, users)


@pytest.mark.parametrize("n_partitions", [1, 5])
@pytest.mark.parametrize("vote_credit", ["any", "validated"])
def test_another_engine_arrives_at_the_same_consensus(
    n_partitions: int, vote_credit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Partitions, "n_partitions", n_partitions)
    tables: Any = plant_aggregate.simulate(0.0005, seed=4).tables
    votes = plant_aggregate.votes_from_table(tables.votes)
    strategy = plant_aggregate.PlantNet(vote_credit=vote_credit, theta_conf=1.6)
    expected, found = strategy.fit(votes), strategy.fit(votes, engine=Partitions)
    assert len(expected.trace.iterations) > 2
    assert found.trace == expected.trace
    for name in ("labels", "weight", "valid"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    for name, column in expected.disputes._asdict().items():
        np.testing.assert_allclose(getattr(found.disputes, name), column, rtol=1e-12, atol=1e-15, err_msg=name)
    for name in ("weight", "n_species", "n_species_author", "n_species_vote", "self_validating"):
        assert getattr(found.users, name).tolist() == getattr(expected.users, name).tolist()
