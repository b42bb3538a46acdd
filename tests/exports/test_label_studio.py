"""Tasks for Label Studio, and what comes back."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.exports import label_studio as module
from plant_aggregate.formats.label_studio import LabelStudio
from plant_aggregate.formats.reading import read_tables

ODD = 'Acer "opalus" & <Mill.>'
VOTES = {
    "observation_id": [1, 1, 2, 3, 3, 3, 4],
    "user_id": [1, 2, 1, 1, 2, 3, 2],
    "label": [ODD, ODD, "Ilex aquifolium", "Acer campestre", "Quercus robur", "Quercus robur", "Betula"],
    "is_author": [True, False, True, False, True, False, False],
}
URL = "https://example.org/{}.jpg"


@pytest.fixture
def run(work: Path) -> plant_aggregate.Run:
    return plant_aggregate.run(VOTES, work / "consensus")


def images(work: Path, rows: list[tuple[Any, str]] | None = None) -> Path:
    listed = [(number, URL.format(number)) for number in (1, 2, 3, 4)] if rows is None else rows
    ids, places = zip(*listed, strict=True)
    pq.write_table(pa.table({"observation_id": ids, "image": places}), work / "images.parquet")
    return work / "images.parquet"


def exported(run: Any, work: Path, **options: Any) -> tuple[list[dict[str, Any]], ElementTree.Element]:
    folder = work / "review"
    plant_aggregate.export(run, "label-studio", folder, overwrite=True, **options)
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    return tasks, ElementTree.parse(folder / "label_config.xml").getroot()


def labels_in(control: ElementTree.Element) -> list[str]:
    return [choice.get("alias") or choice.get("value") or "" for choice in control.iter("Choice")]


def test_the_consensus_is_a_prediction_and_no_annotation(run: plant_aggregate.Run, work: Path) -> None:
    tasks, config = exported(run, work, images=images(work))
    consensus = {row["observation_id"]: row for row in run.to_arrow().to_pylist()}
    assert tasks[0] == {
        "data": {"image": "https://example.org/1.jpg", "observation_id": "1"},
        "predictions": [
            {
                "model_version": run.run_id,
                "score": consensus[1]["confidence"],
                "result": [
                    {"from_name": "species", "to_name": "image", "type": "choices", "value": {"choices": [ODD]}}
                ],
            }
        ],
    }
    assert [task["data"]["observation_id"] for task in tasks] == ["1", "2", "3", "4"]
    assert all(task.keys() == {"data", "predictions"} for task in tasks)
    assert all(0 <= task["predictions"][0]["score"] <= 1 for task in tasks)
    control = config.find("Choices")
    assert control is not None
    assert control.attrib == {"name": "species", "toName": "image", "choice": "single", "layout": "select"}
    picture = config.find("Image")
    assert picture is not None
    assert picture.attrib == {"name": "image", "value": "$image"}


def test_all_labels_and_the_strongest_others_can_be_chosen(run: plant_aggregate.Run, work: Path) -> None:
    tasks, config = exported(run, work, images=images(work, [(1, URL), (99, URL)]))
    assert len(tasks) == 1
    assert labels_in(config) == [ODD, "Acer campestre", "Betula", "Ilex aquifolium", "Quercus robur"]


def test_observations_are_chosen_by_their_status(run: plant_aggregate.Run, work: Path) -> None:
    for status in ("valid", "contested", "needs_votes"):
        wanted = [str(row["observation_id"]) for row in run.to_arrow().to_pylist() if row["status"] == status]
        if wanted:
            tasks, _ = exported(run, work, images=images(work), only=status)
            assert [task["data"]["observation_id"] for task in tasks] == wanted
        else:
            with pytest.raises(VotesError, match="has no image of the 0 observations to export"):
                exported(run, work, images=images(work), only=status)


def test_several_pictures_of_an_observation_are_pages(run: plant_aggregate.Run, work: Path) -> None:
    table = images(work, [(1, URL.format("a")), (2, URL.format("b")), (1, URL.format("c"))])
    tasks, config = exported(run, work, images=table)
    assert [task["data"]["images"] for task in tasks] == [[URL.format("a"), URL.format("c")], [URL.format("b")]]
    picture = config.find("Image")
    assert picture is not None
    assert picture.attrib == {"name": "image", "valueList": "$images"}


def test_files_are_served_from_a_folder(run: plant_aggregate.Run, work: Path) -> None:
    table = images(work, [(1, "pictures/a b.jpg"), (2, URL), (3, "pictures/gone.jpg")])
    with pytest.raises(VotesError, match="2 of 3 image files are not there"):
        exported(run, work, images=table, local_root=str(work))
    (work / "pictures").mkdir()
    (work / "pictures" / "a b.jpg").write_bytes(b"")
    table = images(work, [(1, "pictures/a b.jpg"), (2, URL)])
    with pytest.raises(VotesError, match="is a file, which a browser cannot load; give URLs, or the folder"):
        exported(run, work, images=table)
    tasks, _ = exported(run, work, images=table, local_root=str(work))
    assert [task["data"]["image"] for task in tasks] == ["/data/local-files/?d=pictures/a%20b.jpg", URL]
    with pytest.raises(VotesError, match="is not below"):
        exported(run, work, images=table, local_root=str(work / "elsewhere"))
    assert not (work / "nothing").exists()


def test_a_tree_of_genera(run: plant_aggregate.Run, work: Path) -> None:
    tasks, config = exported(run, work, images=images(work), kind="taxonomy")
    assert tasks[0]["predictions"][0]["result"][0]["value"] == {"taxonomy": [["Acer", ODD]]}
    control = config.find("Taxonomy")
    assert control is not None
    assert [choice.get("value") for choice in control.findall("Choice")] == ["Acer", "Betula", "Ilex", "Quercus"]
    assert [choice.get("value") for choice in control.findall("Choice/Choice")] == [
        ODD,
        "Acer campestre",
        "Ilex aquifolium",
        "Quercus robur",
    ]


def test_a_table_gives_numbers_their_names(work: Path) -> None:
    votes = VOTES | {"label": [11, 11, 12, 13, 14, 14, 15]}
    run = plant_aggregate.run(votes, work / "consensus")
    taxa = {"label": [11, 12, 13, 14], "name": ["Acer opalus", "Ilex", "Acer campestre", "Quercus robur"]}
    pq.write_table(pa.table(taxa), work / "taxa.parquet")
    tasks, config = exported(run, work, images=images(work), taxonomy=str(work / "taxa.parquet"))
    assert tasks[0]["predictions"][0]["result"][0]["value"] == {"choices": ["11"]}
    shown = {choice.get("value"): choice.get("alias") for choice in config.iter("Choice")}
    assert shown == {"15": None, "Acer campestre": "13", "Acer opalus": "11", "Ilex": "12", "Quercus robur": "14"}
    tasks, _ = exported(run, work, images=images(work), taxonomy=str(work / "taxa.parquet"), kind="taxonomy")
    assert tasks[0]["predictions"][0]["result"][0]["value"] == {"taxonomy": [["Acer", "11"]]}


@pytest.mark.parametrize(
    "control", ["image", "observation_id", "id", "annotator", "lead_time", "updated_at", "a b", ""]
)
def test_a_control_has_no_name_that_exports_need(work: Path, control: str) -> None:
    with pytest.raises(ParameterError, match="control is"):
        module.LabelStudio(images="i.parquet", control=control)


def test_pictures_are_needed_and_labels_must_fit_into_xml(work: Path) -> None:
    with pytest.raises(ParameterError, match="export label-studio needs images; name the table of pictures"):
        module.LabelStudio()
    run = plant_aggregate.run(VOTES | {"label": ["Acer\x0bopalus"] * 7}, work / "consensus")
    with pytest.raises(VotesError, match=r"'Acer\\x0bopalus' has a character that XML cannot hold"):
        exported(run, work, images=images(work))
    assert not (work / "review").exists()


def test_many_tasks_are_several_files(run: plant_aggregate.Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TASKS", 3)
    tasks, _ = exported(run, work, images=images(work))
    more = json.loads((work / "review" / "tasks-2.json").read_text())
    assert [task["data"]["observation_id"] for task in [*tasks, *more]] == ["1", "2", "3", "4"]
    assert len(tasks) == 3


@pytest.mark.parametrize("kind", ["choices", "taxonomy"])
def test_what_is_annotated_comes_back_as_votes(run: plant_aggregate.Run, work: Path, kind: str) -> None:
    """As Label Studio does: a task gets an id, and an annotation the result of its prediction."""
    tasks, _ = exported(run, work, images=images(work), kind=kind)
    for number, task in enumerate(tasks, 1):
        (prediction,) = task["predictions"]
        result = [{"id": "a1b2", "origin": "prediction"} | region for region in prediction["result"]]
        made = {"id": number * 10, "completed_by": 5, "result": result, "was_cancelled": False, "ground_truth": False}
        task |= {"id": number, "inner_id": number, "annotations": [made], "total_annotations": 1}
    path = work / "project.json"
    path.write_text(json.dumps(tasks))
    found = read_tables(LabelStudio(observation="observation_id"), path)
    consensus = run.to_arrow()
    labels = consensus["label"].to_pylist()
    ids = [str(number) for number in consensus["observation_id"].to_pylist()]
    votes, ai_votes = found.tables["votes"], found.tables["ai_votes"]
    assert votes["observation_id"].to_pylist() == ai_votes["observation_id"].to_pylist() == ids
    assert votes["label"].to_pylist() == ai_votes["label"].to_pylist() == labels
    assert ai_votes["score"].to_pylist() == consensus["confidence"].to_pylist()
    assert found.account.n_used() == len(ids)
