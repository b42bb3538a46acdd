#!/usr/bin/env bash
# datasets 5.2.0: load_dataset of a local folder gives what was in the folder before, or in another of the same name.
#
# Expected: "get a different hash if and only if at least one file changed" (data_files.py, of local files by the time of
#   their last change), as happens without a README.md.
# Seen: once the folder has a README.md that names the files of the splits ("configs", as on the Hub), the cache knows it
#   by its own name and these patterns alone. After the files are written anew, and for another folder of that name with
#   other files, the rows of the first load come back, without a warning.
# Why it matters here: a nightly job writes an export under the same name again, and training would go on with the labels
#   of the first night. The export `huggingface` has a SHA-256 of its files in that configuration.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1
cd "$folder"
HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 env/bin/python -W ignore - 2>/dev/null <<'PYTHON'
import os

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_dataset

CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train.parquet
---
"""


def loaded(folder, labels, card):
    os.makedirs(f"{folder}/data", exist_ok=True)
    pq.write_table(pa.table({"label": labels}), f"{folder}/data/train.parquet")
    if card:
        open(f"{folder}/README.md", "w").write(card)
    return load_dataset(folder)["train"]["label"][:]


def of_three_folders(name, card):
    nights = loaded(f"here/{name}", ["Acer"], card), loaded(f"here/{name}", ["Ilex", "Zea"], card)
    return *nights, loaded(f"elsewhere/{name}", ["Vicia"], card)


plain, named = of_three_folders("plain", None), of_three_folders("named", CARD)
print("written, written anew, another folder: ['Acer'] ['Ilex', 'Zea'] ['Vicia']")
print("loaded without a README:              ", *plain)
print("loaded with one:                      ", *named)
assert plain == (["Acer"], ["Ilex", "Zea"], ["Vicia"]), "it happens without a README, too"
assert named == (["Acer"], ["Acer"], ["Acer"]), "the files are looked at now"
PYTHON
