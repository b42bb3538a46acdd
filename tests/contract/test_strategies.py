"""What every strategy promises, whatever it computes."""

import random
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.strategies.registry import STRATEGIES
from tests.rows import assert_same_on_threads, exactly

Rows = list[tuple[int, int, str]]
NAMES = ("observation_id", "user_id", "label")

pytestmark = [pytest.mark.usefixtures("even_small_work"), pytest.mark.parametrize("name", list(STRATEGIES))]


def table(rows: Rows) -> pa.Table:
    return pa.table(dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True)))


def fit(name: str, rows: Rows) -> plant_aggregate.Consensus:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        return STRATEGIES[name]().fit(plant_aggregate.votes_from_table(table(rows)))


def bits(consensus: plant_aggregate.Consensus) -> list[list[dict[str, Any]]]:
    """All three tables with floats as hexadecimal digits, and the trace."""
    tables = (consensus.to_arrow(), consensus.users_to_arrow(), consensus.posteriors_to_arrow())
    return [*map(exactly, tables), [vars(iteration) for iteration in consensus.trace.iterations]]


def crowd(seed: int, n_votes: int = 400) -> Rows:
    """Votes of good, bad and one-time users on observations of one and of many votes, on labels common and rare."""
    chance = random.Random(seed)
    votes = {}
    for _ in range(n_votes):
        i, u = int(chance.paretovariate(0.7)) % 97, int(chance.paretovariate(0.6)) % 41
        right = f"species {i % 7 if chance.random() < 0.8 else 7 + i % 23}"
        wrong = f"species {chance.randrange(9)}"
        votes[i, u] = right if chance.random() < 0.55 + 0.4 * (u % 3) / 2 else wrong
    return [(i, u, label) for (i, u), label in votes.items()]


@pytest.mark.parametrize("seed", range(4))
def test_row_order_changes_no_bit(name: str, seed: int) -> None:
    rows = crowd(seed)
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert bits(fit(name, shuffled)) == bits(fit(name, rows))


