"""Splits, classes, genus sampling and populations, row by row, as their definitions say it.

A row has ``observation_id``, ``label``, ``valid``, ``authors``, ``agreement``, ``margin`` and ``runner_up``. Shares are
exact fractions.
"""

import hashlib
import unicodedata
from collections import Counter
from fractions import Fraction
from functools import cache
from typing import Any

Row = dict[str, Any]

SETS = ("train", "validation", "test")
REASONS = (
    *("not_valid", "genus_unknown", "genus_not_sampled", "authors_in_different_splits"),
    *("too_few_observations", "no_training_observation", "empty_split"),
)


@cache
def u(text: str) -> Fraction:
    return Fraction(int(hashlib.sha256(text.encode()).hexdigest()[:15], 16), 2**60)


def genus_of(label: Any, table: dict[Any, str] | None) -> str | None:
    if table is not None:
        return table.get(label)
    if isinstance(label, int):
        return None
    words = unicodedata.normalize("NFC", label).split()
    while words and words[0] in ("x", "X", "×"):
        words = words[1:]
    if not words:
        return None
    first = words[0].lstrip("×")
    if first == "" or (len(words) == 1 and first.endswith("aceae")):
        return None
    return first[0].upper() + first[1:].lower()


def assign(
    rows: list[Row],
    *,
    test: Fraction = Fraction(1, 10),
    val: Fraction = Fraction(1, 10),
    seed: int = 0,
    group: str = "author",
    min_per_class: int = 4,
    require: str = "train",
    n_genera: int | None = None,
    genera_share: Fraction | None = None,
    table: dict[Any, str] | None = None,
) -> dict[str, Any]:
    """The set of each observation that is used, why others are not, the genera kept, and the three populations."""

    def set_of(unit: str) -> str:
        number = u(f"split|{seed}|{unit}")
        return "test" if number < test else "validation" if number < test + val else "train"

    def units(row: Row) -> list[str]:
        if group == "observation" or not row["authors"]:
            return [f"o|{row['observation_id']}"]
        return [f"a|{user}" for user in row["authors"]]

    integers = table is None and any(isinstance(row["label"], int) for row in rows)
    frame = {genus_of(row["label"], table) for row in rows if row["valid"]} - {None}
    numbers = {genus: u(f"genus|{seed}|{genus}") for genus in frame}
    kept = set(frame)
    if genera_share is not None:
        kept = {genus for genus in frame if numbers[genus] < genera_share}
    if n_genera is not None:
        kept = set(sorted(frame, key=lambda genus: (numbers[genus], genus))[:n_genera])

    def first_reason(row: Row, *, sampled: bool) -> str | None:
        genus = genus_of(row["label"], table)
        if not row["valid"]:
            return "not_valid"
        if genus is None and not integers:
            return "genus_unknown"
        if sampled and genus is not None and genus not in kept:
            return "genus_not_sampled"
        if len({set_of(unit) for unit in units(row)}) > 1:
            return "authors_in_different_splits"
        return None

    def classes(sampled: bool) -> tuple[Counter[Any], dict[Any, str]]:
        n: Counter[Any] = Counter()
        of_set: Counter[Any] = Counter()
        for row in rows:
            if first_reason(row, sampled=sampled) is None:
                n[row["label"]] += 1
                of_set[row["label"], set_of(units(row)[0])] += 1
        needed = [name for name, share in (("validation", val), ("test", test)) if share and require == "all"]
        why = {}
        for label in n:
            if n[label] < min_per_class:
                why[label] = "too_few_observations"
            elif require != "none" and not of_set[label, "train"]:
                why[label] = "no_training_observation"
            elif any(not of_set[label, name] for name in needed):
                why[label] = "empty_split"
        return Counter({label: n[label] for label in n if label not in why}), why

    after, why = classes(sampled=True)
    eligible, _ = classes(sampled=False)
    before = Counter(row["label"] for row in rows if row["valid"])
    splits, reasons = {}, {}
    for row in rows:
        reason = first_reason(row, sampled=True) or why.get(row["label"])
        if reason is None:
            splits[row["observation_id"]] = set_of(units(row)[0])
        else:
            reasons[row["observation_id"]] = reason
    empty = {row["label"] for row in rows} - set(before)
    return {
        "splits": splits,
        "reasons": reasons,
        "genera": sorted(kept),
        "before": {**population(before, rows, table), **with_empty(before, len(empty))},
        "eligible": population(eligible, rows, table),
        "after": population(after, rows, table),
        "lorenz_distance_of_minimum": distance(before, eligible),
        "lorenz_distance_of_sampling": distance(eligible, after),
        "excluded": {reason: list(reasons.values()).count(reason) for reason in REASONS},
        "species_excluded": {reason: list(why.values()).count(reason) for reason in REASONS[4:]},
        "author_unknown": sum(not row["authors"] for row in rows if row["observation_id"] in splits),
    }


