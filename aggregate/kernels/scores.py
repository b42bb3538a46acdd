"""Areas under the margin of a classifier's training scores, summed exactly list by list.

A *list* has labels and their probabilities: items ``label_offsets[i]:label_offsets[i + 1]`` of ``labels`` int32, and
those of ``probability_offsets`` of ``probabilities`` float32 or float64. ``observations`` int32 is its observation, -1
for one without votes, and ``faults`` uint8 why it cannot be used, 0 if it can.

Candidates are the distinct labels voted on each observation, and its consensus label: those of observation i are the
slice ``offsets[i]:offsets[i + 1]`` of ``candidates`` int32, ascending.

Margins are summed as int64 multiples of 1 / UNIT, the items of a list without rounding on the way (Neumaier's
compensated sum, see ``label_weights``): so sums are the same in any order of the lists, and of the items of a list.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import (
    Bytes,
    Counts,
    Flags,
    Floats,
    Indices,
    LabelCodes,
    Offsets,
    Probabilities,
    UserCodes,
    Weights,
    Words,
)
from .confusions import moved
from .jit import kernel

NULL_ID, NULL_EPOCH, NO_LIST, LENGTHS, NULL_LABEL, NULL_PROBABILITY, OUTSIDE, TWICE_LISTED, NOTHING, TWICE_SCORED = (
    range(1, 11)
)
"""Why a list cannot be used; the smallest that applies."""

LABEL_NOT_UTF8, LONG_LABEL, ID_NOT_UTF8, LONG_ID, WIDE_EPOCH = range(11, 16)

NO_LABEL, UNREADABLE, OVERLONG = -1, -2, -3  # codes instead of a label that is null or blank, not UTF-8, or too long
NO_FAULT = 255  # larger than any code of a fault
UNIT = 2.0**52  # sums of 1,024 numbers in [-1, 1] fit an int64, and each is rounded by 2**-53 at most
LOG_UNIT = 2.0**44  # the same of logarithms of ratios of probabilities of at least LEAST_SHARE, in [-88, 88]
UNKNOWN = np.iinfo(np.int64).min  # a sum that lists do not tell
LEAST_SHARE = 2.0**-126  # a smaller probability has lost digits, if it was stored as float32
LEAST_TRUST = 1e-100  # a smaller trust in a vote counts as 0: products of smaller numbers lose precision, or underflow


@kernel
def list_candidates(
    vote_offsets: Offsets, vote_labels: LabelCodes, consensus: LabelCodes, offsets: Offsets, candidates: LabelCodes
) -> None:
    """The distinct labels voted, and the consensus label, of each observation; ``candidates`` has room for all."""
    count = 0
    offsets[0] = 0
    for i in range(consensus.size):
        pending = consensus[i] >= 0
        last = np.int32(-1)
        for j in range(vote_offsets[i], vote_offsets[i + 1]):
            if pending and consensus[i] <= vote_labels[j]:
                candidates[count] = consensus[i]
                last = consensus[i]
                count += 1
                pending = False
            if vote_labels[j] != last:
                candidates[count] = vote_labels[j]
                last = vote_labels[j]
                count += 1
        if pending:
            candidates[count] = consensus[i]
            count += 1
        offsets[i + 1] = count


class Lists(NamedTuple):
    """Lists of labels with probabilities, their faults, and the sums of their probabilities.

    Those of list i are the slices ``label_offsets[i]:label_offsets[i + 1]`` and likewise of ``probabilities``.
    """

    observations: Counts  # int32[n]; -1 for one without votes
    faults: Bytes  # uint8[n]; 0 for a list that can be used
    label_offsets: Offsets
    labels: LabelCodes
    probability_offsets: Offsets
    probabilities: Probabilities
    sums: Floats  # float64[n]


@kernel
def _add(total: float, lost: float, weight: float) -> tuple[float, float]:
    """The same as in ``label_weights``: a test says so."""
    new = total + weight
    lost += (total - new) + weight if total >= weight else (weight - new) + total
    return new, lost


@kernel
def validate_lists(lists: Lists, last_seen: Indices, serial: int, normalise: bool) -> int:
    """Find why lists cannot be used, and the sum of the probabilities of each; skips lists without an observation.

    ``last_seen`` int64 has, for each label, the serial number of the last list that held it; ``serial`` is that of the
    first list here, and one more than the last one's is returned.
    """
    for i in range(lists.faults.size):
        serial += 1
        lists.sums[i] = 0.0
        if lists.faults[i] != 0 or lists.observations[i] < 0:
            continue
        size = lists.label_offsets[i + 1] - lists.label_offsets[i]
        if lists.probability_offsets[i + 1] - lists.probability_offsets[i] != size:
            lists.faults[i] = LENGTHS
            continue
        if size == 0:
            lists.faults[i] = NO_LIST
            continue
        total = lost = 0.0
        fault = NO_FAULT
        for item in range(size):
            label = lists.labels[lists.label_offsets[i] + item]
            share = float(lists.probabilities[lists.probability_offsets[i] + item])
            if label == UNREADABLE:
                fault = min(fault, LABEL_NOT_UTF8)
            elif label == OVERLONG:
                fault = min(fault, LONG_LABEL)
            elif label < 0:
                fault = min(fault, NULL_LABEL)
            elif last_seen[label] == serial:
                fault = min(fault, TWICE_LISTED)
            else:
                last_seen[label] = serial
            if np.isnan(share):
                fault = min(fault, NULL_PROBABILITY)
            elif share < 0.0 or share > 1.0:
                fault = min(fault, OUTSIDE)
            else:
                total, lost = _add(total, lost, share)
        if fault == NO_FAULT and normalise and total == 0.0:
            fault = NOTHING
        if fault < NO_FAULT:
            lists.faults[i] = fault
        lists.sums[i] = total + lost
    return serial


@kernel
def mark_scored(observations: Counts, epochs: Counts, scored: Words, faults: Bytes, n_epochs: Counts) -> None:
    """Count the epochs of each observation, and find epochs that were scored before.

    ``epochs`` int32 are codes; ``scored`` uint64[number of epochs, words] has a bit for each observation.
    """
    for i in range(faults.size):
        observation = observations[i]
        if faults[i] != 0 or observation < 0:
            continue
        bit = np.uint64(1) << np.uint64(observation & 63)
        if scored[epochs[i], observation >> 6] & bit:
            faults[i] = TWICE_SCORED
        else:
            scored[epochs[i], observation >> 6] |= bit
            n_epochs[observation] += 1


@kernel
def add_margins(
    first: int,
    last: int,
    lists: Lists,
    slack: float,
    normalise: bool,
    offsets: Offsets,
    candidates: LabelCodes,
    of_second: Indices,
    of_other: Indices,
    of_logits: Indices,
    exact: Flags,
) -> None:
    """Add the margins of each candidate under each list: over the second largest, and over the largest other.

    ``of_logits`` are margins over the largest other of logits, in multiples of 1 / LOG_UNIT: logits differ by the
    logarithm of the ratio of their probabilities. Where a list has not both labels, their sum is UNKNOWN from then on.

    Only lists of observations ``first`` to ``last``: threads divide the observations, not the lists.

    A label that is not listed has probability 0. That is exact if the list adds up to 1; so is the margin of a label
    that is listed with another, for those left out are no larger than any listed. A list adds up to 1 if it does so
    within ``slack``.
    """
    for i in range(lists.faults.size):
        observation = lists.observations[i]
        if lists.faults[i] != 0 or observation < first or observation >= last:
            continue
        start = lists.label_offsets[i]
        shift = lists.probability_offsets[i] - start
        scale = lists.sums[i] if normalise else 1.0
        largest = 0.0
        second = 0.0
        for item in range(start, lists.label_offsets[i + 1]):
            share = lists.probabilities[item + shift] / scale
            if share > largest:
                second = largest
                largest = share
            elif share > second:
                second = share
        is_whole = abs(lists.sums[i] - 1.0) <= slack
        has_others = lists.label_offsets[i + 1] - start >= 2
        for r in range(offsets[observation], offsets[observation + 1]):
            own = 0.0
            found = False
            for item in range(start, lists.label_offsets[i + 1]):
                if lists.labels[item] == candidates[r]:
                    own = lists.probabilities[item + shift] / scale
                    found = True
                    break
            other = second if found and own == largest else largest
            of_second[r] += np.int64(np.rint((own - second) * UNIT))
            of_other[r] += np.int64(np.rint((own - other) * UNIT))
            exact[r] &= is_whole or (found and has_others)
            if not found or own < LEAST_SHARE or other < LEAST_SHARE:
                of_logits[r] = UNKNOWN
            elif of_logits[r] != UNKNOWN:
                of_logits[r] += np.int64(np.rint(np.log(own / other) * LOG_UNIT))


@kernel
def latest_trust(
    first: int,
    last: int,
    lists: Lists,
    epoch_values: Indices,
    normalise: bool,
    user_offsets: Offsets,
    user_labels: LabelCodes,
    diagonal: Floats,
    crowd_right: Floats,
    crowd_wrong: Floats,
    accuracies: Floats,
    mean: float,
    vote_offsets: Offsets,
    users: UserCodes,
    latest: Indices,
    trust: Weights,
) -> None:
    """trust[j] = sum over the list's labels of P(k | k, user of vote j) probability(k), at the latest epoch so far.

    P(k | k, u) is ``diagonal`` where the labels of u's slice of ``user_labels`` have k. Elsewhere it is the crowd's,
    ``crowd_right[k]``, and the last item of that for labels beyond, moved to the user (see ``confusions.moved``).
    ``latest`` int64 has the latest epoch of each observation.

    Only lists of observations ``first`` to ``last``.
    """
    for i in range(lists.faults.size):
        observation = lists.observations[i]
        if lists.faults[i] != 0 or observation < first or observation >= last or epoch_values[i] < latest[observation]:
            continue
        latest[observation] = epoch_values[i]
        shift = lists.probability_offsets[i] - lists.label_offsets[i]
        for j in range(vote_offsets[observation], vote_offsets[observation + 1]):
            user = users[j]
            total = lost = 0.0
            for item in range(lists.label_offsets[i], lists.label_offsets[i + 1]):
                label = lists.labels[item]
                known = min(label, crowd_right.size - 1)
                low = user_offsets[user]
                high = user_offsets[user + 1]
                stop = high
                while low < high:
                    middle = (low + high) // 2
                    if user_labels[middle] < label:
                        low = middle + 1
                    else:
                        high = middle
                if low < stop and user_labels[low] == label:
                    right = diagonal[low]
                else:
                    right, _ = moved(crowd_right[known], crowd_wrong[known], accuracies[user], mean)
                term = lists.probabilities[item + shift] / (lists.sums[i] if normalise else 1.0) * right
                total, lost = _add(total, lost, term)
            trust[j] = total + lost


@kernel
def candidate_trust(
    first: int,
    last: int,
    vote_offsets: Offsets,
    vote_labels: LabelCodes,
    users: UserCodes,
    trust: Weights,
    by_user: bool,
    offsets: Offsets,
    candidates: LabelCodes,
    trust_in: Weights,
) -> None:
    """trust_in[r] = sum of the trust in the candidate's voters; their number if all votes on the observation have none.

    ``trust`` float64 is by user, or by vote; less than LEAST_TRUST is none. Sums are exact before they are rounded once
    (see ``label_weights``).
    """
    for i in range(first, last):
        j = vote_offsets[i]
        some = False
        for r in range(offsets[i], offsets[i + 1]):
            total = lost = 0.0
            while j < vote_offsets[i + 1] and vote_labels[j] == candidates[r]:
                weight = trust[users[j]] if by_user else trust[j]
                total, lost = _add(total, lost, weight if weight >= LEAST_TRUST else 0.0)
                j += 1
            trust_in[r] = total + lost
            some |= trust_in[r] > 0.0
        if some:
            continue
        j = vote_offsets[i]
        for r in range(offsets[i], offsets[i + 1]):
            while j < vote_offsets[i + 1] and vote_labels[j] == candidates[r]:
                trust_in[r] += 1.0
                j += 1


@kernel
def areas_of(
    first: int,
    last: int,
    offsets: Offsets,
    candidates: LabelCodes,
    sums: Indices,
    unit: float,
    n_epochs: Counts,
    labels: LabelCodes,
    areas: Floats,
) -> None:
    """areas[i - first] = the candidate labels[i - first]'s mean margin over the epochs; NaN without epochs.

    ``sums`` are multiples of 1 / ``unit``; of those that are UNKNOWN, the mean is NaN.
    """
    for i in range(first, last):
        areas[i - first] = np.nan
        for r in range(offsets[i], offsets[i + 1]):
            if candidates[r] == labels[i - first] and n_epochs[i] > 0 and sums[r] != UNKNOWN:
                areas[i - first] = sums[r] / unit / n_epochs[i]


@kernel
def weighted_areas(
    first: int, last: int, offsets: Offsets, sums: Indices, n_epochs: Counts, trust_in: Weights, areas: Floats
) -> None:
    """areas[i - first] = the candidates' mean margins, weighted by the trust in their voters; NaN without epochs."""
    for i in range(first, last):
        areas[i - first] = np.nan
        if n_epochs[i] == 0:
            continue
        whole = 0.0
        for r in range(offsets[i], offsets[i + 1]):
            whole += trust_in[r]
        total = lost = 0.0
        for r in range(offsets[i], offsets[i + 1]):
            term = trust_in[r] / whole * (sums[r] / UNIT)
            new = total + term
            lost += (total - new) + term if abs(total) >= abs(term) else (term - new) + total
            total = new
        areas[i - first] = (total + lost) / n_epochs[i]


@kernel
def exactness(
    first: int,
    last: int,
    offsets: Offsets,
    candidates: LabelCodes,
    exact: Flags,
    trust_in: Weights,
    labels: LabelCodes,
    others: LabelCodes,
    of_labels: Flags,
    of_all: Flags,
) -> None:
    """Whether the areas of two labels of each observation are exact, and of all labels that were voted."""
    for i in range(first, last):
        of_labels[i - first] = True
        of_all[i - first] = True
        for r in range(offsets[i], offsets[i + 1]):
            if candidates[r] == labels[i - first] or candidates[r] == others[i - first]:
                of_labels[i - first] &= exact[r]
            if trust_in[r] > 0.0:
                of_all[i - first] &= exact[r]
