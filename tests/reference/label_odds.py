"""A label against all others, by a model's scores of every label of every observation: dense and slow.

``scores[k]`` is log P(k) + sum of log P(vote | k) over the votes on one observation, for every label k that there is.
"""

import math
from collections.abc import Mapping
from typing import Any

DEPENDENCE, TAU = 0.1, 0.25
LEAST, MOST = 2.0**-1022, 1 - 2.0**-53


def probability(scores: Mapping[Any, float], label: Any) -> float:
    """The posterior of the label among all, its log-odds times TAU."""
    odds = scores[label] - log_sum([s for k, s in scores.items() if k != label])
    return inner(1 / (1 + math.exp(-TAU * odds)))


def confidence(scores: Mapping[Any, float], label: Any, n_votes: int, m: float) -> float:
    """The share of the label if one unknown user, who is right with probability m, named the strongest other one."""
    tau = 1 / (1 + DEPENDENCE * (n_votes - 1))
    e = (1 - m) / (len(scores) - 1)
    tempered = {k: tau * s for k, s in scores.items()}
    strongest = max((k for k in scores if k != label), key=lambda k: tempered[k])
    named = {k: s + math.log(m if k == strongest else e) for k, s in tempered.items()}
    return inner(math.exp(named[label] - log_sum(list(named.values()))))


def log_sum(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(math.fsum(math.exp(s - top) for s in logs))


def inner(p: float) -> float:
    return min(max(p, LEAST), MOST)
