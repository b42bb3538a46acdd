"""Areas under the margin of training scores as blocks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...blocks import Block, Table, count

if TYPE_CHECKING:
    from ..ambiguity.result import Ambiguity

TRUST = {"confusion": "the confusions of dawid-skene", "weight": "the users' weights"}
"""What voters are weighed by, in words."""


def ambiguity_rows(found: "Ambiguity") -> list[dict[str, Any]]:
    """How many observations are what, with the columns of ``schema.AMBIGUITY_COUNTS``."""
    counts = {name: found.counts[name] for name in ("scored", "exact", "missing_epochs", "pruned")}
    whole = found.counts["observations"]
    return [{"which": name, "observations": number, "share": number / whole} for name, number in counts.items()]


def ambiguity_blocks(found: "Ambiguity", further: Sequence[str] = ()) -> list[Block]:
    """Observations scored and pruned, score lists that were changed or ignored, and ``further`` notes."""
    counts, lists, settings = found.counts, found.counts["lists"], found.settings
    whole = counts["observations"]
    which = "of its label" if settings.by_label else "of all"
    rows = [
        (name, number, 100 * number / whole, remark)
        for name, number, remark in (
            ("scored", counts["scored"], f"at {count(counts['epochs'], 'epoch')}"),
            ("exact", counts["exact"], "no label left out of a list could change score_aum or aumc"),
            ("missing epochs", counts["missing_epochs"], "scored at fewer epochs: the mean is over those"),
            ("pruned", counts["pruned"], f"waum ({settings.margin}) below its {settings.alpha:g} quantile {which}"),
        )
    ]
    divided = ": divided by their sum" if settings.normalise else ""
    remarks = {
        "above_one": f"add up to more than 1{divided}",
        "below_one": f"add up to less than 1{divided}",
        "unknown": "are of observations nobody voted on: ignored",
    }
    content: list[Table | str] = [
        Table(rows=rows, formats=("", ",", ".1f %", ""), layout="counts"),
        f"voters weighed by {TRUST[found.trust]}",
        *(f"{lists[name]:,} of the lists {remark}" for name, remark in remarks.items() if lists[name]),
        *(
            f"{number:,} of the lists cannot be used: {reason} (first: {lists['first_rejected'][reason]})"
            for reason, number in lists["rejected_by_reason"].items()
        ),
        *further,
    ]
    return [Block(f"{count(whole, 'observation')}, {count(lists['read'], 'score list')}", content)]
