"""A format of one's own, as docs/formats.md has it: from Python, from the command line, and in a package."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import plant_aggregate
from tests.paths import ROOT
from tests.processes import PROGRAM, path_with
from tests.records import record_of

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8").partition("## A format of your own")[2]
(CLASS,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(COMMANDS,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
BOOK = "plant;person;guess;sure\n1;ana;Acer campestre;yes\n1;bo;Acer opalus;no\n2;;Acer opalus;yes\n" + "".join(
    f"{number};ana;Acer;yes\n" for number in range(3, 200)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder outside the clone: the module of the page, and a field book."""
    (tmp_path / "my_formats.py").write_text(CLASS)
    (tmp_path / "book.txt").write_text(BOOK)
    return tmp_path


def program(folder: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    """What the installed script prints, which has no current folder on its path."""
    command = [sys.executable, "-P", *PROGRAM[1:], *arguments]
    environment = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_it_is_used_in_python(folder: Path) -> None:
    names: dict[str, object] = {"__name__": "my_formats"}
    exec(CLASS, names)
    book = names["FieldBook"]
    done = plant_aggregate.convert(book(), folder / "book.txt", folder / "votes")  # type: ignore[operator]
    assert done.record["tables"]["votes"] == {
        "read": 200,
        "used": 198,
        "left_out": {"that are not sure": 1},
        "rejected": {"without a person": 1},
        "rows": 198,
    }
    votes = plant_aggregate.read_votes(folder / "book.txt", format=book(unsure=True))  # type: ignore[operator]
    assert votes.n_votes == 199


@pytest.mark.slow
def test_it_is_used_from_the_command_line(folder: Path) -> None:
    convert, run = (line.split()[1:] for line in COMMANDS.splitlines())
    printed = program(folder, *convert, "-q")
    assert printed.startswith("votes: 199 rows of 200 records\n")
    assert "without a person" in printed
    (row,) = pq.read_table(folder / "votes" / "rejected.parquet").to_pylist()
    assert (row["number"], row["observation_id"], row["text"]) == (4, "2", "2;;Acer opalus;yes")
    program(folder, *run, "-q")
    conversion = record_of(folder / "consensus" / "latest")["conversion"]
    assert (conversion["format"], conversion["options"]) == ("my_formats:FieldBook", {"unsure": True})
    shown = program(folder, "convert", "my_formats:FieldBook", "--help")
    assert "count guesses that are not sure, too" in shown
    error = program(folder, "convert", "my_formats:FieldBok", "book.txt", "-o", "out", code=2)
    assert "did you mean 'FieldBook'?" in error


@pytest.mark.slow
def test_it_has_a_short_name_in_a_package(folder: Path) -> None:
    (declared,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    ((group, names),) = tomllib.loads(declared)["project"]["entry-points"].items()
    package = folder / "site" / "field_book-1.2.dist-info"
    package.mkdir(parents=True)
    (folder / "my_formats.py").rename(folder / "site" / "my_formats.py")
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: field-book\nVersion: 1.2\n")
    (package / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()))
    site = path_with("site")
    assert "field-book" in program(folder, "convert", "--help", PYTHONPATH=site)
    program(folder, "convert", "field-book", "book.txt", "-o", "votes", "--unsure", "-q", PYTHONPATH=site)
    assert pq.read_metadata(folder / "votes" / "votes.parquet").num_rows == 199
    program(folder, "run", "book.txt", "--from", "field-book", "-q", PYTHONPATH=site)
    assert record_of(folder / "consensus" / "latest")["conversion"]["format"] == "field-book"
