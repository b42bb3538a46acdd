"""A score and thresholds that were fitted: sets for new observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

import numpy as np

from ...arrays import Flags, Floats, LabelCodes, Weights, Words
from ...arrow import array, to_arrow
from ...blocks import count
from ...classifier_scores import TOLERANCE, ClassifierScores, NamedScores
from ...errors import ParameterError, VotesError, quoted
from ...frames import check_type
from ...html_blocks import as_html
from .label_space import LabelSpace
from .named_sets import NamedSets
from .order import Alpha, alphas_of
from .scores.base import FittedScore, Score
from .scores.cumulative import draws_of
from .sets import Bounds, PredictionSets, ScoredLists
from .thresholds.base import Calibration, ThresholdRule, Thresholds

CALIBRATION_ROWS = "the calibration rows"
"""What ``fitted_on`` names as the origin of a prior that was counted in these."""

ITEMS = 1 << 22  # approximate number of labels of calibration rows that are scored at a time


@dataclass(frozen=True, eq=False)
class SetPredictor:
    """Makes prediction sets at one or several levels."""

    score: Score
    """How well a label fits an observation."""
    rule: ThresholdRule
    """How thresholds were found."""
    space: LabelSpace
    """The labels that sets are made of."""
    thresholds: Mapping[Alpha, Thresholds]
    """The scores from which labels are in the set, by level."""
    fitted_on: Mapping[str, Any] = field(default_factory=dict)
    """What it was fitted on: files, rows, rows whose true label is not listed, how truth was known."""

    @property
    def slack(self) -> float:
        """Relative tolerance of comparisons with thresholds."""
        return max(self.score.slack, self.rule.slack)

    @property
    def needs_prior(self) -> bool:
        """Whether sets depend on how common labels are."""
        return self.score.needs_prior or self.rule.needs_prior

    @property
    def guarantee(self) -> str:
        """Which coverage is guaranteed, and of which observations; empty if none is."""
        what = self.rule.guarantee
        if not what or self.fitted_on.get("weighted"):
            return ""
        whose = "drawn like the calibration rows"
        if self.fitted_on.get("from_run") is not None:
            least = self.fitted_on.get("min_probability")
            probable = "" if least is None else f" with a probability of at least {least:g}"
            whose = f"that would be valid in such a run{probable}, as to the label that it gives them"
        nearly = self.needs_prior and self.fitted_on.get("prior") == CALIBRATION_ROWS
        return f"{what}, of observations {whose}" + "; nearly so, as the prior is counted in these rows" * nearly

    @overload
    def predict(
        self,
        scores: ClassifierScores,
        alpha: "Alpha | str | float | None" = None,
        draws: Floats | None = None,
        never_empty: bool = False,
    ) -> PredictionSets: ...

    @overload
    def predict(
        self,
        scores: NamedScores,
        alpha: "Alpha | str | float | None" = None,
        draws: Floats | None = None,
        never_empty: bool = False,
    ) -> NamedSets: ...

    def predict(
        self,
        scores: ClassifierScores | NamedScores,
        alpha: Alpha | str | float | None = None,
        draws: Floats | None = None,
        never_empty: bool = False,
    ) -> PredictionSets | NamedSets:
        """The set of each list, at one of the levels that were fitted; ``alpha`` may be left out if there is one.

        ``scores`` with names of labels and ids of observations give sets with these. Labels outside the label space are
        in a set by the common threshold. ``draws`` float64[n] in [0, 1), for scores that are randomised; with ids, they
        are by default those of the seed it was fitted with. ``never_empty``: an empty set gets the likeliest label of
        the list, so that coverage can only rise. Raises ParameterError for a level that was not fitted.
        """
        check_type(
            "label lists",
            scores,
            (ClassifierScores, NamedScores),
            "scores_from_table(frame), scores_from_matrix(matrix, labels) or predict_sets(path)",
        )
        level = self.level(alpha)
        if isinstance(scores, NamedScores):
            if draws is None and self.score.randomised and "seed" in self.fitted_on:
                draws = draws_of(scores.observation_ids, self.fitted_on["seed"])
            lists, names = scores.coded(self.space.names)
            return NamedSets(scores.observation_ids, names, self._sets(lists, level, draws, never_empty), lists, level)
        return self._sets(scores, level, draws, never_empty)

    def predict_one(
        self,
        probabilities: Mapping[str, float] | Mapping[int, float],
        alpha: Alpha | str | float | None = None,
        draw: float | None = None,
    ) -> NamedSets:
        """The set of one observation from the probability of each label that the classifier lists: for a service.

        The first call takes longer, as it prepares the label space. Its observation has the id 0. ``draw``, a number in
        [0, 1), is needed by scores that are randomised, another one for each observation. Probabilities outside [0, 1]
        by no more than 1e-6 are moved to the nearer end. Raises VotesError for NaN, for other probabilities outside
        [0, 1], and for integers where the labels of the model are texts, or texts where they are integers;
        ParameterError as :meth:`predict`.
        """
        import pyarrow as pa

        check_type("probabilities by label", probabilities, Mapping, "{'Acer campestre': 0.6}")
        shares = np.fromiter(probabilities.values(), np.float64, len(probabilities))
        wrong = np.flatnonzero(~((shares >= -TOLERANCE) & (shares <= 1 + TOLERANCE)))
        if wrong.size:
            place = int(wrong[0])
            what = f"the probability of {quoted([*probabilities][place])} is {shares[place]:g}"
            raise VotesError(f"{what}, but must be in [0, 1]")
        codes = self._codes
        outside = [label for label in probabilities if label not in codes]
        names, level = self.space.names, self.level(alpha)
        other = next((label for label in outside if isinstance(label, str) == pa.types.is_integer(names.type)), None)
        if other is not None:
            raise VotesError(f"there is a label {quoted(other)}, but those of the model are of type {names.type}")
        beyond = {label: len(codes) + place for place, label in enumerate(outside)}
        labels = np.fromiter((codes.get(k, beyond.get(k, -1)) for k in probabilities), np.int32, len(probabilities))
        lists = ClassifierScores(np.array([0, labels.size]), labels, np.clip(shares, 0.0, 1.0))
        draws = None if draw is None else np.array([draw], np.float64)
        if outside:
            names = pa.concat_arrays([names, array(outside, names.type)])
        return NamedSets(to_arrow(np.zeros(1, np.int64)), names, self._sets(lists, level, draws), lists, level)

    def __repr__(self) -> str:
        levels = ", ".join(map(str, self.thresholds))
        return f"SetPredictor({self.score.name}, {self.rule.name}, {count(len(self.space), 'label')}, alpha {levels})"

    def _repr_html_(self) -> str:
        from ..report.set_predictor import predictor_blocks

        return as_html(predictor_blocks(self))

    def always(self, alpha: Alpha | str | float | None = None) -> Flags:
        """The labels that are in every set at a level, whatever the scores are: bool[K]."""
        return self._bounds[self.level(alpha)].always

    def n_always(self, alpha: Alpha | str | float | None = None) -> int:
        """How many labels are in every set at a level, whatever the scores are."""
        return self._bounds[self.level(alpha)].n_always

    def _sets(
        self, lists: ClassifierScores, level: Alpha, draws: Floats | None = None, never_empty: bool = False
    ) -> PredictionSets:
        scored = ScoredLists(self._fitted, lists, draws)
        sets = scored.within(self._bounds[level])
        return scored.filled(sets) if never_empty else sets

    def level(self, alpha: Alpha | str | float | None = None) -> Alpha:
        """The level that is meant; the only one if None. Raises ParameterError if it was not fitted."""
        if alpha is None and len(self.thresholds) == 1:
            return next(iter(self.thresholds))
        levels = ", ".join(map(str, self.thresholds))
        if alpha is None:
            raise ParameterError(f"there are several levels, alpha {levels}", remedy="name one of them")
        level = Alpha.of(alpha)
        if level not in self.thresholds:
            raise ParameterError(f"alpha is {level} but was fitted at {levels}", remedy="fit it at this level, too")
        return level

    @cached_property
    def _fitted(self) -> FittedScore:
        return self.score.on(self.space)

    @cached_property
    def _bounds(self) -> Mapping[Alpha, Bounds]:
        given = len(self.space), self._fitted.unlisted, self.slack
        return {alpha: Bounds.of(thresholds, *given) for alpha, thresholds in self.thresholds.items()}

    @cached_property
    def _codes(self) -> Mapping[str | int, int]:
        return {name: code for code, name in enumerate(self.space.names.to_pylist())}


def calibration_of(
    score: Score,
    space: LabelSpace,
    scores: ClassifierScores,
    truth: LabelCodes,
    *,
    weights: Weights | None = None,
    draws: Floats | None = None,
    keys: Words | None = None,
) -> Calibration:
    """The scores of the true labels ``truth`` int32[n] of label lists.

    ``weights``, ``keys``: as :class:`Calibration` has them; ``draws`` float64[n], for scores that are randomised.
    """
    from ...kernels.prediction_sets import true_scores
    from ...kernels.threads import in_blocks

    fitted = score.on(space)
    prepared = fitted.prepared(scores, truth=truth)
    n = len(prepared)
    found, step = np.empty(n), max(ITEMS * n // max(prepared.labels.size, 1), 1)
    for first in range(0, n, step):
        rows = slice(first, min(first + step, n))
        lists = prepared.between(rows.start, rows.stop)
        item_scores = fitted.of_listed(lists, None if draws is None else draws[rows])
        items = lists.offsets, lists.labels, item_scores
        in_blocks(true_scores, len(lists), *items, truth[rows], fitted.unlisted, found[rows])
    return Calibration(found, truth, space, fitted.unlisted, weights, keys)


def fit_predictor(
    score: Score, rule: ThresholdRule, calibration: Calibration, alphas: Sequence[Alpha | str | float]
) -> SetPredictor:
    """Fit thresholds at several levels on calibration rows."""
    levels = alphas_of(alphas)
    return SetPredictor(score, rule, calibration.space, {alpha: rule.fit(calibration, alpha) for alpha in levels})
