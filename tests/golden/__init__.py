"""Exact expected results, which were computed elsewhere."""

import json
from pathlib import Path
from typing import Any


def _content_of(name: str) -> Any:
    return json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


CASES = _content_of("plantnet.json")
"""Votes with the results that the Pl@ntNet strategy must give for them."""

SPLITS = _content_of("splits.json")
"""Texts with their hashes, and observations with their splits, classes and populations."""
