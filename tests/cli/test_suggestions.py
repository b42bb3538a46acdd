"""A name that is wrong: the line says what to write."""

from pathlib import Path

import pytest

from plant_aggregate.cli.completions import PARQUET
from plant_aggregate.cli.main import run_command
from plant_aggregate.files.sources import PARQUET_SUFFIXES
from tests.command_line import PREFIX, Capture, error_line

OF_EXPERTS = "an option of evaluate, compare, subset, calibrate and"
MANY = "convert, run, diff, runs and"


@pytest.mark.parametrize(
    ("line", "saying"),
    [
        ("evalaute", "no such command 'evalaute'; did you mean 'evaluate'?; see plant-aggregate --help"),
        ("calibrate_ai", "no such command 'calibrate_ai'; did you mean 'calibrate-ai'?; see plant-aggregate --help"),
        ("rum v", "no such command 'rum'; did you mean 'run'?; see plant-aggregate --help"),
        ("confrmal fit", "no such command 'confrmal'; did you mean 'conformal'?; see plant-aggregate --help"),
        ("fit", "no such command 'fit'; did you mean 'conformal fit'?; see plant-aggregate --help"),
        ("conformal ft", "no such command 'ft'; did you mean 'fit'?; see plant-aggregate conformal --help"),
        ("conformal fit s --trut t", "no such option --trut; did you mean --truth?; see plant-aggregate conformal fit"),
        ("config --show conformal.ft", "no command 'conformal.ft'; did you mean 'conformal fit'?"),
        ("xyzzy", "no such command 'xyzzy'; see plant-aggregate --help"),
        (
            "my.parquet",
            "no such command 'my.parquet'; to aggregate votes, write: plant-aggregate run my.parquet; "
            "see plant-aggregate --help",
        ),
        ("run v --strateg wawa", "no such option --strateg; did you mean --strategy?; see plant-aggregate run --help"),
        (
            "run v --theta_acc 1",
            "no such option --theta_acc; did you mean --theta-acc?; see plant-aggregate run --help",
        ),
        ("run v --no-sof", "no such option --no-sof; did you mean --no-soft?; see plant-aggregate run --help"),
        ("run v --truth t", f"no such option --truth; it is {OF_EXPERTS} "),
        ("run v --trut t", f"no such option --trut; did you mean --truth, {OF_EXPERTS} "),
        ("run v --trut=t", f"no such option --trut; did you mean --truth, {OF_EXPERTS} "),
        (
            "compare v --strategy wawa",
            "no such option --strategy; it is an option of run and ambiguity; did you mean --strategies?; "
            "see plant-aggregate compare --help",
        ),
        ("runs --hlep", "no such option --hlep; did you mean --help?; see plant-aggregate runs --help"),
        ("run v --xyzzy", "no such option --xyzzy; see plant-aggregate run --help"),
        ("run v -z", "no such option -z; see plant-aggregate run --help"),
        ("--debug run v", f"no such option --debug before the command: write it after {MANY}"),
        ("--verson", "no such option --verson; did you mean --version?; see plant-aggregate --help"),
        ("run v --alpha", "option '--alpha' requires an argument; see plant-aggregate run --help"),
        ("--xyzzy", "no such option --xyzzy; see plant-aggregate --help"),
        ("run v --lock wiat", "invalid value for '--lock': 'wiat' is not one of 'wait', 'fail'; did you mean 'wait'?"),
        ("run v --ai-mode fixd", "; did you mean 'fixed'?"),
        ("run v --log-format jsn", "; did you mean 'json'?"),
        ("calibrate c --truth t --method isotonc", "; did you mean 'isotonic'?"),
        ("run v --lock xyzzy", "'xyzzy' is not one of 'wait', 'fail'; see plant-aggregate"),
        ("run v --strategy wawwa", "; did you mean 'wawa'?"),
        ("ambiguity v --scores s --strategy wawwa", "invalid value for '--strategy': "),
        ("compare v --truth t --strategies wawa,majorty", "; did you mean 'majority'?"),
        ("run v --column observation=obs", "; did you mean 'observation_id'?"),
        ("convert zoonivers v.csv --task T3 -o votes", "; did you mean 'zooniverse'?"),
        ("convert . --task T3 -o votes", "invalid value for 'FORMAT': '.' is a file or folder, not one of argilla, "),
        (
            "convert csv v --tabel truth -o o",
            "no such option --tabel; did you mean --table?; see plant-aggregate convert",
        ),
        ("convert --xyzzy", "no such option --xyzzy; see plant-aggregate convert --help"),
        (
            "run v --from zooniverse --task T3",
            "no such option --task; it is an option of zooniverse: --from-option task=VALUE; see plant-aggregate",
        ),
        ("run v --scores s --score-column probablity=p", "; did you mean 'probability'?"),
        (
            "config c.toml",
            "invalid value for COMMAND: no command 'c.toml'; to check a file, write: plant-aggregate config --config "
            "c.toml; see plant-aggregate config --help",
        ),
        ("config evalaute --show", "no command 'evalaute'; did you mean 'evaluate'?"),
    ],
)
def test_one_line_says_what_to_write(work: Path, capfd: Capture, line: str, saying: str) -> None:
    assert run_command(line.split(" ")) == 2
    said = error_line(capfd).removeprefix(PREFIX)
    assert saying in said
    if saying.endswith("--help"):
        assert said == f"{saying}\n"


def test_keys_of_files_are_suggested_too(work: Path, capfd: Capture) -> None:
    (work / "c.toml").write_text(
        '[run]\nthet-acc = 1\ntruth = "t"\nlock = "wiat"\ncolumn = "user=u"\n[evaluat]\n[compare]\nstrategy = "wawa"\n'
    )
    assert run_command(["config", "--config", "c.toml"]) == 2
    said = capfd.readouterr().err.splitlines()
    for line, saying in zip(
        said,
        (
            "line 2: [run] thet-acc: no such option; did you mean 'theta-acc'?",
            "line 3: [run] truth: no such option; it is an option of [evaluate], [compare], [subset], [calibrate] and ",
            "line 4: [run] lock: 'wiat' is not one of 'wait', 'fail'; did you mean 'wait'?",
            "line 5: [run] column: 'user=u' is not of the form",
            "line 6: no command 'evaluat'; did you mean 'evaluate'?",
            "line 8: [compare] strategy: no such option; it is an option of [run] and [ambiguity]; "
            "did you mean 'strategies'?",
        ),
        strict=True,
    ):
        assert line.startswith(f"{PREFIX}c.toml, {saying}")
    assert said[3].endswith("; did you mean 'user_id'?")


def test_suffixes_of_parquet_files_are_those_that_are_read() -> None:
    assert PARQUET == PARQUET_SUFFIXES
