"""Experts' labels among the votes, for an estimate that holds them fixed."""

from dataclasses import replace

import numpy as np

from .arrow import plain
from .blocks import count
from .errors import VotesError
from .ids.unions import merged
from .truth import Truth, codes_among, known_rows
from .votes import Votes


def with_expert_labels(votes: Votes, truth: Truth) -> Votes:
    """The votes with ``Votes.expert_labels``: the label that ``truth`` has for each of their observations.

    Labels that nobody voted join ``label_names``. Raises VotesError if ``truth`` has none of the observations, its ids
    or labels have other types than the votes', or the labels are integers beyond theirs.
    """
    import pyarrow.compute as pc

    known = known_rows(truth, votes, "the votes")
    if known.rows.size == 0:
        what = f"nobody voted on any of its {count(len(truth), 'observation')}"
        raise VotesError(what, where=truth.origin, remedy="see that both use the same ids")
    theirs = plain(known.labels)
    wanted = pc.unique(theirs)
    names, of_votes, _ = merged(votes.label_names, wanted.take(pc.sort_indices(wanted)), "label", truth.origin)
    expert_labels = np.full(votes.n_observations, -1, np.int32)
    expert_labels[known.rows] = codes_among(names, theirs)
    labels = votes.labels if len(names) == votes.n_labels else of_votes[votes.labels]
    return replace(votes, labels=labels, label_names=names, expert_labels=expert_labels)
