"""Scores, which are numbers from 0 to 1, in JSON and in text."""

import re
from typing import TypeGuard

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def is_share(value: object) -> TypeGuard[float]:
    """Whether a value of JSON is a number in [0, 1].

    >>> [is_share(value) for value in (0.97, 1, True, "0.97", float("nan"), None)]
    [True, True, False, False, False, False]
    """
    return type(value) in (int, float) and 0 <= value <= 1  # type: ignore[operator]


def share_of(text: str) -> float | None:
    """The number in [0, 1] that a text is; None if it is none.

    >>> [share_of(text) for text in ("0.97", "1e-3", "0_1", "nan", "97", "")]
    [0.97, 0.001, None, None, None, None]
    """
    share = float(text) if NUMBER.fullmatch(text) else -1.0
    return share if 0 <= share <= 1 else None
