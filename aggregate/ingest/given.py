"""Votes and what stands beside them, as callers have them at hand: objects as they are, frames read."""

from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

from ..frames import Frame, is_frame, is_pandas, path_in_words, wrong_type
from ..truth import Truth
from ..votes import Votes
from . import find_table, read_found
from .ai_votes import read_ai_votes
from .matrices import votes_from_matrix
from .truth import read_truth, truth_from_table
from .user_weights import read_user_weights

READERS: Mapping[str, Callable[[Any], Any]] = {
    "user_weights": read_user_weights,
    "ai_votes": read_ai_votes,
    "experts": read_truth,
}
"""Name of a side input -> what reads it."""


def named_votes(given: Any, columns: Mapping[str, str] | None = None) -> tuple[Votes, str]:
    """Votes as they are, or from a frame, or from an array of two dimensions; and their name of observation_id.

    Raises TypeError, and VotesError as ``votes_from_table`` and ``votes_from_matrix``.
    """
    name = "observation_id"
    if isinstance(given, Votes):
        return given, name
    if is_pandas(given, "Series"):
        raise wrong_type("a frame of votes", given, "a data frame of observation_id, user_id and label")
    if is_frame(given):
        found = find_table(given, columns=columns)
        return read_found(found, max_rejected=0.0, identify=False).votes, str(found.names.get(name, name))
    if isinstance(given, list | tuple) or hasattr(given, "__array__"):
        return votes_from_matrix(given), name
    raise wrong_type("a frame of votes", given, f"fit_predict(read_votes({path_in_words(given)}))")


def given_truth(given: "Truth | Frame", columns: Mapping[str, str] | None = None) -> Truth:
    """Expert labels as they are, or from a frame or a Series. Raises TypeError, and VotesError as ``read_truth``."""
    if isinstance(given, Truth):
        return given
    if isinstance(given, Votes) or not is_frame(given):
        frame = "" if isinstance(given, str | PathLike) else ", or a frame of observation_id and label"
        raise wrong_type("expert labels", given, f"read_truth({path_in_words(given)}){frame}")
    return truth_from_table(given, columns=columns)


def side_input(name: str, given: Any) -> Any:
    """A side input as it is, or from a frame. Raises VotesError."""
    return READERS[name](given) if name in READERS and is_frame(given) else given
