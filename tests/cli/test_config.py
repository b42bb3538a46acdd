"""Options from a TOML file: the same as on the command line, and errors come with their lines."""

import csv
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from plant_aggregate import schema
from plant_aggregate.cli.config import Setting, as_toml
from plant_aggregate.cli.group import COMMANDS, cli
from plant_aggregate.cli.main import run_command
from tests.command_line import PREFIX, Capture, Published, Write, error_lines
from tests.records import record_of


@pytest.fixture
def configure(work: Path) -> Callable[[str], list[str]]:
    """Write a configuration; the options that name it."""

    def write_file(text: str) -> list[str]:
        (work / "c.toml").write_text(text)
        return ["--config", "c.toml"]

    return write_file


Configure = Callable[[str], list[str]]


def errors(capfd: Capture, *arguments: str) -> list[str]:
    """What is wrong, a line each."""
    capfd.readouterr()
    assert run_command(list(arguments)) == 2
    return [line.removeprefix(PREFIX).strip() for line in error_lines(capfd)]


def parameters(work: Path, output: str = "consensus") -> dict[str, object]:
    found: dict[str, object] = record_of(work / output / "latest")["parameters"]
    return found


def test_a_run_takes_votes_and_options_from_the_file(write: Write, work: Path, configure: Configure) -> None:
    write("my/votes.parquet", label=["a", "b", "c", "c"])
    write("renamed.parquet").rename(work / "votes.parquet")
    configured = configure(
        '[run]\nvotes = ["votes.parquet", "my"]\noutput = "out"\nalpha = 0.6\nmax-iter = 7\nquiet = true\nsoft = true\n'
        "as-of = 9999-01-01T00:00:00\n"
    )
    assert run_command(["run", *configured]) == 1  # no vote has a time
    configured = configure(
        '[run]\nvotes = ["votes.parquet"]\noutput = "out"\nalpha = 0.6\nmax-iter = 7\nquiet = true\n'
    )
    assert run_command(["run", *configured]) == 0
    assert (parameters(work, "out")["alpha"], parameters(work, "out")["max_iter"]) == (0.6, 7)


def test_the_command_line_wins(write: Write, work: Path, configure: Configure) -> None:
    configured = configure('[run]\nvotes = ["gone.parquet"]\nalpha = 0.6\nbeta = 0.3\n')
    assert run_command(["run", str(write()), *configured, "--alpha", "0.7", "-q"]) == 0
    assert (parameters(work)["alpha"], parameters(work)["beta"]) == (0.7, 0.3)


def test_another_strategy_on_the_command_line_leaves_the_files_parameters(
    write: Write, work: Path, configure: Configure, capfd: Capture
) -> None:
    configured = configure("[run]\nalpha = 0.6\ntheta-acc = 0.9\n")
    assert run_command(["run", str(write()), *configured, "--strategy", "majority", "-q"]) == 0
    assert parameters(work)["theta_acc"] == 0.9
    configured = configure('[run]\nalpha = 0.6\nstrategy = "majority"\n')
    assert "--alpha is not an option of --strategy majority" in errors(capfd, "run", str(write()), *configured)[0]


def test_a_file_is_for_all_commands(published: Published, write: Write, configure: Configure, capfd: Capture) -> None:
    import pyarrow as pa

    write("truth.parquet", pa.table({"observation_id": [2], "label": ["Abies alba"]}))
    configured = configure('[evaluate]\ntruth = "truth.parquet"\nresamples = 0\njson = true\n[run]\nkeep = 3\n')
    assert run_command(["evaluate", "consensus", *configured]) == 0
    assert json.loads(capfd.readouterr().out)["truth"] == "truth.parquet"


def test_one_of_what_may_be_several_is_no_list(configure: Configure, work: Path) -> None:
    for name in ("a", "s", "ai.parquet", "t"):
        (work / name).touch()
    configured = configure('[run]\nvotes = "a"\nscores = "s"\n[calibrate-ai]\nai-votes = "ai.parquet"\ntruth = "t"\n')
    assert run_command(["config", *configured]) == 0


