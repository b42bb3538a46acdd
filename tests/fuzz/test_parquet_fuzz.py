"""A short slice of the fuzzer (``python -m tests.fuzz.parquet`` does more), and that it notices what it is to."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from . import originals as of
from .campaign import kinds_of
from .layout import File, footer_bytes, footer_place
from .originals import originals
from .parquet import GOOD, Bench, judged

FILES = 300

ANSWER = {"exit_code": 1, "said": "plant-aggregate: error: x\n", "before": 1, "peak": 1, "wrong": None}


@pytest.mark.slow
def test_no_file_is_more_than_an_error() -> None:
    assert kinds_of(Bench(), GOOD, FILES) == set(GOOD)


def test_a_number_stands_for_a_file() -> None:
    one, other = Bench(), Bench()
    for number in range(0, 400, 7):
        if one.role(number) in of.TABLES:
            assert one.case(number) == other.case(number)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({}, "refused"),
        ({"exit_code": 0, "said": ""}, "published"),
        ({"exit_code": 0, "said": "plant-aggregate: warning: x\n"}, "published"),
        ({"exit_code": 0, "said": "x\n"}, "lines"),
        ({"said": ""}, "lines"),
        ({"said": "plant-aggregate: error: x\ny\n"}, "lines"),
        ({"said": "plant-aggregate: error: \x1b[31m\n"}, "unprintable"),
        ({"exit_code": 130}, "lines"),
        ({"exit_code": "KeyError()"}, "internal"),
        ({"said": "plant-aggregate: error: internal error, please report it\n"}, "internal"),
        ({"said": "Exception ignored in\nplant-aggregate: error: x\n"}, "internal"),
        ({"wrong": "unreadable"}, "leftovers"),
        ({"peak": 101}, "memory"),
        ({"end": "hang: no answer"}, "hang"),
        ({"end": "crash: exit code -11"}, "crash"),
    ],
)
def test_what_is_bad_is_called_so(answer: dict[str, Any], kind: str) -> None:
    assert judged(ANSWER | answer, 100).kind == kind


def test_a_file_put_together_again_is_the_same() -> None:
    for original in originals():
        content, file = original.content, File.read(original.content)
        assert content.endswith(footer_bytes(file.footer))
        written = file.write()
        assert pq.read_table(io.BytesIO(written)).equals(pq.read_table(io.BytesIO(content)))
        # A page index is left away; so is what older versions of pyarrow say of a column once more behind its pages.
        column = pq.read_metadata(io.BytesIO(content)).row_group(0).column(0)
        if not original.name.endswith("-11") and column.file_offset == 0:
            assert written == content[: footer_place(content)] + footer_bytes(file.footer)
