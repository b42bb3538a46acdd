"""What the fits of the built-in strategies have in common."""

from typing import ClassVar

from ..consensus import Consensus
from ..listeners import ProgressLike, listening
from ..progress import Progress
from ..side_inputs import VOTES_ONLY, SideInputs
from ..votes import Votes
from .base import check_takes


class BuiltIn:
    """A strategy that needs the votes alone; one that takes more has a ``fit`` of its own."""

    name: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()

    def fit(self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: ProgressLike = None) -> Consensus:
        """Estimate a label for every observation.

        ``progress``: True shows a bar, False does not, by default there is one in notebooks; or a listener. Raises
        ParameterError if an input is ``given`` that the strategy does not take.
        """
        check_takes(self, given.names)
        with listening(progress) as listener:
            return self._fit(votes, listener)

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        raise NotImplementedError
