"""Votes for crowd-kit and peerannot: what these read is what the run read."""

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from benchmarks.peers.peerannot_plantnet import copy_strategies
from plant_aggregate.formats.peerannot import Peerannot
from plant_aggregate.formats.reading import read_tables
from tests.paths import SAMPLE

Triples = list[tuple[Any, Any, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> plant_aggregate.Run:
    folder = tmp_path_factory.mktemp("run")
    return plant_aggregate.run(SAMPLE / "votes.parquet", folder / "consensus", "majority")


def triples(votes: plant_aggregate.Votes) -> Triples:
    columns = votes.to_arrow().select(["observation_id", "user_id", "label"]).to_pydict()
    return sorted(zip(*columns.values(), strict=True))


def peerannot_votes(folder: Path) -> Triples:
    """The votes of a dataset of peerannot, by the names behind its numbers."""
    names = {}
    for name in ("tasks", "workers", "classes"):
        numbers = json.loads((folder / "converters" / f"{name}.json").read_text())
        assert list(numbers.values()) == list(range(len(numbers)))
        names[name] = list(numbers)
    answers = json.loads((folder / "answers.json").read_text())
    return [
        (names["tasks"][int(task)], names["workers"][int(worker)], names["classes"][label])
        for task, votes in answers.items()
        for worker, label in votes.items()
    ]


def test_peerannot_gets_every_vote_and_what_its_numbers_mean(run: plant_aggregate.Run, work: Path) -> None:
    done = plant_aggregate.export(run, "peerannot", "out", truth=SAMPLE / "truth.parquet")
    votes = run.votes()
    assert sorted(peerannot_votes(work / "out")) == [(str(o), str(u), label) for o, u, label in triples(votes)]
    metadata = json.loads((work / "out" / "metadata.json").read_text())
    assert metadata == {
        "name": run.run_id,
        "n_task": votes.n_observations,
        "n_workers": votes.n_users,
        "n_classes": votes.n_labels,
        "n_votes": votes.n_votes,
    }
    truth = dict(zip(*pq.read_table(SAMPLE / "truth.parquet").to_pydict().values(), strict=True))
    consensus = dict(zip(*run.read_table(columns=["observation_id", "label"]).to_pydict().values(), strict=True))
    labels, tasks = votes.label_names.to_pylist(), votes.observation_ids.to_pylist()
    lines = {
        name: np.loadtxt(work / "out" / name, int) for name in ("authors.txt", "consensus.txt", "ground_truth.txt")
    }
    authors = {}
    for row in votes.to_arrow().to_pylist():
        if row["is_author"]:
            authors[row["observation_id"]] = row["user_id"]
    users = votes.user_ids.to_pylist()
    voted = set(labels)
    for task, author, label, expert in zip(tasks, *lines.values(), strict=True):
        assert (users[author] if author >= 0 else None) == authors.get(task)
        assert labels[label] == consensus[task]
        known = truth.get(task) if truth.get(task) in voted else None
        assert (labels[expert] if expert >= 0 else None) == known
    assert sorted(done.record["files"])[:3] == ["answers.json", "authors.txt", "consensus.txt"]


def test_an_expert_label_that_nobody_voted_has_no_class(work: Path) -> None:
    votes = {"observation_id": [1, 2], "user_id": [1, 1], "label": ["a", "b"], "is_author": [True, True]}
    run = plant_aggregate.run(votes, "consensus")
    truth = {"observation_id": [1, 2, 3], "label": ["b", "c", "a"]}
    with pytest.warns(plant_aggregate.AggregateWarning, match="1 expert labels are of species that nobody voted"):
        plant_aggregate.export(run, "peerannot", "out", votes=votes, truth=truth)
    assert (work / "out" / "ground_truth.txt").read_text() == "1\n-1\n"
    plant_aggregate.export(run, "crowd-kit", "ck", votes=votes, truth=truth)
    assert (work / "ck" / "gt.csv").read_text() == '"task","label"\n1,"b"\n2,"c"\n3,"a"\n'


def test_votes_that_are_gone_are_named(work: Path) -> None:
    pq.write_table(pa.table({"observation_id": [1], "user_id": [1], "label": ["a"], "is_author": [True]}), "v.parquet")
    run = plant_aggregate.run("v.parquet", "consensus")
    (work / "v.parquet").rename("w.parquet")
    for name in ("crowd-kit", "peerannot"):
        with pytest.raises(plant_aggregate.VotesError, match=r"no such file.*name the files .* with --votes"):
            plant_aggregate.export(run, name, name)
        plant_aggregate.export(run, name, name, votes="w.parquet")
    assert (work / "crowd-kit" / "crowd_labels.csv").read_text() == '"task","worker","label"\n1,1,"a"\n'
    assert (work / "peerannot" / "answers.json").read_text() == '{"0": {"0": 0}}\n'


def test_votes_and_truth_come_back_from_peerannot(run: plant_aggregate.Run, work: Path) -> None:
    plant_aggregate.export(run, "peerannot", "out", truth=SAMPLE / "truth.parquet")
    tables = read_tables(Peerannot(), work / "out").tables
    columns = ["observation_id", "user_id", "label", "is_author"]
    found = sorted(zip(*(tables["votes"][column].to_pylist() for column in columns), strict=True))
    known = {row[0] for row in found if row[3]}
    wanted = run.votes().to_arrow().select(columns).to_pydict()
    pairs = zip(*wanted.values(), strict=True)
    assert [(*row[:3], bool(row[3])) for row in found] == sorted((str(o), str(u), label, a) for o, u, label, a in pairs)
    assert {row[3] for row in found if row[0] not in known} == {None}
    voted = set(wanted["label"])
    truth = pq.read_table(SAMPLE / "truth.parquet").to_pydict()
    experts = {str(o): label for o, label in zip(*truth.values(), strict=True) if label in voted}
    assert dict(zip(*tables["truth"].to_pydict().values(), strict=True)) == experts


@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz"])
def test_votes_and_truth_come_back_from_crowd_kit(run: plant_aggregate.Run, work: Path, suffix: str) -> None:
    plant_aggregate.export(run, "crowd-kit", "out", truth=SAMPLE / "truth.parquet", suffix=suffix)
    plant_aggregate.convert("crowd-kit", "out", "back", ids="integer")
    columns = ["observation_id", "user_id", "label"]
    back = pq.read_table("back/votes.parquet", columns=columns).to_pydict()
    assert sorted(zip(*back.values(), strict=True)) == triples(run.votes())
    truth = [pq.read_table(path).to_pydict() for path in (SAMPLE / "truth.parquet", "back/truth.parquet")]
    ours, theirs = (dict(zip(each["observation_id"], each["label"], strict=True)) for each in truth)
    assert theirs == ours


def test_names_that_are_hard_on_csv_come_back(work: Path) -> None:
    names = ["NA", 'with "quotes", commas', "a\ttab", "new\nline", "007", "Acer × freemanii", "'", "a,b;c"]
    votes = {"observation_id": names, "user_id": names[::-1], "label": names}
    with warnings.catch_warnings(record=True):
        run = plant_aggregate.run({**votes, "is_author": [True] * len(names)}, "consensus")
    exports: list[tuple[str, dict[str, Any]]] = [
        *(("crowd-kit", {"suffix": suffix}) for suffix in (".csv", ".tsv")),
        ("peerannot", {}),
    ]
    for number, (name, options) in enumerate(exports):
        plant_aggregate.export(run, name, f"out {number}", votes=votes, **options)
        plant_aggregate.convert(name, f"out {number}", f"back {number}")
        back = pq.read_table(f"back {number}/votes.parquet").to_pydict()
        found = zip(*(back[column] for column in votes), strict=True)
        assert sorted(found) == sorted(zip(*votes.values(), strict=True))


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")  # of the other package
def test_crowd_kits_own_loader_reads_it(run: plant_aggregate.Run, work: Path) -> None:
    pytest.importorskip("crowdkit")
    from crowdkit.aggregation import MajorityVote
    from crowdkit.datasets import load_dataset

    plant_aggregate.export(run, "crowd-kit", "relevance-2", truth=SAMPLE / "truth.parquet")
    labels, truth = load_dataset("relevance-2", data_dir=str(work))
    assert sorted(labels[["task", "worker", "label"]].itertuples(index=False, name=None)) == triples(run.votes())
    expert = pq.read_table(SAMPLE / "truth.parquet").to_pandas().set_index("observation_id")["label"]
    assert truth.sort_index().to_dict() == expert.to_dict()
    ours = run.to_pandas().set_index("observation_id")
    theirs = MajorityVote().fit_predict(labels)
    untied = ours[ours["margin"] > 1e-9]
    assert len(untied) > 19_000
    assert (theirs[untied.index] == untied["label"]).all()
    import pandas as pd

    agg_label = pd.read_csv(work / "relevance-2" / "consensus.csv").set_index("task")["agg_label"]
    assert agg_label.equals(ours["label"].rename("agg_label").rename_axis("task"))


@pytest.mark.extras
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".tsv.gz"])
def test_names_that_pandas_takes_for_missing_are_counted(work: Path, suffix: str) -> None:
    pd = pytest.importorskip("pandas")
    labels = ["NA", 'with "quotes", commas', "a\ttab", "new\nline", "Acer × freemanii"]
    votes: dict[str, list[str]] = {
        "observation_id": [f"{n:03}" for n in range(5)],
        "user_id": ["null"] * 5,
        "label": labels,
    }
    with pytest.warns(plant_aggregate.AggregateWarning, match="looks like a missing value"):
        run = plant_aggregate.run({**votes, "is_author": [True] * 5}, "consensus")
    done = plant_aggregate.export(run, "crowd-kit", "out", votes=votes, suffix=suffix)
    notes = [note for block in done.blocks for note in block.content if isinstance(note, str)]
    assert notes[0].startswith("2 ids or labels are missing values to pandas")
    assert done.record["files"][f"crowd_labels{suffix}"]["rows"] == 5
    separator = "\t" if "tsv" in suffix else ","
    read = pd.read_csv(work / "out" / f"crowd_labels{suffix}", sep=separator, dtype=str, keep_default_na=False)
    assert read["label"].tolist() == labels
    assert read["task"].tolist() == votes["observation_id"]


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")  # of the other package
def test_peerannots_own_strategies_read_it(
    run: plant_aggregate.Run, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        copy_strategies(work / "package")
    except AttributeError:
        pytest.skip("peerannot is not installed")
    monkeypatch.syspath_prepend(work / "package")
    for name in [name for name in sys.modules if name.partition(".")[0] == "peerannot"]:
        monkeypatch.delitem(sys.modules, name)
    plant_aggregate.export(run, "peerannot", "out")
    answers, metadata = (json.loads((work / "out" / f"{name}.json").read_text()) for name in ("answers", "metadata"))
    majority = importlib.import_module("peerannot.models.aggregation.majority_voting").MajorityVoting
    theirs = majority(answers, metadata["n_classes"]).get_answers()
    ours = np.loadtxt(work / "out" / "consensus.txt", int)
    untied = run.read_table(columns=["margin"])["margin"].to_numpy() > 1e-9
    assert np.array_equal(np.asarray(theirs)[untied], ours[untied])


@pytest.mark.parametrize("name", ["training", "crowd-kit", "peerannot", "darwin-core"])
def test_votes_that_are_not_those_of_the_run_are_noticed(run: plant_aggregate.Run, work: Path, name: str) -> None:
    pq.write_table(pa.table({"observation_id": ["a"], "user_id": ["b"], "label": ["c"]}), "other.parquet")
    with pytest.raises(plant_aggregate.VotesError, match="no vote on any observation of the run"):
        plant_aggregate.export(run, name, "out", votes="other.parquet")
    assert not (work / "out").exists()
    part = pq.read_table(SAMPLE / "votes.parquet")
    first = part["observation_id"][0]
    pq.write_table(part.filter(pc.not_equal(part["observation_id"], first)), "part.parquet")
    with pytest.warns(plant_aggregate.AggregateWarning, match=r"^1 of 20,099 observations of the run have no vote in"):
        plant_aggregate.export(run, name, "out", votes="part.parquet")
