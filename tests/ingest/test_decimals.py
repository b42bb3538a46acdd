"""A score is what its writer meant, however few bits it was stored in: against the decimal text of the number."""

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.ingest.decimals import TOLERANCE, are_scores, scores_of


@given(st.integers(0, 10**7), st.sampled_from([np.float32, np.float64]))
def test_a_decimal_of_seven_places_comes_back(ten_millionths: int, kind: type[np.floating]) -> None:
    written = float(f"0.{ten_millionths:07d}") if ten_millionths < 10**7 else 1.0
    assert scores_of(pa.array(np.array([written], kind))).tolist() == [written]


@given(st.integers(0, 1000))
def test_a_decimal_of_three_places_comes_back_from_a_float16(thousandths: int) -> None:
    written = float(f"{thousandths / 1000:.3f}")
    assert scores_of(pa.array(np.array([written], np.float16))).tolist() == [written]


@given(st.lists(st.floats(0, 1, width=32), min_size=1), st.sampled_from([np.float16, np.float32]))
def test_what_is_no_short_decimal_stays_the_nearest_float(numbers: list[float], kind: type[np.floating]) -> None:
    """So distinct floats stay distinct, in their order."""
    narrow = np.array(numbers, kind)
    scores = scores_of(pa.array(narrow))
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(scores.astype(kind), narrow)


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_what_is_no_number_is_no_score(kind: pa.DataType) -> None:
    strange = np.array([math.nan, math.inf, -math.inf, 1.01, -0.01, 0.5], kind.to_pandas_dtype())
    column = pa.concat_arrays([pa.array(strange, kind), pa.nulls(1, kind)])
    assert are_scores(scores_of(column)).tolist() == [False] * 5 + [True, False]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint64()])
def test_integers_are_scores_too(kind: pa.DataType) -> None:
    assert scores_of(pa.array([0, 1, 7, None], kind)).tolist()[:3] == [0.0, 1.0, 7.0]


def test_decimals_are_the_nearest_floats() -> None:
    written = [Decimal(number).scaleb(-2) for number in range(101)]
    table = pa.table({"observation_id": range(101), "label": ["Acer"] * 101, "score": written})
    assert plant_aggregate.ai_votes_from_table(table).scores.tolist() == [number / 100 for number in range(101)]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_score_just_outside_of_its_range_is_its_end(kind: type[np.floating]) -> None:
    inside, outside = 0.9 * TOLERANCE, 1.2 * TOLERANCE
    scores = scores_of(pa.array(np.array([1 + inside, -inside, 1 + outside, -outside], kind)))
    assert scores[:2].tolist() == [1.0, 0.0]
    assert are_scores(scores).tolist() == [True, True, False, False]
