"""Score lists of logits, slowly: one row at a time, sorted, with exact sums."""

import math
from collections.abc import Sequence


def score_list(logits: Sequence[float], k: int, target: int | None) -> tuple[list[int], list[float], float]:
    """The k labels of the largest logits, ties by label, and a target that is not among them; their probabilities."""
    listed = sorted(range(len(logits)), key=lambda label: (-logits[label], label))[:k]
    if target is not None and target >= 0 and target not in listed:
        listed.append(target)
    greatest = max(logits)
    whole = math.fsum(math.exp(logit - greatest) for logit in logits)
    shares = [math.exp(logits[label] - greatest) / whole for label in listed]
    return listed, shares, max(1.0 - math.fsum(shares), 0.0)