def test_all_that_is_wrong_is_told_with_the_lines(configure: Configure, capfd: Capture, work: Path) -> None:
    configured = configure(
        "# a comment\n"
        "[run]\n"
        "votes = 5\n"
        "thet-acc = 0.7\n"
        "theta-acc = 2\n"
        'keep = "a"\n'
        "max_rejected = 0.1\n"
        "quiet = 1\n"
        "alpha = nan\n"
        "max-valid-drop = nan\n"
        'column = ["species=x"]\n'
        'strategy = "oracle"\n'
        'as-of = "yesterday"\n'
        "threads = 99999999999999999999999\n"
        'metrics = "s3://bucket/file"\n'
        "[evaluat]\n"
        "[[publish]]\n"
    )
    lines = errors(capfd, "config", *configured)
    saying = [
        (3, "[run] votes: 5 must be a string or a list of strings"),
        (4, "[run] thet-acc: no such option; did you mean 'theta-acc'?"),
        (5, "[run] theta-acc: 2.0 must be in (0, 1]"),
        (6, "[run] keep: 'a' must be an integer"),
        (7, "[run] max_rejected: no such option; did you mean 'max-rejected'?"),
        (8, "[run] quiet: 1 must be true or false"),
        (9, "[run] alpha: nan must be in (0, 10]"),
        (10, "[run] max-valid-drop: nan is not in the range 0<=x<=1"),
        (11, "[run] column: 'species=x' is not of the form COLUMN=NAME"),
        (12, "[run] strategy: strategy is 'oracle' but must be one of"),
        (13, "[run] as-of: 'yesterday' is not an ISO 8601 time"),
        (14, "[run] threads: is too large a number"),
        (15, "[run] metrics: s3://bucket/file must be a local path"),
        (16, "no command 'evaluat'; did you mean 'evaluate'?"),
        (17, "publish must be a table, [publish]"),
    ]
    for line, (number, words) in zip(lines, saying, strict=True):
        assert line.startswith(f"c.toml, line {number}: {words}")


def test_options_before_the_first_table_get_a_line(configure: Configure, capfd: Capture) -> None:
    lines = errors(capfd, "config", *configure('votes = ["v"]\ntheta-conf = 2\ntruth = "t"\nxyzzy = 1\n[[rum]]\n'))
    assert [line.partition(": ")[2] for line in lines] == [
        "votes is in no table; it is an option of [run], [evaluate], [compare], [subset] and 2 more",
        "theta-conf is in no table; it is an option of [run]",
        "truth is in no table; it is an option of [evaluate], [compare], [subset], [calibrate] and 5 more",
        "xyzzy is in no table; write it below the line of one, such as [run]",
        "no command 'rum'; did you mean 'run'?",
    ]


def test_every_command_checks_the_whole_file(configure: Configure, capfd: Capture, published: Published) -> None:
    configured = configure("[simulate]\nscale = 1000\n")
    assert errors(capfd, "runs", *configured)[0].startswith(
        "c.toml, line 2: [simulate] scale: 1000.0 is not in the range"
    )
    assert published.is_untouched()


@pytest.mark.parametrize(
    ("content", "saying"),
    [
        (b"[run\n", "is not TOML: Expected ']' at the end of a table declaration (at line 1, column 5)"),
        (b"\xff[run]\n", "cannot be read (it is not UTF-8 text)"),
        (b"a=" + b"[" * 100_000, "is not TOML"),
        (b"#" * (2 << 20), "is too large for a configuration"),
    ],
)
def test_what_is_no_configuration(work: Path, capfd: Capture, content: bytes, saying: str) -> None:
    (work / "c.toml").write_bytes(content)
    (line,) = errors(capfd, "config", "--config", "c.toml")
    assert line.startswith(f"c.toml: {saying}")


def test_a_file_that_is_not_there(work: Path, capfd: Capture) -> None:
    (line,) = errors(capfd, "run", "--config", "gone.toml")
    assert line.startswith("gone.toml: cannot be read (no such file or directory)")


def test_every_option_of_every_command_may_be_in_a_file() -> None:
    from plant_aggregate.cli.config_file import NOT_IN_FILES, key_of, known

    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        keys = {key_of(parameter) for parameter in command.params}
        assert {key_of(parameter) for parameter in known(command)} == keys - set(NOT_IN_FILES)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_the_effective_settings_are_a_configuration(
    command: str, work: Path, configure: Configure, capfd: Capture
) -> None:
    configured = configure('[run]\nalpha = 0.6\nstrategy = "plantnet"\nvotes = ["a b", "\\u0007 \\" \\\\"]\n')
    assert run_command(["config", "--show", command, *configured]) == 0
    shown = capfd.readouterr().out
    (work / "shown.toml").write_text(shown)
    assert run_command(["config", "--config", "shown.toml"]) == (command == "run")  # these votes do not exist
    capfd.readouterr()
    assert run_command(["config", "--show", command, "--config", "shown.toml"]) == 0
    again = capfd.readouterr().out
    values = [[line.split("  #")[0].rstrip() for line in text.splitlines()] for text in (shown, again)]
    assert values[0] == values[1]


