"""What the Pl@ntNet strategy promises beyond the golden cases."""

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.strategies.plantnet.weighting import WEIGHT_FUNCTIONS, weights_of

ROWS = [
    {"observation_id": 1, "user_id": "a", "label": "x", "is_author": True},
    {"observation_id": 1, "user_id": "b", "label": "y", "is_author": False},
    {"observation_id": 1, "user_id": "c", "label": "y", "is_author": False},
    {"observation_id": 2, "user_id": "a", "label": "z", "is_author": True},
]


def votes() -> plant_aggregate.Votes:
    return plant_aggregate.votes_from_table(pd.DataFrame(ROWS))


def overrides(
    fixed: dict[Any, float] | None = None, minimum: dict[Any, float] | None = None
) -> plant_aggregate.UserWeights:
    fixed, minimum = fixed or {}, minimum or {}
    users = sorted({*fixed, *minimum})
    return plant_aggregate.UserWeights(
        pa.array(users),
        np.array([fixed.get(user, math.nan) for user in users]),
        np.array([minimum.get(user, math.nan) for user in users]),
    )


def test_a_fixed_weight_of_zero_silences_a_user_from_the_first_majority_on() -> None:
    consensus = plant_aggregate.PlantNet().fit(votes(), user_weights=overrides({"b": 0.0, "c": 0.0}))
    assert consensus.to_pandas()["label"].tolist() == ["x", "z"]
    assert consensus.to_pandas()["agreement"].tolist() == [1.0, 1.0]
    assert consensus.trace.iterations[0].labels_changed == 0


def test_a_fixed_weight_replaces_and_a_minimum_only_lifts() -> None:
    users = (
        plant_aggregate.PlantNet()
        .fit(votes(), user_weights=overrides({"a": 9.0}, {"b": 0.1, "c": 5.0, "a": 20.0}))
        .users_to_pandas()
    )
    assert users["weight"].tolist() == [9.0, math.log(2.1), 5.0]


def test_a_user_who_never_voted_may_have_a_weight() -> None:
    plain = plant_aggregate.PlantNet().fit(votes()).to_pandas()
    with pytest.warns(plant_aggregate.AggregateWarning, match=r"^1 of 1 users with a weight set by hand have no vote"):
        weighted = plant_aggregate.PlantNet().fit(votes(), user_weights=overrides({"zoe": 3.0}))
    pd.testing.assert_frame_equal(weighted.to_pandas(), plain)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.string(), pa.large_string()])
def test_user_weights_meet_votes_of_another_id_type_by_text(kind: pa.DataType) -> None:
    rows = [{**row, "user_id": "abc".index(row["user_id"]) + 1} for row in ROWS]
    log = plant_aggregate.votes_from_table(pa.Table.from_pylist(rows))
    ids = pa.array(["2", "3", "100"]).cast(kind)
    silenced = plant_aggregate.UserWeights(ids, np.zeros(3), np.full(3, math.nan))
    with pytest.warns(plant_aggregate.AggregateWarning, match=r"\(first: '?100'?\)$"):
        consensus = plant_aggregate.PlantNet().fit(log, user_weights=silenced)
    assert consensus.to_pandas()["label"].tolist() == ["x", "z"]


def test_an_observation_of_silenced_users_alone_is_not_valid() -> None:
    consensus = plant_aggregate.PlantNet().fit(votes(), user_weights=overrides({"a": 0.0, "b": 0.0, "c": 0.0}))
    found = consensus.to_pandas()
    assert not found["valid"].any()
    assert found["confidence"].tolist() == [0.0, 0.0]
    assert found[["margin", "entropy", "agreement"]].notna().all(axis=None)


def test_vote_credit_validated_takes_votes_on_valid_observations_only() -> None:
    lone = [{"observation_id": i, "user_id": "reviewer", "label": f"s{i}", "is_author": False} for i in range(30)]
    log = plant_aggregate.votes_from_table(pd.DataFrame([*lone, *ROWS]))
    any_credit = plant_aggregate.PlantNet().fit(log).users_to_pandas().set_index("user_id")
    validated = plant_aggregate.PlantNet(vote_credit="validated").fit(log).users_to_pandas().set_index("user_id")
    assert any_credit.loc["reviewer", "n_species"] > 0
    assert validated.loc["reviewer", "n_species"] == 0


