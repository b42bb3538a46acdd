#!/usr/bin/env bash
# datasets 5.2.0: a folder of Parquet files loads with other labels, types or splits than the files have.
#
# Expected: each file's own class names, as in its "huggingface" metadata, and every file in the split of its name.
# Seen, without a warning unless said:
#   - the class names of the first split are given to all: two observations of Zea and Ilex are loaded as Ilex and Acer;
#   - class names of a column of int32 are dropped, those of int64 are not;
#   - a split without rows is an error, of all splits: "BatchSize must be greater than 0";
#   - valid.parquet becomes the split "validation", and its siblings, of names that mean no split, vanish.
# Why it matters here: splits of rare species lack classes and may be empty, and `valid` is the name of a status. The export
#   `huggingface` writes one list of classes to every file, int64, no empty split, and no other names than of splits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1
cd "$folder"
HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 env/bin/python -W ignore - 2>/dev/null <<'PYTHON'
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_dataset


def write(path, codes, names, kind=pa.int64()):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(pa.table({"label": pa.array(codes, kind)}).replace_schema_metadata(metadata), path)


write("names/train.parquet", [0, 1], ["Acer", "Ilex"])
write("names/test.parquet", [1, 0], ["Ilex", "Zea"])
test = load_dataset("names")["test"]
found = [test.features["label"].int2str(code) for code in test["label"]]
print("labels of test: written ['Zea', 'Ilex'], loaded", found)
assert found == ["Ilex", "Acer"], "each split has its own names now"

for name, kind in (("wide", pa.int64()), ("narrow", pa.int32())):
    write(f"{name}/train.parquet", [0], ["Acer", "Ilex"], kind)
wide, narrow = (str(load_dataset(name)["train"].features["label"]) for name in ("wide", "narrow"))
print("class names of int64:", wide, "of int32:", narrow)
assert "ClassLabel" in wide
assert narrow == "Value('int32')", "the names of int32 are kept now"

write("empty/train.parquet", [0, 1], ["Acer", "Ilex"])
write("empty/test.parquet", [], ["Acer", "Ilex"])
try:
    load_dataset("empty")
    cause = "none"
except Exception as error:
    cause = str(error.__cause__)
print("error because of a split without rows:", cause)
assert "BatchSize" in cause, "splits without rows are read now"

for status in ("valid", "contested", "needs_votes"):
    write(f"status/{status}.parquet", [0, 1], ["Acer", "Ilex"])
found = dict(load_dataset("status").num_rows)
print("valid.parquet, contested.parquet, needs_votes.parquet, of 2 rows each:", found)
assert found == {"validation": 2}, "these files are read otherwise now"
PYTHON
