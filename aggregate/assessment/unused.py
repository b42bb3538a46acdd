"""Expert labels that an estimate has not used: only these can judge it."""

from typing import NamedTuple

import numpy as np

from ..arrow import to_arrow
from ..consensus import Consensus
from ..evidence import Evidence
from ..truth import Truth, rows_of


class Unused(NamedTuple):
    """Expert labels of observations whose label is not theirs already."""

    truth: Truth
    n_used: int  # number of observations that were left out, as an estimate has used their labels


def unused(truth: Truth, *consensuses: Consensus | Evidence) -> Unused:
    """The expert labels without those of observations with ``by_expert`` in one of the consensuses."""
    is_used = np.zeros(len(truth), np.bool_)
    for consensus in consensuses:
        if consensus.by_expert is not None:
            ids = consensus.observation_ids if isinstance(consensus, Evidence) else consensus.votes.observation_ids
            rows, _ = rows_of(truth.observation_ids, ids.filter(to_arrow(consensus.by_expert)))
            is_used[rows] = True
    n_used = int(np.count_nonzero(is_used))
    return Unused(truth.at(np.flatnonzero(~is_used)) if n_used else truth, n_used)
