"""Where a command may write: not over what it reads, not into a run, and over nothing but regular files."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.group import COMMANDS, cli
from plant_aggregate.cli.main import run_command
from plant_aggregate.cli.outputs import InputPath, LocalFolder, LocalPath, NamedFileType, OutputFolder
from plant_aggregate.files.destination import check_place
from plant_aggregate.simulation import Simulation
from tests.command_line import Capture, Published, Write, refused
from tests.object_store import Bucket

TRUTH = pa.table({"observation_id": [1, 2, 3], "label": ["Acer opalus", "Abies alba", "Abies alba"]})
AI = pa.table({"observation_id": [1, 2, 3], "label": ["Acer opalus", "Abies alba", "Ilex"], "score": [0.9, 0.8, 0.3]})
SCORES = pa.table(
    {"observation_id": [1, 2], "epoch": [0, 0], "labels": [["Acer"], ["Ilex"]], "probabilities": [[0.5]] * 2}
)
WEIGHTS = pa.table({"user_id": ["ana"], "fixed_weight": [1.0]})

READS = {
    "run": [
        "votes/a.parquet",
        "--ai-votes=ai.parquet",
        "--user-weights=weights.parquet",
        "--scores=scores.parquet",
        "--calibration=calibration.json",
        "--ai-calibration=ai_calibration.json",
    ],
    "publish": ["20200101T000000Z"],
    "rollback": [],
    "diff": ["elsewhere/consensus.parquet", "elsewhere/consensus.parquet"],
    "compare": ["votes", "--truth=truth.parquet", "--ai-votes=ai.parquet"],
    "convert": ["csv", "votes.csv"],
    "export": ["elsewhere/consensus.parquet", "csv"],
    "subset": ["elsewhere/consensus.parquet", "--output=subset", "--truth=truth.parquet", "--votes=votes"],
    "calibrate": ["elsewhere/consensus.parquet", "--truth=truth.parquet"],
    "calibrate-ai": ["ai.parquet", "--truth=truth.parquet", "--votes=vot*/*.parquet"],
    "ambiguity": ["votes", "--scores=scores.parquet"],
    "conformal fit": ["scores.parquet", "--truth=truth.parquet"],
    "conformal predict": ["scores.parquet", "--sets=sets.json"],
    "conformal evaluate": ["scores.parquet", "--truth=truth.parquet", "--sets=sets.json"],
    "conformal check": ["scores.parquet", "--truth=truth.parquet", "--sets=sets.json"],
    "compare-sets": ["scores.parquet", "--truth=truth.parquet"],
    "simulate": [],
}
"""What each command that writes is to read."""

FILES = {
    "run": {"votes/a.parquet", "ai.parquet", "weights.parquet", "scores.parquet", "calibration.json"},
    "diff": {"elsewhere/consensus.parquet", "elsewhere/users.parquet", "elsewhere/run.json"},
    "compare": {"votes/a.parquet", "votes/b.parquet", "truth.parquet", "ai.parquet"},
    "calibrate": {"elsewhere/consensus.parquet", "elsewhere/run.json", "truth.parquet"},
    "calibrate-ai": {"ai.parquet", "truth.parquet", "votes/a.parquet", "votes/b.parquet"},
    "ambiguity": {"votes/a.parquet", "votes/b.parquet", "scores.parquet"},
    "conformal fit": {"scores.parquet", "truth.parquet"},
    "conformal predict": {"scores.parquet", "sets.json"},
    "compare-sets": {"scores.parquet", "truth.parquet"},
    "conformal check": {"scores.parquet", "truth.parquet", "sets.json"},
    "conformal evaluate": {"scores.parquet", "truth.parquet", "sets.json"},
}
"""The files that are read then."""


def commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def writing_options(kind: type = LocalPath) -> Iterator[tuple[str, str]]:
    """Command and option, of every option that names files to write; ``""`` for an argument."""
    for name, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter.type, kind):
                yield name, max(parameter.opts, key=len) if isinstance(parameter, click.Option) else ""


WRITERS = list(writing_options())

NEW_FOLDERS = list(writing_options(LocalFolder))
"""Those of folders that are made as a whole: what is no folder is refused, see ``tests/exports/test_writing.py``."""

PLACES = ("FILE", "DIR", "VOTES", "SCORES", "CONSENSUS", "AI_VOTES", "RUN_A", "RUN_B")


def test_all_that_names_a_file_is_known_as_such() -> None:
    """What is neither LocalPath, nor OutputFolder, nor text (after a name, or not), would be looked at by nobody."""
    kinds = {
        (name, parameter.name): type(parameter.type)
        for name, command in commands().items()
        for parameter in command.params
        if any(place in (parameter.metavar or "") for place in PLACES) or parameter.name == "output"
    }
    assert len(kinds) > 25
    assert set(kinds.values()) == {LocalFolder, LocalPath, InputPath, OutputFolder, NamedFileType, type(click.STRING)}
    may_be_runs = {name for (_, name), kind in kinds.items() if kind is type(click.STRING)}
    assert may_be_runs == {"config", "consensus", "run_a", "run_b"}
    assert {command for command, _ in WRITERS} == set(READS)
    says_it_writes = {
        (name, max(parameter.opts, key=len))
        for name, command in commands().items()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        and any(place in (parameter.metavar or "") for place in PLACES)
        and parameter.help
        and parameter.help.startswith(("write", "draw", "file to save", ".parquet file", "folder to write"))
    }
    assert says_it_writes == {(name, option) for name, option in WRITERS if option}


@pytest.fixture
def inputs(write: Write, work: Path, published: Published) -> Path:
    """Everything that commands read, and a published run in ``consensus``."""
    write("votes/a.parquet")
    write("votes/b.parquet")
    for name, table in (("truth", TRUTH), ("ai", AI), ("scores", SCORES), ("weights", WEIGHTS)):
        pq.write_table(table, work / f"{name}.parquet")
    for name in ("calibration.json", "ai_calibration.json", "sets.json"):
        (work / name).write_text("{}")
    shutil.copytree(published.folder / "latest", work / "elsewhere")
    return work


def state(folder: Path) -> dict[str, str]:
    """All files, by their content; links by what they say."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def assert_refused(capfd: Capture, folder: Path, name: str, option: str, path: str, saying: str) -> None:
    """A line and exit code 2, and everything is as before."""
    before = state(folder)
    line = refused(capfd, *[*name.split(), *READS[name], *([option] if option else []), path], exit_code=2)
    assert line.startswith(f"plant-aggregate: error: {path}")
    assert saying in line
    assert state(folder) == before


