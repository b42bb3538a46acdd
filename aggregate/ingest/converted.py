"""Records of another format that cannot be used, among the rejected rows of a run."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import strings, table_of_rows
from ..formats.base import Rejected
from ..schema import REJECTED_OF_FORMAT, arrow_schema

IDS = ("observation_id", "user_id", "label")


def with_records(rejected: pa.Table, records: Iterable[Rejected]) -> pa.Table:
    """Rejected rows of votes, and before them the records that became none: table REJECTED_OF_FORMAT of ``schema``.

    Ids that are no integers are null where those of the votes are integers.
    """
    kept = [item for item in records if item.table == "votes"]
    schema = arrow_schema(REJECTED_OF_FORMAT, **{name: rejected.schema.field(name).type for name in IDS})
    columns = {}
    plain = {field.name: field for field in schema if field.name not in (*IDS, "row")}
    rest = table_of_rows(
        [{name: getattr(item, name) for name in plain} for item in kept],
        pa.schema([field.with_type(pa.string()) if field.name == "reason" else field for field in plain.values()]),
    )
    for field in schema:
        if field.name in IDS:
            columns[field.name] = _as(strings(getattr(item, field.name) for item in kept), field.type)
        elif field.name == "row":
            columns[field.name] = pa.nulls(len(kept), field.type)
        else:
            columns[field.name] = rest.column(field.name).cast(field.type)
    further = pa.table(columns, schema=schema)
    return pa.concat_tables([further, rejected], promote_options="default").cast(schema)


def _as(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_integer(kind):
        return texts.cast(kind)
    are_integers = pc.match_substring_regex(texts, "^-?[0-9]{1,18}$")
    return pc.if_else(are_integers, texts, None).cast(kind)