def lorenz(counts: Counter[Any], share: Fraction) -> Fraction:
    """What the rarest ``share`` of the species hold."""
    n = sorted(counts.values())
    place = share * len(n)
    whole = int(place)
    held = Fraction(sum(n[:whole])) + ((place - whole) * n[whole] if whole < len(n) else 0)
    return held / sum(n)


def gini(counts: Counter[Any]) -> Fraction:
    k = len(counts)
    return 1 - sum(lorenz(counts, Fraction(j - 1, k)) + lorenz(counts, Fraction(j, k)) for j in range(1, k + 1)) / k


def distance(one: Counter[Any], other: Counter[Any]) -> float | None:
    if not one or not other:
        return None
    places = {Fraction(j, len(counts)) for counts in (one, other) for j in range(len(counts) + 1)}
    return float(max(abs(lorenz(one, place) - lorenz(other, place)) for place in places))


def with_empty(counts: Counter[Any], n_empty: int) -> dict[str, Any]:
    k = len(counts)
    return {
        "species_without_observations": n_empty,
        "gini_with_empty": float(1 - (1 - gini(counts)) * k / (k + n_empty)) if k else None,
    }


def population(counts: Counter[Any], rows: list[Row], table: dict[Any, str] | None) -> dict[str, Any]:
    genera = {label: genus_of(label, table) for label in counts}
    of_genus = Counter(genus for genus in genera.values() if genus is not None)
    n = sorted(counts.values())
    with_congener = [label for label in counts if genera[label] is not None and of_genus[genera[label]] > 1]
    members = [row for row in rows if row["label"] in counts]

    def share(row: Row) -> Fraction:
        return Fraction(row["agreement"] - row["margin"])

    def is_within(row: Row) -> bool:
        genus = genus_of(row["label"], table)
        other = None if row["runner_up"] is None else genus_of(row["runner_up"], table)
        return genus is not None and genus == other

    total = sum(map(share, members))
    within = sum(share(row) for row in members if is_within(row))
    among = sum(share(row) for row in members if row["runner_up"] in counts)
    sizes = {"few": range(20), "medium": range(20, 101), "many": range(101, 10**9)}
    return {
        "species": len(n),
        "observations": sum(n),
        "genera": len(of_genus),
        "gini": float(gini(counts)) if n else None,
        "rarest_80_percent_hold": float(lorenz(counts, Fraction(4, 5))) if n else None,
        "largest_to_smallest": n[-1] / n[0] if n else None,
        **{name: [len([x for x in n if x in size]), sum(x for x in n if x in size)] for name, size in sizes.items()},
        "species_with_congener": len(with_congener),
        "observations_with_congener": sum(counts[label] for label in with_congener),
        "congener_pairs_per_species": sum(k * (k - 1) / 2 for k in of_genus.values()) / len(n) if n else None,
        "confusion": float(total / len(members)) if members else None,
        "confusion_within_genus": float(within / len(members)) if members else None,
        "share_within_genus": float(within / total) if total else None,
        "share_among_species": float(among / total) if total else None,
    }