@pytest.mark.parametrize(
    ("name", "n", "expected", "theta_conf"),
    [
        ("power-difference", 8, 8**0.5 - 8**0.2 + math.log(2.1), 2.0),
        ("linear", 8, 8 + math.log(2.1), 8.75),
        ("square-root", 9, 3 + math.log(2.1), 3.6),
        ("three-quarters", 16, 8 + math.log(2.1), 5.5),
        ("square", 8, 64 + math.log(2.1), 64.75),
        ("logarithm", 8, math.log(8) + math.log(2.1), 2.82),
    ],
)
def test_weight_functions_and_their_thresholds(name: str, n: int, expected: float, theta_conf: float) -> None:
    gamma = math.log(2.1)
    weights = weights_of(np.array([0, n], np.int32), WEIGHT_FUNCTIONS[name], 0.5, 0.2, gamma)
    assert weights[0] == gamma
    assert weights[1] == pytest.approx(expected, rel=1e-14)
    assert plant_aggregate.PlantNet(weight_function=name).theta_conf == theta_conf
    assert plant_aggregate.PlantNet(weight_function=name, theta_conf=1.5).theta_conf == 1.5


def test_a_user_validates_alone_from_eight_species_on() -> None:
    weights = weights_of(np.arange(9, dtype=np.int32), WEIGHT_FUNCTIONS["power-difference"], 0.5, 0.2, math.log(2.1))
    assert (weights >= 2.0).tolist() == [False] * 8 + [True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"theta_acc": 0.0},
        {"theta_acc": 1.01},
        {"theta_acc": math.nan},
        {"gamma": 0.0},
        {"gamma": math.inf},
        {"gamma": 1e308},
        {"theta_conf": 1e308},
        {"alpha": 0.0},
        {"alpha": 0.1},
        {"beta": 0.0},
        {"theta_conf": 0.0},
        {"max_iter": 0},
        {"weight_function": "cubic"},
        {"vote_credit": "none"},
        {"ambiguous_below": 1.5},
        {"ambiguous_quantile": 0.0},
        {"ambiguous_below": 0.3, "ambiguous_quantile": 0.1},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match="|".join(wrong)):
        plant_aggregate.PlantNet(**wrong)


def test_all_wrong_parameters_are_named_at_once() -> None:
    with pytest.raises(plant_aggregate.ParameterError, match=r"gamma is -1\.0 .*; max_iter is 0"):
        plant_aggregate.PlantNet(gamma=-1.0, max_iter=0)


def test_a_quantile_bounds_the_share_of_ambiguous_observations() -> None:
    rows = [
        {"observation_id": i, "user_id": f"u{i}-{j}", "label": "y" if j < i % 10 else "x", "is_author": j == 0}
        for i in range(100)
        for j in range(21)
    ]
    log = plant_aggregate.votes_from_table(pd.DataFrame(rows))
    flagged = plant_aggregate.PlantNet(ambiguous_quantile=0.15).fit(log).to_pandas()
    assert 0 < flagged["ambiguous"].sum() <= 15
    assert flagged.loc[flagged["ambiguous"], "aum"].max() < flagged.loc[~flagged["ambiguous"], "aum"].min()
    none = plant_aggregate.PlantNet(ambiguous_below=-1.0).fit(log).to_pandas()
    assert not none["ambiguous"].any()


def test_no_author_information_warns_once() -> None:
    rows = [{**row, "is_author": False} for row in ROWS]
    log = plant_aggregate.votes_from_table(pd.DataFrame(rows))
    with pytest.warns(plant_aggregate.AggregateWarning, match="author") as caught:
        plant_aggregate.PlantNet().fit(log)
    assert len(caught) == 1
    with warnings.catch_warnings(action="error"):
        plant_aggregate.PlantNet().fit(votes())


def test_dense_arrays_agree_with_the_table() -> None:
    consensus = plant_aggregate.PlantNet().fit(votes())
    table = consensus.to_pandas()
    for name in ("agreement", "margin", "aum", "entropy", "ambiguous", "valid", "weight", "confidence"):
        assert getattr(consensus, name).tolist() == table[name].tolist()
    assert consensus.counts["valid"] == table["valid"].sum()
    for status in ("contested", "needs_votes"):
        assert consensus.counts[status] == (table["status"] == status).sum()
    assert consensus.counts["ambiguous"] == table["ambiguous"].sum()


def test_blocks_of_the_table_make_up_the_whole() -> None:
    consensus = plant_aggregate.PlantNet().fit(votes())
    blocks = pa.concat_tables([consensus.to_arrow(0, 1), consensus.to_arrow(1, 2)])
    assert blocks.to_pylist() == consensus.to_arrow().to_pylist()


def test_an_ai_that_only_invalidates_and_agrees_counts_for_nothing_even_where_no_user_weighs_anything() -> None:
    table = pa.table({"observation_id": [1], "label": ["x"], "score": [0.9]})
    consensus = plant_aggregate.PlantNet(ai_mode="invalidating").fit(
        votes(),
        user_weights=overrides({"a": 0.0, "b": 0.0, "c": 0.0}),
        ai_votes=plant_aggregate.ai_votes_from_table(table),
    )
    shares = {row["label"]: row["share"] for row in consensus.posteriors_to_arrow().to_pylist()[:2]}
    assert shares == {"x": 1 / 3, "y": 2 / 3}
