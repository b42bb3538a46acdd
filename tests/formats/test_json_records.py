"""Records of JSON files: what they hold, and what is said of files that are none."""

import gzip
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.errors import VotesError
from plant_aggregate.formats import json_records
from plant_aggregate.formats.json_records import Record, columns_of_members, items, kind_of, lines, members, outline


@pytest.fixture(autouse=True, params=["default", "python"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fastest backend of ijson that there is, and the one that is always there."""
    if request.param == "python":
        chosen = ijson.get_backend("python")
        monkeypatch.setattr(json_records.ijson, "basic_parse_coro", chosen.basic_parse_coro)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "file.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def values(records: Iterator[Record]) -> list[Any]:
    return [record.value for record in records]


def fault_of(records: Iterator[Any]) -> str:
    with pytest.raises(VotesError) as caught:
        list(records)
    return str(caught.value)


def test_items_of_a_list_are_numbered_from_1(tmp_path: Path) -> None:
    path = written(tmp_path, '[{"a": [1, {"b": null}]}, "x", true, []]')
    assert [(r.number, r.key, r.value) for r in items(path)] == [
        (1, None, {"a": [1, {"b": None}]}),
        (2, None, "x"),
        (3, None, True),
        (4, None, []),
    ]


def test_keys_lead_to_a_list_that_others_stand_beside(tmp_path: Path) -> None:
    path = written(tmp_path, '{"info": {"rows": [0]}, "data": {"n": [[1]], "rows": [5, 6], "m": {}}, "end": [1]}')
    assert values(items(path, "data", "rows")) == [5, 6]


def test_members_keep_the_order_and_a_key_that_is_there_twice(tmp_path: Path) -> None:
    path = written(tmp_path, '{"b": {"1": 2}, "a": 0, "b": {}}')
    assert [(r.number, r.key, r.value) for r in members(path)] == [(1, "b", {"1": 2}), (2, "a", 0), (3, "b", {})]


def test_what_an_object_says_twice_is_seen(tmp_path: Path) -> None:
    path = written(tmp_path, '{"7": {"u": 1, "v": 3, "u": 2, "u": 5}, "8": {"u": [{"w": 1, "w": 1}]}}')
    first, second = members(path)
    assert (first.value, first.repeated) == ({"u": 5, "v": 3}, [("u", 1), ("u", 2)])
    assert (second.value, second.repeated) == ({"u": [{"w": 1}]}, [("w", 1)])
    (line,) = lines(written(tmp_path, '{"u": 1, "v": 3, "u": 2, "u": 5}'))
    assert (line.value, line.repeated) == ({"u": 5, "v": 3}, [("u", 1), ("u", 2)])


def test_integers_are_exact_and_other_numbers_floats(tmp_path: Path) -> None:
    text = "[9007199254740993, 123456789012345678901234567890, -5, 0.1, 1e2, 5.0, 1e400]"
    for found in (values(items(written(tmp_path, text))), values(lines(written(tmp_path, text)))[0]):
        assert found == [9007199254740993, 123456789012345678901234567890, -5, 0.1, 100.0, 5.0, math.inf]
        assert [type(value) for value in found] == [int] * 3 + [float] * 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON), st.sampled_from([None, 3]), st.sampled_from([1, 7, 1 << 16]))
def test_values_are_those_of_the_standard_library(
    tmp_path_factory: pytest.TempPathFactory, listed: list[Any], indent: int | None, chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("json")
    path = written(folder, json.dumps(listed, indent=indent, ensure_ascii=indent is None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "CHUNK", chunk)
        found = values(items(path))
        assert repr(found) == repr(json.loads(path.read_text()))
    by_line = values(lines(written(folder, "\n".join(map(json.dumps, listed)))))
    assert repr(by_line) == repr(listed)


PIECES = ("a", r"\ud83d", r"\uD83D\uDE00", r"\ude00", r"\\", r"\"", r"\u00e9", "é", r"\ud83d\u0041")


@given(
    st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=5), st.sampled_from([1, 5, 1 << 16])
)
def test_half_of_a_pair_of_surrogates_is_the_text_that_it_is_written_as(
    tmp_path_factory: pytest.TempPathFactory, written_as: list[str], chunk: int
) -> None:
    def read(text: str) -> str:
        value: str = json.loads(f'"{text}"')
        return "".join(rf"\u{ord(each):04x}" if "\ud800" <= each <= "\udfff" else each for each in value)

    path = written(tmp_path_factory.mktemp("json"), "[" + ", ".join(f'"{text}"' for text in written_as) + "]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "CHUNK", chunk)
        found = values(items(path))
    assert [each.replace("\\uD83D", "\\ud83d") for each in found] == [read(text) for text in written_as]
    (line,) = lines(path)
    assert line.value == found


@given(st.dictionaries(st.text(), JSON, max_size=8), st.sampled_from([1, 3, 1 << 16]), st.booleans())
def test_columns_are_those_of_the_members(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, Any], chunk: int, simple: bool
) -> None:
    if simple:
        given = {key: value for key, value in given.items() if not isinstance(value, list | dict)}
    path = written(tmp_path_factory.mktemp("json"), json.dumps(given))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "CHUNK", chunk)
        parts = list(columns_of_members(path))
    assert repr([pair for part in parts for pair in zip(*part, strict=True)]) == repr(list(given.items()))


def test_faults_in_columns_have_their_place(tmp_path: Path) -> None:
    flat = {str(number): number for number in range(20_000)}
    for numbers in (flat, flat | {"17": []}):
        text = json.dumps(numbers, indent=1)
        assert re.search(
            r"ends too early, in record 20,00[01]", fault_of(columns_of_members(written(tmp_path, text[:-2])))
        )
        wrong = text.replace('"19000": 19000', '"19000" 19000')
        assert "record 19,001 is not valid JSON near line 19,002" in fault_of(
            columns_of_members(written(tmp_path, wrong))
        )
    assert "the document is a list where an object is expected" in fault_of(
        columns_of_members(written(tmp_path, "[1]"))
    )
    assert "goes on after its end" in fault_of(columns_of_members(written(tmp_path, "{}{}")))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
def test_a_byte_order_mark_and_gzip_change_nothing(tmp_path: Path, packed: bool) -> None:
    text = b'\xef\xbb\xbf{"a": "\xc3\xa9"}\r\n'
    path = written(tmp_path, gzip.compress(text) if packed else text)
    assert values(members(path)) == values(members(path)) == ["é"]
    assert values(lines(path)) == [{"a": "é"}]
    assert outline(path) == {"a": "é"}
    assert kind_of(path) == "object"


def test_an_outline_leaves_out_what_may_be_large(tmp_path: Path) -> None:
    path = written(tmp_path, '{"info": {"version": "1"}, "images": [{"a": [1]}], "n": 1.5}')
    assert outline(path, without=["images"]) == {"info": {"version": "1"}, "images": None, "n": 1.5}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('[\n{"a": 1}]', "list"),
        ("[]", "list"),
        ('{\n"a": 1}', "object"),
        ('{"a": 1}', "object"),
        ('{"a": 1}\n\n', "object"),
        ('{"a":\n1}', "object"),
        ('\n{"a": 1}\n{"a": 2}', "lines"),
        ('{"a": 1}\nxx', "lines"),
    ],
)
def test_kinds_of_files(tmp_path: Path, text: str, kind: str) -> None:
    assert kind_of(written(tmp_path, text)) == kind


@pytest.mark.parametrize(("text", "fault"), [("", "is empty"), ("id,label\n", "is no JSON list or object")])
def test_what_is_no_json_has_no_kind(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(VotesError, match=fault):
        kind_of(written(tmp_path, text))


def test_the_kind_of_a_document_of_one_line_is_told_by_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_records, "MOST_OF_LINE", 10)
    assert kind_of(written(tmp_path, '[{"a": 1}, {"a": 2}]')) == "list"
    assert kind_of(written(tmp_path, '{"a": [1, 2, 3, 4]}\n')) == "object"
    assert kind_of(written(tmp_path, '{"a": 1}\n{"a": [2, 3, 4, 5]}\n')) == "lines"


def test_a_cut_file_has_its_whole_records_and_an_error_with_the_next(tmp_path: Path) -> None:
    whole = '{"1": {"5": 0},\n "2": {"6": 1},\n "3": {"7": 2}}'
    for length in range(1, len(whole)):
        read: list[Record] = []
        with pytest.raises(VotesError, match=r"ends too early, in (its beginning|record \d)") as caught:
            read += members(written(tmp_path, whole[:length]))
        n_whole = sum(whole.index(end) + len(end) <= length for end in ("0}", "1}", "2}"))
        assert len(read) == n_whole
        assert f"record {n_whole + 1}" in str(caught.value) or "its beginning" in str(caught.value)


def test_a_file_that_is_cut_after_the_list_is_cut(tmp_path: Path) -> None:
    assert "ends too early" in fault_of(items(written(tmp_path, '{"rows": [1, 2]'), "rows"))
    assert "ends too early" in fault_of(items(written(tmp_path, '{"rows": [1, 2], "n": {'), "rows"))


def test_a_gzipped_file_that_is_cut_is_told_from_cut_json(tmp_path: Path) -> None:
    packed = gzip.compress(json.dumps(list(range(10_000))).encode())
    for records in (items, lines):
        fault = fault_of(records(written(tmp_path, packed[: len(packed) // 2])))
        assert "the gzipped file is cut or damaged" in fault
        assert "file.json" in fault


def test_a_fault_has_record_line_and_column(tmp_path: Path) -> None:
    text = '{\n  "1": {"5": 0},\n  "2": {"6": 1},\n  "3": {"7" 2}\n}'
    fault = fault_of(members(written(tmp_path, text)))
    assert "record 3 is not valid JSON near line 4, column 14" in fault
    assert fault.startswith(f"{tmp_path}/file.json: ")
    assert "\n" not in fault


def test_a_fault_far_inside_a_file_has_its_place(tmp_path: Path) -> None:
    listed = [f"  {number}" for number in range(60_000)]
    listed[50_000] = "  'x'"
    fault = fault_of(items(written(tmp_path, "[\n" + ",\n".join(listed) + "\n]")))
    assert "record 50,001 is not valid JSON near line 50,002, column " in fault


@pytest.mark.parametrize(
    "text", ["[1,]", "[1 2]", "['a']", "[NaN]", '["\x01"]', "[01]", "[tru]", b'["\xff"]', "[" + "9" * 5000 + "]"]
)
def test_what_is_not_json_is_refused(tmp_path: Path, text: str | bytes) -> None:
    fault = fault_of(items(written(tmp_path, text)))
    assert "is not valid JSON" in fault or "ends too early" in fault
    (line,) = lines(written(tmp_path, text if isinstance(text, bytes) else text.encode()))
    assert line.fault.startswith(("not valid JSON", "not text in UTF-8"))


@pytest.mark.parametrize("more", ["2", "[2]", '{"a": 1}', "x", "[2]\n" * 50_000])
def test_more_than_one_document_is_refused(tmp_path: Path, more: str) -> None:
    assert "goes on after its end; see that it is one document" in fault_of(items(written(tmp_path, f"[1]\n{more}")))


def test_another_kind_of_document_is_named(tmp_path: Path) -> None:
    assert "the document is an object where a list is expected" in fault_of(items(written(tmp_path, "{}")))
    assert "the document is a list where an object is expected" in fault_of(members(written(tmp_path, "[1]")))
    assert "the document is a text where an object is expected" in fault_of(members(written(tmp_path, '"x"')))
    path = written(tmp_path, '{"a": {"b": 1}}')
    assert "'a.b' is a number where a list is expected" in fault_of(items(path, "a", "b"))
    assert "'a' has no 'results', only 'b'" in fault_of(items(path, "a", "results"))
    assert "the document has no 'results', nothing" in fault_of(items(written(tmp_path, "{}"), "results"))


def test_a_list_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, '{"rows": [1], "x": 0, "rows": [2]}')
    assert "has 'rows' twice" in fault_of(items(path, "rows"))
    with pytest.raises(VotesError, match="has 'rows' twice"):
        outline(path)
    with pytest.raises(VotesError, match="has 'a' twice"):
        outline(written(tmp_path, '{"x": {"a": 1, "a": 1}}'))


def test_a_file_that_is_empty_absent_or_in_another_encoding(tmp_path: Path) -> None:
    for text in ("", " \n"):
        assert any(words in fault_of(items(written(tmp_path, text))) for words in ("is empty", "ends too early"))
    assert "cannot be read (no such file" in fault_of(items(tmp_path / "other.json"))
    assert "is a folder; name the files in it" in fault_of(lines(tmp_path))
    assert "is text in UTF-16" in fault_of(items(written(tmp_path, "[1]".encode("utf-16"))))


def test_a_value_nested_without_end_is_refused(tmp_path: Path) -> None:
    text = "[" * 100_000 + "]" * 100_000
    assert "record 1 is nested too deeply" in fault_of(items(written(tmp_path, text)))
    (line,) = lines(written(tmp_path, text))
    assert line.fault == "nested too deeply"


def test_a_line_that_is_no_json_stops_nothing(tmp_path: Path) -> None:
    found = list(
        lines(written(tmp_path, b'{"a": 1}\n\n{"a": 2\r\n{"a": "\xff"}\n{"a": "\\ud800"}\n{"a": "\\ud83d\\ude00"}'))
    )
    assert [record.number for record in found] == [1, 3, 4, 5, 6]
    assert [record.value for record in found] == [{"a": 1}, None, None, {"a": r"\ud800"}, {"a": "😀"}]
    assert [record.fault for record in found[1:3]] == [
        "not valid JSON (column 8: expecting ',' delimiter)",
        "not text in UTF-8",
    ]
    rejected = found[1].rejected(Path("votes.jsonl"), found[1].fault)
    assert (rejected.file, rejected.unit, rejected.number, rejected.text) == ("votes.jsonl", "line", 3, '{"a": 2')


def test_one_document_is_not_taken_for_lines(tmp_path: Path) -> None:
    text = json.dumps([{"a": 1}], indent=2)
    assert "line 1 is '[' alone: this is one JSON document" in fault_of(lines(written(tmp_path, text)))


def test_a_rejected_record_has_its_text_and_ids() -> None:
    record = Record(7, "12", {"user": "é" * 2000}, [])
    rejected = record.rejected(Path("answers.json"), "no class", observation_id=12, user_id="5")
    assert (rejected.unit, rejected.number, rejected.observation_id, rejected.user_id) == ("record", 7, "12", "5")
    assert rejected.label is None
    assert rejected.text is not None
    assert rejected.text.startswith('{"user": "é')
    assert len(rejected.text) == 1000
