#!/usr/bin/env bash
# label-studio-sdk 2.1.2: the column `id` is the data's in the CSV export, and the task's in JSON-MIN; both lose answers' marks.
#
# Expected: exports of one project name a task alike, and tell an answer that is set as ground truth from the others.
# Seen: where a task's data has a member `id`, the CSV export has that in its column `id`, and JSON-MIN the number of the
#   task, in silence. Members called annotator, created_at, ... are replaced in both. A member with the name of a control is
#   `_data_NAME` in CSV, and gone in JSON-MIN. ground_truth is in neither.
# Why it matters here: both are refused by `convert label-studio`, which reads the full JSON; and the export to Label Studio
#   gives no member of a task's data such a name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check label-studio-sdk==2.1.2
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import csv
import json
import pathlib

from label_studio_sdk.converter import Converter

CONFIG = """<View><Image name="image" value="$image"/><Choices name="species" toName="image"><Choice value="Acer"/></Choices>
</View>"""
region = {"from_name": "species", "to_name": "image", "type": "choices", "value": {"choices": ["Acer"]}}
times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "lead_time": 1.0}
annotation = {"id": 1, "completed_by": 5, "result": [region], "was_cancelled": False, "ground_truth": True, **times}
data = {"image": "1.jpg", "id": "obs-1", "species": "Quercus"}
pathlib.Path("project.json").write_text(json.dumps([{"id": 7, "data": data, "annotations": [annotation]}]))

converter = Converter(CONFIG, project_dir=None)
converter.convert_to_csv("project.json", "csv", is_dir=False, sep=",", header=True)
converter.convert_to_json_min("project.json", "min", is_dir=False)
with open("csv/result.csv") as file:
    (in_csv,) = csv.DictReader(file)
(in_min,) = json.loads(pathlib.Path("min/result.json").read_text())
print("CSV:     ", {name: in_csv.get(name) for name in ("id", "species", "_data_species", "ground_truth")})
print("JSON-MIN:", {name: in_min.get(name) for name in ("id", "species", "_data_species", "ground_truth")})
assert (in_csv["id"], in_min["id"]) == ("obs-1", 7), "both have the same id now"
assert (in_csv["_data_species"], "Quercus" in in_min.values()) == ("Quercus", False)
assert "ground_truth" not in in_csv and "ground_truth" not in in_min
PYTHON
