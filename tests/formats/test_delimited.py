import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate import VotesError
from plant_aggregate.formats import delimited
from plant_aggregate.formats.base import Account
from plant_aggregate.formats.delimited import (
    FEWER,
    MORE,
    NO_END,
    NOT_UTF_8,
    TEXT_AFTER,
    TOO_LONG,
    chunks,
    records,
    rows,
)

VOTES = "obs,user,label\n1,ana,Acer\n2,bo,NA\n"


def written(folder: Path, content: str | bytes, name: str = "votes.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def both(path: Path, *columns: str, **options: str) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str]], int]:
    """Line and values of each record, line and reason of each that was rejected, and how many there are.

    Both readers give the same.
    """
    one_by_one, at_once = Account(), Account()
    singly = [(record.line, list(record.values.values())) for record in records(path, one_by_one, columns, **options)]
    together = [
        (int(line), list(row.values()))
        for chunk in chunks(path, at_once, columns, **options)
        for line, row in zip(chunk.lines, chunk.batch.to_pylist(), strict=True)
    ]
    assert together == singly
    assert at_once.rejected == one_by_one.rejected
    assert at_once.n_read == one_by_one.n_read
    assert one_by_one.n_used() == len(singly)
    rejected = [(item.number, item.reason) for item in one_by_one.rejected]
    assert all(item.unit == "line" and item.file == str(path) for item in one_by_one.rejected)
    return singly, rejected, one_by_one.n_read["votes"]


@pytest.fixture(autouse=True, params=[delimited.BLOCK, 7])
def _block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of any size give the same."""
    monkeypatch.setattr(delimited, "BLOCK", request.param)


def test_everything_is_text(tmp_path: Path) -> None:
    text = "obs,user,label\n007,NA,1e5\n1152921504606846977,nan,\n"
    found, rejected, n = both(written(tmp_path, text), "obs", "user", "label")
    assert found == [(2, ["007", "NA", "1e5"]), (3, ["1152921504606846977", "nan", ""])]
    assert (rejected, n) == ([], 2)


def test_columns_come_in_the_order_asked_for(tmp_path: Path) -> None:
    assert both(written(tmp_path, VOTES), "label", "obs")[0] == [(2, ["Acer", "1"]), (3, ["NA", "2"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("is_ended", [True, False])
def test_ends_of_lines(tmp_path: Path, end: str, is_ended: bool) -> None:
    text = VOTES if is_ended else VOTES.rstrip("\n")
    found, _, _ = both(written(tmp_path, text.replace("\n", end)), "obs", "user", "label")
    assert found == [(2, ["1", "ana", "Acer"]), (3, ["2", "bo", "NA"])]


def test_byte_order_mark(tmp_path: Path) -> None:
    assert both(written(tmp_path, "\ufeff" + VOTES), "obs")[0] == [(2, ["1"]), (3, ["2"])]


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compressed(tmp_path: Path, codec: str) -> None:
    packed = pa.compress(VOTES.encode(), codec, asbytes=True) if codec == "zstd" else gzip.compress(VOTES.encode())
    assert both(written(tmp_path, packed), "obs")[0] == [(2, ["1"]), (3, ["2"])]


def test_fields_in_quotes(tmp_path: Path) -> None:
    text = 'obs,user,label\n1,"a ""b"", c","two\nlines"\n2,5" tall,""\n"3","x","y"\n'
    found, rejected, _ = both(written(tmp_path, text), "obs", "user", "label")
    assert found == [(2, ["1", 'a "b", c', "two\nlines"]), (4, ["2", '5" tall', ""]), (5, ["3", "x", "y"])]
    assert rejected == []


def test_tabs(tmp_path: Path) -> None:
    found, _, _ = both(written(tmp_path, "a\tb\n1,2\t3\n"), "a", "b", delimiter="\t")
    assert found == [(2, ["1,2", "3"])]


def test_blank_lines_are_no_records(tmp_path: Path) -> None:
    found, rejected, n = both(written(tmp_path, "obs,user\n\n1,a\n\r\n\n2,b\n\n"), "obs")
    assert (found, rejected, n) == ([(3, ["1"]), (6, ["2"])], [], 2)


def test_bad_records_are_rejected_with_their_lines(tmp_path: Path) -> None:
    lines = [
        b"obs,user,label",
        b"1,ana,Acer",
        b"2,bo",
        b'3,"cy\nlia",Acer',  # lines 4 and 5
        b"4,dee,Acer,what",
        b"5,e\xe9,Acer",
        b'6,"fay,Acer',
        b"7,gil,Acer",
        b'8,"hal"s,Acer',
        b'9,"i\xe9\nx",Acer',  # lines 11 and 12
        b"10,jo,Acer",
        b'11,"kim,Acer',
    ]
    found, rejected, n = both(written(tmp_path, b"\n".join(lines)), "obs", "user")
    assert found == [(2, ["1", "ana"]), (4, ["3", "cy\nlia"]), (9, ["7", "gil"]), (13, ["10", "jo"])]
    reasons = [(3, FEWER), (6, MORE), (7, NOT_UTF_8), (8, TEXT_AFTER), (10, TEXT_AFTER), (11, NOT_UTF_8), (14, NO_END)]
    assert (rejected, n) == (reasons, 11)


def test_text_of_a_rejected_record(tmp_path: Path) -> None:
    account = Account()
    list(records(written(tmp_path, "obs,user\n1,ana,Acer\n"), account, ["obs"]))
    assert account.rejected[0].text == "1,ana,Acer"


def test_a_record_may_not_be_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MOST_BYTES", 50)
    text = "obs,user\n1," + 100 * "a" + "\n2,b\n"
    found, rejected, n = both(written(tmp_path, text), "obs")
    assert (found, rejected, n) == ([(3, ["2"])], [(2, TOO_LONG)], 2)


def test_rows_may_have_any_number_of_fields(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n1,"x",y,z\n2\n')
    assert [row.fields for row in rows(path)] == [["a", "b"], ["1", "x", "y", "z"], ["2"]]
    assert [row.fields for row in rows(path, quote="")][1] == ["1", '"x"', "y", "z"]


def test_optional_columns(tmp_path: Path) -> None:
    (first, _) = records(written(tmp_path, VOTES), Account(), ["obs"], optional=["user", "time"])
    assert first.values == {"obs": "1", "user": "ana"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"votes.csv: is empty; export it again"),
        (b"\n\n", r"is empty"),
        (b"PAR1\x15\x04", r"is a Parquet file; run reads it without a format"),
        (b"PK\x03\x04abc", r"is a ZIP archive or a workbook"),
        (b"obs,la\0bel\n", r"is no text; export it as text in UTF-8"),
        ("obs,user\n".encode("utf-16"), r"is text in UTF-16; save it as UTF-8"),
        (b"obs;Label\n", r"column 'label' is missing; it has 'obs;Label'"),
        (b"obs,Label\n", r"column 'label' is missing; it has 'obs', 'Label'; did you mean 'Label'"),
        (b"label,obs,label\n", r"column 'label' occurs more than once; leave one of them"),
        (b'"label,obs\n', r"the header, line 1, is a record with a field in quotes that does not end"),
        (gzip.compress(VOTES.encode(), mtime=0)[:-9], r"the gzipped file is cut or damaged"),
        (pa.compress(VOTES.encode(), "zstd", asbytes=True)[:-9], r"the compressed file is cut or damaged"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes, message: str) -> None:
    path = written(tmp_path, content)
    for read in (records, chunks):
        with pytest.raises(VotesError, match=message):
            list(read(path, Account(), ["label"]))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="cannot be read"):
        list(records(tmp_path / "none.csv", Account(), ["label"]))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=5) | st.sampled_from(['"', ",", "\n"])


@given(st.lists(st.tuples(texts, texts, texts), max_size=20), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_the_csv_module_writes(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, ...]], end: str, has_quotes: bool
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL if has_quotes else csv.QUOTE_MINIMAL)
    writer.writerows([("a", "b", "c"), *values])
    path = written(tmp_path_factory.getbasetemp(), file.getvalue())
    found, rejected, _ = both(path, "a", "b", "c")
    assert [tuple(fields) for _, fields in found] == values
    assert rejected == []


@given(st.text(st.sampled_from('",\n\rab'), max_size=60))
def test_both_readers_agree_on_any_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    both(written(tmp_path_factory.getbasetemp(), "a,b\n" + text), "a", "b")
