"""A smaller research set out of a run: genera sampled with all their species, classes, sets, votes and truth."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Flags, Indices
from ..arrow import strings, table_of, to_arrow, to_numpy
from ..blocks import Block, count
from ..files.locations import redacted
from ..ingest.truth import read_truth
from ..listeners import ProgressLike
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..publishing.tables import CONSENSUS_FILE, write_rows, write_table
from ..schema import LABEL_COUNTS, arrow_schema
from ..splits.assignment import Assignment
from ..splits.report import left_out_block, population_block, population_rows, split_block
from ..truth import Truth, check_kinds, rows_of
from ..votes import Votes
from .observations import places_of
from .options import with_options
from .run_splits import (
    RunSplitSettings,
    class_indices,
    declared,
    excluded_rows,
    genera_of_labels,
    labels_of,
    split_names,
    split_run,
)
from .training import CLASSES_FILE, EXCLUDED_FILE, class_rows, write_facts
from .writing import Exported, export

if TYPE_CHECKING:
    from ..files.sources import Paths
    from ..frames import Frame

SPLITS_FILE, VOTES_FILE, TRUTH_FILE = "splits.parquet", "votes.parquet", "truth.parquet"
LABELS_FILE, FACTS_FILE = "label_counts.parquet", "subset.json"

USED, CLASSES = "used", "classes"

BETA = 0.999  # of the class weights


@dataclass(frozen=True, repr=False)
class Subset(Exported):
    """A subset that was written."""

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """The content of its subset.json: the populations, what was left out, and what was reached."""
        content: dict[str, Any] = json.loads((self.folder / FACTS_FILE).read_text(encoding="utf-8"))
        return content

    @cached_property
    def label_counts(self) -> pa.Table:
        """The observations of each label before, between and after sampling: columns LABEL_COUNTS of ``schema``."""
        import pyarrow.parquet as pq

        return pq.read_table(self.folder / LABELS_FILE)

    @property
    def populations(self) -> Mapping[str, Indices]:
        """``before``, ``eligible`` and ``after`` -> int64[n_species]; the observations of each of their species."""
        names = [column.name for column in LABEL_COUNTS if column.type == "int64"]
        counts = {name: to_numpy(self.label_counts.column(name)) for name in names}
        return {name: np.sort(numbers[numbers > 0]) for name, numbers in counts.items()}


@dataclass(frozen=True)
class SubsetTables(RunSplitSettings):
    """The files of a subset; :func:`subset` writes them."""

    name: ClassVar[str] = "subset"

    truth: "Paths | Frame | None" = setting(
        None,
        "Parquet files of expert labels, to write those of the subset",
        group="Expert labels",
        is_table=True,
        or_frame=True,
        several=True,
        metavar="FILE",
    )
    truth_columns: Mapping[str, str] | None = setting(
        None,
        "the truth file's own name of a column, such as label=species",
        option="--column",
        metavar="COLUMN=NAME",
        columns_of=("TRUTH",),
        needs="truth",
        group="Expert labels",
    )
    observations: str = setting(
        USED,
        "whose rows of the consensus, votes and expert labels are written: those used, in a set; or all that are "
        "labelled as one of the classes, valid or not",
        choices=(USED, CLASSES),
        group="Export",
    )

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write the tables; the sets, the populations, and what was left out, as blocks.

        Raises VotesError if the run's votes are gone, or nothing is left to train on.
        """
        found = split_run(run, self, progress, needs_votes=True)
        assignment = found.assignment
        progress.phase("write the tables")
        rows = np.flatnonzero(_chosen(assignment, self.observations))
        ids = assignment.observations.ids.take(to_arrow(rows))
        consensus = found.consensus.take(to_arrow(rows))
        tables = {
            SPLITS_FILE: _split_rows(assignment),
            CLASSES_FILE: class_rows(assignment, found.taxa, BETA),
            EXCLUDED_FILE: excluded_rows(assignment),
            LABELS_FILE: _label_counts(assignment),
        }
        for name, table in tables.items():
            write_table(table, folder / name, "file", declared=declared(table))
        write_table(consensus, folder / CONSENSUS_FILE, "file", declared=_as_published(consensus))
        notes = [f"{CONSENSUS_FILE}: {count(rows.size, 'observation')}"]
        if found.votes is None:
            notes.append(f"no {VOTES_FILE}: the votes of the run are gone; name their files with --votes")
        else:
            votes = _votes_on(found.votes, ids)
            times = run.vote_times(votes, paths=self.votes, progress=progress)
            progress.phase("write the votes", total=votes.n_votes, unit="votes")
            write_rows(_VoteRows(votes, times), folder / VOTES_FILE, progress)
            notes.append(f"{VOTES_FILE}: {count(votes.n_votes, 'vote')}, one a user and observation")
        if self.truth is not None:
            truth = run.experts(read_truth(self.truth, columns=self.truth_columns))
            n_known = _write_truth(truth, ids, folder / TRUTH_FILE, redacted(run.consensus))
            notes.append(f"{TRUTH_FILE}: {count(n_known, 'expert label')}")
        write_facts({**assignment.report(), "figures": population_rows(assignment)}, folder / FACTS_FILE)
        return [split_block(assignment), population_block(assignment), left_out_block(assignment), Block(content=notes)]


