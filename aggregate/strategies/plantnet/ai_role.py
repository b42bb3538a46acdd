"""Whose votes make the labels, and whose judge them in the end: the users', and the AI's as its mode has it."""

from dataclasses import dataclass

import numpy as np

from ...ai_votes import AiOpinions, Debate, with_ai_as_user
from ...arrays import Counts, Flags, Indices, LabelCodes, Weights
from ...disputes import Disputes
from ...votes import Votes


@dataclass(frozen=True, eq=False)
class Forum:
    """The votes that the iteration goes by, and those by which its outcome is judged. The AI has the user code n_users.

    Both are the same but where the AI may object only: then its votes are among the latter.
    """

    votes: Votes
    arguing: Disputes
    """Observations whose label has to be chosen, and the votes that choose it."""
    judging: Disputes
    """Observations on which there is more than one opinion in the end; those of ``arguing`` are among them."""
    joined: Flags | None = None
    """bool[n_observations]; nobody contradicts the AI, and its weight adds to the label's."""
    ai_weight: float = 0.0
    ai_user: int = -1
    """The code of the AI, where it is one of the users; else -1."""
    ai_votes: Indices | None = None
    """Positions of votes among ``judging`` that count only where they contradict the label."""
    ai_disputes: Indices | None = None
    """The dispute that each of these belongs to."""

    @classmethod
    def of_users(cls, votes: Votes) -> "Forum":
        """The AI keeps silent."""
        return cls(votes, votes.disputes, votes.disputes)

    @classmethod
    def of_users_and_ai(cls, votes: Votes, opinions: AiOpinions) -> "Forum":
        """The AI is one of the users."""
        votes, ai_user = with_ai_as_user(votes, opinions)
        return cls(votes, votes.disputes, votes.disputes, ai_user=ai_user)

    @classmethod
    def with_ai(cls, votes: Votes, heard: LabelCodes, ai_weight: float) -> "Forum":
        """The AI's vote has a fixed weight; ``heard`` int32[n_observations] are its labels, -1 where it has no vote."""
        debate = Debate.of(votes, heard)
        return cls(votes, debate.disputes, debate.disputes, debate.joined, ai_weight)

    @classmethod
    def with_ai_objecting(cls, votes: Votes, heard: LabelCodes, ai_weight: float) -> "Forum":
        """The AI has no part in the iteration; in the end its weight counts against labels that are not its own."""
        debate = Debate.of(votes, heard)
        ai_votes = np.flatnonzero(debate.is_ai)
        of_votes = np.repeat(np.arange(len(debate.disputes)), np.diff(debate.disputes.offsets))
        return cls(
            votes,
            votes.disputes,
            debate.disputes,
            ai_weight=ai_weight,
            ai_votes=ai_votes,
            ai_disputes=of_votes[ai_votes],
        )

    def undisputed_labels(self, opinions: AiOpinions | None) -> LabelCodes:
        """The label of observations on which there is one opinion; anything on the others, -1 where there is none."""
        labels = self.votes.first_labels
        if self.joined is not None and opinions is not None:
            np.copyto(labels, opinions.labels, where=self.joined)
        return labels

    def with_ai_weight(self, weights: Weights) -> Weights:
        """The weights of the users, and after them the AI's."""
        return np.append(weights, self.ai_weight) if self.has_ai else weights

    @property
    def objector(self) -> int:
        """The user code whose votes count only against a label; -1 for nobody."""
        return -1 if self.ai_votes is None else self.votes.n_users

    def counting(self, weights: Weights, labels: LabelCodes) -> Weights:
        """Weights of the votes of ``judging``; 0 for those that speak neither for nor against ``labels``."""
        vote_weights = self.judging.vote_weights(self.with_ai_weight(weights))
        if self.ai_votes is not None and self.ai_disputes is not None:
            agrees = self.judging.labels[self.ai_votes] == labels[self.ai_disputes]
            vote_weights[self.ai_votes[agrees]] = 0.0
        return vote_weights

    @property
    def only_by_ai(self) -> Counts:
        """int32, by dispute of ``judging``: 1 where the AI names a label that no user does."""
        n = len(self.judging)
        if not self.has_ai:
            return np.zeros(n, np.int32)
        candidates = self.judging.candidates
        by_user = np.bincount(candidates.of_vote, weights=self.judging.users < self.votes.n_users)
        owner = np.repeat(np.arange(n), np.diff(candidates.offsets))
        return np.bincount(owner[by_user == 0], minlength=n).astype(np.int32)

    @property
    def has_ai(self) -> bool:
        """Whether the AI has a say of its own."""
        return self.ai_weight > 0.0
