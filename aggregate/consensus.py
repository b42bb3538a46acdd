"""The result: a label for every observation, and what speaks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Counts, Flags, Floats, LabelCodes, Weights
from .schema import CONSENSUS, POSTERIORS, USERS, arrow_schema
from .trace import Trace
from .votes import Votes

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STATUSES = ("valid", "contested", "needs_votes")
SLACK = 1e-9
"""Thresholds compare with this absolute slack, so that seven equal votes of ten reach 0.7."""


@dataclass(frozen=True, eq=False)
class DisputeFindings:
    """What is known of each disputed observation beside its label; arrays follow ``votes.disputes``.

    An undisputed observation has agreement, margin and aum 1, entropy 0, one label and no runner-up, whatever the
    weights; so these are kept for the disputed ones only.
    """

    confidence: Floats
    agreement: Floats
    margin: Floats
    aum: Floats
    entropy: Floats
    n_labels: Counts
    runner_up: LabelCodes


@dataclass(frozen=True, eq=False)
class UserFindings:
    """What is known of each user; arrays have n_users items."""

    weight: Weights
    n_species: Counts
    n_species_author: Counts
    n_species_vote: Counts
    n_votes: Counts
    n_authored: Counts
    agreement_rate: Floats
    self_validating: Flags


@dataclass(frozen=True, eq=False)
class Consensus:
    """One label per observation. Columns and their meaning: ``aggregate.schema.CONSENSUS`` and ``USERS``."""

    votes: Votes
    strategy: str
    parameters: Mapping[str, Any]
    trace: Trace
    labels: LabelCodes
    """int32[n_observations]"""
    weight: Weights
    """float64[n_observations]; weight on the label."""
    valid: Flags
    """bool[n_observations]"""
    gamma: float
    """Weight of an unknown user, who might dissent."""
    theta_acc: float
    """An observation below this agreement is contested."""
    ambiguous_below: float
    """An observation whose aum is below this is ambiguous."""
    disputes: DisputeFindings
    users: UserFindings
    shares: Floats | None = None
    """float64 by candidate of ``votes.disputes``; None where they are the shares of the users' weights."""

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        return self.votes.n_observations

    @property
    def confidence(self) -> Floats:
        """float64[n_observations]; share the label would keep if one unknown user dissented."""
        confidence = self.weight / (self.weight + self.gamma)
        confidence[self.votes.disputes.observations] = self.disputes.confidence
        return confidence

    @property
    def agreement(self) -> Floats:
        """float64[n_observations]; share of the weight that is on the label."""
        return self._spread(self.disputes.agreement, 1.0)

    @property
    def margin(self) -> Floats:
        """float64[n_observations]; agreement less the share of the strongest other label."""
        return self._spread(self.disputes.margin, 1.0)

    @property
    def aum(self) -> Floats:
        """float64[n_observations]; margin averaged over the iterations."""
        return self._spread(self.disputes.aum, 1.0)

    @property
    def entropy(self) -> Floats:
        """float64[n_observations], nats."""
        return self._spread(self.disputes.entropy, 0.0)

    @property
    def ambiguous(self) -> Flags:
        """bool[n_observations]; aum below the threshold."""
        undisputed = _is_below(np.ones(1), self.ambiguous_below)[0]
        return self._spread(_is_below(self.disputes.aum, self.ambiguous_below), undisputed)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many observations are valid, contested, in need of votes, ambiguous; users; labels."""
        contested = self._disputed_contested() & ~self.valid[self.votes.disputes.observations]
        n_valid, n_contested = int(self.valid.sum()), int(contested.sum())
        return {
            "observations": self.n_observations,
            "users": self.votes.n_users,
            "labels": self.votes.n_labels,
            "valid": n_valid,
            "contested": n_contested,
            "needs_votes": self.n_observations - n_valid - n_contested,
            "ambiguous": self._count_ambiguous(),
            "self_validating_users": int(self.users.self_validating.sum()),
        }

    def to_arrow(self, first: int = 0, last: int | None = None) -> "pa.Table":
        """Observations ``first`` to ``last`` (default all) as an Arrow table, sorted by observation_id."""
        label_type = self.votes.label_names.type
        schema = arrow_schema(
            CONSENSUS, observation_id=self.votes.observation_ids.type, label=label_type, runner_up=label_type
        )
        return self.encoded(first, self.n_observations if last is None else last).cast(schema)

    def encoded(self, first: int, last: int) -> "pa.Table":
        """As :meth:`to_arrow`, but labels that are strings as a dictionary: the quicker to make and to write."""
        import pyarrow as pa

        votes = self.votes
        block = slice(*np.searchsorted(votes.disputes.observations, (first, last)))
        places = votes.disputes.observations[block] - first
        size = last - first

        def spread(values: NDArray[Any], otherwise: Any) -> NDArray[Any]:
            column = np.full(size, otherwise, values.dtype)
            column[places] = values[block]
            return column

        disputes = self.disputes
        weight = self.weight[first:last]
        confidence = weight / (weight + self.gamma)
        confidence[places] = disputes.confidence[block]
        status = spread(self._disputed_contested().astype(np.int8), 0)
        status = np.where(self.valid[first:last], 0, np.where(status, 1, 2)).astype(np.int8)
        undisputed_ambiguous = _is_below(np.ones(1), self.ambiguous_below)[0]
        columns = {
            "observation_id": votes.observation_ids[first:last],
            "label": _names(votes.label_names, self.labels[first:last]),
            "confidence": confidence,
            "valid": self.valid[first:last],
            "status": pa.DictionaryArray.from_arrays(status, list(STATUSES)),
            "ambiguous": spread(_is_below(disputes.aum, self.ambiguous_below), undisputed_ambiguous),
            "aum": spread(disputes.aum, 1.0),
            "margin": spread(disputes.margin, 1.0),
            "agreement": spread(disputes.agreement, 1.0),
            "weight": weight,
            "entropy": spread(disputes.entropy, 0.0),
            "n_votes": np.diff(votes.offsets[first : last + 1]).astype(np.int32),
            "n_labels": spread(disputes.n_labels, 1),
            "runner_up": _names(votes.label_names, spread(disputes.runner_up, -1)),
        }
        label_type = columns["label"].type
        schema = arrow_schema(
            CONSENSUS, observation_id=votes.observation_ids.type, label=label_type, runner_up=label_type
        )
        return pa.table(columns, schema=schema)

    @cached_property
    def candidate_shares(self) -> Floats:
        """float64 by candidate of ``votes.disputes``: probability of each label voted, or its share of the weight.

        Where no vote on an observation weighs anything, its votes count alike.
        """
        from .kernels.candidates import weight_shares
        from .kernels.threads import in_blocks

        if self.shares is not None:
            return self.shares
        disputes, candidates = self.votes.disputes, self.votes.disputes.candidates
        shares = np.empty(len(candidates))
        vote_weights = self.users.weight[disputes.users]
        in_blocks(
            weight_shares,
            len(disputes),
            disputes.offsets,
            vote_weights,
            candidates.offsets,
            candidates.n_votes,
            shares,
        )
        return shares

    def posteriors_to_arrow(self, first: int = 0, last: int | None = None) -> "pa.Table":
        """The labels voted on observations ``first`` to ``last`` (default all) with their probabilities.

        One row per observation and label, sorted by both. The probability is the strategy's posterior, or the label's
        share of the weight.
        """
        import pyarrow as pa

        last = self.n_observations if last is None else last
        votes, candidates = self.votes, self.votes.disputes.candidates
        start, stop = np.searchsorted(votes.disputes.observations, (first, last))
        disputed = votes.disputes.observations[start:stop] - first
        n_labels = np.ones(last - first, np.int64)
        n_labels[disputed] = np.diff(candidates.offsets[start : stop + 1])
        rows = np.repeat(np.arange(first, last), n_labels)
        labels = votes.labels[votes.offsets[:-1][rows]]
        probability = np.ones(rows.size)
        is_disputed = np.zeros(last - first, np.bool_)
        is_disputed[disputed] = True
        of_disputed = np.repeat(is_disputed, n_labels)
        block = slice(candidates.offsets[start], candidates.offsets[stop])
        labels[of_disputed] = candidates.labels[block]
        probability[of_disputed] = self.candidate_shares[block]
        columns = {
            "observation_id": votes.observation_ids.take(pa.array(rows)),
            "label": votes.label_names.take(pa.array(labels)),
            "probability": probability,
        }
        schema = arrow_schema(POSTERIORS, observation_id=votes.observation_ids.type, label=votes.label_names.type)
        return pa.table(columns, schema=schema)

    def posteriors_to_pandas(self) -> "pd.DataFrame":
        """The labels voted with their probabilities as a data frame."""
        return self.posteriors_to_arrow().to_pandas()

    def users_to_arrow(self) -> "pa.Table":
        """The users as an Arrow table, sorted by user_id."""
        import pyarrow as pa

        columns = {"user_id": self.votes.user_ids, **vars(self.users)}
        return pa.table(columns, schema=arrow_schema(USERS, user_id=self.votes.user_ids.type))

    def to_pandas(self) -> "pd.DataFrame":
        """The observations as a data frame, a row each."""
        return self.to_arrow().to_pandas()

    def users_to_pandas(self) -> "pd.DataFrame":
        """The users as a data frame, a row each."""
        return self.users_to_arrow().to_pandas()

    def __repr__(self) -> str:
        counts = self.counts
        return (
            f"Consensus({counts['observations']:,} observations: {counts['valid']:,} valid, "
            f"{counts['contested']:,} contested, {counts['needs_votes']:,} need votes; "
            f"{self.strategy}, {len(self.trace.iterations)} iterations)"
        )

    def _count_ambiguous(self) -> int:
        disputed = int(_is_below(self.disputes.aum, self.ambiguous_below).sum())
        undisputed = self.n_observations - len(self.votes.disputes)
        return disputed + undisputed * int(_is_below(np.ones(1), self.ambiguous_below)[0])

    def _disputed_contested(self) -> Flags:
        return _is_below(self.disputes.agreement, self.theta_acc)

    def _spread(self, disputed: NDArray[Any], undisputed: Any) -> NDArray[Any]:
        """An array over all observations: ``disputed`` values where there is a dispute, else ``undisputed``."""
        everywhere = np.full(self.n_observations, undisputed, disputed.dtype)
        everywhere[self.votes.disputes.observations] = disputed
        return everywhere


def _is_below(values: Floats, threshold: float) -> Flags:
    return values < threshold - SLACK


def _names(label_names: "pa.Array", codes: LabelCodes) -> "pa.Array":
    """The labels of ``codes``, null for -1; strings as a dictionary."""
    import pyarrow as pa

    indices = pa.array(codes, mask=codes < 0) if codes.size and codes.min() < 0 else pa.array(codes)
    if pa.types.is_integer(label_names.type):
        return label_names.take(indices)
    return pa.DictionaryArray.from_arrays(indices, label_names)
