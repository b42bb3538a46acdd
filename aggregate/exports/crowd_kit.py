"""The votes as crowd-kit reads them: task, worker, label."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import plain
from ..blocks import Block, Table, count
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..settings import check_settings
from .crowd import truth_of, truth_parameter, votes_of, votes_parameter
from .rows import ALL, BATCH_ROWS, GROUP, consensus_batches
from .text_tables import write_text_table

if TYPE_CHECKING:
    from ..files.sources import Paths
    from ..frames import Frame
    from ..votes import Votes

MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""Texts that pandas reads as missing by default, without keep_default_na=False."""


@dataclass(frozen=True)
class CrowdKit:
    """The cleaned votes as crowd-kit's loaders read them: crowd_labels.csv with task, worker and label.

    consensus.csv has the task and its consensus label, agg_label as crowd-kit calls it; with --truth gt.csv has the
    task and the experts' label.
    """

    name: ClassVar[str] = "crowd-kit"

    suffix: str = setting(
        ".csv",
        "of the files: comma- or tab-separated, plain or gzip",
        group=GROUP,
        choices=(".csv", ".tsv", ".csv.gz", ".tsv.gz"),
    )
    votes: "Paths | Frame | None" = votes_parameter()
    truth: "Paths | Frame | None" = truth_parameter()

    def __post_init__(self) -> None:
        check_settings(self)

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write the files. Raises VotesError if the votes of the run are gone, PublishError."""
        truth = truth_of(run, self.truth)
        votes = votes_of(run, self.votes, progress)
        progress.phase("write", total=votes.n_votes, unit="votes")
        counts = {"crowd_labels": write_text_table(_votes(votes, progress), folder / f"crowd_labels{self.suffix}")}
        labelled = (_renamed(batch, "agg_label") for batch in consensus_batches(run, ALL, ["observation_id", "label"]))
        counts["consensus"] = write_text_table(labelled, folder / f"consensus{self.suffix}")
        names = [votes.label_names, votes.observation_ids, votes.user_ids]
        if truth is not None:
            batch = pa.record_batch([truth.observation_ids, truth.labels], names=["task", "label"])
            counts["gt"] = write_text_table([batch], folder / f"gt{self.suffix}")
            names.append(truth.labels)
        rows = [(f"{name}{self.suffix}", n) for name, n in counts.items()]
        table = Table(header=("file", "rows"), rows=rows, formats=("", ","))
        n = _n_missing(names)
        notes = [f"{n:,} ids or labels are missing values to pandas, unless it gets keep_default_na=False"] if n else []
        return [
            Block(f"{count(votes.n_votes, 'vote')} on {count(votes.n_observations, 'observation')}", [table, *notes])
        ]


def _votes(votes: "Votes", progress: Progress) -> Iterator[pa.RecordBatch]:
    for first in range(0, max(votes.n_votes, 1), BATCH_ROWS):
        table = votes.to_arrow(first, first + BATCH_ROWS)
        arrays = [plain(table.column(name)) for name in ("observation_id", "user_id", "label")]
        yield pa.record_batch(arrays, names=["task", "worker", "label"])
        progress.advance(len(arrays[0]))


def _renamed(batch: pa.RecordBatch, label: str) -> pa.RecordBatch:
    return pa.record_batch(batch.columns, names=["task", label])


def _n_missing(names: list[pa.Array]) -> int:
    """How many ids and labels pandas takes for missing values."""
    texts = [pc.unique(each).to_pylist() for each in names if not pa.types.is_integer(each.type)]
    return sum(name in MISSING for several in texts for name in several)
