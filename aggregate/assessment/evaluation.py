"""Evaluation of a consensus against expert labels [L25].

[L25] Lefort et al. 2025, Cooperative learning of Pl@ntNet's AI algorithm, Methods in Ecology and Evolution
(arXiv 2406.03356).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Counts, Flags, Floats, LabelCodes, Weights
from ..arrow import table_of_rows, to_arrow, to_numpy
from ..blocks import FIRST, count
from ..consensus import Consensus
from ..errors import ParameterError, VotesError
from ..evidence import Evidence
from ..html_blocks import as_html
from ..measures import bootstrap, calibration_error, macro_precision, macro_recall, retrieved, risk_coverage_area, share
from ..reprs import short_repr
from ..schema import EVALUATION, MEASURES, arrow_schema
from ..truth import KnownRows, LabelledRows, Truth, check_labels, known_rows
from .unused import unused

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ONLY_OTHERS = "judge it by labels that it was not given; compare --experts holds some out"

IN_SHORT = ("accuracy", "accuracy_of_labels", "kept")
"""Measures in the repr of an evaluation."""

RESAMPLES = 1000
MAX_DRAWS = 20_000_000
"""Maximum number of observations drawn in all resamples, which are fewer if necessary."""

MAX_RESAMPLED = 200_000
"""Size of a set of observations beyond which it gets no intervals: shares are then accurate to 0.2 %."""

NEEDS = {
    **dict.fromkeys(["accuracy", "accuracy_of_valid", "macro_precision", "macro_recall", "species_retrieved"], "valid"),
    "kept": "valid",
    "accuracy_of_labels": "labels",
    **dict.fromkeys(["calibration_error", "risk_coverage_area"], "confidence"),
    **dict.fromkeys(["probability_calibration_error", "probability_risk_coverage_area"], "probability"),
}
"""Measure -> what it needs of ``Matched`` beside the labels."""

VOTE_GROUPS = ((1, 1), (2, 2), (3, 5), (6, 10), (11, None))  # groups of observations by their number of votes: from, to


@dataclass(frozen=True, eq=False)
class Matched:
    """Expert observations matched with a consensus; arrays have an item an observation, sorted by id.

    For callers that evaluate many consensuses against the same experts: ``evaluate_matched`` needs no more than these.
    """

    truth: LabelCodes  # codes of the experts' labels
    labels: LabelCodes  # codes of the consensus's labels, from the same table of names; -1 for none
    # None where it is not known; measures that need it are then left out.
    valid: Flags | None = None
    confidence: Floats | None = None
    n_votes: Counts | None = None
    n_labels: Counts | None = None
    probability: Floats | None = None

    __repr__ = short_repr

    @property
    def right(self) -> Flags:
        """bool[n]; whether the label is the expert label."""
        right: Flags = self.truth == self.labels
        return right

    @property
    def measured(self) -> list[str]:
        """The measures, of ``schema.MEASURES`` in its order, for which enough is known."""
        return [column.name for column in MEASURES if getattr(self, NEEDS[column.name]) is not None]

    def __len__(self) -> int:
        return self.truth.size

    def only(self, chosen: Flags) -> "Matched":
        """The chosen (bool[n]) observations."""
        return replace(self, **{name: value[chosen] for name, value in vars(self).items() if value is not None})


@dataclass(frozen=True)
class Overlap:
    """Counts of the expert observations that are in the consensus, and those that are not."""

    expert_observations: int
    matched: int
    unknown: int  # number of expert observations that are not in the consensus, which are ignored
    unlabelled: int  # number of rows without a label, which are ignored
    species: int  # number of distinct expert labels of the matched observations
    species_never_voted: int  # number of these that were never voted: no strategy can retrieve them
    observations_never_voted: int  # number of matched observations with such a label
    without_label: int = 0  # number of matched observations to which the consensus gives no label: not right
    used: int = 0  # number of expert observations whose label the estimate has used, which are left out


@dataclass(frozen=True)
class Estimate:
    """A measure and its 95 % interval; NaN if undefined."""

    value: float
    low: float
    high: float


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Group:
    """A set of expert observations and its measures, by their names in ``schema.MEASURES``."""

    name: str
    observations: int
    measures: Mapping[str, Estimate]
    resamples: int = 0  # number of resamples for the intervals; 0 without intervals

    __repr__ = short_repr


@dataclass(frozen=True)
class Confusion:
    """A species taken for another one."""

    truth: str | int
    label: str | int
    observations: int
    valid: int | None  # number of these that are valid, if known: training would learn the mistake


@dataclass(frozen=True)
class Evaluation:
    """Measures of a consensus against experts."""

    overlap: Overlap
    """Counts of the expert observations that are in the consensus, and of those that are not."""
    subsets: tuple[Group, ...]
    """All expert observations; those with two votes or more; those with a disagreement [L25]. The first alone where
    numbers of votes are not known."""
    by_votes: tuple[Group, ...]
    """By number of votes; empty where these are not known."""
    confusions: tuple[Confusion, ...]
    """Most frequent first."""
    seed: int
    """Seed of the resamples."""

    def to_arrow(self) -> "pa.Table":
        """A row for each set of expert observations and measure: table EVALUATION of ``schema``.

        Undefined measures, and intervals without resamples, are null.
        """
        rows = [
            {
                "grouped_by": grouped_by,
                "subset": group.name,
                "observations": group.observations,
                "measure": measure,
                **{end: None if math.isnan(value) else value for end, value in vars(estimate).items()},
            }
            for grouped_by, groups in (("subset", self.subsets), ("n_votes", self.by_votes))
            for group in groups
            for measure, estimate in group.measures.items()
        ]
        return table_of_rows(rows, arrow_schema(EVALUATION))

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain values for JSON, None for NaN."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: plain(item) for name, item in value.items()}
            if isinstance(value, list | tuple):
                return [plain(item) for item in value]
            return None if isinstance(value, float) and math.isnan(value) else value

        contents: dict[str, Any] = plain(asdict(self))
        return contents

    def to_pandas(self) -> "pd.DataFrame":
        """The rows of :meth:`to_arrow` as a data frame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        measures = self.subsets[0].measures
        found = ", ".join(f"{name} {100 * measures[name].value:.1f} %" for name in IN_SHORT if name in measures)
        return f"Evaluation({count(self.overlap.matched, 'expert observation')}: {found})"

    def _repr_html_(self) -> str:
        from .report.evaluation import evaluation_blocks

        return as_html(evaluation_blocks(replace(self, confusions=self.confusions[:FIRST])))


