"""Whether prediction sets still cover what they should: new observations whose true label is known, from files."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from .assessment.conformal.labelled import LabelledScores
from .assessment.conformal.methods import Method
from .assessment.conformal.monitoring import CoverageCheck, check_level, more_unlisted
from .assessment.conformal.order import Alpha, alphas_of
from .assessment.conformal.predictor import CALIBRATION_ROWS, SetPredictor
from .assessment.conformal.scores.cumulative import draws_of
from .errors import ParameterError
from .frames import check_columns, check_type
from .ingest.classifier_scores import KnownScores
from .labelled_lists import GivenRun, GivenScores, digest_of, known_labels, known_scores
from .listeners import ProgressLike, listening
from .publishing.metrics import place_of, write_registry

SIGNIFICANCE = 0.001
"""By default a check of each night is a false alarm once in 1,000 nights."""


def check_coverage(
    predictor: SetPredictor,
    scores: GivenScores,
    truth: Any = None,
    *,
    run: "GivenRun | None" = None,
    min_probability: float | None = None,
    alpha: "float | str | Alpha | Iterable[float | str | Alpha] | None" = None,
    significance: float = SIGNIFICANCE,
    columns: Mapping[str, str] | None = None,
    progress: ProgressLike = None,
) -> CoverageCheck:
    """Compare the coverage of new observations with its exact distribution, beta-binomial [V12].

    It is known for the rules ``standard`` and ``fuzzy-reconformalised`` of all observations, for ``classwise`` and
    ``clustered`` of those of each label or cluster, for any score. Scores that are equal only add to coverage.

    Args:
        predictor: thresholds that ``fit_sets`` found, on other observations than these.
        scores: a classifier's label lists, as :func:`fit_sets` takes them. Lists of observations whose true label is
            not known are ignored.
        truth: true labels: what ``read_truth`` gives or takes. They, or a run, give the true labels.
        run: a published run; its valid labels are taken as true: for thresholds that were fitted on such labels, too.
        min_probability: of the labels of ``run``, only those whose column ``probability`` is at least this.
        alpha: one or several of the levels that were fitted; by default all of them.
        significance: probability with which observations like the calibration rows are found to be covered too rarely,
            at each level; likewise for each other verdict. In (0, 0.5).
        columns: the columns' own names in the files of scores.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    Raises VotesError if files cannot be read or used, or no observation of the truth has a list; ParameterError for a
    level that was not fitted, a rule of which no exact distribution is known, and for numbers out of range; TypeError
    for what is no predictor.
    """
    check_type("a predictor of sets", predictor, SetPredictor, "check_coverage(fit_sets(scores, known), new, truth)")
    check_columns(columns)
    if not 0 < significance < 0.5:
        raise ParameterError(f"significance is {significance} but must be in (0, 0.5)")
    levels = [predictor.level(each) for each in alphas_of(predictor.thresholds if alpha is None else alpha)]
    about = predictor.fitted_on
    with listening(progress) as listener:
        listener.phase("read true labels")
        known = known_labels(truth, run, min_probability)
        listener.phase("read scores")
        rows = known_scores(scores, known.truth, columns, predictor.space.names)
        listener.phase("compare")
        lists, ids = rows.scores.lists, rows.scores.observation_ids
        draws = draws_of(ids, int(about.get("seed", 0))) if predictor.score.randomised else None
        checked = [
            check_level(predictor, lists, rows.truth, level, significance=significance, draws=draws) for level in levels
        ]
    not_listed = LabelledScores(lists, rows.truth).n_unlisted
    return CoverageCheck(
        method=str(Method(predictor.score, predictor.rule)),
        levels=tuple(checked),
        observations=len(rows),
        not_listed=not_listed,
        p_not_listed=more_unlisted(about["rows"], about["not_listed"], len(rows), not_listed),
        truth=known.truth.origin,
        fitted_on=about,
        significance=significance,
        notes=tuple(_notes(predictor, rows, known.from_run is not None)),
    )


def write_check_metrics(
    check: CoverageCheck, path: str | os.PathLike[str], *, sets: str | os.PathLike[str], ended: float
) -> None:
    """Write metrics for Prometheus; each has the label ``sets``, the location of the saved predictor.

    ``ended``: when the check ended, in Unix time. Raises PublishError.
    """
    from prometheus_client import CollectorRegistry, Gauge

    registry, place = CollectorRegistry(), place_of(sets)

    def gauge(name: str, meaning: str, values: Mapping[str, float]) -> None:
        family = Gauge(f"plant_aggregate_sets_{name}", meaning, ["sets", "alpha"], registry=registry)
        for alpha, value in values.items():
            family.labels(place, alpha).set(value)

    levels = {str(level.alpha): level for level in check.levels}
    of = {alpha: level.coverage for alpha, level in levels.items()}
    gauge("coverage", "Share of the observations whose set has the true label.", {a: c.share for a, c in of.items()})
    lowest = {a: c.fewest / c.observations for a, c in of.items()}
    gauge("coverage_lowest", "The lowest share that is compatible with the level.", lowest)
    gauge("coverage_too_low", "1 if it is lower.", {a: float(c.too_low) for a, c in of.items()})
    gauge("mean_size", "Mean number of labels in a set.", {a: level.mean_size for a, level in levels.items()})
    for name, meaning, value in (
        ("observations", "Observations that were checked.", check.observations),
        ("not_listed", "Observations whose list lacks the true label.", check.not_listed),
        ("last_check_timestamp_seconds", "When they were last checked.", ended),
    ):
        Gauge(f"plant_aggregate_sets_{name}", meaning, ["sets"], registry=registry).labels(place).set(value)
    write_registry(registry, path)


def _notes(predictor: SetPredictor, rows: KnownScores, is_run: bool) -> Iterable[str]:
    about = predictor.fitted_on
    if about.get("rows_sha256") == digest_of(rows):
        yield "these are the calibration rows themselves, which are covered whatever has changed: give new observations"
    if about.get("from_run") and not is_run:
        yield (
            "the thresholds are from valid labels of a run: their coverage is of the labels that the crowd gives to "
            "observations that it finds valid, which is not what was checked"
        )
    elif is_run and not about.get("from_run"):
        yield "the thresholds are from experts' labels: the crowd's labels that were checked may be wrong"
    if predictor.needs_prior and about.get("prior") == CALIBRATION_ROWS:
        yield "the prior was counted in the calibration rows: the limits are nearly right, not exactly"
