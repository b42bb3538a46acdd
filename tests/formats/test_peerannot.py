"""Datasets of peerannot: their files, what becomes of every answer, and peerannot's own consensus beside ours."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from benchmarks.peers.peerannot_plantnet import copy_strategies
from plant_aggregate.errors import VotesError
from plant_aggregate.formats.peerannot import Peerannot
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import Sample

from ..paths import SAMPLE

# The toy data set of peerannot: https://github.com/peerannot/peerannot/tree/main/datasets/toy-data
TOY = {"0": {"0": 1, "1": 0, "2": 1, "3": 1}, "1": {"0": 1, "2": 0, "3": 0}, "2": {"1": 1, "3": 1}}
TOY_METADATA = {"name": "toy-data", "n_classes": 2, "n_workers": 4, "n_tasks": 3}
TOY_IMAGES = ("smiles/xtrasmile-0.png", "notsmiles/frown-1.png", "smiles/smile-2.png")
TOY_NAMES = ["notsmiles", "smiles"]


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    dump(tmp_path / "answers.json", TOY)
    dump(tmp_path / "metadata.json", TOY_METADATA)
    for image in TOY_IMAGES:
        path = tmp_path / "train" / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "labelNames.txt").write_text("".join(f"{name}\n" for name in TOY_NAMES))
    return tmp_path


def dump(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


def votes(tables: Tables) -> list[tuple[Any, ...]]:
    table = tables.tables["votes"].select(["observation_id", "user_id", "label"])
    return [tuple(row.values()) for row in table.to_pylist()]


def test_numbers_are_ids_and_labels_where_nothing_names_them(toy: Path) -> None:
    expected = [(task, user, str(label)) for task, answers in TOY.items() for user, label in answers.items()]
    for path in (toy, toy / "answers.json"):
        tables = read_tables(Peerannot(), path)
        assert votes(tables) == expected
        assert tables.account.n_read == {"votes": 9}
        assert set(tables.tables) == {"votes"}
        assert "no truth is taken" in tables.account.details["train"]


@pytest.mark.parametrize("kind", ["text", "list", "object"])
def test_label_names_give_labels_and_the_truth_of_images(toy: Path, kind: str) -> None:
    path = toy / "labelNames.txt"
    if kind != "text":
        dump(path, TOY_NAMES if kind == "list" else {name: number for number, name in enumerate(TOY_NAMES)})
    tables = read_tables(Peerannot(label_names=str(path)), toy)
    assert votes(tables)[:2] == [("0", "0", "smiles"), ("0", "1", "notsmiles")]
    truth = {row["observation_id"]: row["label"] for row in tables.tables["truth"].to_pylist()}
    assert truth == {"0": "smiles", "1": "notsmiles", "2": "smiles"}


def test_images_without_a_number_are_rejected(toy: Path) -> None:
    (toy / "train/smiles/other.png").touch()
    tables = read_tables(Peerannot(label_names=str(toy / "labelNames.txt")), toy)
    assert tables.account.n_read["truth"] == 4
    assert tables.account.n_rejected["truth"] == {"without the number of a task in the name": 1}
    assert tables.account.rejected[0].observation_id == "other.png"


def test_classes_beyond_those_of_the_metadata_are_rejected(toy: Path) -> None:
    dump(toy / "answers.json", TOY | {"3": {"0": 2, "1": -1, "2": 1.0, "3": None, "4": "1"}})
    tables = read_tables(Peerannot(), toy)
    assert tables.account.n_rejected["votes"] == {"of a class beyond the 2 of metadata.json": 4}
    assert votes(tables)[-1] == ("3", "4", "1")
    (toy / "metadata.json").unlink()
    tables = read_tables(Peerannot(), toy)
    assert tables.account.n_rejected["votes"] == {"of a class that is no number from 0 or name": 3}


def test_answers_may_be_names(toy: Path) -> None:
    (toy / "metadata.json").unlink()
    dump(toy / "answers.json", {"a": {"x": "Acer campestre", "y": "Acer"}, "b": {}})
    tables = read_tables(Peerannot(), toy)
    assert votes(tables) == [("a", "x", "Acer campestre"), ("a", "y", "Acer")]
    assert tables.account.facts["observations without votes in answers.json"] == 1


def test_answers_of_the_ai_are_no_votes(toy: Path) -> None:
    dump(toy / "answers.json", {"0": {"AI": 1, "0": 1}})
    tables = read_tables(Peerannot(), toy)
    assert votes(tables) == [("0", "0", "1")]
    assert tables.account.n_read["votes"] == 2
    assert tables.account.left_out["votes"] == {"of the AI, which have no score": 1}


def test_authors_and_experts_are_in_lines(toy: Path) -> None:
    (toy / "authors.txt").write_text("3\n-1\n1\n")
    (toy / "ground_truth.txt").write_text("1\n-1\n0\n")
    tables = read_tables(Peerannot(), toy)
    assert tables.tables["votes"]["is_author"].to_pylist() == [False] * 3 + [True] + [None] * 3 + [True, False]
    assert tables.tables["truth"].to_pylist() == [
        {"observation_id": "0", "label": "1"},
        {"observation_id": "2", "label": "0"},
    ]
    assert tables.account.left_out["truth"] == {"that no expert has seen": 1}


def test_converters_give_ids_of_observations_users_and_labels(toy: Path) -> None:
    dump(toy / "converters/tasks.json", {"obs-a": 0, "obs-b": 1})
    dump(toy / "converters/workers.json", {"ann": 0, "ben": 1, "cem": 2})
    dump(toy / "converters/classes.json", {"Acer campestre": 0, "Acer opalus": 1})
    (toy / "authors.txt").write_text("1\n5\n")
    tables = read_tables(Peerannot(), toy)
    assert tables.tables["votes"].to_pylist() == [
        {"observation_id": "obs-a", "label": "Acer opalus", "user_id": "ann", "is_author": False},
        {"observation_id": "obs-a", "label": "Acer campestre", "user_id": "ben", "is_author": True},
        {"observation_id": "obs-a", "label": "Acer opalus", "user_id": "cem", "is_author": False},
        {"observation_id": "obs-b", "label": "Acer opalus", "user_id": "ann", "is_author": None},
        {"observation_id": "obs-b", "label": "Acer campestre", "user_id": "cem", "is_author": None},
    ]
    assert tables.account.n_rejected["votes"] == {
        "of a task that tasks.json does not have": 2,
        "of a worker that workers.json does not have": 2,
    }
    assert tables.account.n_read["votes"] == 9


ANSWERS = st.dictionaries(
    st.integers(0, 30).map(str), st.dictionaries(st.integers(0, 9).map(str), st.integers(0, 4), max_size=5), max_size=9
)


@given(ANSWERS)
def test_every_answer_is_a_vote(tmp_path_factory: pytest.TempPathFactory, answers: dict[str, dict[str, int]]) -> None:
    folder = tmp_path_factory.mktemp("dataset")
    dump(folder / "answers.json", answers)
    tables = read_tables(Peerannot(), folder)
    expected = [(task, user, str(label)) for task, votes in answers.items() for user, label in votes.items()]
    assert (votes(tables) if tables.tables else []) == expected


def test_what_is_wrong_with_names_is_said(toy: Path) -> None:
    path = toy / "labelNames.txt"
    for text, fault in (
        ("a\n\nb\n", "class 1 has no name; write one name for each class, from class 0 on"),
        ("a\na\n", "several classes are called 'a'"),
        ('{"a": 0, "b": 0}', "class 0 is both 'a' and 'b'"),
        ("[1, 2]", "class 0 has no name"),
    ):
        path.write_text(text)
        with pytest.raises(VotesError, match=fault):
            read_tables(Peerannot(label_names=str(path)), toy)
    with pytest.raises(VotesError, match="cannot be read \\(no such file"):
        read_tables(Peerannot(label_names=str(toy / "other.txt")), toy)


def test_what_is_no_dataset_is_refused(toy: Path) -> None:
    (toy / "answers.json").unlink()
    with pytest.raises(VotesError, match=r"has no answers\.json; name the folder of a dataset, or its answers"):
        read_tables(Peerannot(), toy)
    with pytest.raises(VotesError, match="cannot be read"):
        read_tables(Peerannot(), toy / "answers.json")
    with pytest.raises(VotesError, match="2 paths where one folder or"):
        read_tables(Peerannot(), toy, toy)
    dump(toy / "answers.json", [])
    with pytest.raises(VotesError, match="the document is a list where an object is expected"):
        read_tables(Peerannot(), toy)


def test_only_what_is_read_is_an_input(toy: Path) -> None:
    dump(toy / "converters/tasks.json", {})
    expected = {"answers.json", "metadata.json", "tasks.json"}
    for path in (toy, toy / "answers.json"):
        assert {file.name for file in Peerannot().files([path])} == expected


def test_datasets_are_recognised(toy: Path) -> None:
    assert Peerannot.recognises(Sample.of(toy))
    assert not Peerannot.recognises(Sample.of(toy / "train"))


def test_what_is_exported_comes_back(work: Path) -> None:
    run = plant_aggregate.run(SAMPLE / "votes.parquet", "consensus", "majority")
    plant_aggregate.export(run, "peerannot", "out", truth=SAMPLE / "truth.parquet")
    tables = read_tables(Peerannot(), "out")
    given = run.votes().to_arrow().select(["observation_id", "user_id", "label", "is_author"]).to_pylist()
    has_author = {row["observation_id"] for row in given if row["is_author"]}
    expected = {
        (
            str(row["observation_id"]),
            str(row["user_id"]),
            row["label"],
            row["is_author"] if row["observation_id"] in has_author else None,
        )
        for row in given
    }
    columns = ["observation_id", "user_id", "label", "is_author"]
    found = [tuple(row[column] for column in columns) for row in tables.tables["votes"].to_pylist()]
    assert len(found) == len(given) == len(expected)
    assert set(found) == expected
    voted = {row["observation_id"] for row in given}
    names = {row["label"] for row in given}
    experts = [
        (str(row["observation_id"]), row["label"])
        for row in pq.read_table(SAMPLE / "truth.parquet").to_pylist()
        if row["observation_id"] in voted and row["label"] in names
    ]
    assert sorted(tuple(row.values()) for row in tables.tables["truth"].to_pylist()) == sorted(experts)


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")  # of the other package
def test_peerannots_majority_is_ours_where_votes_are_not_tied(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        copy_strategies(work / "package")
    except AttributeError:
        pytest.skip("peerannot is not installed")
    monkeypatch.syspath_prepend(work / "package")
    for name in [name for name in sys.modules if name.partition(".")[0] == "peerannot"]:
        monkeypatch.delitem(sys.modules, name)
    random = np.random.default_rng(7)
    answers = {
        str(task): {str(user): int(random.integers(5)) for user in random.choice(40, random.integers(1, 8), False)}
        for task in range(500)
    }
    dump(work / "answers.json", answers)
    majority = importlib.import_module("peerannot.models.aggregation.majority_voting").MajorityVoting
    theirs = np.asarray(majority(answers, 5).get_answers())
    consensus = plant_aggregate.Majority().fit(
        plant_aggregate.read_votes(read_tables(Peerannot(), work).tables["votes"])
    )
    n_untied = 0
    for row in consensus.to_arrow().to_pylist():
        if row["margin"] > 1e-9:
            n_untied += 1
            assert str(theirs[int(row["observation_id"])]) == row["label"]
    assert n_untied > 300
