"""Evaluation of prediction sets from files or memory, and methods of making them side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, cast

import numpy as np
import pyarrow as pa

from .arrays import Flags
from .assessment.conformal.comparison import SetComparison, Split, compare_methods
from .assessment.conformal.evaluation import SetEvaluation, evaluate_made, evaluate_predictor
from .assessment.conformal.labelled import LabelledScores, divided
from .assessment.conformal.methods import GivenMethods, Method, named_methods
from .assessment.conformal.order import Alpha, alphas_of
from .assessment.conformal.predictor import SetPredictor
from .assessment.conformal.priors import Prior
from .assessment.conformal.saved import predictor_to_json
from .assessment.conformal.scores.cumulative import draws_of
from .assessment.conformal.sets import PredictionSets
from .assessment.evaluation import RESAMPLES
from .blocks import count
from .classifier_scores import NamedScores
from .errors import ParameterError, VotesError, warn
from .files.sources import Paths
from .frames import Frame, check_columns, check_type, is_frame
from .ids.hashing import numbers_of
from .ingest.classifier_scores import KnownScores
from .ingest.label_tables import LabelTable
from .ingest.set_files import KnownSets, is_of_sets, sets_with_truth
from .ingest.taxonomy import read_taxonomy
from .labelled_lists import GivenRun, GivenScores, digest_of, known_labels, known_scores, label_space_of
from .listeners import ProgressLike, listening
from .taxonomy import Taxonomy
from .truth import Truth, rows_of


def evaluate_sets(
    predictor: SetPredictor,
    scores: GivenScores,
    truth: Any = None,
    *,
    run: "GivenRun | None" = None,
    min_probability: float | None = None,
    alpha: "float | str | Alpha | Iterable[float | str | Alpha] | None" = None,
    taxonomy: "Taxonomy | Paths | Frame | None" = None,
    genus: bool = False,
    columns: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: ProgressLike = None,
) -> SetEvaluation:
    """Evaluate prediction sets where the true label is known: coverage, also of rare labels, and sizes.

    Args:
        predictor: thresholds that ``fit_sets`` found, on other observations than these.
        scores: a classifier's label lists, as :func:`fit_sets` takes them; or files of sets that ``predict_sets`` made
            with the predictor. Those of observations whose true label is not known are ignored.
        truth: true labels: what ``read_truth`` gives or takes. They, or a run, give the true labels.
        run: a published run; its valid labels are taken as true: coverage is then of observations that would be valid.
        min_probability: of the labels of ``run``, only those whose column ``probability`` is at least this.
        alpha: one or several of the levels that were fitted; by default all of them.
        taxonomy: measures also how often the genus, the family and the common taxon of the set are right: what
            ``read_taxonomy`` gives or takes.
        genus: measures them with the genera that the labels begin with.
        columns: the columns' own names in the files of scores.
        resamples: bootstrap resamples of the observations that the 95 % intervals come from, 0 for none.
        seed: draws the resamples.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    Raises VotesError if files cannot be read or used, or no observation of the truth has a list; ParameterError for a
    level that was not fitted, and for invalid numbers; TypeError for what is no predictor.
    """
    check_type("a predictor of sets", predictor, SetPredictor, "evaluate_sets(fit_sets(scores, known), scores, truth)")
    check_columns(columns)
    if genus and taxonomy is not None:
        raise ParameterError("taxonomy and genus exclude each other")
    if taxonomy is not None and not isinstance(taxonomy, Taxonomy):
        taxonomy = read_taxonomy(taxonomy)
    options: dict[str, Any] = {"resamples": resamples, "seed": seed}
    levels = None if alpha is None else alphas_of(alpha)
    with listening(progress) as listener:
        listener.phase("read true labels")
        known = known_labels(truth, run, min_probability)
        files = None if isinstance(scores, NamedScores) or is_frame(scores) else cast("Paths", scores)
        if files is not None and is_of_sets(files):
            listener.phase("read sets")
            sets = sets_with_truth(files, known.truth, predictor.space.names)
            options["taxonomy"] = Taxonomy.of_genera(sets.names) if genus else taxonomy
            listener.phase("evaluate")
            return evaluate_made(predictor, [_made_before(predictor, sets, levels)], sets.truth, sets.names, **options)
        listener.phase("read scores")
        rows = known_scores(scores, known.truth, columns, predictor.space.names)
        if predictor.fitted_on.get("rows_sha256") == digest_of(rows):
            warn("the thresholds were fitted on these observations, which are covered anyway: give others")
        lists, ids, names = rows.scores.lists, rows.scores.observation_ids, rows.scores.label_names
        options["taxonomy"] = Taxonomy.of_genera(names) if genus else taxonomy
        listener.phase("evaluate")
        draws = draws_of(ids, int(predictor.fitted_on.get("seed", 0))) if predictor.score.randomised else None
        return evaluate_predictor(predictor, lists, rows.truth, names=names, alphas=levels, draws=draws, **options)


def _made_before(
    predictor: SetPredictor, found: KnownSets, levels: tuple[Alpha, ...] | None
) -> tuple[Alpha, PredictionSets]:
    """The level of sets that were made before, and these. Raises ParameterError for those of another predictor.

    Warns if it was another one of the same method and level.
    """
    method, alpha = str(Method(predictor.score, predictor.rule)), Alpha.of(found.made.alpha)
    if found.made.method != method or alpha not in predictor.thresholds:
        made = f"the sets are of {found.made.method} at alpha {alpha}"
        fitted = f"{method} at alpha {', '.join(map(str, predictor.thresholds))}"
        raise ParameterError(f"{made}, but the model is {fitted}", remedy="name the model that made them")
    if levels not in (None, (alpha,)):
        raise ParameterError(f"the sets are of alpha {alpha} alone", remedy="give score lists for other levels")
    if found.made.model_sha256 != sha256(f"{predictor_to_json(predictor)}\n".encode()).hexdigest():
        warn("the sets were made by another model of the same method and level, which may know other labels")
    scores = np.full(found.labels.size, np.nan)  # are in the file, but nothing is measured of them
    return alpha, PredictionSets(found.offsets, found.labels, scores, found.sizes, predictor.always(alpha))


def compare_sets(
    scores: GivenScores,
    truth: Any,
    methods: GivenMethods = None,
    *,
    alpha: "float | str | Alpha | Iterable[float | str | Alpha]" = 0.1,
    calibration: Any = None,
    share: float = 0.5,
    repeats: int = 1,
    counts: "LabelTable | None" = None,
    prior_run: "GivenRun | None" = None,
    prior_at_least: float = 1.0,
    at_risk: "LabelTable | None" = None,
    gamma: float = 10.0,
    class_weights: "LabelTable | None" = None,
    columns: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: ProgressLike = None,
) -> SetComparison:
    """Fit methods of making prediction sets on some observations, and evaluate all on the same others.

    Args:
        scores: a classifier's label lists, as :func:`fit_sets` takes them.
        truth: true labels of the observations to evaluate on and, without ``calibration``, to fit on.
        methods: texts such as ``"pas/interp-q:tau=0.9"``: a score and a threshold rule, each with its options; or a
            dict of them by name. By default all that go together, with some values of their options. One that cannot
            be used has the reason instead of measures.
        alpha: the share of observations whose true label may be outside of its set, or several.
        calibration: true labels of the observations to fit on. By default those of ``truth`` are divided, by hashes of
            their ids: an observation is on the same side whatever others there are.
        share: how many of the observations are fitted on, if they are divided.
        repeats: divide so often, with seeds from ``seed`` on; measures are means over these.
        counts: how often each label is in the classifier's training set, ``prior_run``, ``prior_at_least``,
            ``at_risk``, ``gamma``, ``class_weights``: as for :func:`fit_sets`.
        prior_run: see ``counts``.
        prior_at_least: see ``counts``.
        at_risk: see ``counts``; their coverage is also measured apart.
        gamma: see ``counts``.
        class_weights: see ``counts``.
        columns: the columns' own names in the files of scores.
        resamples: bootstrap resamples of the observations that the 95 % intervals come from, 0 for none; with
            ``repeats``, intervals are from the lowest to the highest value instead.
        seed: of the division, of the resamples, and of scores that are randomised.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    Raises VotesError if files cannot be read or used, or one side of the division is empty; ParameterError for an
    unknown method, for what cannot be combined, and for numbers out of range.
    """
    check_columns(columns)
    levels = alphas_of(alpha)
    chosen = named_methods(methods, weighted=at_risk is not None or class_weights is not None)
    if not 0 < share < 1:
        raise ParameterError(f"share is {share} but must be in (0, 1)")
    if repeats < 1:
        raise ParameterError(f"repeats is {repeats} but must be at least 1")
    if repeats > 1 and calibration is not None:
        raise ParameterError("repeats and calibration exclude each other")
    with listening(progress) as listener:
        listener.phase("read true labels")
        experts = known_labels(truth, None, None).truth
        first = None if calibration is None else known_labels(calibration, None, None).truth
        listener.phase("read scores")
        rows = known_scores(scores, experts if first is None else _one_after_the_other(first, experts), columns)
        options: dict[str, Any] = {"counts": counts, "prior_run": prior_run, "prior_at_least": prior_at_least}
        weighing: dict[str, Any] = {"at_risk": at_risk, "gamma": gamma, "weights": class_weights}
        space, coded, _ = label_space_of(rows, **options, **weighing)
        ids = rows.scores.observation_ids
        if first is None:
            sides = [divided(ids, share, seed + number) for number in range(repeats)]
        else:
            sides = [_fitted_on(rows, len(first))]
        splits = []
        for number, side in enumerate(sides):
            labelled = _labelled(coded, seed + number)
            of_split, own_prior = space, counts is None and prior_run is None
            if own_prior:
                of_split = replace(space, prior=Prior.of_labels(labelled.truth[side], len(space), prior_at_least))
            splits.append(Split(of_split, labelled.only(side), labelled.only(~side), own_prior))
        return compare_methods(chosen, splits, levels, resamples=resamples, seed=seed, progress=listener)


def _labelled(coded: KnownScores, seed: int) -> LabelledScores:
    ids = coded.scores.observation_ids
    keys = numbers_of("row|", ids).astype(np.uint64)
    return LabelledScores(coded.scores.lists, coded.truth, draws=draws_of(ids, seed), keys=keys)


def _one_after_the_other(first: Truth, second: Truth) -> Truth:
    """The labels of observations to fit on, and then those of other observations to evaluate on.

    Warns of observations of the second that the first has, too: they are left out. Raises VotesError if none is left.
    """
    twice, _ = rows_of(second.observation_ids, first.observation_ids)
    kept = np.delete(np.arange(len(second)), twice)
    if not kept.size:
        raise VotesError("all observations to evaluate on are to be fitted on", where=second.origin)
    if twice.size:
        warn(f"{second.origin}: {count(twice.size, 'observation')} left out, as {first.origin} has them to fit on")
    rest = second.at(kept)
    ids, labels = (
        pa.chunked_array([one, other.cast(one.type)]).combine_chunks()
        for one, other in ((first.observation_ids, rest.observation_ids), (first.labels, rest.labels))
    )
    return Truth(ids, labels, second.origin)


def _fitted_on(rows: KnownScores, n_first: int) -> Flags:
    """Which rows are those of the first labels. Raises VotesError if all or none are."""
    side: Flags = rows.rows < n_first
    if side.all() or not side.any():
        which = "evaluate" if side.all() else "fit"
        raise VotesError(f"has no list of an observation to {which} on", where=rows.origin)
    return side
