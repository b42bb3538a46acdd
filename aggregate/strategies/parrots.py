"""Users who only confirm what the AI proposes first.

An honest user agrees with the AI as often as the AI is right, on the species that the user meets; a parrot always
does, also where it is wrong. So of u's votes on observations the AI votes on, too,

    parrot_score = max(0, sum(equal - A(k))) / (sum(1 - A(k)) + PRIOR)

where ``equal`` is 1 if the vote is the AI's label and 0 if not, k the consensus label of the observation, and A(k) how
often the AI says k where the valid consensus does. That is the share of votes which, copied from the AI among honest
ones, would give as much agreement; PRIOR, in votes on which the AI is wrong, keeps it near 0 for users of whom little
is known. Where most voters are parrots, the AI looks as right as they make it look, and they go unnoticed.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..ai_votes import AiOpinions
from ..arrays import Counts, Flags, Floats, LabelCodes, Weights
from ..kernels.threads import kernels_side_by_side, one_part_per_thread
from ..votes import Votes

PRIOR = 5.0
"""Wrong votes of the AI that a user has to have met for a full score of 1/2."""

SPECIES_PRIOR = 10.0
"""Observations of a species that weigh as much as all others when its own accuracy is estimated."""

PARROT = 0.5
"""``parrots="drop"`` silences users with this score or more."""

UNIT = 2**30
"""Accuracies are added up as whole multiples of 1 / UNIT, so that no sum depends on its order."""

PARROT_MODES = ("keep", "discount", "drop")


@dataclass(frozen=True, eq=False)
class Parroting:
    """How users' votes compare with the AI's; arrays have n_users items. Columns: ``schema.USER_AI``."""

    n_ai_votes: Counts
    ai_agreement: Floats
    """NaN for users who have no vote where the AI has one."""
    expected_ai_agreement: Floats
    """NaN likewise."""
    parrot_score: Floats

    def factors(self, mode: str) -> Weights | None:
        """What to multiply the users' weights with; None for nothing."""
        if mode == "discount":
            return 1.0 - self.parrot_score
        return (self.parrot_score < PARROT).astype(np.float64) if mode == "drop" else None


def parroting(votes: Votes, opinions: AiOpinions, labels: LabelCodes, valid: Flags, ai_user: int = -1) -> Parroting:
    """Compare each user's votes with the AI's opinions; the user ``ai_user`` is the AI itself, and no parrot.

    ``labels`` int32[n_observations] and ``valid`` bool[n_observations] are a consensus, best one without the AI.
    """
    from ..kernels.user_tallies import compare_with_ai

    accuracy = np.rint(_accuracies(opinions, labels, valid, votes.n_labels) * UNIT).astype(np.int64)
    parts = one_part_per_thread(votes.n_observations)
    tallies = np.zeros((len(parts), votes.n_users, 3), np.int64)
    compared = [
        partial(
            compare_with_ai,
            first,
            last,
            votes.offsets,
            votes.users,
            votes.labels,
            labels,
            opinions.labels,
            accuracy,
            tallies[part],
        )
        for part, (first, last) in enumerate(parts)
    ]
    kernels_side_by_side(*compared)
    n_votes, n_equal, expected = np.ascontiguousarray(tallies.sum(axis=0).T)
    right = expected / UNIT
    score = np.maximum(n_equal - right, 0.0) / (n_votes - right + PRIOR)
    if ai_user >= 0:
        score[ai_user] = 0.0
    nothing = np.full(votes.n_users, np.nan)
    return Parroting(
        n_votes.astype(np.int32),
        np.divide(n_equal, n_votes, out=nothing.copy(), where=n_votes > 0),
        np.divide(right, n_votes, out=nothing, where=n_votes > 0),
        score,
    )


def _accuracies(opinions: AiOpinions, labels: LabelCodes, valid: Flags, n_labels: int) -> Floats:
    """How often the AI says k where the valid consensus does, drawn towards its accuracy on all: float64[n_labels]."""
    from ..kernels.user_tallies import count_ai_right

    tallies = np.zeros((n_labels, 2), np.int64)
    count_ai_right(labels, opinions.labels, valid, tallies)
    times, right = tallies.T
    overall = (right.sum() + 1) / (times.sum() + 2)
    accuracies: Floats = (right + SPECIES_PRIOR * overall) / (times + SPECIES_PRIOR)
    return accuracies
