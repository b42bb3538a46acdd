"""What the built-in strategies have in common."""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..consensus import Consensus
from ..expert_labels import with_expert_labels
from ..frames import Frame, Series
from ..listeners import ProgressLike, listening
from ..progress import Progress
from ..side_inputs import VOTES_ONLY, SideInputs
from ..votes import Votes
from .base import side_inputs_of


class BuiltIn:
    """A strategy of votes, and experts' labels if it takes any; one that takes more has a ``fit`` of its own."""

    name: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()

    def fit(
        self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: ProgressLike = None, **others: Any
    ) -> Consensus:
        """Estimate a label for every observation.

        Models of probabilities take ``experts``, a Truth, as a keyword or among what is ``given``: labels that the
        estimate holds fixed. ``progress``: True shows a bar, False does not, by default there is one in notebooks; or a
        listener. Raises ParameterError if an input is ``given``, or among ``others``, that the strategy does not take,
        VotesError if nobody voted on what experts labelled, or their ids or labels have other types than the votes',
        and TypeError if ``votes`` are none: :meth:`fit_predict` takes frames.
        """
        experts = side_inputs_of(self, votes, given, others).experts
        votes = votes.without_experts if experts is None else with_expert_labels(votes, experts)
        with listening(progress) as listener:
            return self._fit(votes, listener)

    def fit_predict(
        self,
        votes: "Votes | Frame | Any",
        *,
        columns: Mapping[str, str] | None = None,
        progress: ProgressLike = None,
        **others: Any,
    ) -> Series:
        """The label of every observation, as a pandas Series whose index has their ids, sorted; as in crowd-kit.

        ``votes`` are votes, a frame of them as :func:`votes_from_table` takes (so with the names of crowd-kit, too:
        task, worker, label), or an array of two dimensions as :func:`votes_from_matrix` takes. ``columns`` maps our
        names to the frame's own; the index has the frame's name of ``observation_id``. ``others`` are further arguments
        of :meth:`fit`; side inputs among them may be frames. Raises as these do.

        >>> from plant_aggregate import Majority
        >>> crowd = {"task": [7, 7, 7, 9], "worker": ["a", "b", "c", "a"], "label": ["Acer", "Acer", "Ilex", "Ilex"]}
        >>> Majority().fit_predict(crowd).to_dict()
        {7: 'Acer', 9: 'Ilex'}
        >>> from plant_aggregate import OneCoin
        >>> OneCoin().fit_predict(crowd, experts={"observation_id": [7], "label": ["Ilex"]}).to_dict()
        {7: 'Ilex', 9: 'Ilex'}
        """
        from ..ingest.given import named_votes, side_input

        taken, name = named_votes(votes, columns)
        inputs = {other: side_input(other, value) for other, value in others.items()}
        return self.fit(taken, progress=progress, **inputs).labels_to_pandas(name)

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        raise NotImplementedError
