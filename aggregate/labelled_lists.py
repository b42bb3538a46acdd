"""Label lists of observations whose label is known, and their label space: what sets are fitted and evaluated on."""

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Weights
from .arrow import plain, to_arrow, to_numpy
from .assessment.conformal.label_space import LabelSpace
from .assessment.conformal.predictor import CALIBRATION_ROWS
from .assessment.conformal.priors import Prior, names_as
from .assessment.conformal.weights import at_risk_labels, class_weights, label_weights
from .classifier_scores import NamedScores
from .errors import ParameterError, VotesError
from .files.locations import redacted
from .files.sources import Paths
from .frames import Frame, is_frame, wrong_type
from .ingest.classifier_scores import KnownScores, scores_in_memory, scores_with_truth
from .ingest.given import given_truth
from .ingest.label_tables import LabelTable, LabelValues, read_label_names, read_label_values
from .ingest.score_tables import scores_from_table
from .ingest.truth import read_truth
from .publishing.open_run import open_named
from .publishing.run import Run
from .truth import Truth

GivenScores: TypeAlias = "Paths | NamedScores | Frame"
"""Files of score lists, or label lists in memory."""

GivenRun: TypeAlias = "str | os.PathLike[str] | Run"

NO_PROBABILITY = "has no column 'probability'"  # as of a run of plantnet without --calibration


class KnownLabels(NamedTuple):
    """The labels of calibration rows, and what is known of where they are from."""

    truth: Truth
    from_run: str | None = None  # the run whose valid labels they are; None for experts' labels
    min_probability: float | None = None
    weights: Weights | None = None  # float64[rows of truth]; P(label is right), if rows are to count by it


def known_labels(
    truth: Any, run: "GivenRun | None", min_probability: float | None, weighted: bool = False
) -> KnownLabels:
    """The labels that calibration rows have: those of experts, or the valid ones of a run. Raises VotesError."""
    if (truth is None) == (run is None):
        raise ParameterError("truth and run are both given" if run is not None else "neither truth nor run is given")
    if run is None:
        if min_probability is not None:
            raise ParameterError("min_probability is given without run")
        if weighted:
            raise ParameterError("weighted is given without run")
        if hasattr(truth, "__array__") and not is_frame(truth):
            raise wrong_type("expert labels", truth, '{"observation_id": ids, "label": labels}')
        is_read = isinstance(truth, Truth) or is_frame(truth)
        return KnownLabels(given_truth(truth) if is_read else read_truth(truth))
    if min_probability is not None and not 0 <= min_probability <= 1:
        raise ParameterError(f"min_probability is {min_probability} but must be in [0, 1]")
    opened = open_named(run)
    has_probability = min_probability is not None or weighted
    names = ["observation_id", "label", "valid"] + ["probability"] * has_probability
    try:
        table = opened.read_table(columns=names)
    except VotesError as error:
        if error.what != NO_PROBABILITY:
            raise
        raise VotesError(error.what, where=error.where, remedy="publish it with run --calibration") from error
    chosen = pc.is_valid(table.column("label")) if weighted else table.column("valid")
    if min_probability is not None:
        chosen = pc.and_(chosen, pc.greater_equal(table.column("probability"), min_probability))
    table = table.filter(chosen)
    if not table.num_rows:
        probable = "" if min_probability is None else f" whose probability is at least {min_probability:g}"
        raise VotesError(
            f"has no{'' if weighted else ' valid'} label{probable}",
            where=redacted(opened.consensus),
            remedy="name another run, or give truth",
        )
    where = opened.run_id or redacted(opened.consensus)
    truth_of_run = Truth(plain(table.column("observation_id")), plain(table.column("label")), f"run {where}")
    weights = to_numpy(table.column("probability")) if weighted else None
    return KnownLabels(truth_of_run, where, min_probability, weights)


def known_scores(
    scores: GivenScores, truth: Truth, columns: Mapping[str, str] | None = None, names: pa.Array | None = None
) -> KnownScores:
    """The label lists of observations whose label is known, from files or from memory; ``names`` come first.

    Raises VotesError.
    """
    given: Any = scores
    if isinstance(given, NamedScores) or is_frame(given):
        lists = given if isinstance(given, NamedScores) else scores_from_table(given, columns=columns)
        return scores_in_memory(lists, truth, names)
    if hasattr(given, "__array__"):
        raise wrong_type("label lists", given, "scores_from_matrix(matrix, labels), with the names of its columns")
    return scores_with_truth(given, truth, columns=columns, names=names)


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
    names, found, origin = rows.scores.label_names, None, CALIBRATION_ROWS
    if counts is not None:
        labels, values, origin = read_label_values(counts, "count")
        found = LabelValues(names_as(names, labels, origin), values, origin)
    elif prior_run is not None:
        opened = open_named(prior_run)
        table = opened.read_table(columns=["label", "valid"])
        labels = plain(table.filter(table.column("valid")).column("label"))
        counted = labels.value_counts()
        origin = f"the valid labels of {opened.run_id or redacted(opened.consensus)}"
        values = to_numpy(counted.field("counts")).astype(np.float64)
        found = LabelValues(names_as(names, counted.field("values"), origin), values, origin)
    if found is not None:
        further = found.labels.filter(pc.invert(pc.is_in(found.labels, value_set=names)))
        names = pa.concat_arrays([names, pc.unique(further.drop_null())])
        names = names.take(pc.sort_indices(names))
    coded = rows if names is rows.scores.label_names else rows.coded(names)
    if found is None:
        prior = Prior.of_labels(coded.truth, len(names), prior_at_least)
    else:
        prior = Prior.of_names(names, *found[:2], prior_at_least, where=origin)
    risky = of_classes = None
    if at_risk is not None:
        labels, where = read_label_names(at_risk)
        risky = at_risk_labels(names, labels, where=where)
    if weights is not None:
        labels, of_each, where = read_label_values(weights, "weight")
        of_classes = class_weights(names, labels, of_each, where=where)
    omega = of_classes if risky is None else label_weights(risky, gamma, of_classes)
    return LabelSpace(names, prior, omega, risky), coded, origin


def digest_of(rows: KnownScores) -> str:
    """SHA-256 of ids and true labels, whatever the order of rows: tells whether others are the same."""
    ids, names = rows.scores.observation_ids, rows.scores.label_names
    labels = names.take(to_arrow(rows.truth))
    lines = sorted(f"{one}\t{label}\n" for one, label in zip(ids.to_pylist(), labels.to_pylist(), strict=True))
    return sha256("".join(lines).encode()).hexdigest()