def test_where_settings_are_from(work: Path, configure: Configure, capfd: Capture) -> None:
    assert run_command(["config", "--show", *configure("[run]\n\nalpha = 0.6\n")]) == 0
    lines = {line.split(" =")[0]: line for line in capfd.readouterr().out.splitlines()}
    assert lines["alpha"].split() == ["alpha", "=", "0.6", "#", "c.toml,", "line", "3"]
    assert lines["beta"].split() == ["beta", "=", "0.2", "#", "default"]
    assert lines["# threads"].split() == ["#", "threads", "=", "#", "not", "set"]
    assert "rounds" not in lines  # another strategy's


def test_config_without_a_file(capfd: Capture, work: Path) -> None:
    assert "name a file with --config" in errors(capfd, "config")[0]
    assert "no command 'rum'" in errors(capfd, "config", "rum", "--show")[0]


OF_PLANTNET = "are for the strategy plantnet or auto, not for majority"


@pytest.mark.parametrize(
    ("settings", "saying"),
    [
        ("beta = 0.9", ", line 2: [run] --beta is 0.9 but must be in (0, alpha], and alpha is 0.5"),
        ('strategy = "majority"\nalpha = 0.4', ", line 3: [run] --alpha is not an option of --strategy majority"),
        ('column = ["label=a", "label=b"]', ": [run] label is mapped more than once"),
        ('ai-votes = "a"\nkeep = 1\nstrategy = "majority"\nlock = "fail"', f", line 4: [run] --ai-votes {OF_PLANTNET}"),
        ('strategy = "majority"\nuser-weights = "u.csv"', f", line 3: [run] --user-weights {OF_PLANTNET}"),
        ('votes = "v"\nai-calibration = "c.json"', ", line 3: [run] --ai-calibration is given without --ai-votes"),
        ('votes = "v"\nnormalise = true', ", line 3: [run] --normalise is given without --scores"),
        ('score-column = "labels=l"\nvotes = "v"', ", line 2: [run] --score-column is given without --scores"),
        ('votes = "v"\nai-mode = "fixed"', ", line 3: [run] --ai-mode is given without --ai-votes"),
        ('parrots = "drop"\nvotes = "v"', ", line 2: [run] --parrots is given without --ai-votes"),
    ],
)
def test_settings_that_do_not_go_together(configure: Configure, capfd: Capture, settings: str, saying: str) -> None:
    (line,) = errors(capfd, "config", *configure(f"[run]\n{settings}\n"))
    assert line.startswith(f"c.toml{saying}")
    alone = errors(capfd, "run", "v.parquet", "-q", "--config", "c.toml")[0]  # before it looks for the votes
    assert saying.partition("[run] ")[2] in alone


def test_what_says_no_needs_nothing(configure: Configure, work: Path) -> None:
    (work / "v").touch()
    assert run_command(["config", *configure('[run]\nvotes = "v"\nnormalise = false\nscore-column = []\n')]) == 0


@pytest.mark.parametrize("votes", ["", "votes = []\n"])
def test_what_may_be_on_the_command_line_is_not_missed(
    configure: Configure, capfd: Capture, work: Path, votes: str
) -> None:
    (work / "c.json").touch()
    assert run_command(["config", *configure(f'[run]\n{votes}ai-mode = "fixed"\nai-calibration = "c.json"\n')]) == 0
    missing = "; [run] names no votes and no ai-votes, so they have to be on the command line\n"
    assert f"{missing}\n" in capfd.readouterr().out
    assert run_command(["config", *configure(f"[run]\n{votes}keep = 1\n")]) == 0
    assert missing.replace(" and no ai-votes", "") in capfd.readouterr().out


def test_a_run_without_settings_of_its_own_is_one(configure: Configure, write: Write, capfd: Capture) -> None:
    assert run_command(["config", "--show"]) == 0
    assert run_command(["run", str(write()), "-q", *configure(capfd.readouterr().out)]) == 0


