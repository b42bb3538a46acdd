"""Functions from a score, or from features, to the probability of being right, fitted to what was right.

[P99] Platt 1999, Probabilistic outputs for support vector machines. [ZE02] Zadrozny and Elkan 2002, Transforming
classifier scores into accurate multiclass probability estimates, KDD. [G17] Guo, Pleiss, Sun and Weinberger 2017, On
calibration of modern neural networks, ICML: temperature scaling.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...arrays import Flags, Floats
from ...measures import log_loss
from ...reprs import short_repr

Features: TypeAlias = Mapping[str, Floats]  # numbers by name: float64[n] each
EDGE = 1e-6  # minimum distance of probabilities from 0 and 1, so that their logarithms are finite

RIDGE = 1.0
"""Penalty on the squared coefficients of standardised features: keeps them finite where the labels are all right."""

HOTTEST = 100.0  # temperatures are searched between 1 / HOTTEST and HOTTEST


def inner(probabilities: Floats) -> Floats:
    """Probabilities moved to at least EDGE from 0 and 1: float64[n]."""
    return np.clip(probabilities, EDGE, 1 - EDGE)


@dataclass(frozen=True)
class LogisticMap:
    """P(right) = 1 / (1 + exp(-(intercept + sum of coefficient x feature)))."""

    intercept: float
    # By feature; none is negative, so that more evidence never makes a label less probable.
    coefficients: Mapping[str, float]

    __repr__ = short_repr

    def __call__(self, features: Features) -> Floats:
        """The probabilities, float64[n]."""
        score: Floats = np.full(len(next(iter(features.values()))), self.intercept)
        for name, coefficient in self.coefficients.items():
            score += coefficient * features[name]
        probability: Floats = 1 / (1 + np.exp(-score))
        return probability

    @classmethod
    def fit(cls, features: Features, right: Flags) -> "LogisticMap":
        """Maximum likelihood under a ridge penalty, no coefficient negative, with the targets of [P99].

        Those are (n1 + 1) / (n1 + 2) for the n1 right labels and 1 / (n0 + 2) for the n0 wrong ones, not 1 and 0.
        """
        from scipy.optimize import minimize

        values = np.stack(list(features.values()), axis=1)
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

    def to_dict(self) -> dict[str, Any]:
        """The contents of the saved file."""
        return {"intercept": self.intercept, "coefficients": dict(self.coefficients)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any], method: str, features: Sequence[str]) -> "LogisticMap":
        """A map of these features that was saved. Raises ValueError, KeyError, TypeError or AttributeError."""
        coefficients = {name: float(value) for name, value in saved["coefficients"].items()}
        if set(coefficients) != set(features) or not all(0 <= b < math.inf for b in coefficients.values()):
            raise ValueError(f"{method} needs a coefficient >= 0 of each of {', '.join(features)}")
        intercept = float(saved["intercept"])
        if not math.isfinite(intercept):
            raise ValueError("intercept is not finite")
        return cls(intercept, coefficients)


@dataclass(frozen=True)
class IsotonicMap:
    """P(right) rises with the score through the knots, straight between them, level beyond."""

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    __repr__ = short_repr

    def __call__(self, scores: Floats) -> Floats:
        """The probabilities, float64[n]."""
        return np.asarray(np.interp(scores, self.scores, self.probabilities))

    @classmethod
    def fit(cls, scores: Floats, right: Flags) -> "IsotonicMap":
        """Pool adjacent violators [ZE02]; a first block of 0 and a last of 1 get (right + 1) / (size + 2) instead."""
        from scipy.optimize import isotonic_regression

        levels, places = np.unique(scores, return_inverse=True)
        size = np.bincount(places).astype(np.float64)
        n_right = np.bincount(places, weights=right)
        pooled = isotonic_regression(n_right / size, weights=size)
        starts, values = pooled.blocks[:-1], pooled.x[pooled.blocks[:-1]]
        sizes = np.add.reduceat(size, starts)
        between = values[(values > 0) & (values < 1)]
        values = np.where(values <= 0, min(1 / (sizes[0] + 2), *between[:1], 1.0), values)
        values = np.where(values >= 1, max((sizes[-1] + 1) / (sizes[-1] + 2), *between[-1:], 0.0), values)
        ends = np.append(starts[1:], levels.size) - 1
        knots = np.unique(np.concatenate([starts, ends]))
        heights = np.repeat(values, ends - starts + 1)
        return cls(tuple(levels[knots].tolist()), tuple(heights[knots].tolist()))

    def to_dict(self, scores: str, probabilities: str) -> dict[str, Any]:
        """As it is saved, under these two names."""
        return {scores: list(self.scores), probabilities: list(self.probabilities)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any], scores: str, probabilities: str) -> "IsotonicMap":
        """A map that was saved. Raises ValueError, KeyError or TypeError if these are no knots of one."""
        knots = [tuple(float(value) for value in values) for values in (saved[scores], saved[probabilities])]
        ascending = all(
            list(values) == sorted(values) and 0 <= values[0] <= values[-1] <= 1 for values in knots if values
        )
        if not knots[0] or len(knots[0]) != len(knots[1]) or not ascending:
            raise ValueError("knots are not pairs that rise within [0, 1]")
        return cls(*knots)


@dataclass(frozen=True)
class TemperatureMap:
    """log-odds(P(right)) = log-odds(score) / temperature [G17]."""

    temperature: float

    def __call__(self, scores: Floats) -> Floats:
        """The probabilities, float64[n] in (0, 1)."""
        clipped = inner(scores)
        probabilities: Floats = 1 / (1 + np.exp((np.log1p(-clipped) - np.log(clipped)) / self.temperature))
        return probabilities

    @classmethod
    def fit(cls, scores: Floats, right: Flags) -> "TemperatureMap":
        """Maximum likelihood."""
        from scipy.optimize import minimize_scalar

        once = np.ones(right.size)

        def loss(log_temperature: float) -> float:
            return float(log_loss(inner(cls(math.exp(log_temperature))(scores)), right, once))

        limit = math.log(HOTTEST)
        return cls(math.exp(minimize_scalar(loss, bounds=(-limit, limit), method="bounded").x))

    def to_dict(self) -> dict[str, Any]:
        """The contents of the saved file."""
        return {"temperature": self.temperature}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "TemperatureMap":
        """A map that was saved. Raises ValueError, KeyError or TypeError."""
        temperature = float(saved["temperature"])
        if not 1 / HOTTEST <= temperature <= HOTTEST:
            raise ValueError(f"temperature is {temperature} but must be in [{1 / HOTTEST:g}, {HOTTEST:g}]")
        return cls(temperature)
