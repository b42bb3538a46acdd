"""What a run needs to know beside its votes and its strategy."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import ParameterError
from .files.requests import TIME_LIMIT, check_time_limit
from .files.sources import printable
from .files.stores import redacted
from .ingest import Paths, path_list
from .kernels.threads import available_cores
from .publishing.guards import Guards
from .publishing.stores.lock import LOCK_MODES

PATHS = ("user_weights", "ai_votes", "ai_calibration", "calibration")
"""Settings that name files."""

SEVERAL = ("user_weights", "ai_votes", "scores")
"""Settings that may name several files, folders or globs."""

MAX_THREADS = 1024
"""Far beyond any use; more is a slip of the hand that would take all memory."""


@dataclass(frozen=True)
class Settings:
    """What a run needs to know beside its strategy."""

    columns: Mapping[str, str] | None = None
    """Columns of ``schema.VOTES`` -> the files' own names."""
    as_of: datetime | None = None
    """Leave out votes cast later; a time without zone is UTC."""
    max_rejected: float = 0.01
    """Share of the rows that may be unusable."""
    user_weights: Paths | None = None
    """Files with fixed and minimum weights of users."""
    ai_votes: Paths | None = None
    """Files with the AI's votes."""
    ai_calibration: str | os.PathLike[str] | None = None
    """File with a calibration of the AI's scores, which is applied to them first."""
    calibration: str | os.PathLike[str] | None = None
    """File with a calibration, or ``simulated``: adds the column ``probability``."""
    soft: bool = False
    """Also write posteriors.parquet: the share of every label voted."""
    scores: Paths | None = None
    """A classifier's training scores: adds the columns ``schema.SCORED``."""
    score_columns: Mapping[str, str] | None = None
    """Columns of ``schema.SCORE_LISTS`` or ``SCORE_ROWS`` -> the files' own names."""
    normalise: bool = False
    """Divide each score list by its sum."""
    keep: int = 14
    """Older runs that stay."""
    max_label_changes: float | None = None
    """Share of the observations of the run before that may change their label, else the run is held back."""
    max_valid_drop: float | None = None
    """Share by which the number of valid observations may fall, else the run is held back."""
    lock: str = "wait"
    """What to do while another process writes in the output folder: one of LOCK_MODES."""
    store_timeout: float = TIME_LIMIT
    """Seconds that an object store has for an answer, retries included."""
    threads: int | None = None
    """Threads to run on; None for all cores."""

    def __post_init__(self) -> None:
        for name in SEVERAL:
            paths = getattr(self, name)
            if paths is not None and not isinstance(paths, str | os.PathLike):  # looked through more than once
                object.__setattr__(self, name, path_list(paths) or None)
        faults = []
        if not 0 <= self.max_rejected <= 1:
            faults.append(f"max_rejected is {self.max_rejected} but must be in [0, 1]")
        for name in ("max_label_changes", "max_valid_drop"):
            limit = getattr(self, name)
            if limit is not None and not 0 <= limit <= 1:
                faults.append(f"{name} is {limit} but must be in [0, 1]")
        if self.lock not in LOCK_MODES:
            faults.append(f"lock is {self.lock!r} but must be one of {', '.join(LOCK_MODES)}")
        check_time_limit(self.store_timeout)
        if self.keep < 0:
            faults.append(f"keep is {self.keep} but must be at least 0")
        if self.threads is not None and not 1 <= self.threads <= MAX_THREADS:
            faults.append(f"threads is {self.threads} but must be in [1, {MAX_THREADS}]")
        if self.ai_calibration is not None and self.ai_votes is None:
            faults.append("ai_calibration is given without ai_votes")
        if faults:
            raise ParameterError("; ".join(faults))

    @property
    def guards(self) -> Guards:
        """When a run is held back."""
        return Guards(self.max_label_changes, self.max_valid_drop)

    def plain(self) -> dict[str, Any]:
        """As it stands in run.json: paths as strings, times in ISO 8601."""
        return {
            **vars(self),
            **{name: _plain(getattr(self, name)) for name in PATHS},
            "scores": None if self.scores is None else _shown(self.scores),
            "score_columns": dict(self.score_columns or {}),
            "columns": dict(self.columns or {}),
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "threads": self.threads or available_cores(),
        }


def _plain(paths: Paths | None) -> str | list[str] | None:
    """A path as it may be shown, or a list of several."""
    names = [] if paths is None else _shown(paths)
    return names if len(names) > 1 else next(iter(names), None)


def _shown(paths: Paths) -> list[str]:
    return [printable(redacted(os.fspath(path))) for path in path_list(paths)]
