"""Label lists whose true labels are known: rows to calibrate on, and rows to evaluate on."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Flags, Floats, LabelCodes, Weights, Words
from ...blocks import count
from ...classifier_scores import ClassifierScores
from ...errors import VotesError
from ...ids.hashing import limit_of, numbers_of
from ...reprs import short_repr

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """Label lists whose true labels are known."""

    scores: ClassifierScores
    truth: LabelCodes  # int32[n]; positions in the label space, and beyond it for labels outside of it
    weights: Weights | None = None  # float64[n]; P(the label is right), of calibration rows; None for labels that are
    draws: Floats | None = None  # float64[n] in [0, 1), for scores that are randomised
    keys: Words | None = None  # uint64[n]; hashes of the observations' ids, by which rules split calibration rows

    __repr__ = short_repr

    def __len__(self) -> int:
        return self.truth.size

    def only(self, chosen: Flags) -> "LabelledScores":
        """The chosen (bool[n]) rows."""
        lists, of_rows = self.scores.only(chosen), {name: getattr(self, name) for name in ("weights", "draws", "keys")}
        known = {name: each[chosen] for name, each in of_rows.items() if each is not None}
        return LabelledScores(lists, self.truth[chosen], **known)

    @property
    def n_unlisted(self) -> int:
        """How many rows have a true label that the classifier does not list, or lists with probability 0."""
        from ...kernels.prediction_sets import true_scores
        from ...kernels.threads import in_blocks

        found = np.empty(len(self))
        lists = self.scores
        items = lists.offsets, lists.labels, lists.probabilities.astype(np.float64, copy=False)
        in_blocks(true_scores, len(self), *items, self.truth, 0.0, found)
        return int(np.count_nonzero(found == 0))


def divided(ids: "pa.Array", share: float, seed: int) -> Flags:
    """Which observations are fitted on, bool[n], about a ``share`` of all: by hashes of their ids.

    So an observation is on the same side whatever others there are. Raises VotesError if either side has none.
    """
    first: Flags = numbers_of(f"calibration|{seed}|", ids) < limit_of(Fraction(str(share)))
    if first.all() or not first.any():
        n = np.count_nonzero(first)
        raise VotesError(
            f"of {count(first.size, 'observation')} whose label is known, {n:,} would be fitted on",
            remedy="name others to fit on, or change their share",
        )
    return first
