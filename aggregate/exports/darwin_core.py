"""The votes and the consensus as a Darwin Core archive: occurrences, and the identifications of each.

By the Darwin Core text guide (https://dwc.tdwg.org/text/) and GBIF's extension
https://rs.gbif.org/extension/dwc/identification_history_2025-07-10.xml: all identifications are in the extension, and
the current one, which is the consensus, is repeated in the core.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import plain, scalar, strings, to_arrow
from ..blocks import Block, Table, count
from ..files.writing import writing
from ..formats.times import utc_time
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..settings import check_settings
from .crowd import timed_votes_of, votes_parameter
from .observations import authors_in, places_of
from .rows import ALL, BATCH_ROWS, GROUP, consensus_table, only_parameter
from .text_tables import write_text_table

if TYPE_CHECKING:
    from ..files.sources import Paths
    from ..frames import Frame
    from ..votes import Votes

TERMS = "http://rs.tdwg.org/dwc/terms/"
OCCURRENCES, IDENTIFICATIONS, METAFILE, ZIP = "occurrence.tsv", "identification.tsv", "meta.xml", "dwca.zip"
PROGRAM = "plant-aggregate"  # identified by it, as the format that reads archives knows
EPOCH = (1980, 1, 1, 0, 0, 0)  # of the files in the zip file, so that its bytes are always the same
SEVERAL = " | "  # between people, as Darwin Core recommends

ID, BASIS, PRESENT, RECORDED_BY = "occurrenceID", "basisOfRecord", "occurrenceStatus", "recordedBy"
BY, WHEN = "identifiedBy", "dateIdentified"
STATUS, REMARKS = "identificationVerificationStatus", "identificationRemarks"


@dataclass(frozen=True)
class DarwinCore:
    """A Darwin Core archive: an occurrence for each observation, and an identification for each vote.

    One more identification of each observation is the consensus, by plant-aggregate, with the status of its label as
    identificationVerificationStatus; it is that of the occurrence, too. Labels are scientificName, or taxonID if they
    are integers. recordedBy has the users who took the pictures.
    """

    name: ClassVar[str] = "darwin-core"

    only: str = only_parameter(ALL)
    basis: str = setting("HumanObservation", "basisOfRecord of the occurrences", group=GROUP)
    zip: bool = setting(False, "write one zip file, dwca.zip, in place of meta.xml and the tables", group=GROUP)
    votes: "Paths | Frame | None" = votes_parameter()

    def __post_init__(self) -> None:
        check_settings(self)

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write the archive. Raises VotesError if the votes of the run are gone, PublishError."""
        consensus = _Consensus(run, self.only)
        votes, times = timed_votes_of(run, self.votes, progress)
        progress.phase("write", total=votes.n_votes, unit="votes")
        n_occurrences = write_text_table(consensus.occurrences(votes, self.basis), folder / OCCURRENCES)
        identified = _identifications(consensus, votes, times, progress)
        n_identifications = write_text_table(identified, folder / IDENTIFICATIONS)
        with writing(folder, "folder"):
            (folder / METAFILE).write_text(consensus.metafile(), encoding="utf-8")
            if self.zip:
                _pack(folder, (METAFILE, OCCURRENCES, IDENTIFICATIONS))
        rows = [(OCCURRENCES, n_occurrences), (IDENTIFICATIONS, n_identifications)]
        head = f"{count(n_occurrences, 'occurrence')} with {count(n_identifications, 'identification')}"
        return [Block(head, [Table(header=("table", "rows"), rows=rows, formats=("", ",")), *_notes(votes)])]


class _Consensus:
    """The consensus of a run, as identifications by a program."""

    def __init__(self, run: Run, only: str) -> None:
        columns = ["observation_id", "label", "status", "confidence", "agreement", "n_votes"]
        table = consensus_table(run, only, columns)
        self.ids, self._labels, self._status = (plain(table.column(name)) for name in columns[:3])
        self._numbers = [table.column(name).to_numpy() for name in columns[3:]]
        record = run.record
        # Of a consensus.parquet by itself none of these is known.
        by = f" by {record.strategy} of {PROGRAM} {record.version}" if record.strategy else f" of {PROGRAM}"
        self._made_by = f"consensus{by}" + (f", run {run.run_id}" if run.run_id else "")
        started = utc_time(record.settings.get("started"))
        self._when = None if started is None else f"{started:%Y-%m-%dT%H:%M:%SZ}"
        # An integer is no name; the term says so to whoever reads it.
        self.label_term = "taxonID" if pa.types.is_integer(self._labels.type) else "scientificName"

    def occurrences(self, votes: "Votes", basis: str) -> Iterator[pa.RecordBatch]:
        """The rows of the core: the id twice, as that of the core, and as a term of its own."""
        authors = authors_in(votes, self.ids)
        recorded_by: list[str | None] = [None] * len(self.ids)
        names = authors.ids.to_pylist()
        for row, code in zip(authors.rows.tolist(), authors.users.tolist(), strict=True):
            before = recorded_by[row]
            recorded_by[row] = f"{before}{SEVERAL}{names[code]}" if before else str(names[code])
        for first, last in _slices(len(self.ids)):
            ids = _text(self.ids[first:last])
            constants = {BASIS: _repeat(basis, last - first), PRESENT: _repeat("present", last - first)}
            recorders = {RECORDED_BY: strings(recorded_by[first:last])}
            yield _batch({"id": ids, ID: ids, **constants, **recorders, **self.identifications(first, last)})

    def identifications(self, first: int, last: int) -> dict[str, pa.Array]:
        """What is said of the consensus of a slice of the observations, by the names of the terms."""
        n = last - first
        values = zip(*(numbers[first:last].tolist() for numbers in self._numbers), strict=True)
        remarks = [
            f"{self._made_by}: confidence {confidence:.3f}, agreement {agreement:.3f}, {count(n_votes, 'vote')}"
            for confidence, agreement, n_votes in values
        ]
        return {
            BY: _repeat(PROGRAM, n),
            WHEN: _repeat(self._when, n),
            self.label_term: _text(self._labels[first:last]),
            STATUS: _text(self._status[first:last]),
            REMARKS: strings(remarks),
        }

    def metafile(self) -> str:
        """meta.xml: what is in which column, each declared once."""
        identification = (BY, WHEN, self.label_term, STATUS, REMARKS)
        core = _described("core", OCCURRENCES, "Occurrence", (ID, BASIS, PRESENT, RECORDED_BY, *identification))
        extension = _described("extension", IDENTIFICATIONS, "Identification", identification)
        start = '<?xml version="1.0" encoding="UTF-8"?>\n<archive xmlns="http://rs.tdwg.org/dwc/text/">'
        return f"{start}\n{core}\n{extension}\n</archive>\n"


