"""From the AI's score to the probability that its label is right.

[G17] Guo, Pleiss, Sun and Weinberger 2017, On calibration of modern neural networks, ICML: temperature scaling. Only
the score of the label that the AI names is known, not those of all labels, so its log-odds are scaled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ...ai_votes import AiVotes
from ...arrays import Flags, Floats
from ...arrow import to_arrow
from ...html_blocks import as_html
from ...measures import brier_score, calibration_error, log_loss, reliability
from ...reprs import short_repr
from ...truth import Truth, check_labels, rows_of
from ...votes import Votes
from .fitting import check_method, enough_known, fitted_on_in_words, folds, unknown_method
from .maps import IsotonicMap, TemperatureMap, inner
from .saved import Header, as_json

HEADER = Header("AI calibration", 1, "a calibration of AI scores", "calibrate-ai")

METHODS = ("isotonic", "temperature")
"""``isotonic``: the rising function that fits best; ``temperature``: log-odds divided by one number [G17]."""

KNOTS = ("score", "calibrated")  # the names that the knots of an isotonic map are saved under
N_BINS = 10  # bins of the reliability curve


@dataclass(frozen=True)
class Bin:
    """A bin of a reliability curve."""

    low: float
    high: float
    observations: int
    mean_score: float
    share_right: float


@dataclass(frozen=True)
class Quality:
    """Calibration of scores: how well they predict the AI's accuracy."""

    calibration_error: float
    log_loss: float
    brier_score: float
    curve: Sequence[Bin]

    __repr__ = short_repr

    @classmethod
    def of(cls, scores: Floats, right: Flags) -> "Quality":
        """The quality of ``scores`` float64[n] of labels that are ``right`` bool[n]."""
        once = np.ones(right.size)
        edges = np.linspace(0, 1, N_BINS + 1).tolist()
        filled = [
            Bin(edges[b], edges[b + 1], int(size), float(mean), float(share))
            for b, (size, mean, share) in enumerate(zip(*reliability(scores, right, N_BINS), strict=True))
            if size
        ]
        return cls(
            float(calibration_error(scores, right, once)),
            float(log_loss(inner(scores), right, once)),
            float(brier_score(scores, right, once)),
            tuple(filled),
        )


@dataclass(frozen=True)
class Comparison:
    """Quality of scores before and after calibration, on a set of expert observations."""

    name: str
    observations: int
    right: int
    """Number of these whose AI label is the expert label."""
    before: Quality
    after: Quality
    """Of scores calibrated without the observations they are of: cross-validated."""

    __repr__ = short_repr


@dataclass(frozen=True)
class AiCalibration:
    """A map from the AI's score to the probability that its label is right, and its quality."""

    method: str
    """One of METHODS."""
    map: TemperatureMap | IsotonicMap
    """The fitted function."""
    fitted_on: Mapping[str, Any]
    """What it was fitted on: the AI's votes, the truth, observations, how many right."""
    comparisons: Sequence[Comparison] = ()
    """On all expert observations; where votes were given, also on those that users disagree on."""

    def apply_to(self, ai_votes: AiVotes) -> AiVotes:
        """The AI's votes with calibrated scores."""
        return replace(ai_votes, scores=np.clip(self.map(ai_votes.scores), 0.0, 1.0))

    def to_dict(self) -> dict[str, Any]:
        """The contents of the saved file."""
        saved = self.map.to_dict(*KNOTS) if isinstance(self.map, IsotonicMap) else self.map.to_dict()
        return {
            "format": HEADER.format,
            "method": self.method,
            "map": saved,
            "fitted_on": dict(self.fitted_on),
            "comparisons": [asdict(comparison) for comparison in self.comparisons],
        }

    def __repr__(self) -> str:
        return f"AiCalibration({self.method}, {fitted_on_in_words(self.fitted_on)})"

    def _repr_html_(self) -> str:
        from ..report.calibration import ai_calibration_blocks

        return as_html(ai_calibration_blocks(self))

    def to_json(self) -> str:
        """The contents of the saved file."""
        return as_json(self.to_dict())

    @classmethod
    def from_json(cls, text: str, origin: str) -> "AiCalibration":
        """A saved calibration, without its comparisons; ``origin`` names it in messages. Raises VotesError."""

        def saved_one(saved: Mapping[str, Any]) -> AiCalibration:
            return cls(saved["method"], _map_of(saved["method"], saved["map"]), {**saved["fitted_on"]})

        return HEADER.read(text, origin, saved_one)


def calibrate_ai(
    ai_votes: AiVotes, truth: Truth, *, votes: Votes | None = None, method: str = "isotonic", seed: int = 0
) -> AiCalibration:
    """Fit P(the AI's label is right) on the observations that experts know.

    ``method`` is one of METHODS. With ``votes`` the scores are also compared on the observations where users disagree.
    ``seed`` draws the folds of the cross-validation. Raises VotesError if the AI votes on fewer than FEWEST expert
    observations, names no label of the experts, or ids or labels have other types; ParameterError on an unknown method.
    """
    check_method(method, METHODS, seed)
    known = enough_known(truth, ai_votes, ai_votes.origin, "the AI votes on {}")
    check_labels(known.truth, ai_votes.label_names, "the AI's votes", needed=True)
    scores = ai_votes.scores[known.rows]
    right: Flags = ai_votes.labels[known.rows] == known.codes
    held_out = np.empty(right.size)
    for out in folds(right.size, seed):
        held_out[out] = _fit(method, scores[~out], right[~out])(scores[out])
    subsets = {"all": np.ones(right.size, np.bool_)}
    if votes is not None:
        subsets["users disagree"] = _disputed(votes, ai_votes, known.rows)
    comparisons = [
        Comparison(
            name,
            int(chosen.sum()),
            int(right[chosen].sum()),
            Quality.of(scores[chosen], right[chosen]),
            Quality.of(held_out[chosen], right[chosen]),
        )
        for name, chosen in subsets.items()
        if chosen.any()
    ]
    about = {"ai_votes": ai_votes.origin, "truth": truth.origin, "observations": right.size, "right": int(right.sum())}
    return AiCalibration(method, _fit(method, scores, right), about, tuple(comparisons))


def _disputed(votes: Votes, ai_votes: AiVotes, rows: Any) -> Flags:
    """Which of the ``rows`` of the AI's votes are observations that users disagree on."""
    ids = votes.observation_ids.take(to_arrow(votes.disputes.observations))
    found, _ = rows_of(ai_votes.observation_ids, ids)
    return np.isin(rows, found)


def _fit(method: str, scores: Floats, right: Flags) -> TemperatureMap | IsotonicMap:
    return TemperatureMap.fit(scores, right) if method == "temperature" else IsotonicMap.fit(scores, right)


def _map_of(method: str, saved: Mapping[str, Any]) -> TemperatureMap | IsotonicMap:
    """Raises ValueError, KeyError or TypeError if ``saved`` is no map of this method."""
    if method == "temperature":
        return TemperatureMap.from_dict(saved)
    if method == "isotonic":
        return IsotonicMap.from_dict(saved, *KNOTS)
    raise unknown_method(method, METHODS)
