"""From the AI's score to the probability that its label is right.

[G17] Guo, Pleiss, Sun and Weinberger 2017, On calibration of modern neural networks, ICML: temperature scaling. Only
the score of the label that the AI names is known, not those of all labels, so its log-odds are scaled.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...ai_votes import AiVotes
from ...arrays import Flags, Floats
from ...arrow import to_arrow
from ...errors import ParameterError, VotesError
from ...measures import brier_score, calibration_error, log_loss, reliability
from ...truth import Truth, check_kinds, check_labels, codes_among, rows_of
from ...votes import Votes
from .labels import EDGE, FEWEST, N_FOLDS, IsotonicMap

FORMAT = "plant-aggregate AI calibration 1"
"""The first line of a saved calibration; another number, another meaning."""

METHODS = ("isotonic", "temperature")
"""``isotonic``: the rising function that fits best; ``temperature``: log-odds divided by one number [G17]."""

N_BINS = 10
"""Of the reliability curve."""

HOTTEST = 100.0
"""Temperatures are sought between 1 / HOTTEST and HOTTEST."""


@dataclass(frozen=True)
class TemperatureMap:
    """log-odds(calibrated) = log-odds(score) / temperature."""

    temperature: float

    def __call__(self, scores: Floats) -> Floats:
        """The calibrated scores, float64[n] in (0, 1)."""
        inner = np.clip(scores, EDGE, 1 - EDGE)
        calibrated: Floats = 1 / (1 + np.exp((np.log1p(-inner) - np.log(inner)) / self.temperature))
        return calibrated

    @classmethod
    def fit(cls, scores: Floats, right: Flags) -> "TemperatureMap":
        """Maximum likelihood."""
        from scipy.optimize import minimize_scalar

        once = np.ones(right.size)

        def loss(log_temperature: float) -> float:
            calibrated = cls(math.exp(log_temperature))(scores)
            return float(log_loss(np.clip(calibrated, EDGE, 1 - EDGE), right, once))

        limit = math.log(HOTTEST)
        return cls(math.exp(minimize_scalar(loss, bounds=(-limit, limit), method="bounded").x))


@dataclass(frozen=True)
class ScoreMap:
    """An isotonic map of scores."""

    knots: IsotonicMap

    def __call__(self, scores: Floats) -> Floats:
        """The calibrated scores, float64[n]."""
        return self.knots({"confidence": scores})


@dataclass(frozen=True)
class Bin:
    """A bin of a reliability curve."""

    low: float
    high: float
    observations: int
    mean_score: float
    share_right: float


@dataclass(frozen=True)
class Quality:
    """How well scores say how often the AI is right."""

    calibration_error: float
    log_loss: float
    brier_score: float
    curve: Sequence[Bin]

    @classmethod
    def of(cls, scores: Floats, right: Flags) -> "Quality":
        """Of float64[n] ``scores`` of labels that are ``right`` bool[n] or not."""
        once = np.ones(right.size)
        edges = np.linspace(0, 1, N_BINS + 1).tolist()
        filled = [
            Bin(edges[b], edges[b + 1], int(size), float(mean), float(share))
            for b, (size, mean, share) in enumerate(zip(*reliability(scores, right, N_BINS), strict=True))
            if size
        ]
        return cls(
            float(calibration_error(scores, right, once)),
            float(log_loss(np.clip(scores, EDGE, 1 - EDGE), right, once)),
            float(brier_score(scores, right, once)),
            tuple(filled),
        )


@dataclass(frozen=True)
class Comparison:
    """Scores before and after, on some of the expert observations."""

    name: str
    observations: int
    right: int
    """Where the AI's label is the experts'."""
    before: Quality
    after: Quality
    """Of scores calibrated without the observations they are of: cross-validated."""


@dataclass(frozen=True)
class AiCalibration:
    """A map from the AI's score to the probability that its label is right, and how well it does."""

    method: str
    map: TemperatureMap | ScoreMap
    fitted_on: Mapping[str, Any]
    """What it was fitted on: the AI's votes, the truth, observations, how many right."""
    comparisons: Sequence[Comparison] = ()
    """On all expert observations; where votes were given, also on those that users disagree on."""

    def apply_to(self, ai_votes: AiVotes) -> AiVotes:
        """The same votes with calibrated scores."""
        return replace(ai_votes, scores=np.clip(self.map(ai_votes.scores), 0.0, 1.0))

    def to_dict(self) -> dict[str, Any]:
        """As it is saved."""
        if isinstance(self.map, TemperatureMap):
            saved: dict[str, Any] = {"temperature": self.map.temperature}
        else:
            saved = {"score": list(self.map.knots.confidence), "calibrated": list(self.map.knots.probability)}
        return {
            "format": FORMAT,
            "method": self.method,
            "map": saved,
            "fitted_on": dict(self.fitted_on),
            "comparisons": [_plain(comparison) for comparison in self.comparisons],
        }

    def to_json(self) -> str:
        """As it is saved."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, origin: str) -> "AiCalibration":
        """A saved calibration, without its comparisons; ``origin`` names it in messages. Raises VotesError."""
        try:
            saved = json.loads(text)
            if saved["format"] != FORMAT:
                raise ValueError(f"format is {saved['format']!r}, not {FORMAT!r}")
            return cls(saved["method"], _map_of(saved["method"], saved["map"]), {**saved["fitted_on"]})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]
            raise VotesError(
                f"is not a calibration of AI scores ({reason})",
                where=origin,
                remedy="make one with plant-aggregate calibrate-ai",
            ) from error


def calibrate_ai(
    ai_votes: AiVotes, truth: Truth, *, votes: Votes | None = None, method: str = "isotonic", seed: int = 0
) -> AiCalibration:
    """Fit P(the AI's label is right) on the observations that experts know.

    ``method`` is one of METHODS. With ``votes`` the scores are also compared on the observations where users disagree.
    ``seed`` draws the folds of the cross-validation. Raises VotesError if the AI votes on fewer than FEWEST expert
    observations, names no label of the experts, or ids or labels have other types; ParameterError on an unknown method.
    """
    if method not in METHODS or seed < 0:
        raise ParameterError(f"method is {method!r} and seed {seed}, but must be one of {', '.join(METHODS)}, and >= 0")
    check_kinds(truth, ai_votes.observation_ids.type, ai_votes.label_names.type, ai_votes.origin)
    rows, truth_rows = rows_of(ai_votes.observation_ids, truth.observation_ids)
    if rows.size < FEWEST:
        raise VotesError(
            f"the AI votes on {rows.size:,} of its {len(truth):,} observations, and a calibration needs {FEWEST}",
            where=truth.origin,
            remedy="see that both use the same ids, or ask the experts for more",
        )
    check_labels(truth.at(np.sort(truth_rows)), ai_votes.label_names, "the AI's votes", needed=True)
    scores = ai_votes.scores[rows]
    true = codes_among(ai_votes.label_names, truth.labels.take(to_arrow(truth_rows)))
    right: Flags = ai_votes.labels[rows] == true
    held_out = _cross_validated(method, scores, right, seed)
    subsets = {"all": np.ones(right.size, np.bool_)}
    if votes is not None:
        subsets["users disagree"] = _disputed(votes, ai_votes, rows)
    comparisons = [
        Comparison(
            name,
            int(chosen.sum()),
            int(right[chosen].sum()),
            Quality.of(scores[chosen], right[chosen]),
            Quality.of(held_out[chosen], right[chosen]),
        )
        for name, chosen in subsets.items()
        if chosen.any()
    ]
    about = {
        "ai_votes": ai_votes.origin,
        "truth": truth.origin,
        "observations": right.size,
        "right": int(right.sum()),
    }
    return AiCalibration(method, _fit(method, scores, right), about, tuple(comparisons))


def _disputed(votes: Votes, ai_votes: AiVotes, rows: Any) -> Flags:
    """Which of the ``rows`` of the AI's votes are observations that users disagree on."""
    ids = votes.observation_ids.take(to_arrow(votes.disputes.observations))
    found, _ = rows_of(ai_votes.observation_ids, ids)
    return np.isin(rows, found)


def _cross_validated(method: str, scores: Floats, right: Flags, seed: int) -> Floats:
    """The score of each observation, calibrated on the other folds."""
    fold = np.random.default_rng(seed).permutation(right.size) % N_FOLDS
    calibrated = np.empty(right.size)
    for k in range(N_FOLDS):
        out = fold == k
        calibrated[out] = _fit(method, scores[~out], right[~out])(scores[out])
    return calibrated


def _fit(method: str, scores: Floats, right: Flags) -> TemperatureMap | ScoreMap:
    if method == "temperature":
        return TemperatureMap.fit(scores, right)
    return ScoreMap(IsotonicMap.fit({"confidence": scores}, right))


def _map_of(method: str, saved: Mapping[str, Any]) -> TemperatureMap | ScoreMap:
    """Raises ValueError, KeyError or TypeError if ``saved`` is no map of this method."""
    if method == "temperature":
        temperature = float(saved["temperature"])
        if not 1 / HOTTEST <= temperature <= HOTTEST:
            raise ValueError(f"temperature is {temperature} but must be in [{1 / HOTTEST:g}, {HOTTEST:g}]")
        return TemperatureMap(temperature)
    if method == "isotonic":
        return ScoreMap(IsotonicMap.of_knots(saved["score"], saved["calibrated"]))
    raise ValueError(f"method is {method!r}, not one of {', '.join(METHODS)}")


def _plain(value: Any) -> Any:
    """Data classes as dictionaries, all the way down."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(item) for name, item in vars(value).items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
