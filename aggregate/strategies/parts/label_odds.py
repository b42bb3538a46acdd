"""What a model of probabilities says of a label against all others, those that nobody voted among them.

Posteriors are of the labels voted on an observation: enough to find the label, but not to say how probable it is. One
that all its voters agree on would be certain. So both columns here are of all labels, with
L(k) = log P(k) + sum of log P(vote | k, user) over the votes of the observation.

``confidence`` is what the label's share would be if one unknown user dissented. The votes on an observation err
together, as it may be hard, so that n of them are evidence for tau n only, tau = 1 / (1 + DEPENDENCE (n - 1)). To
tau L(k) is added log e for the label, log m for the strongest other label, and log e for all others, where m is the
mean accuracy of the crowd and e = (1 - m) / (K - 1); the confidence is exp of it at the label, divided by the sum.

``probability`` is 1 / (1 + exp(-TAU odds)), with the log-odds of the label against all others,
odds = L(label) - log(sum of exp L(k) over the others): the posterior, tempered [G17]. Between two labels that is the
power TAU of the posterior. It is the odds that are tempered, not each label's posterior: over thousands of labels the
powers of these add up to much more than the label has.

[G17] Guo, Pleiss, Sun and Weinberger 2017, On calibration of modern neural networks, ICML: temperature scaling.
"""

from typing import Any, NamedTuple

import numpy as np

from ...arrays import Counts, Floats, Indices
from ...consensus import ModelFindings
from ...derived.columns import EXPERT_CONFIDENCE
from ...kernels.threads import in_blocks
from ...votes import Votes
from .outcome import Outcome

DEPENDENCE = 0.1
"""How much the votes on an observation err together: n of them count as n / (1 + DEPENDENCE (n - 1))."""

TAU = 0.25
"""The power that tempers posteriors; chosen on real crowds: ``benchmarks.confidence``."""


class TwoWayVotes(NamedTuple):
    """Votes whose probability depends only on whether they are for the label."""

    right: Floats  # P(vote | its label is right), by kind of vote
    wrong: Floats  # P(vote | its label is wrong), by kind of vote
    kinds: Counts  # int32[n_votes], the kind of each vote


def two_way_findings(outcome: Outcome, label_probabilities: Floats, cast: TwoWayVotes) -> ModelFindings:
    """Confidence and probability of the labels; ``label_probabilities`` are P(k), float64[n_labels]."""
    from ...kernels.label_odds import two_way_odds

    votes = outcome.votes
    unit = unit_of(votes)
    logs, right, wrong = (
        logs_of(values, unit) for values in (with_another(votes, label_probabilities), cast.right, cast.wrong)
    )
    by_probability = np.argsort(-logs, kind="stable").astype(np.int32)
    tempers = temper_of(votes)
    of_votes: Any = votes.offsets, votes.labels, cast.kinds, right, wrong, outcome.all_labels
    model: Any = logs, unit, by_probability, tempers, _totals(votes, logs / unit, tempers)
    log_odds, confidence = np.empty((2, votes.n_observations))
    found = dissent_of(outcome, logs.size), log_odds, confidence
    in_blocks(two_way_odds, votes.n_observations, *of_votes, *model, *found)
    return findings_of(outcome, log_odds, confidence)


def findings_of(outcome: Outcome, log_odds: Floats, confidence: Floats) -> ModelFindings:
    """The findings of labels with these log-odds against all others, float64[n_observations]; experts are believed."""
    from ...kernels.label_odds import LEAST, MOST

    with np.errstate(over="ignore"):
        probability = np.clip(1 / (1 + np.exp(-TAU * log_odds)), LEAST, MOST)
    expert_labels = outcome.votes.expert_labels
    if expert_labels is not None:
        confidence[expert_labels >= 0] = probability[expert_labels >= 0] = EXPERT_CONFIDENCE
    return ModelFindings(confidence, probability, TAU)


def unit_of(votes: Votes) -> float:
    """The fixed point of the logarithms of probabilities that are added up over the votes on an observation."""
    from ...kernels.posteriors import LARGEST_LOG, unit_for

    return unit_for((2 * int(np.diff(votes.offsets).max()) + 1) * LARGEST_LOG, 44)


def logs_of(probabilities: Floats, unit: float) -> Indices:
    """Logarithms in fixed point, int64; a probability below 1e-100 counts as that."""
    from ...kernels.posteriors import logs_of as kernel

    logs = np.empty(probabilities.size, np.int64)
    kernel(probabilities, unit, logs)
    return logs


def with_another(votes: Votes, probabilities: Floats) -> Floats:
    """P(k), float64[K]; a label that is the only one is held against another, as common as none."""
    if probabilities.size > 1:
        return probabilities
    seldom = 1 / (votes.n_observations + 2)
    return np.array([1 - seldom, seldom])


def temper_of(votes: Votes) -> Floats:
    """The tau of n votes, at place n."""
    n = np.arange(int(np.diff(votes.offsets).max()) + 1)
    return 1 / (1 + DEPENDENCE * np.maximum(n - 1, 0))


def dissent_of(outcome: Outcome, n_labels: int) -> float:
    """M / e: how much likelier an unknown user names the strongest other label than any further one."""
    mean = outcome.mean_accuracy
    return mean / (1 - mean) * (n_labels - 1)


def _totals(votes: Votes, logs: Floats, tempers: Floats) -> Floats:
    """Sum of P(k)^tau over all labels, at place n; of 1, and the numbers of votes that occur."""
    occurs = np.bincount(np.diff(votes.offsets), minlength=2)
    occurs[1] = 1
    totals = np.zeros(tempers.size)
    for n in np.flatnonzero(occurs):
        totals[n] = np.exp(tempers[n] * logs).sum()
    return totals
