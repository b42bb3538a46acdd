"""The odds of ``label_odds`` under Dawid and Skene's model, in which every label has probabilities of its own.

A label that nobody voted on an observation has a score, too, by the confusions of its voters. Where there are too many
labels to score all, a vote l of u has rivals: the labels that the crowd confuses with l most, and those that u did. The
others stand together as one: of the votes on an observation the crowd's confusions, moved to the users, bound the
score of the strongest of them, and the sum over all.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import Floats, Indices, LabelCodes, Offsets, UserCodes
from .jit import kernel

LEAST = 1e-100  # smallest probability of a vote
LEAST_SHARE = np.finfo(np.float64).tiny
MOST = 1.0 - np.finfo(np.float64).epsneg
LEAST_SCORE = -(1 << 62)


class UserConfusions(NamedTuple):
    """Counts of confusions and the crowd's, from which P(voted | true, kind, user) follows for any of these.

    Those of two dimensions have a row for each kind of observations; most models have one kind.
    """

    row_offsets: Offsets  # int64[n_users + 1]; of `row_labels`, a user's true labels of which there may be doubt
    row_labels: LabelCodes
    row_counts: Floats  # expected votes of the user where the label is true
    right_counts: Floats  # those of them that are for the label
    cell_offsets: Offsets  # int64[n_rows + 1]; of `cell_labels`, the labels voted
    cell_labels: LabelCodes
    cell_counts: Floats  # those of the votes that are for another label
    certain_offsets: Offsets  # int64[n_users + 1]; of `certain_labels`, a user's other labels: all votes are right
    certain_labels: LabelCodes
    certain_counts: Floats
    confusion_offsets: Offsets  # int64[n_labels + 1]; of `confusion_labels`, those voted by anyone for a true label
    confusion_labels: LabelCodes
    confusions: Floats  # the crowd's probability of these, where they are wrong
    others: Floats  # by true label, its probability of any other wrong label
    crowd_right: Floats  # by label, its probability that it is recognised
    crowd_wrong: Floats  # by label, 1 - that
    accuracies: Floats  # by user
    mean: float
    prior_votes: float


class Rivals(NamedTuple):
    """The labels that are scored beside those voted, and what bounds the score of all others."""

    all_labels: bool  # all labels are scored
    of_label_offsets: Offsets  # int64[n_labels + 1]; of `of_label`, the rivals of a label voted by anyone
    of_label: LabelCodes
    of_user_offsets: Offsets  # int64[n_users + 1]; of `of_user_voted`, sorted by label voted
    of_user_voted: LabelCodes
    of_user: LabelCodes  # the user's own rivals of the label voted
    never_confused: Indices  # at n: largest log P(k) + n log C(l | k) of a label k, l being never confused with it
    strongest: Indices  # by label voted: log of the largest P(k) C(label | k) of labels k that are no rivals
    sums: Indices  # by label voted: log of the sum of P(k) C(label | k) over these
    further: Indices  # by label voted: log of the largest C(label | k) of these
    excess: Indices  # by user: log((1 - accuracy) / (1 - mean))


@kernel
def confusion_odds(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    chosen: LabelCodes,
    model: UserConfusions,
    rivals: Rivals,
    label_logs: Indices,
    unit: float,
    tempers: Floats,
    dissent: float,
    log_odds: Floats,
    confidence: Floats,
) -> None:
    """Fill log_odds[i] and confidence[i]; votes are sorted by label within an observation.

    ``chosen`` int32[n] are the labels, ``label_logs`` int64[n_kinds, n_labels] log P(k, kind), ``tempers[n]`` is tau of
    n votes, ``dissent`` m / e. Logarithms are in fixed point.
    """
    # Their arrays are taken out once: each access to a tuple of many arrays takes as long as a search.
    row_offsets, row_labels, row_counts, right_counts = (
        model.row_offsets,
        model.row_labels,
        model.row_counts,
        model.right_counts,
    )
    cell_offsets, cell_labels, cell_counts = model.cell_offsets, model.cell_labels, model.cell_counts
    certain_offsets, certain_labels, certain_counts = (
        model.certain_offsets,
        model.certain_labels,
        model.certain_counts,
    )
    confusion_offsets, confusion_labels, confusions = (
        model.confusion_offsets,
        model.confusion_labels,
        model.confusions,
    )
    crowd_others, crowd_right, crowd_wrong = model.others, model.crowd_right, model.crowd_wrong
    accuracies, mean, prior_votes = model.accuracies, model.mean, model.prior_votes
    of_label_offsets, of_label = rivals.of_label_offsets, rivals.of_label
    of_user_offsets, of_user_voted, of_user = rivals.of_user_offsets, rivals.of_user_voted, rivals.of_user
    all_labels, never_confused, excess = rivals.all_labels, rivals.never_confused, rivals.excess
    strongest_left, sums_left, further_left = rivals.strongest, rivals.sums, rivals.further
    n_kinds, n_labels = label_logs.shape
    listed = np.empty(n_labels, np.int32)
    of_kinds = np.empty((n_kinds, n_labels), np.int64)
    scores = np.empty(n_labels, np.int64)
    seen = np.full(n_labels, -1, np.int64)  # the observation that a label was last listed for
    for i in range(first, last):
        start, end = offsets[i], offsets[i + 1]
        tau = tempers[end - start]
        count = 0
        for j in range(start, end):
            count = _list(labels[j], i, listed, count, seen)
        count = _list(chosen[i], i, listed, count, seen)
        if all_labels:
            for label in range(n_labels):
                count = _list(np.int32(label), i, listed, count, seen)
        else:
            for j in range(start, end):
                voted = labels[j]
                if j == start or labels[j - 1] != voted:
                    for place in range(of_label_offsets[voted], of_label_offsets[voted + 1]):
                        count = _list(of_label[place], i, listed, count, seen)
                place, stop = of_user_offsets[users[j]], of_user_offsets[users[j] + 1]
                place = _lower_bound(of_user_voted, place, stop, voted)
                while place < stop and of_user_voted[place] == voted:
                    count = _list(of_user[place], i, listed, count, seen)
                    place += 1
        for place in range(count):
            for kind in range(n_kinds):
                of_kinds[kind, place] = label_logs[kind, listed[place]]
        for j in range(start, end):
            user, voted = users[j], labels[j]
            accuracy = accuracies[user]
            of_wrong = (1.0 - accuracy) * mean
            for place in range(count):
                true = listed[place]
                cell, pair, known = -1, -1, -1
                row = _find(row_labels, row_offsets[user], row_offsets[user + 1], true)
                if row < 0:
                    pair = _find(certain_labels, certain_offsets[user], certain_offsets[user + 1], true)
                elif voted != true:
                    cell = _find(cell_labels, cell_offsets[row], cell_offsets[row + 1], voted)
                if voted != true:
                    known = _find(confusion_labels, confusion_offsets[true], confusion_offsets[true + 1], voted)
                for kind in range(n_kinds):
                    # The user's votes where this label is true: all of them, and those for the label voted.
                    all_votes = row_counts[kind, row] if row >= 0 else certain_counts[kind, pair] if pair >= 0 else 0.0
                    if voted != true:
                        alike = cell_counts[kind, cell] if cell >= 0 else 0.0
                    else:
                        alike = right_counts[kind, row] if row >= 0 else all_votes
                    # The crowd's confusions moved to the user: `moved` of `confusions`, which is in another file.
                    right = crowd_right[kind, true] * accuracy * (1.0 - mean)
                    prior = right
                    if voted != true:
                        prior = (confusions[kind, known] if known >= 0 else crowd_others[kind, true]) * of_wrong
                    prior /= right + crowd_wrong[kind, true] * of_wrong
                    total = all_votes + prior_votes
                    if total > 0.0:
                        probability = (alike + prior_votes * prior) / total
                    else:  # neither counts nor a prior speak of it
                        probability = 1.0 if voted == true else 0.0
                    of_kinds[kind, place] += np.int64(np.rint(np.log(max(probability, LEAST)) * unit))
        for place in range(count):
            score = of_kinds[0, place]
            for kind in range(1, n_kinds):
                low, high = min(score, of_kinds[kind, place]), max(score, of_kinds[kind, place])
                score = high + np.int64(np.rint(np.log1p(np.exp((low - high) / unit)) * unit))
            scores[place] = score
        own, strongest, strongest_place = np.int64(0), np.int64(LEAST_SCORE), -1
        for place in range(count):
            if listed[place] == chosen[i]:
                own = scores[place]
            elif scores[place] > strongest:
                strongest, strongest_place = scores[place], place
        others, rest = 0.0, 0.0
        if not all_labels:
            any_left, all_left = strongest_left[labels[start]], sums_left[labels[start]]
            skill = excess[users[start]]
            for j in range(start + 1, end):
                any_left += further_left[labels[j]]
                all_left += further_left[labels[j]]
                skill += excess[users[j]]
            any_left = max(any_left, never_confused[end - start]) + skill
            if any_left > strongest:
                strongest, strongest_place = any_left, -1
            others = np.exp((max(any_left, all_left + skill) - strongest) / unit)
            # The powers of n numbers add up to n^(1 - tau) times that of their sum at most.
            rest = others**tau * np.float64(n_labels) ** (1.0 - tau) if tau < 1.0 else others
        for place in range(count):
            if listed[place] != chosen[i]:
                gap = (scores[place] - strongest) / unit
                others += np.exp(gap)
                if place != strongest_place:
                    rest += np.exp(tau * gap)
        lead = (own - strongest) / unit
        log_odds[i] = lead - np.log(others)
        confidence[i] = min(max(1.0 / (1.0 + (dissent + rest) * np.exp(-tau * lead)), LEAST_SHARE), MOST)


@kernel
def _list(label: np.int32, i: int, listed: LabelCodes, count: int, seen: Indices) -> int:
    """Add a label to the ``count`` listed for observation i, unless it is among them; how many there are then."""
    if seen[label] != i:
        seen[label] = i
        listed[count] = label
        count += 1
    return count


@kernel
def _lower_bound(labels: LabelCodes, low: int, high: int, label: np.int32) -> int:
    """The first place from ``low`` on whose label is not less; ``high`` if there is none."""
    while low < high:
        middle = (low + high) // 2
        if labels[middle] < label:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _find(labels: LabelCodes, low: int, high: int, label: np.int32) -> int:
    """The place of a label in ``labels[low:high]``, -1 if it is not there."""
    place = _lower_bound(labels, low, high, label)
    return place if place < high and labels[place] == label else -1
