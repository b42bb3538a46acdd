"""From the evidence for a label to the probability that it is right.

[P99] Platt 1999, Probabilistic outputs for support vector machines. [K17] Kull, Silva Filho and Flach 2017, Beta
calibration, AISTATS. [ZE02] Zadrozny and Elkan 2002, Transforming classifier scores into accurate multiclass
probability estimates, KDD. [G17] Guo, Pleiss, Sun and Weinberger 2017, On calibration of modern neural networks, ICML:
temperature scaling.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from ... import add_ons
from ...arrays import Flags, Floats
from ...arrow import to_numpy
from ...consensus import Consensus, result_parameters
from ...derived.columns import EXPERT_CONFIDENCE
from ...errors import VotesError
from ...evidence import Evidence
from ...html_blocks import as_html
from ...measures import brier_score, calibration_error, log_loss
from ...schema import BY_EXPERT, PROBABILITY, Table
from ...truth import Truth, check_labels
from ..unused import unused
from .fitting import check_method, enough_known, fitted_on_in_words, folds, unknown_method
from .maps import IsotonicMap, LogisticMap, TemperatureMap, inner
from .saved import Header, as_json

if TYPE_CHECKING:
    import pyarrow as pa

HEADER = Header("calibration", 1, "a calibration", "calibrate")

LabelMap: TypeAlias = LogisticMap | IsotonicMap | TemperatureMap
Columns: TypeAlias = Mapping[str, Any]  # columns of `schema.CONSENSUS` by name: arrays with an item an observation


def _log_odds(c: Columns) -> Floats:
    """Log-odds of confidence; for unanimous votes the logarithm of their weight over gamma."""
    odds: Floats = np.log(inner(c["confidence"])) - np.log(1 - inner(c["confidence"]))
    return odds


FEATURES: dict[str, Callable[[Columns], Floats]] = {
    "log_odds_if_lone": lambda c: _log_odds(c) * (c["n_votes"] == 1),
    "log_odds_if_agreed": lambda c: _log_odds(c) * ((c["n_votes"] > 1) & (c["n_labels"] == 1)),
    "log_odds_if_disputed": lambda c: _log_odds(c) * (c["n_labels"] > 1),
    "shared": lambda c: (c["n_votes"] > 1).astype(np.float64),
    "undisputed": lambda c: (c["n_labels"] == 1).astype(np.float64),
    "agreement": lambda c: c["agreement"],
    "aum": lambda c: c["aum"],
    "log_n_votes": lambda c: np.log(np.maximum(c["n_votes"], 1)),
    "log_confidence": lambda c: np.log(inner(c["confidence"])),
    "minus_log_doubt": lambda c: -np.log(1 - inner(c["confidence"])),
}
"""Features of a calibration; each is larger with more evidence for the label."""

COLUMNS = ("confidence", "agreement", "aum", "n_votes", "n_labels")
"""Columns of the consensus that features are computed from."""

MODEL = "probability"
"""Column of the consensus that a strategy with a model of probabilities has, and that ``temper`` is computed from."""

LOGISTIC = {"platt": tuple(FEATURES)[:8], "beta": ("log_confidence", "minus_log_doubt")}
"""Methods that are a logistic regression, and the features of each. One slope of
confidence for all would be that of the lone votes: three observations in four have one vote, one in a hundred is
disputed."""

METHODS = (*LOGISTIC, "isotonic", "temper")
"""``platt``: logistic regression on all the evidence [P99]; ``beta``: on the logarithms of confidence and doubt [K17];
``isotonic``: the rising function of confidence that fits best [ZE02]; ``temper``: the log-odds of the strategy's own
probability, divided by one number [G17]."""

NO_MODEL = "temper scales the probability of a strategy's model, and {} has none"
WITH_MODEL = "take a run of such a strategy without --calibration, or another method"

KNOTS = ("confidence", "probability")  # the names that the knots of an isotonic map are saved under


@dataclass(frozen=True)
class Calibration:
    """A map from the evidence for a label to the probability that it is right."""

    method: str
    """One of METHODS."""
    map: LabelMap
    """The fitted function."""
    fitted_on: Mapping[str, Any]
    """What it was fitted on, as far as is known: strategy, parameters, truth, observations, share right."""
    cross_validated: Mapping[str, Mapping[str, float]]
    """Log loss, Brier score and calibration error on held out observations: of each method, of the strategy's own
    probability, if it has one, of confidence taken for a probability, and of the same probability for all."""
    extends: ClassVar[add_ons.Extends] = "consensus"
    table: ClassVar[Table] = PROBABILITY

    def probability(self, columns: Columns) -> Floats:
        """P(label is right) of each observation, float64[n] in (0, 1)."""
        return inner(_apply(self.map, columns))

    def add_to(self, table: "pa.Table") -> "pa.Table":
        """A table of the consensus (``Consensus.to_arrow``) with the column ``probability`` at its end."""
        return add_ons.extended(table, 0, [self])

    def columns(self, rows: "pa.Table", first: int) -> add_ons.Columns:
        """The column ``probability``; 0 for observations that only the AI votes on, which have no label.

        Labels of experts have ``EXPERT_CONFIDENCE``: the evidence of votes is not for these.
        """
        names = [*COLUMNS, *({MODEL} & {*rows.column_names})]
        probability = self.probability({name: to_numpy(rows.column(name)) for name in names})
        if rows.column("label").null_count:
            probability[to_numpy(rows.column("label").is_null())] = 0.0
        if BY_EXPERT[0].name in rows.column_names:
            probability[to_numpy(rows.column(BY_EXPERT[0].name))] = EXPERT_CONFIDENCE
        return {"probability": probability}

    def facts(self) -> Mapping[str, Any]:
        """The method, and what it was fitted on."""
        return {"calibration": {"method": self.method, "fitted_on": dict(self.fitted_on)}}

    def fits(self, consensus: Consensus) -> bool:
        """Whether it was fitted on the same strategy and parameters, as far as is known."""
        strategy, parameters = self.fitted_on.get("strategy"), self.fitted_on.get("parameters")
        if strategy is None or parameters is None:
            return True
        ours, theirs = map(result_parameters, (consensus.parameters, parameters))
        return strategy == consensus.strategy and theirs == ours

    def __repr__(self) -> str:
        return f"Calibration({self.method}, {fitted_on_in_words(self.fitted_on)})"

    def _repr_html_(self) -> str:
        from ..report.calibration import calibration_blocks

        return as_html(calibration_blocks(self))

    def to_json(self) -> str:
        """The contents of the saved file."""
        kept = self.map.to_dict(*KNOTS) if isinstance(self.map, IsotonicMap) else self.map.to_dict()
        contents = {"format": HEADER.format, "method": self.method, "map": kept, "fitted_on": dict(self.fitted_on)}
        return as_json({**contents, "cross_validated": dict(self.cross_validated)})

    @classmethod
    def from_json(cls, text: str, origin: str) -> "Calibration":
        """A saved calibration; ``origin`` names it in messages. Raises VotesError if it is none."""

        def saved_one(saved: Mapping[str, Any]) -> Calibration:
            fitted = _map_of(saved["method"], saved["map"])
            return cls(saved["method"], fitted, {**saved["fitted_on"]}, {**saved["cross_validated"]})

        return HEADER.read(text, origin, saved_one)


def calibrate(
    consensus: Consensus | Evidence,
    truth: Truth,
    *,
    method: str = "platt",
    seed: int = 0,
    fitted_on: Mapping[str, Any] | None = None,
) -> Calibration:
    """Fit P(label is right) on the observations that experts know.

    ``method`` is one of METHODS; all are cross-validated, in folds drawn with ``seed``. ``fitted_on`` is kept with the
    calibration. Observations whose label the estimate has used, ``by_expert``, are left out. Raises VotesError if fewer
    than FEWEST others are in the consensus, no label of theirs is, or ids or labels have other types; ParameterError on
    an unknown method.
    """
    check_method(method, METHODS, seed)
    others, n_used = unused(truth, consensus)
    evidence, right = _known_to(others, consensus, n_used)
    known = (
        {} if isinstance(consensus, Evidence) else {"strategy": consensus.strategy, "parameters": consensus.parameters}
    )
    about = {"truth": truth.origin, "observations": right.size, "right": int(right.sum()), **known, **(fitted_on or {})}
    if n_used:
        about["used"] = n_used
    columns = vars(evidence)
    if method not in _possible(columns):
        raise VotesError(NO_MODEL.format("the consensus"), remedy=WITH_MODEL)
    return Calibration(method, _fit(method, columns, right), about, cross_validate(columns, right, seed))


def cross_validate(columns: Columns, right: Flags, seed: int = 0) -> dict[str, dict[str, float]]:
    """Log loss, Brier score and calibration error of each method on N_FOLDS random folds that it was not fitted on.

    For comparison also of the ``probability`` of the strategy, if it has one, ``confidence`` taken for a probability,
    and of the ``share right`` in the other folds.
    """
    methods = _possible(columns)
    own = [MODEL] if "temper" in methods else []
    arrays = {name: columns[name] for name in (*COLUMNS, *own)}
    predicted = {name: np.empty(right.size) for name in (*methods, *own, "confidence", "share right")}
    for out in folds(right.size, seed):
        seen = {name: values[~out] for name, values in arrays.items()}
        held_out = {name: values[out] for name, values in arrays.items()}
        for method in methods:
            predicted[method][out] = _apply(_fit(method, seen, right[~out]), held_out)
        for name in (*own, "confidence"):
            predicted[name][out] = held_out[name]
        predicted["share right"][out] = (right[~out].sum() + 1) / (right[~out].size + 2)
    once = np.ones(right.size)
    return {
        name: {
            "log_loss": float(log_loss(inner(values), right, once)),
            "brier_score": float(brier_score(values, right, once)),
            "calibration_error": float(calibration_error(values, right, once)),
        }
        for name, values in predicted.items()
    }


def _possible(columns: Columns) -> list[str]:
    """The methods that these columns suffice for."""
    return [method for method in METHODS if method != "temper" or columns.get(MODEL) is not None]


def _fit(method: str, columns: Columns, right: Flags) -> LabelMap:
    if method in LOGISTIC:
        return LogisticMap.fit(_features(columns, LOGISTIC[method]), right)
    if method == "temper":
        return TemperatureMap.fit(columns[MODEL], right)
    return IsotonicMap.fit(columns["confidence"], right)


def _apply(fitted: LabelMap, columns: Columns) -> Floats:
    if isinstance(fitted, LogisticMap):
        return fitted(_features(columns, fitted.coefficients))
    return fitted(columns[MODEL if isinstance(fitted, TemperatureMap) else "confidence"])


def _known_to(truth: Truth, consensus: Consensus | Evidence, n_used: int) -> tuple[Evidence, Flags]:
    """The evidence on the experts' observations, and whether its label is the expert label.

    ``n_used``: the number of those that were left out, as the estimate has used their labels.
    """
    source = consensus if isinstance(consensus, Evidence) else consensus.votes
    found = "{} are in the consensus"
    if n_used:
        found = f"{{}} are left in the consensus, as the estimate has used the labels of {n_used:,}"
    known = enough_known(truth, source, "the consensus", found, n_used)
    check_labels(known.truth, source.label_names, "the consensus", needed=True)
    evidence = consensus.at(known.rows) if isinstance(consensus, Evidence) else Evidence.of(consensus, known.rows)
    lacking = [name for name in COLUMNS if getattr(evidence, name) is None]
    if lacking:
        raise VotesError(
            f"a calibration is of a consensus; these labels have no {', '.join(lacking)}",
            remedy="name a consensus.parquet as published",
        )
    right: Flags = (evidence.labels == known.codes) & (known.codes >= 0)
    return evidence, right


def _features(columns: Columns, names: Iterable[str]) -> dict[str, Floats]:
    return {name: FEATURES[name](columns) for name in names}


def _map_of(method: str, saved: Mapping[str, Any]) -> LabelMap:
    """Raises ValueError, KeyError, TypeError or AttributeError if ``saved`` is no map of this method."""
    if method in LOGISTIC:
        return LogisticMap.from_dict(saved, method, LOGISTIC[method])
    if method == "isotonic":
        return IsotonicMap.from_dict(saved, *KNOTS)
    if method == "temper":
        return TemperatureMap.from_dict(saved)
    raise unknown_method(method, METHODS)
