"""Evaluation of prediction sets against true labels, at one or several levels."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats, LabelCodes
from ...arrow import table_of_rows, to_arrow
from ...blocks import count
from ...classifier_scores import ClassifierScores
from ...errors import ParameterError
from ...html_blocks import as_html
from ...measures import bootstrap
from ...reprs import short_repr
from ...schema import LABEL_COVERAGE, SET_EVALUATION, arrow_schema
from ...taxonomy import Taxonomy
from ..evaluation import RESAMPLES, Estimate
from .fallback import measure_taxa
from .label_space import LabelSpace
from .labelled import LabelledScores
from .methods import Method
from .metrics import QUANTILES, SIZES, LabelOutcomes, SetOutcomes, measure_names, measure_sets
from .order import Alpha
from .predictor import SetPredictor
from .sets import PredictionSets

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class LevelEvaluation:
    """Measures of the sets of one level."""

    alpha: Alpha
    observations: int
    measures: Mapping[str, Estimate]  # by their names in ``schema.SET_MEASURES``, and ``TAXON_MEASURES``
    by_label: LabelOutcomes
    resamples: int  # for the intervals; 0 without intervals

    __repr__ = short_repr

    @property
    def labels(self) -> int:
        """Number of distinct true labels: those that means over labels are of."""
        return self.by_label.labels.size

    def to_dict(self) -> dict[str, Any]:
        """The measures as plain values for JSON, None for what is undefined."""
        return {
            "alpha": float(self.alpha),
            "observations": self.observations,
            "labels": self.labels,
            "resamples": self.resamples,
            "measures": {name: plain(estimate) for name, estimate in self.measures.items()},
        }


@dataclass(frozen=True, eq=False)
class SetEvaluation:
    """Measures of prediction sets at one or several levels."""

    levels: Sequence[LevelEvaluation]
    """In the order of the levels given."""
    space: LabelSpace
    """The labels that sets are made of."""
    names: "pa.Array"
    """The names of label codes: those of the space, followed by those of true labels outside of it."""
    seed: int
    """Seed of the resamples."""
    method: str
    """The score and the threshold rule."""
    not_listed: int | None
    """Observations whose list lacks the true label; None if that is not known."""

    def to_arrow(self) -> "pa.Table":
        """A row for each level and measure: table SET_EVALUATION of ``schema``."""
        rows = [
            {
                "alpha": float(level.alpha),
                "observations": level.observations,
                "labels": level.labels,
                "measure": measure,
                **plain(estimate),
            }
            for level in self.levels
            for measure, estimate in level.measures.items()
        ]
        return table_of_rows(rows, arrow_schema(SET_EVALUATION))

    def per_label(self) -> "pa.Table":
        """A row for each level and true label, in the order of the labels: table LABEL_COVERAGE of ``schema``."""
        import pyarrow as pa

        parts = [self._of_labels(level) for level in self.levels]
        return pa.concat_tables(parts)

    def _of_labels(self, level: LevelEvaluation) -> "pa.Table":
        import pyarrow as pa

        found, prior, at_risk = level.by_label, self.space.prior, self.space.at_risk_of(level.by_label.labels)
        known = found.labels < len(self.space)
        places = np.where(known, found.labels, 0)
        prior_count = np.zeros(known.size) if prior is None else prior.counts[places]
        is_at_risk = np.zeros(known.size, np.bool_) if at_risk is None else at_risk
        columns = {
            "alpha": np.full(known.size, float(level.alpha)),
            "label": self.names.take(to_arrow(found.labels)),
            "in_label_space": known,
            "prior_count": pa.array(prior_count, mask=~known | (prior is None)),
            "at_risk": pa.array(is_at_risk, mask=np.full(known.size, at_risk is None)),
            "rows": found.rows,
            "covered": found.covered,
            "coverage": found.coverage,
            "mean_size": found.mean_size,
        }
        schema = arrow_schema(LABEL_COVERAGE, label=self.names.type)
        return pa.table(columns).cast(schema)

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain values for JSON, None for what is undefined."""
        levels = [level.to_dict() for level in self.levels]
        facts = {"method": self.method, "label_space": len(self.space), "not_listed": self.not_listed}
        return {**facts, "levels": levels, "seed": self.seed}

    def to_pandas(self) -> "pd.DataFrame":
        """The rows of :meth:`to_arrow` as a data frame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        found = "; ".join(
            f"alpha {level.alpha}: coverage {100 * level.measures['marginal_coverage'].value:.1f} %, "
            f"macro {100 * level.measures['macro_coverage'].value:.1f} %, "
            f"mean size {level.measures['mean_size'].value:.2f}"
            for level in self.levels
        )
        return f"SetEvaluation({count(self.levels[0].observations, 'observation')}; {found})"

    def _repr_html_(self) -> str:
        from ..report.prediction_sets import evaluation_blocks

        return as_html(evaluation_blocks(self))


def evaluate_predictor(
    predictor: SetPredictor,
    scores: ClassifierScores,
    truth: LabelCodes,
    *,
    names: "pa.Array | None" = None,
    alphas: Sequence[Alpha | str | float] | None = None,
    draws: Floats | None = None,
    taxonomy: Taxonomy | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SetEvaluation:
    """Evaluate the sets of label lists whose true labels ``truth`` int32[n] are known.

    ``truth``: positions in the label space, and beyond it for other labels, which no set can be expected to have;
    ``names`` are of all of these. ``alphas``: by default all levels that the predictor was fitted at. ``draws``
    float64[n]: for scores that are randomised. ``taxonomy``: measures what the labels of sets have in common, too.
    Intervals are of ``resamples`` bootstrap resamples of the observations (0 for none). Raises ParameterError.
    """
    levels = tuple(predictor.thresholds) if alphas is None else tuple(Alpha.of(alpha) for alpha in alphas)
    sets = ((alpha, predictor.predict(scores, alpha, draws)) for alpha in levels)
    given: dict[str, Any] = {"taxonomy": taxonomy, "resamples": resamples, "seed": seed}
    not_listed = LabelledScores(scores, truth).n_unlisted
    return evaluate_made(predictor, sets, truth, predictor.space.names if names is None else names, not_listed, **given)


def evaluate_made(
    predictor: SetPredictor,
    sets: Iterable[tuple[Alpha, PredictionSets]],
    truth: LabelCodes,
    names: "pa.Array",
    not_listed: int | None = None,
    *,
    taxonomy: Taxonomy | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SetEvaluation:
    """As :func:`evaluate_predictor`, of ``sets`` that the predictor made at some levels.

    ``not_listed``: observations whose list lacks the true label, if that is known.
    """
    given: dict[str, Any] = {"resamples": resamples, "seed": seed}
    found = []
    for alpha, made in sets:
        level = evaluate_outcomes(SetOutcomes.of(made, truth), alpha, predictor.space, **given)
        if taxonomy is not None:
            level = replace(level, measures={**level.measures, **measure_taxa(made, names, truth, taxonomy, **given)})
        found.append(level)
    method = str(Method(predictor.score, predictor.rule))
    return SetEvaluation(found, predictor.space, names, seed, method, not_listed)


def evaluate_outcomes(
    outcomes: SetOutcomes, alpha: Alpha, space: LabelSpace, *, resamples: int = RESAMPLES, seed: int = 0
) -> LevelEvaluation:
    """The measures of sets of one level, with 95 % intervals. Raises ParameterError."""
    faults = [
        f"{name} is {value} but must be at least 0"
        for name, value in (("resamples", resamples), ("seed", seed))
        if value < 0
    ]
    if faults:
        raise ParameterError("; ".join(faults))
    labels = outcomes.cells.labels
    known: dict[str, Any] = {"weights": space.weights_of(labels), "at_risk": space.at_risk_of(labels)}
    names = measure_names(weighted=space.weights is not None, at_risk=space.at_risk is not None)
    estimates = bootstrap(
        lambda counts: measure_sets(outcomes, alpha, counts, **known),
        len(outcomes),
        resamples,
        seed,
        (0.0, np.array([np.inf if name in SIZES else 1.0 for name in names])),
        groups=outcomes.cells.of_rows,
        corrected=np.array([name not in QUANTILES for name in names]),
    )
    found = (Estimate(*numbers) for numbers in zip(*(ends.tolist() for ends in estimates), strict=True))
    return LevelEvaluation(alpha, len(outcomes), dict(zip(names, found, strict=True)), outcomes.by_label, resamples)


def plain(estimate: Estimate) -> dict[str, float | None]:
    """An estimate and its interval, None for NaN."""
    return {end: None if math.isnan(value) else value for end, value in vars(estimate).items()}
