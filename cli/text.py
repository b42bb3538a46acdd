"""Blocks as text for a terminal."""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from plant_aggregate.blocks import Block, Cell, Label, Table, shown
from plant_aggregate.errors import on_one_line

WIDEST = 40  # characters of a cell that holds a label or an id


def as_text(blocks: Iterable[Block]) -> str:
    """Blocks with an empty line between them, tables as their ``formats``, ``left`` and ``layout`` say."""
    return "\n\n".join("\n".join(_lines(block)) for block in blocks)


def _lines(block: Block) -> Iterator[str]:
    if block.title:
        yield on_one_line(block.title)
    for part in block.content:
        if isinstance(part, str):
            yield on_one_line(part)
            continue
        rows = [[_cell(*pair) for pair in zip(row, chain(part.formats, repeat("")), strict=False)] for row in part.rows]
        yield from _counts(rows) if part.layout == "counts" else _aligned(part, rows)


def _cell(cell: Cell, form: str) -> str:
    """A cell on one line; labels and ids are cut where they would push other columns off the screen."""
    text = shown(cell, form)
    return on_one_line(f"{text[: WIDEST - 3]}..." if isinstance(cell, Label) and len(text) > WIDEST else text)


def _aligned(table: Table, rows: list[list[str]]) -> Iterator[str]:
    rows = [[*map(on_one_line, table.header)], *rows] if table.header else rows
    if table.layout == "sideways":
        rows = [list(column) for column in zip(*rows, strict=True)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            c.ljust(w) if p in table.left else c.rjust(w) for p, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _counts(rows: list[list[str]]) -> Iterator[str]:
    for row in rows:
        name, number, share, remark = [*row, "", ""][:4]
        yield f"  {name:<16}{number:>13}  {share:>7}   {remark}".rstrip()
