#!/usr/bin/env bash
# pyiceberg 0.12.0 with pyarrow 26.0.1: one night of categories makes to_arrow() fail for the whole table.
#
# Expected: append() takes Arrow columns of text, as string, string_view or dictionary, and writes Iceberg's one type of text;
#   what it took can be read again by scan().to_arrow(), to_pandas() and to_polars().
# Seen: after a night with categories (dictionary) and one with Polars' string_view, to_arrow() raises ArrowTypeError, "Unable
#   to merge: Field label has incompatible types", also for the nights before. to_arrow_batch_reader() reads all of them.
# Why it matters here: `--from iceberg` reads by to_arrow_batch_reader() alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check pyiceberg==0.12.0 sqlalchemy==2.1.0 pyarrow==26.0.1
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import pathlib

import pyarrow as pa
from pyiceberg.catalog.memory import InMemoryCatalog

catalog = InMemoryCatalog("finding", warehouse=pathlib.Path("lake").absolute().as_uri())
catalog.create_namespace("crowd")
night = pa.table({"observation": [1, 2], "label": ["Acer", "Ilex"]})
table = catalog.create_table("crowd.votes", schema=night.schema)
for labels in (night["label"], night["label"].dictionary_encode(), night["label"].cast(pa.string_view())):
    table.append(night.set_column(1, "label", labels))

print("to_arrow_batch_reader:", table.scan().to_arrow_batch_reader().read_all().num_rows, "rows")
try:
    print("to_arrow works now:", table.scan().to_arrow().num_rows, "rows")
except pa.ArrowTypeError as error:
    print("to_arrow:", error)
    assert "incompatible types" in str(error)
else:
    raise SystemExit(1)
PYTHON