OVER = [(name, option, file) for name, option in WRITERS for file in sorted(FILES.get(name, ()))]


@pytest.mark.parametrize(("name", "option", "file"), OVER)
def test_no_input_is_written_over(capfd: Capture, inputs: Path, name: str, option: str, file: str) -> None:
    """As it is spelled, by another spelling, by a link of either kind."""
    folder, _, tail = file.rpartition("/")
    suffix = Path(tail).suffix
    os.symlink(file, f"soft{suffix}")
    os.link(file, f"hard{suffix}")
    for spelling in (file, f"./{folder or '.'}//{tail}", str(inputs / file), f"soft{suffix}", f"hard{suffix}"):
        if (name, option) == ("ambiguity", "--output") and suffix != ".parquet":
            continue
        assert_refused(capfd, inputs, name, option, spelling, "written over" if "elsewhere" not in spelling else "")


@pytest.mark.parametrize(("name", "option"), WRITERS)
def test_nothing_is_written_into_a_run_or_among_runs(
    capfd: Capture, inputs: Path, published: Published, name: str, option: str
) -> None:
    run = (published.folder / "latest").resolve()
    (published.folder / "held").mkdir()
    shutil.copytree(run, inputs / "other" / "runs" / "20200101T000000Z")
    for place in (
        "consensus/latest/consensus.parquet",
        "consensus/latest/new.parquet",
        f"consensus/runs/{run.name}/run.json",
        f"consensus/runs/{run.name}/deeper/new.parquet",
        "consensus/runs/new.parquet",
        "consensus/held/new.parquet",
        "other/runs/20200101T000000Z/consensus.parquet",
        *(["consensus/.lock", "consensus/.lock-holder", "consensus/latest", "consensus/latest.json"] if option else []),
    ):
        assert_refused(capfd, inputs, name, option, place, "; name another place")


