"""Dawid and Skene's EM as the textbooks have it: dense arrays, no smoothing.

[DS79] Dawid and Skene 1979, Maximum likelihood estimation of observer error-rates using the EM algorithm.
"""

import numpy as np
from numpy.typing import NDArray


def posteriors(
    votes: NDArray[np.int64],
    n_iterations: int,
    *,
    only_voted: bool = True,
    known: NDArray[np.int64] | None = None,
    weight: float = 1.0,
) -> NDArray[np.float64]:
    """P(true label | votes), [observation, label], after some iterations from the shares of votes.

    ``votes`` has a row (observation, user, label) for each vote. ``only_voted``: labels that nobody voted on an
    observation are no candidates there. ``known``[observation] are experts' labels, -1 for none; users' votes on these
    observations are counted ``weight`` times.
    """
    n_observations, n_users, n_labels = votes.max(axis=0) + 1
    is_known = np.zeros(n_observations, bool) if known is None else known >= 0
    n_labels = n_labels if known is None else max(n_labels, known.max() + 1)
    fixed = np.zeros((n_observations, n_labels))
    if known is not None:
        fixed[is_known, known[is_known]] = 1.0
    times = np.where(is_known, weight, 1.0)
    cast = np.zeros((n_observations, n_users, n_labels))  # 1 where user u voted l on i
    cast[tuple(votes.T)] = 1.0
    candidate = cast.any(axis=1) if only_voted else np.ones((n_observations, n_labels), bool)
    q = np.where(is_known[:, None], fixed, cast.sum(axis=1) / cast.sum(axis=(1, 2))[:, None])
    for _ in range(n_iterations):
        prior = q.mean(axis=0)
        counts = np.einsum("i,ik,iul->ukl", times, q, cast)
        totals = counts.sum(axis=2, keepdims=True)
        confusion = np.divide(counts, totals, out=np.ones_like(counts), where=totals > 0)
        with np.errstate(divide="ignore"):
            logs = np.log(prior) + np.einsum("iul,ukl->ik", cast, np.maximum(np.log(confusion), -1e4))
            logs[~candidate] = -np.inf
            logs[is_known] = np.log(fixed[is_known])
        likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))
        q = likelihood / likelihood.sum(axis=1, keepdims=True)
    return q
