"""The engine equals the slow reference, and nothing but the set of votes can change a bit of its result."""

import math
import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from tests.reference import plantnet
from tests.rows import (
    Rows,
    assert_equal,
    assert_same_on_threads,
    bits,
    matching_theta_conf,
    table,
    votes_of,
    without_repeats,
)
from tests.vote_strategies import parameters, prolific_vote_rows, vote_rows, weight_overrides

IDS = ("observation_id", "user_id", "label")
LOGS = st.one_of(vote_rows(), prolific_vote_rows())
pytestmark = [
    pytest.mark.usefixtures("even_small_work"),
    pytest.mark.filterwarnings("ignore:.*without voted_at:plant_aggregate.AggregateWarning"),
]


def fit(votes: plant_aggregate.Votes, **given_parameters: Any) -> plant_aggregate.Consensus:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        return plant_aggregate.PlantNet(**given_parameters).fit(votes)


@given(LOGS, parameters())
@settings(max_examples=400)
def test_the_engine_equals_the_reference(rows: Rows, given_parameters: dict[str, Any]) -> None:
    votes, counts = plantnet.clean(rows)
    engine_votes = votes_of(rows)
    assert engine_votes.n_votes == counts["used"]
    given_parameters = {"theta_conf": matching_theta_conf(given_parameters), **given_parameters}
    assert_equal(fit(engine_votes, **given_parameters), plantnet.fit(votes, **given_parameters))


@given(LOGS, parameters(), st.data())
@settings(max_examples=150)
def test_it_does_so_with_weights_set_by_hand(rows: Rows, given_parameters: dict[str, Any], data: st.DataObject) -> None:
    overrides = data.draw(weight_overrides(rows))
    fixed, minimum = overrides["fixed_weights"], overrides["min_weights"]
    users = sorted({*fixed, *minimum})
    user_weights = plant_aggregate.UserWeights(
        pa.array(users, pa.string() if not users else None),
        np.array([fixed.get(user, math.nan) for user in users]),
        np.array([minimum.get(user, math.nan) for user in users]),
    )
    given_parameters = {"theta_conf": matching_theta_conf(given_parameters), **given_parameters}
    strategy = plant_aggregate.PlantNet(**given_parameters)
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        found = strategy.fit(votes_of(rows), user_weights=user_weights)
    assert_equal(found, plantnet.fit(plantnet.clean(rows)[0], **given_parameters, **overrides))


@given(LOGS, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_row_order_changes_no_bit(rows: Rows, chance: random.Random) -> None:
    rows = without_repeats(rows)
    shuffled = chance.sample(rows, len(rows))
    assert bits(fit(plant_aggregate.votes_from_table(table(shuffled)))) == bits(fit(votes_of(rows)))


@given(rows=LOGS, chance=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_files_and_row_groups_change_no_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, chance: random.Random
) -> None:
    folder: Path = tmp_path_factory.mktemp("split")
    whole = table(rows)
    pq.write_table(whole, folder / "whole.parquet")
    cuts = sorted(chance.sample(range(len(rows) + 1), min(3, len(rows))))
    (folder / "parts").mkdir()
    for number, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
        part = folder / "parts" / f"{number:02d}.parquet"
        pq.write_table(whole.slice(a, b - a), part, row_group_size=chance.randint(1, 4))
    one, many = (plant_aggregate.read_votes(folder / name) for name in ("whole.parquet", "parts"))
    assert bits(fit(one)) == bits(fit(many))


@given(LOGS)
@settings(max_examples=60)
def test_threads_change_no_bit(rows: Rows) -> None:
    assert_same_on_threads(lambda: bits(fit(votes_of(rows))))


@given(LOGS, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_renaming_users_and_observations_changes_no_bit(rows: Rows, chance: random.Random) -> None:
    rows = without_repeats(rows)
    renamed_rows = rows
    names = {}
    for column in ("user_id", "observation_id"):
        old = sorted({row[column] for row in rows})
        new = [f"{column}-{number}" for number in chance.sample(range(10 * len(old)), len(old))]
        names[column] = dict(zip(new, old, strict=True))
        rename = dict(zip(old, new, strict=True))
        renamed_rows = [{**row, column: rename[row[column]]} for row in renamed_rows]
    plain = bits(fit(votes_of(rows)))
    renamed = bits(fit(plant_aggregate.votes_from_table(table(renamed_rows))))
    for column, straight, other in zip(("observation_id", "user_id"), plain, renamed, strict=True):
        back = [{**row, column: names[column][row[column]]} for row in other]
        assert sorted(back, key=lambda row: str(row[column])) == sorted(straight, key=lambda row: str(row[column]))


def int_rows(rows: Rows) -> Rows:
    """The same log with integers for ids and labels, in the same order."""
    for column in ("user_id", "observation_id", "label"):
        values = sorted({row[column] for row in rows})
        code = {value: 3 * position - 5 for position, value in enumerate(values)}
        rows = [{**row, column: code[row[column]]} for row in rows]
    return rows


@given(LOGS)
@settings(max_examples=60)
def test_column_types_change_no_bit(rows: Rows) -> None:
    numbers = int_rows(without_repeats(rows))
    padded = [{**row, **{name: f"{row[name] + 100:06d}" for name in IDS}} for row in numbers]
    results = []
    for logged, kind in (
        (numbers, pa.int64()),
        (numbers, pa.int16()),
        (padded, pa.string()),
        (padded, pa.large_string()),
        (padded, pa.dictionary(pa.int32(), pa.string())),
    ):
        consensus = fit(plant_aggregate.votes_from_table(table(logged, **dict.fromkeys(IDS, kind))))
        drop = {*IDS, "runner_up"}
        results.append([[{k: v for k, v in r.items() if k not in drop} for r in part] for part in bits(consensus)])
    assert all(result == results[0] for result in results)


@given(LOGS, st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=60)
def test_an_unrelated_observation_changes_no_other_row(rows: Rows, n_votes: int, n_labels: int) -> None:
    rows = [{**row, **{name: None if row[name] is None else str(row[name]) for name in IDS}} for row in rows]
    unrelated = [
        {"observation_id": "another", "user_id": f"stranger {j}", "label": f"label {j % n_labels}", "is_author": j == 0}
        for j in range(n_votes)
    ]
    log, longer = (votes_of(rows), plant_aggregate.votes_from_table(table([*unrelated, *rows])))
    observations, users = bits(fit(log))
    more_observations, more_users = bits(fit(longer))
    assert [row for row in more_observations if row["observation_id"] != "another"] == observations
    assert [row for row in more_users if not row["user_id"].startswith("stranger")] == users


def test_a_log_large_enough_for_many_blocks_is_the_same_on_any_number_of_threads() -> None:
    chance = random.Random(7)
    rows = [
        {
            "observation_id": chance.randrange(20_000),
            "user_id": int(chance.paretovariate(0.5)) % 3_000,
            "label": f"species {int(chance.paretovariate(0.8)) % 200}",
            "is_author": chance.random() < 0.5,
        }
        for _ in range(60_000)
    ]
    assert_same_on_threads(lambda: bits(fit(votes_of(rows))))
