"""From the evidence for a label to the probability that it is right.

[P99] Platt 1999, Probabilistic outputs for support vector machines. [K17] Kull, Silva Filho and Flach 2017, Beta
calibration, AISTATS. [ZE02] Zadrozny and Elkan 2002, Transforming classifier scores into accurate multiclass
probability estimates, KDD.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from ... import add_ons
from ...arrays import Flags, Floats
from ...arrow import to_arrow, to_numpy
from ...consensus import Consensus
from ...errors import ParameterError, VotesError
from ...evidence import Evidence
from ...measures import brier_score, calibration_error, log_loss
from ...schema import PROBABILITY, Table
from ...truth import Truth, check_kinds, check_labels, codes_among, rows_of

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "plant-aggregate calibration 1"
"""The first line of a saved calibration; another number, another meaning."""

Columns: TypeAlias = Mapping[str, Any]
"""Columns of ``schema.CONSENSUS`` by name: arrays with an item an observation."""

EDGE = 1e-6
"""Confidences are kept this far from 0 and 1, where their logarithms end."""

RIDGE = 1.0
"""Penalty on the squared coefficients of standardised features: keeps them finite where the labels are all right."""

FEWEST = 20
"""Expert observations that a calibration needs."""

N_FOLDS = 5


def _inner(confidence: Floats) -> Floats:
    return np.clip(confidence, EDGE, 1 - EDGE)


def _log_odds(c: Columns) -> Floats:
    """Of confidence; where the votes agree that is the logarithm of their weight over gamma."""
    odds: Floats = np.log(_inner(c["confidence"])) - np.log(1 - _inner(c["confidence"]))
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
    "log_confidence": lambda c: np.log(_inner(c["confidence"])),
    "minus_log_doubt": lambda c: -np.log(1 - _inner(c["confidence"])),
}
"""What a calibration may look at; each is larger where more speaks for the label."""

COLUMNS = ("confidence", "agreement", "aum", "n_votes", "n_labels")
"""Columns of the consensus that they are made of."""

LOGISTIC = {
    "platt": tuple(FEATURES)[:8],
    "beta": ("log_confidence", "minus_log_doubt"),
}
"""Methods that are a logistic regression, and the features of each. One slope of
confidence for all would be that of the lone votes: three observations in four have one vote, one in a hundred is
disputed."""

METHODS = (*LOGISTIC, "isotonic")
"""``platt``: logistic regression on all the evidence [P99]; ``beta``: on the logarithms of confidence and doubt [K17];
``isotonic``: the rising function of confidence that fits best [ZE02]."""


@dataclass(frozen=True)
class LogisticMap:
    """P(right) = 1 / (1 + exp(-(intercept + sum of coefficient x feature)))."""

    intercept: float
    coefficients: Mapping[str, float]
    """By feature; none is negative, so that more evidence never makes a label less probable."""

    def __call__(self, columns: Columns) -> Floats:
        """The probabilities, float64[n]."""
        score: Floats = np.full(len(columns["confidence"]), self.intercept)
        for name, coefficient in self.coefficients.items():
            score += coefficient * FEATURES[name](columns)
        probability: Floats = 1 / (1 + np.exp(-score))
        return probability

    @classmethod
    def fit(cls, features: tuple[str, ...], columns: Columns, right: Flags) -> "LogisticMap":
        """Maximum likelihood under a ridge penalty, no coefficient negative, with the targets of [P99].

        Those are (n1 + 1) / (n1 + 2) for the n1 right labels and 1 / (n0 + 2) for the n0 wrong ones, not 1 and 0.
        """
        from scipy.optimize import minimize

        values = np.stack([FEATURES[name](columns) for name in features], axis=1)
        middle, spread = values.mean(axis=0), values.std(axis=0)
        spread[spread < EDGE] = 1.0
        design = np.column_stack([np.ones(right.size), (values - middle) / spread])
        n_right, n_wrong = int(right.sum()), int((~right).sum())
        target = np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
        penalty = np.array([0.0, *[RIDGE] * len(features)])

        def loss(b: Floats) -> tuple[float, Floats]:
            score = design @ b
            value = np.sum(np.logaddexp(0, score) - target * score) + penalty @ b**2 / 2
            gradient: Floats = design.T @ (1 / (1 + np.exp(-score)) - target) + penalty * b
            return float(value), gradient

        bounds = [(None, None)] + [(0.0, None)] * len(features)
        found = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds).x
        slopes = found[1:] / spread
        coefficients = dict(zip(features, slopes.tolist(), strict=True))
        return cls(float(found[0] - slopes @ middle), coefficients)


@dataclass(frozen=True)
class IsotonicMap:
    """P(right) rises with confidence through the knots, straight between them, level beyond."""

    confidence: tuple[float, ...]
    probability: tuple[float, ...]

    def __call__(self, columns: Columns) -> Floats:
        """The probabilities, float64[n]."""
        return np.asarray(np.interp(columns["confidence"], self.confidence, self.probability))

    @classmethod
    def of_knots(cls, confidence: Any, probability: Any) -> "IsotonicMap":
        """A map that was saved. Raises ValueError or TypeError if these are no knots of one."""
        knots = [tuple(float(value) for value in values) for values in (confidence, probability)]
        ascending = all(
            list(values) == sorted(values) and 0 <= values[0] <= values[-1] <= 1 for values in knots if values
        )
        if not knots[0] or len(knots[0]) != len(knots[1]) or not ascending:
            raise ValueError("knots are not pairs that rise within [0, 1]")
        return cls(*knots)

    @classmethod
    def fit(cls, columns: Columns, right: Flags) -> "IsotonicMap":
        """Pool adjacent violators [ZE02]; a first block of 0 and a last of 1 get (right + 1) / (size + 2) instead."""
        from scipy.optimize import isotonic_regression

        levels, places = np.unique(columns["confidence"], return_inverse=True)
        size = np.bincount(places).astype(np.float64)
        n_right = np.bincount(places, weights=right)
        pooled = isotonic_regression(n_right / size, weights=size)
        starts, values = pooled.blocks[:-1], pooled.x[pooled.blocks[:-1]]
        sizes = np.add.reduceat(size, starts)
        inner = values[(values > 0) & (values < 1)]
        values = np.where(values <= 0, min(1 / (sizes[0] + 2), *inner[:1], 1.0), values)
        values = np.where(values >= 1, max((sizes[-1] + 1) / (sizes[-1] + 2), *inner[-1:], 0.0), values)
        ends = np.append(starts[1:], levels.size) - 1
        knots = np.unique(np.concatenate([starts, ends]))
        heights = np.repeat(values, ends - starts + 1)
        return cls(tuple(levels[knots].tolist()), tuple(heights[knots].tolist()))


@dataclass(frozen=True)
class Calibration:
    """A map from evidence to probability, and where it comes from."""

    method: str
    map: LogisticMap | IsotonicMap
    fitted_on: Mapping[str, Any]
    """What it was fitted on, as far as is known: strategy, parameters, truth, observations, share right."""
    cross_validated: Mapping[str, Mapping[str, float]]
    """Log loss, Brier score and calibration error on held out observations: of each method, of confidence taken for a
    probability, and of the same probability for all."""
    extends: ClassVar[add_ons.Extends] = "consensus"
    table: ClassVar[Table] = PROBABILITY

    def probability(self, columns: Columns) -> Floats:
        """P(label is right) of each observation, float64[n] in (0, 1)."""
        return np.clip(self.map(columns), EDGE, 1 - EDGE)

    def add_to(self, table: "pa.Table") -> "pa.Table":
        """A table of the consensus (``Consensus.to_arrow``) with the column ``probability`` at its end."""
        return add_ons.extended(table, 0, [self])

    def columns(self, rows: "pa.Table", first: int) -> add_ons.Columns:
        """The column ``probability``; 0 for observations that only the AI knows, which have no label."""
        probability = self.probability({name: to_numpy(rows.column(name)) for name in COLUMNS})
        if rows.column("label").null_count:
            probability[to_numpy(rows.column("label").is_null())] = 0.0
        return {"probability": probability}

    def facts(self) -> Mapping[str, Any]:
        """The method, and what it was fitted on."""
        return {"calibration": {"method": self.method, "fitted_on": dict(self.fitted_on)}}

    def fits(self, consensus: Consensus) -> bool:
        """Whether it was fitted on the same strategy and parameters, as far as is known."""
        strategy, parameters = self.fitted_on.get("strategy"), self.fitted_on.get("parameters")
        if strategy is None or parameters is None:
            return True
        theirs = {name: value for name, value in parameters.items() if not name.startswith("ambiguous")}
        ours = {name: value for name, value in consensus.parameters.items() if not name.startswith("ambiguous")}
        return strategy == consensus.strategy and theirs == ours

    def to_json(self) -> str:
        """As it is saved."""
        kept = vars(self.map)
        contents = {"format": FORMAT, "method": self.method, "map": {name: _plain(kept[name]) for name in kept}}
        return json.dumps(
            {**contents, "fitted_on": dict(self.fitted_on), "cross_validated": dict(self.cross_validated)},
            indent=2,
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str, origin: str) -> "Calibration":
        """A saved calibration; ``origin`` names it in messages. Raises VotesError if it is none."""
        try:
            saved = json.loads(text)
            if saved["format"] != FORMAT:
                raise ValueError(f"format is {saved['format']!r}, not {FORMAT!r}")
            return cls(
                saved["method"],
                _map_of(saved["method"], saved["map"]),
                {**saved["fitted_on"]},
                {**saved["cross_validated"]},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]
            raise VotesError(
                f"is not a calibration ({reason})", where=origin, remedy="make one with plant-aggregate calibrate"
            ) from error


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
    calibration. Raises VotesError if fewer than FEWEST expert observations are in the consensus, no label of theirs is,
    or ids or labels have other types; ParameterError on an unknown method.
    """
    if method not in METHODS or seed < 0:
        raise ParameterError(f"method is {method!r} and seed {seed}, but must be one of {', '.join(METHODS)}, and >= 0")
    evidence, right = _known_to(truth, consensus)
    known = (
        {} if isinstance(consensus, Evidence) else {"strategy": consensus.strategy, "parameters": consensus.parameters}
    )
    about = {"truth": truth.origin, "observations": right.size, "right": int(right.sum()), **known, **(fitted_on or {})}
    columns = vars(evidence)
    return Calibration(method, _fit(method, columns, right), about, cross_validate(columns, right, seed))


