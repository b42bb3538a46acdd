"""Prediction sets from files: thresholds fitted on label lists whose labels are known, and sets of new lists."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Floats, Weights
from .assessment.conformal.label_space import LabelSpace
from .assessment.conformal.labelled import LabelledScores
from .assessment.conformal.methods import Method
from .assessment.conformal.named_sets import NamedSets
from .assessment.conformal.order import Alpha, alphas_of
from .assessment.conformal.predicted import PredictedSets, SetTotals
from .assessment.conformal.predictor import SetPredictor, calibration_of, fit_predictor
from .assessment.conformal.saved import predictor_from_json, predictor_to_json
from .assessment.conformal.scores.base import Score
from .assessment.conformal.scores.cumulative import draws_of
from .assessment.conformal.scores.wpas import Wpas
from .assessment.conformal.thresholds.base import Calibration, ThresholdRule
from .assessment.conformal.usable import least_alpha, what_is_lacking
from .assessment.conformal.weights import some_of
from .blocks import count
from .classifier_scores import ClassifierScores
from .errors import ParameterError, VotesError, quoted, warn
from .files.locations import check_local, path_text, redacted
from .files.sources import Paths, read_text
from .files.writing import in_one_step, writing
from .frames import Frame, check_columns, check_type, wrong_type
from .ids.hashing import numbers_of
from .ingest.classifier_scores import KnownScores, ScoreReader
from .ingest.label_tables import LabelTable
from .ingest.taxonomy import read_taxonomy
from .labelled_lists import GivenRun, GivenScores, KnownLabels, digest_of, known_labels, known_scores, label_space_of
from .listeners import ProgressLike, listening
from .names import lookalikes
from .parameters import declared
from .progress import Progress
from .publishing.tables import write_parts
from .schema import COMMON_TAXA
from .taxonomy import Taxonomy
from .version import VERSION

GROUP_ROWS, GROUP_BYTES = 1 << 17, 1 << 26  # of a row group, which ends with a batch
NO_LISTS = ClassifierScores(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))

MAKE_ONE = "name a file of plant-aggregate conformal fit"


def fit_sets(
    scores: GivenScores,
    truth: Any = None,
    *,
    run: "GivenRun | None" = None,
    min_probability: float | None = None,
    weighted: bool = False,
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
            or ``SCORE_ROWS``, a frame of these, or what ``scores_from_matrix`` gives.
        truth: experts' labels: what ``read_truth`` gives or takes. They, or a run, give the calibration rows.
        run: a published run; its valid labels are taken as true. Coverage is then of observations that would be valid.
        min_probability: of the labels of ``run``, only those whose column ``probability`` is at least this.
        weighted: each label of ``run``, valid or not, counts as so many as its column ``probability`` says, and a new
            observation as one: wrong labels then weigh less, and nothing is guaranteed. It helps where the probability
            knows of the classifier: in runs with ``ai_votes``.
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
        seed: of what is drawn at random, the same for the same id: scores that are randomised, and which rows find
            clusters, or a margin, if ``threshold`` is a text that has no seed of its own.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    Raises VotesError if files cannot be read or used, or there are too few calibration rows for an alpha, or too many
    whose list lacks their true label; ParameterError for what cannot be combined, or is out of range.

    >>> from plant_aggregate import fit_sets
    >>> ids = list(range(20))
    >>> scores = {"observation_id": ids, "labels": [["Acer", "Ilex"]] * 20, "probabilities": [[0.7, 0.3]] * 20}
    >>> truth = {"observation_id": ids, "label": ["Acer"] * 17 + ["Ilex"] * 3}
    >>> sets = fit_sets(scores, truth, alpha=[0.1, 0.2])
    >>> sets
    SetPredictor(softmax, standard, 2 labels, alpha 0.1, 0.2)
    >>> sets.predict_one({"Acer": 0.6, "Ilex": 0.4}, alpha=0.1).to_arrow()["labels"].to_pylist()
    [['Acer', 'Ilex']]
    """
    check_columns(columns)
    method = _method(score, threshold, seed)
    alphas = alphas_of(alpha)
    if not alphas:
        raise ParameterError("no alpha is given")
    if isinstance(method.score, Wpas) and at_risk is None and class_weights is None:
        raise ParameterError("score wpas needs weights of labels", remedy="give at_risk or class_weights")
    with listening(progress) as listener:
        listener.phase("read true labels")
        known = known_labels(truth, run, min_probability, weighted)
        listener.phase("read scores")
        rows = known_scores(scores, known.truth, columns)
        _warn_of_unlisted(rows)
        listener.phase("fit thresholds")
        options: dict[str, Any] = {"counts": counts, "prior_run": prior_run, "prior_at_least": prior_at_least}
        weighing: dict[str, Any] = {"at_risk": at_risk, "gamma": gamma, "weights": class_weights}
        space, codes, prior_of = label_space_of(rows, **options, **weighing)
        weights = None if known.weights is None else known.weights[rows.rows]
        calibration = calibration_rows(method.score, space, rows, codes, seed, weights)
        fitted = fit_predictor(method.score, method.rule, calibration, alphas)
        check_usable(fitted, calibration, rows)
        lists, ids = codes.scores.lists, rows.scores.observation_ids
        sizes = sizes_of(fitted, lists, draws_of(ids, seed) if fitted.score.randomised else None)
    about = {**fitted_on(calibration, rows, known, prior_of, seed), "sizes": sizes}
    return replace(fitted, fitted_on=about)


