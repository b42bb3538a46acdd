"""Changes between two runs as blocks."""

from typing import TYPE_CHECKING

from ...blocks import Block, Cell, Label, Place, Table, count

if TYPE_CHECKING:
    from ..changes import Changes

MOST_FREQUENT = 5  # pairs of a label before and a label now that are counted in a table

REASONS = {
    "votes": "other votes",
    "experts": "another label of experts",
    "ai": "another vote of the AI",
    "settings": "other settings",
    "weights": "weights of users moved",
}


def changes_blocks(changes: "Changes", rows: int, title: str, how_to_see_all: str = "") -> list[Block]:
    """The counts, the most frequent changes, and ``rows`` observations: those with another label first."""
    if changes.found is None or changes.found.counts is None:
        return [Block(str(changes))]
    counts = changes.found.counts
    numbers: list[tuple[Cell, ...]] = [
        ("label changed", counts.label_changed, 100 * counts.label_changes_share),
        ("became valid", counts.became_valid),
        ("no longer valid", counts.no_longer_valid),
    ]
    why = ", ".join(f"{counts.why[reason]:,} {words}" for reason, words in REASONS.items() if counts.why[reason])
    content: list[Table | str] = [
        f"{count(counts.in_both, 'observation')} in both, {counts.new:,} new, {counts.gone:,} gone",
        Table(rows=numbers, formats=("", ",", ".2f %"), layout="counts"),
        *([f"  why a label or a status is another, or an observation new or gone: {why}"] if why else []),
    ]
    blocks = [Block(title, content)]
    frequent = [
        (row["observations"], Label(row["old_label"]), Label(row["new_label"]))
        for row in changes.most_frequent(MOST_FREQUENT).to_pylist()
    ]
    if frequent:
        table = Table(header=("times", "label before", "label now"), rows=frequent, formats=(",",), left=(1, 2))
        blocks.append(Block(content=[table]))
    listed = [
        [Place(observation), *map(Label, others)]
        for observation, *others in (row.values() for row in changes.first(rows).to_pylist())
    ]
    if listed:
        header = ("observation", "label before", "label now", "status before", "status now", "why")
        more = changes.encoded.num_rows - len(listed)
        note = [f"and {more:,} more{how_to_see_all}"] if more else []
        blocks.append(
            Block(content=[Table(header=header, rows=listed, left=tuple(range(len(header))), least=(5, 3, 4)), *note])
        )
    return blocks
