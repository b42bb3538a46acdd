"""Ways to damage a file, each by a random generator: bytes, pages, page headers and metadata."""

import base64
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from .layout import COLUMNS, CRC, META, ROW_GROUPS, File, Page, footer_bytes, footer_place
from .thrift import BINARY, DOUBLE, INTEGERS, LIST, STRUCT, Field, List, Reader, Struct

EXTREMES = (0, 1, -1, 2, 3, 127, 128, 255, 2**15, 2**16, 2**20, 10**7, 2**31 - 1, 2**31, -(2**31), 2**32, 2**40)
EXTREMES += (2**62, 2**63 - 1, -(2**63))
CLAIMS = (0, 1, 239, 241, 10**4, 10**6, 10**7, 10**8, 10**9, 2**31 - 1, 2**31, 2**32 + 240, 2**40, 2**62, -1)
TEXTS = (b"", b"label", b"user_id", b"\xff\xfe", b"\x1b[31m", b"a\x00b", b"x" * 5000, b"list", b"element", b"\n\n")

Mutation = Callable[[random.Random, bytes], bytes]


def flip_bits(chance: random.Random, content: bytes) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 8, 50))):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def overwrite(chance: random.Random, content: bytes) -> bytes:
    size = chance.choice((1, 1, 2, 4, 8, 64, 400))
    start = chance.randrange(len(content))
    filling = chance.choice((bytes(size), b"\xff" * size, b"\x7f" * size, chance.randbytes(size)))
    return content[:start] + filling[: len(content) - start] + content[start + size :]


def truncate(chance: random.Random, content: bytes) -> bytes:
    size = chance.choice((chance.randrange(len(content)), max(0, len(content) - chance.randrange(20))))
    return content[:size]


def cut_middle(chance: random.Random, content: bytes) -> bytes:
    start, size = chance.randrange(len(content)), chance.choice((1, 2, 8, 100, 1000))
    return content[:start] + content[start + size :]


def insert(chance: random.Random, content: bytes) -> bytes:
    place, size = chance.randrange(len(content)), chance.choice((1, 2, 8, 100))
    return content[:place] + chance.choice((bytes(size), chance.randbytes(size))) + content[place:]


def duplicate_part(chance: random.Random, content: bytes) -> bytes:
    start, size = chance.randrange(len(content)), chance.choice((1, 8, 100, 1000))
    return content[: start + size] + content[start:]


