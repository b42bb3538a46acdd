"""From a user's number of species to the weight of the user's vote [L25, table of weight functions]."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...arrays import Counts, Weights


class WeightFunction(NamedTuple):
    """A weight function, its formula in words, and the threshold theta_conf that goes with it."""

    formula: str
    theta_conf: float
    weight: Callable[[float, float, float], float]  # (n, alpha, beta) -> weight less gamma


WEIGHT_FUNCTIONS = {
    "power-difference": WeightFunction("n^alpha - n^beta + gamma", 2.0, lambda n, alpha, beta: n**alpha - n**beta),
    "linear": WeightFunction("n + gamma", 8.75, lambda n, _alpha, _beta: n),
    "square-root": WeightFunction("n^0.5 + gamma", 3.6, lambda n, _alpha, _beta: n**0.5),
    "three-quarters": WeightFunction("n^0.75 + gamma", 5.5, lambda n, _alpha, _beta: n**0.75),
    "square": WeightFunction("n^2 + gamma", 64.75, lambda n, _alpha, _beta: n**2),
    "logarithm": WeightFunction("log(n) + gamma, log 0 := 0", 2.82, lambda n, _alpha, _beta: math.log(n) if n else 0.0),
}


def weights_of(species: Counts, function: WeightFunction, alpha: float, beta: float, gamma: float) -> Weights:
    """The weight of users with int32[n] ``species``: float64[n].

    Each distinct count is computed once, by Python's own power function, so that a weight depends neither on the
    other users nor on the vector width of the machine.
    """
    present = np.flatnonzero(np.bincount(species))
    table = np.zeros(int(present[-1]) + 1 if present.size else 1)
    for n in present.tolist():
        table[n] = function.weight(float(n), alpha, beta) + gamma
    return table[species]
