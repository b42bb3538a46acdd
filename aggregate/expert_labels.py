"""Experts' labels among the votes, for an estimate that holds them fixed."""

from dataclasses import replace

import numpy as np

from .ids.unions import merged_integers, merged_texts
from .truth import Truth, known_rows
from .votes import Votes


def with_expert_labels(votes: Votes, truth: Truth) -> Votes:
    """The votes with ``Votes.expert_labels``: the label that ``truth`` has for each observation that was voted on.

    Labels that nobody voted join ``label_names``. Raises VotesError if ids or labels have other types than the votes'.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known = known_rows(truth, votes, "the votes")
    wanted = pc.unique(known.labels).cast(votes.label_names.type)
    theirs = wanted.take(pc.sort_indices(wanted))
    merged = merged_integers if pa.types.is_integer(theirs.type) else merged_texts
    names, of_votes, _ = merged(votes.label_names, theirs)
    labels = votes.labels if len(names) == votes.n_labels else of_votes[votes.labels]
    expert_labels = np.full(votes.n_observations, -1, np.int32)
    expert_labels[known.rows] = pc.index_in(known.labels.cast(names.type), names).to_numpy(zero_copy_only=False)
    is_voted = np.diff(votes.offsets)[known.rows] > 0
    expert_labels[known.rows[~is_voted]] = -1
    return replace(votes, labels=labels, label_names=names, expert_labels=expert_labels)
