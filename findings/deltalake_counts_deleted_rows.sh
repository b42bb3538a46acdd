#!/usr/bin/env bash
# deltalake 1.6.6: DeltaTable.count() counts rows that deletion vectors delete, and to_pyarrow_table() refuses such tables.
#
# Expected: count() is "less than or equal to the true row count of the table", as its documentation says; a table is read in
#   whichever way, or in none.
# Seen: of 10 rows, 3 of which a deletion vector deletes, scan() gives 7, count() says 10, and to_pyarrow_table(),
#   to_pandas() and to_pyarrow_dataset() raise DeltaProtocolError. Databricks writes them into new tables.
# Why it matters here: `--from delta` reads by scan() alone, and takes its number of rows from what it read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check deltalake==1.6.6 pyarrow==26.0.1
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import base64
import json
import pathlib
import struct

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

write_deltalake("votes", pa.table({"observation": list(range(10))}))

# The next version deletes rows 1, 2 and 9 by an inline deletion vector, as the protocol of Delta Lake describes it.
rows = struct.pack("<3H", 1, 2, 9)
content = struct.pack("<IQI", 1681511377, 1, 0) + struct.pack("<IIHHI", 12346, 1, 0, 2, 16) + rows
ours = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
encoded = base64.b85encode(content + bytes(-len(content) % 4)).decode().translate(str.maketrans(ours, z85))
vector = {"storageType": "i", "pathOrInlineDv": encoded, "sizeInBytes": len(content), "cardinality": 3}
log = pathlib.Path("votes/_delta_log")
actions = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
(added,) = (action["add"] for action in actions if "add" in action)
features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
deletion = [
    {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
    {"remove": {"path": added["path"], "dataChange": True, "deletionTimestamp": 1, "size": added["size"]}},
    {"add": added | {"deletionVector": vector}},
]
(log / f"{1:020}.json").write_text("\n".join(map(json.dumps, deletion)) + "\n")

table = DeltaTable("votes")
scanned = pa.RecordBatchReader.from_stream(table.scan()).read_all()["observation"].to_pylist()
print("scan: ", scanned)
print("count:", table.count())
assert sorted(scanned) == [0, 3, 4, 5, 6, 7, 8]
assert table.count() == 10, "deleted rows are not counted now"
try:
    print("to_pyarrow_table works now:", table.to_pyarrow_table().num_rows)
except Exception as error:
    print("to_pyarrow_table:", error)
else:
    raise SystemExit(1)
PYTHON
