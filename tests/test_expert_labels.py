"""Experts' labels among the votes."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate import Truth, Votes, VotesError
from plant_aggregate.expert_labels import with_expert_labels

ROWS = {
    "observation_id": [1, 1, 1, 2, 2, 3, 4],
    "user_id": [1, 2, 3, 1, 2, 1, 3],
    "label": ["b", "d", "d", "d", "d", "b", "f"],
}
NUMBERS = {"b": 10, "c": 20, "d": 30, "f": 50}


def votes_with(**types: pa.DataType) -> Votes:
    """The votes with columns of other types; those of numbers have numbers."""
    columns: dict[str, Any] = {}
    for name, values in ROWS.items():
        kind = types.get(name, pa.string() if name == "label" else pa.int64())
        if pa.types.is_integer(kind):
            known: list[Any] = [NUMBERS.get(value, value) for value in values]
        else:
            known = [str(value) for value in values]
        columns[name] = pa.array(known, kind)
    return plant_aggregate.votes_from_table(pa.table(columns))


def truth(ids: Any, labels: Any) -> Truth:
    return Truth(
        pa.array(ids) if isinstance(ids, list) else ids, pa.array(labels) if isinstance(labels, list) else labels
    )


def named(votes: Votes) -> list[Any]:
    """The experts' labels by their names."""
    assert votes.expert_labels is not None
    return [None if code < 0 else votes.label_names[code].as_py() for code in votes.expert_labels.tolist()]


def test_labels_are_by_observation_and_their_observations_among_the_disputed() -> None:
    found = with_expert_labels(votes_with(), truth([3, 1], ["d", "b"]))
    assert named(found) == ["b", None, "d", None]
    assert found.expert_labels is not None
    assert found.expert_labels.dtype == np.int32
    assert found.disputes.observations.tolist() == [0, 2]
    assert found.disputes.expert_labels is not None
    assert found.disputes.expert_labels.tolist() == [0, 1]
    assert found.disputes.by_expert.all()
    assert found.disputes.candidates.labels.tolist() == [0, 1, 0, 1]
    assert found.disputes.candidates.n_votes.tolist() == [1, 2, 1, 0]
    assert found.without_experts.disputes.observations.tolist() == [0]


def test_a_disputed_observation_of_which_experts_know_nothing_is_none_of_theirs() -> None:
    found = with_expert_labels(votes_with(), truth([2], ["d"]))
    assert found.disputes.observations.tolist() == [0, 1]
    assert found.disputes.by_expert.tolist() == [False, True]
    assert found.disputes.ruled_out.tolist() == []
    assert found.disputes.with_experts(np.array([0.25, 0.75, 0.5])).tolist() == [0.25, 0.75, 1.0]


def test_shares_are_fixed_where_experts_gave_the_label() -> None:
    disputes = with_expert_labels(votes_with(), truth([1, 3], ["b", "c"])).disputes
    assert disputes.candidates.labels.tolist() == [0, 2, 0, 1]
    assert disputes.ruled_out.tolist() == [1, 2]
    shares = np.array([0.25, 0.75, 1.0, 0.0])
    assert disputes.with_experts(shares).tolist() == [1.0, 0.0, 0.0, 1.0]
    assert shares.tolist() == [0.25, 0.75, 1.0, 0.0]


def test_unanimous_observations_are_those_that_no_expert_labelled() -> None:
    found = with_expert_labels(votes_with(), truth([2, 3], ["d", "d"]))
    assert found.unanimous.n_single.tolist() == [0, 0, 1]
    assert found.unanimous.users.tolist() == []
    assert found.n_undisputed_of_users.tolist() == [0, 0, 1]


def test_labels_of_observations_without_votes_are_left_out() -> None:
    found = with_expert_labels(votes_with(), truth([9, 3, -1], ["z", "b", "y"]))
    assert named(found) == [None, None, "b", None]
    assert found.label_names.to_pylist() == ["b", "d", "f"]


def test_labels_of_other_observations_alone_are_a_mistake() -> None:
    fault = "truth: nobody voted on any of its 2 observations; see that both use the same ids"
    with pytest.raises(VotesError, match=re.escape(fault)):
        with_expert_labels(votes_with(), truth([9, 8], ["z", "b"]))


