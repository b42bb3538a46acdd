"""Shared by all calibrations: checks of the method and the expert observations, and cross-validation folds."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from ...arrays import Flags
from ...blocks import count
from ...errors import ParameterError, VotesError
from ...truth import KnownRows, LabelledRows, Truth, known_rows

FEWEST = 20  # minimum number of expert observations for a calibration
N_FOLDS = 5  # folds of the cross-validation


def check_method(method: str, methods: Collection[str], seed: int) -> None:
    """Raise ParameterError at an unknown method or a negative seed."""
    if method not in methods or seed < 0:
        raise ParameterError(f"method is {method!r} and seed {seed}, but must be one of {', '.join(methods)}, and >= 0")


def unknown_method(method: str, methods: Collection[str]) -> ValueError:
    """The error for an unknown method in a saved calibration."""
    return ValueError(f"method is {method!r}, not one of {', '.join(methods)}")


def enough_known(truth: Truth, source: LabelledRows, place: str, found: str, n_left_out: int = 0) -> KnownRows:
    """The rows of ``source`` that experts know, of which a calibration needs FEWEST.

    ``place`` names the source in messages; ``found`` says that ``{}`` observations are in it; ``n_left_out`` others are
    not in ``truth``, as the estimate has used their labels. Raises VotesError also if ids or
    labels have other types.
    """
    known = known_rows(truth, source, place)
    if known.rows.size < FEWEST:
        observations = f"{known.rows.size:,} of its {len(truth) + n_left_out:,} observations"
        remedy = "see that both use the same ids, or ask the experts for more"
        if n_left_out:
            remedy = "give labels that the run was not given"
        raise VotesError(
            f"{found.format(observations)}, and a calibration needs {FEWEST}", where=truth.origin, remedy=remedy
        )
    return known


def fitted_on_in_words(fitted_on: Mapping[str, Any]) -> str:
    """The expert observations that a calibration was fitted on, as far as they are known."""
    n, right = fitted_on.get("observations"), fitted_on.get("right")
    if not isinstance(n, int) or not isinstance(right, int) or not n:
        return "fitted on observations that it does not name"
    used = fitted_on.get("used")
    left_out = f"; {used:,} more left out, as the estimate has used their labels" if isinstance(used, int) else ""
    found = f"{right:,} labelled right ({100 * right / n:.1f} %)"
    return f"fitted on {count(n, 'observation')} known to experts, {found}{left_out}"


def folds(n: int, seed: int) -> Iterator[Flags]:
    """Which of ``n`` observations are held out, bool[n], in each of N_FOLDS random folds."""
    fold = np.random.default_rng(seed).permutation(n) % N_FOLDS
    for k in range(N_FOLDS):
        yield fold == k
