"""The examples of pages on formats: files as others write them, the command that converts them, and what it prints."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Example(NamedTuple):
    """Files, and how they are converted."""

    write: Callable[[Path], object]
    command: str  # after `plant-aggregate convert`


def _crowdswe(folder: Path) -> None:
    command = [sys.executable, "-m", "tests.formats.made_crowdswe", "sample_votes", str(folder / "CrowdSWE")]
    subprocess.run(command, cwd=ROOT, check=True)


def _speciesnet(folder: Path) -> None:
    from tests.formats.made_speciesnet import new_layout

    (folder / "predictions.json").write_text(json.dumps(new_layout()))


def _megadetector(folder: Path) -> None:
    from tests.formats.made_speciesnet import megadetector_layout

    (folder / "results.json").write_text(json.dumps(megadetector_layout()))


def _peerannot(folder: Path) -> None:
    dataset = folder / "toy-data"
    dataset.mkdir()
    answers = {"0": {"0": 1, "1": 0, "2": 1, "3": 1}, "1": {"0": 1, "2": 0, "3": 0}, "2": {"1": 1, "AI": 1}}
    (dataset / "answers.json").write_text(json.dumps(answers))
    (dataset / "metadata.json").write_text(json.dumps({"name": "toy-data", "n_classes": 2}))
    (dataset / "ground_truth.txt").write_text("1\n-1\n1\n")


def _plantnet(folder: Path) -> None:
    from tests.formats.made_plantnet_api import NOT_FOUND, response

    responses = [
        response({"Acer campestre L.": 0.42, "Acer pseudoplatanus L.": 0.2}, 1001),
        response({"Taraxacum sect. Taraxacum F.H.Wigg.": 0.51}, 1002),
        NOT_FOUND | {"observation_id": 1003},
    ]
    (folder / "responses.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in responses))


def _birdnet(folder: Path) -> None:
    from tests.formats.made_birdnet import Heard, write_analyzer

    heard = [
        Heard("dawn.wav", 0.0, "Parus major_Great Tit", 0.4121),
        Heard("dawn.wav", 3.0, "Turdus merula_Eurasian Blackbird", 0.9503),
        Heard("dawn.wav", 6.0, "Noise_Noise", 0.9),
    ]
    write_analyzer(folder / "dawn.BirdNET.results.csv", heard)


EXAMPLES = {
    "birdnet": Example(_birdnet, "birdnet dawn.BirdNET.results.csv -o votes"),
    "crowdswe": Example(_crowdswe, "crowdswe CrowdSWE -o votes"),
    "megadetector": Example(_megadetector, "megadetector results.json -o votes --max-rejected 0.1"),
    "peerannot": Example(_peerannot, "peerannot toy-data -o votes"),
    "plantnet-api": Example(_plantnet, "plantnet-api responses.jsonl -o votes"),
    "speciesnet": Example(_speciesnet, "speciesnet predictions.json -o votes --max-rejected 0.1"),
}
"""Format -> its example."""


def example(name: str, folder: Path, output_of: Callable[..., str]) -> str:
    """The command and what it prints; what it wrote is in ``folder`` then."""
    write, command = EXAMPLES[name]
    write(folder)
    layout, source, option, output, *more = command.split()
    said = output_of("convert", layout, f"{folder}/{source}", option, f"{folder}/{output}", "-q", *more)
    return f"```console\n$ plant-aggregate convert {command}\n{said.replace(f'{folder}/', '')}```"
