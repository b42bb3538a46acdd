"""Methods to make prediction sets side by side: fitted on the same calibration rows, evaluated on the same others."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...arrow import table_of_rows
from ...blocks import count
from ...errors import ParameterError, VotesError
from ...html_blocks import as_html
from ...progress import SILENT, Progress
from ...reprs import short_repr
from ...schema import SET_COMPARISON, SET_MEASURES, arrow_schema
from ..evaluation import RESAMPLES, UNKNOWN, Estimate
from .evaluation import LevelEvaluation, evaluate_outcomes, plain
from .label_space import LabelSpace
from .labelled import LabelledScores
from .methods import Method
from .metrics import LabelOutcomes, SetOutcomes
from .order import Alpha, alphas_of
from .predictor import calibration_of
from .scores.base import Score
from .sets import ScoredLists
from .usable import what_is_lacking

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to fit on, others to evaluate on, and the label space."""

    space: LabelSpace
    calibration: LabelledScores
    evaluation: LabelledScores
    own_prior: bool = False  # whether the prior is counted in the rows to fit on

    __repr__ = short_repr


@dataclass(frozen=True, eq=False)
class ComparedSets:
    """The sets of one method."""

    method: str
    guarantee: str
    """What coverage is guaranteed for exchangeable rows; empty for nothing."""
    levels: Sequence[LevelEvaluation]
    """Empty if it cannot be used."""
    fault: str = ""
    """Why it cannot be used."""
    useless: Mapping[Alpha, str] = field(default_factory=dict)
    """Levels at which every set is all labels, and why; of several splits, in each of them."""

    __repr__ = short_repr


@dataclass(frozen=True, eq=False)
class SetComparison:
    """The evaluations of several methods, in the order they were given."""

    compared: Sequence[ComparedSets]
    """The evaluation of each method."""
    calibration_rows: int
    """On which all were fitted; in the first of several splits."""
    evaluation_rows: int
    """On which all were evaluated; in the first of several splits."""
    splits: int
    """Number of splits; of several, measures are means, and intervals are from the lowest to the highest value."""
    n_labels: int
    """Size of the label space."""

    def to_arrow(self) -> "pa.Table":
        """A row for each method and level: table SET_COMPARISON of ``schema``; one for a method that cannot be used."""
        none: Sequence[LevelEvaluation | None] = [None]
        rows = [
            {
                "method": each.method,
                "alpha": None if level is None else float(level.alpha),
                "guarantee": each.guarantee or None,
                "fault": each.fault or (None if level is None else each.useless.get(level.alpha)),
                "calibration_rows": self.calibration_rows,
                "observations": None if level is None else level.observations,
                "labels": None if level is None else level.labels,
                **_measures({} if level is None else level.measures),
            }
            for each in self.compared
            for level in (each.levels or none)
        ]
        return table_of_rows(rows, arrow_schema(SET_COMPARISON))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values for JSON, None for what is undefined."""
        return {
            "calibration_rows": self.calibration_rows,
            "observations": self.evaluation_rows,
            "label_space": self.n_labels,
            "divisions": self.splits,
            "methods": [
                {
                    "method": each.method,
                    "guarantee": each.guarantee or None,
                    "fault": each.fault or None,
                    "levels": [level.to_dict() | {"fault": each.useless.get(level.alpha)} for level in each.levels],
                }
                for each in self.compared
            ],
        }

    def to_pandas(self) -> "pd.DataFrame":
        """The rows of :meth:`to_arrow` as a data frame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        usable = sum(bool(each.levels) for each in self.compared)
        return (
            f"SetComparison({count(len(self.compared), 'method')}, of which {usable} can be used, fitted on "
            f"{self.calibration_rows:,} rows and evaluated on {self.evaluation_rows:,})"
        )

    def _repr_html_(self) -> str:
        from ..report.prediction_sets import comparison_blocks

        return as_html(comparison_blocks(self))


def _measures(measures: Mapping[str, Estimate]) -> dict[str, float | None]:
    return {
        f"{column.name}{end}": value
        for column in SET_MEASURES
        for end, value in zip(("", "_low", "_high"), plain(measures.get(column.name, UNKNOWN)).values(), strict=True)
    }


