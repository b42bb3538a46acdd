"""Finds names that look alike, or like a missing value: they are counted and reported, never merged.

Labels and users are compared byte for byte. So ``Acer campestre`` with and without a space at the end are two species,
and if users' ids were lost on the way there is one very active user ``None``.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import Counts, Flags, Indices
from .arrow import bytes_of, strings, to_arrow, to_numpy
from .errors import quoted

if TYPE_CHECKING:
    import pyarrow as pa

INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")  # characters without width, treated as white space

MISSING_WORDS = (
    *("nan", "none", "null", "nil", "nat", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "<null>", "missing"),
    *("unknown", "unidentified", "undefined", "unspecified", "unlabeled", "unlabelled"),
    *("?", "??", "???", "-", "--", ".", "..", "_", "*", "-1", "-1.0", "-9", "-99", "-999", "-9999", "-99999"),
)
"""Texts, in lower case, that mean a missing value in other programs."""

MISSING_NUMBERS = (-1, -9, -99, -999, -9999, -99999)
"""Integers that do, beside the least integer of 32 or 64 bits, which NaN becomes."""

SHOWN = 5  # number of pairs, and of names like a missing value, that are listed
BLOCK = 1 << 18  # bytes scanned at a time: they fit the cache
KINDS = ("white_space", "unicode_form", "case")  # what names that look alike differ in


@dataclass(frozen=True)
class NameFindings:
    """Names that look alike, and names like a missing value, among distinct names."""

    pairs_alike: Mapping[str, int]
    """Pairs of names that differ only in `white_space`, in `unicode_form` as well, or in `case` as well.

    A pair is counted once, by the last of the three normalisations needed to make its names equal.
    """
    first_alike: tuple[tuple[str, str], ...]
    """The first five of these pairs, of different names."""
    like_missing: Mapping[str | int, int]
    """Names that look like a missing value, each with its number of votes."""

    def __bool__(self) -> bool:
        """Whether there is anything to report."""
        return any(self.pairs_alike.values()) or bool(self.like_missing)

    def plain(self) -> dict[str, Any]:
        """As plain values, for run.json."""
        return {
            "pairs_alike": dict(self.pairs_alike),
            "first_alike": [list(pair) for pair in self.first_alike],
            "like_missing": [{"name": name, "votes": votes} for name, votes in self.like_missing.items()],
        }

    @classmethod
    def from_plain(cls, contents: Any) -> "NameFindings":
        """The findings in run.json. Raises TypeError if ``contents`` has another form."""
        try:
            return cls(
                {kind: int(contents["pairs_alike"][kind]) for kind in KINDS},
                tuple((one, other) for one, other in contents["first_alike"]),
                {item["name"]: int(item["votes"]) for item in contents["like_missing"]},
            )
        except (KeyError, ValueError) as error:
            raise TypeError("no findings on names") from error


def inspect_names(names: "pa.Array", codes: Counts) -> NameFindings:
    """Find suspicious names among sorted, distinct names, strings or integers.

    ``codes`` int32[n_votes] are the positions of the name of each vote.
    """
    import pyarrow as pa

    is_integer = pa.types.is_integer(names.type)
    pairs, first = (dict.fromkeys(KINDS, 0), ()) if is_integer else _alike(names)
    missing = {
        name: int(np.count_nonzero(codes == place))
        for place, name in _occurring(names, _numbers() if is_integer else _spellings())
    }
    return NameFindings(pairs, first, missing)


def warning_of(labels: NameFindings, users: NameFindings) -> str | None:
    """A warning of one line about suspicious names, each kind with its first case; None if there are none.

    Users that look alike are left out: users may choose names that look like others'.
    """
    parts = []
    pairs = sum(labels.pairs_alike.values())
    if pairs:
        one, other = labels.first_alike[0]
        several = "1 pair of labels looks" if pairs == 1 else f"{pairs:,} pairs of labels look"
        parts.append(f"{several} alike (first {quoted(one)} and {quoted(other)})")
    for thing, missing in (("label", labels.like_missing), ("user", users.like_missing)):
        if missing:
            name, votes = next(iter(missing.items()))
            several = f"1 {thing} looks" if len(missing) == 1 else f"{len(missing):,} {thing}s look"
            of_votes = "1 vote" if votes == 1 else f"{votes:,} votes"
            parts.append(f"{several} like a missing value (first {quoted(name)}, {of_votes})")
    return f"{'; '.join(parts)}: they were kept apart, as any names" if parts else None


def normal_forms(name: str) -> tuple[str, str, str]:
    r"""A name with normalised white space; that in Unicode form NFKC; that in lower case.

    >>> normal_forms(" Acer\xa0 campestre")
    ('Acer campestre', 'Acer campestre', 'acer campestre')
    """
    if not INVISIBLE.isdisjoint(name):
        name = "".join(letter for letter in name if letter not in INVISIBLE)
    spaced = " ".join(name.split())
    composed = spaced if spaced.isascii() else unicodedata.normalize("NFKC", spaced)
    return spaced, composed, unicodedata.normalize("NFKC", composed.casefold())


def lookalikes(names: "pa.Array", others: "pa.Array") -> list[tuple[str, str]]:
    """Strings of ``others`` that are not among ``names`` but look like some of these, each with the first of them.

    Names look alike if :func:`normal_forms` makes them equal.
    """
    first_of: dict[str, str] = {}
    for name in names.to_pylist():
        first_of.setdefault(normal_forms(name)[-1], name)
    spelled = ((other, first_of.get(normal_forms(other)[-1])) for other in others.to_pylist())
    return [(other, name) for other, name in spelled if name is not None]


def _alike(names: "pa.Array") -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """Pairs of strings that look alike, by KINDS, and the first of them.

    Texts of ASCII letters, digits and single spaces can look alike only by case: they do not become Python objects.
    """
    import pyarrow.compute as pc

    odd = np.flatnonzero(_are_odd(names))
    if odd.size == 0 and not _has_both_cases(names):
        return dict.fromkeys(KINDS, 0), ()
    plain = np.ones(len(names), np.bool_)
    plain[odd] = False
    spellings = [normal_forms(name) for name in names.take(to_arrow(odd)).to_pylist()]
    order = np.append(np.flatnonzero(plain), odd)
    of_plain = names.filter(to_arrow(plain))
    pairs = [0, 0, 0]
    codes = np.empty(0, np.int32)
    for level in range(len(KINDS)):
        if odd.size or level == len(KINDS) - 1:  # distinct plain names do not differ in anything but case
            same = pc.ascii_lower(of_plain) if level == len(KINDS) - 1 else of_plain
            codes = _codes_of(same, [spelling[level] for spelling in spellings])
            pairs[level] = _count_pairs(codes)
    group_of = np.empty(len(names), np.int64)
    group_of[order] = codes
    by_kind = np.diff(pairs, prepend=0).tolist()
    return dict(zip(KINDS, by_kind, strict=True)), tuple(islice(_first_two(names, group_of), SHOWN))


def _count_pairs(codes: Counts) -> int:
    """Number of pairs of equal codes."""
    times = np.bincount(codes)
    return int(np.sum(times * (times - 1) // 2))


def _first_two(names: "pa.Array", group_of: Indices) -> Iterator[tuple[str, str]]:
    """The first two names of each group that has several."""
    first_of: dict[int, int] = {}
    for row in np.flatnonzero(np.bincount(group_of)[group_of] > 1).tolist():
        first = first_of.setdefault(int(group_of[row]), row)
        if first not in (row, -1):
            first_of[int(group_of[row])] = -1
            yield names[first].as_py(), names[row].as_py()


def _are_odd(names: "pa.Array") -> Flags:
    """Which texts have characters other than printable ASCII, or spaces at an end or next to each other: bool[n]."""
    data, offsets = bytes_of(names)
    odd = np.zeros(len(names), np.bool_)
    if data.size == 0 or (data.min() > ord(" ") and data.max() < 0x7F):
        return odd
    strange = (data < ord(" ")) | (data >= 0x7F)
    space = data == ord(" ")
    if space.any():
        strange[1:] |= space[1:] & space[:-1]
        ends = offsets[1:][np.diff(offsets) > 0] - 1
        starts = offsets[:-1][np.diff(offsets) > 0]
        strange[starts] |= space[starts]
        strange[ends] |= space[ends]
    odd[np.searchsorted(offsets, np.flatnonzero(strange), side="right") - 1] = True
    return odd


def _has_both_cases(names: "pa.Array") -> bool:
    """Whether ASCII letters of both cases occur, without which no two texts differ in case."""
    data, _ = bytes_of(names)
    blocks = [data[start : start + BLOCK] for start in range(0, data.size, BLOCK)]
    return all(any((block - np.uint8(ord(first)) < 26).any() for block in blocks) for first in "Aa")


def _codes_of(plain: "pa.Array", others: list[str]) -> Counts:
    """Codes, equal for equal texts, of the texts of an array and then of ``others``."""
    import pyarrow as pa

    texts = pa.concat_arrays([plain, strings(others).cast(plain.type)])
    return to_numpy(texts.dictionary_encode().indices)


def _occurring(names: "pa.Array", wanted: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Those of ``wanted`` that are among sorted names, with their positions."""
    import pyarrow as pa

    of_bytes = (lambda name: name) if pa.types.is_integer(names.type) else str.encode  # order of code points
    for name in wanted:
        place = bisect_left(names, of_bytes(name), key=lambda value: of_bytes(value.as_py()))
        if place < len(names) and names[place].as_py() == name:
            yield place, name


def _spellings() -> list[str]:
    """Every usual spelling of MISSING_WORDS, sorted."""
    spelled = {form for name in MISSING_WORDS for form in (name, name.upper(), name.capitalize(), name.title())}
    return sorted({*spelled, "NaN", "NaT", "N/a"})


def _numbers() -> list[int]:
    return sorted({*MISSING_NUMBERS, *(int(np.iinfo(kind).min) for kind in (np.int32, np.int64))})
