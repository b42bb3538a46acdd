"""Scores from the probability that is spent until a label's turn comes, from the likeliest label to the least likely.

They need the probabilities of all labels, as the mass before a label is unknown if likelier ones may be missing.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ....arrays import Floats, LabelCodes
from ....classifier_scores import ClassifierScores
from ....errors import ParameterError, VotesError
from ....parameters import parameter

if TYPE_CHECKING:
    import pyarrow as pa

TOLERANCE = 1e-3  # how much the sum of a list of all labels may differ from 1: half floats, rounded decimals

OWN_SHARES = {"inclusive": 1.0, "exclusive": 0.0}  # u, where it is the same for all rows


def own_mass_option() -> Any:
    """The option that says what u is."""
    return parameter(
        "inclusive",
        "how much of a label's own probability counts: all of it, nothing, or a random share, one for each observation",
        choices=("inclusive", "exclusive", "random"),
        group="Score",
    )


@dataclass(frozen=True, eq=False)
class CumulativeScore:
    """s = -E, E = mass ranked before k + u p(k | x) + penalty max(0, rank(k) - free_ranks)."""

    score: str
    n_labels: int
    own_mass: str
    penalty: float = 0.0
    free_ranks: int = 0

    @property
    def unlisted(self) -> float:
        """-1: labels of probability 0 come last; -inf if their ranks count, so that ``prepared`` lists those needed."""
        return -math.inf if self.penalty else -1.0

    def prepared(
        self, scores: ClassifierScores, *, truth: LabelCodes | None = None, least: float = math.inf
    ) -> ClassifierScores:
        """The lists; if ranks count, with ``truth`` and the labels of probability 0 that score at least ``least``.

        Raises VotesError for lists that do not add up to 1.
        """
        self._check_sums(scores)
        if not self.penalty:
            return scores
        last_rank = 0
        if -math.inf < least <= -1:  # with a margin for rounding: a label too many is no member
            last_rank = int(min(self.free_ranks + (-least - 1) / self.penalty + 1, self.n_labels))
        return scores if truth is None and not last_rank else self._with_unlikely(scores, last_rank, truth)

    def of_listed(self, scores: ClassifierScores, draws: Floats | None = None) -> Floats:
        """-E of each label, float64[items]; u is ``draws`` float64[n] if it is random."""
        from ....kernels.conformity_scores import add_up_to_labels
        from ....kernels.threads import in_blocks

        if self.own_mass != "random":
            draws = np.array([OWN_SHARES[self.own_mass]])
        elif draws is None:
            raise ParameterError(f"score {self.score} is random, and needs a draw for each observation")
        found = np.empty(scores.labels.size)
        items = scores.offsets, scores.labels, scores.probabilities
        in_blocks(add_up_to_labels, len(scores), *items, draws, self.penalty, self.free_ranks, found)
        return found

    def _check_sums(self, scores: ClassifierScores) -> None:
        from ....kernels.conformity_scores import add_up
        from ....kernels.threads import in_blocks

        n = len(scores)
        sums = np.empty(n)
        in_blocks(add_up, n, scores.offsets, scores.probabilities, sums)
        n_short, n_long = int((sums < 1 - TOLERANCE).sum()), int((sums > 1 + TOLERANCE).sum())
        if n_short:
            raise VotesError(
                f"score {self.score} needs the probabilities of all labels, but {n_short:,} of {n:,} lists add up to "
                f"less than 1, the least to {sums.min():.3g}",
                remedy="use softmax, pas or wpas, or let the classifier write all labels",
            )
        if n_long:
            raise VotesError(
                f"score {self.score} needs probabilities that add up to 1, but {n_long:,} of {n:,} lists add up to "
                f"more, the greatest to {sums.max():.3g}",
                remedy="use softmax, pas or wpas, or normalise the lists",
            )

    def _with_unlikely(self, scores: ClassifierScores, last_rank: int, truth: LabelCodes | None) -> ClassifierScores:
        from ....kernels.conformity_scores import add_unlikely, count_unlikely
        from ....kernels.threads import in_blocks

        n = len(scores)
        items = scores.offsets, scores.labels, scores.probabilities
        wanted = self.n_labels, last_rank, np.empty(0, np.int32) if truth is None else truth
        lengths = np.empty(n, np.int64)
        in_blocks(count_unlikely, n, *items, *wanted, lengths)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        labels, probabilities = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], scores.probabilities.dtype)
        in_blocks(add_unlikely, n, *items, *wanted, offsets, labels, probabilities)
        return ClassifierScores(offsets, labels, probabilities)


def draws_of(ids: "pa.Array", seed: int) -> Floats:
    """A number in [0, 1) for each observation, float64[n], from its id and the seed alone, whatever its row.

    It is SHA-256 of the text ``draw|SEED|ID``: its first 53 bits as a fraction. Integers count as their text.

    >>> import pyarrow as pa
    >>> draws_of(pa.array([17, 1]), seed=0).round(6).tolist() == draws_of(pa.array(["17", "1"]), 0).round(6).tolist()
    True
    """
    from ....ids.hashing import numbers_of

    return np.ldexp((numbers_of(f"draw|{seed}|", ids) >> 7).astype(np.float64), -53)
