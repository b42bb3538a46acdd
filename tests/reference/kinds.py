"""Dawid and Skene's model with two kinds of observations, clear and unclear, written as its formulas; dense and slow.

Index letters: i observation, u user, l label voted, k true label, m kind (0 clear, 1 unclear). ``z[i, k, m]`` is the
posterior of k and m, ``q[i, k]`` that of k. Labels that nobody voted on an observation are no candidates there, but
for that of experts, ``known[i]``, -1 for none; and observations with one candidate are clear.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]
CLEAR = 0
TIED = 1e-9
"""Numbers that differ relatively by no more are alike: of starts with such log-likelihoods the first is taken."""


class Fit(NamedTuple):
    """What one start, or the best of several, arrived at."""

    q: Floats  # [i, k]
    p: Floats  # [u]; the expected share of right votes
    log_likelihoods: list[float]  # of all votes, after each iteration
    posteriors: list[Floats]  # q before the first iteration, and after each
    log_joint: Floats  # [i, k]; log P(k) + log of the sum over m of P(m | k) prod P(l | k, m, u), of every label
    start: int


def fit(votes: NDArray[np.int64], **parameters: Any) -> Fit:
    """The start with the highest log-likelihood; ``votes`` has a row (i, u, l) for each vote, all codes in use."""
    best, *others = (fit_from(start, votes, **parameters) for start in range(3))
    for other in others:
        highest = best.log_likelihoods[-1]
        if other.log_likelihoods[-1] > highest + TIED * abs(highest):
            best = other
    return best


def fit_from(
    start: int,
    votes: NDArray[np.int64],
    *,
    max_iter: float = 300,
    tolerance: float = 0.01,
    prior_votes: float = 3,
    label_prior: float = 1,
    label_smoothing: float = 1,
    n_kinds: int = 2,
    known: NDArray[np.int64] | None = None,
    expert_weight: float = 1,
) -> Fit:
    """EM from one of the starts; with ``n_kinds`` 1 all observations are clear.

    Votes on observations that experts labelled are counted ``expert_weight`` times among the users', once elsewhere.
    """
    i, u, voted = votes.T
    n_observations, n_users, n_labels = votes.max(axis=0) + 1
    known = np.full(n_observations, -1) if known is None else known
    n_labels = max(n_labels, known.max() + 1)
    by_expert = np.flatnonzero(known >= 0)
    times = np.where(known >= 0, expert_weight, 1.0)[i]
    cast = np.zeros((n_observations, n_labels))
    np.add.at(cast, (i, voted), 1)
    is_candidate = cast > 0
    is_candidate[by_expert, known[by_expert]] = True
    is_possible = np.zeros((n_observations, n_labels, n_kinds), bool)
    is_possible[:, :, CLEAR] = is_candidate
    is_possible[:, :, 1:] = (is_candidate & (np.count_nonzero(is_candidate, axis=1) > 1)[:, None])[:, :, None]
    is_possible[by_expert] &= (np.arange(n_labels) == known[by_expert, None])[:, :, None]
    q = cast / cast.sum(axis=1, keepdims=True)
    top = q.max(axis=1)
    q[by_expert] = np.arange(n_labels) == known[by_expert, None]
    z = begin(start, q, top, is_possible)
    history, log_likelihoods = [q], []
    while len(log_likelihoods) < max_iter:
        p, m0 = accuracies(votes, times, q, n_users, prior_votes)
        prior_of_label = q.sum(axis=0) + label_smoothing
        prior_of_label = prior_of_label**label_prior / (prior_of_label**label_prior).sum()
        probability = probabilities(votes, times, z, p, m0, n_users, prior_votes)
        prior_of_kind = (z.sum(axis=0) + 1) / (z.sum(axis=(0, 2)) + n_kinds)[:, None]

        scores = np.tile(log(prior_of_label)[:, None] + log(prior_of_kind), (n_observations, 1, 1))
        np.add.at(scores, i, log(probability[u, voted]))
        log_joint = np.logaddexp.reduce(scores, axis=2)
        scores = np.where(is_possible, scores, -np.inf)
        evidence = np.logaddexp.reduce(scores, axis=(1, 2))
        z = np.exp(scores - evidence[:, None, None])
        q = z.sum(axis=2)
        log_likelihoods.append(float(evidence.sum()))
        history.append(q)
        if len(log_likelihoods) >= 4 and np.abs(history[-1] - history[-2]).max() <= tolerance:
            break
    return Fit(q, p, log_likelihoods, history, log_joint, start)


def begin(start: int, q: Floats, top: Floats, is_possible: NDArray[np.bool_]) -> Floats:
    """The posteriors before the first iteration, from q and the largest shares of the votes: a guess who is clear."""
    s = [np.where(top >= top.mean() * (1 - TIED), 0.9, 0.1), top, 0.25 + top / 2][start]
    z = np.stack([q * s[:, None], q * (1 - s)[:, None]], axis=2)[:, :, : is_possible.shape[2]]
    is_clear = ~is_possible[:, :, 1:].any(axis=(1, 2))
    z[is_clear] = 0
    z[is_clear, :, CLEAR] = q[is_clear]
    return z


def accuracies(
    votes: NDArray[np.int64], times: Floats, q: Floats, n_users: int, prior_votes: float
) -> tuple[Floats, float]:
    """p(u) and m0; ``times`` says how often each vote counts."""
    i, u, voted = votes.T
    right = np.bincount(u, times * q[i, voted], n_users)
    n = np.bincount(u, times, n_users)
    m0 = (right.sum() + 1) / (n.sum() + 2)
    return (right + prior_votes * m0) / (n + prior_votes), m0


def probabilities(
    votes: NDArray[np.int64], times: Floats, z: Floats, p: Floats, m0: float, n_users: int, prior_votes: float
) -> Floats:
    """P(l | k, m, u), [u, l, k, m]."""
    i, u, voted = votes.T
    _, n_labels, n_kinds = z.shape
    n = np.zeros((n_users, n_labels, n_labels, n_kinds))  # n(u, l, k, m)
    np.add.at(n, (u, voted), times[:, None, None] * z[i])
    k = np.arange(n_labels)
    c = np.full((n_labels, n_labels), (1 - m0) / max(n_labels - 1, 1))
    c[k, k] = m0
    crowd = (n.sum(axis=0) + c[:, :, None]) / (n.sum(axis=(0, 1)) + 1)  # C(l | k, m)
    right = crowd[k, k]
    moved = expit(logit(right) + logit(p)[:, None, None] - logit(m0))  # R(u, k, m)
    prior = crowd * ((1 - moved) / (1 - right))[:, None]  # B(l | u, k, m)
    prior[:, k, k] = moved
    totals = n.sum(axis=1, keepdims=True) + prior_votes
    return np.divide(n + prior_votes * prior, totals, out=np.ones_like(n), where=totals > 0)


def log(p: Floats) -> Floats:
    """A probability below 1e-100 counts as that."""
    return np.log(np.maximum(p, 1e-100))
