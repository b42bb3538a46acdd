"""Tables of which observation a file is of."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.errors import VotesError
from plant_aggregate.formats.observation_files import FileObservations

ROWS = {"a.jpg": "1", "deep/b.jpg": "1", "c:/d.jpg": "007"}


def written(folder: Path, kind: str) -> str:
    path = folder / f"files.{kind}"
    if kind == "parquet":
        columns = {"image": list(ROWS), "observation_id": [1, 1, 7]}
        pq.write_table(pa.table(columns), path)
    else:
        mark = {"csv": ",", "tsv": "\t", "ssv": ";"}[kind]
        lines = [f"observation_id{mark}camera{mark}file", *(f"{o}{mark}x{mark}{file}" for file, o in ROWS.items())]
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    return str(path)


@pytest.mark.parametrize("kind", ["csv", "tsv", "ssv", "parquet"])
def test_a_table_gives_the_observations_of_files(tmp_path: Path, kind: str) -> None:
    observations = FileObservations.read(written(tmp_path, kind), None)
    assert observations.of("a.jpg") == observations.of("deep\\b.jpg") == "1"
    assert observations.of("c:\\d.jpg") == ("7" if kind == "parquet" else "007")
    assert observations.of("other.jpg") is None


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_table_may_have_its_header_in_quotes(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "files.txt"
    path.write_text(f'"file"{mark}"observation_id"\n"a, b;c.jpg"{mark}"1"\n')
    assert FileObservations.read(str(path), None).of("a, b;c.jpg") == "1"


def test_a_base_folder_is_left_out(tmp_path: Path) -> None:
    table = written(tmp_path, "csv")
    for base in ("/data/survey", "/data/survey/"):
        assert FileObservations.read(table, base).of("/data/survey/deep/b.jpg") == "1"
    assert FileObservations.read(table, "d:\\data").of("d:\\data\\deep\\b.jpg") == "1"
    assert FileObservations.read(table, "/other").of("a.jpg") == "1"


def test_without_a_table_files_are_observations() -> None:
    assert FileObservations.read(None, None).of("c:\\a.jpg") == "c:\\a.jpg"
    assert FileObservations.read(None, "/data").of("/data/x/a.jpg") == "x/a.jpg"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("file,observation_id\na,1\na,2\n", "'a' is of two observations, '1' and '2'"),
        ("file,observation\na,1\n", "column 'observation_id' is missing"),
        ("path,observation_id\na,1\n", "column 'file' is missing"),
        ("file,observation_id\na,1\nb\n", "line 3 is a record with fewer fields than the header"),
        ("", "is empty"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "files.csv"
    path.write_text(text)
    with pytest.raises(VotesError, match=fault):
        FileObservations.read(str(path), None)


def test_a_table_that_is_missing_or_lacks_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="cannot be read"):
        FileObservations.read(str(tmp_path / "none.csv"), None)
    pq.write_table(pa.table({"observation_id": [1]}), tmp_path / "files.parquet")
    with pytest.raises(VotesError, match="'file' is missing"):
        FileObservations.read(str(tmp_path / "files.parquet"), None)
