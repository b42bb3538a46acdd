"""Experts' labels that differ from those voted in nothing that is seen: a warning, or a refusal where none is known."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Published, Write

N = 24
"""Observations, enough for a calibration."""

CHANGES: dict[str, Callable[[str], str]] = {
    "a trailing blank": lambda name: f"{name} ",
    "case": str.upper,
    "Unicode form": lambda name: name.replace(" ", "\xa0"),
}

COMMANDS = {
    "evaluate": ["evaluate", "consensus", "--resamples", "0"],
    "compare": ["compare", "votes.parquet", "--strategies", "majority,wawa"],
    "calibrate": ["calibrate", "consensus"],
    "calibrate-ai": ["calibrate-ai", "ai.parquet"],
}
PLACES = {"compare": "the votes", "calibrate-ai": "the AI's votes"}


@pytest.fixture
def labels(write: Write, capfd: Capture) -> list[str]:
    """The labels voted, a published consensus of them, and what an AI says of the same observations."""
    voted = ["Acer campestre", "Acer opalus", "Quercus ilex"] * (N // 3)
    ids = pa.array(range(N))
    path = write(
        "votes.parquet", pa.table({"observation_id": ids, "user_id": ids, "label": voted, "is_author": [True] * N})
    )
    write("ai.parquet", pa.table({"observation_id": ids, "label": voted, "score": [0.5 + i / 50 for i in range(N)]}))
    assert run_command(["run", str(path), "-q"]) == 0
    capfd.readouterr()
    return voted


def called(write: Write, command: str, labels: list[str]) -> int:
    write("truth.parquet", pa.table({"observation_id": range(N), "label": labels}))
    return run_command([*COMMANDS[command], "--truth", "truth.parquet", "-q"])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_one_that_is_written_otherwise(
    labels: list[str], write: Write, capfd: Capture, command: str, change: str
) -> None:
    other = CHANGES[change]("Acer opalus")
    assert called(write, command, [other if label == "Acer opalus" else label for label in labels]) == 0
    place = PLACES.get(command, "the consensus")
    shown = ascii(other) if change == "Unicode form" else repr(other)
    assert capfd.readouterr().err == (
        f"plant-aggregate: warning: truth.parquet: 1 label differs from one of {place} only in case, white space or "
        f"Unicode form (first {shown}, there 'Acer opalus'): different labels, so these count as wrong\n"
    )


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_all_written_otherwise(labels: list[str], write: Write, capfd: Capture, command: str) -> None:
    assert called(write, command, [f"{label} " for label in labels]) == 0
    (line,) = capfd.readouterr().err.splitlines()
    place = PLACES.get(command, "the consensus")
    assert (
        f"none of the experts' labels (3) is among those of {place}: the first is 'Acer campestre ' with the "
        f"experts, 'Acer campestre' in {place}; 3 labels differ from one of {place} only in case"
    ) in line


@pytest.mark.parametrize("command", ["calibrate", "calibrate-ai"])
@pytest.mark.parametrize("other", ["Acer campestre\n", "Salix alba"])
def test_none_known_is_no_ground_for_a_calibration(
    labels: list[str], write: Write, capfd: Capture, work: Path, command: str, other: str
) -> None:
    assert called(write, command, [other] * N) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        f"plant-aggregate: error: truth.parquet: none of the experts' labels (1) is among those of "
        f"{PLACES.get(command, 'the consensus')}: the first is {other!r} with the experts, 'Acer campestre' in "
        f"{PLACES.get(command, 'the consensus')}; see that both write the labels the same way\n"
    )
    assert not list(work.glob("*.json"))


@pytest.mark.parametrize("command", COMMANDS)
def test_labels_that_nobody_voted_are_no_warning(labels: list[str], write: Write, capfd: Capture, command: str) -> None:
    assert called(write, command, ["Salix alba", *labels[1:]]) == 0
    assert capfd.readouterr().err == ""


def test_labels_of_observations_without_votes_do_not_matter(published: Published, write: Write, capfd: Capture) -> None:
    truth = pa.table({"observation_id": [1, 77], "label": ["Acer campestre", "acer campestre"]})
    assert run_command(["evaluate", "consensus", "--truth", str(write("truth.parquet", truth))]) == 0
    assert capfd.readouterr().err == ""


def test_integers_of_which_none_is_known(write: Write, capfd: Capture) -> None:
    assert run_command(["run", str(write(label=[1, 2, 3, 3])), "-q"]) == 0
    capfd.readouterr()
    truth = write("truth.parquet", pa.table({"observation_id": [1, 2], "label": [8, 9]}))
    assert run_command(["evaluate", "consensus", "--truth", str(truth)]) == 0
    assert "none of the experts' labels (2) is among those of the consensus: the first is 8 with the experts, " in (
        capfd.readouterr().err
    )


def test_confusions_show_what_cannot_be_seen(labels: list[str], write: Write, capfd: Capture) -> None:
    assert called(write, "evaluate", [f"{label} " for label in labels]) == 0
    assert "  'Acer campestre '  'Acer campestre'\n" in capfd.readouterr().out
