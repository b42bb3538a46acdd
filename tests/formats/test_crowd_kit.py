"""Tables of crowd-kit, and its own majority vote beside ours on the same files."""

import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate import VotesError
from plant_aggregate.formats.crowd_kit import CrowdKit
from plant_aggregate.formats.reading import read_tables
from plant_aggregate.formats.recognition import Sample
from tests.paths import ROOT

CROWDS = sorted((ROOT.parent / "shared" / "data" / "crowd").glob("*/votes.parquet"))


@pytest.mark.parametrize("header", ["task,worker,label", "task,performer,label", "taskId,workerId,answer"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_votes_by_all_names(tmp_path: Path, header: str, delimiter: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(f",{header}\n0,007,ana,NA\n".replace(",", delimiter))
    tables, account = read_tables(CrowdKit(), path)
    assert tables["votes"].to_pylist() == [{"observation_id": "007", "user_id": "ana", "label": "NA"}]
    assert (account.n_read["votes"], account.n_used()) == (1, 1)
    assert CrowdKit.recognises(Sample.of(path))


@pytest.mark.parametrize("name", ["votes.csv", "votes.tsv", "votes.txt"])
def test_headers_in_quotes_are_those_of_any_delimiter(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('"task"\t"worker"\t"label"\n"1"\t"ana"\t"Acer, red"\n')
    tables, _ = read_tables(CrowdKit(), tmp_path / name)
    assert tables["votes"].to_pylist() == [{"observation_id": "1", "user_id": "ana", "label": "Acer, red"}]


@pytest.mark.parametrize("header", ["task,label", "task,true_label", "taskId,truth"])
def test_truth_by_all_names(tmp_path: Path, header: str) -> None:
    (tmp_path / "gt.csv").write_text(f"{header}\n007,Acer\n")
    tables, account = read_tables(CrowdKit(), tmp_path / "gt.csv")
    assert tables["truth"].to_pylist() == [{"observation_id": "007", "label": "Acer"}]
    assert account.n_read == {"truth": 1}


def test_a_folder_as_its_loaders_read_it(tmp_path: Path) -> None:
    (tmp_path / "crowd_labels.csv.gz").write_bytes(gzip.compress(b"task,worker,label\n1,ana,Acer\n,bo,Acer\n"))
    (tmp_path / "gt.tsv").write_text("task\tlabel\n1\tAcer\n")
    (tmp_path / "consensus.csv").write_text("task,agg_label\n1,Acer\n")
    tables, account = read_tables(CrowdKit(), tmp_path)
    assert {name: table.num_rows for name, table in tables.items()} == {"votes": 1, "truth": 1}
    assert account.n_rejected == {"votes": {"without an observation": 1}}
    assert [path.name for path in CrowdKit().files([tmp_path])] == ["crowd_labels.csv.gz", "gt.tsv"]
    assert CrowdKit.recognises(Sample.of(tmp_path))


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match=r"has no crowd_labels.csv; name the file of votes"):
        read_tables(CrowdKit(), tmp_path)
    (tmp_path / "speech.csv").write_text("task,performer,output\n1,ana,hello\n")
    message = "has neither columns task, worker and label, nor task and label, but 'task', 'performer', 'output'"
    with pytest.raises(VotesError, match=message):
        read_tables(CrowdKit(), tmp_path / "speech.csv")


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")  # of the other package
@pytest.mark.skipif(not CROWDS, reason="the real logs are not here")
@pytest.mark.parametrize("log", CROWDS, ids=lambda log: log.parent.name)
def test_majority_vote_of_crowd_kit_on_the_same_files(log: Path, tmp_path: Path) -> None:
    """Equal where one label has most votes: crowd-kit's choice among tied ones follows the order of rows.

    It counts a user's repeated votes, which become one of ours, so it gets the votes that count.
    """
    aggregation = pytest.importorskip("crowdkit.aggregation")
    rows = pq.read_table(log, columns=["observation_id", "user_id", "label"]).to_pandas()
    names = {"observation_id": "task", "user_id": "worker"}
    rows.rename(columns=names).to_csv(tmp_path / "crowd_labels.csv", index=False)
    votes = plant_aggregate.read_votes(tmp_path, format="crowd-kit")
    counted = votes.to_arrow().to_pandas().rename(columns=names).astype(str)
    theirs = aggregation.MajorityVote().fit_predict(counted[["task", "worker", "label"]])
    ours = plant_aggregate.Majority().fit(votes).to_pandas().set_index("observation_id")["label"]
    times = counted.groupby(["task", "label"]).size().unstack(fill_value=0)
    untied = times.eq(times.max(axis=1), axis=0).sum(axis=1) == 1
    assert untied.sum() > 0
    assert (ours[untied.index[untied]] == theirs[untied.index[untied]]).all()
    assert counted.shape[0] == len({(row.observation_id, row.user_id) for row in rows.itertuples()})
