"""Prediction sets, slowly: by the formulas, a row or a label at a time."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import numpy as np


def measures(
    truth: Sequence[int],
    covered: Sequence[bool],
    sizes: Sequence[int],
    n_labels: int,
    alpha: float,
    weights: Mapping[int, float] | None = None,
    at_risk: set[int] | None = None,
) -> dict[str, float]:
    """Every measure of sets against true labels; ``weights`` and ``at_risk`` by label."""
    labels = sorted(set(truth))
    of_labels = {k: float(np.mean([c for t, c in zip(truth, covered, strict=True) if t == k])) for k in labels}
    gaps = [max(1 - alpha - of_labels[k], 0) for k in labels]
    found = {
        "marginal_coverage": float(np.mean(covered)),
        "macro_coverage": float(np.mean([of_labels[k] for k in labels])),
        "share_below_half": float(np.mean([of_labels[k] < 0.5 for k in labels])),
        "share_at_most_half": float(np.mean([of_labels[k] <= 0.5 for k in labels])),
        "undercoverage_gap": float(np.mean(gaps)),
        "undercoverage_gap_research_code": sum(gaps) / (n_labels - 1),
        "mean_size": float(np.mean(sizes)),
        "empty": float(np.mean([size == 0 for size in sizes])),
        "singletons": float(np.mean([size == 1 for size in sizes])),
        "whole_space": float(np.mean([size == n_labels for size in sizes])),
        **{
            name: float(np.quantile(sizes, share))
            for name, share in (("size_q25", 0.25), ("median_size", 0.5), ("size_q75", 0.75), ("size_q90", 0.9))
        },
    }
    if weights is not None:
        total = sum(weights.get(k, 0) for k in labels)
        sums = sum(weights.get(k, 0) * of_labels[k] for k in labels)
        found["weighted_macro_coverage"] = sums / total if total else float("nan")
    if at_risk is not None:
        for name, wanted in (("at_risk_coverage", True), ("not_at_risk_coverage", False)):
            chosen = [of_labels[k] for k in labels if (k in at_risk) == wanted]
            found[name] = float(np.mean(chosen)) if chosen else float("nan")
    return found


def threshold(scores: Sequence[float], alpha: str) -> float:
    """The floor(alpha (n + 1))-th smallest score, counted one by one; -inf if that is the 0th."""
    rank = 0
    while rank + 1 <= Fraction(alpha) * (len(scores) + 1):
        rank += 1
    return sorted(scores)[rank - 1] if rank else -math.inf


def weighted_threshold(scores: Sequence[float], weights: Sequence[float], alpha: str) -> float:
    """The largest score such that the rows of it or more weigh 1 - alpha of all rows and a new one, tried one by one.

    Weights are the numbers that their decimal texts name.
    """
    exact = [Fraction(str(w)) for w in weights]
    wanted = (1 - Fraction(alpha)) * (sum(exact) + 1)
    rows = list(zip(scores, exact, strict=True))
    return max((v for v in scores if sum(w for s, w in rows if s >= v) >= wanted), default=-math.inf)


def classwise(scores: Sequence[float], labels: Sequence[int], n_labels: int, alpha: str) -> list[float]:
    """The threshold of each label, from its own rows."""
    return [threshold([s for s, y in zip(scores, labels, strict=True) if y == k], alpha) for k in range(n_labels)]


def interp_q(scores: Sequence[float], labels: Sequence[int], n_labels: int, alpha: str, tau: str) -> list[float]:
    """The threshold of each label, between classwise and standard, in exact fractions of finite scores."""

    def capped(t: float) -> Fraction:
        return Fraction(0) if t == -math.inf else Fraction(t)

    standard, share = capped(threshold(scores, alpha)), Fraction(tau)
    return [float(share * capped(t) + (1 - share) * standard) for t in classwise(scores, labels, n_labels, alpha)]


def likeliest_labels(
    matrix: np.ndarray, names: Sequence[str], logits: bool, top: int | None
) -> list[list[tuple[str, float]]]:
    """The likeliest labels of each row with their probabilities, ties in label order; of logits the softmax."""
    rows = []
    for row in matrix.tolist():
        weights = [math.exp(x - max(row)) for x in row] if logits else row
        total = sum(weights) if logits else 1.0
        ranked = sorted(zip(row, names, weights, strict=True), key=lambda item: (-item[0], item[1]))
        rows.append([(name, weight / total) for _, name, weight in ranked][:top])
    return rows


def macro(scores: Sequence[float], labels: Sequence[int], alpha: str) -> float:
    """The largest score at which enough of the labels with rows are covered in the mean, tried one by one."""
    n_of = Counter(labels)
    for v in sorted(set(scores), reverse=True):
        kept = Counter(y for s, y in zip(scores, labels, strict=True) if s >= v)
        shares = [Fraction(kept[k], n_of[k] + 1) for k in n_of]
        if sum(shares) / len(shares) >= 1 - Fraction(alpha):
            return v
    return -math.inf


def scaled(p: float, count: float, total: float, at_least: float = 1, omega: float = 1) -> float:
    """The score omega p / prior of pas and wpas, with its rules for zeros."""
    prior = max(count, at_least) / total
    if p == 0 or omega == 0:
        return 0.0
    return math.inf if prior == 0 else omega * p / prior


def ranked(row: Mapping[int, float], n_labels: int) -> list[int]:
    """All labels from the likeliest to the least likely, ties in label order; a label that is not listed has 0."""
    return sorted(range(n_labels), key=lambda k: (-row.get(k, 0), k))


def raps(row: Mapping[int, float], k: int, n_labels: int, u: float, penalty: float = 0, k_reg: int = 0) -> float:
    """The score of raps, and of aps without a penalty: minus mass before the label, its share u, and the penalty."""
    order = ranked(row, n_labels)
    rank = order.index(k) + 1
    before = sum(row.get(j, 0) for j in order[: rank - 1])
    return -(before + u * row.get(k, 0) + penalty * max(0, rank - k_reg))


def members(
    scores: Mapping[int, float],
    thresholds: Sequence[float],
    shared: float,
    *,
    strict: bool,
    unlisted: float,
    slack: float,
) -> tuple[list[int], int]:
    """The labels of a list that are in its set, highest score first, and the size of the set.

    ``scores`` by label; ``thresholds`` of the labels of the space, ``shared`` that of labels outside of it.
    """

    def is_in(score: float, t: float) -> bool:
        least = t - (-slack if strict else slack) * abs(t) if math.isfinite(t) else t
        return score > least if strict else score >= least

    always = {k for k, t in enumerate(thresholds) if (unlisted > t if strict else unlisted >= t)}
    listed = [k for k, s in scores.items() if k in always or is_in(s, thresholds[k] if k < len(thresholds) else shared)]
    return sorted(listed, key=lambda k: (-scores[k], k)), len({*listed, *always})


def ancestors(taxon: Any, parents: Mapping[Any, Any]) -> list[Any]:
    """A taxon and all above it, the highest last."""
    chain = []
    while taxon is not None:
        chain.append(taxon)
        taxon = parents.get(taxon)
    return chain


def common_taxon(members: set[Any], parents: Mapping[Any, Any]) -> Any:
    """The taxon with most ancestors that all members are or are below; None if there is none, or one is not known."""
    if not members or any(member not in parents for member in members):
        return None
    shared = set.intersection(*(set(ancestors(member, parents)) for member in members))
    return max(shared, key=lambda taxon: len(ancestors(taxon, parents)), default=None)


def number_of_groups(
    members: set[Any], parents: Mapping[Any, Any], ranks: Mapping[Any, str | None], rank: str
) -> int | None:
    """How many taxa of a rank members are in; None if that of one is not known."""
    of = [next((taxon for taxon in ancestors(k, parents) if ranks.get(taxon) == rank), None) for k in members]
    return None if None in of else len(set(of))


def clustered(
    scores: Sequence[float], labels: Sequence[int], alpha: str, cluster_of: Sequence[Hashable | None]
) -> list[float]:
    """The threshold of each label, from the rows of its cluster; from all, where it has none."""
    rows = list(zip(scores, labels, strict=True))
    return [
        threshold([s for s, y in rows if cluster is None or cluster_of[y] == cluster], alpha) for cluster in cluster_of
    ]


def similarity(labels: Sequence[int], positions: Sequence[float], bandwidth: float) -> list[list[Fraction]]:
    """w(k, j) of all pairs of labels: a normal density with mean z_k and variance h / (n_k + 1) at z_j."""
    n_of = Counter(labels)
    normal = [NormalDist(z, math.sqrt(bandwidth / (n_of[k] + 1))) for k, z in enumerate(positions)]
    return [[Fraction(normal[k].pdf(z)) for z in positions] for k in range(len(positions))]


def share_not_below(
    score: float, k: int, scores: Sequence[float], labels: Sequence[int], w: Sequence[Sequence[Fraction]]
) -> Fraction:
    """F_k(s): the weight of the rows with scores of s or more, as a share of all rows and of the label itself."""
    rows = list(zip(scores, labels, strict=True))
    return sum((w[k][y] for s, y in rows if s >= score), Fraction(0)) / (sum(w[k][y] for _, y in rows) + w[k][k])


def weighted(
    scores: Sequence[float], labels: Sequence[int], alpha: str, w: Sequence[Sequence[Fraction]], tolerance: float
) -> list[float]:
    """For each label, the largest score such that rows of it or more weigh enough, tried one by one.

    Shares of the weight that differ by ``tolerance`` are equal.
    """
    enough = 1 - Fraction(alpha) - Fraction(tolerance)
    return [
        max((v for v in scores if share_not_below(v, k, scores, labels, w) >= enough), default=-math.inf)
        for k in range(len(w))
    ]


def largest_share(
    held_out: Sequence[tuple[float, int]],
    alpha: str,
    scores: Sequence[float],
    labels: Sequence[int],
    w: Sequence[Sequence[Fraction]],
) -> Fraction | float:
    """b: the ceil((m + 1)(1 - alpha))-th smallest F of the true labels of m held-out rows; inf if there are too few."""
    shares = sorted(share_not_below(s, y, scores, labels, w) for s, y in held_out)
    rank = math.ceil((len(shares) + 1) * (1 - Fraction(alpha)))
    return shares[rank - 1] if rank <= len(shares) else math.inf
