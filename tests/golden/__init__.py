"""Votes with the exact results that the Pl@ntNet strategy must give for them."""

import json
from pathlib import Path

CASES = json.loads((Path(__file__).parent / "plantnet.json").read_text(encoding="utf-8"))
