"""Areas under the margin equal their slow reference, whatever the layout, the order and the split of the scores."""

import math
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.files.parquet import stream
from tests.reference import ambiguity as reference
from tests.reference import plantnet
from tests.rows import votes_of
from tests.vote_strategies import INTEGER_LABELS, TEXT_LABELS, prolific_vote_rows, vote_rows

Rows = list[dict[str, Any]]
Scores = dict[tuple[Any, int], dict[Any, float]]
LOGS = st.one_of(vote_rows(times=False), prolific_vote_rows(times=False))
pytestmark = pytest.mark.filterwarnings("ignore::plant_aggregate.AggregateWarning")
LONE: Rows = [{"observation_id": 3, "user_id": "ana", "label": 9, "is_author": False}]
DIVIDED: Rows = [*LONE, {"observation_id": 3, "user_id": "bo", "label": 8, "is_author": False}]
LEAST = 5e-324
"""The least number above 0: no product of it with a probability has a digit that is right."""

MEASURES = ("score_aum", "aumc", "waum")


@st.composite
def logs_and_scores(draw: st.DrawFn) -> tuple[Rows, Scores]:
    """Votes, and lists of up to 6 labels for some observations and epochs, also of labels and ids nobody voted."""
    rows = plantnet.clean(draw(LOGS))[0]
    ids = sorted({row["observation_id"] for row in rows})
    labels = sorted({row["label"] for row in rows})
    is_text = isinstance(labels[0], str)
    further = [label for label in (TEXT_LABELS if is_text else INTEGER_LABELS) if label not in labels][:4]
    strange = "nobody voted" if isinstance(ids[0], str) else -99
    shares = st.sampled_from([0.0, 0.1, 0.25, 0.25, 0.5, 1.0, 1 / 3]) | st.floats(0, 1)
    one_list = st.dictionaries(st.sampled_from([*labels, *labels, *further]), shares, min_size=1, max_size=6)
    keys = st.tuples(st.sampled_from([*ids, *ids, *ids, strange]), st.sampled_from([0, 1, 2, 7, -3]))
    scores = draw(st.dictionaries(keys, one_list, max_size=25))
    scores[draw(st.sampled_from(ids)), 1] = draw(one_list)
    if draw(st.booleans()):  # distributions, to float precision
        for each in scores.values():
            whole = math.fsum(each.values())
            each.update({label: share / whole if whole else 1 / len(each) for label, share in each.items()})
    return rows, scores


def list_table(scores: Sequence[tuple[tuple[Any, int], dict[Any, float]]]) -> pa.Table:
    return pa.table(
        {
            "observation_id": [i for (i, _), _ in scores],
            "epoch": [epoch for (_, epoch), _ in scores],
            "labels": [list(each) for _, each in scores],
            "probabilities": [list(each.values()) for _, each in scores],
        }
    )


def long_table(scores: Sequence[tuple[tuple[Any, int], dict[Any, float]]]) -> pa.Table:
    rows = [(i, epoch, label, share) for (i, epoch), each in scores for label, share in each.items()]
    names = ("observation_id", "epoch", "label", "probability")
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})


def write(table: pa.Table, path: Path, rows: int = 1 << 20) -> Path:
    pq.write_table(table, path, row_group_size=rows)
    return path