def cross_validate(columns: Columns, right: Flags, seed: int = 0) -> dict[str, dict[str, float]]:
    """Log loss, Brier score and calibration error of each method on N_FOLDS random folds that it was not fitted on.

    For comparison also of ``confidence`` taken for a probability, and of the ``share right`` in the other folds.
    """
    fold = np.random.default_rng(seed).permutation(right.size) % N_FOLDS
    arrays = {name: columns[name] for name in COLUMNS}
    predicted = {name: np.empty(right.size) for name in (*METHODS, "confidence", "share right")}
    for k in range(N_FOLDS):
        out = fold == k
        seen = {name: values[~out] for name, values in arrays.items()}
        held_out = {name: values[out] for name, values in arrays.items()}
        for method in METHODS:
            predicted[method][out] = _fit(method, seen, right[~out])(held_out)
        predicted["confidence"][out] = held_out["confidence"]
        predicted["share right"][out] = (right[~out].sum() + 1) / (right[~out].size + 2)
    once = np.ones(right.size)
    return {
        name: {
            "log_loss": float(log_loss(_inner(values), right, once)),
            "brier_score": float(brier_score(values, right, once)),
            "calibration_error": float(calibration_error(values, right, once)),
        }
        for name, values in predicted.items()
    }


def _fit(method: str, columns: Columns, right: Flags) -> LogisticMap | IsotonicMap:
    if method in LOGISTIC:
        return LogisticMap.fit(LOGISTIC[method], columns, right)
    return IsotonicMap.fit(columns, right)


