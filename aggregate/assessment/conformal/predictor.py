"""A score and thresholds that were fitted: sets for new observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays import Floats, LabelCodes, Weights
from ...classifier_scores import ClassifierScores
from .label_space import LabelSpace
from .order import Alpha, alphas_of
from .scores.base import Score
from .sets import PredictionSets, ScoredLists
from .thresholds.base import Calibration, ThresholdRule, Thresholds


@dataclass(frozen=True, eq=False)
class SetPredictor:
    """Makes prediction sets at one or several levels."""

    score: Score
    rule: ThresholdRule
    space: LabelSpace
    thresholds: Mapping[Alpha, Thresholds]
    fitted_on: Mapping[str, Any] = field(default_factory=dict)
    """What it was fitted on: files, rows, rows whose true label is not listed, how truth was known."""

    @property
    def slack(self) -> float:
        """Relative tolerance of comparisons with thresholds."""
        return max(self.score.slack, self.rule.slack)

    def predict(
        self, scores: ClassifierScores, alpha: Alpha | str | float, draws: Floats | None = None
    ) -> PredictionSets:
        """The set of each list. ``draws`` float64[n] in [0, 1), for scores that are randomised."""
        scored = ScoredLists(self.score.on(self.space), scores, draws)
        return scored.sets(self.thresholds[Alpha.of(alpha)], len(self.space), self.slack)


def calibration_of(
    score: Score,
    space: LabelSpace,
    scores: ClassifierScores,
    truth: LabelCodes,
    *,
    weights: Weights | None = None,
    draws: Floats | None = None,
) -> Calibration:
    """The scores of the true labels ``truth`` int32[n] of label lists."""
    from ...kernels.prediction_sets import true_scores
    from ...kernels.threads import in_blocks

    fitted = score.on(space)
    prepared = fitted.prepared(scores, truth=truth)
    found = np.empty(len(prepared))
    items = prepared.offsets, prepared.labels, fitted.of_listed(prepared, draws)
    in_blocks(true_scores, len(prepared), *items, truth, fitted.unlisted, found)
    return Calibration(found, truth, space, fitted.unlisted, weights)


def fit_predictor(
    score: Score, rule: ThresholdRule, calibration: Calibration, alphas: Sequence[Alpha | str | float]
) -> SetPredictor:
    """Fit thresholds at several levels on calibration rows."""
    levels = alphas_of(alphas)
    return SetPredictor(score, rule, calibration.space, {alpha: rule.fit(calibration, alpha) for alpha in levels})