@pytest.mark.parametrize("seed", range(2))
def test_files_change_no_bit(name: str, seed: int, tmp_path: Path) -> None:
    rows = crowd(seed)
    whole = table(rows)
    pq.write_table(whole, tmp_path / "whole.parquet")
    (tmp_path / "parts").mkdir()
    for part in range(5):
        cut = [len(rows) * part // 5, len(rows) * (part + 1) // 5]
        pq.write_table(whole.slice(cut[0], cut[1] - cut[0]), tmp_path / "parts" / f"{part}.parquet", row_group_size=9)
    one, many = (plant_aggregate.read_votes(tmp_path / source) for source in ("whole.parquet", "parts"))
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        assert bits(STRATEGIES[name]().fit(one)) == bits(STRATEGIES[name]().fit(many))


@pytest.mark.parametrize("seed", range(4))
def test_threads_change_no_bit(name: str, seed: int) -> None:
    assert_same_on_threads(lambda: bits(fit(name, crowd(seed))))


@pytest.mark.parametrize("seed", range(4))
def test_names_of_users_and_observations_change_no_bit(name: str, seed: int) -> None:
    rows = crowd(seed)
    chance = random.Random(seed)
    new_i = chance.sample(range(1000), 100)
    new_u = chance.sample(range(1000), 50)
    old_i = {new: old for old, new in enumerate(new_i)}
    old_u = {new: old for old, new in enumerate(new_u)}
    plain, renamed = bits(fit(name, rows)), bits(fit(name, [(new_i[i], new_u[u], k) for i, u, k in rows]))
    for part, column, old in ((0, "observation_id", old_i), (1, "user_id", old_u), (2, "observation_id", old_i)):
        back = [{**row, column: old[row[column]]} for row in renamed[part]]
        back.sort(key=lambda row, column=column: row[column])
        assert back == plain[part]
    assert renamed[3] == plain[3]


def test_what_all_agree_on_stands(name: str) -> None:
    rows = [(i, u, f"species {i % 3}") for i in range(9) for u in range(4)]
    frame = fit(name, rows).to_pandas()
    assert frame["label"].tolist() == [f"species {i % 3}" for i in range(9)]
    assert (frame["agreement"] == 1).all()
    assert (frame["margin"] == 1).all()
    assert (frame["aum"] == 1).all()
    assert (frame["entropy"] == 0).all()
    assert frame["runner_up"].isna().all()
    assert not frame["ambiguous"].any()
    assert frame["valid"].all()


def test_users_of_one_vote_do_no_harm(name: str) -> None:
    """A crowd in which nobody votes twice: nothing to learn, so the majority stands and nobody is beyond measure."""
    rows = [(i, 10 * i + u, "a" if u < 4 else "b") for i in range(6) for u in range(5)]
    result = fit(name, rows)
    assert (result.to_pandas()["label"] == "a").all()
    users = result.users_to_pandas()
    assert np.isfinite(users["weight"]).all()
    assert (users["weight"] >= 0).all()


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 1, "a")],
        [(1, 1, "a"), (1, 2, "b")],
        [(1, 1, "a"), (1, 2, "b"), (2, 1, "b"), (2, 2, "a")],
        [(1, 1, "a"), (2, 1, "a"), (3, 1, "a")],
        [(1, u, f"species {u}") for u in range(30)],
        [(i, u, "ab"[(i + u) % 2]) for i in range(4) for u in range(2)],
    ],
    ids=["one vote", "one dispute", "two opposed", "one user", "thirty labels", "always at odds"],
)
def test_small_corners(name: str, rows: Rows) -> None:
    result = fit(name, rows)
    frame, users, soft = result.to_pandas(), result.users_to_pandas(), result.posteriors_to_pandas()
    numbers = frame[["confidence", "aum", "margin", "agreement", "weight", "entropy"]]
    assert np.isfinite(numbers.to_numpy()).all()
    assert frame["confidence"].between(0, 1, inclusive="neither" if name != "iwmv" else "left").all()
    assert frame["aum"].between(-1, 1).all()
    assert np.isfinite(users["weight"]).all()
    assert np.allclose(soft.groupby("observation_id")["share"].sum(), 1)
    assert {(i, k) for i, _, k in rows} == set(zip(soft["observation_id"], soft["label"], strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_columns_agree_with_each_other(name: str, seed: int) -> None:
    result = fit(name, crowd(seed))
    frame, soft = result.to_pandas(), result.posteriors_to_pandas()
    of_label = soft.merge(frame, on=["observation_id", "label"])
    assert np.allclose(of_label["share"], of_label["agreement"])
    assert np.allclose(frame["margin"].where(frame["n_labels"] == 1, 1.0), 1.0)
    assert ((frame["status"] == "valid") == frame["valid"]).all()
    weights = result.users_to_pandas().set_index("user_id")["weight"]
    rows = [(i, k, weights[u]) for i, u, k in crowd(seed)]
    sums = {(i, k): 0.0 for i, k, _ in rows}
    for i, k, weight in rows:
        sums[i, k] += weight
    assert np.allclose(
        frame["weight"], [sums[key] for key in zip(frame["observation_id"], frame["label"], strict=True)]
    )
    assert result.trace.iterations[-1].valid >= 0
    assert result.counts["valid"] == frame["valid"].sum()


def test_models_of_probabilities_report_their_likelihood(name: str) -> None:
    result = fit(name, crowd(0))
    is_model = hasattr(STRATEGIES[result.strategy], "tolerance")
    assert all(hasattr(iteration, "log_likelihood") == is_model for iteration in result.trace.iterations)
    if is_model:
        assert result.trace.converged
        assert all(iteration.log_likelihood <= 1e-6 for iteration in result.trace.iterations)


def test_the_last_iteration_counts_the_valid_observations(name: str) -> None:
    if name in ("plantnet", "wds"):  # judged before the last step, or by another vote
        pytest.skip("counts what the iteration started from")
    result = fit(name, crowd(1))
    assert result.trace.iterations[-1].valid == result.counts["valid"]


def test_whole_numbers_are_parameters_like_others(name: str) -> None:
    kind: Any = STRATEGIES[name]
    given = {item.name: item.default for item in fields(kind) if isinstance(item.default, float)}
    whole = {parameter: int(value) for parameter, value in given.items() if value.is_integer()}
    votes = plant_aggregate.votes_from_table(table(crowd(0)))
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        assert bits(kind(**whole).fit(votes)) == bits(kind().fit(votes))
