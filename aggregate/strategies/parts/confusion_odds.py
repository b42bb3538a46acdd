"""Confidence and probability under Dawid and Skene's model: ``label_odds`` with confusions of each user.

With FEW_LABELS, or up to MOST_TERMS products of votes and labels, all labels are scored. Beyond, those that are no
rivals of a label voted stand together (``kernels.confusion_odds``): on 18,000 simulated votes for 3,134 labels that
moves the probability of 99 observations in 100 by less than 0.03, and the area under risk-coverage by 0.0002.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Counts, Floats, Indices
from ...consensus import ModelFindings
from ...kernels.threads import in_blocks
from ...votes import Votes
from .confusions import Confusions
from .label_odds import dissent_of, findings_of, logs_of, temper_of, unit_of, with_another
from .outcome import Outcome

if TYPE_CHECKING:
    from ...kernels.confusion_odds import Rivals, UserConfusions

FEW_LABELS = 16
"""So many labels are all scored, whatever the number of votes."""

MOST_TERMS = 1 << 22
"""So many scores of votes are computed at most if all labels are."""

WEAKEST = 0.01
"""A rival of a label is at least this share as probable, with a vote of the crowd for the label, as the strongest; and
a rival by a user's own confusions has so many expected votes."""

LEAST = 1e-100  # smallest probability
MOST_RIVALS = 4  # of a label, by the crowd's confusions


def confusion_findings(
    outcome: Outcome, label_probabilities: Floats, kinds: Sequence[tuple[Floats, Confusions]], pairs: Counts
) -> ModelFindings:
    """Confidence and probability of the labels; ``label_probabilities`` are P(k), float64[n_labels].

    ``kinds`` of observations: P(kind | k), float64[n_labels], and the confusions on them. ``pairs`` int32[n_votes]:
    votes of the same pair are the same user's for the same label.
    """
    from ...kernels.confusion_odds import confusion_odds
    from ...kernels.disputes import votes_of

    votes, labels = outcome.votes, outcome.all_labels
    of_labels = with_another(votes, label_probabilities)
    shares = np.stack([of_labels * _extended(share, of_labels.size) for share, _ in kinds])
    model = _of_kinds([confusions.of_any() for _, confusions in kinds])
    unit, sizes = unit_of(votes), np.diff(votes.offsets)
    logs = logs_of(shares.ravel(), unit).reshape(shares.shape)
    is_lone = sizes == 1
    if votes.expert_labels is not None:  # their label need not be the one voted
        is_lone &= votes.expert_labels < 0
    alike = np.flatnonzero(is_lone)
    lone, of_pair = _one_of_each_pair(alike, pairs[votes.offsets[alike]])
    computed = np.append(lone, np.flatnonzero(~is_lone))
    offsets, cast = votes_of(votes.offsets, computed)
    rivals = _rivals(model, shares, votes, unit, all_labels=_are_few(cast.size, of_labels.size))
    found = np.empty((2, computed.size))
    of_votes = offsets, votes.users[cast], votes.labels[cast], labels[computed]
    given = model, rivals, logs, unit, temper_of(votes), dissent_of(outcome, of_labels.size)
    in_blocks(confusion_odds, computed.size, *of_votes, *given, *found)
    log_odds, confidence = np.empty((2, votes.n_observations))
    log_odds[computed], confidence[computed] = found
    log_odds[alike], confidence[alike] = log_odds[of_pair], confidence[of_pair]
    return findings_of(outcome, log_odds, confidence)


def _extended(share: Floats, n_labels: int) -> Floats:
    """P(kind | k), the same for the label beside an only one."""
    return share if share.size == n_labels else np.repeat(share, n_labels)


def _of_kinds(models: "Sequence[UserConfusions]") -> "UserConfusions":
    """The confusions on observations of several kinds, as one: what is counted is the same."""
    counted = ("row_counts", "right_counts", "cell_counts", "certain_counts")
    names = (*counted, "confusions", "others", "crowd_right", "crowd_wrong")
    stacked: Any = {name: np.concatenate([getattr(model, name) for model in models]) for name in names}
    return models[0]._replace(**stacked)


