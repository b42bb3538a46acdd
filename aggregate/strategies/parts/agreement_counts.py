"""Agreement of each user's votes with the labels: what wawa, iwmv and zero-based-skill weigh users by."""

import numpy as np

from ...arrays import Counts, LabelCodes, Weights
from ...votes import Votes


class AgreementCounter:
    """Counts each user's votes that equal the labels, of which only those of disputed observations can change."""

    def __init__(self, votes: Votes) -> None:
        disputes = votes.disputes
        self.votes = votes
        self.n_votes: Counts = votes.n_votes_of_users.astype(np.int32)
        self._disputed_of_vote = np.repeat(np.arange(len(disputes)), np.diff(disputes.offsets))
        self._undisputed = votes.n_undisputed_of_users.astype(np.int32)

    def count(self, labels: LabelCodes) -> Counts:
        """Votes that equal the label: int32[n_users]; ``labels`` are those of the disputed observations."""
        disputes = self.votes.disputes
        agreeing = disputes.users[disputes.labels == labels[self._disputed_of_vote]]
        return self._undisputed + np.bincount(agreeing, minlength=self.votes.n_users).astype(np.int32)

    def share(self, labels: LabelCodes) -> Weights:
        """Share of the votes that equal the label: float64[n_users]."""
        return self.count(labels) / self.n_votes
