"""Calibrations as files, and the one that comes with the program."""

import os
from importlib.resources import files
from pathlib import Path

from .assessment.calibration.ai import AiCalibration
from .assessment.calibration.labels import Calibration
from .files.sources import read_text
from .files.stores import check_local, redacted
from .files.writing import in_one_step, writing

SIMULATED = "simulated"
"""Stands for the calibration that was measured on simulated votes."""

SIMULATED_FILE = "calibration.json"
"""In ``aggregate/simulation/``."""


def load_calibration(path: str | os.PathLike[str]) -> Calibration:
    """Read a calibration; ``simulated`` is the one that comes with the program. Raises VotesError."""
    origin = redacted(os.fspath(path))
    if origin == SIMULATED and not Path(path).exists():
        text = (files("plant_aggregate.simulation") / SIMULATED_FILE).read_text(encoding="utf-8")
    else:
        text = read_text(path, "name a file of plant-aggregate calibrate, or 'simulated'")
    return Calibration.from_json(text, origin)


def load_ai_calibration(path: str | os.PathLike[str]) -> AiCalibration:
    """Read a calibration of the AI's scores. Raises VotesError."""
    return AiCalibration.from_json(
        read_text(path, "name a file of plant-aggregate calibrate-ai"), redacted(os.fspath(path))
    )


def save_calibration(calibration: Calibration | AiCalibration, path: str | os.PathLike[str]) -> None:
    """Write a calibration; a file that is there is replaced in one step. Raises PublishError."""
    with in_one_step(Path(check_local(path))) as staged, writing(path, "file"):
        staged.write_text(calibration.to_json() + "\n", encoding="utf-8")