@pytest.mark.parametrize("name", ["run", "publish", "rollback"])
@pytest.mark.parametrize("place", [".lock", "latest", "latest.json", "runs", "held", "runs/metrics.prom"])
def test_metrics_have_no_place_in_an_output_folder_to_be(capfd: Capture, inputs: Path, name: str, place: str) -> None:
    """Before the first run, when nothing shows that it is one."""
    before = state(inputs)
    assert run_command([*name.split(), *READS[name], "-o", "new", "--metrics", f"new/{place}"]) == 2
    assert state(inputs) == before
    assert run_command([*name.split(), *READS[name], "-o", "new/out", "--metrics", "new"]) == 2
    assert "new: is the output folder, or one that it lies in" in capfd.readouterr().err
    assert state(inputs) == before


def test_two_outputs_in_one_file(capfd: Capture, inputs: Path) -> None:
    os.symlink("table.csv", "plot.svg")
    arguments = ["compare", "votes", "--truth", "truth.parquet", "-o", "table.csv", "--plot", "plot.svg"]
    assert run_command(arguments) == 2
    assert "plot.svg: would be written by both --output and --plot" in capfd.readouterr().err
    assert not Path("table.csv").exists()


def test_a_table_among_the_votes_would_be_read_by_the_next_command(capfd: Capture, inputs: Path) -> None:
    assert_refused(capfd, inputs, "compare", "-o", "votes/new.parquet", "among what votes names (VOTES)")
    assert_refused(capfd, inputs, "ambiguity", "-o", "votes", "among what votes names (VOTES)")


def test_a_configuration_is_an_input_too(capfd: Capture, inputs: Path) -> None:
    Path("job.toml").write_text('[run]\nvotes = ["votes"]\nmetrics = "job.toml"\n')
    assert run_command(["run", "--config", "job.toml"]) == 2
    assert "job.toml: would be written over (--metrics), but is read (--config)" in capfd.readouterr().err
    Path("job.toml").write_text('[run]\nvotes = ["votes"]\nmetrics = "votes/a.parquet"\n')
    assert run_command(["run", "--config", "job.toml"]) == 2
    assert "votes/a.parquet: would be written over (--metrics), but is read (VOTES)" in capfd.readouterr().err


def test_a_consensus_in_a_folder_of_ones_own_does_not_keep_one_from_writing_there(inputs: Path) -> None:
    os.mkdir("mine")
    shutil.copy("elsewhere/consensus.parquet", "mine/consensus.parquet")
    assert run_command(["diff", "mine", "consensus", "--table", "mine/changes.parquet"]) == 0
    assert run_command(["diff", "latest", "mine", "--table", "consensus/changes.parquet"]) == 0
    os.makedirs("runs/experiment")
    assert run_command(["diff", "latest", "mine", "--table", "runs/experiment/changes.parquet"]) == 0


@pytest.mark.parametrize("place", ["consensus/runs", "consensus/latest/new", "consensus/held/out", "consensus/.out"])
def test_no_output_folder_lies_in_another(capfd: Capture, inputs: Path, place: str) -> None:
    before = state(inputs)
    assert run_command(["run", "votes", "-q", "-o", place]) == 2
    assert "; name another place" in capfd.readouterr().err
    assert state(inputs) == before


