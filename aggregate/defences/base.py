"""What a defence is: a function from a first consensus to factors on the users' weights."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ..ai_votes import AlignedAiVotes
from ..arrays import Flags, LabelCodes, Weights
from ..progress import Progress
from ..schema import Table
from ..votes import Votes


class FirstConsensus(NamedTuple):
    """The input of a defence: the votes, a consensus of the users without the AI, and the AI's votes."""

    votes: Votes
    labels: LabelCodes  # int32[n_observations]
    valid: Flags  # bool[n_observations]
    ai: AlignedAiVotes | None = None
    ai_user: int = -1  # the code of the AI if it is one of the users, else -1


class Examined(NamedTuple):
    """What a defence has found; by default nothing."""

    table: Table = ()  # the columns that users have of it
    # Those of `table`; arrays of n_users items, NaN for null.
    columns: Mapping[str, NDArray[Any]] = MappingProxyType({})
    # float64[n_users] in [0, 1], to multiply the users' weights with; None leaves all as they are.
    factors: Weights | None = None


class Defence(NamedTuple):
    """A defence; the parameter of a strategy that has its name takes one of its ``modes``."""

    modes: tuple[str, ...]
    # (first consensus, mode, progress) -> findings; deterministic, whatever the order of the votes.
    examine: Callable[[FirstConsensus, str, Progress], Examined]
