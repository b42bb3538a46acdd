#!/usr/bin/env bash
# argilla 2.8.0: exported by records.to_datasets(), suggested labels are numbers, and a record without one has a number, too.
#
# Expected: of a question of labels, `Q.suggestion` and `Q.responses` hold the labels, as records.to_list() has them; where
#   nothing is suggested, `Q.suggestion` is null.
# Seen: `Q.suggestion` is a ClassLabel, numbered in the order in which labels occur in this export, and no suggestion is a
#   class, too, named None; `Q.responses` beside it are texts. JSON lines and CSV of the dataset have the numbers alone, so
#   which label they are is lost, and records without a suggestion have one. Parquet keeps the names in its metadata.
# Why it matters here: `convert argilla` takes the names from a Parquet file, leaves out a None, and counts numbers without a
#   name as no vote of the AI.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check argilla==2.8.0 datasets==5.2.0 requests==2.32.5
cd "$folder"
HF_DATASETS_DISABLE_PROGRESS_BARS=1 "$folder/env/bin/python" -W ignore - <<'PYTHON'
import json
from types import SimpleNamespace
from uuid import UUID

import argilla as rg
from argilla.records._io import HFDatasetsIO

# Records of a dataset on a server, without the server: to_datasets asks it for nothing but the kinds of fields and questions.
kinds = {"image": SimpleNamespace(type="text"), "species": SimpleNamespace(type="label_selection")}
answer = [rg.Response("species", "Acer", user_id=UUID(int=1), status="submitted")]
records = [
    rg.Record(id="1", fields={"image": "1.jpg"}, responses=answer, suggestions=[rg.Suggestion("species", "Ilex", score=0.9)]),
    rg.Record(id="2", fields={"image": "2.jpg"}, responses=answer),
    rg.Record(id="3", fields={"image": "3.jpg"}, responses=answer, suggestions=[rg.Suggestion("species", "Acer", score=0.8)]),
]
dataset = HFDatasetsIO.to_datasets(records, SimpleNamespace(schema=kinds))
dataset.to_json("records.jsonl")
lines = [json.loads(line) for line in open("records.jsonl")]
print("names:      ", dataset.features["species.suggestion"].names)
print("suggestions:", [line["species.suggestion"] for line in lines])
print("responses:  ", [line["species.responses"] for line in lines])
assert dataset.features["species.suggestion"].names == ["Ilex", None, "Acer"], "no suggestion is no class now"
assert [line["species.suggestion"] for line in lines] == [0, 1, 2], "suggestions are labels now"
assert [line["species.responses"] for line in lines] == [["Acer"]] * 3
PYTHON