def _method(score: str | Score, threshold: str | ThresholdRule, seed: int) -> Method:
    """A score and a threshold rule by name, or as they are."""
    for wanted, given, method, name in (
        ("a score", score, "on", "pas"),
        ("a threshold rule", threshold, "fit", "standard"),
    ):
        if not isinstance(given, str) and (isinstance(given, type) or not hasattr(given, method)):
            raise wrong_type(wanted, given, f"a name such as {name!r}")
    texts = score if isinstance(score, str) else "softmax", threshold if isinstance(threshold, str) else "standard"
    named = Method.of("/".join(texts))
    rule = named.rule
    if "seed" in declared(rule) and "seed=" not in texts[1]:
        rule = replace(rule, seed=seed)  # type: ignore[type-var]
    return Method(named.score if isinstance(score, str) else score, rule if isinstance(threshold, str) else threshold)


def _warn_of_unlisted(rows: KnownScores) -> None:
    """Warn of true labels that no list has, and say if some look like one that lists have."""
    never, names = rows.never_listed, rows.scores.label_names
    if not len(never):
        return
    message = f"{count(len(never), 'true label')} in no list at all: {some_of(never)}"
    listed = names.filter(pc.invert(pc.is_in(names, value_set=never)))
    alike = lookalikes(listed, never) if pa.types.is_string(names.type) else []
    if alike:
        ours, theirs = map(quoted, alike[0])
        message += f"; {ours} and {theirs}, which is, differ only in case, white space or Unicode form"
    warn(f"{rows.truth_origin}: {message}; see that both name species alike")


def calibration_rows(
    score: Score,
    space: LabelSpace,
    rows: KnownScores,
    coded: KnownScores,
    seed: int = 0,
    weights: Weights | None = None,
) -> Calibration:
    """The scores of the true labels of rows that are coded in a label space; ``weights`` as of Calibration."""
    ids = rows.scores.observation_ids
    draws = draws_of(ids, seed) if score.randomised else None
    keys = numbers_of("row|", ids).astype(np.uint64)
    lists, truth = coded.scores.lists, coded.truth
    return calibration_of(score, space, lists, truth, weights=weights, draws=draws, keys=keys)


def check_usable(fitted: SetPredictor, calibration: Calibration, rows: KnownScores) -> None:
    """Raise VotesError, naming each alpha at which all sets would be the whole label space, and what it needs."""
    longest = int(np.diff(rows.scores.lists.offsets).max(initial=0))
    faults = [
        what_is_lacking(fitted.rule, thresholds, calibration, alpha, longest)
        for alpha, thresholds in fitted.thresholds.items()
        if fitted.n_always(alpha) == len(fitted.space)
    ]
    if faults:
        least = least_alpha(fitted.rule, calibration)
        larger = "" if least is None else f" ({least:.4g} or more)"
        longer = ", or longer lists" if (calibration.scores <= calibration.unlisted).any() else ""
        raise VotesError(
            "; ".join(faults) + ": every set would be all labels",
            where=rows.truth_origin,
            remedy=f"choose a larger alpha{larger}, or give more calibration rows{longer}",
        )


