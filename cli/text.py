"""Blocks as text: complete in a pipe or a file; in a terminal at most as wide as it is."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Literal, NamedTuple, TypeAlias

from plant_aggregate.blocks import Block, Cell, Interval, Label, Place, Table, count, shown
from plant_aggregate.errors import on_one_line

GAP = "  "  # between columns
NARROWEST = 12  # columns of the screen that a cut label or id has at least
WIDE_ENOUGH = 25  # columns of the screen up to which words in a row stay on a line, and names of rows whole if alike
MANY_ROWS = 1000  # rows whose names are compared
INDENT = "  "  # of what continues a line


Kind: TypeAlias = Literal["name", "words", "label", "path", "number"]


class Text(NamedTuple):
    """A cell as text, and what it is: labels and paths are cut where they are too wide, words wrapped, numbers not."""

    text: str
    kind: Kind

    @property
    def narrowest(self) -> int:
        """The columns of the screen that it needs at least."""
        whole = width_of(self.text)
        if self.kind in ("label", "path"):
            return min(NARROWEST, whole)
        if self.kind == "number" or not self.text:
            return whole
        longest = max(map(width_of, self.text.split()))
        return longest if self.kind == "name" else min(whole, max(longest, WIDE_ENOUGH))

    def lines(self, width: int) -> list[str]:
        """The cell in lines of at most ``width`` columns of the screen."""
        if self.kind == "label":
            return [cut(self.text, width)]
        if self.kind == "path":
            return [cut(self.text[::-1], width)[::-1]]
        return [self.text] if self.kind == "number" else wrapped(self.text, width, indent="")


Grid = Sequence[Sequence[Text]]


def as_text(blocks: Iterable[Block], width: int | None = None) -> str:
    """Blocks with an empty line between them, tables as their ``formats``, ``left`` and ``layout`` say.

    ``width``: columns of the terminal, None if it is none. Lines that are longer are wrapped between words, names are
    cut, and then intervals and columns left out, and it is said which.
    """
    return "\n\n".join("\n".join(_lines(block, width)) for block in blocks)


def width_of(text: str) -> int:
    """The columns that a text takes on a screen: wide characters of East Asia two, combining marks none.

    >>> width_of("Acer"), width_of("銀杏"), width_of("e\u0301")
    (4, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def cut(text: str, width: int) -> str:
    """A text in at most ``width`` columns of a screen.

    >>> cut("Acer campestre", 8), cut("銀杏銀杏", 6), cut("Acer", 4)
    ('Acer ca…', '銀杏…', 'Acer')
    """
    if width_of(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= width_of(character)
        if room < 0:
            break
        kept += character
    return f"{kept}…"


def wrapped(text: str, width: int | None, indent: str = INDENT) -> list[str]:
    """A text in lines of at most ``width`` columns of a screen, as far as its words are no wider.

    Lines after the first are indented by ``indent`` more than the first.
    """
    if width is None or width_of(text) <= width:
        return [text]
    margin = text[: len(text) - len(text.lstrip())]
    lines: list[str] = []
    line = margin
    for word in re.split(r" +(?!%)", text.strip()):
        longer = f"{line} {word}" if line.strip() else f"{line}{word}"
        if width_of(longer) > width and line.strip():
            lines.append(line)
            longer = f"{margin}{indent}{word}"
        line = longer
    return [*lines, line]


def _lines(block: Block, width: int | None) -> Iterator[str]:
    if block.title:
        yield from wrapped(on_one_line(block.title), width)
    for part in block.content:
        if isinstance(part, str):
            yield from wrapped(on_one_line(part), width)
        else:
            yield from _counts(part, width) if part.layout == "counts" else _aligned(part, width)


def _cells(table: Table, *, with_ends: bool = True) -> list[list[Text]]:
    """The cells of the rows; ``with_ends``: whether those of intervals are shown."""
    return [
        [_cell(*pair, with_ends=with_ends) for pair in zip(row, chain(table.formats, repeat("")), strict=False)]
        for row in table.rows
    ]


def _cell(cell: Cell, form: str, *, with_ends: bool) -> Text:
    value = cell.value if isinstance(cell, Interval) and not with_ends else cell
    kind: Kind = "words" if isinstance(cell, str) else "number"
    if isinstance(cell, Label):
        kind = "path" if isinstance(cell, Place) else "label"
    return Text(on_one_line(shown(value, form)), kind)


def _grid(table: Table, *, with_ends: bool) -> Grid:
    """The lines of a table, each with its cells."""
    rows = _cells(table, with_ends=with_ends)
    if table.header:
        rows.insert(0, [Text(on_one_line(name), "name") for name in table.header])
    if table.layout == "sideways":
        first, *others = zip(*rows, strict=True)
        return [[cell._replace(kind="name") for cell in first], *map(list, others)]
    return rows


def _aligned(table: Table, width: int | None) -> Iterator[str]:
    if not table.rows and not table.header:
        return
    grid, widths, left_out, with_ends = _fitting(table, width)
    has_names = bool(table.header) and (table.layout == "columns" or not table.header[0])
    for number, row in enumerate(grid):
        cells = [cell.lines(size) for cell, size in zip(row, widths, strict=True) if size]
        sizes = [size for size in widths if size]
        left = [place in table.left for place, size in enumerate(widths) if size]
        height = max(map(len, cells))
        for at in range(height):
            parts = []
            for lines, size, is_left in zip(cells, sizes, left, strict=True):
                above = height - len(lines) if number == 0 and has_names else 0  # names stand right above their column
                text = lines[at - above] if 0 <= at - above < len(lines) else ""
                space = " " * (size - width_of(text))
                parts.append(f"{text}{space}" if is_left else f"{space}{text}")
            yield GAP.join(parts).rstrip()
    if table.intervals:
        what = f"in brackets: {table.intervals}" if with_ends else f"{table.intervals}: {_elsewhere(table)}"
        yield from wrapped(f"[{what}]", width)
    if left_out:
        names = ", ".join(filter(None, left_out))
        yield from wrapped(f"[{count(len(left_out), 'column')} more {_elsewhere(table)}: {names}]", width)


def _elsewhere(table: Table) -> str:
    return f"with {table.complete_with}" if table.complete_with else "in a wider terminal"


class Fitting(NamedTuple):
    """What of a table fits the terminal."""

    grid: Grid
    widths: list[int]  # of each column, 0 of those left out
    left_out: list[str] = []  # noqa: RUF012 - their names; never changed
    with_ends: bool = True  # whether intervals have their ends


def _fitting(table: Table, width: int | None) -> Fitting:
    """As much of a table as fits."""
    whole = _grid(table, with_ends=True)
    columns = range(len(whole[0]))
    if width is None:
        return Fitting(whole, [max(width_of(row[column].text) for row in whole) for column in columns])
    names = [cell.text for cell in whole[0]]
    order = [*table.least, *(column for column in reversed(columns) if column not in table.least)]
    for n_left_out in columns:
        left_out = set(order[:n_left_out])
        for with_ends in (True, False):
            grid = whole if with_ends else _grid(table, with_ends=False)
            widths = _widths(grid, [column for column in columns if column not in left_out], width)
            if widths is not None:
                return Fitting(grid, widths, [names[column] for column in sorted(left_out)], with_ends)
    return Fitting(whole, [max(cell.narrowest for cell in column) for column in zip(*whole, strict=True)])


def _widths(grid: Grid, columns: Sequence[int], width: int) -> list[int] | None:
    """The width of each column, 0 of those not among ``columns``; None if they do not fit."""
    widths = [0] * len(grid[0])
    needed = [sorted(width_of(row[column].text) for row in grid) for column in range(len(widths))]
    for column in columns:
        widths[column] = max(row[column].narrowest for row in grid)
    if columns[0] == 0:
        widths[0] = max(widths[0], _telling_apart([row[0] for row in grid]))
    room = width - sum(widths) - len(GAP) * (len(columns) - 1)
    if room < 0:
        return None

    labels = {column for column in columns if any(row[column].kind in ("label", "path") for row in grid)}

    def gain(column: int) -> tuple[int, int, int]:
        """Rows of words come before labels, of which the narrowest comes first, and names of columns last."""
        too_wide = len(needed[column]) - bisect_right(needed[column], widths[column])
        if column in labels:
            return 1, 0, -widths[column]
        return (2 if too_wide > 1 else 0), too_wide, -widths[column]

    while room and (growing := [column for column in columns if widths[column] < needed[column][-1]]):
        widths[max(growing, key=gain)] += 1
        room -= 1
    for column in columns:  # what words leave over
        widths[column] = max(width_of(line) for row in grid for line in row[column].lines(widths[column]))
    return widths


def _telling_apart(names: Sequence[Text]) -> int:
    """The columns of the screen in which labels that name rows differ when cut; NARROWEST if WIDE_ENOUGH do not do."""
    labels = {name for name in names[:MANY_ROWS] if name.kind in ("label", "path")}
    longest = max((width_of(label.text) for label in labels), default=0)
    narrowest = min(NARROWEST, longest)
    widths = range(narrowest, min(WIDE_ENOUGH, longest) + 1)
    return next((w for w in widths if len({label.lines(w)[0] for label in labels}) == len(labels)), narrowest)


def _counts(table: Table, width: int | None) -> Iterator[str]:
    """Rows of a name, a number, and perhaps its share and a remark."""
    rows = [[cell.text for cell in row] + [""] * (4 - len(row)) for row in _cells(table)]
    sizes = [16, 13, 7]
    if width is not None and max(2 + sum(sizes) + 5 + width_of(row[3]) for row in rows) > width:
        sizes = [max(width_of(row[place]) for row in rows) for place in range(3)]
        sizes[1] += len(GAP)
    for name, number, share, remark in rows:
        line = f"{INDENT}{_padded(name, sizes[0])}{number:>{sizes[1]}}  {share:>{sizes[2]}}   "
        first, *others = wrapped(remark, None if width is None else width - width_of(line), indent="")
        yield f"{line}{first}".rstrip()
        yield from (f"{' ' * width_of(line)}{other}" for other in others)


def _padded(text: str, size: int) -> str:
    return text + " " * (size - width_of(text))