def evaluate(
    consensus: Consensus | Evidence, truth: Truth, *, resamples: int = RESAMPLES, seed: int = 0, worst: int = 10
) -> Evaluation:
    """Evaluate a consensus against experts: measures with 95 % intervals, and the ``worst`` most frequent confusions.

    The intervals come from ``resamples`` bootstrap resamples of the observations (0 for none); the same seed draws
    the same resamples for every consensus with the same expert observations. Those whose label the estimate has used,
    ``by_expert``, are left out and counted. Raises VotesError if no other expert observation is in the consensus or ids
    or labels have different types, ParameterError for invalid numbers. Warns of expert labels that look like one of the
    consensus but differ from it.
    """
    source, place = _labelled(consensus), place_of(consensus)
    others, n_used = unused(truth, consensus)
    known = known_rows(others, source, place)
    if n_used and known.rows.size == 0:
        fault = f"the estimate has used the labels of all its {count(n_used, 'observation')} in {place}"
        raise VotesError(fault, where=truth.origin, remedy=ONLY_OTHERS)
    matched, names, overlap = _match(consensus, others, known)
    check_labels(known.truth, source.label_names, place)
    overlap = replace(overlap, expert_observations=len(truth), used=n_used)
    return evaluate_matched(matched, names, overlap, resamples=resamples, seed=seed, worst=worst)


def match(consensus: Consensus | Evidence, truth: Truth) -> "tuple[Matched, pa.Array, Overlap]":
    """The expert observations of ``truth`` in the consensus, the label names of their codes, and how both overlap.

    The names are those of the consensus, followed by those that only experts use. Raises VotesError.
    """
    return _match(consensus, truth, known_rows(truth, _labelled(consensus), place_of(consensus)))


def place_of(consensus: Consensus | Evidence) -> str:
    """What labels are from, for messages."""
    return "the labels" if isinstance(consensus, Evidence) and consensus.n_votes is None else "the consensus"


def _match(consensus: Consensus | Evidence, truth: Truth, known: KnownRows) -> "tuple[Matched, pa.Array, Overlap]":
    import pyarrow as pa
    import pyarrow.compute as pc

    names = _labelled(consensus).label_names
    rows, voted = known.rows, known.codes
    if rows.size == 0:
        raise VotesError(
            f"none of its {len(truth):,} observations is in {place_of(consensus)}",
            where=truth.origin,
            remedy="see that both use the same ids",
        )
    evidence = consensus.at(rows) if isinstance(consensus, Evidence) else Evidence.of(consensus, rows)
    unvoted = known.labels.filter(to_arrow(voted < 0)).dictionary_encode()
    codes = voted.copy()
    codes[voted < 0] = len(names) + to_numpy(unvoted.indices)
    names = pa.chunked_array([part.cast(_wide(names.type)) for part in (names, unvoted.dictionary)]).combine_chunks()
    order = to_numpy(pc.sort_indices(names))
    rank = np.argsort(order).astype(np.int32)  # sorted by name, so that no sum depends on the origin of names
    labels = np.where(evidence.labels < 0, np.int32(-1), rank[evidence.labels])
    kept = ("valid", "confidence", "n_votes", "n_labels", "probability")
    matched = Matched(rank[codes], labels, **{name: getattr(evidence, name) for name in kept})
    overlap = Overlap(
        expert_observations=len(truth),
        matched=rows.size,
        unknown=len(truth) - rows.size,
        unlabelled=truth.n_unlabelled,
        species=np.unique(codes).size,
        species_never_voted=len(unvoted.dictionary),
        observations_never_voted=int(np.count_nonzero(voted < 0)),
        without_label=int(np.count_nonzero(labels < 0)),
    )
    return matched, names.take(to_arrow(order)), overlap


