"""The votes of a run, and experts' labels, for exports to other programs that aggregate."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import LabelCodes
from ..errors import VotesError, warn
from ..ingest.truth import read_truth
from ..parameters import setting
from ..progress import Progress
from ..publishing.run import Run
from ..truth import Truth, codes_among, known_rows
from .observations import votes_in

if TYPE_CHECKING:
    import pyarrow as pa

    from ..files.sources import Paths
    from ..votes import Votes


def votes_parameter() -> Any:
    """Where the votes are now."""
    return setting(
        None,
        "Parquet files, folders or globs of the votes of the run, if they are not where it read them",
        group="Votes",
        is_table=True,
        or_frame=True,
        several=True,
        metavar="VOTES",
    )


def truth_parameter() -> Any:
    """Experts' labels."""
    return setting(
        None,
        "Parquet file, folder or glob of expert labels, observation_id and label, to write beside the votes",
        group="Expert labels",
        is_table=True,
        or_frame=True,
        several=True,
        metavar="FILE",
    )


def votes_of(run: Run, votes: Any, progress: Progress) -> "Votes":
    """The cleaned votes that a run was made of, or those in other files. Raises VotesError."""
    if votes is not None:
        return votes_in(run, votes, progress)
    try:
        return run.votes(progress=progress)
    except VotesError as error:
        remedy = "name the files of the votes as they are now with --votes"
        raise VotesError(error.what, where=error.where, remedy=remedy) from error


def timed_votes_of(run: Run, votes: Any, progress: Progress) -> "tuple[Votes, pa.Array]":
    """The same, and when each vote was cast, null if unknown. Raises VotesError."""
    cleaned = votes_of(run, votes, progress)
    return cleaned, run.vote_times(cleaned, paths=votes, progress=progress)


def truth_of(run: Run, truth: "Paths | Any | None") -> Truth | None:
    """The experts' labels, if there are any, cleaned as the run cleaned those of votes. Raises VotesError."""
    return None if truth is None else run.experts(read_truth(truth))


def truth_codes(truth: Truth, votes: "Votes") -> LabelCodes:
    """int32[n_observations]; the experts' label of each observation as one of those voted, -1 where there is none.

    Warns of experts' labels that nobody voted: they have no code.
    """
    known = known_rows(truth, votes, "the votes")
    codes = np.full(votes.n_observations, -1, np.int32)
    codes[known.rows] = known.codes
    if n_unvoted := int((known.codes < 0).sum()):
        warn(f"{n_unvoted:,} expert labels are of species that nobody voted, which have no class: -1")
    return codes


def consensus_codes(run: Run, votes: "Votes") -> LabelCodes:
    """int32[n_observations]; the label of each observation of ``votes`` in the consensus, -1 where it has none."""
    table = run.read_table(columns=["observation_id", "label"])
    columns = [table.column(name).combine_chunks() for name in table.column_names]
    known = known_rows(Truth(*columns), votes, "the votes")
    codes = np.full(votes.n_observations, -1, np.int32)
    codes[known.rows] = codes_among(votes.label_names, known.labels)
    return codes
