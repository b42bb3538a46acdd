"""Tables fit the terminal; in a pipe nothing is cut."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from plant_aggregate.blocks import Block, Interval, Label, Table
from plant_aggregate.cli.main import run_command
from plant_aggregate.cli.text import as_text, width_of
from tests.command_line import Capture, Write
from tests.paths import SAMPLE
from tests.processes import started

WIDTHS = (60, 80, 120, 200)


def on_terminal(width: int, *arguments: str) -> list[str]:
    """What a command prints on a pseudo-terminal so many columns wide."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with started(*arguments, stdout=follower, stderr=subprocess.PIPE, env=environment) as process:
        os.close(follower)
        shown = b""
        with suppress(OSError):  # the system's way to say that the other end is closed
            while part := os.read(leader, 65536):
                shown += part
    os.close(leader)
    assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n").splitlines()


@pytest.fixture
def two_runs(work: Path, write: Write, capfd: Capture) -> str:
    """Two runs, the later with other labels, some of them long; the id of the first."""
    for name in ("one", "two"):
        labels = [f"{name} " + "x" * 90, "銀杏" * 30, f"{name} species", "Abies alba"]
        ids = [f"observation {'y' * 50} {n}" for n in (1, 1, 2, 3)]
        assert run_command(["run", str(write(f"{name}.parquet", label=labels, observation_id=ids)), "-q"]) == 0
    capfd.readouterr()
    return sorted(path.name for path in (work / "consensus/runs").iterdir())[0]


def test_no_line_wraps_and_the_pipe_has_it_all(two_runs: str, capfd: Capture) -> None:
    command = ["diff", two_runs, "latest"]
    for width in WIDTHS:
        lines = on_terminal(width, *command)
        assert max(map(width_of, lines)) <= width
        assert any("…" in line for line in lines)
    assert [line.split("  ")[0][-2:] for line in lines[-2:]] == [" 1", " 2"]  # what tells ids apart is shown
    assert run_command(command) == 0
    whole = capfd.readouterr().out
    assert "…" not in whole
    assert "y" * 50 in whole
    assert "x" * 90 in whole


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "consensus", "--votes", str(SAMPLE / "votes.parquet")],
        ["calibrate", "consensus"],
        ["calibrate-ai", str(SAMPLE / "ai_votes.parquet"), "--votes", str(SAMPLE / "votes.parquet")],
        ["compare", str(SAMPLE / "votes.parquet"), "--ai-votes", str(SAMPLE / "ai_votes.parquet")],
    ],
)
def test_tables_of_every_command_fit(work: Path, width: int, command: list[str]) -> None:
    assert run_command(["run", str(SAMPLE / "votes.parquet"), "-q"]) == 0
    lines = on_terminal(width, *command, "--truth", str(SAMPLE / "truth.parquet"), "-q")
    assert max(map(width_of, lines)) <= width


NUMBERS = Table(
    header=("", "share of the first", "of the second"),
    rows=[("a name of several words", Interval(87.31, 86.1, 88.2), 1.0), ("plantnet", Interval(7.3, 6.1, 8.2), 2.0)],
    formats=("", ".1f %", ".1f"),
    intervals="95 % intervals",
)


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (
            None,
            "                          share of the first  of the second\n"
            "a name of several words  87.3 % [86.1, 88.2]            1.0\n"
            "plantnet                    7.3 % [6.1, 8.2]            2.0\n"
            "[in brackets: 95 % intervals]",
        ),
        (
            54,
            "                                              of the\n"
            "                          share of the first  second\n"
            "a name of several words  87.3 % [86.1, 88.2]     1.0\n"
            "plantnet                    7.3 % [6.1, 8.2]     2.0\n"
            "[in brackets: 95 % intervals]",
        ),
        (
            44,
            "                          share of  of the\n"
            "                         the first  second\n"
            "a name of several words     87.3 %     1.0\n"
            "plantnet                     7.3 %     2.0\n"
            "[95 % intervals: with --csv]",
        ),
        (
            36,
            "                          share of\n"
            "                         the first\n"
            "a name of several words     87.3 %\n"
            "plantnet                     7.3 %\n"
            "[95 % intervals: with --csv]\n"
            "[1 column more with --csv: of the\n"
            "  second]",
        ),
    ],
)
def test_what_gives_way_to_a_narrow_terminal(width: int | None, text: str) -> None:
    """First names of columns are wrapped, then intervals are left out, then columns, which are named."""
    assert as_text([Block(content=[NUMBERS])], width) == text


def test_columns_that_matter_least_are_left_out_first() -> None:
    table = Table(header=("a", "b", "c"), rows=[(1234567, 1234567, 1234567)], least=(1,), complete_with="--json")
    assert as_text([Block(content=[table])], 16).splitlines()[0].split() == ["a", "c"]
    assert as_text([Block(content=[table])], 24).splitlines()[2] == "[1 column more with"


def test_subsets_that_do_not_fit_are_named() -> None:
    table = Table(header=("", "observations"), rows=[("all", 10**20), ("some", 10**20)], layout="sideways")
    assert as_text([Block(content=[table])], 40).splitlines()[-1] == "[1 column more with --csv: some]"


def test_names_of_rows_can_be_told_apart() -> None:
    rows = [(Label(f"plantnet, AI {mode}"), 123456, 123456) for mode in ("fixed", "from 0.5", "from 0.7")]
    lines = as_text([Block(content=[Table(rows=rows, header=("", "one", "other"))])], 30).splitlines()
    assert lines[1:] == [
        "plantnet, AI fixed     123456",
        "plantnet, AI from 0.5  123456",
        "plantnet, AI from 0.7  123456",
        "[1 column more with --csv:",
        "  other]",
    ]


def test_remarks_and_notes_are_wrapped_between_words() -> None:
    counts = Table(
        rows=[("valid", 1234, 98.72, "may be used for training")], formats=("", ",", ".1f %"), layout="counts"
    )
    assert as_text([Block("a title of some words (1.5 %)", [counts, "  goes on and on and on and on"])], 28) == (
        "a title of some words\n"
        "  (1.5 %)\n"
        "  valid  1,234  98.7 %   may\n"
        "                         be\n"
        "                         used\n"
        "                         for\n"
        "                         training\n"
        "  goes on and on and on and\n"
        "    on"
    )


def test_a_path_stays_whole_to_be_copied() -> None:
    path = "consensus/runs/20261127T015102Z"
    assert as_text([Block(content=[f"published as {path}"])], 20).splitlines() == ["published as", f"  {path}"]


def test_what_a_terminal_shows_of_names() -> None:
    table = Table(rows=[(Label("銀杏" * 10), 1), (Label("e\u0301" * 12), 2), (Label("Acer"), 3)])
    assert as_text([Block(content=[table])], 16).splitlines() == [
        "銀杏銀杏銀杏…  1",
        "e\u0301" * 12 + "   2",
        "Acer           3",
    ]
