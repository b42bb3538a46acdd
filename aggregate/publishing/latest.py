"""The published run, opened for reading, wherever it lies."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import PublishError, VotesError
from ..files.snapshots import copied
from ..files.stores import CHUNK, child, is_uri, locate, reaching, redacted
from .integrity import check_digest, check_tables, record_in
from .record import RunRecord
from .releases import open_output, published_in
from .tables import CONSENSUS_FILE

ATTEMPTS = 3
"""So often ``latest`` is followed, if the run that it named is gone by then."""


@dataclass(frozen=True)
class PublishedRun:
    """One run, and the same to the end, whatever is published meanwhile."""

    run_id: str
    folder: str
    """Path or URI of the run's own folder."""
    record: RunRecord = field(repr=False)
    """Its run.json."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of its run.json; :attr:`record` has it with types."""
        return self.record.plain()

    @property
    def files(self) -> list[str]:
        """The names of its tables."""
        return list(self.record.outputs)

    def path(self, name: str = CONSENSUS_FILE) -> str:
        """The path or URI of a file of the run."""
        return child(self.folder, name)

    def open(self, name: str = CONSENSUS_FILE) -> pa.NativeFile:
        """A file of the run, open for reading bytes, once its SHA-256 is found right; from a store, a copy of it.

        Raises VotesError if it cannot be read, or is damaged.
        """
        path = self.path(name)
        copy = copied(locate(path)) if is_uri(path) else None
        try:
            file = pa.OSFile(os.fsencode(path) if copy is None else copy.path, "rb")
            if name in self.record.outputs:
                digest = _digest_of(file) if copy is None else copy.sha256
                check_digest(digest, self.record.outputs[name], redacted(path))
        except OSError as error:
            raise VotesError("cannot be read", where=path, remedy=f"the run has {', '.join(self.files)}") from error
        return file

    def read_table(self, name: str = CONSENSUS_FILE, columns: Sequence[str] | None = None) -> pa.Table:
        """A table of the run as an Arrow table; ``columns``: only these. Raises VotesError."""
        with self.open(name) as file, reaching(self.path(name)):
            table = pq.ParquetFile(file, page_checksum_verification=True)
            missing = [column for column in columns or () if column not in table.schema_arrow.names]
            if missing:
                known = ", ".join(table.schema_arrow.names)
                raise VotesError(
                    f"has no column {missing[0]!r}", where=redacted(self.path(name)), remedy=f"it has {known}"
                )
            return table.read(columns=None if columns is None else list(columns))

    def verify(self) -> None:
        """Raise VotesError if a table is not the one that the run wrote, by its SHA-256.

        What is read through :meth:`open` and :meth:`read_table` is looked at anyway.
        """
        check_tables(self.folder, self.record)


def _digest_of(file: pa.NativeFile) -> str:
    """SHA-256 of an open file, which is at its beginning before and after."""
    digest = hashlib.sha256()
    while chunk := file.read_buffer(CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def open_latest(output: str | os.PathLike[str]) -> PublishedRun:
    """The run that is published in an output folder, a path or a URI.

    Raises VotesError if there is none, and PublishError if the folder cannot be read.

    It is looked up once: the files read through it are those of one run, as long as that run is kept (``--keep``).
    """
    store = open_output(output)
    for attempt in range(1, ATTEMPTS + 1):
        run_id = published_in(store)
        try:
            folder = store.file(run_id, "").rstrip("/")
            return PublishedRun(run_id, folder, record_in(folder))
        except (VotesError, PublishError):
            if attempt == ATTEMPTS or store.published_id == run_id:
                raise
    raise AssertionError("the last attempt returns or raises")
