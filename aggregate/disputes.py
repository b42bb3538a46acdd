"""Disputes and their candidates: what every strategy, and WAUM, ask of the labels that were voted."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .arrays import Counts, Factors, Flags, Floats, Indices, LabelCodes, Offsets, UserCodes, Weights
from .kernels.threads import in_blocks
from .reprs import short_repr


@dataclass(frozen=True, eq=False)
class Candidates:
    """The labels to choose among on each disputed observation, each of which has a share: those voted.

    There may be others, without votes, where ``Disputes.choices`` names them. The candidates of dispute i are the
    slice ``offsets[i]:offsets[i + 1]``, by label.
    """

    offsets: Offsets  # int64[len(disputes) + 1]
    labels: LabelCodes  # int32[n_candidates]
    n_votes: Counts  # int32[n_candidates]; votes for the label, next to each other among the votes of the dispute
    by_author: Flags  # bool[n_candidates]; an author of the observation voted the label
    of_vote: Counts  # int32[votes on disputes]; the candidate that each vote is for

    __repr__ = short_repr

    def __len__(self) -> int:
        return self.labels.size


@dataclass(frozen=True, eq=False)
class Disputes:
    """The observations whose votes name more than one label, and their votes, sorted by label within an observation.

    On all others the voters agree: their label is the one voted, whatever the users' weights. Observations that experts
    labelled are among them.
    """

    observations: Indices  # int64[n]; positions among all observations, ascending
    offsets: Offsets  # int64[n + 1]; the votes of dispute i are the slice offsets[i]:offsets[i + 1]
    users: UserCodes
    labels: LabelCodes
    is_author: Flags
    factors: Factors | None = None  # those of `Votes`
    # Offsets and labels of the candidates, ascending, at least those voted on each observation. None: just those.
    choices: tuple[Offsets, LabelCodes] | None = None
    expert_labels: LabelCodes | None = None  # int32[n]; those of `Votes`, each of which is a candidate

    __repr__ = short_repr

    def __len__(self) -> int:
        return self.observations.size

    @cached_property
    def candidates(self) -> Candidates:
        """The labels to choose among on each of the observations."""
        from .kernels.candidates import distinct_labels, match_votes

        offsets, labels = distinct_labels(self.offsets, self.labels) if self.choices is None else self.choices
        return Candidates(offsets, labels, *match_votes(self.offsets, self.labels, self.is_author, offsets, labels))

    @property
    def by_expert(self) -> Flags:
        """bool[n]; experts gave the label."""
        return np.zeros(len(self), np.bool_) if self.expert_labels is None else self.expert_labels >= 0

    @cached_property
    def ruled_out(self) -> Indices:
        """The candidates on observations labelled by experts that are not the experts' label: positions, ascending."""
        if self.expert_labels is None:
            return np.empty(0, np.int64)
        known = np.repeat(self.expert_labels, np.diff(self.candidates.offsets))
        return np.flatnonzero((known >= 0) & (known != self.candidates.labels))

    def with_experts(self, shares: Floats) -> Floats:
        """The shares of the candidates, float64; where experts gave a label it is 1, and 0 on others."""
        if self.expert_labels is None:
            return shares
        fixed = np.where(np.repeat(self.by_expert, np.diff(self.candidates.offsets)), 1.0, shares)
        fixed[self.ruled_out] = 0.0
        return fixed

    def only(self, kept: Flags) -> "Disputes":
        """The same observations with those votes only that are ``kept``, bool by vote."""
        offsets = np.append(0, np.cumsum(kept))[self.offsets]
        factors = None if self.factors is None else self.factors[kept]
        votes = self.users[kept], self.labels[kept], self.is_author[kept]
        return Disputes(self.observations, offsets, *votes, factors, self.choices, self.expert_labels)

    def labelled_by_experts(self, known: LabelCodes) -> "Disputes":
        """The same with experts' labels, int32[n], -1 for none, among the candidates."""
        return replace(self, choices=choices_among(self.offsets, self.labels, known), expert_labels=known)

    def vote_weights(self, user_weights: Weights) -> Weights:
        """The weight of each vote, float64: that of its user, of float64[n_users], times the vote's factor."""
        return self.discounted(user_weights[self.users])

    def discounted(self, weights: Weights) -> Weights:
        """Weights of the votes, float64, times their factors."""
        return weights if self.factors is None else weights * self.factors


def choices_among(offsets: Offsets, labels: LabelCodes, further: LabelCodes) -> tuple[Offsets, LabelCodes]:
    """The labels voted on each observation and the ``further`` one, int32[n], -1 for none: offsets, and the labels."""
    from .kernels.candidates import labels_with

    found: tuple[Offsets, LabelCodes] = labels_with(offsets, labels, further)
    return found


def vote_shares(disputes: Disputes) -> Floats:
    """Each candidate's share of the votes: float64[n_candidates]."""
    return weight_shares(disputes, np.ones(disputes.users.size))


def weight_shares(disputes: Disputes, vote_weights: Weights) -> Floats:
    """Each candidate's share of the weight; ``vote_weights`` float64 >= 0, by vote of the disputes.

    Where no vote on an observation weighs anything, all count alike.
    """
    from .kernels.label_weights import weight_shares as kernel

    candidates = disputes.candidates
    shares = np.empty(len(candidates))
    in_blocks(kernel, len(disputes), disputes.offsets, vote_weights, candidates.offsets, candidates.n_votes, shares)
    return shares


def weights_of_chosen(disputes: Disputes, user_weights: Weights, chosen: Counts) -> Weights:
    """The weight of the votes for the ``chosen`` candidate of each disputed observation, float64."""
    from .kernels.label_weights import weights_of_chosen as kernel

    candidates, weights = disputes.candidates, np.empty(len(disputes))
    votes = disputes.offsets, disputes.users, disputes.factors
    in_blocks(kernel, len(disputes), *votes, user_weights, candidates.offsets, candidates.n_votes, chosen, weights)
    return weights


def likeliest(
    disputes: Disputes, shares: Floats, *, held: LabelCodes | None = None, excluded: LabelCodes | None = None
) -> Counts:
    """The candidate with the largest share on each disputed observation, -1 if all are ``excluded``: int32.

    Ties: see ``strategies.plantnet.iteration.Engine.settle``.
    """
    from .kernels.candidates import likeliest as kernel

    candidates, chosen = disputes.candidates, np.empty(len(disputes), np.int32)
    offered = candidates.offsets, candidates.labels, candidates.n_votes, candidates.by_author
    given = [np.full(len(disputes), -1, np.int32) if labels is None else labels for labels in (held, excluded)]
    in_blocks(kernel, len(disputes), *offered, shares, *given, chosen)
    return chosen


def likeliest_labels(disputes: Disputes, shares: Floats, held: LabelCodes | None = None) -> LabelCodes:
    """The label with the largest share on each disputed observation: int32[len(disputes)]."""
    return disputes.candidates.labels[likeliest(disputes, shares, held=held)]


def entropies(disputes: Disputes, shares: Floats) -> Floats:
    """Entropy (nats) of the shares of each disputed observation."""
    from .kernels.candidates import entropies as kernel

    entropy = np.empty(len(disputes))
    in_blocks(kernel, len(disputes), disputes.candidates.offsets, shares, entropy)
    return entropy


def add_margins(disputes: Disputes, shares: Floats, margins: Floats) -> Floats:
    """Add each candidate's share less the largest share of another to float64 ``margins``, which are returned."""
    from .kernels.candidates import add_margins as kernel

    in_blocks(kernel, len(disputes), disputes.candidates.offsets, shares, margins)
    return margins
