"""The marginals of a simulation beside the published ones as blocks."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..blocks import Block, Table

if TYPE_CHECKING:
    from .marginals import Marginals

SHARES = {
    "multi_vote_share": "observations with 2 votes or more",
    "disagreed_share": "observations with a disagreement",
    "one_vote_user_share": "users with one vote",
    "rare_species_share": "observations of the rarest 80 % species",
}
"""Marginals shown in percent, and their names in the table."""


def marginals_rows(scale: float, reached: "Marginals") -> list[dict[str, Any]]:
    """Each marginal as published, scaled where it is a count, and as reached: columns ``schema.MARGINALS``."""
    from .marginals import published_at

    target = asdict(published_at(scale))
    return [{"marginal": name, "published": target[name], "reached": value} for name, value in asdict(reached).items()]


def marginals_blocks(scale: float, reached: "Marginals") -> list[Block]:
    """The same as a table."""
    rows = [
        [SHARES[name], f"{100 * published:.2f} %", f"{100 * found:.2f} %"]
        if name in SHARES
        else [f"{name} (x {scale:g})", f"{published:,}", f"{found:,}"]
        for name, published, found in (each.values() for each in marginals_rows(scale, reached))
    ]
    return [Block(content=[Table(header=("", "published", "reached"), rows=rows)])]
