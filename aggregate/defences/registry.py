"""The defences by name: a line each, and a parameter of that name in each strategy that applies it."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ..arrays import Weights
from ..progress import Progress
from ..schema import Table
from .base import Defence, Examined, FirstConsensus
from .parrots import PARROTS

DEFENCES: dict[str, Defence] = {"parrots": PARROTS}
"""Name -> defence. A strategy that calls :func:`examine` applies those that it has a parameter of the same name for.

A plain table, not a ``Registry``: a defence has no effect without a strategy that has its parameter, and whose choices,
the defence's modes, are known when the strategy is defined. A package that defines both adds its defence here.
"""


def examine(modes: Mapping[str, str], first: FirstConsensus, progress: Progress) -> Examined:
    """What the defences find together, each in the mode that ``modes`` has for its name; factors multiply."""
    table: Table = ()
    columns: dict[str, NDArray[Any]] = {}
    factors: Weights | None = None
    for name, defence in DEFENCES.items():
        if name in modes:
            found = defence.examine(first, modes[name], progress)
            table += found.table
            columns |= found.columns
            if found.factors is not None:
                factors = found.factors if factors is None else factors * found.factors
    return Examined(table, columns, factors)
