"""Inputs of a strategy beside the votes. A strategy's ``takes`` names the inputs that it uses."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ai_votes import AiVotes
    from .truth import Truth
    from .user_weights import UserWeights


@dataclass(frozen=True, eq=False, kw_only=True)
class SideInputs:
    """Inputs beside the votes; None if not given. Each has the name of the setting that names its files."""

    user_weights: "UserWeights | None" = None  # fixed and minimum weights of users
    ai_votes: "AiVotes | None" = None  # the AI's label and score for some observations
    experts: "Truth | None" = None  # experts' labels, which the estimate holds fixed

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs that are given."""
        return tuple(item.name for item in fields(self) if getattr(self, item.name) is not None)

    def only(self, names: Collection[str]) -> "SideInputs":
        """The inputs among ``names``, without the others."""
        return type(self)(**{name: getattr(self, name) for name in self.names if name in names})


VOTES_ONLY = SideInputs()  # no side inputs