# --- Links, pipes and devices -----------------------------------------------------------------------------------------


DIFF = ["diff", "consensus", "consensus", "--table"]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_leads_to_what_is_new(inputs: Path, there: bool) -> None:
    os.mkdir("far")
    if there:
        Path("far/table.parquet").write_text("old")
        Path("far/table.parquet").chmod(0o640)
    os.symlink("far/table.parquet", "table.parquet")
    assert run_command([*DIFF, "table.parquet"]) == 0
    assert os.readlink("table.parquet") == "far/table.parquet"
    assert pq.read_table("far/table.parquet").num_rows == 0
    assert os.listdir("far") == ["table.parquet"]
    if there:
        assert Path("far/table.parquet").stat().st_mode & 0o777 == 0o640


def test_simulated_files_go_where_links_lead(work: Path) -> None:
    os.mkdir("log")
    os.symlink("../far.parquet", "log/votes.parquet")
    assert run_command(["simulate", "log", "--scale", "0.0001", "-q"]) == 0
    assert os.readlink("log/votes.parquet") == "../far.parquet"
    assert pq.read_metadata("far.parquet").num_rows
    assert sorted(os.listdir("log")) == ["truth.parquet", "votes.parquet"]


@pytest.mark.parametrize(("name", "option"), [each for each in WRITERS if each not in NEW_FOLDERS])
@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a folder", "a device"])
def test_what_is_no_file_is_neither_replaced_nor_waited_for(
    capfd: Capture, inputs: Path, name: str, option: str, kind: str
) -> None:
    place = "place.parquet"
    if name == "simulate":
        os.mkdir("log")
        place = "log/votes.parquet"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "a pipe":
            os.mkfifo(place)
        elif kind == "a socket":
            listener.bind(place)
        elif kind == "a folder":
            os.mkdir(place)
        else:
            os.symlink("/dev/full", place)
        before = os.lstat(place)
        options = ["log"] if name == "simulate" else [option, place]
        assert run_command([*name.split(), *READS[name], *options]) == 2
        assert f"{place}: is {kind}; name a file to write" in capfd.readouterr().err
        assert os.path.samestat(os.lstat(place), before)


def test_what_is_thrown_away_is_no_file(inputs: Path) -> None:
    null = os.stat(os.devnull)
    assert run_command([*DIFF, os.devnull]) == 0
    assert run_command(["run", "votes", "-q", "-o", "new", "--metrics", os.devnull]) == 0
    found = os.stat(os.devnull)
    assert (found.st_ino, found.st_rdev) == (null.st_ino, null.st_rdev)


@pytest.mark.parametrize("redirected", ["a pipe", "a file"])
def test_a_stream_is_written_to(inputs: Path, redirected: str) -> None:
    command = [
        sys.executable,
        "-m",
        "plant_aggregate.cli.start",
        "run",
        "votes",
        "-q",
        "-o",
        "new",
        "--metrics",
        "/dev/stderr",
    ]
    if redirected == "a pipe":
        said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    else:
        with Path("log").open("w") as log:
            log.write("first\n")
            log.flush()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=log)
        said = Path("log").read_text()
        assert said.startswith("first\n")
    assert "\nplant_aggregate_votes_read{" in said


def test_the_library_writes_into_no_run_either(inputs: Path) -> None:
    calibration = plant_aggregate.load_calibration("simulated")
    with pytest.raises(plant_aggregate.ParameterError, match=r"lies (among the runs|in run)"):
        plant_aggregate.save_calibration(calibration, "consensus/latest/calibration.json")
    with pytest.raises(plant_aggregate.ParameterError, match=r"lies (among the runs|in run)"):
        plant_aggregate.simulate(0.0001).write("consensus/latest")
    with pytest.raises(plant_aggregate.ParameterError, match=r"lies (among the runs|in run)"):
        plant_aggregate.run("votes", "consensus/held/out")
    os.mkfifo("pipe")
    with pytest.raises(plant_aggregate.ParameterError, match="pipe: is a pipe; name a file to write"):
        plant_aggregate.save_calibration(calibration, "pipe")


