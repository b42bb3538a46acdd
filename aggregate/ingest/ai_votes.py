"""The AI's votes from Parquet files, or from a table in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..ai_votes import AiVotes
from ..arrays import Bytes, Counts, Flags, Floats, LabelCodes
from ..arrow import to_arrow
from ..errors import VotesError
from ..files.parquet import CheckedFile, batches_of_table, check_side_input, inputs_of, origin_of, stream_all, types_of
from ..files.sources import OR_FRAME, Input, Paths, path_list
from ..frames import IN_MEMORY, Frame, is_frame, to_table
from ..ids.encoding import LabelColumn, id_column
from ..ids.text_faults import checked_batch
from ..schema import AI_VOTES
from ..taxon_names.settings import NameSettings
from .builder import MAX_ROWS
from .cleaning import Quarantine, check_share, faults_of_texts, first_reasons, id_faults, out_of_range
from .decimals import are_scores, scores_of
from .grouping import drop_unused
from .labels import check_cleanable, cleaner_of, explaining_refusals

if TYPE_CHECKING:
    from ..taxon_names.cleaner import NameCleaner


def read_ai_votes(
    paths: "Paths | Frame",
    *,
    columns: Mapping[str, str] | None = None,
    max_rejected: float = 0.01,
    names: NameSettings | None = None,
) -> AiVotes:
    """Read the AI's votes from Parquet files, folders or globs, or a frame, with the columns of ``schema.AI_VOTES``.

    ``columns`` maps them to the files' or the frame's own names. Rows with a null or blank id, or a score that is not
    in [0, 1], are rejected and counted; rows without a label are counted, too. Of several rows of an observation, as in
    a table of the k likeliest labels, the one with the highest score counts, then with the smallest label; the others
    are counted, but are no error. ``names``: how labels are cleaned as scientific names, as by ``read_votes``. Raises
    VotesError if a file cannot be read, a column is missing or has a wrong type, more than ``max_rejected`` of the rows
    cannot be used, or none is left, and TypeError for what is neither a path nor a frame.
    """
    cleaner = cleaner_of(names)
    if is_frame(paths):
        return _of_table(paths, columns, max_rejected, cleaner)
    found = find_ai(path_list(paths, OR_FRAME), columns=columns)
    return read_ai(found, max_rejected=max_rejected, cleaner=cleaner).ai_votes


class AiReading(NamedTuple):
    """AI votes, and the rows that were rejected."""

    ai_votes: AiVotes
    inputs: tuple[Input, ...]
    quarantine: Quarantine  # the rejected rows


def find_ai(paths: Paths, *, columns: Mapping[str, str] | None = None) -> tuple[CheckedFile, ...]:
    """The files of AI votes for :func:`read_ai`. Raises VotesError if one does not exist, or its columns are wrong."""
    return check_side_input(path_list(paths), AI_VOTES, columns or {}, as_dictionary=("label",))


def read_ai(
    files: Sequence[CheckedFile],
    *,
    max_rejected: float = 0.01,
    like: Mapping[str, pa.DataType] | None = None,
    cleaner: "NameCleaner | None" = None,
) -> AiReading:
    """As :func:`read_ai_votes`, of files that were found, with the rejected rows.

    ``like`` are the types of the votes' columns: a row whose integers are out of their range is rejected. ``cleaner``
    cleans labels, and counts them.
    """
    n_rows = sum(file.rows for file in files)
    batches = stream_all(files, AI_VOTES)
    ai_votes, quarantine = _read(batches, types_of(files), origin_of(files), n_rows, max_rejected, like or {}, cleaner)
    return AiReading(ai_votes, inputs_of(files, (file.source.fingerprint() for file in files)), quarantine)


def ai_votes_from_table(
    table: Frame, *, columns: Mapping[str, str] | None = None, max_rejected: float = 0.0
) -> AiVotes:
    """The AI's votes from a frame, as :func:`read_ai_votes`, but not from files.

    Every row must be usable if ``max_rejected`` is not given.

    >>> ai_votes_from_table({"observation_id": [7, 9], "label": ["Acer opalus", "Ilex"], "score": [0.9, 0.4]})
    AiVotes(2 observations, 2 labels, from table in memory)
    """
    return _of_table(table, columns, max_rejected, None)


def _of_table(
    table: Frame, columns: Mapping[str, str] | None, max_rejected: float, cleaner: "NameCleaner | None"
) -> AiVotes:
    arrow = to_table(table, AI_VOTES, columns, reader="read_ai_votes")
    types, batches = batches_of_table(arrow, AI_VOTES)
    return _read(_numbered(batches, IN_MEMORY), types, IN_MEMORY, arrow.num_rows, max_rejected, {}, cleaner)[0]


def _numbered(batches: Iterable[pa.RecordBatch], origin: str) -> Iterator[tuple[pa.RecordBatch, str, int]]:
    """Batches of one table, with its origin and the row that each begins at."""
    row = 0
    for batch in batches:
        yield batch, origin, row
        row += batch.num_rows


def _read(
    batches: Iterable[tuple[pa.RecordBatch, str, int]],
    types: Mapping[str, pa.DataType],
    origin: str,
    n_rows: int,
    max_rejected: float,
    like: Mapping[str, pa.DataType],
    cleaner: "NameCleaner | None",
) -> tuple[AiVotes, Quarantine]:
    """AI votes of batches, each with the path of its file and the row that it begins at."""
    if n_rows == 0:
        raise VotesError("no rows", where=origin, remedy="give AI votes, or leave out --ai-votes")
    if n_rows > MAX_ROWS:
        raise VotesError(f"more than {MAX_ROWS:,} rows", where=origin, remedy="give one for each observation")
    check_cleanable(cleaner, types, origin)
    quarantine = Quarantine()
    observations, labels = id_column(types["observation_id"], n_rows), LabelColumn(types["label"], n_rows)
    scores = np.empty(n_rows)
    n_kept = 0
    for batch, path, row in batches:
        kept, texts = checked_batch(batch, ("observation_id", "label"))
        reasons = _reasons(batch, texts, like)
        if reasons is not None:
            rejected = reasons.is_valid()
            quarantine.add(_as_votes(batch, types), rejected, reasons, path, row)
            kept = kept.filter(pc.invert(rejected))
        observations.append(kept.column("observation_id"))
        of_rows = kept.column("label")
        labels.append(of_rows if cleaner is None else cleaner.clean(of_rows, cleaner.ai_votes))
        scores[n_kept : n_kept + kept.num_rows] = scores_of(kept.column("score"))
        n_kept += kept.num_rows
    names, label_codes = labels.encode()
    ids, codes = observations.encode()
    labelled = label_codes >= 0
    rows = AiRows(ids, names, codes, label_codes, scores[:n_kept]).at(labelled)
    first = rows.best_of_each()
    n_further = int(np.count_nonzero(~first))
    rows = rows.at(first).without_unused_names() if n_further else rows
    check_share(quarantine, n_rows, max_rejected)
    if len(rows.scores) == 0:
        with explaining_refusals(cleaner):
            raise VotesError(f"no usable AI vote in {n_rows:,} rows", where=origin, remedy="see that rows have labels")
    n_unlabelled = int(np.count_nonzero(~labelled))
    counts = dict(sorted(quarantine.counts.items()))
    return rows.to_ai_votes(origin, counts, n_unlabelled, n_further), quarantine


def _reasons(batch: pa.RecordBatch, texts: Mapping[str, Bytes], like: Mapping[str, pa.DataType]) -> pa.Array | None:
    """The reason for rejecting each row, null for sound rows; None if all are. ``texts`` as in ``split_batch``."""
    faults = id_faults(batch, "observation_id", texts) + faults_of_texts("label", texts)
    for name, kind in like.items():
        beyond = out_of_range(batch.column(name), kind)
        if beyond.any():
            faults.append((f"{name} beyond {kind}, the type of the votes", to_arrow(beyond)))
    no_score = ~are_scores(scores_of(batch.column("score")))
    if no_score.any():
        faults.append(("score not in [0, 1]", to_arrow(no_score)))
    return first_reasons(faults, batch.num_rows) if faults else None


def _as_votes(batch: pa.RecordBatch, types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """The rows in the form of votes, without a user, for the quarantine."""
    columns = [batch.column("observation_id"), pa.nulls(len(batch), types["observation_id"]), batch.column("label")]
    return pa.RecordBatch.from_arrays(columns, names=["observation_id", "user_id", "label"])


class AiRows(NamedTuple):
    """Encoded rows of AI votes; arrays have an item a row."""

    ids: pa.Array  # distinct observation ids, sorted
    names: pa.Array  # distinct labels, sorted
    observations: Counts  # int32[n]; positions in `ids`
    labels: LabelCodes  # int32[n]; positions in `names`
    scores: Floats  # float64[n] in [0, 1]

    def at(self, rows: Flags) -> "AiRows":
        """A subset of the rows, bool[n]."""
        if rows.all():
            return self
        return self._replace(observations=self.observations[rows], labels=self.labels[rows], scores=self.scores[rows])

    def without_unused_names(self) -> "AiRows":
        """The same rows, without names that no row has."""
        names, labels = drop_unused(self.names, self.labels)
        return self._replace(names=names, labels=labels)

    @property
    def in_order(self) -> bool:
        """Whether each observation has one row, in the order of the ids."""
        return self.scores.size == len(self.ids) and bool(np.all(self.observations[1:] > self.observations[:-1]))

    def best_of_each(self) -> Flags:
        """The best row of each observation, bool[n]: highest score, then smallest label, then the first."""
        is_first = np.ones(self.scores.size, np.bool_)
        if self.in_order:
            return is_first
        highest = np.full(len(self.ids), -np.inf)
        np.maximum.at(highest, self.observations, self.scores)
        rows = np.flatnonzero(self.scores == highest[self.observations])
        smallest = np.full(len(self.ids), len(self.names), np.int32)
        np.minimum.at(smallest, self.observations[rows], self.labels[rows])
        rows = rows[self.labels[rows] == smallest[self.observations[rows]]]
        is_first[:] = False
        is_first[rows[np.unique(self.observations[rows], return_index=True)[1]]] = True
        return is_first

    def to_ai_votes(self, origin: str, rejected: Mapping[str, int], n_unlabelled: int, n_further: int) -> AiVotes:
        """The rows, one for each observation, in the order of the ids."""
        account = origin, rejected, n_unlabelled, n_further
        if self.in_order:
            return AiVotes(self.ids, self.labels, self.scores, self.names, *account)
        row_of = np.full(len(self.ids), -1, np.int64)
        row_of[self.observations] = np.arange(self.scores.size)
        voted = np.flatnonzero(row_of >= 0)
        ids = self.ids if voted.size == len(self.ids) else self.ids.take(to_arrow(voted))
        rows = row_of[voted]
        return AiVotes(ids, self.labels[rows], self.scores[rows], self.names, *account)
