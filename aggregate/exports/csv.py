"""The consensus as CSV, for spreadsheets, R and databases."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..blocks import Block, count
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..settings import check_settings
from .rows import ALL, GROUP, consensus_batches, only_parameter
from .text_tables import write_text_table


@dataclass(frozen=True)
class Csv:
    """The consensus as a CSV file in UTF-8, a row an observation, with the columns of consensus.parquet.

    A null is an empty field, a truth value true or false; numbers have all their digits.
    """

    name: ClassVar[str] = "csv"

    only: str = only_parameter(ALL)
    suffix: str = setting(".csv", "of the file: plain or gzip", choices=(".csv", ".csv.gz"), group=GROUP)

    def __post_init__(self) -> None:
        check_settings(self)

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write ``consensus.csv`` or ``consensus.csv.gz``. Raises VotesError, PublishError."""
        n_rows = write_text_table(
            consensus_batches(run, self.only, progress=progress), folder / f"consensus{self.suffix}"
        )
        return [Block(f"{count(n_rows, 'observation')} as CSV")]
