"""The consensus as CSV, for spreadsheets, R and databases."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pyarrow import csv

from ..blocks import Block, count
from ..files.writing import writing
from ..parameters import check_parameters, setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from .rows import ALL, BATCH_ROWS, GROUP, consensus_batches, n_observations, only_parameter

PLAIN, GZIP = ".csv", ".csv.gz"

AS_NEEDED = csv.WriteOptions(quoting_style="needed")


@dataclass(frozen=True)
class Csv:
    """The consensus as a CSV file in UTF-8, a row an observation, with the columns of consensus.parquet.

    A null is an empty field, a truth value true or false; numbers have all their digits.
    """

    name: ClassVar[str] = "csv"

    only: str = only_parameter(ALL)
    suffix: str = setting(PLAIN, "of the file: plain or gzip", choices=(PLAIN, GZIP), group=GROUP)

    def __post_init__(self) -> None:
        check_parameters(self)

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write ``consensus.csv`` or ``consensus.csv.gz``. Raises VotesError, PublishError."""
        path, n_rows = folder / f"consensus{self.suffix}", 0
        progress.phase("write", total=n_observations(run), unit="observations")
        with writing(path, "file"), ExitStack() as opened:
            file = opened.enter_context(pa.OSFile(os.fsencode(path), "wb"))
            if self.suffix == GZIP:
                file = opened.enter_context(pa.CompressedOutputStream(file, "gzip"))
            writer = None
            for batch in consensus_batches(run, self.only):
                if writer is None:
                    writer = opened.enter_context(csv.CSVWriter(file, batch.schema, write_options=AS_NEEDED))
                writer.write_batch(batch)
                n_rows += batch.num_rows
                progress.advance(BATCH_ROWS)
        return [Block(f"{count(n_rows, 'observation')} as CSV")]