def move_part(chance: random.Random, content: bytes) -> bytes:
    """Copy a part over another, as a disk that mixes up its blocks does."""
    size = min(chance.choice((4, 16, 64, 512)), len(content) // 2)
    start, to = (chance.randrange(len(content) - size) for _ in range(2))
    return content[:to] + content[start : start + size] + content[to + size :]


def footer_bytes_flip(chance: random.Random, content: bytes) -> bytes:
    """Damage in the metadata alone."""
    place = footer_place(content)
    if not 0 < place < len(content) - 8:
        return flip_bits(chance, content)
    way = chance.choice((flip_bits, flip_bits, overwrite, cut_middle, insert, duplicate_part, move_part))
    footer = way(chance, content[place:-8])
    size = len(footer) if chance.random() < 0.8 else len(content) - 8 - place
    return content[:place] + footer + size.to_bytes(4, "little") + content[-4:]


def footer_length(chance: random.Random, content: bytes) -> bytes:
    size = int.from_bytes(content[-8:-4], "little")
    wrong = chance.choice((size + chance.randint(-20, 20), *EXTREMES, len(content), len(content) - 8))
    return content[:-8] + (wrong % 2**32).to_bytes(4, "little") + content[-4:]


def footer_fields(chance: random.Random, content: bytes) -> bytes:
    """Change, remove, double or swap fields of the metadata."""
    place = footer_place(content)
    footer = Reader(content, place).struct()
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        change_field(chance, footer, len(content))
    return content[:place] + footer_bytes(footer)


def claim_rows(chance: random.Random, content: bytes) -> bytes:
    """A number of rows that is wrong, in some of the places that have it, or in all."""
    file, rows = File.read(content), chance.choice(CLAIMS)
    everywhere = chance.random() < 0.3
    places: list[tuple[Struct, int]] = [(file.footer, 3)]
    for group in file.footer.get(ROW_GROUPS).items:
        places.append((group, 3))
        places += [(column.get(META), 5) for column in group.get(COLUMNS).items]
    for chunk in file.chunks:
        for page in chunk.pages:
            places += [(head, 1) for head in map(page.header.get, (5, 7, 8)) if head]
            places += [(head, 3) for head in (page.header.get(8),) if head]
    few = chance.random() < 0.5
    for where, number in places:
        if everywhere or chance.random() < (0.1 if few else 0.5):
            where.put(number, rows)
    return file.write()


def page_header(chance: random.Random, content: bytes) -> bytes:
    """Change fields of a page's header; sizes may lie, offsets are right."""
    file = File.read(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        change_field(chance, chance.choice(_pages(file)).header, len(content))
    return file.write()


def page_content(chance: random.Random, content: bytes) -> bytes:
    """Damage that decompression and most checksums do not see: levels, run lengths, dictionary indices, texts."""
    file = File.read(content)
    for _ in range(chance.choice((1, 1, 3))):
        chunk = chance.choice(file.chunks)
        if not chunk.pages:
            continue
        page = chance.choice(chunk.pages)
        plain = page.content(chunk.codec)
        if plain is None or not plain:
            page.body = flip_bits(chance, page.body or b"x")
        else:
            way = chance.choice((flip_bits, overwrite, overwrite, truncate, insert, duplicate_part))
            page.replace(_at_begin(chance, plain, way), chunk.codec)
        if chance.random() < 0.8:
            page.sign()
    return file.write()


def shuffle_pages(chance: random.Random, content: bytes) -> bytes:
    """Swap, drop or double pages, within a column or across."""
    file = File.read(content)
    for _ in range(chance.choice((1, 1, 3))):
        one, other = chance.choice(file.chunks), chance.choice(file.chunks)
        if not one.pages or not other.pages:
            continue
        a, b = chance.randrange(len(one.pages)), chance.randrange(len(other.pages))
        way = chance.randrange(4)
        if way == 0:
            one.pages[a], other.pages[b] = other.pages[b], one.pages[a]
        elif way == 1:
            del one.pages[a]
        elif way == 2:
            one.pages.insert(a, other.pages[b])
        else:
            one.pages, other.pages = other.pages, one.pages
    return file.write()


def forget_checksums(chance: random.Random, content: bytes) -> bytes:
    """Take some pages' checksums away, or make them wrong."""
    file = File.read(content)
    for page in _pages(file):
        if chance.random() < 0.5:
            page.header.put(CRC, chance.choice(EXTREMES))
    return file.write()


MUTATIONS: tuple[tuple[int, Mutation], ...] = (
    (3, flip_bits),
    (3, overwrite),
    (2, truncate),
    (1, cut_middle),
    (1, insert),
    (1, duplicate_part),
    (2, move_part),
    (6, footer_bytes_flip),
    (1, footer_length),
    (8, footer_fields),
    (5, claim_rows),
    (6, page_header),
    (8, page_content),
    (4, shuffle_pages),
    (1, forget_checksums),
)
"""Ways to damage a file, and how often each is taken. Only the first may follow another: they take any bytes."""

RAW = (flip_bits, overwrite, truncate, cut_middle, insert, duplicate_part, move_part)


def mutate(chance: random.Random, content: bytes) -> tuple[bytes, str]:
    """A damaged copy of a valid file, and how it was damaged."""
    weights, ways = zip(*MUTATIONS, strict=True)
    way = chance.choices(ways, weights)[0]
    damaged, names = way(chance, content), [way.__name__]
    if damaged and chance.random() < 0.1:
        after = chance.choice(RAW)
        damaged, names = after(chance, damaged), [*names, after.__name__]
    return damaged, "+".join(names)


@dataclass
class _Place:
    """Where a value stands: in a field of a struct, or in a list."""

    get: Callable[[], object]
    put: Callable[[object], None]
    type: int
    holder: list[object]
    position: int


def change_field(chance: random.Random, root: Struct, size: int) -> None:
    """Change one value anywhere below ``root``; ``size`` is a number that may matter."""
    places = list(_places(root))
    if not places:
        return
    way = chance.random()
    if way < 0.75:
        values = [place for place in places if place.type not in (LIST, STRUCT)] or places
        place = chance.choice(values)
        others = [other.get() for other in places if other.type == place.type]
        place.put(_other_value(chance, place.type, place.get(), others, size))
        return
    place = chance.choice(places)
    if way < 0.85:
        del place.holder[place.position]
    elif way < 0.92:
        place.holder.insert(place.position, place.holder[place.position])
    elif way < 0.97 and isinstance(place.holder[place.position], Field):
        place.holder[place.position].number = chance.randrange(1, 20)  # type: ignore[attr-defined]
    else:
        chance.shuffle(place.holder)


def _other_value(chance: random.Random, kind: int, value: object, others: list[object], size: int) -> object:
    if kind in INTEGERS:
        near = int(value) + chance.choice((1, -1, 8, -8, 100))  # type: ignore[call-overload]
        extreme = chance.choice((*EXTREMES, size, size - 8))
        small = chance.randrange(12)
        return chance.choice((near, extreme, small, chance.choice(others), -int(value)))  # type: ignore[call-overload]
    if kind == BINARY:
        return _other_text(chance, bytes(value), others)  # type: ignore[call-overload]
    if kind == DOUBLE:
        return chance.choice((float("nan"), float("inf"), 0.0))
    if isinstance(value, int):
        return not value if isinstance(value, bool) else chance.randrange(256)
    if isinstance(value, List):
        return List(value.type, value.items[: chance.randrange(len(value.items) + 1)])
    return value


def _other_text(chance: random.Random, value: bytes, others: list[object]) -> object:
    if len(value) > 200 and chance.random() < 0.8:  # the Arrow schema that pyarrow adds
        try:
            return base64.b64encode(flip_bits(chance, base64.b64decode(value)))
        except ValueError:
            return flip_bits(chance, value)
    if value and chance.random() < 0.4:
        return chance.choice((flip_bits, truncate, overwrite))(chance, value)
    return chance.choice((*TEXTS, *others))


def _places(root: Struct) -> Iterator[_Place]:
    """Every value below ``root``."""
    for position, item in enumerate(root.fields):
        holder: list[object] = root.fields  # type: ignore[assignment]
        yield _Place(partial(getattr, item, "value"), partial(setattr, item, "value"), item.type, holder, position)
        yield from _below(item.value)


def _below(value: object) -> Iterator[_Place]:
    if isinstance(value, Struct):
        yield from _places(value)
    elif isinstance(value, List):
        for position, item in enumerate(value.items):
            get, put = partial(value.items.__getitem__, position), partial(value.items.__setitem__, position)
            yield _Place(get, put, value.type, value.items, position)
            yield from _below(item)


def _at_begin(chance: random.Random, content: bytes, way: Mutation) -> bytes:
    """Damage anywhere, or near the begin, where levels, lengths and bit widths stand."""
    head = min(len(content), 16)
    return way(chance, content[:head]) + content[head:] if chance.random() < 0.5 else way(chance, content)


def _pages(file: File) -> list[Page]:
    return [page for chunk in file.chunks for page in chunk.pages]
