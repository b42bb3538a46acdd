"""The measures of an evaluation, slow and obvious: one observation a tuple, plain Python.

A row is (truth, label, valid, confidence).
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, permutations

Row = tuple[int, int, bool, float]


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def accuracy(rows: Sequence[Row]) -> float | None:
    return mean([valid and truth == label for truth, label, valid, _ in rows])


def accuracy_of_valid(rows: Sequence[Row]) -> float | None:
    return mean([truth == label for truth, label, valid, _ in rows if valid])


def accuracy_of_labels(rows: Sequence[Row]) -> float | None:
    return mean([truth == label for truth, label, _, _ in rows])


def macro_precision(rows: Sequence[Row]) -> float | None:
    precisions = []
    for k in {truth for truth, _, _, _ in rows}:
        named = [truth for truth, label, valid, _ in rows if valid and label == k]
        precisions.append(named.count(k) / len(named) if named else 0.0)
    return mean(precisions)


def macro_recall(rows: Sequence[Row]) -> float | None:
    recalls = []
    for k in {truth for truth, _, _, _ in rows}:
        there = [(label, valid) for truth, label, valid, _ in rows if truth == k]
        recalls.append(there.count((k, True)) / len(there))
    return mean(recalls)


def species_retrieved(rows: Sequence[Row]) -> float | None:
    known = {truth for truth, _, _, _ in rows}
    found = {truth for truth, label, valid, _ in rows if valid and label == truth}
    return len(found) / len(known) if known else None


def kept(rows: Sequence[Row]) -> float | None:
    return mean([valid for _, _, valid, _ in rows])


def calibration_error(rows: Sequence[Row], n_bins: int = 15) -> float | None:
    if not rows:
        return None
    bins: dict[int, list[Row]] = {}
    for row in rows:
        bins.setdefault(min(int(row[3] * n_bins), n_bins - 1), []).append(row)
    error = 0.0
    for members in bins.values():
        right = sum(truth == label for truth, label, _, _ in members) / len(members)
        confidence = sum(row[3] for row in members) / len(members)
        error += len(members) / len(rows) * abs(right - confidence)
    return error


def risk_coverage_area(rows: Sequence[Row]) -> float | None:
    """Over every order of the rows in which confidence does not rise: exact, and only for a handful of rows."""
    if not rows:
        return None
    areas = []
    for order in permutations(rows):
        if any(before[3] < after[3] for before, after in pairwise(order)):
            continue
        errors = 0
        area = Fraction(0)
        for j, (truth, label, _, _) in enumerate(order, 1):
            errors += truth != label
            area += Fraction(errors, j)
        areas.append(area / len(rows))
    return float(sum(areas) / len(areas))
