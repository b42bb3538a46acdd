"""The shares of the labels that were voted on each observation: of posteriors.parquet, or of the voters' weights."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Floats, Indices, LabelCodes, Offsets
from ..arrow import plain, to_arrow, to_numpy
from ..disputes import weight_shares
from ..expert_labels import with_expert_labels
from ..files.parquet import open_parquet
from ..publishing.integrity import sound_table
from ..publishing.run import Run
from ..splits.observations import Observations
from ..truth import Truth, codes_among, rows_of
from ..votes import Votes
from .observations import places_of

POSTERIORS_FILE = "posteriors.parquet"
SLACK = 1e-9


class SoftLabels(NamedTuple):
    """The labels voted on observations, with their shares, which add up to 1 on each."""

    offsets: Offsets  # int64[n + 1]; the labels of observation i are the slice offsets[i]:offsets[i + 1]
    labels: LabelCodes  # int32; positions in `names`
    shares: Floats  # float64
    names: pa.Array
    origin: str  # where they are from, in words

    def of(self, rows: Indices) -> "SoftLabels":
        """Those of some observations, int64[n]."""
        from ..kernels.disputes import votes_of

        offsets, items = votes_of(self.offsets, rows)
        return self._replace(offsets=offsets, labels=self.labels[items], shares=self.shares[items])


def soft_labels(run: Run, votes: Votes | None, observations: Observations, experts: Truth | None) -> SoftLabels | str:
    """Of the observations of a run: those that it wrote, else from its votes; or why there are none, in words.

    ``experts``: the labels that the run has from experts, None if it has none: each has all of the share.
    The share of a label is its ``agreement`` in the consensus. Where that of the users' weights is another one, the
    strategy has shares of its own, or the AI's votes weigh, too, or the votes are others.
    """
    if POSTERIORS_FILE in run.files:
        return _published(run, observations.ids)
    if votes is None:
        return "the votes of the run are gone, and it did not write posteriors.parquet (plant-aggregate run --soft)"
    if experts is not None and rows_of(votes.observation_ids, experts.observation_ids)[0].size:
        votes = with_expert_labels(votes, experts)
    found = _recomputed(run, votes, observations.ids)
    if _agrees(found, observations):
        return found
    return "shares of the users' weights are not those of this run: let it write posteriors.parquet (run --soft)"


def _agrees(found: SoftLabels, observations: Observations) -> bool:
    """Whether the share of every label is its agreement."""
    place = np.repeat(np.arange(len(observations.ids)), np.diff(found.offsets))
    code_of = np.append(codes_among(found.names, observations.label_names), np.int32(-1))
    is_label = found.labels == code_of[observations.labels[place]]
    shares = np.zeros(len(observations.ids))
    shares[place[is_label]] = found.shares[is_label]
    labelled = observations.labels >= 0
    return bool(np.all(np.abs(shares - observations.agreement)[labelled] <= SLACK))


def _published(run: Run, ids: pa.Array) -> SoftLabels:
    """Those that the run wrote."""
    source = sound_table(run.path(POSTERIORS_FILE), run.record)
    columns = ["observation_id", "label", "share"]
    with open_parquet(source, columns, page_checksum_verification=True, read_dictionary=["label"]) as file:
        table = file.read(columns=columns).unify_dictionaries().combine_chunks()
    of_rows, label = plain(table.column("observation_id")), table.column("label").chunk(0)
    starts = np.ones(len(of_rows), np.bool_)  # rows stand by observation
    starts[1:] = to_numpy(pc.not_equal(of_rows[1:], of_rows[:-1]))
    begins = np.flatnonzero(starts)
    places = places_of(of_rows.take(to_arrow(begins)), ids)
    counts = np.zeros(len(ids), np.int64)
    counts[places] = np.diff(np.append(begins, len(of_rows)))
    if pa.types.is_dictionary(label.type):
        names, codes = label.dictionary, to_numpy(label.indices.cast(pa.int32()))
    else:
        names = pc.unique(label)
        codes = codes_among(names, label)
    shares = to_numpy(table.column("share"))
    return SoftLabels(np.append(0, np.cumsum(counts)), codes, shares, names, f"{POSTERIORS_FILE} of the run")


def _recomputed(run: Run, votes: Votes, ids: pa.Array) -> SoftLabels:
    """The shares of the weight: the users' weights of the run on its votes."""
    disputes = votes.disputes
    candidates = disputes.candidates
    n_labels = (np.diff(votes.offsets) > 0).astype(np.int64)
    n_labels[disputes.observations] = np.diff(candidates.offsets)
    is_disputed = np.zeros(votes.n_observations, np.bool_)
    is_disputed[disputes.observations] = True
    of_disputed = np.repeat(is_disputed, n_labels)
    labels = np.repeat(votes.first_labels, n_labels)
    shares = np.ones(labels.size)
    labels[of_disputed] = candidates.labels
    of_weights = weight_shares(disputes, disputes.vote_weights(_weights(run, votes)))
    shares[of_disputed] = disputes.with_experts(of_weights)
    found = SoftLabels(
        np.append(0, np.cumsum(n_labels)), labels, shares, votes.label_names, "votes, by the users' final weights"
    )
    places = places_of(ids, votes.observation_ids)
    if np.array_equal(places, np.arange(votes.n_observations)):
        return found
    # An observation without votes of users, which the AI alone labels, has no label.
    with_none = found._replace(offsets=np.append(found.offsets, found.offsets[-1]))
    return with_none.of(np.where(places < 0, votes.n_observations, places))


def _weights(run: Run, votes: Votes) -> Floats:
    """float64[n_users]; the users' weights in the run, 1 each if it does not tell."""
    users = run.users()
    if users is None:
        return np.ones(votes.n_users)
    places = places_of(votes.user_ids, plain(users.column("user_id")))
    weights: Floats = np.append(to_numpy(users.column("weight")), 0.0)[places]  # the last is that of unknown users
    return weights
