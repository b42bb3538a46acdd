"""CSV files of BirdNET in its two layouts, written as the programs write them.

BirdNET-Analyzer (``analyze.utils.generate_csv`` in https://pypi.org/project/birdnet-analyzer/2.4.0/): fields without
quotes, scores with four decimals, and further columns after ``File``. birdnet (``to_csv`` of prediction results in
https://pypi.org/project/birdnet/1.3.1/): texts in quotes, scores with six decimals.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple


class Heard(NamedTuple):
    """A species in a segment."""

    recording: str
    start: float
    label: str  # SCIENTIFIC_COMMON
    score: float


def write_analyzer(path: Path, heard: Iterable[Heard], further: Mapping[str, object] | None = None) -> Path:
    """A file of BirdNET-Analyzer."""
    columns = ["Start (s)", "End (s)", "Scientific name", "Common name", "Confidence", "File", *(further or {})]
    lines = [",".join(columns)]
    for recording, start, label, score in heard:
        split = label.split("_", 1)
        line = f"{start},{start + 3},{split[0]},{split[-1]},{score:.4f},{recording}"
        lines.append(",".join([line, *map(str, (further or {}).values())]))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_package(path: Path, heard: Iterable[Heard]) -> Path:
    """A file of the package birdnet."""
    lines = ["input,start_time,end_time,species_name,confidence"]
    for recording, start, label, score in heard:
        times = ",".join(f'"00:00:{second:05.2f}"' for second in (start, start + 3))
        lines.append(f'"{recording}",{times},"{label}",{score:.6f}')
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
