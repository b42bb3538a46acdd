"""A short slice of the fuzzer (``python -m tests.fuzz.toml`` does more), and that it notices what it is to."""

from typing import Any

import pytest

from .campaign import kinds_of
from .toml import GOOD, Bench, Case, case_of, difference, judged

FILES = 300

ANSWER = {"exit_code": 2, "said": "plant-aggregate: error: /x/file.toml, line 2: x\n", "peak": 1}
CONTENT = b"[run]\nx = 1"


@pytest.mark.slow
def test_no_file_is_more_than_a_fault() -> None:
    assert kinds_of(Bench(), GOOD, FILES) == set(GOOD)


def test_a_number_stands_for_a_file() -> None:
    assert [case_of(number) for number in range(50)] == [case_of(number) for number in range(50)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({}, "refused"),
        ({"exit_code": 0, "said": "/x/file.toml: nothing is wrong\n"}, "accepted"),
        ({"exit_code": 0}, "lines"),
        ({"exit_code": 2, "said": "/x/file.toml: nothing is wrong\n"}, "lines"),
        ({"exit_code": 1}, "lines"),
        (
            {
                "exit_code": 1,
                "said": "/x/file.toml: right\nplant-aggregate: error: /x/file.toml, line 2: [run] votes: v: no\n",
            },
            "accepted",
        ),
        (
            {
                "exit_code": 1,
                "said": "/x/file.toml: right\nplant-aggregate: error: /x/file.toml, line 3: [run] votes: v: no\n",
            },
            "lines",
        ),
        ({"exit_code": 1, "said": "/x/file.toml: right\n"}, "lines"),
        ({"said": ANSWER["said"] + "/x/file.toml, line 1: y\n"}, "refused"),
        ({"said": ANSWER["said"] + "y\n"}, "lines"),
        ({"said": "plant-aggregate: error: /x/file.toml, line 0: x\n"}, "lines"),
        ({"said": "plant-aggregate: error: /x/file.toml, line 3: x\n"}, "lines"),
        ({"said": "plant-aggregate: error: /x/file.toml: is not TOML: x\n"}, "refused"),
        ({"said": "plant-aggregate: error: no such option\n"}, "lines"),
        ({"said": "plant-aggregate: error: \x1b[31m\n"}, "unprintable"),
        ({"said": "plant-aggregate: error: internal error, please report it\n"}, "internal"),
        ({"exit_code": "KeyError()"}, "internal"),
        ({"peak": 101}, "memory"),
        ({"end": "hang: no answer"}, "hang"),
        ({"end": "crash: exit code -11"}, "crash"),
    ],
)
def test_what_is_bad_is_called_so(answer: dict[str, Any], kind: str) -> None:
    assert judged(ANSWER | answer, CONTENT, 100).kind == kind


def test_settings_that_are_lost_are_noticed() -> None:
    case = Case(0, b"[run]\nas-of = 2026-11-23\nvotes = ['a']\n", "nothing", "run")
    whole = "[run]\nas-of = '2026-11-23'\nvotes = ['a']\nkeep = 3\n"
    assert difference(case, whole, whole) == ""
    assert difference(case, whole, "[run]\n") != ""
    assert difference(case, whole.replace("['a']", "['b']"), whole.replace("['a']", "['b']")) != ""
