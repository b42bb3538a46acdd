"""What a public function cannot take, it refuses in one line that says what to write."""

import re
from collections.abc import Callable
from datetime import date
from inspect import isfunction
from types import SimpleNamespace
from typing import Any, NamedTuple

import pandas as pd
import pytest

import plant_aggregate as own
from plant_aggregate.assessment.ambiguity.settings import AmbiguitySettings

ROWS = {"task": [7, 7, 9], "worker": ["ana", "bo", "ana"], "label": ["Acer", "Ilex", "Acer"]}
FRAME: Any = pd.DataFrame(ROWS)
A_PATH = "write the name of a file or folder"


class Objects(NamedTuple):
    """One of each."""

    votes: own.Votes
    consensus: own.Consensus
    truth: own.Truth
    run: own.Run
    output: str


@pytest.fixture(scope="module")
def have(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    votes = own.read_votes(ROWS)
    truth = own.read_truth({"task": [7, 9], "label": ["Acer", "Acer"]})
    output = str(tmp_path_factory.mktemp("runs") / "consensus")
    return Objects(votes, own.Majority().fit(votes), truth, own.run(ROWS, output, own.Majority()), output)


Call = Callable[[Any], Any]

CALLS: dict[str, list[tuple[Call, str]]] = {
    "read_votes": [
        (
            lambda _: own.read_votes(7),
            "a path or a frame is wanted, not an int: write the name of a file, folder or glob",
        ),
        (
            lambda _: own.read_votes([ROWS]),
            "a path is wanted, not a dict: write names of files, or all rows as one data",
        ),
        (
            lambda _: own.read_votes(ROWS, columns=["obs"]),
            "columns are wanted, not a list: write columns={'observation",
        ),
        (lambda _: own.read_votes(ROWS, columns="obs"), "columns are wanted, not the text 'obs': write columns="),
        (
            lambda _: own.read_votes(ROWS, as_of="2026-11-23"),
            "a datetime is wanted, not the text '2026-11-23': write dat",
        ),
        (
            lambda _: own.read_votes(ROWS, as_of=date(2026, 11, 23)),
            "a datetime is wanted, not a datetime.date: write dat",
        ),
        (
            lambda _: own.read_votes(ROWS, max_rejected="1 %"),
            "a share is wanted, not the text '1 %': write max_rejected=",
        ),
    ],
    "votes_from_table": [
        (lambda _: own.votes_from_table("v"), "a frame is wanted, not the text 'v': write read_votes('v')")
    ],
    "votes_from_matrix": [
        (lambda _: own.votes_from_matrix("v"), "a matrix is wanted, not the text 'v': write an array of")
    ],
    "scores_from_matrix": [(lambda _: own.scores_from_matrix("v"), "a matrix is wanted, not the text 'v'")],
    "scores_from_table": [(lambda _: own.scores_from_table("t"), "a frame is wanted, not the text 't'")],
    "fit_sets": [
        (lambda have: own.fit_sets(7, have.truth), "a path is wanted, not an int: write the name of a file"),
        (lambda have: own.fit_sets("s", 7), "a path or a frame is wanted, not an int"),
        (lambda have: own.fit_sets("s", have.truth, score=7), "a score is wanted, not an int: write a name such as"),
        (lambda have: own.fit_sets("s", have.truth, threshold=None), "a threshold rule is wanted, not None: write a"),
        (lambda have: own.fit_sets("s", have.truth, columns="l"), "columns are wanted, not the text 'l': write colu"),
    ],
    "evaluate_sets": [
        (lambda _: own.evaluate_sets("m", "s", "t"), "a predictor of sets is wanted, not the text 'm': w")
    ],
    "compare_sets": [
        (lambda have: own.compare_sets(7, have.truth), "a path is wanted, not an int: write the name of a file"),
        (lambda _: own.compare_sets("s", 7), "a path or a frame is wanted, not an int"),
    ],
    "check_coverage": [
        (lambda _: own.check_coverage("m", "s", "t"), "a predictor of sets is wanted, not the text 'm'")
    ],
    "save_sets": [
        (lambda _: own.save_sets("sets.json", "s"), "a predictor of sets is wanted, not the text 'sets.json': write")
    ],
    "load_sets": [(lambda _: own.load_sets(None), "a path is wanted, not None: write the name of a file")],
    "read_taxonomy": [(lambda _: own.read_taxonomy(None), "a path or a frame is wanted, not None")],
    "read_truth": [
        (lambda _: own.read_truth(None), "a path or a frame is wanted, not None"),
        (lambda have: own.read_truth(have.truth), "a path or a frame is wanted, not a Truth"),
    ],
    "truth_from_table": [
        (lambda _: own.truth_from_table("t"), "a frame is wanted, not the text 't': write read_truth('t')")
    ],
    "read_ai_votes": [(lambda _: own.read_ai_votes(None), "a path or a frame is wanted, not None")],
    "ai_votes_from_table": [(lambda _: own.ai_votes_from_table("a"), "not the text 'a': write read_ai_votes('a')")],
    "read_user_weights": [(lambda _: own.read_user_weights(None), "a path or a frame is wanted, not None")],
    "evaluate": [
        (
            lambda have: own.evaluate(have.consensus, "t"),
            "expert labels are wanted, not the text 't': write read_truth('t')",
        ),
        (
            lambda have: own.evaluate(have.consensus, have.votes),
            "expert labels are wanted, not a Votes: write read_truth(",
        ),
        (
            lambda have: own.evaluate(have.consensus, ["Acer", "Acer"]),
            "not a list: write read_truth(path), or a frame of observation_id and label",
        ),
        (
            lambda have: own.evaluate(have.consensus, {7: "Acer", 9: "Acer"}),
            "'7' of the dict is the text 'Acer': write pandas.Series(labels) for labels by observation",
        ),
        (
            lambda have: own.evaluate({7: "Acer", 9: "Acer"}, have.truth),
            "'7' of the dict is the text 'Acer': write pandas.Series(labels) for labels by observation",
        ),
        (lambda have: own.evaluate("consensus", have.truth), "not the text 'consensus': write "),
        (lambda have: own.evaluate(None, have.truth), "not None: write "),
        (
            lambda have: own.evaluate(SimpleNamespace(labels_=()), have.truth),
            "not a types.SimpleNamespace: write what its fit_predict returns",
        ),
    ],
    "compare": [
        (lambda have: own.compare("v", have.truth), "votes are wanted, not the text 'v': write read_votes('v')"),
        (
            lambda have: own.compare(have.consensus, have.truth),
            "votes are wanted, not a Consensus: write consensus.votes",
        ),
        (
            lambda have: own.compare(have.votes, "t"),
            "expert labels are wanted, not the text 't': write read_truth('t')",
        ),
        (
            lambda have: own.compare(have.votes, have.truth, 7),
            "strategies are wanted, not an int: write a list such as [",
        ),
        (
            lambda have: own.compare(have.votes, have.truth, ai_votes="a"),
            "AI votes are wanted, not the text 'a': write read_",
        ),
    ],
    "compare_with_experts": [
        (
            lambda have: own.compare_with_experts("v", have.truth),
            "votes are wanted, not the text 'v': write read_votes",
        ),
        (
            lambda have: own.compare_with_experts(have.votes, 7),
            "expert labels are wanted, not an int: write read_truth(",
        ),
        (
            lambda have: own.compare_with_experts(have.votes, have.truth, 7),
            "strategies are wanted, not an int: write a list such as [",
        ),
        (
            lambda have: own.compare_with_experts(have.votes, have.truth, ai_votes="a"),
            "AI votes are wanted, not the text 'a': write read_",
        ),
    ],
    "calibrate": [
        (lambda have: own.calibrate("consensus", have.truth), "not the text 'consensus': write "),
        (lambda have: own.calibrate(have.votes, have.truth), "not a Votes: write "),
        (
            lambda have: own.calibrate(have.consensus, "t"),
            "expert labels are wanted, not the text 't': write read_truth('t')",
        ),
    ],
    "calibrate_ai": [
        (
            lambda have: own.calibrate_ai("a", have.truth),
            "AI votes are wanted, not the text 'a': write read_ai_votes('a')",
        ),
        (
            lambda have: own.calibrate_ai(ROWS | {"score": [1, 1, 1]}, "t"),
            "expert labels are wanted, not the text 't': write",
        ),
    ],
    "ambiguity_of": [
        (
            lambda _: own.ambiguity_of("c", "s"),
            "a consensus is wanted, not the text 'c': write ambiguity_of(PlantNet().fit(",
        ),
        (
            lambda have: own.ambiguity_of(have.consensus, FRAME),
            "a path is wanted, not a pandas.DataFrame: write the name of",
        ),
        (lambda have: own.ambiguity_of(have.consensus, None), "a path is wanted, not None: write the name of a file"),
        (
            lambda have: own.ambiguity_of(have.consensus, "s", {}),
            "settings are wanted, not a dict: write AmbiguitySettings(",
        ),
        (
            lambda have: own.ambiguity_of(have.consensus, "s", columns="x"),
            "columns are wanted, not the text 'x': write col",
        ),
    ],
    "predict_sets": [
        (lambda _: own.predict_sets("s", {}, "o"), "a path is wanted, not a dict: write the name of"),
        (lambda _: own.predict_sets("s", "m", None), "a path is wanted, not None: write the name of"),
        (lambda _: own.predict_sets("s", "m", "o", columns="x"), "columns are wanted, not the text 'x': write col"),
    ],
    "run": [
        (lambda _: own.run(None), "a path or a frame is wanted, not None: write the name of a file, folder or glob"),
        (lambda have: own.run(have.votes, have.consensus), f"a path is wanted, not a Consensus: {A_PATH}"),
        (lambda have: own.run(have.votes, "o", 7), "a strategy is wanted, not an int: write a name such as 'wawa'"),
        (lambda have: own.run(have.votes, "o", settings={}), "settings are wanted, not a dict: write Settings(keep=7)"),
    ],
    "diff": [
        (lambda have: own.diff(have.consensus, FRAME), "an output folder or a run is wanted, not a Consensus: write ")
    ],
    "open_run": [
        (
            lambda have: own.open_run(have.consensus),
            "an output folder or a run is wanted, not a Consensus: write its path",
        ),
        (
            lambda have: own.open_run(have.output, 7),
            "the id of a run is wanted, not an int: write open_run('consensus', ",
        ),
    ],
    "open_latest": [(lambda _: own.open_latest(None), f"a path is wanted, not None: {A_PATH}")],
    "read_evidence": [
        (
            lambda have: own.read_evidence(have.consensus, have.truth),
            "an output folder or a run is wanted, not a Consensus",
        ),
        (
            lambda have: own.read_evidence(have.output, "t"),
            "expert labels are wanted, not the text 't': write read_truth('t')",
        ),
    ],
    "list_runs": [(lambda have: own.list_runs(have.consensus), f"a path is wanted, not a Consensus: {A_PATH}")],
    "publish": [
        (lambda have: own.publish(have.consensus, "x"), f"a path is wanted, not a Consensus: {A_PATH}"),
        (lambda have: own.publish(have.output, have.run), "the id of a run is wanted, not a Run: write its run_id"),
    ],
    "rollback": [(lambda _: own.rollback(None), f"a path is wanted, not None: {A_PATH}")],
    "load_calibration": [
        (lambda _: own.load_calibration(FRAME), f"a path is wanted, not a pandas.DataFrame: {A_PATH}")
    ],
    "load_ai_calibration": [(lambda _: own.load_ai_calibration(None), f"a path is wanted, not None: {A_PATH}")],
    "save_calibration": [
        (
            lambda have: own.save_calibration(have.consensus, "c"),
            "a calibration is wanted, not a Consensus: write save_cali",
        ),
        (
            lambda _: own.save_calibration(own.load_calibration("simulated"), None),
            f"a path is wanted, not None: {A_PATH}",
        ),
    ],
    "simulate": [(lambda _: own.simulate("1 %"), "scale is the text '1 %' but must be a number")],
    "Run": [
        (
            lambda have: have.run.votes("abc"),
            "ids of observations are wanted, not the text 'abc': write a list of them",
        ),
        (
            lambda have: have.run.votes(7),
            "ids of observations are wanted, not an int: write a list of them, votes([ID])",
        ),
        (lambda have: have.run.evidence("t"), "expert labels are wanted, not the text 't': write read_truth('t')"),
        (lambda have: have.run.read_table(7), "the name of a table is wanted, not an int: write 'consensus.parquet'"),
    ],
    "convert": [
        (lambda _: own.convert(7, "v", "out"), "a format is wanted, not an int: write a name such as 'argilla'"),
        (lambda _: own.convert("csv", FRAME, "out"), "a path is wanted, not a pandas.DataFrame: write the name of"),
        (lambda _: own.convert("csv", None, "out"), "a path is wanted, not None: write the name of a file"),
        (lambda _: own.convert("csv", "v", None), f"a path is wanted, not None: {A_PATH}"),
        (lambda _: own.convert("zooniverse", "v", "out", task=7), "task is an int but must be text"),
        (
            lambda _: own.convert("csv", "v", "out", names=True),
            "names are wanted, not a bool: write NameSettings(names=True)",
        ),
    ],
    "export": [
        (lambda _: own.export(FRAME, "csv", "out"), "a run is wanted, not a pandas.DataFrame: write its path"),
        (lambda have: own.export(have.run, 7, "out"), "an export is wanted, not an int: write a name such as"),
        (lambda have: own.export(have.run, "csv", None), f"a path is wanted, not None: {A_PATH}"),
        (lambda have: own.export(have.run, "training", "out", hard=1), "hard is an int but must be True or False"),
    ],
    "training_table": [
        (lambda _: own.training_table(FRAME), "a run is wanted, not a pandas.DataFrame: write its path"),
        (lambda _: own.training_table("consensus", hard=1), "hard is an int but must be True or False"),
    ],
    "subset": [
        (lambda _: own.subset(FRAME, "out"), "a run is wanted, not a pandas.DataFrame: write its path"),
        (lambda _: own.subset("consensus", 7), "a path is wanted, not an int: write the name of a file or folder"),
        (lambda _: own.subset("consensus", "out", truth=7), "truth is an int but must be paths"),
        (lambda _: own.subset("consensus", "out", seed="a"), "seed is the text 'a' but must be an integer"),
    ],
    "Consensus": [
        (
            lambda _: own.Consensus.from_labels(FRAME, []),
            "votes are wanted, not a pandas.DataFrame: write Consensus.from_",
        ),
        (
            lambda have: own.Consensus.from_labels(have.votes, None),
            "labels are wanted, not None: write an array of names or",
        ),
    ],
    "Settings": [
        (lambda _: own.Settings(keep="14"), "keep is the text '14' but must be an integer"),
        (lambda _: own.Settings(keep=True), "keep is a bool but must be an integer"),
        (lambda _: own.Settings(keep=None), "keep is None but must be an integer"),
        (lambda _: own.Settings(max_rejected="1 %"), "max_rejected is the text '1 %' but must be a number"),
        (lambda _: own.Settings(soft="yes"), "soft is the text 'yes' but must be True or False"),
        (lambda _: own.Settings(as_of="2026-11-23"), "as_of is the text '2026-11-23' but must be a datetime, such as"),
        (
            lambda _: own.Settings(columns="obs"),
            "columns is the text 'obs' but must be a dict, such as {'observation_id'",
        ),
        (
            lambda _: own.Settings(ai_votes=FRAME),
            "ai_votes is a pandas.DataFrame but must be paths; write the table to a",
        ),
        (lambda _: own.Settings(user_weights=[7]), "user_weights is an int but must be paths"),
        (lambda _: own.Settings(calibration=7), "calibration is an int but must be a path"),
    ],
    "PlantNet": [
        (lambda _: own.PlantNet(theta_acc="0.7"), "theta_acc is the text '0.7' but must be a number"),
        (
            lambda have: own.PlantNet().fit(have.votes, user_weights=pd.Series({"ana": 2.0})),
            "user_weights are wanted, not a pandas.Series: write user_weights=read_user_weights(frame)",
        ),
        (
            lambda have: own.PlantNet().fit(have.votes, user_weights="w"),
            "user_weights are wanted, not the text 'w': write user_weights=read_user_weights('w')",
        ),
    ],
    "clean_names": [
        (
            lambda _: own.clean_names("Acer opalus"),
            "labels are wanted, not the text 'Acer opalus': write a list of them",
        ),
        (lambda _: own.clean_names([7]), "a label is wanted, not an int: write a text"),
        (lambda _: own.clean_names(["Acer opalus"], synonyms=7), "synonyms is an int but must be a path"),
    ],
    "NameSettings": [
        (lambda _: own.NameSettings(names="yes"), "names is the text 'yes' but must be True or False"),
        (lambda _: own.read_votes(FRAME, names=True), "names are wanted, not a bool: write NameSettings(names=True)"),
    ],
    "AmbiguitySettings": [
        (lambda _: AmbiguitySettings(max_rejected=None), "max_rejected is None but must be a number")
    ],
}

LABELLED = [(name, *case) for name, cases in CALLS.items() for case in cases]


@pytest.mark.parametrize(
    ("name", "call", "message"), LABELLED, ids=[f"{name} {text[:40]}" for name, _, text in LABELLED]
)
def test_a_wrong_type_is_one_line_that_says_what_to_write(name: str, call: Call, message: str, have: Objects) -> None:
    with pytest.raises(TypeError, match=re.escape(message)) as raised:
        call(have)
    assert len(str(raised.value).splitlines()) == 1


def test_every_public_function_is_among_them() -> None:
    functions = {name for name in own.__all__ if isfunction(getattr(own, name))}
    assert functions - set(CALLS) == set()


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    settings = own.Settings(keep=np.int64(3), max_rejected=np.float32(0.5), soft=np.bool_(True))
    assert (settings.keep, settings.max_rejected, bool(settings.soft)) == (3, 0.5, True)
    assert own.PlantNet(theta_acc=1).theta_acc == 1


def test_a_number_between_integers_is_a_wrong_value() -> None:
    with pytest.raises(own.ParameterError, match=r"^keep is 1.5 but must be an integer$"):
        own.Settings(keep=1.5)


def test_settings_take_paths_of_any_kind(tmp_path: Any) -> None:
    for paths in ("a", tmp_path, ["a", tmp_path], iter(["a"]), ("a",), []):
        assert own.Settings(ai_votes=paths) is not None


def test_votes_are_no_labels(have: Objects) -> None:
    with pytest.raises(
        own.VotesError, match=r"votes become labels by a strategy, such as Wawa\(\).fit_predict\(votes\)$"
    ):
        own.evaluate(FRAME, have.truth)
    assert own.evaluate(own.Wawa().fit_predict(FRAME), have.truth) is not None
