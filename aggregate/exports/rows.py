"""The rows of a run's consensus that an export writes."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..arrow import plain
from ..errors import VotesError
from ..files.locations import reaching, redacted
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run

BATCH_ROWS = 1 << 17

GROUP = "Export"

VALID, ALL = "valid", "all"


def only_parameter(default: str = VALID) -> Any:
    """Which observations are written."""
    return setting(
        default,
        "which observations: those whose label is valid, for training; or all",
        choices=(VALID, ALL),
        group=GROUP,
    )


def consensus_batches(
    run: Run, only: str, columns: Sequence[str] | None = None, *, progress: Progress = SILENT
) -> Iterator[pa.RecordBatch]:
    """Rows of the consensus of a run, in its order, batch by batch; ``only`` as in :func:`only_parameter`.

    Strings are no dictionaries. ``columns``: those in the file, by default all. There is at least one batch, which may
    have no rows. Raises VotesError.
    """
    path = redacted(run.path())
    with run.open() as file, reaching(run.path()):
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
        names = parquet.schema_arrow.names
        wanted = list(names if columns is None else columns)
        needed = [*wanted, *([VALID] if only == VALID and VALID not in wanted else [])]
        for name in needed:
            if name not in names:
                remedy = "write --only all" if name == VALID and name not in wanted else f"it has {', '.join(names)}"
                raise VotesError(f"has no column {name!r}", where=path, remedy=remedy)
        n_given = 0
        progress.phase("write", total=parquet.metadata.num_rows, unit="observations")
        for batch in parquet.iter_batches(BATCH_ROWS, columns=needed):
            chosen = batch.filter(batch.column(VALID)) if only == VALID else batch
            yield pa.record_batch([plain(chosen.column(name)) for name in wanted], names=wanted)
            n_given += 1
            progress.advance(batch.num_rows)
        if not n_given:
            empty = parquet.schema_arrow.empty_table().select(wanted)
            yield pa.record_batch([plain(empty.column(name).combine_chunks()) for name in wanted], names=wanted)


def consensus_table(run: Run, only: str, columns: Sequence[str]) -> pa.Table:
    """The same as a table. Raises VotesError."""
    return pa.Table.from_batches(list(consensus_batches(run, only, columns)))
