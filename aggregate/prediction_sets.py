"""Prediction sets from files: thresholds fitted on label lists whose labels are known, and sets of new lists."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrow import plain, to_numpy
from .assessment.conformal.label_space import LabelSpace
from .assessment.conformal.methods import Method
from .assessment.conformal.order import Alpha, alphas_of
from .assessment.conformal.predictor import SetPredictor, calibration_of, fit_predictor
from .assessment.conformal.priors import Prior
from .assessment.conformal.saved import predictor_from_json, predictor_to_json
from .assessment.conformal.scores.base import Score
from .assessment.conformal.scores.cumulative import draws_of
from .assessment.conformal.thresholds.base import Calibration, ThresholdRule
from .assessment.conformal.usable import what_is_lacking
from .assessment.conformal.weights import at_risk_labels, class_weights, label_weights
from .classifier_scores import NamedScores
from .errors import ParameterError, VotesError, quoted, warn
from .files.locations import check_local, path_text, redacted
from .files.sources import Paths, read_text
from .files.writing import in_one_step, writing
from .frames import check_columns, check_type, is_frame
from .ids.hashing import numbers_of
from .ingest.classifier_scores import KnownScores, scores_in_memory, scores_with_truth
from .ingest.given import given_truth
from .ingest.label_tables import LabelTable, read_label_names, read_label_values
from .ingest.truth import read_truth
from .listeners import ProgressLike, listening
from .publishing.open_run import open_named
from .publishing.run import Run
from .truth import Truth
from .version import VERSION

GivenScores: TypeAlias = "Paths | NamedScores"
"""Files of score lists, or label lists in memory."""

GivenRun: TypeAlias = "str | os.PathLike[str] | Run"

NAMED = 3  # labels that a warning names
MAKE_ONE = "name a file of plant-aggregate conformal fit"


class KnownLabels(NamedTuple):
    """The labels of calibration rows, and what is known of where they are from."""

    truth: Truth
    from_run: str | None  # the run whose valid labels they are; None for experts' labels
    min_probability: float | None


def fit_sets(
    scores: GivenScores,
    truth: Any = None,
    *,
    run: "GivenRun | None" = None,
    min_probability: float | None = None,
    score: str | Score = "softmax",
    threshold: str | ThresholdRule = "standard",
    alpha: "float | str | Alpha | Iterable[float | str | Alpha]" = 0.1,
    counts: "LabelTable | None" = None,
    prior_run: "GivenRun | None" = None,
    prior_at_least: float = 1.0,
    at_risk: "LabelTable | None" = None,
    gamma: float = 10.0,
    class_weights: "LabelTable | None" = None,
    columns: Mapping[str, str] | None = None,
    seed: int = 0,
    progress: ProgressLike = None,
) -> SetPredictor:
    """Find the thresholds of prediction sets, on observations whose true label is known [D26].

    Args:
        scores: a classifier's label lists: Parquet files, folders or globs with the columns of ``schema.SCORE_LISTS``
            or ``SCORE_ROWS``, or what ``scores_from_matrix`` gives.
        truth: experts' labels: what ``read_truth`` gives or takes. They, or a run, give the calibration rows.
        run: a published run; its valid labels are taken as true. Coverage is then of observations that would be valid.
        min_probability: of the labels of ``run``, only those whose column ``probability`` is at least this.
        score: how well a label fits: ``softmax``, ``pas``, ``wpas``, ``aps``, ``raps``; or an object of theirs, such as
            ``Raps(penalty=0.1)``, or a text with options, ``raps:penalty=0.1``.
        threshold: ``standard``, ``classwise``, ``interp-q``, ``clustered``, ``macro``, ``fuzzy``,
            ``fuzzy-reconformalised``; likewise ``interp-q:tau=0.9``.
        alpha: the share of observations whose true label may be outside of its set, or several.
        counts: how often each label is in the classifier's training set, for scores that divide by how common labels
            are: a Parquet or text file of label and count, a frame, or a dict.
        prior_run: a run whose valid labels are counted instead. Default: the calibration rows are.
        prior_at_least: a label that was never counted counts as counted so often; 0 is the paper's.
        at_risk: labels that must not be missed, for ``wpas``: a file with a label a line, a frame, or a list.
        gamma: how much more each of these weighs than another label.
        class_weights: the weight of each label, for ``wpas``: as ``counts``, its column ``weight``.
        columns: the columns' own names in the files of scores.
        seed: of what is drawn at random, the same for the same id: scores that are randomised.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    Raises VotesError if files cannot be read or used, or there are too few calibration rows for an alpha, or too many
    whose list lacks their true label; ParameterError for what cannot be combined, or is out of range.
    """
    check_columns(columns)
    method = _method(score, threshold)
    alphas = alphas_of([alpha] if isinstance(alpha, str | float | Alpha) else alpha)
    if not alphas:
        raise ParameterError("no alpha is given")
    with listening(progress) as listener:
        listener.phase("read true labels")
        known = known_labels(truth, run, min_probability)
        listener.phase("read scores")
        rows = known_scores(scores, known.truth, columns)
        _warn_of_unlisted(rows)
        listener.phase("fit thresholds")
        options: dict[str, Any] = {"counts": counts, "prior_run": prior_run, "prior_at_least": prior_at_least}
        weighing: dict[str, Any] = {"at_risk": at_risk, "gamma": gamma, "weights": class_weights}
        space, codes, prior_of = label_space_of(rows, **options, **weighing)
        calibration = calibration_rows(method.score, space, rows, codes, seed)
        fitted = fit_predictor(method.score, method.rule, calibration, alphas)
        check_usable(fitted, calibration, rows)
    about = fitted_on(calibration, rows, known, prior_of, seed)
    return SetPredictor(fitted.score, fitted.rule, space, fitted.thresholds, about)


def _method(score: str | Score, threshold: str | ThresholdRule) -> Method:
    """A score and a threshold rule by name, or as they are."""
    text = f"{score if isinstance(score, str) else 'softmax'}/{threshold if isinstance(threshold, str) else 'standard'}"
    named = Method.of(text)
    return Method(
        named.score if isinstance(score, str) else score, named.rule if isinstance(threshold, str) else threshold
    )


def known_labels(truth: Any, run: "GivenRun | None", min_probability: float | None) -> KnownLabels:
    """The labels that calibration rows have: those of experts, or the valid ones of a run. Raises VotesError."""
    if (truth is None) == (run is None):
        raise ParameterError("truth and run are both given" if run is not None else "neither truth nor run is given")
    if run is None:
        if min_probability is not None:
            raise ParameterError("min_probability is given without run")
        is_read = isinstance(truth, Truth) or is_frame(truth)
        return KnownLabels(given_truth(truth) if is_read else read_truth(truth), None, None)
    if min_probability is not None and not 0 <= min_probability <= 1:
        raise ParameterError(f"min_probability is {min_probability} but must be in [0, 1]")
    opened = open_named(run)
    names = ["observation_id", "label", "valid"] + ["probability"] * (min_probability is not None)
    try:
        table = opened.read_table(columns=names)
    except VotesError as error:
        if min_probability is None or "probability" not in str(error):
            raise
        raise VotesError(
            "has no column 'probability'", where=redacted(opened.consensus), remedy="publish it with run --calibration"
        ) from error
    chosen = table.column("valid")
    if min_probability is not None:
        chosen = pc.and_(chosen, pc.greater_equal(table.column("probability"), min_probability))
    table = table.filter(chosen)
    where = opened.run_id or redacted(opened.consensus)
    if not table.num_rows:
        raise VotesError("no label is valid, and probable enough", where=redacted(opened.consensus))
    truth_of_run = Truth(plain(table.column("observation_id")), plain(table.column("label")), f"run {where}")
    return KnownLabels(truth_of_run, where, min_probability)


def known_scores(
    scores: GivenScores, truth: Truth, columns: Mapping[str, str] | None = None, names: pa.Array | None = None
) -> KnownScores:
    """The label lists of observations whose label is known, from files or from memory; ``names`` come first."""
    if isinstance(scores, NamedScores):
        return scores_in_memory(scores, truth, names)
    return scores_with_truth(scores, truth, columns=columns, names=names)


def _warn_of_unlisted(rows: KnownScores) -> None:
    never = rows.never_listed
    if len(never):
        some = ", ".join(quoted(name) for name in never[:NAMED].to_pylist()) + ", ..." * (len(never) > NAMED)
        warn(f"{len(never):,} true labels are in no list at all: {some}; see that both name species alike")


def label_space_of(
    rows: KnownScores,
    *,
    counts: "LabelTable | None" = None,
    prior_run: "GivenRun | None" = None,
    prior_at_least: float = 1.0,
    at_risk: "LabelTable | None" = None,
    gamma: float = 10.0,
    weights: "LabelTable | None" = None,
) -> tuple[LabelSpace, KnownScores, str]:
    """The labels that sets are made of: all that lists, truths and counts have; the rows coded in it; and the prior.

    The last is what the prior was counted in, in words.
    """
    if counts is not None and prior_run is not None:
        raise ParameterError("counts and prior_run exclude each other")
    label_type = rows.scores.label_names.type
    names, found, origin = rows.scores.label_names, None, "the calibration rows"
    if counts is not None:
        given = read_label_values(counts, "count")
        found, origin = (_cast(given.labels, label_type, given.origin), given.values), given.origin
    elif prior_run is not None:
        opened = open_named(prior_run)
        table = opened.read_table(columns=["label", "valid"])
        labels = plain(table.filter(table.column("valid")).column("label"))
        counted = labels.value_counts()
        origin = f"the valid labels of {opened.run_id or redacted(opened.consensus)}"
        found = _cast(counted.field("values"), label_type, origin), to_numpy(counted.field("counts")).astype(np.float64)
    if found is not None:
        further = found[0].filter(pc.invert(pc.is_in(found[0], value_set=names)))
        names = pa.concat_arrays([names, pc.unique(further.drop_null())])
        names = names.take(pc.sort_indices(names))
    coded = rows if names is rows.scores.label_names else rows.coded(names)
    if found is None:
        prior = Prior.of_labels(coded.truth, len(names), prior_at_least)
    else:
        prior = Prior.of_names(names, found[0], found[1], prior_at_least)
    risky = None if at_risk is None else at_risk_labels(names, _cast(read_label_names(at_risk), label_type, "at_risk"))
    of_classes = None
    if weights is not None:
        values = read_label_values(weights, "weight")
        of_classes = class_weights(names, _cast(values.labels, label_type, values.origin), values.values)
    omega = of_classes if risky is None else label_weights(risky, gamma, of_classes)
    return LabelSpace(names, prior, omega, risky), coded, origin


def _cast(labels: pa.Array, label_type: pa.DataType, origin: str) -> pa.Array:
    """Labels in the type of those of the lists. Raises VotesError."""
    if pa.types.is_integer(labels.type) != pa.types.is_integer(label_type):
        try:
            return labels.cast(label_type)
        except pa.ArrowInvalid as error:
            what = f"labels are of type {labels.type}, but {label_type} in the scores"
            raise VotesError(what, where=origin, remedy="write them with the type of the scores") from error
    return labels.cast(label_type)


def calibration_rows(
    score: Score, space: LabelSpace, rows: KnownScores, coded: KnownScores, seed: int = 0
) -> Calibration:
    """The scores of the true labels of rows that are coded in a label space."""
    ids = rows.scores.observation_ids
    draws = draws_of(ids, seed) if score.randomised else None
    found = calibration_of(score, space, coded.scores.lists, coded.truth, draws=draws)
    keys = numbers_of("row|", ids).astype(np.uint64)
    return Calibration(found.scores, found.labels, space, found.unlisted, found.weights, keys)


def check_usable(fitted: SetPredictor, calibration: Calibration, rows: KnownScores) -> None:
    """Raise VotesError, naming each alpha at which all sets would be the whole label space, and what it needs."""
    longest = int(np.diff(rows.scores.lists.offsets).max(initial=0))
    faults = [
        what_is_lacking(fitted.rule, thresholds, calibration, alpha, longest)
        for alpha, thresholds in fitted.thresholds.items()
        if fitted.n_always(alpha) == len(fitted.space)
    ]
    if faults:
        raise VotesError(
            "; ".join(faults) + ": every set would be all labels",
            where=rows.truth_origin,
            remedy="choose a larger alpha, or give more calibration rows, or longer lists",
        )


def fitted_on(
    calibration: Calibration, rows: KnownScores, known: KnownLabels, prior_of: str, seed: int
) -> dict[str, Any]:
    """What a saved predictor says of its calibration rows."""
    return {
        "version": VERSION,
        "scores": rows.origin,
        "truth": known.truth.origin,
        "from_run": known.from_run,
        "min_probability": known.min_probability,
        "rows": len(calibration),
        "labels_with_rows": int(np.count_nonzero(calibration.rows_of_labels)),
        "not_listed": int(np.count_nonzero(calibration.scores <= calibration.unlisted)),
        "never_listed": len(rows.never_listed),
        "prior": prior_of,
        "seed": seed,
    }


def save_sets(predictor: SetPredictor, path: str | os.PathLike[str]) -> None:
    """Write a predictor; an existing file is replaced in one step. Raises PublishError, and TypeError."""
    check_type("a predictor of sets", predictor, SetPredictor, "save_sets(fit_sets(scores, truth), path)")
    with in_one_step(Path(check_local(path))) as staged, writing(path, "file"):
        staged.write_text(predictor_to_json(predictor) + "\n", encoding="utf-8")


def load_sets(path: str | os.PathLike[str]) -> SetPredictor:
    """Read a predictor of prediction sets. Raises VotesError."""
    return predictor_from_json(read_text(path, MAKE_ONE), redacted(path_text(path)))
