"""Ability of users and difficulty of observations: the Newton steps of GLAD.

A vote of user u on observation i is right with probability s(x) = 1 / (1 + exp(-x)), x = ability[u] exp(ease[i]). Sums
are in fixed point (see ``posteriors``). ``times`` int64 says how many observations each stands for, ``case_weights``
float64, by default 1, how often its votes count for their users; ``right`` float64 is the posterior of each vote's
label.
"""

import numpy as np

from ..arrays import Floats, Indices, Offsets, UserCodes, Weights
from .jit import kernel

MOST_EASE = 4.6
LEAST_EASE = -10.0
"""Ease, the logarithm of [W09]'s 1 / difficulty, stays between these: exp(4.6) = 99."""

LARGEST_STEP = 1.0  # no Newton step is larger


@kernel
def _sigmoid(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-x)))


@kernel
def add_ability_gradients(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    right: Floats,
    times: Indices,
    case_weights: Floats | None,
    ability: Weights,
    ease: Floats,
    unit: float,
    log_unit: float,
    gradients: Indices,
    curvatures: Indices,
) -> np.int64:
    """Add, by user, the sums over the votes of (right - s) exp(ease) and of s (1 - s) exp(2 ease), times case weights.

    Returns the sum of log s over the votes, in the fixed point of ``log_unit``.
    """
    log_right = np.int64(0)
    for i in range(first, last):
        scale = np.exp(ease[i])
        case_weight = 1.0
        if case_weights is not None:
            case_weight = case_weights[i]
        for j in range(offsets[i], offsets[i + 1]):
            u = users[j]
            odds_against = np.exp(-ability[u] * scale)
            s = 1.0 / (1.0 + odds_against)
            gradients[u] += times[i] * np.int64(np.rint((right[j] - s) * scale * case_weight * unit))
            curvatures[u] += times[i] * np.int64(np.rint(s * (1.0 - s) * scale * scale * case_weight * unit))
            log_right += times[i] * np.int64(np.rint(-np.log1p(odds_against) * log_unit))
    return log_right


@kernel
def step_abilities(
    gradients: Indices, curvatures: Indices, unit: float, mean: float, variance: float, ability: Weights
) -> None:
    """A Newton step of every user's ability, whose prior is normal."""
    for u in range(ability.size):
        gradient = gradients[u] / unit - (ability[u] - mean) / variance
        step = gradient / (curvatures[u] / unit + 1.0 / variance)
        ability[u] += min(max(step, -LARGEST_STEP), LARGEST_STEP)


@kernel
def step_eases(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    right: Floats,
    ability: Weights,
    unit: float,
    mean: float,
    variance: float,
    ease: Floats,
) -> None:
    """A Newton step of every observation's ease, whose prior is normal.

    The curvature of a vote is s (1 - s) x^2 + (s - right) x, where the second term is left out if it is negative: so
    every step increases the likelihood, and none overshoots.
    """
    for i in range(first, last):
        scale = np.exp(ease[i])
        gradients = np.int64(0)
        curvatures = np.int64(0)
        for j in range(offsets[i], offsets[i + 1]):
            x = ability[users[j]] * scale
            s = _sigmoid(x)
            gradients += np.int64(np.rint((right[j] - s) * x * unit))
            curvatures += np.int64(np.rint((s * (1.0 - s) * x * x + max((s - right[j]) * x, 0.0)) * unit))
        gradient = gradients / unit - (ease[i] - mean) / variance
        step = gradient / (curvatures / unit + 1.0 / variance)
        ease[i] = min(max(ease[i] + min(max(step, -LARGEST_STEP), LARGEST_STEP), LEAST_EASE), MOST_EASE)


@kernel
def vote_probabilities(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    ability: Weights,
    ease: Floats,
    n_others: int,
    right: Floats,
    wrong: Floats,
) -> None:
    """The probability of every vote where its label is right, s, and where it is wrong, (1 - s) / n_others."""
    for i in range(first, last):
        scale = np.exp(ease[i])
        for j in range(offsets[i], offsets[i + 1]):
            x = ability[users[j]] * scale
            right[j] = _sigmoid(x)
            wrong[j] = _sigmoid(-x) / n_others
