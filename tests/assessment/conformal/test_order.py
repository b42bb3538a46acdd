"""Ranks of thresholds are exact, for every number of rows and every level that one can write."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.assessment.conformal.order import Alpha, alphas_of, threshold_at
from plant_aggregate.errors import ParameterError
from tests.reference import conformal as reference


def rank_counted(alpha: str, n: int) -> int:
    """The largest m with m <= alpha (n + 1)."""
    return max(m for m in range(n + 1) if m <= Fraction(alpha) * (n + 1))


@pytest.mark.parametrize(
    ("n", "alpha", "rank"),
    [(35, "0.2", 7), (77, "0.2", 15), (135, "0.2", 27), (564, "0.1", 56), (1061, "0.1", 106), (99, "0.29", 29)],
)
def test_the_threshold_has_the_exact_rank_where_quantiles_and_doubles_do_not(n: int, alpha: str, rank: int) -> None:
    """``numpy.quantile(s, k / n, method="inverted_cdf")`` is a rank off for these n; in doubles 0.29 * 100 < 29."""
    scores = np.random.default_rng(n).permutation(np.arange(1.0, n + 1))
    assert threshold_at(scores, Alpha.of(alpha)) == rank == rank_counted(alpha, n)


@pytest.mark.parametrize("alpha", ["0.01", "0.05", "0.1", "0.15", "0.2", "0.29", "0.3", "0.7", "1e-3", "0.333"])
def test_ranks_are_exact_for_all_numbers_of_rows(alpha: str) -> None:
    level = Alpha.of(alpha)
    for n in [*range(400), 999, 1000, 1001]:
        assert level.rank(n) == rank_counted(alpha, n)
    assert level.rank(level.fewest) == 1
    assert level.fewest == 0 or level.rank(level.fewest - 1) == 0


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), max_size=60), st.integers(1, 99))
def test_the_threshold_counts_ties(scores: list[float], percent: int) -> None:
    alpha = str(Decimal(percent) / 100)
    assert threshold_at(np.array(scores), Alpha.of(alpha)) == reference.threshold(scores, alpha)


def test_a_level_is_what_its_decimal_text_says() -> None:
    one_tenth = [Alpha.of(level) for level in (0.1, "0.1", "1e-1", "0.10", Decimal("0.1"), Fraction(1, 10))]
    assert set(one_tenth) == {Alpha(Fraction(1, 10))}
    assert alphas_of(["0.1", 0.2, 0.1]) == (Alpha.of("0.1"), Alpha.of("0.2"))
    assert [str(Alpha.of(level)) for level in ("0.10", "0.05", "1e-3")] == ["0.1", "0.05", "0.001"]


@pytest.mark.parametrize("level", ["0", "1", "-0.1", "1.5", "nan", "inf", "ten", ""])
def test_a_level_outside_0_and_1_is_refused(level: str) -> None:
    with pytest.raises(ParameterError, match=r"^alpha is .*must be a number in \(0, 1\)"):
        Alpha.of(level)
