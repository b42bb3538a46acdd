"""Agreement, slow and obvious. A vote is (observation, user, label)."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import permutations

Vote = tuple[int, int, int]


def _by(votes: Iterable[Vote], place: int) -> dict[int, list[Vote]]:
    groups: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        groups[vote[place]].append(vote)
    return groups


def krippendorff_alpha(votes: list[Vote]) -> float:
    """By the coincidence matrix: every ordered pair of votes on an observation, each observation weighing its votes."""
    coincidences: Counter[tuple[int, int]] = Counter()
    for group in _by(votes, 0).values():
        for one, other in permutations(group, 2):
            coincidences[one[2], other[2]] += 1 / (len(group) - 1)  # type: ignore[assignment]
    n = sum(coincidences.values())
    n_of: Counter[int] = Counter()
    for (label, _), times in coincidences.items():
        n_of[label] += times
    observed = sum(times for (one, other), times in coincidences.items() if one != other)
    expected = sum(n_of[one] * n_of[other] for one in n_of for other in n_of if one != other) / (n - 1) if n else 0
    return 1 - observed / expected if expected else math.nan


def entropy(labels: list[int]) -> float:
    shares = [times / len(labels) for times in Counter(labels).values()]
    return -sum(share * math.log(share) for share in shares)


def user_agreement(votes: list[Vote], consensus: dict[int, int]) -> dict[int, tuple[int, float, float]]:
    """For each user: votes where others voted too, spam score (NaN if undefined), entropy of all labels."""
    size = Counter(observation for observation, _, _ in votes)
    found = {}
    for user, own in _by(votes, 1).items():
        pairs = [(label, consensus[observation]) for observation, _, label in own if size[observation] >= 2]
        spam = math.nan
        if pairs:
            disagreement = sum(label != chosen for label, chosen in pairs) / len(pairs)
            by_chance = sum(label != chosen for label, _ in pairs for _, chosen in pairs) / len(pairs) ** 2
            spam = disagreement / by_chance if by_chance else math.nan
        found[user] = (len(pairs), spam, entropy([label for _, _, label in own]))
    return found
