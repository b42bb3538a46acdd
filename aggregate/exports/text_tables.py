"""Writes tables as delimited text: quotes where they are needed, UTF-8, lines that end in a line feed."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from ..files.writing import writing

GZIP = ".gz"


def write_text_table(batches: Iterable[pa.RecordBatch], path: Path) -> int:
    """Write one batch or more; how many rows. ``path`` ends in .csv or .tsv, and in .gz if it is to be packed.

    A null is an empty field, an empty text two quotation marks. Raises PublishError.
    """
    n_rows, writer = 0, None
    with ExitStack() as opened, writing(path, "file"):
        file = opened.enter_context(pa.OSFile(os.fsencode(path), "wb"))
        if path.suffix == GZIP:
            file = opened.enter_context(pa.CompressedOutputStream(file, "gzip"))
        delimiter = "\t" if ".tsv" in path.suffixes else ","
        for batch in batches:
            if writer is None:
                options = csv.WriteOptions(quoting_style="needed", delimiter=delimiter)
                writer = opened.enter_context(csv.CSVWriter(file, batch.schema, write_options=options))
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows
