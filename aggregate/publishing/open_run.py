"""Opens a published run, by any of its names, in a folder or in an object store."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import PublishError, VotesError
from ..files.destination import POINTER, RECORD_FILE
from ..files.locations import CHUNK, beside, child, is_uri, local_path, locate, reaching, redacted
from ..files.snapshots import copied
from ..files.sources import Input, Source
from ..progress import SILENT, Progress
from ..truth import Truth
from .command_lines import DEFAULT_OUTPUT, command
from .integrity import (
    REMEDY,
    check_consensus,
    check_digest,
    check_tables,
    exists,
    record_beside,
    record_in,
    sound_table,
)
from .reading import PublishedEvidence, evidence_in, users_in
from .record import RunRecord
from .releases import open_output, published_in
from .stores.run_ids import is_run_id
from .stores.store import RunStore
from .tables import CONSENSUS_FILE

if TYPE_CHECKING:
    from ..ingest import Paths
    from ..votes import Votes

NO_RECORD = f"there is no {RECORD_FILE} that lists its tables"
VOTES_REMEDY = "name the files of the votes as the run read them"

ATTEMPTS = 3  # how often `latest` is followed, if the run that it named has been removed meanwhile


@dataclass(frozen=True)
class PublishedRun:
    """One run, which stays the same whatever is published meanwhile.

    Files are checked against the SHA-256 in its run.json before they are read. A consensus without a run.json is read
    unchecked; then only its tables are known.
    """

    run_id: str | None
    folder: str
    """Path or URI of the run's own folder."""
    record: RunRecord = field(repr=False)
    """Its run.json, with types; ``record.UNKNOWN`` if there is none."""
    consensus: str = field(repr=False)
    """Path or URI of its consensus, which may have another name than in a run."""

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
        return self.consensus if name == CONSENSUS_FILE else child(self.folder, name)

    def open(self, name: str = CONSENSUS_FILE) -> pa.NativeFile:
        """A file of the run, open for reading bytes, after its SHA-256 was checked; from a store, a copy of it.

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
            has = f"the run has {', '.join(self.files)}" if self.files else NO_RECORD
            raise VotesError("cannot be read", where=path, remedy=has) from error
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

    def source(self) -> Source:
        """The file of its consensus. Raises VotesError if it does not exist, or is damaged."""
        return sound_table(self.consensus, self.record)

    def evidence(self, truth: Truth) -> PublishedEvidence:
        """The evidence in its consensus on the observations of ``truth``.

        It is read batch by batch, and rows of other observations are dropped. Raises VotesError if it
        cannot be read, lacks a column, or has ids or labels of another type than ``truth``.
        """
        return evidence_in(self.consensus, self.record, truth)

    def users(self) -> pa.Table | None:
        """Its users.parquet: the columns USERS and USER_AGREEMENT of ``schema``.

        None if there is none, or one without them. Raises VotesError if it cannot be read.
        """
        return users_in(beside(self.consensus, "users.parquet"), self.record)

    def votes(
        self,
        only: Iterable[int | str] | pa.Array | None = None,
        *,
        paths: "Paths | None" = None,
        progress: Progress = SILENT,
    ) -> "Votes":
        """The votes of users that the run read, read again: the same columns, and none cast after its time limit.

        ``only``: ids of observations; the votes on others, and users and labels that only these have, are left out.
        ``paths``: where the votes are now; None for the files that the run read, each of which must have the SHA-256
        that it had then. Raises VotesError if votes are gone, have changed, or cannot be read, if run.json does
        not name them, or if there are none on the observations.
        """
        from ..ingest import find_votes, read_found

        inputs = self._vote_files if paths is None else ()
        reading = self.record.reading
        try:
            found = find_votes(
                [file.path for file in inputs] if paths is None else paths, columns=reading.columns, as_of=reading.as_of
            )
        except VotesError as error:
            if paths is not None:
                raise
            raise self._votes_are_gone(error.what, error.where) from error
        digests = {file.path: file.fingerprint for file in inputs}
        for source in (file.source for file in found.files if paths is None):
            if source.fingerprint() != digests.get(source.path):
                raise self._votes_are_gone("has another SHA-256 by now", source.path)
        if only is None:
            return read_found(found, max_rejected=reading.max_rejected, progress=progress).votes
        ids = only if isinstance(only, pa.Array) else pa.array(only)
        return read_found(found, max_rejected=1.0, only=ids, progress=progress).votes

    @property
    def _vote_files(self) -> tuple[Input, ...]:
        """The files of votes, which come first among the inputs: as many as have the rows that were counted."""
        counts, inputs = self.record.counts, self.record.inputs
        if counts is None or counts.votes is None or not inputs:
            where = redacted(beside(self.consensus, RECORD_FILE))
            raise VotesError("does not tell which votes the run read", where=where, remedy=VOTES_REMEDY)
        n_before = accumulate((file.rows for file in inputs), initial=0)
        return tuple(file for file, rows in zip(inputs, n_before, strict=False) if rows < counts.votes.read)

    def _votes_are_gone(self, what: str, where: str | None) -> VotesError:
        return VotesError(f"{what} (votes of run {self.run_id})", where=where, remedy=VOTES_REMEDY)

    def verify(self) -> None:
        """Raise VotesError if a table is not the one that the run wrote, by its SHA-256, or if no run.json has that.

        What is read through :meth:`open` and :meth:`read_table` is checked anyway.
        """
        if not self.files:
            raise VotesError(f"cannot be verified: {NO_RECORD}", where=redacted(self.consensus), remedy=REMEDY)
        check_tables(self.folder, self.record)


def _digest_of(file: pa.NativeFile) -> str:
    """SHA-256 of an open file, which is at its beginning before and after."""
    digest = hashlib.sha256()
    while chunk := file.read_buffer(CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def open_run(name: str | os.PathLike[str], output: str | os.PathLike[str] | None = DEFAULT_OUTPUT) -> PublishedRun:
    """Open a run by one of its names.

    - the id of a run in the folder ``output``, published or held back, or ``latest``, which means the published one
      (with ``output=None`` these are file names like any other);
    - the path or URI of a consensus.parquet, of a run's folder, or of an output folder, for its published run.

    The name is looked up once: all files read are those of one run, as long as that run is kept (``--keep``). Raises
    VotesError if there is no such run, the file is no consensus, its run.json is that of another run, or lists a table
    that is not there, and PublishError if ``output`` has no such run or cannot be read.
    """
    if output is not None and name == "latest":
        return _published_in(open_output(output))
    if output is not None and is_run_id(os.fspath(name)):
        return _run_at(open_output(output).file(os.fspath(name), CONSENSUS_FILE))
    try:
        return _run_at(consensus_path(name))
    except VotesError as error:
        if output is None or os.path.dirname(name) or os.path.lexists(name):
            raise
        remedy = f"{error.remedy}, or the id of the run (see {command('runs', os.fspath(output))})"
        raise VotesError(error.what, where=error.where, remedy=remedy) from error


def open_latest(output: str | os.PathLike[str]) -> PublishedRun:
    """Open the published run of an output folder, a path or a URI; it has a run.json.

    Raises VotesError if there is none, and PublishError if the folder cannot be read.

    The run is looked up once: all files read are those of one run, as long as that run is kept (``--keep``).
    """
    return _published_in(open_output(output), has_record=True)


def read_evidence(path: str | os.PathLike[str], truth: Truth) -> PublishedEvidence:
    """The evidence in the consensus at a path or URI on the observations of ``truth``.

    As :meth:`PublishedRun.evidence` of ``open_run(path, None)``.
    """
    return open_run(path, None).evidence(truth)


def run_in(store: RunStore, run_id: str) -> PublishedRun:
    """A run in a store. Raises VotesError if it has no sound run.json, and PublishError if it is not there."""
    folder = store.file(run_id, "").rstrip("/")
    return PublishedRun(run_id, folder, record_in(folder), child(folder, CONSENSUS_FILE))


def consensus_path(name: str | os.PathLike[str]) -> str:
    """The consensus.parquet that a name stands for: a file, a run's folder, or an output folder (its published run).

    All three may be URIs. Raises VotesError if there is none.
    """
    path = local_path(name)
    if is_uri(path):
        return _remote_consensus(path)
    if not os.path.isdir(path):
        return path
    for folder in (path, os.path.join(path, "latest")):
        if os.path.isfile(os.path.join(folder, CONSENSUS_FILE)):
            return os.path.join(os.path.realpath(folder), CONSENSUS_FILE)  # another run may be published meanwhile
    raise VotesError(f"holds neither {CONSENSUS_FILE} nor latest/{CONSENSUS_FILE}", where=path, remedy=REMEDY)


def _remote_consensus(uri: str) -> str:
    if exists(uri):
        return uri
    if exists(child(uri, CONSENSUS_FILE)):
        return child(uri, CONSENSUS_FILE)
    published = open_output(uri).published_id
    if published is None:
        raise VotesError(f"holds neither {CONSENSUS_FILE} nor {POINTER}", where=redacted(uri), remedy=REMEDY)
    return child(uri, "runs", published, CONSENSUS_FILE)


def _published_in(store: RunStore, *, has_record: bool = False) -> PublishedRun:
    """The published run. Raises VotesError if ``has_record`` and it has no run.json."""
    for attempt in range(1, ATTEMPTS + 1):
        run_id = published_in(store)
        try:
            return run_in(store, run_id) if has_record else _run_at(store.file(run_id, CONSENSUS_FILE))
        except (VotesError, PublishError):
            if attempt == ATTEMPTS or store.published_id == run_id:
                raise
    raise AssertionError("the last attempt returns or raises")


def _run_at(consensus: str) -> PublishedRun:
    """The run with a consensus in a file, whether it has a run.json or not. Raises VotesError if there is none."""
    record = record_beside(consensus)
    check_consensus(consensus, record)
    folder = beside(consensus, "") if is_uri(consensus) else os.path.dirname(consensus)
    return PublishedRun(record.run_id, folder, record, consensus)
