"""Accuracy and calibration of labels: measures on plain arrays, and their confidence intervals.

Every measure takes ``counts``, float64[..., n]: how often each observation counts. In the data that is once each; a
bootstrap resample counts some twice and others not at all. The measure is float64[...], one number a resample, and NaN
where it is undefined. Arrays have an item an observation: ``right`` and ``valid`` bool[n], ``truth`` and
``labels`` integer codes[n], ``confidence`` float64[n] in [0, 1].
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from .arrays import Flags, Floats, Integers, LabelCodes, Weights

N_BINS = 15  # bins of the calibration error [Guo et al. 2017, On Calibration of Modern Neural Networks, ICML]
BLOCK = 1 << 20  # items of resamples that are in memory at a time
LEVEL = 0.95  # share of the resamples that an interval spans


def share(holds: Flags, counts: Weights, among: Flags | None = None) -> Floats:
    """Share of the observations (those ``among`` bool[n], default all) for which ``holds`` bool[n] is true."""
    among = np.ones(holds.size, np.bool_) if among is None else among
    return _ratio(counts @ (holds & among).astype(np.float64), counts @ among.astype(np.float64))


def macro_precision(truth: LabelCodes, labels: LabelCodes, valid: Flags, counts: Weights) -> Floats:
    """Mean over the true labels k of: valid observations of label k that are k, per valid observation of label k.

    0 for a true label that no valid observation has. As scikit-learn's ``precision_score(average="macro",
    labels=sorted(set(truth)), zero_division=0)`` where an observation that is not valid has no label.
    """
    species, codes = np.unique(truth, return_inverse=True)
    found = np.where(valid, labels, -1)
    places = np.searchsorted(species, found).clip(max=species.size - 1)
    known = valid & (species[places] == found)
    named = _sums(places, species.size, counts * known)
    hits = _sums(codes, species.size, counts * (known & (found == truth)))
    return _mean_over_present(_ratio(hits, named, nothing=0.0), _sums(codes, species.size, counts))


def macro_recall(truth: LabelCodes, labels: LabelCodes, valid: Flags, counts: Weights) -> Floats:
    """Mean over the true labels k of: valid observations of label k that are k, per observation that is k."""
    species, codes = np.unique(truth, return_inverse=True)
    present = _sums(codes, species.size, counts)
    hits = _sums(codes, species.size, counts * (valid & (labels == truth)))
    return _mean_over_present(_ratio(hits, present), present)


def retrieved(truth: LabelCodes, labels: LabelCodes, valid: Flags, counts: Weights) -> Floats:
    """Share of the true labels that at least one valid observation has correctly."""
    species, codes = np.unique(truth, return_inverse=True)
    hits = _sums(codes, species.size, counts * (valid & (labels == truth)))
    return _mean_over_present((hits > 0).astype(np.float64), _sums(codes, species.size, counts))


def calibration_error(confidence: Floats, right: Flags, counts: Weights, n_bins: int = N_BINS) -> Floats:
    """Expected calibration error: |mean confidence - share right| in bins of equal width, weighted by their size.

    Guo et al. 2017, eq. 3. A bin is [b / n_bins, (b + 1) / n_bins), the last one closed.
    """
    bins = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    gaps = np.abs(_sums(bins, n_bins, counts * (confidence - right)))
    return _ratio(gaps.sum(axis=-1), counts.sum(axis=-1))


def reliability(confidence: Floats, right: Flags, n_bins: int) -> tuple[Weights, Floats, Floats]:
    """The bins of :func:`calibration_error`: their observations, mean confidence and share right; float64[n_bins] each.

    Mean and share are NaN where a bin is empty.
    """
    bins = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    once = np.ones(right.size)
    size, sums, n_right = (_sums(bins, n_bins, values) for values in (once, confidence, right * once))
    return size, _ratio(sums, size), _ratio(n_right, size)


def log_loss(probability: Floats, right: Flags, counts: Weights) -> Floats:
    """Mean of -log P(outcome) in nats; ``probability`` float64[n] in (0, 1) that the label is right."""
    surprise = -np.log(np.where(right, probability, 1 - probability))
    return _ratio(counts @ surprise, counts.sum(axis=-1))


def brier_score(probability: Floats, right: Flags, counts: Weights) -> Floats:
    """Mean squared difference of probability and outcome (0 or 1) [Brier 1950]."""
    return _ratio(counts @ (probability - right) ** 2, counts.sum(axis=-1))


def risk_coverage_area(confidence: Floats, right: Flags, counts: Weights) -> Floats:
    """Area under the risk-coverage curve: the error rate of the j most confident, averaged over j = 1 .. n.

    Geifman and El-Yaniv 2017, Selective Classification for Deep Neural Networks, NeurIPS. Observations of equal
    confidence are taken in random order, of which this is the expectation: with W observations and E errors before
    them, w and e among them, the j-th risk is (E + (j - W) e/w) / j, and its sum over the w of them is
    e + (E - W e/w) (H(W + w) - H(W)), H(j) = 1 + 1/2 + ... + 1/j. ``counts`` are whole numbers.
    """
    levels, ranks = np.unique(-confidence, return_inverse=True)
    size = _sums(ranks, levels.size, counts)
    errors = _sums(ranks, levels.size, counts * ~right)
    size_before = np.cumsum(size, axis=-1) - size
    errors_before = np.cumsum(errors, axis=-1) - errors
    n = int(counts.sum(axis=-1).max(initial=0))
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, n + 1))])
    steps = harmonic[(size_before + size).astype(np.int64)] - harmonic[size_before.astype(np.int64)]
    risks = errors + (errors_before - size_before * _ratio(errors, size, nothing=0.0)) * steps
    return _ratio(risks.sum(axis=-1), counts.sum(axis=-1))


def resampled_counts(n: int, resamples: int, seed: int, groups: Integers | None = None) -> Iterator[Weights]:
    """Blocks float64[b, n] of how often each of n observations is drawn, n times with replacement.

    With ``groups`` int[n], from 0, float64[b, groups]: how often those of each group are drawn.
    """
    random = np.random.default_rng(seed)
    block = max(1, BLOCK // max(n, 1))
    width = n if groups is None else int(groups.max(initial=-1)) + 1
    for first in range(0, resamples, block):
        size = min(block, resamples - first)
        drawn = random.integers(0, n, (size, n))
        places = (drawn if groups is None else groups[drawn]) + width * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * width).reshape(size, width).astype(np.float64)


def bootstrap(
    statistic: Callable[[Weights], Floats],
    n: int,
    resamples: int,
    seed: int,
    bounds: tuple[float | Floats, float | Floats] = (0.0, 1.0),
    *,
    groups: Integers | None = None,
    corrected: Flags | None = None,
) -> tuple[Floats, Floats, Floats]:
    """``statistic`` (counts[..., n] -> float64[..., m]) of n observations: estimates, lower and upper ends, [m] each.

    The ends are percentiles of the resamples (a share LEVEL lies between), corrected by the difference of the
    resamples' mean from the estimate, except where ``corrected`` bool[m] is false: a resample has fewer distinct
    labels, which biases the macro measures and the calibration error. NaN where there are no resamples, or no estimate.

    ``bounds``: of all estimates, or of each. ``groups`` int[n], from 0: observations that are alike have the same
    group, and ``statistic`` takes the counts of groups.
    """
    once = np.ones(n) if groups is None else np.bincount(groups).astype(np.float64)
    estimate = statistic(once)
    if resamples == 0 or n == 0:
        return estimate, np.full_like(estimate, np.nan), np.full_like(estimate, np.nan)
    drawn = np.concatenate([statistic(counts) for counts in resampled_counts(n, resamples, seed, groups)])
    ends = np.full((2, estimate.size), np.nan)
    for place, value in enumerate(estimate):
        defined = drawn[~np.isnan(drawn[:, place]), place]
        if not np.isnan(value) and defined.size:
            ends[:, place] = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            if corrected is None or corrected[place]:
                ends[:, place] += value - defined.mean()
    low, high = np.clip(ends, *bounds)
    return estimate, low, high


def _sums(codes: NDArray[np.integer], n_codes: int, values: Floats) -> Floats:
    """The sums of values[..., n] by code: float64[..., n_codes]."""
    from scipy.sparse import csr_array

    n = codes.size
    members = csr_array((np.ones(n), codes, np.arange(n + 1)), shape=(n, n_codes))
    sums: Floats = values @ members
    return sums


def _ratio(part: Floats, whole: Floats, nothing: float = np.nan) -> Floats:
    """The ratio of part to whole, and ``nothing`` where the whole is 0."""
    some = np.asarray(whole) > 0
    ratio: Floats = np.divide(part, whole, out=np.full(np.shape(whole), nothing), where=some)
    return ratio


def _mean_over_present(values: Floats, present: Weights) -> Floats:
    """The mean of values[..., k] over the labels that are present in the (re)sample."""
    occurs = present > 0
    return _ratio(np.where(occurs, values, 0.0).sum(axis=-1), occurs.sum(axis=-1).astype(np.float64))
