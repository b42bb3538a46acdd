"""A run: what it holds, wherever it lies, and whoever made it or opened it."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import ParameterError, VotesError
from ..files.destination import HELD, LATEST, POINTER, RECORD_FILE, RUNS, is_run_id
from ..files.locations import CHUNK, above, beside, child, is_uri, last_name, locate, reaching, redacted
from ..files.snapshots import copied
from ..files.sources import Input, Source
from ..formats.options import as_read
from ..frames import IN_MEMORY, Frame, check_type, is_frame, to_polars, wrong_type
from ..html_blocks import as_html
from ..listeners import ProgressLike, listening
from ..truth import Truth
from .integrity import REMEDY, check_digest, check_tables, sound_table
from .reading import PublishedEvidence, evidence_in, users_in
from .record import RunRecord
from .stores.store import RunStore
from .tables import CONSENSUS_FILE, LABELS_FILE

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from ..ingest import Paths, VoteFiles, VoteTable
    from ..taxon_names.cleaner import NameCleaner
    from ..votes import Votes

NO_RECORD = f"there is no {RECORD_FILE} that lists its tables"
USERS_FILE = "users.parquet"
VOTES_REMEDY = "name the files of the votes as the run read them"


@dataclass(frozen=True, repr=False)
class Run:
    """A complete run, published or held back, which stays the same whatever is published meanwhile.

    :func:`run` and :func:`open_run` give the same. It is also a table of its consensus, which Polars, DuckDB and others
    read as it is. Files are checked against the SHA-256 in its run.json before they are read; a consensus without a
    run.json is read unchecked, and then only its tables are known.
    """

    run_id: str | None
    """Its id; None without a run.json."""
    record: RunRecord
    """Its run.json, with types; ``record.UNKNOWN`` if there is none."""
    consensus: str
    """Path or URI of its consensus, which may have another name than in a run."""
    seconds: Mapping[str, float] = field(compare=False)
    """Seconds of each phase; those of publishing are known only to the process that made the run."""
    replaced: str | None = field(default=None, compare=False)
    """The run that ``latest`` named before, if this process published this one by ``publish`` or ``rollback``."""

    @property
    def folder(self) -> Path | str:
        """The run's own folder; a URI, without secrets, if it is not local."""
        place = above(self.consensus)
        return redacted(place) if is_uri(place) else Path(place)

    @property
    def latest(self) -> Path | str | None:
        """The pointer to the published run: a link, or the URI of latest.json; None outside of an output folder."""
        folder = above(self.consensus)
        runs = above(folder)
        if not is_run_id(last_name(folder)) or last_name(runs) not in (RUNS, HELD):
            return None
        output = above(runs)
        return redacted(child(output, POINTER)) if is_uri(output) else Path(output, LATEST)

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of its run.json; :attr:`record` has it with types."""
        return self.record.plain()

    @property
    def counts(self) -> dict[str, Any]:
        """Numbers of observations, by status and ambiguous, of users and of labels, as of a consensus; and of votes.

        Empty without a run.json.
        """
        return {} if self.record.counts is None else self.record.counts.plain()

    @property
    def files(self) -> list[str]:
        """The names of its tables."""
        return list(self.record.outputs)

    def path(self, name: str = CONSENSUS_FILE) -> str:
        """The path or URI of a file of the run."""
        check_type("the name of a table", name, str, f"{CONSENSUS_FILE!r}")
        return self.consensus if name == CONSENSUS_FILE else beside(self.consensus, name)

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

    def evidence(self, truth: "Truth | Frame") -> PublishedEvidence:
        """The evidence in its consensus on the observations of ``truth``, expert labels or a frame of them.

        It is read batch by batch, and rows of other observations are dropped. Raises VotesError if it
        cannot be read, lacks a column, or has ids or labels of another type than ``truth``.
        """
        from ..ingest.given import given_truth

        return evidence_in(self.consensus, self.record, given_truth(truth))

    def experts(self, truth: "Truth | Frame") -> Truth:
        """Expert labels, or a frame of them, cleaned as the run cleaned the labels of votes.

        As they are if it cleaned none. Labels that name no species for certain are left out. Raises VotesError. Warns
        of what is left out, and of labels that count as the same.
        """
        from ..ingest.given import given_truth

        given = given_truth(truth)
        if self.record.cleaned_labels is None:
            return given
        from .experts import cleaned_as_in

        return cleaned_as_in(self.record, self._cleaned_labels(), given)

    def users(self) -> pa.Table | None:
        """Its users.parquet: the columns USERS and USER_AGREEMENT of ``schema``.

        None if there is none, or one without them. Raises VotesError if it cannot be read.
        """
        return users_in(beside(self.consensus, USERS_FILE), self.record)

    def votes(
        self,
        only: Iterable[int | str] | pa.Array | None = None,
        *,
        paths: "Paths | Frame | None" = None,
        progress: ProgressLike = None,
    ) -> "Votes":
        """The votes of users that the run read, read again: the same columns, and none cast after its time limit.

        Labels are cleaned as the run did, by its labels.parquet.

        ``only``: ids of observations; the votes on others, and users and labels that only these have, are left out.
        ``paths``: where the votes are now, or a frame of them; None for the files that the run read, each of which must
        have the SHA-256 that it had then. Raises VotesError if votes are gone, have changed, or cannot be read, if
        run.json does not name them, if the run was given a frame, or if there are none on the observations.
        ``progress``: True shows a bar, False does not, by default there is one in notebooks; or a listener.
        """
        if only is not None and (isinstance(only, str) or not isinstance(only, Iterable)):
            raise wrong_type("ids of observations", only, "a list of them, votes([ID])")
        from ..ingest import read_found

        found = self._find_votes(paths)
        chosen: dict[str, Any] = {"max_rejected": self.record.reading.max_rejected}
        if only is not None:
            chosen = {"max_rejected": 1.0, "only": only if isinstance(only, pa.Array) else pa.array(only)}
        with listening(progress) as listener:
            return read_found(found, **chosen, cleaner=self._cleaner(), identify=False, progress=listener).votes

    def vote_times(
        self, votes: "Votes", *, paths: "Paths | Frame | None" = None, progress: ProgressLike = None
    ) -> pa.Array:
        """When each of ``votes``, those of :meth:`votes`, was cast: timestamp[us, UTC][n_votes], null if unknown.

        The files are read again; ``paths``, errors and ``progress`` are as for :meth:`votes`. A time without a zone is
        UTC.
        """
        from ..ingest.times import vote_times

        with listening(progress) as listener:
            return vote_times(self._find_votes(paths), votes, cleaner=self._cleaner(), progress=listener)

    def _find_votes(self, paths: "Paths | Frame | None") -> "VoteFiles | VoteTable":
        """Where the votes are. Raises VotesError if they are gone, or have changed."""
        from ..ingest import VoteFiles, find_votes

        inputs = self._vote_files if paths is None else ()
        reading, conversion = self.record.reading, self.record.conversion
        given = [file.path for file in inputs] if conversion is None else list(conversion.paths)
        try:
            layout = None if is_frame(paths) else reading.layout
            if layout is not None and conversion is not None:
                layout = as_read(layout, conversion.details)
        except ParameterError as error:  # its package is gone, or has other options by now
            raise self._votes_are_gone(f"their format cannot be used: {error.what}", error.where) from error
        try:
            found = find_votes(
                given if paths is None else paths,
                columns=reading.columns,
                as_of=reading.as_of,
                layout=layout,
                max_rejected=reading.max_rejected,
            )
        except VotesError as error:
            if paths is not None:
                raise
            raise self._votes_are_gone(error.what, error.where) from error
        digests = {file.path: file.fingerprint for file in inputs}
        for place, digest in found.digests() if paths is None and isinstance(found, VoteFiles) else ():
            if digest != digests.get(place):
                raise self._votes_are_gone("has another SHA-256 by now", place)
        return found

    def _cleaner(self) -> "NameCleaner | None":
        """What cleans labels as the run did; None if it cleaned none."""
        if self.record.cleaned_labels is None:
            return None
        from ..taxon_names.cleaner import NameCleaner

        return NameCleaner.recorded(self._cleaned_labels())

    def _cleaned_labels(self) -> dict[str, str | None]:
        """What each label that is not as it stands in the votes became; None for no opinion."""
        table = self.read_table(LABELS_FILE, ["verbatim", "label"])
        return dict(zip(table["verbatim"].to_pylist(), table["label"].to_pylist(), strict=True))

    @property
    def _vote_files(self) -> tuple[Input, ...]:
        """The files of votes, which come first among the inputs: as many as have the rows that were counted."""
        counts, inputs = self.record.counts, self.record.inputs
        if counts is None or counts.votes is None or not inputs:
            where = redacted(beside(self.consensus, RECORD_FILE))
            raise VotesError("does not tell which votes the run read", where=where, remedy=VOTES_REMEDY)
        if inputs[0].path == IN_MEMORY:
            what = f"run {self.run_id} was given its votes in memory"
            raise VotesError(what, remedy="give them again: .votes(paths=FRAME)")
        if self.record.conversion is not None:
            return tuple(file for file in inputs if file.rows is None)
        n_before = accumulate((file.rows or 0 for file in inputs), initial=0)
        return tuple(file for file, rows in zip(inputs, n_before, strict=False) if rows < counts.votes.read)

    def _votes_are_gone(self, what: str, where: str | None) -> VotesError:
        return VotesError(f"{what} (votes of run {self.run_id})", where=where, remedy=VOTES_REMEDY)

    def verify(self) -> None:
        """Raise VotesError if a table is not the one that the run wrote, by its SHA-256, or if no run.json has that.

        What is read through :meth:`open` and :meth:`read_table` is checked anyway.
        """
        if not self.files:
            raise VotesError(f"cannot be verified: {NO_RECORD}", where=redacted(self.consensus), remedy=REMEDY)
        check_tables(above(self.consensus), self.record)

    def to_arrow(self) -> pa.Table:
        """Its consensus as an Arrow table, a row an observation. Raises VotesError."""
        return self.read_table()

    def to_pandas(self) -> "pd.DataFrame":
        """Its consensus as a data frame, a row an observation. Raises VotesError."""
        return self.read_table().to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """Its consensus as a data frame of Polars, a row an observation. Raises VotesError, ParameterError."""
        return to_polars(self.read_table())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Its consensus for whatever reads Arrow data, such as ``polars.DataFrame(run)``."""
        return self.read_table().__arrow_c_stream__(requested_schema)

    def users_to_arrow(self) -> pa.Table:
        """Its users as an Arrow table, a row each. Raises VotesError."""
        return self.read_table(USERS_FILE)

    def users_to_pandas(self) -> "pd.DataFrame":
        """Its users as a data frame, a row each. Raises VotesError."""
        return self.read_table(USERS_FILE).to_pandas()

    def users_to_polars(self) -> "pl.DataFrame":
        """Its users as a data frame of Polars, a row each. Raises VotesError, ParameterError."""
        return to_polars(self.read_table(USERS_FILE))

    def __repr__(self) -> str:
        place = str(self.folder) if self.run_id is not None else redacted(self.consensus)
        counts = self.record.counts
        if counts is None:
            return f"Run({place})"
        return (
            f"Run({place}: {counts.observations:,} observations: {counts.valid:,} valid, {counts.contested:,} "
            f"contested, {counts.needs_votes:,} need votes; {self.record.strategy})"
        )

    def _repr_html_(self) -> str:
        from .report.run import run_blocks

        return as_html(run_blocks(self, [f"in {self.folder}"]))


PublishedRun = Run
"""Another name of :class:`Run`."""


def made_in(
    store: RunStore, folder: str, record: RunRecord, seconds: Mapping[str, float], replaced: str | None = None
) -> Run:
    """A run that this process put into the ``folder`` of a store, RUNS or HELD."""
    assert record.run_id is not None
    return Run(record.run_id, record, child(store.place, folder, record.run_id, CONSENSUS_FILE), seconds, replaced)


def _digest_of(file: pa.NativeFile) -> str:
    """SHA-256 of an open file, which is at its beginning before and after."""
    digest = hashlib.sha256()
    while chunk := file.read_buffer(CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