def test_a_run_that_was_moved_away_is_still_one(inputs: Path, published: Published) -> None:
    run = (published.folder / "latest").resolve()
    shutil.copytree(run, inputs / "moved" / run.name)
    with pytest.raises(plant_aggregate.ParameterError, match=f"lies in run {run.name}, which stays as it is"):
        check_place(inputs / "moved" / run.name / "new.parquet")


def test_names_that_are_not_utf8_are_written_to(capfd: Capture, inputs: Path) -> None:
    """Output folders, files, and settings that run.json lists."""
    place = os.fsdecode(b"caf\xe9")
    os.rename("ai.parquet", f"{place}.parquet")
    assert run_command(["run", "votes", "-o", place, "--metrics", f"{place}.prom", "--soft"]) == 0
    assert run_command(["run", "votes", "-o", place, f"--ai-votes={place}.parquet", "-q"]) == 0
    assert plant_aggregate.open_latest(place).manifest["settings"]["ai_votes"] == "caf\\xe9.parquet"
    assert plant_aggregate.open_latest(place).read_table().num_rows
    assert '/caf\\\\xe9"}' in Path(f"{place}.prom").read_text()
    assert run_command(["diff", place, f"{place}/latest", "--table", f"{place}_changes.parquet"]) == 0
    assert run_command(["simulate", f"{place}_simulated", "--scale", "0.0002"]) == 0
    assert "internal error" not in capfd.readouterr().err
    assert run_command(["run", "votes", "-o", place, f"--column=label={place}"]) == 2
    assert capfd.readouterr().err.endswith(
        "'label=caf\\\\xe9' is not UTF-8 text, as every name of a column is; see plant-aggregate run --help\n"
    )


# --- Folders that have the name of a file -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "name", "meant"),
    [
        (["run", "votes", "-q", "-o"], "labels.parquet", "labels"),
        (["run", "votes", "-q", "-o"], "out/labels.CSV", "out/labels"),
        (["run", "votes", "-q", "-o"], "labels.json/", "labels"),
        (["ambiguity", "votes", "--scores", "scores.parquet", "-o"], "x.csv", "x.parquet, or x for a folder"),
        (["ambiguity", "votes", "--scores", "scores.parquet", "-o"], "x.PARQUET", "x.parquet, or x for a folder"),
        (["simulate"], "votes.parquet", "votes"),
    ],
)
def test_a_folder_that_has_the_name_of_a_file_is_an_error(
    capfd: Capture, inputs: Path, arguments: list[str], name: str, meant: str
) -> None:
    line = refused(capfd, *arguments, name, exit_code=2)
    kind = "a folder or a .parquet file" if ".parquet, or" in meant else "a folder"
    assert f"{name.rstrip('/')}: is the name of a file, but {kind} is written; write {meant}" in line.replace("/:", ":")
    assert not Path(name).exists()


def test_a_folder_of_such_a_name_that_is_there_is_used(capfd: Capture, inputs: Path, bucket: Bucket) -> None:
    Path("labels.parquet").mkdir()
    assert run_command(["run", "votes", "-q", "-o", "labels.parquet"]) == 0
    for output in ("labels.json", bucket.uri("labels.json")):
        with pytest.raises(plant_aggregate.ParameterError, match=r"is the name of a file, .*; write .*labels$"):
            plant_aggregate.run("votes", output)
    with pytest.raises(plant_aggregate.ParameterError, match=r"is the name of a file, .*; write simulated$"):
        Simulation(scale=0.001).write("simulated.csv")
    with pytest.raises(plant_aggregate.PublishError, match="is no output folder"):
        plant_aggregate.rollback("elsewhere.parquet")