def subset(
    run: Run | str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: ProgressLike = None,
    **options: Any,
) -> Subset:
    """Write a smaller research set out of a run, the way Pl@ntNet-300K was made: genera with all their species.

    Args:
        run: a run, or the path or URI of its folder, of its consensus.parquet, or of an output folder, which stands for
            its published run.
        folder: where to write; it is complete once it is there.
        overwrite: whether an earlier subset may be replaced.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.
        options: those of the command ``plant-aggregate subset``, such as ``genera_share=0.1``, ``n_genera=300``,
            ``seed=1``, ``test=0.1``, ``val=0.1``, ``group="observation"``, ``min_per_class=4``, ``require="all"``,
            ``truth=PATHS``, ``observations="classes"``, ``taxonomy=FILE``, ``votes=PATHS``.

    Raises VotesError if the run's votes are gone, its labels are integers and no ``taxonomy`` tells their genera, or
    nothing is left; ParameterError for wrong options, or a folder that may not be written; PublishError if writing
    fails: then the folder is as it was.
    """
    chosen = with_options(SubsetTables, "a subset", options)
    done = export(run, chosen, folder, overwrite=overwrite, progress=progress)
    return Subset(done.folder, done.record, done.blocks)


def _chosen(assignment: Assignment, observations: str) -> Flags:
    """bool[n]; the observations whose rows are written."""
    if observations == USED:
        return assignment.used
    has_class: Flags = class_indices(assignment)[assignment.observations.labels] >= 0
    return has_class


def _split_rows(assignment: Assignment) -> pa.Table:
    """The columns SPLIT_ROWS of ``schema``."""
    observations = assignment.observations
    rows = np.flatnonzero(assignment.used)
    labels = observations.labels[rows]
    columns = {
        "observation_id": observations.ids.take(to_arrow(rows)),
        "label": labels_of(labels, observations.label_names),
        "class_index": to_arrow(class_indices(assignment)[labels]),
        "genus": genera_of_labels(assignment, labels),
        "split": split_names(assignment, rows),
    }
    return pa.table(columns)


def _label_counts(assignment: Assignment) -> pa.Table:
    """The columns LABEL_COUNTS of ``schema``."""
    observations = assignment.observations
    has_label = observations.counts(np.ones(observations.labels.size, np.bool_)) > 0
    labels = np.flatnonzero(has_label)
    names = observations.label_names.take(to_arrow(labels))
    columns = {
        "label": names,
        "genus": strings([assignment.genera.names[label] for label in labels.tolist()]),
        **{
            name: counts[labels]
            for name, counts in zip(("before", "eligible", "after"), assignment.label_counts, strict=True)
        },
    }
    return table_of(columns, arrow_schema(LABEL_COUNTS, label=names.type))


def _as_published(consensus: pa.Table) -> pa.Schema:
    """The types of a consensus, in which only labels were read as dictionaries."""
    fields = [
        field.with_type(field.type.value_type)
        if field.name in ("label", "runner_up") and pa.types.is_dictionary(field.type)
        else field
        for field in consensus.schema
    ]
    return pa.schema(fields)


def _votes_on(votes: Votes, ids: pa.Array) -> Votes:
    """The votes on some observations; users and labels that only others have keep their codes."""
    from ..kernels.disputes import votes_of

    observations = np.flatnonzero(places_of(votes.observation_ids, ids) >= 0)
    offsets, items = votes_of(votes.offsets, observations)
    return replace(
        votes,
        offsets=offsets,
        users=votes.users[items],
        labels=votes.labels[items],
        is_author=votes.is_author[items],
        observation_ids=votes.observation_ids.take(to_arrow(observations)),
        factors=None,
    )


class _VoteRows(NamedTuple):
    """Votes with their times, to be written in ranges."""

    votes: Votes
    times: pa.Array  # null where a time is not known

    @property
    def n_observations(self) -> int:
        """Number of rows, each of which is a vote."""
        return self.votes.n_votes

    def to_arrow(self, first: int, last: int) -> pa.Table:
        """Votes ``first`` to ``last``; without times if none is known."""
        rows = self.votes.to_arrow(first, last)
        has_times = self.times.null_count < len(self.times)
        return rows.append_column("voted_at", self.times[first:last]) if has_times else rows

    def encoded(self, first: int, last: int) -> pa.Table:
        """The same, with texts as dictionaries: most occur often."""
        rows = self.to_arrow(first, last)
        for place, field in enumerate(rows.schema):
            if pa.types.is_string(field.type) and field.name != "observation_id":
                rows = rows.set_column(place, field.name, rows.column(place).combine_chunks().dictionary_encode())
        return rows


def _write_truth(truth: Truth, ids: pa.Array, path: Path, place: str) -> int:
    """Write the expert labels of some observations; how many they are. Raises VotesError, PublishError."""
    check_kinds(truth, ids.type, truth.labels.type, place)
    found = truth.at(rows_of(truth.observation_ids, ids)[0])
    write_table(pa.table({"observation_id": found.observation_ids, "label": found.labels}), path, "file")
    return len(found)
