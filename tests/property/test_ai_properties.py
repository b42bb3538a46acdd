"""The AI's vote in the engine equals the slow reference, and what its modes promise holds on any log."""

import warnings
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.kernels import threads
from tests.reference import ai_votes as reference
from tests.rows import assert_equal, bits, matching_theta_conf, votes_of, without_repeats
from tests.vote_strategies import parameters, prolific_vote_rows, vote_rows

Rows = list[dict[str, Any]]
Scored = dict[Any, tuple[Any, float]]

LOGS = st.one_of(vote_rows(), prolific_vote_rows())
MODES = ("ignore", "user", "fixed", "invalidating", "confident")
SCORES = (0.0, 0.3, 0.69, 0.7, 0.70001, 0.9, 1.0)
WEIGHTS = (0.7419373447293773, 0.5, 1.7, 2.0, 10.0)


pytestmark = pytest.mark.usefixtures("even_small_work")


@st.composite
def logs_with_ai(draw: st.DrawFn) -> tuple[Rows, Scored]:
    """Cleaned votes, and what the AI says of some of their observations and of some that nobody voted on."""
    rows = without_repeats(draw(LOGS))
    seen = sorted({row["observation_id"] for row in rows})
    labels = sorted({row["label"] for row in rows})
    texts = isinstance(seen[0], str), isinstance(labels[0], str)
    unseen = ["o-1", "o5x", "zz"] if texts[0] else [-7, 5_000_000, 10**12]
    unvoted = ["a new species", "zzz"] if texts[1] else [-99, 4242]
    voted_on = draw(
        st.dictionaries(st.sampled_from([*seen, *seen, *unseen]), st.sampled_from([*labels, *labels, *unvoted]))
    )
    if not voted_on:
        voted_on = {unseen[0]: labels[0]}
    return rows, {i: (label, draw(st.sampled_from(SCORES))) for i, label in voted_on.items()}


def ai_votes(scored: Scored) -> plant_aggregate.AiVotes:
    rows = [{"observation_id": i, "label": label, "score": score} for i, (label, score) in scored.items()]
    return plant_aggregate.ai_votes_from_table(pa.Table.from_pylist(rows))


def fit(rows: Rows, scored: Scored, **given_parameters: Any) -> plant_aggregate.Consensus:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        strategy = plant_aggregate.PlantNet(**given_parameters)
        return strategy.fit(votes_of(rows), ai_votes=ai_votes(scored))


@given(logs_with_ai(), parameters(), st.sampled_from(MODES), st.sampled_from(WEIGHTS))
@settings(max_examples=300)
def test_the_engine_equals_the_reference(
    log: tuple[Rows, Scored], given_parameters: dict[str, Any], mode: str, weight: float
) -> None:
    rows, scored = log
    given_parameters = {"theta_conf": matching_theta_conf(given_parameters), **given_parameters}
    found = fit(rows, scored, ai_mode=mode, ai_weight=weight, **given_parameters)
    expected = reference.fit(rows, scored, ai_mode=mode, ai_weight=weight, **given_parameters)
    assert_equal(found, expected)


@given(logs_with_ai(), parameters())
@settings(max_examples=150)
def test_an_ai_that_is_never_confident_is_as_good_as_ignored(
    log: tuple[Rows, Scored], given_parameters: dict[str, Any]
) -> None:
    never = fit(*log, ai_mode="confident", ai_threshold=1.01, **given_parameters)
    assert bits(never) == bits(fit(*log, ai_mode="ignore", **given_parameters))


@given(logs_with_ai(), parameters(), st.sampled_from(WEIGHTS))
@settings(max_examples=150)
def test_an_ai_that_may_only_invalidate_does_nothing_else(
    log: tuple[Rows, Scored], given_parameters: dict[str, Any], weight: float
) -> None:
    objecting = fit(*log, ai_mode="invalidating", ai_weight=weight, **given_parameters)
    ignored = fit(*log, ai_mode="ignore", **given_parameters)
    assert objecting.labels.tolist() == ignored.labels.tolist()
    assert not (objecting.valid & ~ignored.valid).any()
    assert objecting.users_to_arrow().equals(ignored.users_to_arrow())


@given(logs_with_ai())
@settings(max_examples=100)
def test_ignoring_the_ai_changes_no_row_of_the_votes_own(log: tuple[Rows, Scored]) -> None:
    rows, scored = log
    ignored = fit(rows, scored, ai_mode="ignore").to_arrow().drop_columns(["ai_label", "ai_score", "ai_effect"])
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        plain = plant_aggregate.PlantNet().fit(votes_of(rows)).to_arrow()
    ids = set(plain["observation_id"].to_pylist())
    assert [row for row in ignored.to_pylist() if row["observation_id"] in ids] == plain.to_pylist()


@given(logs_with_ai(), st.sampled_from(MODES))
@settings(max_examples=60)
def test_threads_and_the_order_of_rows_change_no_bit(log: tuple[Rows, Scored], mode: str) -> None:
    rows, scored = log
    results = []
    for count in (1, 2, 4):
        threads.set_threads(count)
        backwards = dict(reversed(list(scored.items())))
        results.append(bits(fit(rows, scored, ai_mode=mode)))
        results.append(bits(fit(rows[::-1], backwards, ai_mode=mode)))
    assert all(result == results[0] for result in results)
