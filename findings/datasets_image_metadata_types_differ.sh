#!/usr/bin/env bash
# datasets 5.2.0: an image folder with a metadata.csv in each split cannot be loaded, depending on the values.
#
# Expected: the columns of metadata.csv beside the pictures, as documented for ImageFolder; a column of numbers is one.
# Seen: the types are guessed from each file by itself. A score that happens to be 1 for all pictures of a small split is an
#   integer there and a float in the others, and loading fails: "have different features". The same columns in
#   metadata.parquet are loaded.
# Why it matters here: margins and agreements are 1 wherever voters agree, and rare species make small splits, so whether an
#   export loads would change from night to night. The export `imagefolder` writes metadata.parquet.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check \
    datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1 pillow==13.0.0
cd "$folder"
HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 env/bin/python -W ignore - 2>/dev/null <<'PYTHON'
import os

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_dataset
from PIL import Image
from pyarrow import csv


def fault_of(kind, margins):
    """Why a folder with these margins in its splits cannot be loaded; empty if it can."""
    for split, values in margins.items():
        os.makedirs(f"{kind}/{split}/Acer", exist_ok=True)
        names = [f"Acer/{number}.png" for number in range(len(values))]
        for name in names:
            Image.new("RGB", (1, 1)).save(f"{kind}/{split}/{name}")
        table = pa.table({"file_name": names, "margin": pa.array(values, pa.float64())})
        if kind == "parquet":
            pq.write_table(table, f"{kind}/{split}/metadata.parquet")
        else:
            csv.write_csv(table, f"{kind}/{split}/metadata.csv")
    try:
        load_dataset("imagefolder", data_dir=kind)
        return ""
    except ValueError as error:
        return str(error)


several, ones = {"train": [0.5, 1.0], "test": [0.25]}, {"train": [0.5, 1.0], "test": [1.0]}
found = {kind: fault_of(kind, margins) for kind, margins in (("csv", several), ("csv_of_ones", ones), ("parquet", ones))}
for kind, fault in found.items():
    print(f"{kind}: {'fails: ' + fault[-200:] if fault else 'loaded'}")
assert found["csv"] == found["parquet"] == "", "other folders fail, too"
assert "have different features" in found["csv_of_ones"], "the types of all splits are the same now"
PYTHON
