"""Users who only confirm what the AI proposes first.

An honest user agrees with the AI as often as the AI is right on the species the user votes on; a parrot always agrees,
even where the AI is wrong. So over u's votes on observations that the AI votes on, too,

    parrot_score = max(0, sum(equal - A(k))) / (sum(1 - A(k)) + PRIOR)

where ``equal`` is 1 if the vote is the AI's label and 0 if not, k the consensus label of the observation, and A(k) how
often the AI says k where the valid consensus does. That is the share of votes which, copied from the AI among honest
ones, would give as much agreement; PRIOR, in votes on which the AI is wrong, keeps it near 0 for users with
few votes. If most voters are parrots, the AI appears right, and they are not detected.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..arrays import Floats, LabelCodes, Weights
from ..kernels.threads import kernels_side_by_side, one_part_per_thread
from ..progress import Progress
from ..schema import USER_AI
from .base import Defence, Examined, FirstConsensus

PRIOR = 5.0  # expected wrong votes of the AI among a user's observations at which a full parrot scores 1/2
SPECIES_PRIOR = 10.0  # observations of a species that weigh as much as all others when its own accuracy is estimated
PARROT = 0.5  # mode `drop` silences users with this score or more
UNIT = 2**30  # accuracies are added as integer multiples of 1 / UNIT, so that sums do not depend on the order


def examine(first: FirstConsensus, mode: str, progress: Progress) -> Examined:
    """Compare each user's votes with the AI's: the columns ``schema.USER_AI``, and factors as ``mode`` says.

    ``keep`` reduces no weight, ``discount`` reduces it by the score, ``drop`` silences those with a score of
    ``PARROT`` or more. The AI, where it is one of the users, is no parrot. Without the AI's votes nothing is found.
    """
    if first.ai is None:
        return Examined()
    progress.phase("look for parrots")
    from ..kernels.ai_votes import compare_with_ai

    votes, ai_labels = first.votes, first.ai.labels
    accuracy = np.rint(_accuracies(first, ai_labels) * UNIT).astype(np.int64)
    parts = one_part_per_thread(votes.n_observations)
    tallies = np.zeros((len(parts), votes.n_users, 3), np.int64)
    arrays = votes.offsets, votes.users, votes.labels, first.labels, ai_labels, accuracy

    def compare(p: int) -> None:
        start, stop = parts[p]
        compare_with_ai(start, stop, *arrays, tallies[p])

    kernels_side_by_side(*(partial(compare, part) for part in range(len(parts))))
    n_votes, n_equal, expected = np.ascontiguousarray(tallies.sum(axis=0).T)
    right = expected / UNIT
    score = np.maximum(n_equal - right, 0.0) / (n_votes - right + PRIOR)
    if first.ai_user >= 0:
        score[first.ai_user] = 0.0
    nothing = np.full(votes.n_users, np.nan)
    columns = {
        "n_ai_votes": n_votes.astype(np.int32),
        "ai_agreement": np.divide(n_equal, n_votes, out=nothing.copy(), where=n_votes > 0),
        "expected_ai_agreement": np.divide(right, n_votes, out=nothing, where=n_votes > 0),
        "parrot_score": score,
    }
    return Examined(USER_AI, columns, FACTORS[mode](score))


FACTORS: dict[str, Callable[[Floats], Weights | None]] = {
    "keep": lambda score: None,
    "discount": lambda score: 1.0 - score,
    "drop": lambda score: (score < PARROT).astype(np.float64),
}
"""Mode -> factors by score."""

PARROTS = Defence(tuple(FACTORS), examine)


def _accuracies(first: FirstConsensus, ai_labels: LabelCodes) -> Floats:
    """How often the AI says k where the valid consensus does, drawn towards its accuracy on all: float64[n_labels]."""
    from ..kernels.ai_votes import count_ai_right

    tallies = np.zeros((first.votes.n_labels, 2), np.int64)
    count_ai_right(first.labels, ai_labels, first.valid, tallies)
    times, right = tallies.T
    overall = (right.sum() + 1) / (times.sum() + 2)
    accuracies: Floats = (right + SPECIES_PRIOR * overall) / (times + SPECIES_PRIOR)
    return accuracies