@given(
    log=logs_and_scores(),
    trust=st.sampled_from(["confusion", "weight"]),
    normalise=st.booleans(),
    epochs=st.sampled_from(["all", "all", "last"]),
)
@example(log=(LONE, {(3, 1): {-1: LEAST}, (3, 0): {-1: 0.1}}), trust="confusion", normalise=False, epochs="all")
@example(
    log=(DIVIDED, {(3, 1): {9: LEAST, 8: 2 * LEAST}, (3, 0): {8: 0.4}}),
    trust="confusion",
    normalise=False,
    epochs="all",
)
@settings(max_examples=160)
def test_the_engine_equals_the_reference(log: tuple[Rows, Scores], trust: Any, normalise: bool, epochs: str) -> None:
    rows, scores = log
    if epochs == "last":
        scores = {(i, 0): scores[i, epoch] for i, epoch in sorted(scores)}
    chosen = plant_aggregate.AmbiguitySettings(trust=trust, normalise=normalise, alpha=0.3, max_rejected=1.0)
    consensus = plant_aggregate.PlantNet().fit(votes_of(rows))
    with tempfile.TemporaryDirectory() as folder:
        table = list_table(list(scores.items()))
        table = table if epochs == "all" else table.drop_columns(["epoch"])
        path = write(table, Path(folder) / "scores.parquet")
        usable = {key: each for key, each in scores.items() if not normalise or sum(each.values()) > 0}
        ids = {row["observation_id"] for row in rows}
        if not ids & {i for i, _ in usable}:
            with pytest.raises(plant_aggregate.VotesError, match="score lists"):
                plant_aggregate.ambiguity_of(consensus, path, chosen)
            return
        found = plant_aggregate.ambiguity_of(consensus, path, chosen)
    if normalise:
        sums = {key: math.fsum(each.values()) for key, each in usable.items()}
        divided = {key: {k: p / sums[key] for k, p in each.items()} for key, each in usable.items()}
    else:
        divided = usable
    labels = dict(
        zip(*(consensus.to_arrow().column(name).to_pylist() for name in ("observation_id", "label")), strict=True)
    )
    if trust == "weight":
        weights = {row["user_id"]: row["weight"] for row in consensus.users_to_arrow().to_pylist()}
        trust_of: reference.Trust = lambda user, _: weights[user]  # noqa: E731
    else:
        fitted = plant_aggregate.DawidSkene().fit(votes_of(rows)).posteriors_to_arrow().to_pylist()
        posteriors: dict[Any, dict[Any, float]] = {}
        for row in fitted:
            posteriors.setdefault(row["observation_id"], {})[row["label"]] = row["share"]
        trust_of = reference.confusion_trust(rows, posteriors, 3.0)
    made = found.to_arrow().to_pylist()
    for kind, end in (("second", ""), ("other", "_other")):
        expected = reference.ambiguity(rows, labels, divided, trust_of, kind)
        original = reference.ambiguity(rows, labels, usable, trust_of, kind)
        assert [row["observation_id"] for row in made] == sorted(expected)
        for row in made:
            wanted = expected[row["observation_id"]]
            assert row["n_epochs"] == wanted["n_epochs"]
            for name in MEASURES:
                assert_close(row[name + end], wanted.get(name), 1e-12)
            assert_close(row["score_aum_logits"], wanted.get("score_aum_logits"), 1e-12)
            for name in ("exact", "waum_exact"):
                assert row[name] == original[row["observation_id"]].get(name)
    waum = {row["observation_id"]: row["waum"] for row in made if row["n_epochs"]}
    assert {row["observation_id"] for row in made if row["pruned"]} == reference.pruned(waum, 0.3)


def assert_close(found: float | None, wanted: float | None, tolerance: float) -> None:
    assert (found is None) == (wanted is None)
    assert found is None or wanted is None or abs(found - wanted) <= tolerance


@given(log=logs_and_scores(), data=st.data(), trust=st.sampled_from(["confusion", "weight"]))
@settings(max_examples=60)
def test_order_split_and_layout_change_no_bit(log: tuple[Rows, Scores], data: st.DataObject, trust: Any) -> None:
    rows, scores = log
    consensus = plant_aggregate.PlantNet().fit(votes_of(rows))
    chosen = plant_aggregate.AmbiguitySettings(trust=trust, max_rejected=1.0)
    shuffled = [
        (key, dict(data.draw(st.permutations(list(each.items())))))
        for key, each in data.draw(st.permutations(list(scores.items())))
    ]
    cut = data.draw(st.integers(0, len(shuffled)))
    n_rows = data.draw(st.integers(1, 5))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once = plant_aggregate.ambiguity_of(
            consensus, write(list_table(list(scores.items())), folder / "0.parquet"), chosen
        )
        parts = [
            write(list_table(part), folder / f"{n}.parquet", n_rows)
            for n, part in enumerate((shuffled[:cut], shuffled[cut:]))
            if part
        ]
        again = plant_aggregate.ambiguity_of(consensus, parts, chosen)
        long = long_table(shuffled)
        at = data.draw(st.integers(0, long.num_rows))
        pieces = [
            write(part, folder / f"{n}.parquet", n_rows)
            for n, part in enumerate((long[:at], long[at:]))
            if part.num_rows
        ]
        by_row = plant_aggregate.ambiguity_of(consensus, pieces, chosen)
    assert once.to_arrow().equals(again.to_arrow())
    assert once.to_arrow().equals(by_row.to_arrow())
    assert once.counts["lists"] == again.counts["lists"] == by_row.counts["lists"]


@given(log=logs_and_scores(), n_rows=st.integers(1, 4))
@settings(max_examples=20)
def test_lists_go_on_from_batch_to_batch(log: tuple[Rows, Scores], n_rows: int) -> None:
    rows, scores = log
    consensus = plant_aggregate.PlantNet().fit(votes_of(rows))
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = write(long_table(list(scores.items())), Path(name) / "scores.parquet")
        once = plant_aggregate.ambiguity_of(consensus, path)
        patch.setattr("plant_aggregate.ingest.score_lists.stream", partial(stream, rows=n_rows))
        again = plant_aggregate.ambiguity_of(consensus, path)
    assert once.to_arrow().equals(again.to_arrow())
    assert once.counts == again.counts