def fitted_on(
    calibration: Calibration, rows: KnownScores, known: KnownLabels, prior_of: str, seed: int
) -> dict[str, Any]:
    """What a saved predictor says of its calibration rows."""
    return {
        "version": VERSION,
        "scores": rows.origin,
        "scores_files": [file._asdict() for file in rows.inputs],
        "truth": known.truth.origin,
        "from_run": known.from_run,
        "min_probability": known.min_probability,
        "weighted": known.weights is not None,
        "rows": len(calibration),
        "rows_sha256": digest_of(rows),
        "labels_with_rows": int(np.count_nonzero(calibration.rows_of_labels)),
        "not_listed": LabelledScores(rows.scores.lists, rows.truth).n_unlisted,
        "never_listed": len(rows.never_listed),
        "prior": prior_of,
        "seed": seed,
    }


def sizes_of(predictor: SetPredictor, lists: ClassifierScores, draws: Floats | None = None) -> dict[str, Any]:
    """Mean and standard deviation of the sizes of the sets of label lists at each level."""
    found = {str(alpha): predictor.predict(lists, alpha, draws).sizes for alpha in predictor.thresholds}
    return {alpha: {"mean": float(sizes.mean()), "sd": float(sizes.std())} for alpha, sizes in found.items()}


def save_sets(predictor: SetPredictor, path: str | os.PathLike[str]) -> None:
    """Write a predictor; an existing file is replaced in one step. Raises PublishError, and TypeError."""
    check_type("a predictor of sets", predictor, SetPredictor, "save_sets(fit_sets(scores, truth), path)")
    with in_one_step(Path(check_local(path))) as staged, writing(path, "file"):
        staged.write_text(predictor_to_json(predictor) + "\n", encoding="utf-8")


def load_sets(path: str | os.PathLike[str]) -> SetPredictor:
    """Read a predictor of prediction sets. Raises VotesError."""
    return predictor_from_json(read_text(path, MAKE_ONE), redacted(path_text(path)))


