"""What a strategy is: a frozen dataclass of its parameters, with ``fit(votes, given) -> Consensus``."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..errors import ParameterError
from ..progress import SILENT, Progress
from ..side_inputs import VOTES_ONLY, SideInputs

if TYPE_CHECKING:
    from ..consensus import Consensus
    from ..votes import Votes


class Strategy(Protocol):
    """From votes to a consensus."""

    name: ClassVar[str]
    takes: ClassVar[frozenset[str]]  # names of the `SideInputs` that `fit` uses

    def fit(self, votes: "Votes", given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> "Consensus":
        """Estimate a label for every observation.

        Raises ParameterError if an input is ``given`` that the strategy does not take.
        """


def check_takes(strategy: Strategy, names: Iterable[str], takers: Callable[[str], Sequence[str]] | None = None) -> None:
    """Raise ParameterError if ``names`` of side inputs has one that the strategy does not take.

    ``takers(name)`` are the names of the strategies that do, for the message.
    """
    for name in names:
        if name not in strategy.takes:
            others = " or ".join(takers(name)) if takers is not None else ""
            those = f"{name} are for the strategy {others}, not for" if others else f"{name} are not for the strategy"
            raise ParameterError(f"{those} {strategy.name}")