def test_a_label_of_every_observation() -> None:
    found = with_expert_labels(votes_with(), truth([1, 2, 3, 4], ["b", "d", "d", "f"]))
    assert named(found) == ["b", "d", "d", "f"]
    assert len(found.disputes) == 4
    assert not found.unanimous.n_single.any()
    assert found.unanimous.users.size == 0


def test_labels_that_nobody_voted_join_the_names() -> None:
    found = with_expert_labels(votes_with(), truth([1, 2, 4], ["a", "z", "e"]))
    assert found.label_names.to_pylist() == ["a", "b", "d", "e", "f", "z"]
    assert named(found) == ["a", "z", None, "e"]
    assert found.label_names.take(pa.array(found.labels)).to_pylist() == ["b", "d", "d", "d", "d", "b", "f"]


def test_a_label_voted_elsewhere_is_a_candidate() -> None:
    found = with_expert_labels(votes_with(), truth([2], ["f"]))
    assert found.label_names.to_pylist() == ["b", "d", "f"]
    assert found.disputes.candidates.labels.tolist() == [0, 1, 1, 2]
    assert found.disputes.candidates.n_votes.tolist() == [1, 2, 2, 0]


@pytest.mark.parametrize("theirs", [pa.int64(), pa.int16(), pa.uint64()], ids=str)
@pytest.mark.parametrize("ours", [pa.int64(), pa.int32(), pa.uint8()], ids=str)
@pytest.mark.parametrize("column", ["observation_id", "label"])
def test_integers_of_different_widths_are_equal_if_their_numbers_are(
    column: str, ours: pa.DataType, theirs: pa.DataType
) -> None:
    votes = votes_with(**{"label": pa.int64(), column: ours})
    ids = pa.array([3, 1], theirs if column == "observation_id" else pa.int64())
    labels = pa.array([20, 10], theirs if column == "label" else pa.int64())
    found = with_expert_labels(votes, truth(ids, labels))
    assert named(found) == [10, None, 20, None]
    assert found.label_names.to_pylist() == [10, 20, 30, 50]
    assert found.label_names.type == votes.label_names.type


@pytest.mark.parametrize("theirs", [pa.string(), pa.large_string()], ids=str)
def test_texts(theirs: pa.DataType) -> None:
    votes = votes_with(observation_id=pa.string())
    found = with_expert_labels(votes, truth(pa.array(["1", "3", "03"], theirs), pa.array(["é", "b", "z"], theirs)))
    assert named(found) == ["é", None, "b", None]
    assert found.label_names.to_pylist() == ["b", "d", "f", "é"]


@pytest.mark.parametrize("numbers", [False, True], ids=["texts", "numbers"])
def test_labels_in_a_dictionary(numbers: bool) -> None:
    votes = votes_with(label=pa.int64() if numbers else pa.string())
    labels = pa.array([20, 10, 20] if numbers else ["c", "b", "c"]).dictionary_encode()
    if numbers:
        with pytest.raises(VotesError, match="column 'label' has type dictionary"):
            with_expert_labels(votes, truth([2, 1, 4], labels))
        return
    assert named(with_expert_labels(votes, truth([2, 1, 4], labels))) == ["b", "c", None, "c"]


@pytest.mark.parametrize(
    ("ours", "label"), [(pa.uint8(), 256), (pa.uint8(), -1), (pa.int8(), 128), (pa.int64(), 2**63)]
)
def test_an_integer_label_beyond_the_type_of_the_votes(ours: pa.DataType, label: int) -> None:
    fault = f"truth: column 'label' holds integers beyond {ours}, the type of the votes"
    kind = pa.uint64() if label > 2**62 else pa.int64()
    with pytest.raises(VotesError, match=re.escape(fault)) as error:
        with_expert_labels(votes_with(label=ours), truth([1, 2], pa.array([10, label], kind)))
    assert len(str(error.value).splitlines()) == 1
    elsewhere = with_expert_labels(votes_with(label=ours), truth([1, 99], pa.array([10, label], kind)))
    assert named(elsewhere) == [10, None, None, None]


@pytest.mark.parametrize(
    ("ids", "labels", "column"), [(["1"], ["b"], "observation_id"), ([1], [10], "label")], ids=["ids", "labels"]
)
def test_another_type(ids: Any, labels: Any, column: str) -> None:
    with pytest.raises(VotesError, match=f"column '{column}' has type"):
        with_expert_labels(votes_with(), truth(ids, labels))
