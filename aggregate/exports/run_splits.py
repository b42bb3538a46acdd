"""The splits, classes and genera of a run: what the training export and subsets begin with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Indices, LabelCodes
from ..arrow import dictionary_of, strings, to_arrow
from ..errors import VotesError
from ..files.locations import redacted
from ..parameters import setting
from ..progress import Progress
from ..publishing.run import Run
from ..splits.assignment import GENUS_UNKNOWN, NOT_SAMPLED, REASONS, Assignment, assign
from ..splits.classes import EMPTY_SPLIT, NO_TRAINING, TOO_FEW
from ..splits.genera import genera_of
from ..splits.settings import SplitSettings
from ..splits.units import SPLITS
from ..votes import Votes
from .observations import read_labelled, votes_in
from .taxa import Taxa, read_taxa

if TYPE_CHECKING:
    from ..files.sources import Paths
    from ..frames import Frame

NO_VOTES = "name the files of the votes as they are now with --votes, or split by observation (--group observation)"

NONE_VALID = "it needs labels that are valid (see plant-aggregate run)"

REMEDIES = {
    TOO_FEW: "lower --min-per-class",
    GENUS_UNKNOWN: "tell the genera with --taxonomy",
    NOT_SAMPLED: "sample more genera",
    NO_TRAINING: "take another --seed",
    EMPTY_SPLIT: "require fewer sets (--require)",
}
"""Reason why observations are left out -> what to do where none is left."""


@dataclass(frozen=True)
class RunSplitSettings(SplitSettings):
    """How the observations of a run are split, and where what that takes is found."""

    votes: "Paths | Frame | None" = setting(
        None,
        "Parquet files, folders or globs of the votes of the run, if they are not where it read them",
        group="Votes",
        is_table=True,
        or_frame=True,
        several=True,
        metavar="VOTES",
    )
    taxonomy: "Paths | None" = setting(
        None,
        "Parquet file of label and genus, or of label, parent, rank and name: where labels are no scientific names",
        group="Splits",
        is_table=True,
        several=True,
        metavar="FILE",
    )


class RunSplits(NamedTuple):
    """A run with the sets of its observations."""

    consensus: pa.Table  # all its columns; labels are integers or dictionaries
    assignment: Assignment  # of its rows
    votes: Votes | None  # those of the run, if they were read
    taxa: Taxa | None  # what labels are called, if a taxonomy was given


def split_run(run: Run, options: RunSplitSettings, progress: Progress, *, needs_votes: bool) -> RunSplits:
    """Split the observations of a run.

    ``needs_votes``: whether its votes are read even if the split does not need them; None if they are gone. Raises
    VotesError if they are gone and the split is by author, or if no observation is left.
    """
    votes = _votes_of(run, options, progress, needed=needs_votes)
    progress.phase("read the consensus")
    consensus, observations = read_labelled(run, votes)
    progress.phase("split the observations")
    names = observations.label_names
    taxa = None if options.taxonomy is None else read_taxa(options.taxonomy, names.type)
    genera = genera_of(names, None if taxa is None else taxa.genera)
    if (options.n_genera or options.genera_share) and not genera.needed:
        raise VotesError(
            "labels are integers, so their genera are not known",
            where=redacted(run.consensus),
            remedy="name a table of label and genus with --taxonomy",
        )
    assignment = assign(observations, options, genera)
    if not assignment.used.any():
        reasons = {reason: n for reason, n in assignment.left_out.items() if n}
        in_words = ", ".join(f"{n:,} {reason}" for reason, n in reasons.items())
        remedies = [remedy for reason, remedy in REMEDIES.items() if reason in reasons] or [NONE_VALID]
        raise VotesError(
            f"nothing is left to train on ({in_words or 'no observations'})",
            where=redacted(run.consensus),
            remedy=" or ".join(remedies),
        )
    return RunSplits(consensus, assignment, votes, taxa)


def _votes_of(run: Run, options: RunSplitSettings, progress: Progress, *, needed: bool) -> Votes | None:
    """The votes of a run; None where the split does not need them and they are neither ``needed`` nor named."""
    by_observation = options.group == "observation"
    if options.votes is not None:
        return votes_in(run, options.votes, progress)
    if by_observation and not needed:
        return None
    try:
        return run.votes(progress=progress)
    except VotesError as error:
        if by_observation:
            return None
        raise VotesError(error.what, where=error.where, remedy=NO_VOTES) from error


def class_indices(assignment: Assignment) -> Indices:
    """int64[n_labels + 1]; the class index of each label, -1 for one that is no class, and for none at the end."""
    indices = np.full(assignment.observations.n_labels + 1, -1, np.int64)
    indices[assignment.classes] = np.arange(assignment.classes.size)
    return indices


def labels_of(codes: LabelCodes, names: pa.Array) -> pa.Array:
    """Labels by their codes, null for -1: integers, or a dictionary."""
    if pa.types.is_integer(names.type):
        return names.take(to_arrow(codes, null=codes < 0))
    return dictionary_of(codes, names)


def genera_of_labels(assignment: Assignment, codes: LabelCodes) -> pa.Array:
    """The genus of each label as a dictionary, null where it is not known."""
    known = sorted({genus for genus in assignment.genera.names if genus is not None})
    places = {genus: place for place, genus in enumerate(known)}
    of_labels = np.array([-1 if genus is None else places[genus] for genus in assignment.genera.names], np.int32)
    return dictionary_of(of_labels[codes], strings(known))


def split_names(assignment: Assignment, rows: Indices) -> pa.Array:
    """The names of the sets that some observations, int64[n], are in, as a dictionary; null for one left out."""
    return dictionary_of(assignment.splits[rows], strings(SPLITS))


def excluded_rows(assignment: Assignment) -> pa.Table:
    """The columns EXCLUDED of ``schema``: observations that are left out, and why."""
    observations = assignment.observations
    rows = np.flatnonzero(~assignment.used)
    columns = {
        "observation_id": observations.ids.take(to_arrow(rows)),
        "label": labels_of(observations.labels[rows], observations.label_names),
        "reason": dictionary_of(assignment.reasons[rows], strings(REASONS)),
    }
    return pa.table(columns)


def declared(table: pa.Table) -> pa.Schema:
    """The types that readers see: strings instead of dictionaries."""

    def plain_type(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return kind.value_type
        return pa.list_(plain_type(kind.value_type)) if pa.types.is_list(kind) else kind

    return pa.schema([pa.field(field.name, plain_type(field.type), field.nullable) for field in table.schema])
