"""An export is a folder of its own, made in one step, that says what it is."""

import csv
import gzip
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.blocks import Block
from plant_aggregate.cli.main import run_command
from plant_aggregate.exports.csv import Csv
from plant_aggregate.exports.writing import n_rows_of
from plant_aggregate.files import folders
from plant_aggregate.parameters import setting
from plant_aggregate.progress import SILENT, Progress
from tests.command_line import Capture, Published, refused
from tests.object_store import Bucket

from .made_flora import votes

TOY = """
from dataclasses import dataclass
from plant_aggregate.parameters import parameter

@dataclass(frozen=True)
class Names:
    "The names of labels, a line each."
    ending: str = parameter("", "what each line ends with")
    top: int = parameter(1, "how many", "at least 1")
    upper: bool = parameter(True, "in capitals")
    name = "names"

    def write(self, run, folder, *, progress=None):
        names = sorted({*run.read_table(columns=["label"])["label"].to_pylist()})[: self.top]
        names = [name.upper() if self.upper else name for name in names]
        (folder / "names.txt").write_text("".join(f"{name}{self.ending}\\n" for name in names))
        return []

class NoExport:
    name = "nothing"
"""


@dataclass(frozen=True)
class Fails:
    """Writes a file, then fails."""

    name: ClassVar[str] = "fails"
    how: str = setting("error", "how it fails")

    def write(self, run: Any, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        (folder / "half").write_text("half")
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise KeyboardInterrupt if self.how == "interrupt" else ValueError(self.how)


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_record_has_the_run_the_options_and_each_file(published: Published, work: Path) -> None:
    run = plant_aggregate.open_run("consensus")
    done = plant_aggregate.export(run, "csv", "out", suffix=".csv.gz", only="valid")
    record = json.loads((work / "out" / "export.json").read_text())
    assert record == done.record
    assert (record["run_id"], record["export"], record["version"]) == (run.run_id, "csv", plant_aggregate.__version__)
    assert record["options"] == {"only": "valid", "suffix": ".csv.gz"}
    assert list(record["files"]) == ["consensus.csv.gz"]
    content = (work / "out" / "consensus.csv.gz").read_bytes()
    n_rows = len(gzip.decompress(content).splitlines()) - 1
    facts = {"rows": n_rows, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert record["files"]["consensus.csv.gz"] == facts
    assert repr(done) == f"Exported(out: csv, 1 file, of run {run.run_id})"
    assert "consensus" not in done._repr_html_()
    assert published.is_untouched()


def test_csv_has_what_the_consensus_has(published: Published, work: Path) -> None:
    plant_aggregate.export("consensus", Csv(), "out")
    table = plant_aggregate.open_run("consensus").read_table()
    rows = list(csv.reader(io.StringIO((work / "out" / "consensus.csv").read_text())))
    assert rows[0] == table.column_names
    words = {True: "true", False: "false", None: ""}
    for row, expected in zip(rows[1:], table.to_pylist(), strict=True):
        for text, value in zip(row, expected.values(), strict=True):
            if isinstance(value, float):
                assert float(text) == value
            else:
                assert text == (words[value] if isinstance(value, bool | None) else str(value))
    plant_aggregate.export("consensus", "csv", "valid", only="valid")
    assert n_rows_of(work / "valid" / "consensus.csv") == sum(table["valid"].to_pylist())


def test_csv_of_no_valid_observation_has_its_columns(work: Path) -> None:
    votes = {"observation_id": [1, 1], "user_id": [1, 2], "label": ["a", "b"], "is_author": [True, False]}
    plant_aggregate.run(votes, "consensus")
    plant_aggregate.export("consensus", "csv", "out", only="valid")
    names = plant_aggregate.open_run("consensus").read_table().column_names
    assert (work / "out" / "consensus.csv").read_text() == ",".join(f'"{name}"' for name in names) + "\n"


def test_the_same_run_gives_the_same_bytes(published: Published, work: Path) -> None:
    for folder in ("one", "two"):
        for suffix in (".csv", ".csv.gz"):
            plant_aggregate.export("consensus", "csv", work / folder / suffix[1:].replace(".", "-"), suffix=suffix)
    assert files_in(work / "one") == files_in(work / "two")


@pytest.mark.parametrize("can_exchange", [True, False])
def test_an_earlier_export_is_replaced_only_if_asked_for(
    published: Published, work: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    plant_aggregate.export("consensus", "csv", "out")
    with pytest.raises(plant_aggregate.ParameterError, match=r"^out: is there, and is not empty; .*--overwrite"):
        plant_aggregate.export("consensus", "csv", "out")
    plant_aggregate.export("consensus", "csv", "out", overwrite=True, suffix=".csv.gz")
    assert sorted(files_in(work / "out")) == ["consensus.csv.gz", "export.json"]
    assert [path.name for path in work.iterdir() if path.name.startswith(".")] == []


def test_what_is_no_export_is_never_replaced(published: Published, work: Path) -> None:
    mine = work / "mine"
    mine.mkdir()
    plant_aggregate.export("consensus", "csv", mine)  # an empty folder
    (mine / "notes.txt").write_text("of mine")
    with pytest.raises(plant_aggregate.ParameterError, match=r"notes.txt: is not listed in export.json"):
        plant_aggregate.export("consensus", "csv", mine, overwrite=True)
    for content in ("", "[]", "{}", '{"files": 3}'):
        (mine / "export.json").write_text(content)
        with pytest.raises(plant_aggregate.ParameterError, match=r"has no export.json that lists its files"):
            plant_aggregate.export("consensus", "csv", mine, overwrite=True)
    (mine / "export.json").unlink()
    with pytest.raises(plant_aggregate.ParameterError, match=r"is not empty; name another folder$"):
        plant_aggregate.export("consensus", "csv", mine)
    assert (mine / "notes.txt").read_text() == "of mine"


@pytest.mark.parametrize(
    ("folder", "fault"),
    [
        ("consensus", "is an output folder of runs"),
        ("consensus/runs/new", "lies among the runs"),
        ("consensus/latest/new", "lies in run .*, which stays as it is"),
        ("good.parquet", "is the name of a file, but a folder is written"),
        ("file", "is a file, not a folder"),
        ("labels.csv", "is the name of a file, but a folder is written; write labels"),
        (".", "is the current folder, which cannot be replaced"),
        ("", "is the current folder"),
        ("s3://bucket/out", "must be a local path"),
        ("/dev/shm", "is a mount point, which cannot be replaced"),
    ],
)
def test_where_no_export_is_written(published: Published, work: Path, folder: str, fault: str) -> None:
    (work / "file").write_text("")
    with pytest.raises(plant_aggregate.ParameterError, match=fault):
        plant_aggregate.export("consensus", "csv", folder, overwrite=True)
    assert published.is_untouched()


@pytest.mark.parametrize("how", ["error", "interrupt"])
def test_what_fails_leaves_nothing(published: Published, work: Path, how: str) -> None:
    plant_aggregate.export("consensus", "csv", "out")
    before = files_in(work)
    for folder in ("out", "new"):
        with pytest.raises(KeyboardInterrupt if how == "interrupt" else ValueError):
            plant_aggregate.export("consensus", Fails(how), folder, overwrite=True)
    assert files_in(work) == before


def test_what_a_killed_process_left_is_removed_by_the_next(published: Published, work: Path) -> None:
    code = "import plant_aggregate, tests.exports.test_writing as toys; "
    code += "plant_aggregate.export('consensus', toys.Fails('kill'), 'o')"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -signal.SIGKILL
    (leftover,) = (path for path in work.iterdir() if path.name.startswith("."))
    assert (leftover / "half").exists()
    plant_aggregate.export("consensus", "csv", "o")
    assert [path.name for path in work.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_leaves_the_earlier_export(published: Published, disk: Any, work: Path) -> None:
    disk.limit(40)
    target = disk.folder / "out"
    plant_aggregate.export("consensus", "csv", target)
    before = files_in(disk.folder)
    disk.limit(40, files=4)
    with pytest.raises(plant_aggregate.PublishError, match="cannot be written"):
        plant_aggregate.export("consensus", "csv", target, overwrite=True)
    assert files_in(disk.folder) == before


def test_a_link_stays(published: Published, work: Path) -> None:
    (work / "real").mkdir()
    (work / "link").symlink_to("real")
    plant_aggregate.export("consensus", "csv", "link")
    assert (work / "link").is_symlink()
    assert sorted(files_in(work / "real")) == ["consensus.csv", "export.json"]


def test_a_name_or_an_option_that_there_is_not(published: Published) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match=r"export is 'cvs' but must be .*; did you mean 'csv'"):
        plant_aggregate.export("consensus", "cvs", "out")
    with pytest.raises(plant_aggregate.ParameterError, match=r"export csv has no option 'sufix'; it has only, suffix"):
        plant_aggregate.export("consensus", "csv", "out", sufix=".csv")
    with pytest.raises(plant_aggregate.ParameterError, match=r"suffix is '.tsv' but must be one of"):
        plant_aggregate.export("consensus", "csv", "out", suffix=".tsv")
    with pytest.raises(TypeError, match="an export is wanted, not "):
        plant_aggregate.export("consensus", Csv, "out")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="given to its class: suffix"):
        plant_aggregate.export("consensus", Csv(), "out", suffix=".csv")


def test_rows_are_counted_in_tables_alone(work: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2, 3]}), "t.parquet")
    (work / "t.csv").write_text('a,b\n"1\n""\n",2\n3,4\n')
    (work / "t.tsv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    (work / "t.jsonl").write_text('{"a": "\\""}\n{}\n')
    (work / "t.txt").write_text("a\n")
    found = {path.name: n_rows_of(path) for path in work.iterdir()}
    assert found == {"t.parquet": 3, "t.csv": 2, "t.tsv.gz": 1, "t.jsonl": 2, "t.txt": None}


