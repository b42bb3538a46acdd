"""Ids of runs: the UTC time a run started, and a number if that is taken, such as ``20261123T021500Z-2``."""

from collections.abc import Iterable
from datetime import datetime

from ...errors import warn
from ...files.destination import is_run_id

__all__ = ["age_key", "in_order", "is_run_id", "next_run_id", "warn_if_behind"]


def age_key(run_id: str) -> tuple[str, int]:
    """Run ids sort by time, then by the number of their suffix."""
    moment, _, suffix = run_id.partition("-")
    return moment, int(suffix or 1)


def in_order(names: Iterable[str]) -> list[str]:
    """The run ids among ``names``, oldest first."""
    return sorted(filter(is_run_id, names), key=age_key)


def next_run_id(started: datetime, known: Iterable[str]) -> str:
    """The id of a run that starts now: later than all that are known, also where the clock was set back.

    >>> from datetime import UTC
    >>> next_run_id(datetime(2026, 11, 23, 2, 15, tzinfo=UTC), [])
    '20261123T021500Z'
    >>> next_run_id(datetime(2026, 11, 23, 2, 15, tzinfo=UTC), ["20261123T021500Z"])
    '20261123T021500Z-2'
    >>> next_run_id(datetime(2026, 11, 23, 2, 15, tzinfo=UTC), ["20270101T000000Z-3"])
    '20270101T000000Z-4'
    """
    moment = _moment(started)
    newest = max(map(age_key, known), default=("", 0))
    if newest[0] < moment:
        return moment
    return f"{newest[0]}-{newest[1] + 1}"


def warn_if_behind(started: datetime, run_id: str) -> None:
    """Warn that a run has the time of another, because the clock was set back."""
    if age_key(run_id)[0] > _moment(started):
        warn(
            f"the clock says {started:%Y-%m-%dT%H:%M:%SZ}, which is before the newest run began: this run is "
            f"named {run_id}, so that runs stay in order; see that the clock is right"
        )


def _moment(started: datetime) -> str:
    return started.strftime("%Y%m%dT%H%M%SZ")
