"""Reads and writes calibrations, and the one that comes with the program."""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pyarrow as pa

from .assessment.calibration.ai import AiCalibration
from .assessment.calibration.labels import NO_MODEL, Calibration
from .consensus import Consensus
from .errors import VotesError, warn
from .files.locations import check_local, path_text, redacted
from .files.sources import read_text
from .files.writing import in_one_step, writing
from .frames import check_type
from .progress import Progress
from .settings import SIMULATED, Settings

SIMULATED_FILE = "simulated.json"
"""File name of the calibration on simulated votes, in ``aggregate/assessment/calibration/``."""


def load_calibration(path: str | os.PathLike[str]) -> Calibration:
    """Read a calibration; ``simulated`` is the one that comes with the program. Raises VotesError."""
    origin = redacted(path_text(path))
    if origin == SIMULATED and not Path(path).exists():
        text = (files("plant_aggregate.assessment.calibration") / SIMULATED_FILE).read_text(encoding="utf-8")
    else:
        text = read_text(path, "name a file of plant-aggregate calibrate, or 'simulated'")
    return Calibration.from_json(text, origin)


def load_ai_calibration(path: str | os.PathLike[str]) -> AiCalibration:
    """Read a calibration of the AI's scores. Raises VotesError."""
    return AiCalibration.from_json(
        read_text(path, "name a file of plant-aggregate calibrate-ai"), redacted(path_text(path))
    )


def save_calibration(calibration: Calibration | AiCalibration, path: str | os.PathLike[str]) -> None:
    """Write a calibration; an existing file is replaced in one step. Raises PublishError, and TypeError."""
    write = "save_calibration(calibrate(consensus, truth), path)"
    check_type("a calibration", calibration, (Calibration, AiCalibration), write)
    with in_one_step(Path(check_local(path))) as staged, writing(path, "file"):
        staged.write_text(calibration.to_json() + "\n", encoding="utf-8")


class MakesProbability:
    """The setting ``calibration``: the probability that a label is right."""

    def __init__(self, settings: Settings) -> None:
        self._origin = redacted(path_text(settings.calibration or SIMULATED))
        self._calibration = load_calibration(settings.calibration or SIMULATED)

    def check(self, types: Mapping[str, pa.DataType]) -> None:
        """Accepts votes of any types."""

    def make(self, consensus: Consensus, progress: Progress) -> Calibration:
        """The calibration; warns if it was fitted on simulated votes, or on another strategy. Raises VotesError."""
        if self._calibration.fitted_on.get("simulated"):
            warn(
                "probabilities are calibrated on simulated votes: they are as true as the simulation's assumptions "
                "(docs/simulation.md); calibrate on expert labels to have your own"
            )
        if self._calibration.method == "temper" and consensus.probability is None:
            raise VotesError(
                NO_MODEL.format(consensus.strategy),
                where=self._origin,
                remedy="run the strategy that it was fitted on, or calibrate with another method",
            )
        if not self._calibration.fits(consensus):
            warn(
                "the calibration was fitted on another strategy or other parameters: its probabilities may be off; "
                "run plant-aggregate calibrate again"
            )
        return self._calibration