def predict_sets(
    scores: Paths,
    sets: SetPredictor | str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    alpha: Alpha | str | float | None = None,
    never_empty: bool = False,
    taxonomy: "Taxonomy | Paths | Frame | None" = None,
    genus: bool = False,
    columns: Mapping[str, str] | None = None,
    progress: ProgressLike = None,
) -> PredictedSets:
    """Write the prediction set of each label list of some files as Parquet [D26].

    Lists are streamed, in memory for some of them and for their ids; rows are in the order of the input, files in that
    of their paths. The file is there as a whole or not at all. Its metadata has, as JSON under the key
    ``plant_aggregate``, how sets were made.

    Args:
        scores: a classifier's label lists: Parquet files, folders or globs with the columns of ``schema.SCORE_LISTS``
            or ``SCORE_ROWS``. Labels that the model does not know are in a set by its common threshold.
        sets: a predictor, or the file that it was saved in.
        output: the file to write, with the columns of ``schema.PREDICTION_SETS``.
        alpha: one of the levels that the predictor was fitted at; may be left out if there is one.
        never_empty: an empty set gets the likeliest label of its list, so that coverage can only rise.
        taxonomy: adds the columns of ``schema.COMMON_TAXA``: a taxonomy, or what ``read_taxonomy`` takes.
        genus: adds them with the genera that the labels begin with as the taxonomy.
        columns: the columns' own names in the files of scores.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    For in-memory lists there is ``SetPredictor.predict``. Raises VotesError if a file cannot be read or a list cannot
    be used, ParameterError for a level that was not fitted, PublishError if the file cannot be written.
    """
    check_columns(columns)
    if genus and taxonomy is not None:
        raise ParameterError("taxonomy and genus exclude each other")
    path = Path(check_local(output))
    if isinstance(sets, SetPredictor):
        predictor, text = sets, predictor_to_json(sets) + "\n"
    else:
        text = read_text(sets, MAKE_ONE)
        predictor = predictor_from_json(text, redacted(path_text(sets)))
    level = predictor.level(alpha)
    if taxonomy is not None and not isinstance(taxonomy, Taxonomy):
        taxonomy = read_taxonomy(taxonomy)
    if genus:
        taxonomy = Taxonomy.of_genera(predictor.space.names)
    about: dict[str, Any] = {
        "method": str(Method(predictor.score, predictor.rule)),
        "score": predictor.score.name,
        "threshold": predictor.rule.name,
        "alpha": float(level),
        "guarantee": predictor.guarantee or None,
        "never_empty": never_empty,
        **({} if taxonomy is None else {"taxonomy": taxonomy.origin}),
        "model_sha256": sha256(text.encode()).hexdigest(),
        "version": VERSION,
    }
    reader = ScoreReader.of(scores, predictor.space.names, columns)
    made = _Sets(predictor, level, never_empty, taxonomy, genus)
    none = made.sets(NO_LISTS, pa.nulls(0, reader.files.id_type), predictor.space.names)
    with listening(progress) as listener:
        listener.phase("predict sets", total=reader.files.rows, unit="rows")
        written = write_parts(
            _row_groups(made.tables(reader, listener)),
            none.encoded().schema,
            path,
            declared=none.to_arrow().schema,
            dictionaries=["labels.list.element", *(column.name for column in COMMON_TAXA)],
            metadata={"plant_aggregate": json.dumps(about, ensure_ascii=False)},
        )
    unknown = reader.label_names[len(predictor.space) :].cast(predictor.space.names.type).to_pylist()
    facts = {name: about[name] for name in ("method", "guarantee", "never_empty", "model_sha256")}
    return PredictedSets(
        path, written.bytes, written.sha256, alpha=level, **facts, totals=made.totals, unknown_labels=tuple(unknown)
    )


class _Sets:
    """Makes the sets of batches of lists as tables, and counts them."""

    def __init__(
        self, predictor: SetPredictor, level: Alpha, never_empty: bool, taxonomy: Taxonomy | None, genus: bool
    ) -> None:
        self._predictor, self._level, self._never_empty = predictor, level, never_empty
        self._taxonomy, self._genus = taxonomy, genus
        self._n_read = len(predictor.space)  # labels whose genera are in the taxonomy
        self._seed = int(predictor.fitted_on.get("seed", 0))
        self.totals = SetTotals()

    def tables(self, reader: ScoreReader, progress: Progress) -> Iterator[pa.Table]:
        """The sets of all batches of a reader."""
        space = self._predictor.space.names
        names = space
        for batch in reader.batches():
            if batch.n_labels > len(names):
                others = reader.label_names[len(space) : batch.n_labels]
                names = pa.concat_arrays([space, others.cast(space.type)])
            yield self.sets(batch.scores, batch.observation_ids, names).encoded()
            progress.advance(batch.scores.labels.size if reader.files.is_long else len(batch.scores))

    def sets(self, lists: ClassifierScores, ids: pa.Array, names: pa.Array) -> NamedSets:
        """The sets of some lists."""
        predictor, level = self._predictor, self._level
        draws = draws_of(ids, self._seed) if predictor.score.randomised else None
        sets = predictor.predict(lists, level, draws, self._never_empty)
        named = NamedSets(ids, names, sets, lists, level)
        if self._genus and sets.labels.max(initial=-1) >= self._n_read:
            self._taxonomy, self._n_read = Taxonomy.of_genera(names), len(names)
        if self._taxonomy is not None:
            named = named.with_taxa(self._taxonomy)
        self.totals.add(sets, named.common, names)
        return named


def _row_groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Tables joined until they have rows or labels enough for a row group."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(one.num_rows for one in held) >= GROUP_ROWS or sum(one.nbytes for one in held) >= GROUP_BYTES:
            yield pa.concat_tables(held).combine_chunks()
            held = []
    if held:
        yield pa.concat_tables(held).combine_chunks()
