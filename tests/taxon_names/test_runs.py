"""Runs whose labels are cleaned: what they publish, and what is made of them afterwards."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate import (
    AggregateWarning,
    NameSettings,
    Run,
    Settings,
    VotesError,
    read_ai_votes,
    read_truth,
    read_votes,
    votes_from_table,
)
from plant_aggregate.cli.main import run_command

from ..command_line import Capture
from ..object_store import Bucket
from .rows import written

pytestmark = pytest.mark.filterwarnings("ignore:no vote is known to be its observation's author")

ROWS = [
    (1, "ana", "Quercus robur L."),
    (1, "bo", "QUERCUS ROBUR"),
    (1, "eve", "Quercus pedunculata"),
    (2, "ana", "Acer campestre"),
    (2, "ana", "Acer sp."),  # withdraws her vote
    (2, "bo", "Acer campestre"),
    (3, "bo", "Nothing here"),
    (4, "eve", "Acer x zoeschense"),
    (4, "ana", None),
    (5, "eve", "Mentha aquatica / spicata"),
    (6, "ana", "Ilex aquifolium"),
    *((100 + number, "bo", "Acer campestre") for number in range(40)),
]
CLEANED = [
    (1, "ana", "Quercus robur"),
    (1, "bo", "Quercus robur"),
    (1, "eve", "Quercus robur"),
    (2, "bo", "Acer campestre"),
    (4, "eve", "Acer × zoeschense"),
    (6, "ana", "Ilex aquifolium"),
    *((100 + number, "bo", "Acer campestre") for number in range(40)),
]
"""The votes that remain."""

AI = [
    (1, "Quercus pedunculata Ehrh.", 0.9),
    (2, "Acer sp.", 0.8),
    (6, "Ilex aquifolium L.", 0.2),
    (6, "ILEX AQUIFOLIUM", 0.7),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    columns = zip(*ROWS, strict=True)
    table = dict(zip(("observation_id", "user_id", "label"), map(list, columns), strict=True))
    pq.write_table(pa.table(table), tmp_path / "votes.parquet", row_group_size=7)
    columns = zip(*AI, strict=True)
    ai = dict(zip(("observation_id", "label", "score"), map(list, columns), strict=True))
    pq.write_table(pa.table(ai), tmp_path / "ai.parquet")
    written(tmp_path / "synonyms.csv", "verbatim,accepted\nQuercus pedunculata,Quercus robur L.\n")
    return tmp_path


def run_in(folder: Path, votes: Any = None, strategy: str = "majority", **settings: Any) -> Run:
    given = Settings(names=True, synonyms=folder / "synonyms.csv", **settings)
    return plant_aggregate.run(folder / "votes.parquet" if votes is None else votes, folder / "out", strategy, given)


def rows_of(votes: plant_aggregate.Votes) -> list[tuple[Any, ...]]:
    table = pa.table(votes)
    return sorted(zip(*(table[name].to_pylist() for name in ("observation_id", "user_id", "label")), strict=True))


def test_labels_are_cleaned_before_votes_are_compared(folder: Path) -> None:
    run = run_in(folder)
    consensus = run.to_arrow().to_pydict()
    labels = dict(zip(consensus["observation_id"], consensus["label"], strict=True))
    assert {number: labels.get(number) for number in (1, 2, 4, 6)} == {
        1: "Quercus robur",
        2: "Acer campestre",
        4: "Acer × zoeschense",
        6: "Ilex aquifolium",
    }
    votes = run.counts["votes"]
    assert (votes["read"], votes["used"], votes["superseded"], votes["no_opinion"]) == (51, 46, 1, 4)
    assert run.record.names["labels"].pairs_alike == {"white_space": 0, "unicode_form": 0, "case": 0}


def test_the_table_and_run_json_say_what_became_of_labels(folder: Path) -> None:
    run = run_in(folder)
    rows = [tuple(row.values()) for row in run.read_table("labels.parquet").to_pylist()]
    assert rows == [
        ("Acer sp.", None, "refused", "above species", 1, 0),
        ("Acer x zoeschense", "Acer × zoeschense", "changed", "hybrid sign", 1, 0),
        ("Mentha aquatica / spicata", None, "refused", "several names", 1, 0),
        ("Nothing here", None, "refused", "no name of a taxon", 1, 0),
        ("QUERCUS ROBUR", "Quercus robur", "merged", "case", 1, 0),
        ("Quercus pedunculata", "Quercus robur", "merged", "synonym", 1, 0),
        ("Quercus robur L.", "Quercus robur", "merged", "authorship", 1, 0),
    ]
    counts = json.loads(Path(run.path("run.json")).read_text(encoding="utf-8"))["cleaned_labels"]
    assert (counts["labels"], counts["changed"], counts["merged"], counts["refused"]) == (9, 4, 3, 3)
    assert (counts["rows"], counts["rows_changed"], counts["rows_refused"]) == (50, 4, 3)
    assert run.record == plant_aggregate.open_latest(folder / "out").record
    assert run.record.files["synonyms"].sha256 is not None
    assert "labels.parquet" in run.files
    run.verify()


def test_the_votes_of_a_run_are_the_cleaned_ones_again(folder: Path) -> None:
    run = run_in(folder)
    (folder / "synonyms.csv").unlink()
    assert rows_of(run.votes()) == CLEANED
    assert rows_of(run.votes([1])) == CLEANED[:3]
    assert rows_of(run.votes(paths=pq.read_table(folder / "votes.parquet"))) == CLEANED


def test_votes_in_memory_and_by_themselves(folder: Path) -> None:
    table = pq.read_table(folder / "votes.parquet")
    names = NameSettings(names=True, synonyms=folder / "synonyms.csv")
    assert rows_of(read_votes(folder / "votes.parquet", names=names)) == CLEANED
    assert rows_of(read_votes(table, names=names)) == CLEANED
    assert rows_of(run_in(folder, table).votes(paths=table)) == CLEANED
    assert rows_of(votes_from_table(table)) != CLEANED


def test_votes_of_the_ai_are_cleaned_too(folder: Path) -> None:
    run = run_in(folder, strategy="plantnet", ai_votes=folder / "ai.parquet")
    rows = {row["verbatim"]: row for row in run.read_table("labels.parquet").to_pylist()}
    assert rows["Acer sp."] == {
        "verbatim": "Acer sp.",
        "label": None,
        "outcome": "refused",
        "reason": "above species",
        "votes": 1,
        "ai_votes": 1,
    }
    assert rows["ILEX AQUIFOLIUM"]["label"] == "Ilex aquifolium"
    ai = run.record.counts and run.record.counts.ai
    assert ai is not None
    assert (ai.no_opinion, ai.further) == (1, 1)
    alone = read_ai_votes(folder / "ai.parquet", names=NameSettings(names=True, synonyms=folder / "synonyms.csv"))
    assert alone.label_names.to_pylist() == ["Ilex aquifolium", "Quercus robur"]
    table = pq.read_table(folder / "ai.parquet")
    assert read_ai_votes(table, names=NameSettings(names=True)).label_names.to_pylist() == [
        "Ilex aquifolium",
        "Quercus pedunculata",
    ]


def test_a_run_that_cleans_nothing_is_as_before(folder: Path) -> None:
    run = plant_aggregate.run(folder / "votes.parquet", folder / "plain", "majority")
    assert "labels.parquet" not in run.files
    assert "cleaned_labels" not in run.manifest
    assert run.record.cleaned_labels is None
    truth = read_truth({"observation_id": [1], "label": ["Quercus robur L."]})
    assert run.experts(truth) is truth


def test_clean_votes_give_the_same_consensus_with_and_without(folder: Path) -> None:
    votes = pa.table(
        {"observation_id": [1, 1, 2], "user_id": ["a", "b", "a"], "label": ["Acer opalus"] * 2 + ["Ilex alba"]}
    )
    plain = plant_aggregate.run(votes, folder / "plain", "majority")
    cleaned = plant_aggregate.run(votes, folder / "cleaned", "majority", Settings(names=True))
    assert cleaned.record.outputs["consensus.parquet"] == plain.record.outputs["consensus.parquet"]
    assert cleaned.read_table("labels.parquet").num_rows == 0


def test_integer_labels_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    votes = pa.table({"observation_id": [1], "user_id": [1], "label": [7]})
    pq.write_table(votes, tmp_path / "votes.parquet")
    for given, where in ((tmp_path / "votes.parquet", "votes.parquet"), (votes, "table in memory")):
        with pytest.raises(VotesError, match=rf"{where}: column 'label' has type int64: numbers are not cleaned"):
            plant_aggregate.run(given, tmp_path / "out", settings=Settings(names=True))
        with pytest.raises(VotesError, match="numbers are not cleaned"):
            read_votes(given, names=NameSettings(names=True))
    assert not (tmp_path / "out").exists()


def test_many_refusals_are_a_warning_in_run_json(folder: Path) -> None:
    votes = pa.table({"observation_id": [1, 2], "user_id": ["a", "a"], "label": ["GIRAFFE", "Acer opalus"]})
    with pytest.warns(AggregateWarning, match="1 of 2 rows with a label count as no opinion") as caught:
        run = run_in(folder, votes)
    assert str(caught[-1].message) in run.record.warnings


TRUTH = {
    "observation_id": [1, 2, 4, 6, 100],
    "label": ["Quercus pedunculata Ehrh.", "Acer campestre L.", "Acer ×zoeschense", "Ilex sp.", "ACER CAMPESTRE"],
}


def test_experts_labels_are_cleaned_as_those_of_the_run(folder: Path) -> None:
    run = run_in(folder)
    with pytest.warns(AggregateWarning) as caught:
        experts = run.experts(read_truth(TRUTH))
    assert experts.labels.to_pylist() == ["Quercus robur", "Acer campestre", "Acer × zoeschense", "Acer campestre"]
    assert experts.observation_ids.to_pylist() == [1, 2, 4, 100]
    assert experts.n_unlabelled == 1
    assert str(caught[-1].message) == (
        "table in memory: of the experts' labels, cleaned as those of the run, 1 names no species for certain and is "
        "left out (first 'Ilex sp.': above species); 2 count as the same as another (first 'ACER CAMPESTRE' and 'Acer "
        "campestre L.')"
    )
    with pytest.warns(AggregateWarning):
        evaluation = plant_aggregate.evaluate(run, TRUTH, resamples=0)
    assert evaluation.subsets[0].measures["accuracy_of_labels"].value == 1.0


def test_a_label_of_experts_that_is_not_in_the_checklist_stays(folder: Path) -> None:
    """The run cannot be right there, which is to be seen."""
    checklist = written(folder / "list.txt", "Quercus robur\nAcer campestre\nIsoetes lacustris\n")
    run = run_in(folder, checklist=checklist)
    truth = read_truth({"observation_id": [1, 4, 6], "label": ["Quercus L.", "Acer x zoeschense", "Isoëtes lacustris"]})
    with pytest.warns(AggregateWarning, match="1 names no species for certain and is left out"):
        experts = run.experts(truth)
    assert experts.labels.to_pylist() == ["Acer × zoeschense", "Isoetes lacustris"]


def test_experts_labels_where_the_files_have_changed(folder: Path) -> None:
    run = run_in(folder)
    written(folder / "synonyms.csv", "verbatim,accepted\nQuercus pedunculata,Quercus alba\n")
    truth = read_truth({"observation_id": [1, 2], "label": ["Quercus pedunculata", "Acer campestre L."]})
    with pytest.warns(AggregateWarning, match="that nobody voted are not cleaned as those of run .*has changed since"):
        experts = run.experts(truth)
    assert experts.labels.to_pylist() == ["Quercus robur", "Acer campestre L."]


def test_experts_that_name_no_species_at_all(folder: Path) -> None:
    run = run_in(folder)
    with pytest.warns(AggregateWarning), pytest.raises(VotesError, match="no expert label names a species"):
        run.experts(read_truth({"observation_id": [1], "label": ["Quercus sp."]}))


def test_the_command(folder: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    options = ["--names", "--synonyms", "synonyms.csv", "--strategy", "majority"]
    assert run_command(["run", "votes.parquet", "-q", *options]) == 0
    said = capfd.readouterr().out
    assert "of 9 labels 4 changed (4 rows), 3 of them merged; 3 refused (3 rows without opinion)\n" in said
    assert "  'Acer sp.' counts as no opinion (above species; 1 row)\n" in said
    assert "  'QUERCUS ROBUR' counts as 'Quercus robur' (case; 1 row)\n" in said
    assert "  labels.parquet says which and why\n" in said
    pq.write_table(pa.table(TRUTH), "truth.parquet")
    assert run_command(["evaluate", "consensus", "--truth", "truth.parquet", "--votes", "votes.parquet", "--json"]) == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out)["overlap"]["unlabelled"] == 1
    assert "left out (first 'Ilex sp.'" in captured.err
    assert "do not belong together" not in captured.err
    written(folder / "run.toml", '[run]\nvotes = ["votes.parquet"]\nnames = true\nsynonyms = "synonyms.csv"\n')
    assert run_command(["run", "--config", "run.toml", "-q", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["cleaned_labels"]["merged"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--parser", "gbif"], "--parser is given without --names"),
        (["--to-species"], "--to-species is given without --names"),
        (["--names", "--synonyms", "nowhere.csv"], "nowhere.csv"),
        (["--names", "--parser", "gni"], "'gni' is not one of 'gbif', 'gnparser'"),
    ],
)
def test_wrong_options(
    options: list[str], message: str, folder: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert run_command(["run", "votes.parquet", "-q", *options]) in (1, 2)
    assert message in capfd.readouterr().err
    assert not (folder / "consensus").exists()


def test_labels_of_scores_are_cleaned_too(folder: Path) -> None:
    lists = {
        "observation_id": [1, 2, 6],
        "labels": [["Quercus robur L.", "Acer sp.", "Quercus pedunculata"], ["Acer campestre"], ["Ilex aquifolium L."]],
        "probabilities": [[0.25, 0.125, 0.5], [0.75], [0.5]],
    }
    pq.write_table(pa.table(lists), folder / "lists.parquet")
    rows = [
        (number, label, share)
        for number, labels, shares in zip(*lists.values(), strict=True)
        for label, share in zip(labels, shares, strict=True)
    ]
    columns = zip(*rows, strict=True)
    table = dict(zip(("observation_id", "label", "probability"), map(list, columns), strict=True))
    pq.write_table(pa.table(table), folder / "rows.parquet")
    for scores in ("lists.parquet", "rows.parquet"):
        run = run_in(folder, scores=folder / scores)
        areas = dict(zip(*(run.to_arrow()[name].to_pylist() for name in ("observation_id", "score_aum")), strict=True))
        assert {number: areas[number] for number in (1, 2, 6)} == {1: 0.625, 2: 0.75, 6: 0.5}


def test_experts_labels_in_exports_are_cleaned_too(folder: Path) -> None:
    run = run_in(folder)
    truth = read_truth({"observation_id": [1, 2], "label": ["Quercus pedunculata Ehrh.", "Acer campestre L."]})
    table = pa.table({"observation_id": truth.observation_ids, "label": truth.labels})
    plant_aggregate.export(run, "crowd-kit", folder / "exported", truth=table)
    (file,) = (folder / "exported").glob("gt*")
    rows = csv.DictReader(file.read_text().splitlines())
    assert [row["label"] for row in rows] == ["Quercus robur", "Acer campestre"]


def test_an_error_that_no_vote_is_left_says_why(folder: Path) -> None:
    checklist = written(folder / "list.txt", "Acer campestre L.\n")
    with pytest.raises(VotesError) as error:
        read_votes(folder / "votes.parquet", names=NameSettings(checklist=checklist))
    assert str(error.value).endswith(
        "votes.parquet: no usable vote left of 51 rows: 50 of 50 rows with a label count as no opinion, most often for "
        "the reason 'not in the checklist' (50); the most frequent label is 'Acer campestre'; labels are compared with "
        "the checklist as they stand; --names compares them as names"
    )
    assert read_votes(folder / "votes.parquet", names=NameSettings(names=True, checklist=checklist)).n_votes == 41
    with pytest.raises(VotesError, match="no usable AI vote in 4 rows: 4 of 4 rows"):
        read_ai_votes(folder / "ai.parquet", names=NameSettings(checklist=checklist))


def test_a_difference_to_a_run_without_names_is_one_of_votes(folder: Path) -> None:
    plain = plant_aggregate.run(folder / "votes.parquet", folder / "plain", "majority")
    changes = plant_aggregate.diff(plain, run_in(folder))
    assert changes.found is not None
    assert changes.found.counts is not None
    why = changes.found.counts.why
    assert why["votes"] >= changes.found.counts.label_changed > 0
    assert sum(why.values()) == why["votes"]


def test_files_in_an_object_store(folder: Path, bucket: Bucket) -> None:
    uri = bucket.put("synonyms.csv", folder / "synonyms.csv")
    names = NameSettings(names=True, synonyms=uri)
    assert rows_of(read_votes(folder / "votes.parquet", names=names)) == CLEANED
    run = plant_aggregate.run(folder / "votes.parquet", folder / "out", "majority", Settings(names=True, synonyms=uri))
    assert str(run.record.files["synonyms"].path).startswith("s3://")
    assert run.experts(read_truth({"observation_id": [1], "label": ["Quercus pedunculata"]})).labels.to_pylist() == [
        "Quercus robur"
    ]
    wrong = bucket.put("wrong.csv", written(folder / "wrong.csv", "a,b,c\n"))
    with pytest.raises(VotesError, match=r"^s3://.*wrong\.csv.*: has no columns verbatim and accepted"):
        read_votes(folder / "votes.parquet", names=NameSettings(synonyms=wrong))


def test_an_archive_that_is_unpacked_has_a_digest(folder: Path) -> None:
    archive = folder / "taxa"
    archive.mkdir()
    written(
        archive / "NameUsage.tsv",
        "ID\tscientificName\trank\tstatus\tparentID\n1\tQuercus robur\tspecies\taccepted\t\n"
        "2\tQuercus pedunculata\tspecies\tsynonym\t1\n",
    )
    settings = Settings(names=True, synonyms=archive)
    run = plant_aggregate.run(folder / "votes.parquet", folder / "out", "majority", settings)
    assert rows_of(run.votes()) == CLEANED
    digest = run.record.files["synonyms"].sha256
    assert digest is not None
    truth = read_truth({"observation_id": [1], "label": ["Quercus pedunculata"]})
    assert run.experts(truth).labels.to_pylist() == ["Quercus robur"]
    written(archive / "Reference.tsv", "ID\n")
    with pytest.warns(AggregateWarning, match="has changed since"):
        run.experts(truth)
