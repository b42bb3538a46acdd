"""Simulated vote logs to measure on, made once and kept in ``benchmarks/logs/``."""

import subprocess
import sys
from pathlib import Path

LOGS = Path(__file__).parent / "logs"
PLANT_AGGREGATE = [sys.executable, "-m", "plant_aggregate.cli.start"]


def simulated(scale: float, ids: str) -> Path:
    """The simulated log of a scale, made if it is not there; scale 1 is 9 million votes."""
    LOGS.mkdir(exist_ok=True)
    folder = LOGS / f"scale-{scale:g}-{ids}"
    if not (folder / "votes.parquet").exists():
        simulate = [*PLANT_AGGREGATE, "simulate", str(folder), "--scale", str(scale), "--ids", ids, "-q"]
        subprocess.run(simulate, check=True, stdout=subprocess.DEVNULL)
    return folder / "votes.parquet"