@pytest.fixture
def toys(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "toy_exports.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(work))
    sys.modules.pop("toy_exports", None)


def test_the_command_has_the_options_of_the_format_it_names(published: Published, work: Path, capfd: Capture) -> None:
    for number, line in enumerate(
        (
            "export latest csv -o DIR --suffix .csv.gz",
            "export --suffix .csv.gz -o DIR consensus csv",
            "export --suffix=.csv.gz consensus/latest/consensus.parquet csv --output DIR",
            "export -o csv 2 csv --suffix .csv.gz --overwrite",
        )
    ):
        assert run_command(line.replace("DIR", f"out{number}").split()) == 0
        folder = work / ("csv" if "-o csv" in line else f"out{number}")
        assert sorted(files_in(folder)) == ["consensus.csv.gz", "export.json"]
    assert "written to csv: 1 file of 0.3 kB\n" in capfd.readouterr().out
    assert run_command(["export", "latest", "csv", "-o", "json", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == json.loads((work / "json" / "export.json").read_text())


def test_help_lists_the_formats_or_the_options_of_one(capfd: Capture) -> None:
    assert run_command(["export", "--help"]) == 0
    plain = capfd.readouterr().out
    assert "  csv " in plain
    assert "--suffix" not in plain
    assert run_command(["export", "latest", "csv", "--help"]) == 0
    own = capfd.readouterr().out
    assert "--suffix [.csv|.csv.gz]" in own
    assert "The consensus as a CSV file" in own
    assert "-h, --help" in own


def test_formats_of_other_packages(published: Published, work: Path, toys: None, capfd: Capture) -> None:
    line = ["export", "--top", "2", "latest", "toy_exports:Names", "-o", "out", "--ending", "!", "--no-upper"]
    assert run_command(line) == 0
    assert (work / "out" / "names.txt").read_text() == "Abies alba!\nAcer campestre!\n"
    record = json.loads((work / "out" / "export.json").read_text())
    assert record["options"] == {"ending": "!", "top": 2, "upper": False}
    assert record["files"]["names.txt"]["rows"] is None
    done = plant_aggregate.export("consensus", "toy_exports:Names", "again", top=1)
    assert (work / "again" / "names.txt").read_text() == "ABIES ALBA\n"
    assert done.record["export"] == "names"
    for name, fault in (
        ("toy_exports:NoExport", "NoExport has no method write"),
        ("toy_exports:Name", "has no Name; did you mean 'Names'?"),
        ("toy_export:Names", "there is no module 'toy_export'"),
    ):
        assert fault in refused(capfd, "export", "latest", name, "-o", "new", exit_code=2)
    assert "invalid value for '--top'" in refused(
        capfd, "export", "latest", "toy_exports:Names", "-o", "new", "--top", "0", exit_code=2
    )


def test_the_name_of_an_entry_point(published: Published, work: Path, toys: None, capfd: Capture) -> None:
    metadata = work / "toy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[plant_aggregate.exports]\nnames = toy_exports:Names\n")
    code = "import sys; from plant_aggregate.cli.main import run_command; sys.exit(run_command(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(work), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", code, "export", "latest", "names", "--top", "3", "-o", "out"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, (work / "out" / "names.txt").exists()) == (0, True), done.stderr
    listed = subprocess.run([*command[:3], "export", "--help"], env=environment, capture_output=True, text=True)
    assert re.search(r"names +of another package", listed.stdout)


def test_a_configuration_has_the_options_of_the_format_it_names(
    published: Published, work: Path, capfd: Capture
) -> None:
    (work / "c.toml").write_text('[export]\nrun = "latest"\nformat = "csv"\noutput = "out"\nsuffix = ".csv.gz"\n')
    assert run_command(["export", "--config", "c.toml"]) == 0
    assert sorted(files_in(work / "out")) == ["consensus.csv.gz", "export.json"]
    assert run_command(["export", "--config", "c.toml", "--overwrite", "--suffix", ".csv"]) == 0
    assert sorted(files_in(work / "out")) == ["consensus.csv", "export.json"]
    capfd.readouterr()
    assert run_command(["config", "--config", "c.toml"]) == 0
    assert run_command(["config", "--show", "export", "--config", "c.toml"]) == 0
    assert 'suffix = ".csv.gz"' in capfd.readouterr().out
    (work / "c.toml").write_text('[export]\nformat = "csv"\nsufix = ".csv.gz"\nonly = "any"\n')
    capfd.readouterr()
    assert run_command(["export", "--config", "c.toml", "latest", "-o", "new"]) == 2
    error = capfd.readouterr().err
    assert "c.toml, line 3: [export] sufix: no such option; did you mean 'suffix'?" in error
    assert "line 4: [export] only: 'any' is not one of" in error
    (work / "c.toml").write_text('[export]\nformat = "cvs"\n')
    assert "line 2: [export] format: export is 'cvs' but" in refused(
        capfd, "export", "--config", "c.toml", "latest", "-o", "new", exit_code=2
    )


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ("latest cvs -o out", "did you mean 'csv'?"),
        ("latest csv -o out --sufix .csv.gz", "no such option --sufix; did you mean --suffix?"),
        ("latest csv -o out --only valis", "did you mean 'valid'?"),
        ("latest csv", "missing option '-o' / '--output'"),
        ("latest -o out", "missing argument 'FORMAT'"),
        ("latest csv -o good.parquet", "good.parquet"),
    ],
)
def test_wrong_command_lines(published: Published, capfd: Capture, arguments: str, fault: str) -> None:
    assert fault in refused(capfd, "export", *arguments.split(), exit_code=2)
    assert published.is_untouched()


