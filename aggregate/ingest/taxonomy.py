"""Taxonomies from Parquet files, or from a table in memory."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import fill_null, plain, scalar, strings, to_numpy
from ..errors import VotesError
from ..files.parquet import batches_of_table, check_side_input, origin_of, stream_all, types_of
from ..files.sources import OR_FRAME, Paths, path_list
from ..frames import IN_MEMORY, Frame, is_frame, to_table
from ..schema import GENERA
from ..taxonomy import GENUS, Taxonomy
from .row_names import RowsOfFiles, refuse_texts

COLUMNS = "name its columns label, parent, rank and name, or label and genus"


def read_taxonomy(paths: "Paths | Frame") -> Taxonomy:
    """Read a taxonomy from Parquet files, folders or globs, or a frame, with the columns of ``schema.TAXONOMY``.

    A row is a taxon, with the one above it, as ``plant-aggregate convert`` writes them. A parent without a row is a
    taxon of no rank at a root; a taxon that is its own parent is at a root, too. A table of ``label`` and ``genus`` is
    a taxonomy of genera and what is below them.

    Raises VotesError if a file cannot be read, a column is missing or has a wrong type, a label is null or blank, a
    taxon has rows that differ, or is above itself by way of others; TypeError for what is neither a path nor a frame.

    >>> read_taxonomy({"label": ["Quercus robur", "Acer opalus"], "genus": ["Quercus", "Acer"]})
    Taxonomy(4 taxa, 2 without one above)
    """
    if is_frame(paths):
        table = to_table(paths, GENERA)
        _, batches = batches_of_table(table, GENERA)
        parts, has, origin = [(batch, IN_MEMORY, 0) for batch in batches], {*table.column_names}, IN_MEMORY
    else:
        files = check_side_input(path_list(paths, OR_FRAME), GENERA, {}, remedy=COLUMNS)
        parts, has, origin = list(stream_all(files, GENERA)), {*types_of(files)}, origin_of(files)
    if not {"parent", "genus"} & has:
        raise VotesError("has neither a column parent nor a column genus", where=origin, remedy=COLUMNS)
    rows = RowsOfFiles.of((path, batch.num_rows) for batch, path, _ in parts)
    found = pa.Table.from_batches([batch for batch, _, _ in parts]) if parts else pa.table({"label": strings([])})
    columns = {name: plain(found[name]) for name in found.column_names}
    labels = columns["label"]
    refuse_texts(labels, "label", rows, origin)
    blank = np.flatnonzero(to_numpy(_blank(labels)))
    if blank.size:
        raise VotesError(f"label is null or blank in {rows.named(blank)}", where=origin, remedy="name each taxon")
    if len(labels) == 0:
        raise VotesError("has no row", where=origin, remedy="give a row for each taxon")
    names = columns.get("name")
    if "parent" in has:
        parents = columns.get("parent", pa.nulls(len(labels)))
        is_null = pa.types.is_null(parents.type)
        if not is_null and pa.types.is_integer(parents.type) != pa.types.is_integer(labels.type):
            fault = f"column 'parent' has type {parents.type}, but {labels.type} 'label'"
            raise VotesError(fault, where=origin, remedy="write both with the same type")
        parents = parents.cast(labels.type)
        parents = pc.if_else(_blank(parents), scalar(None, parents.type), parents)
        return Taxonomy.of_rows(labels, parents, columns.get("rank", pa.nulls(len(labels), pa.string())), names, origin)
    return _of_genera(labels, columns["genus"], names, origin)


def _of_genera(labels: pa.Array, genera: pa.Array, names: pa.Array | None, origin: str) -> Taxonomy:
    """A taxonomy from the genus of each label."""
    if pa.types.is_integer(labels.type):
        raise VotesError(
            "has genera of integers, which are no taxa of that type",
            where=origin,
            remedy="give columns label, parent, rank and name, in which genera have numbers, too",
        )
    genera = pc.if_else(_blank(genera), scalar(None, genera.type), genera)
    known = genera.unique().drop_null()
    known = known.filter(pc.invert(pc.is_in(known, labels)))
    above = pc.if_else(fill_null(pc.equal(genera, labels), False), scalar(None, genera.type), genera)
    ranks = pc.if_else(fill_null(pc.is_in(labels, genera), False), scalar(GENUS), scalar(None, pa.string()))
    n = len(known)
    return Taxonomy.of_rows(
        pa.concat_arrays([labels, known]),
        pa.concat_arrays([above, pa.nulls(n, above.type)]),
        pa.concat_arrays([ranks, strings([GENUS] * n)]),
        None if names is None else pa.concat_arrays([names, known]),
        origin,
    )


def _blank(values: pa.Array) -> pa.Array:
    """Which items are null, or text of white space alone."""
    if not pa.types.is_string(values.type):
        return values.is_null()
    return fill_null(pc.equal(pc.utf8_trim_whitespace(values), scalar("")), True)
