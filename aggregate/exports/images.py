"""The pictures of observations, from a table of paths or URLs."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Indices
from ..arrow import fill_null, plain, scalar, strings, to_arrow, to_numpy
from ..blocks import count
from ..errors import VotesError
from ..files.locations import is_uri, local_path, redacted
from ..files.parquet import check_side_input, stream_all
from ..formats.base import Account
from ..formats.delimited import chunks, header
from ..parameters import setting
from ..publishing.run import Run
from ..schema import IMAGES
from ..truth import codes_among

TEXT = (".csv", ".tsv", ".txt", ".gz", ".zst")  # suffixes of comma- or tab-separated text

COLUMNS = [column.name for column in IMAGES]
NEEDED = f"the table needs {' and '.join(COLUMNS)}"


class Images(NamedTuple):
    """The pictures of some observations."""

    rows: Indices  # int64[n]; of which observation each is, ascending
    places: pa.Array  # string[n]; absolute path or URL of each, those of an observation in the order of the table
    n_without: int  # observations without a picture
    n_other: int  # pictures of observations of the run that are not exported
    n_unknown: int  # pictures of observations that are not in the run
    n_empty: int  # rows of the table without an id or a picture
    n_missing: int = 0  # pictures that are left out as their files are not there

    @property
    def notes(self) -> list[str]:
        """What is to be known of them, in words."""
        counts = (
            (self.n_without, "exported observation", "without an image"),
            (self.n_other, "image", "of observations that are not exported"),
            (self.n_unknown, "image", "of observations that are not in the run"),
            (self.n_empty, "row", "of the table of images without an id or an image"),
            (self.n_missing, "image", "left out, as their files are not there"),
        )
        return [f"{count(n, thing)} {what}" for n, thing, what in counts if n]


def images_parameter(help: str = "table of the pictures of observations", **attributes: Any) -> Any:
    """The table of pictures that an export reads."""
    columns = "observation_id and image, a path or URL; .parquet, .csv or .tsv"
    return setting(None, f"{help}: {columns}", group="Export", is_file=True, metavar="FILE", **attributes)


def max_missing_parameter() -> Any:
    """How many of the pictures may be missing."""
    help = "share of the image files that may be missing, and are left out"
    return setting(0.01, help, "in [0, 1]", group="Export")


def read_images(path: str | os.PathLike[str], run: Run, ids: pa.Array) -> Images:
    """The pictures of the observations ``ids`` of a run, from a Parquet, CSV or TSV file.

    It has the columns IMAGES of ``schema``.

    An observation may have several, each once. Paths are relative to the folder of the table. Raises VotesError if the
    table cannot be read, or has a picture of none of the observations.
    """
    batches = list(_batches(path))
    of_rows = pa.chunked_array([batch.column(0) for batch in batches]).combine_chunks() if batches else strings([])
    names = pa.chunked_array([batch.column(1) for batch in batches], pa.string()).combine_chunks()
    given = pc.and_(_is_given(of_rows), _is_given(names))
    of_rows, names = plain(of_rows).filter(given), names.filter(given)
    codes = codes_among(ids, of_rows)
    known = codes >= 0
    if not known.any():
        example = f", such as {ids[0].as_py()!r}" if len(ids) else ""
        raise VotesError(
            f"has no image of the {count(len(ids), 'observation')} to export{example}",
            where=os.fspath(path),
            remedy="see that its observation_id is that of the votes",
        )
    others = of_rows.filter(to_arrow(~known))
    of_run = plain(run.read_table(columns=["observation_id"]).column(0))
    n_other = int((codes_among(of_run, others) >= 0).sum())
    rows = codes[known].astype(np.int64)
    kept = names.filter(to_arrow(known))
    order = np.argsort(rows, kind="stable")
    rows, kept = rows[order], kept.take(to_arrow(order))
    first = _first_of_equal(rows, kept)
    rows, kept = rows[first], kept.filter(to_arrow(first))
    n_without = len(ids) - np.unique(rows).size
    n_empty = len(given) - given.true_count
    return Images(rows, _absolute(kept, os.fspath(path)), n_without, n_other, len(others) - n_other, n_empty)


def check_table(path: str | os.PathLike[str]) -> None:
    """Raise VotesError if a table of pictures cannot be read, or lacks a column: before any other work is done."""
    if _is_text(path):
        missing = [name for name in COLUMNS if name not in header(Path(local_path(path)), delimiter=_delimiter(path))]
        if missing:
            raise VotesError(f"column {missing[0]!r} is missing", where=os.fspath(path), remedy=NEEDED)
    else:
        check_side_input([path], IMAGES, {})


def without_missing(images: Images, most: float) -> Images:
    """The pictures whose files are there; those of URLs are not looked at.

    Raises VotesError if more than a share ``most`` is missing, or all.
    """
    there = np.array([is_uri(place) or os.path.isfile(place) for place in images.places.to_pylist()], np.bool_)
    n_missing, n = int((~there).sum()), there.size
    if not n_missing:
        return images
    if n_missing > most * n or n_missing == n:
        first = images.places[int(np.argmin(there))].as_py()
        raise VotesError(
            f"{n_missing:,} of {n:,} image files are not there, the first is {first!r}",
            remedy="paths are relative to the folder of the table of images; or raise --max-missing",
        )
    rows = images.rows[there]
    n_without = images.n_without + np.unique(images.rows).size - np.unique(rows).size
    return images._replace(
        rows=rows, places=images.places.filter(to_arrow(there)), n_without=n_without, n_missing=n_missing
    )


def _batches(path: str | os.PathLike[str]) -> Iterator[pa.RecordBatch]:
    if _is_text(path):
        account = Account()
        for chunk in chunks(Path(local_path(path)), account, COLUMNS, delimiter=_delimiter(path), remedy=NEEDED):
            yield chunk.batch
        for rejected in account.rejected:
            where = f"{rejected.file}, line {rejected.number}"
            raise VotesError(f"a record is {rejected.reason}", where=where, remedy="mend the table of images")
        return
    files = check_side_input([path], IMAGES, {})
    for batch, _, _ in stream_all(files, IMAGES):
        yield pa.record_batch([plain(batch.column(name)) for name in COLUMNS], names=COLUMNS)


def _is_text(path: str | os.PathLike[str]) -> bool:
    return Path(path).suffix.lower() in TEXT


def _delimiter(path: str | os.PathLike[str]) -> str:
    return "\t" if ".tsv" in (suffix.lower() for suffix in Path(path).suffixes) else ","


def _is_given(values: pa.Array) -> pa.Array:
    if pa.types.is_integer(values.type):
        return values.is_valid()
    return fill_null(pc.not_equal(pc.utf8_trim_whitespace(values), scalar("")), False)


def _first_of_equal(rows: Indices, names: pa.Array) -> np.ndarray:
    """bool[n]; which rows are the first with their observation and picture."""
    pairs = rows * (len(names) + 1) + to_numpy(names.dictionary_encode().indices)
    first = np.zeros(rows.size, np.bool_)
    first[np.unique(pairs, return_index=True)[1]] = True
    return first


def _absolute(names: pa.Array, table: str) -> pa.Array:
    """Paths from the root, relative ones from the folder of the table; URLs as they are."""
    if is_uri(table):  # without its secrets
        base = redacted(table.partition("?")[0]).rpartition("/")[0]
    else:
        base = os.path.dirname(os.path.abspath(local_path(table)))
    return strings(name if is_uri(name) else os.path.join(base, local_path(name)) for name in names.to_pylist())
