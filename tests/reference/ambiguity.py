"""Ambiguity from training scores, slowly: every score in a dense array of observations, epochs and labels."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tests.reference.strategies import DenseConfusions

Row = dict[str, Any]
Scores = Mapping[tuple[Any, int], Mapping[Any, float]]
"""(observation, epoch) -> label -> probability; labels left out have 0."""
Trust = Callable[[Any, Mapping[Any, float]], float]
"""User, scores of the last epoch -> how much the user's vote weighs."""
LEAST_TRUST = 1e-100
"""A smaller trust is none."""


def margin(scores: Mapping[Any, float], label: Any, labels: list[Any], kind: str) -> float:
    """sigma(k) less the second largest of all, or less the largest of another label."""
    dense = np.array([scores.get(each, 0.0) for each in labels])
    others = np.delete(dense, labels.index(label))
    rival = np.sort(dense)[::-1][1] if kind == "second" else others.max()
    return float(scores.get(label, 0.0) - rival)


def logit_margin(scores: Mapping[Any, float], label: Any) -> float | None:
    """The logit of k less the largest of another label, from log-probabilities; None where a list does not tell them.

    A probability below 2^-126 has lost digits, if it was stored as a float32.
    """
    own, other = scores.get(label, 0.0), max((p for k, p in scores.items() if k != label), default=0.0)
    return math.log(own) - math.log(other) if min(own, other) >= 2.0**-126 else None


def majority_of(votes: list[Row]) -> Any:
    """The label with most votes; ties: an author's, else the smallest."""
    counts = Counter(vote["label"] for vote in votes)
    authored = {vote["label"] for vote in votes if vote.get("is_author")}
    return min(counts, key=lambda label: (-counts[label], label not in authored, label))


def ambiguity(
    votes: list[Row], consensus: Mapping[Any, Any], scores: Scores, trust: Trust, kind: str
) -> dict[Any, dict[str, Any]]:
    """The columns of each observation that was voted on; ``votes`` are cleaned."""
    seen = {label for each in scores.values() for label in each} | {vote["label"] for vote in votes}
    labels = [*seen, object(), object()]  # more labels than anybody listed, as a model has
    by_observation = defaultdict(list)
    for vote in votes:
        by_observation[vote["observation_id"]].append(vote)
    found = {}
    for i, cast in by_observation.items():
        epochs = sorted(epoch for scored, epoch in scores if scored == i)
        row: dict[str, Any] = {"n_epochs": len(epochs)}
        if epochs:
            aum = {
                k: math.fsum(margin(scores[i, t], k, labels, kind) for t in epochs) / len(epochs)
                for k in {vote["label"] for vote in cast} | {consensus[i]}
            }
            weights = [trust(vote["user_id"], scores[i, epochs[-1]]) for vote in cast]
            weights = [weight if weight >= LEAST_TRUST else 0.0 for weight in weights]
            if not any(weights):
                weights = [1.0] * len(cast)
            row["score_aum"] = aum[consensus[i]]
            of_logits = [logit_margin(scores[i, t], consensus[i]) for t in epochs]
            if None not in of_logits:
                row["score_aum_logits"] = math.fsum(filter(None, of_logits)) / len(epochs)
            row["aumc"] = aum[majority_of(cast)]
            terms = [weight * aum[vote["label"]] for weight, vote in zip(weights, cast, strict=True)]
            row["waum"] = math.fsum(terms) / math.fsum(weights)
            exact = {k: all(is_exact(scores[i, t], k) for t in epochs) for k in aum}
            row["exact"] = exact[consensus[i]] and exact[majority_of(cast)]
            trusted = {vote["label"] for weight, vote in zip(weights, cast, strict=True) if weight > 0}
            row["waum_exact"] = all(exact[k] for k in trusted)
        found[i] = row
    return found


def is_exact(scores: Mapping[Any, float], label: Any) -> bool:
    """Whether a margin cannot depend on labels that were left out of a list of the largest."""
    return abs(math.fsum(scores.values()) - 1) <= 1e-6 or (label in scores and len(scores) >= 2)


def pruned(waum: Mapping[Any, float], alpha: float) -> set[Any]:
    """Those below the (floor(alpha n) + 1)-th smallest, by more than float32 rounds."""
    if not waum:
        return set()
    cut = sorted(waum.values())[math.floor(Fraction(str(alpha)) * len(waum))]
    return {i for i, value in waum.items() if value < cut - 1e-6}


def confusion_trust(votes: list[Row], posteriors: Mapping[Any, Mapping[Any, float]], prior_votes: float) -> Trust:
    """< diagonal of the user's dense confusion matrix, scores >, from the posteriors of Dawid and Skene's model."""
    y: dict[Any, dict[Any, Any]] = defaultdict(dict)
    for vote in votes:
        y[vote["observation_id"]][vote["user_id"]] = vote["label"]
    probability = DenseConfusions(y, posteriors, prior_votes)

    def recognises(user: Any, k: Any) -> float:
        """A label that nobody voted is recognised as often as the user's votes are right."""
        return probability(user, k, k) if k in probability.labels else probability.accuracies[user]

    def trust(user: Any, scores: Mapping[Any, float]) -> float:
        return math.fsum(p * recognises(user, k) for k, p in scores.items())

    return trust
