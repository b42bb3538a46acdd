#!/usr/bin/env bash
# deltalake 1.6.6 and pyiceberg 0.12.0: rows come with the newest commit first, so "the last row wins" keeps the oldest.
#
# Expected: rows in the order in which they were appended, as from a folder of files; their documentation promises none, and
#   says so of scan() alone.
# Seen: three votes that a user cast one after the other come back as third, second, first, from DeltaTable.scan(),
#   to_pyarrow_table() and Iceberg's to_arrow_batch_reader(). drop_duplicates(keep="last") keeps the first vote of all.
# Why it matters here: among votes without a time the last one counts. `--from delta` and `--from iceberg` refuse a table in
#   which a user has several such votes on an observation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check \
    deltalake==1.6.6 pyiceberg==0.12.0 sqlalchemy==2.1.0 pyarrow==26.0.1 pandas==3.1.1
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import pathlib

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.memory import InMemoryCatalog

votes = [pa.table({"observation": [1], "user": ["ana"], "label": [label]}) for label in ("first", "second", "third")]
for vote in votes:
    write_deltalake("votes", vote, mode="append")
delta = pa.RecordBatchReader.from_stream(DeltaTable("votes").scan()).read_all()
whole = pa.table(DeltaTable("votes").to_pyarrow_table())

catalog = InMemoryCatalog("finding", warehouse=pathlib.Path("lake").absolute().as_uri())
catalog.create_namespace("crowd")
table = catalog.create_table("crowd.votes", schema=votes[0].schema)
for vote in votes:
    table.append(vote)
iceberg = table.scan().to_arrow_batch_reader().read_all()

for name, rows in (("Delta, scan", delta), ("Delta, to_pyarrow_table", whole), ("Iceberg", iceberg)):
    order = rows["label"].to_pylist()
    kept = rows.to_pandas().drop_duplicates(["observation", "user"], keep="last")["label"].tolist()
    print(f"{name}: {order}; the last is {kept}")
    assert order == ["third", "second", "first"], "the order is another now"
    assert kept == ["first"]
PYTHON
