"""What SpeciesNet says of pictures: which answers are votes, and which scores are probabilities."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plant_aggregate.errors import AggregateWarning, VotesError
from plant_aggregate.formats.megadetector import MegaDetector
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import Sample
from plant_aggregate.formats.speciesnet import SpeciesNet

from .made_speciesnet import BLANK, CAT, DEER, FELIDAE, LYNX, megadetector_layout, new_layout, old_layout

ALWAYS_LEFT_OUT = {"of pictures that could not be read or classified": 1, "of a taxon above species": 2}
Change = Callable[[dict[str, Any]], Any]


def written(folder: Path, value: object, name: str = "predictions.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value, indent=1))
    return path


def votes(tables: Tables) -> list[tuple[Any, ...]]:
    table = tables.tables.get("ai_votes")
    columns = ("observation_id", "label", "score")
    return [] if table is None else [tuple(row[column] for column in columns) for row in table.to_pylist()]


def is_balanced(tables: Tables) -> bool:
    account = tables.account
    return all(
        account.n_used(name) == (tables.tables[name].num_rows if name in tables.tables else 0)
        for name in account.n_read
    )


def test_boxes_of_one_species_are_a_vote_with_the_highest_score(tmp_path: Path) -> None:
    tables = read_tables(SpeciesNet(), written(tmp_path, new_layout()))
    assert votes(tables) == [("a/one.jpg", "Lynx rufus", 0.91), ("a/two.jpg", "Odocoileus virginianus", 0.95)]
    account = tables.account
    assert account.n_read == {"ai_votes": 11}
    assert account.left_out["ai_votes"] == ALWAYS_LEFT_OUT | {
        "naming nothing: blank, vehicle, animal or no result": 3,
        "without a classified animal": 2,  # no box, and a person's
    }
    assert account.n_rejected["ai_votes"] == {"with more than one species": 1}
    assert account.rejected[0].observation_id == "a/both.jpg"
    assert account.rejected[0].number == 5
    assert account.details == {"model": "4.0.3a"}
    assert is_balanced(tables)


def test_the_old_layout_has_one_answer_a_picture(tmp_path: Path) -> None:
    tables = read_tables(SpeciesNet(), written(tmp_path, old_layout()))
    assert votes(tables) == [
        ("a/one.jpg", "Lynx rufus", 0.91),
        ("a/two.jpg", "Odocoileus virginianus", 0.85),
        ("a/both.jpg", "Odocoileus virginianus", 0.85),
    ]
    assert tables.account.left_out["ai_votes"] == ALWAYS_LEFT_OUT | {
        "naming nothing: blank, vehicle, animal or no result": 4,
        "of people": 1,
    }
    assert is_balanced(tables)


def test_megadetectors_layout_has_the_same_votes(tmp_path: Path) -> None:
    tables = read_tables(MegaDetector(), written(tmp_path, megadetector_layout()))
    assert votes(tables) == votes(read_tables(SpeciesNet(), written(tmp_path, new_layout())))
    assert tables.account.facts == {}
    assert is_balanced(tables)


def test_without_raw_classifications_scores_have_no_source(tmp_path: Path) -> None:
    tables = read_tables(MegaDetector(), written(tmp_path, megadetector_layout(raw=False)))
    assert votes(tables) == [("a/one.jpg", "Lynx rufus", 0.91), ("a/two.jpg", "Odocoileus virginianus", 0.95)]
    assert tables.account.facts == {"pictures whose scores have no source: some may be sums of several classes": 8}
    assert set(tables.tables["ai_votes"]["source"].to_pylist()) == {""}


def test_answers_without_a_score_of_a_species_are_written_if_asked_for(tmp_path: Path) -> None:
    layouts = ((SpeciesNet, new_layout()), (MegaDetector, megadetector_layout()))
    for layout, value in layouts:
        tables = read_tables(layout(unscored=True), written(tmp_path, value))
        table = tables.tables["ai_votes"].select(["label", "score", "rank"]).to_pylist()
        assert [tuple(row.values()) for row in table] == [
            ("Lynx rufus", 0.91, "species"),
            ("Felis", None, "genus"),
            ("Felidae", None, "family"),
            ("Odocoileus virginianus", 0.95, "species"),
        ]
        assert is_balanced(tables)


@pytest.mark.parametrize("source", ["detector", "classifier+geofence+rollup_to_species", "classifier ", "", None])
def test_a_score_is_of_the_species_only_if_it_is_the_classifiers(tmp_path: Path, source: str | None) -> None:
    value = new_layout()
    value["predictions"][0]["detections"][0]["processed_classification"]["source"] = source
    tables = read_tables(SpeciesNet(), written(tmp_path, value))
    assert [row[0] for row in votes(tables)] == ["a/two.jpg"]
    reason = "rolled up, geofenced or by the detector, so without a score of the species"
    assert tables.account.left_out["ai_votes"][reason] == 1
    unscored = read_tables(SpeciesNet(unscored=True), written(tmp_path, value))
    assert votes(unscored)[0] == ("a/one.jpg", "Lynx rufus", None)


def test_score_lists_are_the_raw_probabilities(tmp_path: Path) -> None:
    for layout, value in ((SpeciesNet, new_layout()), (MegaDetector, megadetector_layout())):
        tables = read_tables(layout(score_lists=True), written(tmp_path, value))
        lists = {row["observation_id"]: row for row in tables.tables["scores"].to_pylist()}
        assert list(lists) == [
            "a/one.jpg",
            "a/rolled.jpg",
            "a/fence.jpg",
            "a/two.jpg",
            "a/blank.jpg",
            "a/animal.jpg",
            "a/unknown.jpg",
        ]
        assert lists["a/rolled.jpg"]["labels"] == ["Felis catus", "Felis silvestris lybica"]
        assert lists["a/rolled.jpg"]["probabilities"] == [0.4, 0.35]
        assert lists["a/two.jpg"]["probabilities"] == [0.95, 0.02]  # of the box that the vote is of
        assert lists["a/blank.jpg"]["labels"] == ["blank", "Felis catus"]
        assert tables.account.left_out["scores"] == {
            "with several boxes, and no species that their scores would be of": 1,
            "without scores of all classes": 2,
            "of pictures that could not be read or classified": 1,
        }
        assert is_balanced(tables)


def test_scores_that_are_no_probabilities_are_rejected(tmp_path: Path) -> None:
    for wrong in ([0.91], [0.91, 1.5], [0.91, "x"], [0.91, True]):
        value = new_layout()
        value["predictions"][0]["detections"][0]["raw_classifications"]["scores"] = wrong
        tables = read_tables(SpeciesNet(score_lists=True), written(tmp_path, value))
        assert tables.account.n_rejected["scores"] == {"with scores that are no probabilities of as many classes": 1}
        assert is_balanced(tables)


def test_pictures_of_one_observation_have_a_vote_each_and_one_score_list(tmp_path: Path) -> None:
    files = tmp_path / "files.csv"
    files.write_text("file,observation_id\n" + "".join(f"{name}.jpg,7\n" for name in ("one", "two", "rolled", "both")))
    path = written(tmp_path, new_layout())
    tables = read_tables(SpeciesNet(observations=str(files), base_folder="a", score_lists=True), path)
    assert votes(tables) == [("7", "Lynx rufus", 0.91), ("7", "Odocoileus virginianus", 0.95)]
    assert tables.account.n_rejected["ai_votes"]["of a file that --observations does not have"] == 6
    assert tables.account.left_out["ai_votes"]["of pictures that could not be read or classified"] == 1
    assert tables.tables["scores"].num_rows == 1
    assert tables.account.left_out["scores"]["of a further picture of the observation"] == 2
    assert is_balanced(tables)


@pytest.mark.parametrize("text", ["Lynx rufus", "11;mammalia;carnivora;felidae;lynx;rufus", LYNX + ";x", None, 5])
def test_a_class_without_seven_fields_is_rejected(tmp_path: Path, text: object) -> None:
    value = new_layout()
    value["predictions"][0]["detections"][0]["processed_classification"]["class"] = text
    tables = read_tables(SpeciesNet(), written(tmp_path, value))
    assert tables.account.n_rejected["ai_votes"]["of a class that has not seven fields"] == 1


@pytest.mark.parametrize("score", [1.5, -0.1, "0.9", True])
def test_a_score_out_of_range_is_rejected(tmp_path: Path, score: object) -> None:
    value = new_layout()
    value["predictions"][0]["detections"][0]["processed_classification"]["score"] = score
    tables = read_tables(SpeciesNet(), written(tmp_path, value))
    assert tables.account.n_rejected["ai_votes"]["with a score that is not in [0, 1]"] == 1


def test_a_picture_with_a_key_twice_is_rejected(tmp_path: Path) -> None:
    path = written(tmp_path, new_layout())
    path.write_text(path.read_text().replace('"score": 0.91,', '"score": 0.91, "score": 0.11,'))
    tables = read_tables(SpeciesNet(score_lists=True), path)
    assert tables.account.n_rejected["ai_votes"]["in which a key occurs twice"] == 1
    assert is_balanced(tables)


def test_a_species_beside_a_family_is_no_vote(tmp_path: Path) -> None:
    for other, reason in (
        (FELIDAE, "with a species beside a taxon above species, or with several of these"),
        (BLANK, ""),
    ):
        value = new_layout()
        box = {"class": other, "score": 0.9, "source": "classifier"}
        value["predictions"][0]["detections"].append({"category": "1", "conf": 0.9, "processed_classification": box})
        tables = read_tables(SpeciesNet(), written(tmp_path, value))
        assert tables.account.left_out["ai_votes"].get(reason, 0) == bool(reason)
        assert len(votes(tables)) == 1 + (not reason)


def test_the_whole_picture_may_be_classified(tmp_path: Path) -> None:
    value = new_layout()
    value["predictions"][0]["detections"][0] |= {"category": "0", "label": "whole_image_classification"}
    assert votes(read_tables(SpeciesNet(), written(tmp_path, value)))[0] == ("a/one.jpg", "Lynx rufus", 0.91)


def _without_info(value: dict[str, Any]) -> None:
    del value["info"]


def _detector_alone(value: dict[str, Any]) -> None:
    for prediction in value["predictions"]:
        for key in ("prediction", "prediction_score", "prediction_source", "classifications"):
            prediction.pop(key, None)


@pytest.mark.parametrize(
    ("value", "change", "fault"),
    [
        (new_layout(), lambda v: v["info"].update(format_version="20990101"), "has format version '20990101'"),
        (new_layout(), lambda v: v.update(info={}), "has format version None"),
        (
            new_layout(),
            lambda v: v["predictions"][2].update(prediction=LYNX),
            "record 3 has 'prediction', as files without",
        ),
        (new_layout(), _without_info, "neither format_version nor any prediction"),
        (old_layout(), _detector_alone, "neither format_version nor any prediction"),
        (new_layout(), lambda v: v["predictions"][1].pop("filepath"), "record 2 has no filepath"),
        (new_layout(), lambda v: v.pop("predictions"), "has no predictions"),
        (new_layout(), lambda v: v.update(predictions={}), "'predictions' is an object where a list is expected"),
    ],
)
def test_layouts_that_are_neither_or_both_are_refused(
    tmp_path: Path, value: dict[str, Any], change: Change, fault: str
) -> None:
    changed = json.loads(json.dumps(value))
    change(changed)
    with pytest.raises(VotesError, match=fault):
        read_tables(SpeciesNet(), written(tmp_path, changed))


def test_the_order_of_info_and_predictions_does_not_matter(tmp_path: Path) -> None:
    value = new_layout()
    swapped = {"predictions": value["predictions"], "info": value["info"]}
    assert votes(read_tables(SpeciesNet(), written(tmp_path, swapped))) == votes(
        read_tables(SpeciesNet(), written(tmp_path, value))
    )


def test_other_files_are_named_for_what_they_look_like(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match=r"has no predictions; it looks like megadetector; name that format"):
        read_tables(SpeciesNet(), written(tmp_path, megadetector_layout()))
    with pytest.raises(VotesError, match=r"has no images; it looks like speciesnet; name that format"):
        read_tables(MegaDetector(), written(tmp_path, new_layout()))
    assert SpeciesNet.recognises(Sample.of(written(tmp_path, old_layout())))


def test_several_model_versions_are_warned_of(tmp_path: Path) -> None:
    first, second = written(tmp_path, new_layout()), written(tmp_path, old_layout(), "old.json")
    with pytest.warns(AggregateWarning, match=r"there are 2 model versions \(4.0.1a, 4.0.3a\)"):
        tables = read_tables(SpeciesNet(), first, second)
    assert tables.account.details["model"] == "4.0.1a, 4.0.3a"


def test_names_of_categories_are_labels_for_other_classifiers(tmp_path: Path) -> None:
    value = megadetector_layout(raw=False)
    del value["classification_category_descriptions"]
    path = written(tmp_path, value)
    with pytest.raises(VotesError, match=r"has no classification_category_descriptions; .*--labels name"):
        read_tables(MegaDetector(), path)
    tables = read_tables(MegaDetector(labels="name"), path)
    assert votes(tables)[0] == ("a/one.jpg", "bobcat", 0.91)
    assert tables.account.left_out["ai_votes"]["naming nothing: blank, vehicle, animal or no result"] == 3


def test_descriptions_of_other_taxonomies_are_rejected(tmp_path: Path) -> None:
    value = megadetector_layout()
    key = next(key for key, text in value["classification_category_descriptions"].items() if text == DEER)
    value["classification_category_descriptions"][key] = "animalia;chordata;mammalia;artiodactyla;cervidae;alcesalces"
    tables = read_tables(MegaDetector(), written(tmp_path, value))
    assert tables.account.n_rejected["ai_votes"]["of a class that has not seven fields"] == 2


def test_a_score_that_is_not_of_the_best_raw_class_is_none_of_the_species(tmp_path: Path) -> None:
    value = megadetector_layout()
    key = next(key for key, text in value["classification_category_descriptions"].items() if text == CAT)
    value["images"][0]["detections"][0]["classifications"] = [[key, 0.96]]
    assert [row[0] for row in votes(read_tables(MegaDetector(), written(tmp_path, value)))] == ["a/two.jpg"]
