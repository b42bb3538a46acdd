"""One of the other strategies, chosen by what the log of votes is like."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

from .. import shared_parameters as common
from ..blocks import count
from ..consensus import Consensus, StrategyChoice
from ..derived.thresholds import Thresholds
from ..errors import warn
from ..listeners import ProgressLike, listening
from ..side_inputs import VOTES_ONLY, SideInputs
from ..votes import Votes
from .base import Strategy, side_inputs_of
from .built_in import BuiltIn
from .dawid_skene import DawidSkene
from .kinds import Kinds
from .plantnet.strategy import PlantNet

SPECIES_LABELS = 1000
"""A log with this many labels or more is one of species."""


class Taken(NamedTuple):
    """The strategy that a log calls for, and why."""

    strategy: Strategy
    reason: str

    @property
    def in_words(self) -> str:
        """``kinds: 2 labels``."""
        return f"{self.strategy.name}: {self.reason}"


@dataclass(frozen=True, repr=False)
class Auto(BuiltIn, Thresholds):
    """The strategy that fits the log: the first of these rules that applies.

    1. ``plantnet`` if the AI's votes or users' weights are given: it alone takes them.
    2. ``kinds`` if there are two labels, or one.
    3. ``plantnet`` if any vote is marked as an author's, or there are 1,000 labels or more: a log of species.
    4. ``dawid-skene`` for all others.

    The strategy has its own defaults, and the thresholds and weight that are given here. The rules look at what the log
    holds, never at how well a model fits it: on crowds whose truth is known the likelihood of the votes prefers the
    wrong one.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default: that of the strategy it takes.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        expert_weight: how often votes on observations that experts labelled count in what is learnt of users. In
            [0.001, 1e6], with experts, default 1.

    >>> from plant_aggregate import Auto, votes_from_table
    >>> votes = votes_from_table({"observation_id": [7, 7], "user_id": ["a", "b"], "label": ["Acer", "Acer"]})
    >>> Auto().fit(votes).strategy
    'kinds'
    """

    name: ClassVar[str] = "auto"
    takes: ClassVar[frozenset[str]] = PlantNet.takes | DawidSkene.takes

    theta_conf: float = common.theta_conf(None, unset="that of the strategy it takes")
    expert_weight: float = common.expert_weight()

    def taken(self, votes: Votes, given: SideInputs | None = None) -> Taken:
        """The strategy for these votes and side inputs, with those parameters of this one that it has, and why."""
        for name in () if given is None else given.names:
            if name not in DawidSkene.takes:
                return Taken(self._made(PlantNet), f"{name} are given")
        labels = count(votes.n_labels, "label")
        if votes.n_labels <= 2:
            return Taken(self._made(Kinds), labels)
        if votes.n_labels >= SPECIES_LABELS:
            return Taken(self._made(PlantNet), labels)
        if votes.has_authors:
            return Taken(self._made(PlantNet), "votes are marked as their authors'")
        return Taken(self._made(DawidSkene), f"{labels}, no vote is marked as an author's")

    def fit(
        self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: ProgressLike = None, **others: Any
    ) -> Consensus:
        """Fit the strategy that these votes call for; the consensus is its, and ``choice`` says why.

        Arguments and errors are those of the strategy.
        """
        given = side_inputs_of(self, votes, given, others)
        taken = self.taken(votes, given)
        with listening(progress) as listener:
            listener.note(f"{self.name} takes {taken.in_words}")
            if given.experts is not None and self.expert_weight != 1 and not hasattr(taken.strategy, "expert_weight"):
                warn(f"expert_weight has no effect: {self.name} takes {taken.strategy.name}, which has no such weight")
            found = taken.strategy.fit(votes, given, progress=listener)
        return replace(found, choice=StrategyChoice(self.name, taken.reason))

    def _made(self, kind: type[Any]) -> Strategy:
        names = {item.name for item in fields(kind)}
        own = {name: value for name, value in asdict(self).items() if name in names and value is not None}
        made: Strategy = kind(**own)
        return made
