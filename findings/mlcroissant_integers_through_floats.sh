#!/usr/bin/env bash
# mlcroissant 1.1.1: integers of a column in which one value is missing change.
#
# Expected: a field of type sc:Integer has the integers that are in the Parquet file, and None where there is none.
# Seen: a column with a null is read as floats and cast to integers: above 2^53 an id becomes another one, without a
#   warning. Without a null in the column the same id is read as it is.
# Why it matters here: observations have ids of 19 digits on some platforms, and the id is what joins labels to pictures.
#   The export `croissant` has ids as text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check mlcroissant==1.1.1 pyarrow==26.0.1 pandas==3.1.1
cd "$folder"
env/bin/python -W ignore - 2>/dev/null <<'PYTHON'
import hashlib
import json

import mlcroissant
import pyarrow as pa
import pyarrow.parquet as pq

ID = 2**60 + 1
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "recordSet": "cr:recordSet",
    "sc": "https://schema.org/",
    "source": "cr:source",
}


def ids_read(name, ids):
    pq.write_table(pa.table({"id": pa.array(ids, pa.int64())}), f"{name}.parquet")
    with open(f"{name}.parquet", "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    source = {"fileObject": {"@id": "file"}, "extract": {"column": "id"}}
    field = {"@type": "cr:Field", "@id": "rows/id", "name": "id", "dataType": "sc:Integer", "source": source}
    file = {"@type": "cr:FileObject", "@id": "file", "name": "file", "contentUrl": f"{name}.parquet"}
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "distribution": [file | {"encodingFormat": "application/x-parquet", "sha256": digest}],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": [field]}],
    }
    with open(f"{name}.json", "w") as written:
        json.dump(described, written)
    return [record["rows/id"] for record in mlcroissant.Dataset(f"{name}.json").records("rows")]


for name, ids in (("whole", [ID, 7]), ("with_null", [ID, None])):
    found = ids_read(name, ids)
    print(f"written {ids}, read {found}")
    assert (found == ids) == (name == "whole"), "integers beside a null stay what they are now"
PYTHON
