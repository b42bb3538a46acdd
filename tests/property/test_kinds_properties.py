"""Dawid and Skene's model with clear and unclear observations, against its dense formulas."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_strategies_properties import dense_logs
from tests.reference import dense_dawid_skene
from tests.reference import kinds as reference


@given(data=st.data())
@settings(max_examples=100)
def test_one_kind_without_priors_is_the_textbooks_dawid_skene(data: st.DataObject) -> None:
    votes = data.draw(dense_logs(all_labels=False))
    found = reference.fit_from(0, votes, n_kinds=1, prior_votes=0, label_smoothing=0, max_iter=10, tolerance=1e-15)
    expected = dense_dawid_skene.posteriors(votes, len(found.log_likelihoods))
    np.testing.assert_allclose(found.q, expected, atol=1e-8)
