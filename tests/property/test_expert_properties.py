"""plantnet with experts' labels equals the slow reference, and what experts are promised holds on any log."""

import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.kernels import threads
from tests.property.test_ai_properties import LOGS, MODES, WEIGHTS, ai_votes, logs_with_ai
from tests.reference import ai_votes as with_ai
from tests.reference import plantnet
from tests.rows import Rows, assert_equal, bits, matching_theta_conf, votes_of, without_repeats
from tests.vote_strategies import parameters, weight_overrides

Labels = dict[Any, Any]

LETTERS = ("a", "b", "c", "d")

pytestmark = pytest.mark.usefixtures("even_small_work")


def expert_labels(draw: st.DrawFn, rows: Rows, further: list[Any]) -> Labels:
    """Labels of some voted or ``further`` observations, among them some that nobody voted, there or anywhere."""
    seen = sorted({row["observation_id"] for row in rows})
    labels = sorted({row["label"] for row in rows})
    unvoted = ["Aaa", "a species of experts", "zzz"] if isinstance(labels[0], str) else [-99, 5, 4242]
    observations = st.sampled_from([*seen, *seen, *further])
    return draw(st.dictionaries(observations, st.sampled_from([*labels, *labels, *unvoted]), min_size=1))


@st.composite
def logs_with_experts(draw: st.DrawFn) -> tuple[Rows, Labels]:
    rows = without_repeats(draw(LOGS))
    return rows, expert_labels(draw, rows, [])


@st.composite
def logs_with_ai_and_experts(draw: st.DrawFn) -> tuple[Rows, dict[Any, tuple[Any, float]], Labels]:
    rows, scored = draw(logs_with_ai())
    return rows, scored, expert_labels(draw, rows, list(scored))


def truth(labels: Labels) -> plant_aggregate.Truth:
    return plant_aggregate.truth_from_table({"observation_id": list(labels), "label": list(labels.values())})


def fit(rows: Rows, labels: Labels, given_parameters: dict[str, Any], **others: Any) -> plant_aggregate.Consensus:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        return plant_aggregate.PlantNet(**given_parameters).fit(votes_of(rows), experts=truth(labels), **others)


@given(logs_with_experts(), parameters())
@settings(max_examples=300)
def test_the_engine_equals_the_reference(log: tuple[Rows, Labels], given_parameters: dict[str, Any]) -> None:
    given_parameters = {"theta_conf": matching_theta_conf(given_parameters), **given_parameters}
    found = fit(*log, given_parameters)
    assert_equal(found, plantnet.fit(log[0], experts=log[1], **given_parameters))


@given(logs_with_experts(), parameters(), st.data())
@settings(max_examples=100)
def test_it_does_so_with_weights_set_by_hand(
    log: tuple[Rows, Labels], given_parameters: dict[str, Any], data: st.DataObject
) -> None:
    overrides = data.draw(weight_overrides(log[0]))
    users = sorted({row["user_id"] for row in log[0]})
    by_hand = {
        "user_id": users,
        "fixed_weight": [overrides["fixed_weights"].get(user) for user in users],
        "min_weight": [overrides["min_weights"].get(user) for user in users],
    }
    types = {name: pa.array(values, pa.float64() if "weight" in name else None) for name, values in by_hand.items()}
    given_parameters = {"theta_conf": matching_theta_conf(given_parameters), **given_parameters}
    found = fit(*log, given_parameters, user_weights=plant_aggregate.read_user_weights(pa.table(types)))
    assert_equal(found, plantnet.fit(log[0], experts=log[1], **given_parameters, **overrides))


@given(logs_with_ai_and_experts(), parameters(), st.sampled_from(MODES), st.sampled_from(WEIGHTS))
@settings(max_examples=300)
def test_it_does_so_with_the_ai(
    log: tuple[Rows, dict[Any, tuple[Any, float]], Labels], given_parameters: dict[str, Any], mode: str, weight: float
) -> None:
    """The AI's votes join first: an observation that only the AI voted on may have a label of experts."""
    rows, scored, labels = log
    given_parameters = {"theta_conf": matching_theta_conf(given_parameters), **given_parameters}
    of_ai = {"ai_mode": mode, "ai_weight": weight}
    found = fit(rows, labels, {**given_parameters, **of_ai}, ai_votes=ai_votes(scored))
    assert_equal(found, with_ai.fit(rows, scored, experts=labels, **of_ai, **given_parameters))


