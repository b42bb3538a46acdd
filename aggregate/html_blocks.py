"""Blocks as HTML, for notebooks and pages: plain tables, which take the style of the page."""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby, repeat

from .blocks import Block, Cell, Label, Table, shown
from .errors import on_one_line

WIDEST = 80  # characters of a cell that holds a label or an id

# Labels may hold `$` or `\(`: Jupyter would typeset what is between them.
OPENING = '<div class="tex2jax_ignore mathjax_ignore">'


def as_html(blocks: Iterable[Block]) -> str:
    r"""Blocks as HTML; all text is escaped.

    >>> as_html([Block("2 < 3", ["a note"])])
    '<div class="tex2jax_ignore mathjax_ignore">\n<p><strong>2 &lt; 3</strong></p>\n<p>a note</p>\n</div>'
    """
    return "\n".join([OPENING, *chain.from_iterable(map(_lines, blocks)), "</div>"])


def _lines(block: Block) -> Iterator[str]:
    if block.title:
        yield f"<p><strong>{_text(block.title)}</strong></p>"
    for is_note, parts in groupby(block.content, lambda part: isinstance(part, str)):
        if is_note:
            yield f"<p>{_paragraph(str(part) for part in parts)}</p>"
            continue
        for part in parts:
            assert isinstance(part, Table)
            yield from _table(part)


def _paragraph(notes: Iterable[str]) -> str:
    """Notes with line breaks between them; one that begins with spaces continues the line before."""
    return "".join(
        f"{'' if place == 0 else ' ' if note.startswith(' ') else '<br>'}{_text(note.strip())}"
        for place, note in enumerate(notes)
    )


def _table(table: Table) -> Iterator[str]:
    rows = [[_cell(*pair) for pair in zip(row, chain(table.formats, repeat("")), strict=False)] for row in table.rows]
    header = [_text(name) for name in table.header]
    left = table.left
    if table.layout == "sideways":
        names = [header] if header else []
        rows = [list(column) for column in zip(*names, *rows, strict=True)]
        header = rows.pop(0) if names else []
    elif table.layout == "counts":
        left = (0, 3)
    yield "<table>"
    if header:
        yield f"<thead><tr>{_cells('th', header, left)}</tr></thead>"
    yield "<tbody>"
    for row in rows:
        yield f"<tr>{_cells('td', row, left)}</tr>"
    yield "</tbody>"
    yield "</table>"
    if table.intervals:
        yield f"<p>{_text(f'[in brackets: {table.intervals}]')}</p>"


def _cells(tag: str, texts: Iterable[str], left: tuple[int, ...]) -> str:
    """Cells with their alignment, which differs between pages if it is not given."""
    return "".join(
        f'<{tag} style="text-align: {"left" if place in left else "right"}">{text}</{tag}>'
        for place, text in enumerate(texts)
    )


def _cell(cell: Cell, form: str) -> str:
    """A cell; labels and ids, which may be long, are cut."""
    text = shown(cell, form)
    return _text(f"{text[: WIDEST - 3]}..." if isinstance(cell, Label) and len(text) > WIDEST else text)


def _text(text: str) -> str:
    from html import escape  # nothing but a notebook needs it

    return escape(on_one_line(text))