def test_commands_about_runs_have_the_output_of_the_run(
    write: Write, work: Path, configure: Configure, capfd: Capture
) -> None:
    configured = configure(
        f'[run]\nvotes = ["{write()}"]\noutput = "out"\nmetrics = "m.prom"\nkeep = 3\n[diff]\nrows = 0\n'
    )
    for _ in range(2):
        assert run_command(["run", "-q", *configured]) == 0
    (work / "m.prom").unlink()
    newest = (work / "out/latest").readlink().name
    for command in (["runs"], ["diff", "latest", newest], ["rollback"], ["publish", newest]):
        assert run_command([*command, *configured]) == 0
    assert (work / "m.prom").exists()
    capfd.readouterr()
    assert run_command(["config", "--show", "publish", *configured]) == 0
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert ["output", "=", '"out"', "#", "c.toml,", "line", "3"] in lines
    assert run_command(["runs", *configure('[run]\noutput = "out"\n[runs]\noutput = "consensus"\n')]) == 1


def test_metrics_of_another_output_are_not_those_of_the_run(
    published: Published, write: Write, work: Path, configure: Configure
) -> None:
    configured = configure('[run]\noutput = "out"\nmetrics = "m.prom"\n')
    for output in ("consensus", "out"):
        assert run_command(["run", str(write()), "-q", "-o", output]) == 0
        assert run_command(["rollback", *configured, "-o", output]) == (0 if output == "consensus" else 1)
        assert run_command(["publish", (work / output / "latest").readlink().name, *configured, "-o", output]) == 0
        assert (work / "m.prom").exists() == (output == "out")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "content", ["[" + "x." * 500_000 + "x]", "a = " + "{a=" * 300_000, "run = 1\npublish = 'log-format'"]
)
def test_a_file_that_would_take_long_is_not_searched_for_the_format(configure: Configure, content: str) -> None:
    assert run_command(["publish", "x", *configure(content)]) == 2


def test_faults_are_told_in_the_format_of_the_file(configure: Configure, capfd: Capture) -> None:
    for command, table in (("run", "run"), ("publish", "run"), ("evaluate", "evaluate")):
        configured = configure(f'[{table}]\nlog-format = "json"\nno-such = 1\n')
        assert run_command([command, *configured]) == 2
        assert "no-such" in json.loads(capfd.readouterr().err)["message"]
        assert run_command([command, *configured, "--log-format", "text"]) == 2
        assert capfd.readouterr().err.startswith("plant-aggregate: error: c.toml")


def test_a_date_is_a_time_and_no_name(configure: Configure, capfd: Capture) -> None:
    configured = configure("[run]\noutput = 2026-11-23\nas-of = 12:00:00\nkeep = true\n[publish]\nrun-id = 'x'\n")
    assert errors(capfd, "config", *configured) == [
        "c.toml, line 2: [run] output: 2026-11-23 must be a string",
        "c.toml, line 3: [run] as-of: 12:00:00 must be a string",
        "c.toml, line 4: [run] keep: true must be an integer",
    ]


NAMING = """
[run]
votes = ["*.parquet", "folder"]
output = "out"
ai-votes = "s3://me:secret@bucket/ai"
calibration = "simulated"
metrics = "m.prom"
"""


