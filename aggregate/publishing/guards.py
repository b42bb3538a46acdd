"""Limits to the changes from one run to the next, beyond which a person should look before it is published."""

from typing import NamedTuple

from ..shares import count_of
from .record import RunChanges


class Guards(NamedTuple):
    """Limits on changes from one published run to the next, by the names of their settings; None is no limit."""

    max_label_changes: float | None = None  # share of the observations in both runs whose label may be another
    max_valid_drop: float | None = None  # share by which the number of valid observations may fall

    @property
    def are_set(self) -> bool:
        """Whether there is any limit."""
        return any(limit is not None for limit in self)

    def objections(self, changes: RunChanges | None, lost: str | None = None) -> list[str]:
        """The reasons against publishing, in words; ``changes`` is None for a first run.

        ``lost`` is the run that is named as the published one but is gone.
        """
        if not self.are_set:
            return []
        if lost is not None:
            return [f"it cannot be compared with the published run {lost}, which is gone"]
        if changes is None:
            return []
        counts = changes.counts
        if counts is None:
            return [f"it cannot be compared with run {changes.against} ({changes.incomparable})"]
        if counts.gone and not counts.in_both:
            return [f"none of the {counts.gone:,} observations of run {changes.against} is in it"]
        found = []
        changed, both = counts.label_changed, counts.in_both
        if self.max_label_changes is not None and changed > count_of(self.max_label_changes, both):
            found.append(
                f"{changed:,} of {both:,} labels changed ({_percent(counts.label_changes_share)}), more than "
                f"--max-label-changes {self.max_label_changes:g} allows"
            )
        before, now = counts.valid_before, counts.valid_now
        if self.max_valid_drop is not None and before - now > count_of(self.max_valid_drop, before):
            found.append(
                f"valid observations fell from {before:,} to {now:,} "
                f"({_percent(counts.valid_drop)}), more than --max-valid-drop {self.max_valid_drop:g} allows"
            )
        return found


def _percent(share: float) -> str:
    """A share in percent, with enough digits to see that it is above a limit.

    >>> _percent(0.0312), _percent(0.00041)
    ('3.12 %', '0.041 %')
    """
    return f"{100 * share:.3g} %"