def test_runs_that_there_are_not(published: Published, capfd: Capture) -> None:
    assert "lates: no such file or folder; did you mean latest?" in refused(
        capfd, "export", "lates", "csv", "-o", "out"
    )
    assert "20991231" in refused(capfd, "export", "20991231", "csv", "-o", "out")
    (published.folder / "latest" / "consensus.parquet").write_bytes(b"PAR1")
    assert "consensus.parquet" in refused(capfd, "export", "latest", "csv", "-o", "out", "-q")


def test_a_run_and_a_table_of_pictures_in_a_store(bucket: Bucket, work: Path) -> None:
    images = {
        "observation_id": [2**60, 2**60 + 1, 2**60 + 2],
        "image": ["a.jpg", "b/c.jpg", "https://example.org/d.jpg"],
    }
    pq.write_table(pa.table(images), "images.parquet")
    bucket.put("pictures/images.parquet", Path("images.parquet"))
    run = plant_aggregate.run(votes(["Acer", "Ilex"]), bucket.uri("consensus"), "majority")
    done = plant_aggregate.export(bucket.uri("consensus"), "csv", "out")
    assert done.record["run_id"] == run.run_id
    assert done.record["files"]["consensus.csv"]["rows"] == 400
    options = {"images": bucket.uri("pictures/images.parquet"), "group": "observation", "hard": True}
    listed = plant_aggregate.export(run, "imagefolder", "pictures", how="index", test=0, val=0, **options)
    names = pq.read_table("pictures/train/metadata.parquet")["file_name"].to_pylist()
    folder = f"s3://{bucket.name}/pictures"
    assert names == [f"{folder}/a.jpg", f"{folder}/b/c.jpg", "https://example.org/d.jpg"]
    assert listed.record["options"]["images"] == options["images"]