def test_the_paths_of_a_configuration_are_listed_with_what_is_there(
    configure: Configure, write: Write, work: Path, capfd: Capture
) -> None:
    for name in ("a.parquet", "b.parquet", "folder/c.parquet"):
        write(name)
    configured = configure(NAMING)
    assert run_command(["config", *configured]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("c.toml: nothing is wrong; options for run (5)\n")
    assert run_command(["config", *configured, "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert [(row["setting"], row["path"], row["line"], row["state"], row["files"]) for row in rows] == [
        ("votes", f"{work}/*.parquet", 3, "2 files", 2),
        ("votes", f"{work}/folder", 3, "1 file", 1),
        ("output", f"{work}/out", 4, "made by the first run", None),
        ("ai-votes", "s3://bucket/ai", 5, "in an object store: not looked at", None),
        ("metrics", f"{work}/m.prom", 7, "written", None),
    ]
    assert {(row["command"], row["file"], row["usable"]) for row in rows} == {("run", f"{work}/c.toml", True)}
    for row in rows:
        assert row["path"] in printed
        assert row["state"] in printed
    assert run_command(["config", *configured, "--csv"]) == 0
    table = list(csv.DictReader(capfd.readouterr().out.splitlines()))
    assert list(table[0]) == [column.name for column in schema.PATHS]
    assert [row["path"] for row in table] == [row["path"] for row in rows]


def test_the_default_output_is_listed_too(published: Published, configure: Configure, capfd: Capture) -> None:
    assert run_command(["config", *configure("[run]\nkeep = 3\n"), "--json"]) == 0
    (row,) = json.loads(capfd.readouterr().out)
    assert (row["path"], row["line"], row["file"], row["state"]) == (str(published.folder), None, None, "1 run")


def test_paths_that_cannot_be_used_are_an_error_with_their_lines(
    configure: Configure, write: Write, work: Path, capfd: Capture
) -> None:
    write("v.parquet")
    (work / "empty").mkdir()
    assert run_command(["config", *configure('[run]\noutput = "v.parquet"\n')]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"{PREFIX}c.toml, line 2: [run] output: {work}/v.parquet: ")
    configured = configure(
        '[run]\nvotes = ["v.parquet", "gone.parquet", "empty", "none/*.parquet"]\nmetrics = "no/m.prom"\n'
        '[evaluate]\ntruth = "truth.parquet"\n'
    )
    assert run_command(["config", *configured]) == 1
    captured = capfd.readouterr()
    assert captured.out.startswith("c.toml: settings are right; options for")
    assert captured.err.splitlines() == [
        f"{PREFIX}c.toml, line {line}: {saying}"
        for line, saying in (
            (2, f"[run] votes: {work}/gone.parquet: no such file or folder"),
            (2, f"[run] votes: {work}/empty: no Parquet file in this folder"),
            (2, f"[run] votes: {work}/none/*.parquet: no such file or folder"),
            (3, f"[run] metrics: {work}/no/m.prom: there is no folder '{work}/no'"),
            (5, f"[evaluate] truth: {work}/truth.parquet: no such file or folder"),
        )
    ]


@pytest.mark.parametrize(
    ("settings", "saying"),
    [
        ('votes = "."\noutput = "out"', ", line 3: [run] the output folder out lies among what . names"),
        ('votes = "*.parquet"\nmetrics = "v.parquet"', ", line 3: [run] v.parquet: would be written over (--metrics)"),
    ],
)
def test_an_output_among_the_votes_is_found_before_the_night(
    configure: Configure, write: Write, capfd: Capture, settings: str, saying: str
) -> None:
    write("v.parquet")
    (line,) = errors(capfd, "config", *configure(f"[run]\n{settings}\n"))
    assert line.startswith(f"c.toml{saying}")
    assert saying.partition("[run] ")[2] in errors(capfd, "run", "-q", "--config", "c.toml")[0]


def test_settings_as_a_table(configure: Configure, work: Path, capfd: Capture) -> None:
    configured = configure('[run]\nvotes = ["a", "b"]\n')
    assert run_command(["config", "--show", *configured, "--csv"]) == 0
    table = list(csv.DictReader(capfd.readouterr().out.splitlines()))
    assert list(table[0]) == [column.name for column in schema.SHOWN_SETTINGS]
    rows = {row["setting"]: row for row in table}
    assert rows["votes"] == {"setting": "votes", "value": '["a", "b"]', "file": f"{work}/c.toml", "line": "2"}
    assert rows["alpha"] == {"setting": "alpha", "value": "0.5", "file": "", "line": ""}
    assert rows["threads"]["value"] == ""
    assert run_command(["config", "--show", *configured, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)[0]["value"] == '["a", "b"]'


LONG = '"bbbbbbbbbbbbbbbbbbbbbbbbb"'


def test_settings_fit_the_terminal_and_stay_a_configuration() -> None:
    settings = [
        Setting("keep", "14", "default"),
        Setting("votes", f'["a", {LONG}]', "c.toml, line 2", 2, items=('"a"', LONG)),
        Setting("scores", "[]", "not set", is_set=False),
    ]
    assert list(as_toml(settings, None)) == [
        "keep = 14                                   # default",
        f'votes = ["a", {LONG}]  # c.toml, line 2',
        "# scores = []                               # not set",
    ]
    assert list(as_toml(settings, 50)) == [
        "keep = 14      # default",
        "# c.toml, line 2",
        f'votes = ["a", {LONG}]',
        "# scores = []  # not set",
    ]
    narrow = ["# c.toml, line 2", "votes = [", '    "a",', f"    {LONG},", "]"]
    assert list(as_toml(settings, 40))[1:-1] == narrow
    assert tomllib.loads("\n".join(narrow)) == {"votes": ["a", "b" * 25]}
