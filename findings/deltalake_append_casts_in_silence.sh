#!/usr/bin/env bash
# deltalake 1.6.6: an append is cast to the types of the table in silence, also where that changes ids and scores.
#
# Expected: write_deltalake(table, rows, mode="append") refuses columns of another type, as it refuses other columns unless
#   schema_mode="merge" is given, and as it refuses text where the table has numbers that it cannot be read as.
# Seen: the score 0.97 becomes 0 in a table whose first rows had integers, and the id "007" becomes 7, which is another user;
#   true and "yes" become the same. Only what cannot be cast at all is an error.
# Why it matters here: votes of one night are written with one type and those of the next with another. What `--from delta`
#   reads are then ids and scores that nobody wrote, and nothing in the table tells.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check deltalake==1.6.6 pyarrow==26.0.1
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake


def appended(first, second):
    name = "table-" + first.column_names[0]
    write_deltalake(name, first)
    write_deltalake(name, second, mode="append")
    return pa.RecordBatchReader.from_stream(DeltaTable(name).scan()).read_all().column(0).to_pylist()


scores = appended(pa.table({"score": [1, 0]}), pa.table({"score": [0.97]}))
users = appended(pa.table({"user": [1, 2]}), pa.table({"user": ["007"]}))
print("scores 1, 0, and 0.97 the next night:", sorted(scores))
print('users 1, 2, and "007" the next night:', sorted(users))
assert sorted(scores) == [0, 0, 1], "0.97 is refused, or kept, now"
assert sorted(users) == [1, 2, 7], '"007" is refused, or kept, now'
PYTHON