@given(logs_with_ai_and_experts(), st.sampled_from(MODES), st.sampled_from(("keep", "drop")))
@settings(max_examples=60)
def test_threads_and_the_order_of_rows_change_no_bit(
    log: tuple[Rows, dict[Any, tuple[Any, float]], Labels], mode: str, parrots: str
) -> None:
    rows, scored, labels = log
    backwards = dict(reversed(list(labels.items())))
    of_ai: dict[str, Any] = {"ai_mode": mode, "parrots": parrots}
    results = []
    for count in (1, 2, 4):
        threads.set_threads(count)
        results.append(bits(fit(rows, labels, of_ai, ai_votes=ai_votes(scored))))
        results.append(bits(fit(rows[::-1], backwards, of_ai, ai_votes=ai_votes(scored))))
    assert all(result == results[0] for result in results)


@given(logs_with_experts(), st.sampled_from(("any", "validated")))
@settings(max_examples=150)
def test_labels_of_experts_are_valid_and_earn_species(log: tuple[Rows, Labels], credit: str) -> None:
    """A user's only species are those voted right, where experts labelled every observation."""
    rows, labels = log
    every = {row["observation_id"]: row["label"] for row in rows} | labels
    found = fit(rows, every, {"vote_credit": credit})
    assert found.to_arrow()["label"].to_pylist() == [every[i] for i in found.votes.observation_ids.to_pylist()]
    assert found.valid.all()
    right = {}
    for row in rows:
        if row["label"] == every[row["observation_id"]]:
            right.setdefault(row["user_id"], set()).add(row["label"])
    users = found.users_to_arrow().to_pylist()
    assert [user["n_species_author"] + user["n_species_vote"] for user in users] == [
        len(right.get(user["user_id"], ())) for user in users
    ]


@pytest.mark.parametrize("trust", ["confusion", "weight"])
@pytest.mark.parametrize("with_the_ai", [False, True])
def test_areas_of_labels_voted_do_not_depend_on_experts(tmp_path: Path, trust: Any, *, with_the_ai: bool) -> None:
    """But for the users' weights; an observation that only the AI voted on, and experts labelled, has no majority."""
    rows = [
        {"observation_id": i, "user_id": f"u{u}", "label": LETTERS[(i + u * (i % 3 == 0)) % 4], "is_author": u == 0}
        for i in range(30)
        for u in range(1 + i % 3)
    ]
    scored = {i: (LETTERS[i % 4], 0.9) for i in (0, 7, 99)}
    labels = {0: "b", 1: "b", 2: "new", 3: "d", 99: "a"}
    others = {"ai_votes": ai_votes(scored)} if with_the_ai else {}
    same_weights = plant_aggregate.read_user_weights(
        pa.table({"user_id": ["u0", "u1", "u2"], "fixed_weight": [1.0, 2.0, 3.0]})
    )
    found = fit(rows, labels, {}, user_weights=same_weights, **others)
    strategy = plant_aggregate.PlantNet()
    plain = strategy.fit(votes_of(rows), user_weights=same_weights, **others)
    lists = {"observation_id": [*range(30), 99], "labels": [[*LETTERS, "new"]] * 31}
    shares = [[(i * 7 + k * 3) % 11 / 40 for k in range(5)] for i in range(31)]
    pq.write_table(pa.table({**lists, "probabilities": shares}), tmp_path / "scores.parquet")
    chosen = plant_aggregate.AmbiguitySettings(trust=trust, max_rejected=1.0)
    areas = [
        {
            row["observation_id"]: row
            for row in plant_aggregate.ambiguity_of(each, tmp_path / "scores.parquet", chosen).to_arrow().to_pylist()
        }
        for each in (found, plain)
    ]
    assert areas[0].keys() == areas[1].keys()
    for name in ("aumc", "waum"):
        assert [row[name] for row in areas[0].values()] == [row[name] for row in areas[1].values()]
    assert {i for i in areas[0] if areas[0][i]["score_aum"] != areas[1][i]["score_aum"]} <= labels.keys()
    assert areas[0][2]["score_aum"] is not None
