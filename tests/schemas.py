"""Schemas of tables on disk."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq


def as_read(schema: pa.Schema) -> pa.Schema:
    """A schema as this pyarrow reads it: old ones make the indices of every dictionary 32 bits wide."""
    file = BytesIO()
    pq.write_table(schema.empty_table(), file)
    return pq.read_schema(file).remove_metadata()
