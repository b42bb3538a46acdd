import gzip
import io
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plant_aggregate.archives import text_rows
from plant_aggregate.archives.text_rows import Dialect, Fault, read_rows
from plant_aggregate.errors import VotesError

from .made import write_rows

ENCLOSURES = ["", '"', "'", "^", "$"]
DELIMITERS = [",", "\t", ";", "||", " :: ", "\x1f"]
TERMINATORS = ["\n", "\r\n", "\r", "\x1e", "END\n", "@@"]


def read(text: str | bytes, dialect: Dialect, notes: Counter[str] | None = None, faults: list[Fault] | None = None):
    data = text if isinstance(text, bytes) else text.encode(dialect.encoding)
    notes, faults = Counter() if notes is None else notes, [] if faults is None else faults
    return [(row.line, row.fields) for row in read_rows(io.BytesIO(data), dialect, "votes.txt", notes, faults.append)]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Dialect, list[list[str]]]:
    """A dialect, and a table that can be written in it."""
    encoding = draw(st.sampled_from(["UTF-8", "UTF-16", "ISO-8859-1", "Windows-1252", "utf-8-sig"]))
    delimiter, enclosure, terminator = map(draw, map(st.sampled_from, (DELIMITERS, ENCLOSURES, TERMINATORS)))
    dialect = Dialect(delimiter, enclosure, terminator, encoding)
    special = [dialect.delimiter, dialect.terminator, dialect.enclosure, '"', "'", "\r", "\n", "\r\n", "é", " ", "\\"]
    texts = st.lists(st.sampled_from([*special, "a", "NA", "007"]) | st.text("ab,;'", max_size=3), max_size=5)
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(texts.map("".join), min_size=width, max_size=width), max_size=6))
    return dialect, [row for row in rows if can_be_written(row, dialect)]


def can_be_written(row: Sequence[str], dialect: Dialect) -> bool:
    """Without an enclosure, delimiters and line breaks cannot; and an empty line is no row."""
    if not dialect.enclosure:
        parts = (dialect.delimiter, dialect.terminator, "\r", "\n")
        # A field that ends as a delimiter begins runs into it.
        joined = dialect.delimiter.join(row) + dialect.terminator
        if any(part in field for part in parts for field in row) or joined.split(dialect.delimiter)[:-1] != row[:-1]:
            return False
        if (joined + "x").split(dialect.terminator) != [joined.removesuffix(dialect.terminator), "x"]:
            return False
    elif "".join(row) != "" and any(write_is_ambiguous(field, dialect) for field in row):
        return False
    return "".join(row) != "" or len(row) > 1


def write_is_ambiguous(field: str, dialect: Dialect) -> bool:
    """Whether a field, which is not enclosed, and the delimiter or line break behind it have that earlier, too."""
    special = (dialect.delimiter, dialect.terminator, "\r", "\n", dialect.enclosure)
    if any(part in field for part in special):
        return False
    return any((field + part).find(part) != len(field) for part in (dialect.delimiter, dialect.terminator))


@given(tables(), st.sampled_from([1, 2, 7, 1 << 20]))
@example((Dialect(",", '"', "\n"), [["a\r\nb", '"', ",", "\r"]]), 1)
@example((Dialect(",", '"', "\n"), [["\r"]]), 3)
def test_any_table_in_any_dialect_comes_back_the_same(table: tuple[Dialect, list[list[str]]], block: int) -> None:
    dialect, rows = table
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_rows, "BLOCK", block)
        notes: Counter[str] = Counter()
        found = read(write_rows(rows, dialect), dialect, notes)
    assert [fields for _, fields in found] == rows
    assert notes == {}


def test_rows_know_the_line_where_they_begin() -> None:
    dialect = Dialect(header_lines=2)
    assert read('#\nid,name\n1,"a\nb"\n\n2,c\n', dialect) == [(3, ["1", "a\nb"]), (6, ["2", "c"])]


