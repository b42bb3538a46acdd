"""Files of names, and labels to draw from."""

import json
from pathlib import Path

import pytest

from ..paths import ROOT

DATA = ROOT.parent / "shared" / "data"
CROWDSWE = DATA / "crowdswe_v1_extract"
SPECIES = CROWDSWE / "aggregation" / "k-southwestern-europe.json"

needs_data = pytest.mark.skipif(not CROWDSWE.is_dir(), reason="the real data is not here")


def real_names() -> list[str]:
    """The classes of Pl@ntNet's models, and the species of south-western Europe with their synonyms, sorted."""
    import pyarrow.parquet as pq

    names = set(json.loads((CROWDSWE / "converters" / "classes.json").read_text(encoding="utf-8")))
    for record in json.loads(SPECIES.read_text(encoding="utf-8")):
        names |= {record["species"], *record["synonyms"]}
    for labels in pq.read_table(DATA / "plantnet_ai_scores" / "scores.parquet", columns=["labels"])["labels"]:
        names |= set(labels.as_py())
    return sorted(names)


def written(path: Path, text: str) -> Path:
    """A file with a text."""
    path.write_text(text, encoding="utf-8")
    return path
