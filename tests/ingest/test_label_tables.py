"""Small tables of labels: names, and a number for each, from files, frames and dicts."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.errors import VotesError
from plant_aggregate.ingest.label_tables import read_label_names, read_label_values

ALBA, OPALUS = "Abies alba", "Acer opalus"

OF_VALUES: dict[str, tuple[str, str]] = {
    "comma": ("a.csv", f"{ALBA},5\n{OPALUS},2.5\n"),
    "header": ("a.csv", f"label,count\n{ALBA},5\n{OPALUS},2.5\n"),
    "header in another order": ("a.csv", f"id,count,label\n1,5,{ALBA}\n2,2.5,{OPALUS}\n"),
    "tabs": ("a.tsv", f"{ALBA}\t5\n{OPALUS}\t2.5\n"),
    "text": ("a.txt", f"{ALBA},5\n\n{OPALUS}, 2.5\n"),
    "quotes, byte order mark, Windows": ("A.CSV", f'\ufefflabel,count\r\n"{ALBA}",5\r\n"{OPALUS}",2.5\r\n'),
}


@pytest.mark.parametrize("name", OF_VALUES)
def test_text_files_have_a_label_and_a_number_in_each_line(name: str, tmp_path: Path) -> None:
    file, text = OF_VALUES[name]
    (tmp_path / file).write_bytes(text.encode())
    labels, values, origin = read_label_values(tmp_path / file, "count")
    assert labels.to_pylist() == [ALBA, OPALUS]
    assert values.tolist() == [5, 2.5]
    assert origin == str(tmp_path / file)


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.float32(), pa.float64()], ids=str)
def test_parquet_files_and_frames(kind: pa.DataType, tmp_path: Path) -> None:
    table = pa.table({"label": [ALBA, OPALUS], "count": pa.array([5, 2], kind), "more": [1, 2]})
    pq.write_table(table, tmp_path / "counts.parquet")
    for given in (tmp_path / "counts.parquet", str(tmp_path / "counts.parquet"), table, table.to_pandas()):
        labels, values, _ = read_label_values(given, "count")
        assert labels.to_pylist() == [ALBA, OPALUS]
        assert values.tolist() == [5, 2]
    names, origin = read_label_names(tmp_path / "counts.parquet")
    assert (names.to_pylist(), origin) == ([ALBA, OPALUS], str(tmp_path / "counts.parquet"))


def test_dicts_and_lists() -> None:
    assert read_label_values({ALBA: 5, OPALUS: 2}, "count").values.tolist() == [5, 2]
    assert read_label_values({7: 5, 9: 2}, "count").labels.to_pylist() == [7, 9]
    assert read_label_values({"label": [ALBA], "weight": [3]}, "weight").values.tolist() == [3]
    for given in ([OPALUS, ALBA], (OPALUS, ALBA), {OPALUS: 1, ALBA: 1}, pd.DataFrame({"label": [OPALUS, ALBA]})):
        assert read_label_names(given).labels.to_pylist() == [OPALUS, ALBA]
    assert sorted(read_label_names({OPALUS, ALBA}).labels.to_pylist()) == [ALBA, OPALUS]


def test_names_in_a_line_each_may_have_commas(tmp_path: Path) -> None:
    (tmp_path / "risky.txt").write_text("label\nAcer opalus, Mill.\n\n  Abies alba  \n")
    assert read_label_names(tmp_path / "risky.txt").labels.to_pylist() == ["Acer opalus, Mill.", ALBA]


WRONG: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.csv", b"", "a.csv: no rows; give a line for each label"),
    "header alone": ("a.csv", b"label,count\n", "a.csv: no rows; give a line for each label"),
    "one column": ("a.csv", b"label,count\nAbies alba\n", "a.csv: line 2 has 1 of the columns label, count; write"),
    "no number": ("a.csv", b"Abies alba,5\nAcer opalus,many\n", "a.csv: line 2: 'many' is no number"),
    "two headers": ("a.csv", b"species,n\nAbies alba,5\n", "a.csv: line 1: 'n' is no number"),
    "bytes": ("a.txt", b"\xff\xfe", "a.txt: cannot be read (it is not text); give a text file with a label a line"),
    "no Parquet": ("a.parquet", b"label,count\n", "a.parquet: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    file, content, saying = WRONG[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(VotesError) as raised:
        read_label_values(tmp_path / file, "count")
    assert saying in str(raised.value)
    assert "\n" not in str(raised.value)


def test_parquet_files_that_lack_a_column_or_a_number(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"label": [ALBA], "n": [1]}), path)
    with pytest.raises(VotesError, match=r"column 'count' is missing; .*name the columns label and count"):
        read_label_values(path, "count")
    pq.write_table(pa.table({"label": [ALBA, OPALUS], "count": [None, 3]}), path)
    with pytest.raises(VotesError, match="null"):
        read_label_values(path, "count")
    pq.write_table(pa.table({"label": [ALBA][:0], "count": pa.array([], pa.int64())}), path)
    with pytest.raises(VotesError, match=r"a.parquet: no rows; give a row for each label"):
        read_label_values(path, "count")


@pytest.mark.parametrize(
    ("given", "saying"),
    [
        ({ALBA: "many"}, "table in memory: a count is no number"),
        ({ALBA: 1, 7: 2}, "table in memory: labels are neither all texts nor all integers"),
    ],
    ids=["text", "mixed"],
)
def test_dicts_that_cannot_be_used(given: Any, saying: str) -> None:
    with pytest.raises(VotesError, match=saying):
        read_label_values(given, "count")


def test_what_is_no_table_is_a_wrong_type() -> None:
    with pytest.raises(TypeError, match="labels are wanted, not an int: write the name of a file, a frame, or a dict"):
        read_label_values(7, "count")  # type: ignore[arg-type]