def test_blank_lines_are_skipped_and_counted() -> None:
    notes: Counter[str] = Counter()
    assert read("1,a\n\n\r\n2,b\n", Dialect(), notes) == [(1, ["1", "a"]), (4, ["2", "b"])]
    assert notes == {"blank lines, which were skipped": 2}


@pytest.mark.parametrize(
    ("declared", "found", "counted"),
    [("\n", "\r\n", False), ("\r\n", "\n", True), ("\n", "\r", True), ("\r", "\n", True), ("\r", "\r\n", True)],
)
def test_other_line_breaks_than_declared_end_rows_if_a_file_has_no_others(
    declared: str, found: str, counted: bool
) -> None:
    notes: Counter[str] = Counter()
    assert read(f"1,a{found}2,b{found}", Dialect(terminator=declared), notes) == [(1, ["1", "a"]), (2, ["2", "b"])]
    assert bool(notes) == counted


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    assert read(b"\xef\xbb\xbf1,a\n", Dialect()) == [(1, ["1", "a"])]


def test_a_file_may_be_compressed_by_gzip() -> None:
    data = gzip.compress(b"1,a\n" * 1000)
    assert len(read(data, Dialect())) == 1000
    with pytest.raises(VotesError, match=r"votes\.txt: cannot be read to its end; it is cut or damaged"):
        read(data[:-10], Dialect())


def test_ids_and_names_are_not_trimmed_nor_taken_for_numbers() -> None:
    assert read(" 007\tNA\t1e5 \n", Dialect("\t", "")) == [(1, [" 007", "NA", "1e5 "])]


def test_an_enclosure_within_a_field_is_a_character() -> None:
    assert read('1,6" long,"x"\n', Dialect()) == [(1, ["1", '6" long', "x"])]


def test_text_after_the_closing_enclosure_is_a_fault_of_its_row() -> None:
    faults: list[Fault] = []
    assert read('1,"a"b\n2,"c"\n', Dialect(), faults=faults) == [(2, ["2", "c"])]
    assert faults == [Fault(1, "with text after an enclosed field", '1,"a"b')]


@pytest.mark.parametrize("rest", ["", "4,x\n" * 20_000, f"4,{'x' * 2_000_000}\n4,x\n"])
def test_a_field_that_is_not_closed_is_a_fault_of_its_line_alone(rest: str) -> None:
    faults: list[Fault] = []
    found = read(f'1,"a\nb"\n2,"b\n3,c\n{rest}', Dialect(), faults=faults)
    assert found[:2] == [(1, ["1", "a\nb"]), (4, ["3", "c"])]
    assert len(found) == 2 + rest.count("\n")
    assert faults == [Fault(3, "with an enclosed field that does not end", '2,"b')]


def test_backslashes_stand_for_what_a_dialect_without_enclosure_cannot_hold() -> None:
    dialect = Dialect("\t", "", unescapes=True)
    assert read("1\ta\\tb\\\\n\\nc\n", dialect) == [(1, ["1", "a\tb\\n\nc"])]


@pytest.mark.parametrize(
    ("data", "dialect", "words"),
    [
        (b"1,\xe9\n", Dialect(), "is not UTF-8: bytes after line 0"),
        (b"1,a\n", Dialect(encoding="klingon"), "has the unknown encoding 'klingon'"),
        (b"1,a\n", Dialect(encoding="base64"), "has the unknown encoding 'base64'"),
        ("1,a\n".encode("utf-16"), Dialect(encoding="latin-1"), "has NUL characters after line 0"),
        (b"1," + b"a" * (1 << 25), Dialect(), "line 1 has more than 16,777,216 characters; do lines end with LF?"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(data: bytes, dialect: Dialect, words: str) -> None:
    with pytest.raises(VotesError) as error:
        read(data, dialect)
    assert f"votes.txt: {words}" in str(error.value)