def _are_few(n_votes: int, n_labels: int) -> bool:
    return n_labels <= FEW_LABELS or n_votes * n_labels <= MOST_TERMS


def _one_of_each_pair(alone: Indices, pairs: Counts) -> tuple[Indices, Indices]:
    """Of observations with one vote, one of each pair; and, of each of them, which of the former is of its pair."""
    one = np.full(int(pairs.max(initial=-1)) + 1, -1)
    one[pairs] = alone
    return one[one >= 0], one[pairs]


def _rivals(model: "UserConfusions", shares: Floats, votes: Votes, unit: float, *, all_labels: bool) -> "Rivals":
    """The labels to score beside those voted, and the bounds of all others; ``shares`` are P(k, kind)."""
    from ...kernels.confusion_odds import Rivals

    n_labels, n_users = shares.shape[1], model.accuracies.size
    none, no_logs, no_labels = np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0, np.int32)
    if all_labels:
        return Rivals(True, none, no_labels, none, no_labels, no_labels, no_logs, no_logs, no_logs, no_logs, no_logs)
    true = np.repeat(np.arange(n_labels), np.diff(model.confusion_offsets)).astype(np.int32)
    wrong = true != model.confusion_labels
    true, voted, of_kinds = true[wrong], model.confusion_labels[wrong], model.confusions[:, wrong]
    crowd, strength = of_kinds.max(axis=0), (shares[:, true] * of_kinds).sum(axis=0)
    order = np.lexsort((true, -strength, voted))
    true, voted, crowd, strength = (values[order] for values in (true, voted, crowd, strength))
    starts = np.searchsorted(voted, np.arange(n_labels + 1))
    strongest = strength[np.minimum(starts[voted], max(voted.size - 1, 0))]
    is_rival = (strength >= WEAKEST * strongest) & (np.arange(voted.size) - starts[voted] < MOST_RIVALS)
    # What is left of all labels: those that were never confused with the label, and its weak confusions.
    others, unspecific = model.others.max(axis=0), (shares * model.others).sum(axis=0)
    left = unspecific.sum() - unspecific - np.bincount(voted, unspecific[true], n_labels)
    left = np.maximum(left, unspecific.min()) + np.bincount(voted[~is_rival], strength[~is_rival], n_labels)
    strongest_left, largest = np.full(n_labels, unspecific.min()), np.full(n_labels, others.max())
    np.maximum.at(strongest_left, voted[~is_rival], strength[~is_rival])
    np.maximum.at(largest, voted[~is_rival], crowd[~is_rival])
    n_votes = np.diff(votes.offsets)
    never_confused = np.zeros(int(n_votes.max()) + 1)
    for n in np.flatnonzero(np.bincount(n_votes)):
        of_label = np.log(np.maximum(shares.sum(axis=0), LEAST)) + n * np.log(np.maximum(others, LEAST))
        never_confused[n] = of_label.max()
    user, of_user_voted, of_user = _own_rivals(model)
    return Rivals(
        all_labels=False,
        of_label_offsets=np.append(0, np.cumsum(np.bincount(voted[is_rival], minlength=n_labels))),
        of_label=true[is_rival],
        of_user_offsets=np.searchsorted(user, np.arange(n_users + 1)),
        of_user_voted=of_user_voted,
        of_user=of_user,
        never_confused=np.rint(never_confused * unit).astype(np.int64),
        strongest=logs_of(strongest_left, unit),
        sums=logs_of(left, unit),
        further=logs_of(largest, unit),
        excess=logs_of((1 - model.accuracies) / (1 - model.mean), unit),
    )


def _own_rivals(model: "UserConfusions") -> tuple[Counts, Counts, Counts]:
    """Users, the labels that they voted, and those that they took for them: int32 each, sorted."""
    row = np.repeat(np.arange(model.row_labels.size), np.diff(model.cell_offsets))
    user = np.repeat(np.arange(model.accuracies.size), np.diff(model.row_offsets)).astype(np.int32)[row]
    true, voted = model.row_labels[row], model.cell_labels
    kept = (true != voted) & (model.cell_counts.sum(axis=0) >= WEAKEST)
    user, true, voted = user[kept], true[kept], voted[kept]
    order = np.lexsort((true, voted, user))
    return user[order], voted[order], true[order]