def _labelled(consensus: Consensus | Evidence) -> LabelledRows:
    return consensus if isinstance(consensus, Evidence) else consensus.votes


def evaluate_matched(
    matched: Matched, names: "pa.Array", overlap: Overlap, *, resamples: int = RESAMPLES, seed: int = 0, worst: int = 10
) -> Evaluation:
    """As :func:`evaluate`, for arrays matched by :func:`match` or by the caller."""
    faults = [
        f"{name} is {value} but must be at least 0"
        for name, value in (("resamples", resamples), ("seed", seed), ("worst", worst))
        if value < 0
    ]
    if faults:
        raise ParameterError("; ".join(faults))
    subsets = {"all": np.ones(len(matched), np.bool_)}
    by_votes = {}
    if matched.n_votes is not None:
        subsets["two votes or more"] = several = matched.n_votes >= 2
        if matched.n_labels is not None:
            subsets["with a disagreement"] = several & (matched.n_labels >= 2)
        for low, high in VOTE_GROUPS:
            by_votes[votes_in_words(low, high)] = (matched.n_votes >= low) & (matched.n_votes <= (high or np.inf))
    return Evaluation(
        overlap=overlap,
        subsets=tuple(_group(name, matched.only(chosen), resamples, seed) for name, chosen in subsets.items()),
        by_votes=tuple(_group(name, matched.only(chosen), resamples, seed) for name, chosen in by_votes.items()),
        confusions=_confusions(matched, names, worst),
        seed=seed,
    )


def measure(matched: Matched, counts: Weights) -> Floats:
    """Every measure of ``matched.measured``: float64[..., m] of counts[..., n]."""
    truth, labels, right = matched.truth, matched.labels, matched.right
    measures = {"accuracy_of_labels": share(right, counts)}
    if matched.valid is not None:
        valid = matched.valid
        measures |= {
            "accuracy": share(valid & right, counts),
            "accuracy_of_valid": share(right, counts, among=valid),
            "macro_precision": macro_precision(truth, labels, valid, counts),
            "macro_recall": macro_recall(truth, labels, valid, counts),
            "species_retrieved": retrieved(truth, labels, valid, counts),
            "kept": share(valid, counts),
        }
    for prefix, numbers in (("", matched.confidence), ("probability_", matched.probability)):
        if numbers is not None:
            measures[f"{prefix}calibration_error"] = calibration_error(numbers, right, counts)
            measures[f"{prefix}risk_coverage_area"] = risk_coverage_area(numbers, right, counts)
    return np.stack([measures[name] for name in matched.measured], axis=-1)


def _group(name: str, matched: Matched, resamples: int, seed: int) -> Group:
    measured = matched.measured
    n = len(matched)
    if n == 0:
        return Group(name, 0, dict.fromkeys(measured, UNKNOWN))
    resamples = resamples_of(n, resamples)
    ends = bootstrap(lambda counts: measure(matched, counts), n, resamples, seed)
    estimates = (Estimate(*numbers) for numbers in zip(*(end.tolist() for end in ends), strict=True))
    return Group(name, n, dict(zip(measured, estimates, strict=True)), resamples)


def resamples_of(n: int, wanted: int) -> int:
    """The number of resamples for intervals of ``n`` observations."""
    return min(wanted, MAX_DRAWS // n) if n <= MAX_RESAMPLED else 0


def _confusions(matched: Matched, names: "pa.Array", worst: int) -> tuple[Confusion, ...]:
    """The most frequent pairs of an expert's label and another label, ties in the order of the names."""
    wrong = matched.only(~matched.right & (matched.labels >= 0))
    pairs, places, times = np.unique(
        np.stack([wrong.truth, wrong.labels], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    valid: list[Any] = [None] * times.size
    if wrong.valid is not None:
        valid = np.bincount(places.ravel(), weights=wrong.valid, minlength=times.size).astype(np.int64).tolist()
    found = [
        Confusion(_plain_name(names[truth]), _plain_name(names[label]), count, n_valid)
        for (truth, label), count, n_valid in zip(pairs.tolist(), times.tolist(), valid, strict=True)
    ]
    return tuple(sorted(found, key=lambda pair: (-pair.observations, pair.truth, pair.label))[:worst])


def _plain_name(name: "pa.Scalar") -> str | int:
    value = name.as_py()
    return value if isinstance(value, str) else int(value)


def votes_in_words(low: int, high: int | None) -> str:
    """``1``, ``3 to 5`` or ``11 or more``."""
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"


def _wide(kind: "pa.DataType") -> "pa.DataType":
    """A type for names of two origins: strings, or integers of any width in the order of their numbers."""
    import pyarrow as pa

    return pa.decimal128(20) if pa.types.is_integer(kind) else pa.large_string()