def compare_methods(
    methods: Mapping[str, Method],
    splits: Sequence[Split],
    alphas: Iterable[Alpha | str | float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress = SILENT,
) -> SetComparison:
    """Fit each of the named methods on the calibration rows of a split, and evaluate it on the others.

    Of several splits, measures are means, and the ends of intervals the lowest and the highest value; of one, intervals
    are of ``resamples`` bootstrap resamples of the observations, the same for all methods. A method that cannot be used
    has a ``fault``. Raises ParameterError if there is nothing to compare.
    """
    levels = alphas_of(alphas)
    if not methods or not splits or not levels:
        raise ParameterError("there is nothing to compare", remedy="give methods, splits and levels")
    options = {"resamples": resamples if len(splits) == 1 else 0, "seed": seed}
    faults: dict[str, str] = {}
    useless: dict[str, list[dict[Alpha, str]]] = {name: [] for name in methods}
    found: dict[str, list[list[LevelEvaluation]]] = {name: [] for name in methods}
    progress.phase("fit and evaluate", total=len(methods) * len(splits), unit="methods")
    for split in splits:
        for score, names in _by_score(methods).items():
            try:
                scored = _Scored(score, split)
            except (VotesError, ParameterError) as error:
                faults |= dict.fromkeys(names, str(error))
                progress.advance(len(names))
                continue
            for name in names:
                progress.advance(1)
                try:
                    results = [scored.evaluate(methods[name], alpha, options) for alpha in levels]
                except (VotesError, ParameterError) as error:
                    faults[name] = str(error)
                    continue
                found[name].append([level for level, _ in results])
                useless[name].append({level.alpha: reason for level, reason in results if reason is not None})
    first = splits[0]
    return SetComparison(
        [
            ComparedSets(name, _guarantee(methods[name], first), [], faults[name])
            if name in faults
            else ComparedSets(
                name,
                _guarantee(methods[name], first),
                [_over_splits(of_level) for of_level in zip(*found[name], strict=True)],
                useless={
                    alpha: why for alpha, why in useless[name][0].items() if all(alpha in s for s in useless[name])
                },
            )
            for name in methods
        ],
        len(first.calibration),
        len(first.evaluation),
        len(splits),
        len(first.space),
    )


def _guarantee(method: Method, split: Split) -> str:
    """What coverage is guaranteed; by a prior that does not come from other rows, it nearly is."""
    what = method.rule.guarantee
    nearly = split.own_prior and (method.score.needs_prior or method.rule.needs_prior)
    return f"{what}, nearly" if what and nearly else what


def _by_score(methods: Mapping[str, Method]) -> dict[Score, list[str]]:
    """The names of the methods of each score: what is scored once serves all of them."""
    by_score: dict[Score, list[str]] = {}
    for name, method in methods.items():
        by_score.setdefault(method.score, []).append(name)
    return by_score


class _Scored:
    """The rows of a split with one score."""

    def __init__(self, score: Score, split: Split) -> None:
        self._score, self._split = score, split
        rows = split.calibration
        self._calibration = calibration_of(
            score, split.space, rows.scores, rows.truth, weights=rows.weights, draws=rows.draws, keys=rows.keys
        )
        self._longest = int(np.diff(rows.scores.offsets).max(initial=0))
        self._lists = ScoredLists(score.on(split.space), split.evaluation.scores, split.evaluation.draws)

    def evaluate(self, method: Method, alpha: Alpha, options: Mapping[str, Any]) -> tuple[LevelEvaluation, str | None]:
        """The measures of a method of this score, and why its sets are all labels, if they are."""
        space = self._split.space
        thresholds = method.rule.fit(self._calibration, alpha)
        slack = max(method.score.slack, method.rule.slack)
        sets = self._lists.sets(thresholds, len(space), slack)
        outcomes = SetOutcomes.of(sets, self._split.evaluation.truth)
        reason = None
        if sets.always.all():
            reason = what_is_lacking(method.rule, thresholds, self._calibration, alpha, self._longest)
        return evaluate_outcomes(outcomes, alpha, space, **options), reason


def _over_splits(levels: Sequence[LevelEvaluation]) -> LevelEvaluation:
    """The measures of one level over several splits: means, from the lowest to the highest value."""
    first = levels[0]
    if len(levels) == 1:
        return first
    values = {name: np.array([level.measures[name].value for level in levels]) for name in first.measures}
    measures = {name: Estimate(*map(float, _range(each[~np.isnan(each)]))) for name, each in values.items()}
    by_label = LabelOutcomes.together([level.by_label for level in levels])
    return LevelEvaluation(first.alpha, first.observations, measures, by_label, 0)


def _range(values: Floats) -> tuple[float, float, float]:
    return (values.mean(), values.min(), values.max()) if values.size else (math.nan, math.nan, math.nan)
