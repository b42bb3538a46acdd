"""How the AI's votes enter the iteration and the reported columns, by ai_mode [L25, Integrating model predictions]."""

from typing import Any, NamedTuple, Protocol

import numpy as np

from ...ai_votes import AI_MODES, AlignedAiVotes, counted_labels, disputes_with_ai, with_ai_as_user
from ...arrays import Counts, Flags, LabelCodes, Weights
from ...disputes import Disputes
from ...votes import Votes


class AiRole(NamedTuple):
    """The votes of a fit, the AI's among them as its mode says. With a weight of its own it has the code n_users."""

    votes: Votes
    deciding: Disputes  # disputed observations, and the votes that choose their labels
    # Disputed observations, and the votes that the columns derive from; those of `deciding` are among them.
    reported: Disputes
    ai_weight: float = 0.0  # weight of the AI's vote; 0 if it has no weight of its own
    # bool[n_observations]; the AI votes, and no user contradicts it. None where its weight adds to no label.
    joined: Flags | None = None
    ai_labels: LabelCodes | None = None  # int32[n_observations]; the labels of the AI where `joined`
    ai_user: int = -1  # the code of the AI if it is one of the users, else -1

    @classmethod
    def of_users(cls, votes: Votes) -> "AiRole":
        """The AI takes no part."""
        return cls(votes, votes.disputes, votes.disputes)

    @property
    def is_voter(self) -> bool:
        """Whether the iteration depends on the AI's votes."""
        return self.joined is not None or self.ai_user >= 0

    def unanimous_labels(self) -> LabelCodes:
        """int32[n_observations]; the label of unanimous observations, -1 without a vote; any label of the others."""
        labels = self.votes.first_labels
        if self.joined is not None and self.ai_labels is not None:
            np.copyto(labels, self.ai_labels, where=self.joined)
        return labels

    def weights_of(self, user_weights: Weights) -> Weights:
        """Weights by code in the disputes: float64[n_users], and after them the AI's if it has one of its own."""
        return np.append(user_weights, self.ai_weight) if self.ai_weight else user_weights

    def reported_votes(self, labels: LabelCodes) -> Disputes:
        """``reported`` without votes that count neither for nor against its ``labels``, int32 by dispute.

        Those are the AI's for the label, where its weight adds to none.
        """
        reported = self.reported
        if reported is self.deciding:
            return reported
        of_vote = np.repeat(labels, np.diff(reported.offsets))
        return reported.only((reported.users < self.votes.n_users) | (reported.labels != of_vote))

    def without_ai(self, weights: Weights) -> Weights:
        """Those of float64[n_users] that are not the AI's."""
        return weights if self.ai_user < 0 else np.delete(weights, self.ai_user)

    def n_labels_of_ai(self, reported: Disputes) -> Counts:
        """int32, by dispute: 1 where the AI, with a weight of its own, names a label no user does."""
        n = len(reported)
        if not self.ai_weight:
            return np.zeros(n, np.int32)
        candidates = reported.candidates
        by_user = np.bincount(candidates.of_vote, reported.users < self.votes.n_users, len(candidates))
        dispute = np.repeat(np.arange(n), np.diff(candidates.offsets))
        by_ai_alone = (candidates.n_votes > 0) & (by_user == 0)
        return np.bincount(dispute[by_ai_alone], minlength=n).astype(np.int32)


class AiMode(Protocol):
    """A mode: a named tuple of those parameters of the strategy that it depends on."""

    def __init__(self, **parameters: Any) -> None: ...

    def role(self, votes: Votes, ai: AlignedAiVotes) -> AiRole:
        """How the AI's votes take part."""


class Ignore(NamedTuple):
    """The AI takes no part."""

    def role(self, votes: Votes, ai: AlignedAiVotes) -> AiRole:
        """The users' votes only."""
        return AiRole.of_users(votes)


class User(NamedTuple):
    """The AI is one of the users, and earns its weight as they do."""

    def role(self, votes: Votes, ai: AlignedAiVotes) -> AiRole:
        """One user more."""
        votes, ai_user = with_ai_as_user(votes, ai)
        return AiRole(votes, votes.disputes, votes.disputes, ai_user=ai_user)


class Fixed(NamedTuple):
    """The AI's vote has a fixed weight; it earns no species."""

    ai_weight: float

    def role(self, votes: Votes, ai: AlignedAiVotes) -> AiRole:
        """Every vote of the AI's counts."""
        return _with_weight(votes, ai, ai.labels, self.ai_weight)


class Confident(NamedTuple):
    """The AI's vote has a fixed weight where its score reaches the threshold."""

    ai_weight: float
    ai_threshold: float

    def role(self, votes: Votes, ai: AlignedAiVotes) -> AiRole:
        """The AI's votes with a score of the threshold or more count."""
        counted = counted_labels(ai.labels, ai.scores, "confident", self.ai_threshold)
        return _with_weight(votes, ai, counted, self.ai_weight)


class Invalidating(NamedTuple):
    """The iteration ignores the AI; its weight counts in the end, against labels that are not its own."""

    ai_weight: float

    def role(self, votes: Votes, ai: AlignedAiVotes) -> AiRole:
        """The users decide, and the columns have the AI's objections."""
        reported, _ = disputes_with_ai(votes, ai.labels)
        return AiRole(votes, votes.disputes, reported, self.ai_weight)


MODES: dict[str, type[AiMode]] = dict(zip(AI_MODES, (Ignore, User, Fixed, Invalidating, Confident), strict=True))


def mode_of(parameters: Any) -> AiMode:
    """The mode ``parameters.ai_mode`` with those of the parameters that it depends on."""
    mode: Any = MODES[parameters.ai_mode]
    made: AiMode = mode(**{name: getattr(parameters, name) for name in mode._fields})
    return made


def _with_weight(votes: Votes, ai: AlignedAiVotes, counted: LabelCodes, ai_weight: float) -> AiRole:
    disputes, joined = disputes_with_ai(votes, counted)
    return AiRole(votes, disputes, disputes, ai_weight, joined, ai.labels)
