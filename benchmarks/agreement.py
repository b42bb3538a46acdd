"""Whether two contenders give every observation the same label and the same validity."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

COLUMNS = ["observation_id", "label", "valid"]


def difference(expected: Path, found: Path) -> str:
    """How the second table differs from the first; empty if it does not."""
    wanted, table = read(expected), read(found)
    if table["observation_id"] != wanted["observation_id"]:
        return f"{len(table):,} observations, or their order, in place of {len(wanted):,}"
    wrong = {
        name: pc.sum(pc.fill_null(pc.not_equal(table[name], wanted[name]), True)).as_py() for name in ("label", "valid")
    }
    return ", ".join(f"{name} of {count:,} observations" for name, count in wrong.items() if count)


def read(path: Path) -> pa.Table:
    """The columns to compare, in the order of observations, labels as text."""
    table = pq.read_table(path, columns=COLUMNS)
    ids = table.schema.field("observation_id").type
    id_type = pa.int64() if pa.types.is_integer(ids) else pa.large_string()
    types = [id_type, pa.large_string(), pa.bool_()]
    return table.cast(pa.schema(list(zip(COLUMNS, types, strict=True))))
