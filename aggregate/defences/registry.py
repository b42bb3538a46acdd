"""The defences by name: a line each."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ..arrays import Weights
from ..progress import Progress
from ..schema import Table
from .base import Defence, Examined, FirstConsensus
from .parrots import PARROTS

DEFENCES: dict[str, Defence] = {"parrots": PARROTS}
"""Name -> defence. A strategy applies those that it has a parameter of the same name for."""


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
