"""Ids and names in JSON that must be known before the first row: of one type, and which of several is meant."""

from collections.abc import Mapping
from typing import Any, TypeGuard

import pyarrow as pa

from ..blocks import count
from ..errors import VotesError, quoted

LARGEST = 2**63 - 1


def is_id(value: Any) -> TypeGuard[int | str]:
    """Whether a value of JSON can be an id: a text that is not empty, or an integer of 64 bits.

    >>> [is_id(value) for value in ("007", 7, "", True, 7.0, 2**63, None)]
    [True, True, False, False, False, False, False]
    """
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def id_type(found: Mapping[type, str], what: str) -> pa.DataType:
    """The type of a column of ids; ``found``: their types, int and str -> where one of that type is.

    Raises VotesError if some are integers and some are texts.
    """
    if len(found) > 1:
        fault = f"the ids of {what} are integers ({found[int]}) and texts ({found[str]})"
        raise VotesError(fault, remedy="export them alike, or convert the files one by one")
    return pa.int64() if int in found else pa.string()


def the_only(what: str, wanted: str | None, found: Mapping[str, int], counted: str) -> str | None:
    """The name that is ``wanted``, or else the only one that was found; None if there is none.

    ``found``: names -> how many times each ``counted`` thing has it; the empty name is of those without one. Raises
    VotesError if the name is not there, or if there are several.
    """
    listed = ", ".join(f"{quoted(name) if name else 'none'} ({count(n, counted)})" for name, n in sorted(found.items()))
    option = f"--{what.replace(' ', '-')}"
    if wanted is not None:
        if found and wanted not in found:
            raise VotesError(f"there is no {what} {quoted(wanted)}, but {listed}", remedy=f"name one of them: {option}")
        return wanted
    if len(found) > 1:
        raise VotesError(f"there is more than one {what}: {listed}", remedy=f"say which: {option}")
    return next(iter(found), None)
