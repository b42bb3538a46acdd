"""run.json of the runs that tests read and change."""

import hashlib
import json
from pathlib import Path
from typing import Any


def record_of(run: str | Path = "consensus/latest") -> dict[str, Any]:
    """What the run.json in the folder of a run says."""
    record: dict[str, Any] = json.loads((Path(run) / "run.json").read_text(encoding="utf-8"))
    return record


def sign(run: Path) -> None:
    """Have the run.json of a run tell of the tables that are there."""
    record = record_of(run)
    known = record["outputs"]
    record["outputs"] = {path.name: known.get(path.name, {}) | digest_of(path) for path in run.glob("*.parquet")}
    (run / "run.json").write_text(json.dumps(record))


def digest_of(path: Path) -> dict[str, str]:
    """What run.json must tell of a table."""
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
