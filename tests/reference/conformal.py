"""Prediction sets, slowly: by the formulas, a row or a label at a time."""

from collections.abc import Mapping, Sequence

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