def _known_to(truth: Truth, consensus: Consensus | Evidence) -> tuple[Evidence, Flags]:
    """The evidence on the observations experts know, and where its label is theirs."""
    source = consensus if isinstance(consensus, Evidence) else consensus.votes
    check_kinds(truth, source.observation_ids.type, source.label_names.type, "the consensus")
    rows, truth_rows = rows_of(source.observation_ids, truth.observation_ids)
    if rows.size < FEWEST:
        raise VotesError(
            f"{rows.size:,} of its {len(truth):,} observations are in the consensus, and a calibration needs {FEWEST}",
            where=truth.origin,
            remedy="see that both use the same ids, or ask the experts for more",
        )
    check_labels(truth.at(np.sort(truth_rows)), source.label_names, "the consensus", needed=True)
    evidence = consensus.at(rows) if isinstance(consensus, Evidence) else Evidence.of(consensus, rows)
    true = codes_among(source.label_names, truth.labels.take(to_arrow(truth_rows)))
    right: Flags = (evidence.labels == true) & (true >= 0)
    return evidence, right


def _map_of(method: str, saved: Mapping[str, Any]) -> LogisticMap | IsotonicMap:
    """Raises ValueError, KeyError or TypeError if ``saved`` is no map of this method."""
    if method in LOGISTIC:
        coefficients = {name: float(value) for name, value in saved["coefficients"].items()}
        if set(coefficients) != set(LOGISTIC[method]) or not all(0 <= b < math.inf for b in coefficients.values()):
            raise ValueError(f"{method} needs a coefficient >= 0 of each of {', '.join(LOGISTIC[method])}")
        intercept = float(saved["intercept"])
        if not math.isfinite(intercept):
            raise ValueError("intercept is not finite")
        return LogisticMap(intercept, coefficients)
    if method == "isotonic":
        return IsotonicMap.of_knots(saved["confidence"], saved["probability"])
    raise ValueError(f"method is {method!r}, not one of {', '.join(METHODS)}")


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
