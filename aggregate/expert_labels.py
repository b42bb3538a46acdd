"""Experts' labels among the votes, for an estimate that holds them fixed."""

from dataclasses import replace

import numpy as np

from .blocks import count
from .errors import VotesError
from .ids.unions import merged_integers, merged_texts
from .truth import Truth, known_rows
from .votes import Votes


def with_expert_labels(votes: Votes, truth: Truth) -> Votes:
    """The votes with ``Votes.expert_labels``: the label that ``truth`` has for each of their observations.

    Labels that nobody voted join ``label_names``. Raises VotesError if ``truth`` has none of the observations, or its
    ids or labels have other types than the votes'.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known = known_rows(truth, votes, "the votes")
    if known.rows.size == 0:
        what = f"nobody voted on any of its {count(len(truth), 'observation')}"
        raise VotesError(what, where=truth.origin, remedy="see that both use the same ids")
    try:
        wanted = pc.unique(known.labels).cast(votes.label_names.type)
    except pa.ArrowInvalid as error:
        what = f"column 'label' holds integers beyond {votes.label_names.type}, the type of the votes"
        raise VotesError(what, where=truth.origin, remedy="write both with the wider type") from error
    theirs = wanted.take(pc.sort_indices(wanted))
    merged = merged_integers if pa.types.is_integer(theirs.type) else merged_texts
    names, of_votes, _ = merged(votes.label_names, theirs)
    labels = votes.labels if len(names) == votes.n_labels else of_votes[votes.labels]
    expert_labels = np.full(votes.n_observations, -1, np.int32)
    expert_labels[known.rows] = pc.index_in(known.labels.cast(names.type), names).to_numpy(zero_copy_only=False)
    return replace(votes, labels=labels, label_names=names, expert_labels=expert_labels)