def _identifications(
    consensus: _Consensus, votes: "Votes", times: pa.Array, progress: Progress
) -> Iterator[pa.RecordBatch]:
    """The rows of the extension: all votes, then the consensus of each observation."""
    is_written = places_of(votes.observation_ids, consensus.ids) >= 0
    for first, last in _slices(votes.n_votes):
        progress.advance(last - first)
        rows = np.searchsorted(votes.offsets, np.arange(first, last), side="right") - 1
        chosen = np.flatnonzero(is_written[rows])
        cast = to_arrow(chosen + first)
        nothing = _repeat(None, chosen.size)
        yield _batch(
            {
                "coreid": _text(votes.observation_ids.take(to_arrow(rows[chosen]))),
                BY: _text(votes.user_ids.take(to_arrow(votes.users).take(cast))),
                WHEN: _iso(times.take(cast)),
                consensus.label_term: _text(votes.label_names.take(to_arrow(votes.labels).take(cast))),
                STATUS: nothing,
                REMARKS: nothing,
            }
        )
    for first, last in _slices(len(consensus.ids)):
        yield _batch({"coreid": _text(consensus.ids[first:last]), **consensus.identifications(first, last)})


def _described(element: str, location: str, row_type: str, terms: Sequence[str]) -> str:
    """The element of meta.xml for a table whose first column is the id of the core."""
    attributes = {
        "rowType": TERMS + row_type,
        "encoding": "UTF-8",
        "fieldsTerminatedBy": r"\t",
        "linesTerminatedBy": r"\n",
        "fieldsEnclosedBy": '"',
        "ignoreHeaderLines": "1",
    }
    head = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    fields = [f'    <field index="{index}" term={quoteattr(TERMS + term)}/>' for index, term in enumerate(terms, 1)]
    id_element = "id" if element == "core" else "coreid"
    files = f"    <files>\n      <location>{escape(location)}</location>\n    </files>"
    return "\n".join([f"  <{element} {head}>", files, f'    <{id_element} index="0"/>', *fields, f"  </{element}>"])


def _pack(folder: Path, names: Sequence[str]) -> None:
    with zipfile.ZipFile(folder / ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            member = zipfile.ZipInfo(name, EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            with (folder / name).open("rb") as file, archive.open(member, "w", force_zip64=True) as packed:
                while block := file.read(1 << 20):
                    packed.write(block)
            (folder / name).unlink()


def _notes(votes: "Votes") -> list[str]:
    """What cannot be written so that it comes back the same."""
    if pa.types.is_integer(votes.user_ids.type):
        return []
    n_barred = pc.sum(pc.match_substring(votes.user_ids, "|")).as_py() or 0
    read = "Darwin Core reads them as several people: read them back with --people joined"
    return [f"{count(n_barred, 'user id')} with a bar (|): {read}"] if n_barred else []


def _slices(n: int) -> Iterator[tuple[int, int]]:
    """Where batches of ``n`` rows begin and end; at least one."""
    return pairwise([*range(0, max(n, 1), BATCH_ROWS), n])


def _batch(columns: dict[str, pa.Array]) -> pa.RecordBatch:
    return pa.record_batch(list(columns.values()), names=list(columns))


def _text(values: pa.Array) -> pa.Array:
    return plain(values).cast(pa.string())


def _repeat(value: str | None, n: int) -> pa.Array:
    return pa.nulls(n, pa.string()) if value is None else pa.repeat(scalar(value), n)


def _iso(times: pa.Array) -> pa.Array:
    """Times in UTC as ISO 8601, without a fraction of zero."""
    texts = pc.strftime(times.cast(pa.timestamp("us")), "%Y-%m-%dT%H:%M:%SZ")
    return pc.replace_substring(texts, ".000000Z", "Z")
