"""Shells complete commands, options, files, runs and strategies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plant_aggregate.cli.completion import SHELLS, complete
from plant_aggregate.cli.group import COMMANDS, first_words
from plant_aggregate.cli.main import COMPLETION, run_command
from plant_aggregate.strategies.registry import STRATEGIES
from tests.command_line import Capture, Published, refused

HELD = "20991231T000000Z"
"""A run that is held back, later than all others."""


def words(capfd: Capture, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """What bash is told may complete a command line; ``|`` is between words."""
    typed = ["plant-aggregate", *line.split("|")]
    monkeypatch.setenv("COMP_WORDS", "\n".join(typed))
    monkeypatch.setenv("COMP_CWORD", str(len(typed) - 1))
    capfd.readouterr()
    assert complete("bash_complete") == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


def plain(values: list[str]) -> list[str]:
    return [f"plain,{value}" for value in values]


@pytest.fixture
def ids(published: Published) -> list[str]:
    """Ids of runs, the newest first."""
    (published.folder / "held" / HELD).mkdir(parents=True)
    (published.folder / "runs" / "no run").mkdir()
    return [HELD, os.readlink(published.folder / "latest").rpartition("/")[2]]


PARQUET = "files,.parquet .parq .pq"


def test_formats_and_their_options(work: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert words(capfd, monkeypatch, "convert|crowd") == plain(["crowd-kit", "crowdswe"])
    assert words(capfd, monkeypatch, "run|votes.csv|--from|crowd") == plain(["crowd-kit", "crowdswe"])
    assert words(capfd, monkeypatch, "convert|csv|--del") == plain(["--delimiter"])
    assert words(capfd, monkeypatch, "run|v|--from|csv|--from-option|") == [
        f"part,{name}=" for name in ("columns", "table", "delimiter", "ids")
    ]
    assert words(capfd, monkeypatch, "run|v|--from-option|d") == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", plain(list(first_words()))),
        ("confo", plain(["conformal"])),
        ("conformal|", plain([name.split()[1] for name in COMMANDS if name.startswith("conformal ")])),
        ("conformal|predict|s.parquet|--never", plain(["--never-empty"])),
        ("conformal|fit|", [PARQUET]),
        ("conformal|fit|s.parquet|--score|p", plain(["pas"])),
        ("conformal|fit|s.parquet|--threshold|c", plain(["classwise", "clustered"])),
        ("conformal|fit|s.parquet|--score-column|la", ["part,labels=", "part,label="]),
        ("conformal|fit|s.parquet|--counts|", [f"{PARQUET} .csv .tsv .txt"]),
        ("config|conf", plain([name for name in COMMANDS if name.startswith("conf")])),
        ("conformal|fit|--pen", plain(["--penalty"])),
        ("cali", plain(["calibrate", "calibrate-ai"])),
        ("config|ro", plain(["rollback"])),
        ("nothing|", plain(list(first_words()))),
        ("run|--max-l", plain(["--max-label-changes"])),
        ("run|", [PARQUET]),
        ("run|a.parquet|", [PARQUET]),
        ("compare|v.parquet|--truth|", [PARQUET]),
        ("calibrate-ai|", [PARQUET]),
        ("calibrate-ai|ai.parquet|--votes|", [PARQUET]),
        ("evaluate|consensus|--votes|", [PARQUET]),
        ("run|--scores|", [PARQUET]),
        ("run|--user-weights|", ["files,"]),
        ("run|--calibration|si", ["plain,simulated", "files,"]),
        ("run|--config|", ["files,.toml"]),
        ("run|--metrics|", ["files,"]),
        ("simulate|", ["folders,"]),
        ("runs|", ["folders,"]),
        ("run|-o|", ["folders,"]),
        ("run|--lock|", plain(["wait", "fail"])),
        ("run|--lock|=|w", plain(["wait"])),
        ("run|--lock=w", plain(["wait"])),
        ("run|--strategy|wa", plain(["wawa"])),
        ("ambiguity|--strategy|wa", plain(["wawa"])),
        ("compare|--strategies|", plain([*STRATEGIES, "all"])),
        ("compare|--strategies|majority,m", plain(["majority,mace"])),
        (
            "run|--column|",
            [f"part,{name}=" for name in ("observation_id", "user_id", "label", "is_author", "voted_at")],
        ),
        ("run|--column|label|=|", []),
        ("completion|z", plain(["zsh"])),
        ("export|latest|web", plain(["webdataset"])),
        ("export|latest|csv|--su", plain(["--suffix"])),
        ("export|latest|imagefolder|--how|", plain(["link", "hardlink", "copy", "index"])),
        ("export|latest|csv|-o|", ["folders,"]),
        ("export|latest|huggingface|--votes|", [PARQUET]),
    ],
)
def test_what_may_complete_a_command_line(
    work: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch, line: str, found: list[str]
) -> None:
    assert words(capfd, monkeypatch, line) == found


def test_runs_are_those_of_the_output_folder(
    ids: list[str], work: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = plain(["latest", "previous", *ids])
    assert words(capfd, monkeypatch, "publish|") == names
    assert words(capfd, monkeypatch, f"publish|{HELD[:5]}") == plain([HELD])
    assert words(capfd, monkeypatch, "diff|latest|") == [*names, PARQUET]
    assert words(capfd, monkeypatch, "evaluate|") == [*names, PARQUET]
    assert words(capfd, monkeypatch, "evaluate|consensus|") == names
    assert words(capfd, monkeypatch, "publish|-o|elsewhere|") == []
    assert words(capfd, monkeypatch, "publish|-o|s3://bucket/consensus|") == []
    (work / "consensus").rename(work / "elsewhere")
    assert words(capfd, monkeypatch, "publish|-o|elsewhere|l") == plain(["latest"])
    (work / "c.toml").write_text('[run]\noutput = "elsewhere"\n')
    assert words(capfd, monkeypatch, "publish|--config|c.toml|") == names
    assert words(capfd, monkeypatch, "calibrate|--config|c.toml|") == [*names, PARQUET]
    (work / "c.toml").write_text("[run\n")
    assert words(capfd, monkeypatch, "publish|--config|c.toml|") == []


def test_strategies_of_other_packages_are_among_them(
    work: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = work / "site" / "others-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[plant_aggregate.strategies]\nwaxing = others:Waxing\n")
    code = "from plant_aggregate.cli.completion import complete; complete('bash_complete')"
    path = os.pathsep.join([str(work / "site"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "COMP_WORDS": "p run --strategy wa", "COMP_CWORD": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == plain(["wawa", "waxing"])


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("r", set()),
        ("publish ", set()),
        ("evaluate ", set()),
        ("diff latest ", set()),
        ("run --strategy ", {"numpy"}),
        ("compare v --strategies ", {"numpy"}),
    ],
)
def test_completion_loads_nothing_heavy(published: Published, line: str, allowed: set[str]) -> None:
    typed = f"plant-aggregate {line}"
    report = "import sys; print(*{'numba', 'pandas', 'pyarrow', 'scipy', 'numpy'} & set(sys.modules), file=sys.stderr)"
    code = f"from plant_aggregate.cli.completion import complete; complete('bash_complete'); {report}"
    environment = {**os.environ, "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout != ""
    assert set(done.stderr.split()) <= allowed


def test_nothing_is_said_of_what_cannot_be_completed(capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMPLETION, "tcsh_complete")
    assert run_command(["run"]) == 1
    monkeypatch.setenv(COMPLETION, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "plant-aggregate")
    monkeypatch.setenv("COMP_CWORD", "no number")
    assert run_command([]) == 1
    assert capfd.readouterr() == ("", "")


def test_the_shell_of_the_environment_is_the_default(capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert run_command(["completion"]) == 0
    assert capfd.readouterr().out.startswith("#compdef plant-aggregate\n")
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    line = refused(capfd, "completion", exit_code=2)
    assert line.endswith("there is no completion for tcsh; name bash, zsh or fish\n")
    monkeypatch.delenv("SHELL")
    assert "an unknown shell" in refused(capfd, "completion", exit_code=2)


@pytest.fixture
def place(ids: list[str], work: Path) -> Path:
    """A folder with files of many names, and the program at its beginning of the path."""
    for name in ("votes.parquet", "two words.pq", "notes.txt", "nightly.toml"):
        (work / name).touch()
    (work / "votes").mkdir()
    (work / "folder.parquet").mkdir()
    return work


def in_shell(shell: str, script: str, folder: Path) -> list[str]:
    """What a shell prints, which knows the program, and its completions."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    program = folder / "bin" / "plant-aggregate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m plant_aggregate.cli.start "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(folder)}
    quiet = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    command = [shell, *quiet, "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


IN_SHELLS = {
    "ru": ["run", "runs"],
    "run vo": ["votes", "votes.parquet"],
    "run two": ["two words.pq"],
    "run no": [],
    "run fol": ["folder.parquet"],
    "run --config n": ["nightly.toml"],
    f"publish {HELD[:4]}": [HELD],
    "run --lock w": ["wait"],
}
"""Command lines without their first word, and what completes their last one, in the order of names."""


@pytest.mark.parametrize("line", list(IN_SHELLS))
def test_bash_completes(place: Path, line: str) -> None:
    typed = " ".join(f'"{word}"' for word in ["plant-aggregate", *line.split(" ")])
    script = f"""
        eval "$(plant-aggregate completion bash)"
        complete -p plant-aggregate
        COMP_WORDS=({typed}) COMP_CWORD={len(line.split(" "))}
        _plant_aggregate_completion plant-aggregate
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    registered, *found = in_shell("bash", script, place)
    assert registered == "complete -o nosort -F _plant_aggregate_completion plant-aggregate"
    assert sorted(filter(None, found)) == IN_SHELLS[line]


@pytest.mark.parametrize("line", [line for line in IN_SHELLS if line != "run no"])
def test_fish_completes(place: Path, line: str) -> None:
    script = f"plant-aggregate completion fish | source; complete -C 'plant-aggregate {line}'"
    found = [line.partition("\t")[0].rstrip("/") for line in in_shell("fish", script, place)]
    assert sorted(found) == IN_SHELLS[line]


def test_the_script_of_zsh_can_be_read(place: Path) -> None:
    script = (
        'autoload -Uz compinit; compinit -D; eval "$(plant-aggregate completion zsh)"; print $_comps[plant-aggregate]'
    )
    assert in_shell("zsh", script, place) == ["_plant_aggregate_completion"]


def test_there_is_a_script_for_every_shell(capfd: Capture) -> None:
    for shell in SHELLS:
        assert run_command(["completion", shell]) == 0
        script = capfd.readouterr().out
        assert f"{COMPLETION}={shell}_complete" in script
        assert "%%" not in script.replace("%%,*", "")
