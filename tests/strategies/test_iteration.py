"""The iteration goes by four verbs: another engine that implements them arrives at the same consensus."""

from typing import Any

import numpy as np
import pytest

import plant_aggregate
from plant_aggregate.progress import SILENT
from plant_aggregate.strategies.parts.thresholds import Thresholds
from plant_aggregate.strategies.plantnet.iteration import Estimate, Rules, iterate
from plant_aggregate.strategies.plantnet.weighting import WEIGHT_FUNCTIONS, weights_of

from ..reference.plantnet import heaviest, tally


class Partitions:
    """An engine whose blocks are dictionaries, each of some of the observations; only sets of species are put together.

    What a verb makes of a block depends on that block, the weights, and nothing else.
    """

    def __init__(self, votes: plant_aggregate.Votes, rules: Rules, n_blocks: int) -> None:
        self.n_users = votes.n_users
        self.rules = rules
        self.blocks: list[dict[int, tuple[dict[int, int], set[int]]]] = [{} for _ in range(n_blocks)]
        for i in range(votes.n_observations):
            of_i = range(votes.offsets[i], votes.offsets[i + 1])
            ballots = {int(votes.users[j]): int(votes.labels[j]) for j in of_i}
            authors = {int(votes.users[j]) for j in of_i if votes.is_author[j]}
            self.blocks[i % n_blocks][i] = ballots, authors
        self.disputed = votes.disputes.observations.tolist()
        self.yhat: dict[int, int] = {}
        self.valid: dict[int, bool] = {}

    def settle(self, weights: np.ndarray) -> np.ndarray:
        w = dict(enumerate(weights.tolist()))
        for block in self.blocks:
            for i, (ballots, authors) in block.items():
                self.yhat[i] = heaviest(tally(ballots, w).weight, ballots, authors, held=self.yhat.get(i))
        return np.array([self.yhat[i] for i in self.disputed], np.int32)

    def weigh(self, weights: np.ndarray) -> int:
        w = dict(enumerate(weights.tolist()))
        for block in self.blocks:
            for i, (ballots, _) in block.items():
                found = tally(ballots, w)
                conf, acc = found.weight[self.yhat[i]], found.share(self.yhat[i])
                self.valid[i] = bool(self.rules.thresholds.passes(np.array([conf]), np.array([acc]))[0])
        return sum(self.valid.values())

    def count_species(self) -> tuple[np.ndarray, np.ndarray]:
        authored, voted = (np.zeros((self.n_users, 1 + max(self.yhat.values())), np.bool_) for _ in range(2))
        for block in self.blocks:
            for i, (ballots, authors) in block.items():
                for u, k in ballots.items():
                    if k == self.yhat[i] and u not in authors:
                        voted[u, k] |= self.valid[i] or not self.rules.votes_need_validity
                    elif k == self.yhat[i]:
                        authored[u, k] |= self.valid[i]
        return authored.sum(axis=1, dtype=np.int32), (voted & ~authored).sum(axis=1, dtype=np.int32)

    def report(self, estimate: Estimate) -> dict[int, tuple[int, bool]]:
        return {i: (self.yhat[i], self.valid[i]) for i in sorted(self.yhat)}


@pytest.mark.parametrize("n_blocks", [1, 5])
@pytest.mark.parametrize("vote_credit", ["any", "validated"])
def test_another_engine_arrives_at_the_same_consensus(n_blocks: int, vote_credit: str) -> None:
    tables: Any = plant_aggregate.simulate(0.0005, seed=4).tables
    votes = plant_aggregate.votes_from_table(tables.votes)
    strategy = plant_aggregate.PlantNet(vote_credit=vote_credit, theta_conf=1.6)
    function = WEIGHT_FUNCTIONS[strategy.weight_function]
    rules = Rules(
        weights_of=lambda species: weights_of(species, function, strategy.alpha, strategy.beta, strategy.gamma),
        thresholds=Thresholds(strategy.theta_conf, strategy.theta_acc),
        votes_need_validity=vote_credit == "validated",
        gamma=strategy.gamma,
        max_iter=strategy.max_iter,
    )
    engine = Partitions(votes, rules, n_blocks)
    estimate = iterate(engine, rules, SILENT)
    report = engine.report(estimate)
    consensus = strategy.fit(votes)
    assert len(consensus.trace.iterations) > 2
    assert estimate.trace == consensus.trace
    assert estimate.weights.tolist() == consensus.users.weight.tolist()
    assert list(report.values()) == list(zip(consensus.labels.tolist(), consensus.valid.tolist(), strict=True))
