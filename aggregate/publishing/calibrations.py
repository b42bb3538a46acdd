"""Calibrations as files, and the one that comes with the program."""

import os
from importlib.resources import files
from pathlib import Path

from ..ai_calibration import AiCalibration
from ..calibration import Calibration
from ..errors import VotesError
from .writing import writing

SIMULATED = "simulated"
"""Stands for the calibration that was measured on simulated votes."""

SIMULATED_FILE = "calibration.json"
"""In ``aggregate/simulation/``."""


def load_calibration(path: str | os.PathLike[str]) -> Calibration:
    """Read a calibration; ``simulated`` is the one that comes with the program. Raises VotesError."""
    origin = os.fspath(path)
    if origin == SIMULATED and not Path(path).exists():
        text = (files("aggregate.simulation") / SIMULATED_FILE).read_text(encoding="utf-8")
    else:
        text = _read(path, "name a file of plant-aggregate calibrate, or 'simulated'")
    return Calibration.from_json(text, origin)


def load_ai_calibration(path: str | os.PathLike[str]) -> AiCalibration:
    """Read a calibration of the AI's scores. Raises VotesError."""
    return AiCalibration.from_json(_read(path, "name a file of plant-aggregate calibrate-ai"), os.fspath(path))


def _read(path: str | os.PathLike[str], remedy: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "it is not text"
        raise VotesError(f"cannot be read ({reason})", where=os.fspath(path), remedy=remedy) from error


def save_calibration(calibration: Calibration | AiCalibration, path: str | os.PathLike[str]) -> None:
    """Write a calibration; a file that is there is replaced in one step. Raises PublishError."""
    path = Path(path)
    staged = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with writing(path):
        try:
            staged.write_text(calibration.to_json() + "\n", encoding="utf-8")
            os.replace(staged, path)
        finally:
            staged.unlink(missing_ok=True)
