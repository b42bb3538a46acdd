"""Agreement of voters, as a whole and of each with the consensus.

[K11] Krippendorff 2011, Computing Krippendorff's alpha-reliability. [C60] Cohen 1960, A coefficient of agreement for
nominal scales. [RY12] Raykar and Yu 2012, Eliminating spammers and ranking annotators for crowdsourced labeling tasks,
Journal of Machine Learning Research.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..add_ons import Columns, Extends
from ..arrays import Counts, Floats, Indices, LabelCodes
from ..arrow import to_arrow
from ..consensus import Consensus
from ..kernels.threads import in_blocks
from ..reprs import short_repr
from ..schema import USER_AGREEMENT, Table
from ..truth import Truth, known_rows
from ..votes import Votes

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class CrowdAgreement:
    """The crowd as a whole, over the observations with two votes or more."""

    observations: int  # number of observations with two votes or more
    votes: int  # number of votes on these
    disputed: int  # number of these with two labels or more
    krippendorff_alpha: float  # 1: all agree; 0: as if labels were random; NaN if nothing was voted but one label
    mean_entropy: float  # mean entropy of the votes' labels, in nats; NaN without observations
    # Share of the experts' observations on which some user voted the expert label: an upper bound for the accuracy of
    # any strategy. NaN without experts.
    truth_voted: float = float("nan")
    votes_right: float = float("nan")  # share of the votes on the experts' observations that name their label


@dataclass(frozen=True, eq=False)
class UserAgreement:
    """Agreement of each user; arrays have n_users items, with the meaning in ``schema.USER_AGREEMENT``."""

    n_shared: Counts
    spam_score: Floats  # NaN where it is not defined
    label_entropy: Floats

    __repr__ = short_repr


ENOUGH_SHARED = 10  # least number of shared votes at which a spam score is meaningful
SPAM = 0.5  # lowest spam score at which a user is suspect: half as much disagreement as votes at random would have


@dataclass(frozen=True)
class Suspect:
    """A user whose votes look random."""

    user_id: int | str
    n_shared: int
    agreement_rate: float
    spam_score: float
    label_entropy: float


SUSPECT_COLUMNS = [field.name for field in fields(Suspect)]


@dataclass(frozen=True)
class Suspects:
    """Users with a spam score of at least SPAM, among those with ENOUGH_SHARED votes."""

    users: int  # number of users with enough shared votes
    suspect: int
    worst: tuple[Suspect, ...]

    __repr__ = short_repr


def crowd_agreement(votes: Votes, truth: Truth | None = None) -> CrowdAgreement:
    """Agreement among the voters of the same observation, and with experts, whatever the consensus and the weights.

    Raises VotesError if ids or labels of ``truth`` are of another type.
    """
    votes = votes.without_experts
    truth_voted, votes_right = (float("nan"),) * 2 if truth is None else _shares_voted(votes, truth)
    n_votes = np.diff(votes.offsets)
    shared = n_votes >= 2
    entropies = vote_entropies(votes)
    n_shared = int(np.count_nonzero(shared))
    return CrowdAgreement(
        observations=n_shared,
        votes=int(n_votes[shared].sum()),
        disputed=len(votes.disputes),
        krippendorff_alpha=krippendorff_alpha(votes),
        mean_entropy=float(entropies.sum()) / n_shared if n_shared else float("nan"),
        truth_voted=truth_voted,
        votes_right=votes_right,
    )


def krippendorff_alpha(votes: Votes) -> float:
    """Krippendorff's alpha for nominal labels and any number of votes an observation [K11, section C].

    With m[i] >= 2 votes on observation i, n[i,k] of them on label k, n[k] = sum of n[i,k] and n = sum of n[k]:

        alpha = 1 - (n - 1) * sum over i of (m[i]^2 - sum_k n[i,k]^2) / (m[i] - 1)  /  (n^2 - sum_k n[k]^2)

    Only disputed observations add to the first sum, so it takes no table of users or of pairs of labels. NaN where the
    second is 0: no two votes, or one label alone.
    """
    n_votes = np.diff(votes.offsets)
    pairable = np.repeat(n_votes >= 2, n_votes)
    by_label = np.bincount(votes.labels[pairable], minlength=votes.n_labels)
    n = int(by_label.sum())
    unlike = n**2 - sum(count**2 for count in by_label.tolist())
    if unlike == 0:
        return float("nan")
    owner, times = _runs(votes)
    n_votes = np.diff(votes.disputes.offsets)
    unlike_here = n_votes**2 - np.bincount(owner, weights=times**2, minlength=n_votes.size)
    return 1 - (n - 1) * float(np.sum(unlike_here / (n_votes - 1))) / float(unlike)


def vote_entropies(votes: Votes) -> Floats:
    """Shannon entropy (nats) of the votes on each disputed observation, all votes alike: float64[n_disputes]."""
    owner, times = _runs(votes)
    n_votes = np.diff(votes.disputes.offsets)
    shares = times / n_votes[owner]
    entropies: Floats = np.bincount(owner, weights=-shares * np.log(shares), minlength=n_votes.size).astype(np.float64)
    return entropies


def user_agreement(votes: Votes, labels: LabelCodes) -> UserAgreement:
    """Compare each user's votes with the consensus ``labels`` int32[n_observations], where others voted too.

    ``spam_score`` = (1 - p_o) / (1 - p_e), one less Cohen's kappa [C60] of the user and the consensus on the
    observations they share with other voters: p_o is the share of votes that equal the consensus, p_e the share that
    would if the user's labels were random on these observations. So 0: always agrees; 1: the votes tell as
    much about the label as random ones; above 1: less than that. It asks what the spammer score of [RY12] asks, whether
    a vote depends on what the observation shows, without a confusion matrix, whose rows a user of few votes on
    thousands of labels leaves empty. NaN without shared votes, or if user and consensus say the same one label always.
    """
    from ..kernels.sorting import group_by_code
    from ..kernels.user_tallies import compare_users, consensus_of_votes

    chosen = np.empty(votes.n_votes, np.int32)
    in_blocks(consensus_of_votes, votes.n_observations, votes.offsets, labels, chosen)
    user_offsets = np.zeros(votes.n_users + 1, np.int64)
    rows = np.empty(votes.n_votes, np.int32)
    group_by_code(votes.users, user_offsets, rows)
    n_shared, n_agreeing = np.zeros((2, votes.n_users), np.int32)
    n_by_chance = np.zeros(votes.n_users, np.int64)
    entropy = np.zeros(votes.n_users)
    given, found = (rows, votes.labels, chosen, votes.n_labels), (n_shared, n_agreeing, n_by_chance, entropy)
    in_blocks(compare_users, votes.n_users, user_offsets, *given, *found)
    pairs = n_shared.astype(np.int64) ** 2
    disagreeing = (n_shared - n_agreeing).astype(np.int64) * n_shared
    spam = np.full(votes.n_users, np.nan)
    np.divide(disagreeing, pairs - n_by_chance, out=spam, where=pairs > n_by_chance)
    return UserAgreement(n_shared, spam, entropy)


@dataclass(frozen=True, eq=False)
class AgreementOfUsers:
    """The columns USER_AGREEMENT of ``schema``: an add-on for the users of a consensus."""

    consensus: Consensus
    extends: ClassVar[Extends] = "users"
    table: ClassVar[Table] = USER_AGREEMENT

    def columns(self, rows: "pa.Table", first: int) -> Columns:
        """The columns of the users from ``first`` on."""
        agreement = user_agreement(self.consensus.votes, self.consensus.labels)
        users = slice(first, first + rows.num_rows)
        return {name: to_arrow(values[users], null=np.isnan(values[users])) for name, values in vars(agreement).items()}

    def facts(self) -> Mapping[str, Any]:
        """None."""
        return {}


def find_suspects(users: "pa.Table", worst: int) -> Suspects:
    """The ``worst`` users by spam score in a table with the columns of USERS and USER_AGREEMENT; ties by votes, id."""
    rows = users.select(SUSPECT_COLUMNS).to_pylist()
    enough = [row for row in rows if row["n_shared"] >= ENOUGH_SHARED and row["spam_score"] is not None]
    spamming = sorted(
        (row for row in enough if row["spam_score"] >= SPAM),
        key=lambda row: (-row["spam_score"], -row["n_shared"], row["user_id"]),
    )
    return Suspects(len(enough), len(spamming), tuple(Suspect(**row) for row in spamming[:worst]))


def _shares_voted(votes: Votes, truth: Truth) -> tuple[float, float]:
    """Share of the experts' observations on which some user voted the expert label, and share of the votes that did.

    NaN if none was voted on.
    """
    known = known_rows(truth, votes, "the votes")
    true_label = np.full(votes.n_observations, -1, np.int32)
    true_label[known.rows] = known.codes
    n_votes = np.diff(votes.offsets)
    right = votes.labels == np.repeat(true_label, n_votes)
    owner = np.repeat(np.arange(votes.n_observations), n_votes)[right]
    n_known, n_votes_known = int(known.rows.size), int(n_votes[known.rows].sum())
    if n_known == 0:
        return float("nan"), float("nan")
    return np.unique(owner).size / n_known, int(right.sum()) / n_votes_known


def _runs(votes: Votes) -> tuple[Indices, Indices]:
    """The disputed observation, and the number of votes, of each label voted on it: int64[n_candidates] each."""
    disputes = votes.disputes
    places = np.repeat(np.arange(len(disputes)), np.diff(disputes.offsets))
    begins = np.ones(places.size, np.bool_)
    begins[1:] = (places[1:] != places[:-1]) | (disputes.labels[1:] != disputes.labels[:-1])
    starts = np.flatnonzero(begins)
    return places[starts], np.diff(starts, append=places.size)
