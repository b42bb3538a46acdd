"""Prediction sets of label lists against their slow reference."""

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from plant_aggregate.assessment.conformal.sets import Bounds, sets_within
from plant_aggregate.assessment.conformal.thresholds.base import Thresholds
from plant_aggregate.classifier_scores import ClassifierScores
from tests.reference import conformal as reference

N_LABELS = 7
SCORES = st.sampled_from([0.0, 0.1, 0.1 * (1 - 1e-12), 0.2, 0.3, 0.3 / 0.1, 0.9 / 0.3, math.inf]) | st.floats(0, 1)
LISTS = st.lists(st.dictionaries(st.integers(0, N_LABELS + 2), SCORES, max_size=N_LABELS + 3), max_size=12)
BOUNDS = SCORES | st.just(-math.inf)


@example([{0: math.inf, 1: 0.1}, {}], [math.inf, 0.1] + [-math.inf] * 5, math.inf, True, True)
@given(LISTS, st.lists(BOUNDS, min_size=N_LABELS, max_size=N_LABELS) | st.none(), BOUNDS, st.booleans(), st.booleans())
def test_sets_are_the_labels_whose_score_reaches_their_threshold_in_order_of_score(
    lists, bounds, shared, strict, tight
):
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in lists], dtype=np.int64)]).astype(np.int64)
    labels = np.array([k for each in lists for k in each], np.int32)
    scores = np.array([score for each in lists for score in each.values()], np.float64)
    thresholds = Thresholds(shared, None if bounds is None else np.array(bounds), strict=strict)
    slack = 0.0 if tight else 1e-9
    found = sets_within(ClassifierScores(offsets, labels, scores), scores, Bounds.of(thresholds, N_LABELS, slack=slack))
    each = [shared] * N_LABELS if bounds is None else bounds
    wanted = [reference.members(one, each, shared, strict=strict, unlisted=0.0, slack=slack) for one in lists]
    listed = np.split(found.labels, found.offsets[1:-1])
    assert [one.tolist() for one in listed[: len(lists)]] == [one for one, _ in wanted]
    assert found.sizes.tolist() == [size for _, size in wanted]
    assert [one.tolist() for one in np.split(found.scores, found.offsets[1:-1])][: len(lists)] == [
        [scores_of[k] for k in one] for scores_of, (one, _) in zip(lists, wanted, strict=True)
    ]


def test_long_sets_in_any_order_are_put_in_order():
    chance = np.random.default_rng(0)
    scores = chance.integers(0, 50, 3 * 400) / 50
    labels = np.concatenate([chance.permutation(400) for _ in range(3)]).astype(np.int32)
    lists = ClassifierScores(np.array([0, 400, 800, 1200]), labels, scores)
    found = sets_within(lists, scores, Bounds.of(Thresholds(0.3), 400))
    for i, (a, b) in enumerate(zip(found.offsets[:-1], found.offsets[1:], strict=True)):
        row = dict(zip(labels[400 * i : 400 * i + 400].tolist(), scores[400 * i : 400 * i + 400].tolist(), strict=True))
        assert found.labels[a:b].tolist() == sorted((k for k in row if row[k] >= 0.3), key=lambda k: (-row[k], k))
