"""A share of a count is that of the decimal number as it is written, wherever a count is compared with one."""

import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.publishing.guards import Guards
from plant_aggregate.publishing.record import ChangeCounts, RunChanges
from plant_aggregate.shares import count_of, counts_of, nearest_count
from plant_aggregate.simulation.published import OBSERVATIONS, Totals

HUNDREDTHS = st.integers(0, 100).map(lambda n: n / 100)
SHARES = HUNDREDTHS | st.floats(0, 1)
OFF_BY_ONE = (0.29, 0.57, 0.58)
"""Of 100 these are 28, 56 and 57 in floats that are rounded down."""


@given(SHARES, st.integers(0, 10**12))
@example(0.29, 100)
@example(1e-05, 100_000)
def test_counts_are_those_of_the_decimal_number(share: float, whole: int) -> None:
    exact = Fraction(str(share)) * whole
    assert count_of(share, whole) <= exact < count_of(share, whole) + 1
    assert nearest_count(share, whole) == round(exact)
    assert counts_of(share, np.array([whole, 0, whole])).tolist() == [count_of(share, whole), 0, count_of(share, whole)]


def test_a_float_of_numpy_is_the_same_share() -> None:
    assert count_of(np.float64(0.29), 100) == 29


@pytest.mark.parametrize("quantile", OFF_BY_ONE)
@pytest.mark.parametrize("strategy", [plant_aggregate.Majority, plant_aggregate.PlantNet])
def test_a_quantile_of_observations_is_ambiguous(strategy: Callable[..., Any], quantile: float) -> None:
    rows = [(i, u, "A") for i in range(100) for u in range(i + 2)] + [(i, 1000, "B") for i in range(100)]
    votes = pa.table(dict(zip(("observation_id", "user_id", "label"), zip(*rows, strict=True), strict=True)))
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        found = strategy(ambiguous_quantile=quantile).fit(plant_aggregate.votes_from_table(votes))
    assert found.counts["ambiguous"] == round(100 * quantile)


def votes_without_user(n: int) -> pa.Table:
    """A hundred, of which ``n`` cannot be used."""
    users = [None] * n + ["ana"] * (100 - n)
    return pa.table({"observation_id": range(100), "user_id": pa.array(users, pa.string()), "label": ["A"] * 100})


def read_votes(n: int, share: float, path: Path) -> None:
    pq.write_table(votes_without_user(n), path)
    plant_aggregate.read_votes(path, max_rejected=share)


def read_ai_votes(n: int, share: float, path: Path) -> None:
    scores = pa.array([None] * n + [0.5] * (100 - n), pa.float64())
    pq.write_table(pa.table({"observation_id": range(100), "label": ["A"] * 100, "score": scores}), path)
    plant_aggregate.read_ai_votes(path, max_rejected=share)


def read_score_lists(n: int, share: float, path: Path) -> None:
    lists = {
        "observation_id": range(100),
        "epoch": [0] * 100,
        "labels": [["A", "B"]] * 100,
        "probabilities": [[0.5, 2.0]] * n + [[0.5, 0.5]] * (100 - n),
    }
    pq.write_table(pa.table(lists), path)
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        consensus = plant_aggregate.PlantNet().fit(plant_aggregate.votes_from_table(votes_without_user(0)))
        plant_aggregate.ambiguity_of(consensus, path, plant_aggregate.AmbiguitySettings(max_rejected=share))


@pytest.mark.parametrize("read", [read_votes, read_ai_votes, read_score_lists])
@pytest.mark.parametrize("share", OFF_BY_ONE)
def test_so_many_rows_may_be_rejected_and_no_more(read: Callable[..., None], share: float, tmp_path: Path) -> None:
    allowed = round(100 * share)
    read(allowed, share, tmp_path / "allowed.parquet")
    with pytest.raises(plant_aggregate.VotesError, match=f"{allowed + 1} of 100"):
        read(allowed + 1, share, tmp_path / "more.parquet")


@pytest.mark.parametrize("share", OFF_BY_ONE)
def test_guards_allow_a_share_and_no_more(share: float) -> None:
    allowed = round(100 * share)
    guards = Guards(max_label_changes=share, max_valid_drop=share)

    def objections(n: int) -> int:
        counts = ChangeCounts(100, 0, 0, n, n / 100, n, 0, n, 100, 100 - n, n / 100, {"votes": n})
        return len(guards.objections(RunChanges("a run", counts)))

    assert (objections(allowed), objections(allowed + 1)) == (0, 2)


@pytest.mark.parametrize("alpha", OFF_BY_ONE)
def test_pruned_are_those_below_the_quantile(alpha: float, tmp_path: Path) -> None:
    shares = [[0.5 + i / 1000, 0.5 - i / 1000] for i in range(100)]
    lists = {"observation_id": range(100), "epoch": [0] * 100, "labels": [["A", "B"]] * 100, "probabilities": shares}
    pq.write_table(pa.table(lists), tmp_path / "scores.parquet")
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        consensus = plant_aggregate.PlantNet().fit(plant_aggregate.votes_from_table(votes_without_user(0)))
    settings = plant_aggregate.AmbiguitySettings(alpha=alpha)
    found = plant_aggregate.ambiguity_of(consensus, tmp_path / "scores.parquet", settings)
    assert found.counts["pruned"] == round(100 * alpha)


def test_a_simulated_log_has_the_share_that_is_asked_for() -> None:
    """OBSERVATIONS is odd: half of them is halfway between two counts, and the even one counts."""
    assert Totals.at(0.5).observations == round(Fraction(OBSERVATIONS, 2)) == 3_349_796
    assert Totals.at(1.0).observations == OBSERVATIONS
