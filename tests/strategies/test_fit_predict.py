"""Labels of every strategy from what callers have at hand, as in crowd-kit; and one line for what it cannot take."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate import Majority, PlantNet, Wawa
from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.side_inputs import SideInputs
from plant_aggregate.strategies.registry import STRATEGIES

CROWD = {
    "task": [7, 7, 7, 9, 9, 12],
    "worker": ["ana", "bo", "cy", "ana", "bo", "cy"],
    "label": ["Acer", "Acer", "Ilex", "Ilex", "Acer", "Ilex"],
    "is_author": [True, False, False, True, False, True],
}
OURS = dict(zip(("observation_id", "user_id"), (CROWD["task"], CROWD["worker"]), strict=True))


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_predicts_what_it_fits(name: str) -> None:
    strategy = STRATEGIES[name]()
    consensus = strategy.fit(plant_aggregate.read_votes(CROWD))
    found = strategy.fit_predict(pd.DataFrame(CROWD))  # type: ignore[attr-defined]
    table = consensus.to_pandas()
    assert found.to_dict() == dict(zip(table["observation_id"], table["label"], strict=True))
    assert (found.name, found.index.name, found.index.is_monotonic_increasing) == ("label", "task", True)


@pytest.mark.parametrize(
    ("frame", "columns", "name"),
    [
        (CROWD, None, "task"),
        (pa.table(CROWD), None, "task"),
        (pa.table(CROWD).to_reader(), None, "task"),
        (pd.DataFrame({**CROWD, **OURS}), None, "observation_id"),
        (pd.DataFrame(CROWD).rename(columns={"task": "photo"}), {"observation_id": "photo"}, "photo"),
        (plant_aggregate.read_votes(CROWD), None, "observation_id"),
    ],
)
def test_the_index_is_named_as_the_callers_column(frame: Any, columns: dict[str, str] | None, name: str) -> None:
    found = Wawa().fit_predict(frame, columns=columns)
    assert isinstance(found, pd.Series)
    assert (found.index.name, found.to_dict()) == (name, {7: "Acer", 9: "Ilex", 12: "Ilex"})


@pytest.mark.extras
@pytest.mark.parametrize("package", ["polars", "duckdb"])
def test_frames_of_other_programs(package: str) -> None:
    module = pytest.importorskip(package)
    frame = module.DataFrame(CROWD) if package == "polars" else module.from_arrow(pa.table(CROWD))
    assert Wawa().fit_predict(frame).to_dict() == {7: "Acer", 9: "Ilex", 12: "Ilex"}


@pytest.mark.parametrize("matrix", [[[3, 3, 4], [4, None, 4]], np.array([[3, 3, 4], [4, np.nan, 4]])])
def test_a_matrix(matrix: Any) -> None:
    found = Majority().fit_predict(matrix)
    assert (found.to_dict(), found.dtype) == ({0: 3, 1: 4}, np.int64)


def test_side_inputs_go_through_and_may_be_frames() -> None:
    ai = pd.DataFrame({"task": [7, 99], "label": ["Ilex", "Quercus"], "score": [0.9, 0.9]})
    weights = {"worker": ["cy"], "fixed_weight": [9.0]}
    strategy = PlantNet(ai_mode="confident")
    votes = plant_aggregate.read_votes(CROWD)
    expected = strategy.fit(
        votes,
        ai_votes=plant_aggregate.read_ai_votes(ai),
        user_weights=plant_aggregate.read_user_weights(weights),
        progress=False,
    )
    found = strategy.fit_predict(CROWD, ai_votes=ai, user_weights=weights, progress=False)
    pd.testing.assert_series_equal(found, expected.labels_to_pandas("task"))
    assert (found[7], found[99]) == ("Ilex", "Quercus")
    found = PlantNet(ai_mode="invalidating").fit_predict(CROWD, ai_votes=ai)
    assert found.isna().to_dict() == {7: False, 9: False, 12: False, 99: True}  # the AI alone gives no label there


VOTES = plant_aggregate.read_votes(CROWD)
AI = plant_aggregate.read_ai_votes({"task": [7], "label": ["Ilex"], "score": [0.9]})
FRAME = pd.DataFrame(CROWD)
WIDE = pd.DataFrame({"ana": [1], "bo": [2], "cy": [1]})

NOT_VOTES: list[tuple[Any, str]] = [
    (FRAME, "not a pandas.DataFrame: write Wawa().fit_predict(frame), or Wawa().fit(read_votes(frame))"),
    (CROWD, "not a dict: write Wawa().fit_predict(frame), or Wawa().fit(read_votes(frame))"),
    ("v.parquet", "not the text 'v.parquet': write Wawa().fit(read_votes('v.parquet'))"),
    (None, "not None: write Wawa().fit(read_votes(path))"),
    ([[1, 2]], "not a list: write Wawa().fit_predict(matrix), or Wawa().fit(votes_from_matrix(matrix))"),
    (np.eye(2), "not a numpy.ndarray: write Wawa().fit_predict(matrix), or Wawa().fit(votes_from_matrix(matrix))"),
    (Wawa, "not the class Wawa: write Wawa().fit(read_votes(path))"),
]


@pytest.mark.parametrize(("given", "message"), NOT_VOTES)
def test_fit_takes_votes_alone(given: Any, message: str) -> None:
    for strategy, name in ((Wawa(), "Wawa"), (PlantNet(), "PlantNet")):
        with pytest.raises(TypeError) as raised:
            strategy.fit(given)
        assert str(raised.value) == f"votes are wanted, {message.replace('Wawa()', name + '()')}"


WRONG_INPUTS: list[tuple[Any, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    (
        Majority(),
        (),
        {"ai_votes": AI},
        ParameterError,
        "ai_votes are for the strategy plantnet or auto, not for majority",
    ),
    (
        Majority(),
        (SideInputs(ai_votes=AI),),
        {},
        ParameterError,
        "ai_votes are for the strategy plantnet or auto, not for maj",
    ),
    (PlantNet(), (AI,), {}, TypeError, "side inputs are wanted, not an AiVotes: write fit(votes, ai_votes=...)"),
    (PlantNet(), ({},), {}, TypeError, "side inputs are wanted, not a dict: write fit(votes)"),
    (PlantNet(), (), {"ai_votes": "a"}, TypeError, "not the text 'a': write ai_votes=read_ai_votes('a')"),
    (
        PlantNet(),
        (),
        {"experts": "e"},
        TypeError,
        "experts are wanted, not the text 'e': write experts=read_truth('e')",
    ),
    (PlantNet(), (), {"user_weights": AI}, TypeError, "not an AiVotes: write user_weights=read_user_weights("),
    (PlantNet(), (), {"ai": AI}, TypeError, "fit of PlantNet() has no argument 'ai': parameters are arguments of the"),
    (Majority(), (), {"theta_acc": 0.5}, TypeError, "fit of Majority() has no argument 'theta_acc': parameters are"),
]


@pytest.mark.parametrize(("strategy", "given", "others", "error", "message"), WRONG_INPUTS)
def test_other_inputs_than_a_strategy_takes(
    strategy: Any, given: tuple[Any, ...], others: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)) as raised:
        strategy.fit(VOTES, *given, **others)
    assert len(str(raised.value).splitlines()) == 1
    if others:
        with pytest.raises(error, match=re.escape(message)):
            strategy.fit_predict(CROWD, **others)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("v.parquet", TypeError, "a frame of votes is wanted, not the text 'v.parquet': write fit_predict(read_votes("),
        (None, TypeError, "a frame of votes is wanted, not None: write fit_predict(read_votes(path))"),
        (pd.Series(["Ilex"]), TypeError, "not a pandas.Series: write a data frame of observation_id, user_id and"),
        ([{"task": 7}], TypeError, "a matrix is wanted, not a list: write a data frame of these rows: pandas.Data"),
        ([7, 8], TypeError, "a matrix is wanted, not a list: write an array of two dimensions, or a frame"),
        (WIDE, VotesError, "(a table with a column for each user goes to votes_from_matrix)"),
    ],
)
def test_what_is_no_frame_of_votes_is_one_line(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)) as raised:
        Wawa().fit_predict(given)
    assert len(str(raised.value).splitlines()) == 1
