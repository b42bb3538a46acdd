#!/usr/bin/env bash
# panoptes-aggregation 5.3.1: `reduce -F first` counts every classification of a user who classified a subject again.
#
# Expected: "How to filter a user making multiple classifications for one subject": with first, the default, one
#   classification of each user counts, as on the platform itself (Caesar).
# Seen: first, last and all give the same counts. batch_reduce has no parameter `filter` and hands on Python's built-in
#   function of that name, which is none of the filters.
# Why it matters here: it is Zooniverse's own tool for the exports that `convert zooniverse` reads. Its counts are compared
#   with our votes (benchmarks/panoptes.py), of which one of each user counts on each subject.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check panoptes_aggregation==5.3.1
cd "$folder"
cat > extractor.yaml <<'YAML'
workflow_id: 1
workflow_version: {min: '1.1', max: '2.0'}
extractor_config: {question_extractor: [{task: T0}]}
YAML
echo 'reducer_config: {question_reducer: {}}' > reducer.yaml
env/bin/python - <<'PYTHON'
import csv, json

columns = "classification_id,user_name,user_id,workflow_id,workflow_version,created_at,metadata,annotations,subject_ids"
with open("classifications.csv", "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(columns.split(","))
    for number, answer in enumerate(["Oak", "Elm", "Elm"]):  # one user, who first said oak
        annotations = json.dumps([{"task": "T0", "task_label": "Which tree?", "value": answer}])
        out.writerow([number, "ana", 7, 1, "1.1", f"2024-05-0{number + 1} 12:00:00 UTC", "{}", annotations, 100])
PYTHON
env/bin/panoptes_aggregation extract -hb -o votes classifications.csv extractor.yaml
for which in first last all; do
    env/bin/panoptes_aggregation reduce -hb -F $which -o $which question_extractor_votes.csv reducer.yaml
done
env/bin/python - <<'PYTHON'
import csv

for which, expected in (("first", {"oak": 1, "elm": 0}), ("last", {"oak": 0, "elm": 1}), ("all", {"oak": 1, "elm": 2})):
    with open(f"question_reducer_{which}.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    found = {answer: int(float(row[f"data.{answer}"])) for answer in ("oak", "elm")}
    print(f"-F {which}: {found}, of which the user's {which}: {expected}")
    assert found == {"oak": 1, "elm": 2}, "the filter has an effect now"
PYTHON
