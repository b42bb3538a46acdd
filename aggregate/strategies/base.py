"""What a strategy is: a frozen dataclass of its parameters, with ``fit(votes, given) -> Consensus``.

A parameter is a dataclass field made with :func:`parameter`, which holds its range, unit and meaning: the check on
construction, the command line's options and run.json all read it there.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..errors import ParameterError
from ..progress import SILENT, Progress
from ..side_inputs import VOTES_ONLY, SideInputs

if TYPE_CHECKING:
    from ..consensus import Consensus
    from ..votes import Votes


class Strategy(Protocol):
    """From votes to a consensus."""

    name: ClassVar[str]
    takes: ClassVar[frozenset[str]]
    """Names of the ``SideInputs`` that ``fit`` uses."""

    def __init__(self, **parameters: Any) -> None:
        """Raises ParameterError if a parameter is out of its range."""

    def fit(self, votes: "Votes", given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> "Consensus":
        """Estimate a label for every observation.

        Raises ParameterError if an input is ``given`` that the strategy does not take.
        """


@dataclass(frozen=True)
class Parameter:
    """What a parameter means, in words and as a check."""

    help: str
    range: str
    holds: Callable[[Any], bool]
    choices: tuple[str, ...] = ()


def parameter(default: Any, help: str, range: str, holds: Callable[[Any], bool]) -> Any:
    """A number with a range: ``holds(value)`` says whether a value is in it, ``range`` says it in words."""
    return field(default=default, metadata={"parameter": Parameter(help, range, holds)})


def choice(default: str, help: str, choices: tuple[str, ...]) -> Any:
    """A parameter that takes one of a few words."""
    known = Parameter(help, f"one of {', '.join(choices)}", choices.__contains__, choices)
    return field(default=default, metadata={"parameter": known})


def check_parameters(strategy: Any) -> None:
    """Raise ParameterError naming every parameter that is out of its range; None passes where it is the default."""
    faults = []
    for item in fields(strategy):
        value = getattr(strategy, item.name)
        known: Parameter = item.metadata["parameter"]
        if value is None and item.default is None:
            continue
        finite = not isinstance(value, float) or math.isfinite(value)
        if not (finite and known.holds(value)):
            faults.append(f"{item.name} is {value!r} but must be {known.range}")
    if faults:
        raise ParameterError("; ".join(faults))


def check_takes(strategy: Strategy, names: Iterable[str], takers: Callable[[str], Sequence[str]] | None = None) -> None:
    """Raise ParameterError if ``names`` of side inputs has one that the strategy does not take.

    ``takers(name)`` are the names of the strategies that do, for the message.
    """
    for name in names:
        if name not in strategy.takes:
            others = " or ".join(takers(name)) if takers is not None else ""
            those = f"{name} are for the strategy {others}, not for" if others else f"{name} are not for the strategy"
            raise ParameterError(f"{those} {strategy.name}")
