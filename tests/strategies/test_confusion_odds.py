"""Confidence and probability of ``dawid-skene`` where there are too many labels to score them all."""

import numpy as np
import pytest

import plant_aggregate
from plant_aggregate.strategies.parts import confusion_odds


def test_rivals_and_a_bound_of_all_others_stand_for_all_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = plant_aggregate.votes_from_table(plant_aggregate.simulate(0.0003).tables.votes)
    assert votes.n_labels > 500
    monkeypatch.setattr(confusion_odds, "MOST_TERMS", votes.n_votes * votes.n_labels)
    exact = plant_aggregate.DawidSkene().fit(votes).model
    monkeypatch.setattr(confusion_odds, "MOST_TERMS", 0)
    bounded = plant_aggregate.DawidSkene().fit(votes).model
    assert exact is not None
    assert bounded is not None
    assert not np.array_equal(exact.probability, bounded.probability)
    moved = np.abs(exact.probability - bounded.probability)
    assert np.median(moved) < 0.001
    assert np.quantile(moved, 0.99) < 0.03
    for found in (exact, bounded):
        for values in (found.confidence, found.probability):
            assert ((values > 0) & (values < 1)).all()
