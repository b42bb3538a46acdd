"""Prediction sets with names: tables, records for a page, and one observation at a time."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from plant_aggregate import NamedScores, ParameterError, VotesError, read_taxonomy, scores_from_matrix
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predictor import SetPredictor
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.scores.aps import Aps
from plant_aggregate.assessment.conformal.scores.pas import Pas
from plant_aggregate.assessment.conformal.scores.softmax import Softmax
from plant_aggregate.assessment.conformal.sets import Bounds
from plant_aggregate.assessment.conformal.thresholds.base import Thresholds
from plant_aggregate.assessment.conformal.thresholds.standard import Standard

SPACE = pa.array(["Acer opalus", "Quercus petraea", "Quercus robur"])
TAXONOMY = read_taxonomy(
    {
        "label": ["Quercus robur", "Quercus petraea", "Quercus", "Acer opalus", "Acer"],
        "parent": ["Quercus", "Quercus", "Fagaceae", "Acer", "Sapindaceae"],
        "rank": ["species", "species", "genus", "species", "genus"],
    }
)
MATRIX = [[0.1, 0.5, 0.4], [0.05, 0.05, 0.9], [0.2, 0.2, 0.2], [0.1, 0.1, 0.1]]


def predictor_of(*thresholds: float, score: Any = None, space: LabelSpace | None = None) -> SetPredictor:
    levels = {Alpha.of(f"0.{k + 1}"): Thresholds(t) for k, t in enumerate(thresholds)}
    return SetPredictor(score or Softmax(), Standard(), space or LabelSpace(SPACE), levels)


@pytest.fixture
def scores() -> NamedScores:
    names = ["Acer opalus", "Quercus robur", "Quercus petraea"]
    return scores_from_matrix(MATRIX, names, observation_ids=[7, 8, 9, 10], top=2)


def test_an_encoded_table_has_the_names_that_occur_as_a_dictionary(scores: NamedScores) -> None:
    sets = predictor_of(0.45).predict(scores)
    labels = sets.encoded()["labels"].combine_chunks()
    assert labels.values.dictionary.to_pylist() == ["Quercus petraea", "Quercus robur"]
    assert sets.encoded().to_pylist() == sets.to_arrow().to_pylist()


def test_a_table_has_names_ids_and_common_taxa(scores: NamedScores) -> None:
    rows = predictor_of(0.15).predict(scores).with_taxa(TAXONOMY).to_arrow().to_pylist()
    assert rows[0] == {
        "observation_id": 7,
        "labels": ["Quercus robur", "Quercus petraea"],
        "probabilities": [0.5, 0.4],
        "scores": [0.5, 0.4],
        "size": 2,
        "whole_space": False,
        "empty": False,
        "common_taxon": "Quercus",
        "common_rank": "genus",
        "common_name": "Quercus",
        "n_genera": 1,
        "n_families": None,
    }
    assert [row["size"] for row in rows] == [2, 1, 2, 0]
    assert [row["common_taxon"] for row in rows] == ["Quercus", "Quercus petraea", None, None]
    assert [row["n_genera"] for row in rows] == [1, 1, 2, 0]


def test_a_set_of_all_labels_has_what_all_have_in_common(scores: NamedScores) -> None:
    """A threshold of 0 takes in labels that are not listed, too."""
    sets = predictor_of(0.0).predict(scores).with_taxa(TAXONOMY)
    rows = sets.to_arrow()
    assert rows["whole_space"].to_pylist() == [True] * 4
    assert rows["common_taxon"].to_pylist() == [None] * 4
    assert rows["n_genera"].to_pylist() == [2] * 4
    assert "4 of all labels" in repr(sets)


def test_genera_are_read_from_names_where_no_taxonomy_is_given(scores: NamedScores) -> None:
    rows = predictor_of(0.15).predict(scores).with_taxa().to_arrow()
    assert rows["common_taxon"].to_pylist() == ["Quercus", "Quercus petraea", None, None]
    assert rows["common_rank"].to_pylist() == ["genus", "species", None, None]


def test_labels_outside_the_space_have_names_too() -> None:
    scores = scores_from_matrix([[0.6, 0.4]], ["Ilex aquifolium", "Quercus robur"])
    (row,) = predictor_of(0.3).predict(scores).with_taxa(TAXONOMY).to_arrow().to_pylist()
    assert row["labels"] == ["Ilex aquifolium", "Quercus robur"]
    assert (row["common_taxon"], row["n_genera"]) == (None, None)


def test_pandas_polars_and_arrow_agree(scores: NamedScores) -> None:
    sets = predictor_of(0.15).predict(scores)
    assert sets.to_pandas()["size"].tolist() == [2, 1, 2, 0]
    assert pa.table(sets).equals(sets.to_arrow())


@pytest.mark.extras
def test_polars_has_the_same_sizes(scores: NamedScores) -> None:
    pytest.importorskip("polars")
    assert predictor_of(0.15).predict(scores).to_polars()["size"].to_list() == [2, 1, 2, 0]


def test_records_are_json_and_say_what_the_table_says(scores: NamedScores) -> None:
    sets = predictor_of(0.15).predict(scores).with_taxa(TAXONOMY)
    records = json.loads(json.dumps(sets.records(), allow_nan=False))
    assert records[0]["labels"] == [
        {"label": "Quercus robur", "probability": 0.5, "score": 0.5},
        {"label": "Quercus petraea", "probability": 0.4, "score": 0.4},
    ]
    for record, row in zip(records, sets.to_arrow().to_pylist(), strict=True):
        assert [item["label"] for item in record.pop("labels")] == row["labels"]
        assert record.pop("alpha") == 0.1
        assert record == {
            name: value for name, value in row.items() if name not in ("labels", "probabilities", "scores")
        }


def test_an_infinite_score_is_null_in_records() -> None:
    space = LabelSpace(SPACE, Prior(np.array([1.0, 0.0, 3.0]), 0.0))
    sets = predictor_of(1.0, score=Pas(), space=space).predict_one({"Quercus petraea": 0.2, "Acer opalus": 0.5})
    (record,) = sets.records()
    assert record["labels"] == [
        {"label": "Quercus petraea", "probability": 0.2, "score": None},
        {"label": "Acer opalus", "probability": 0.5, "score": 2.0},
    ]


def test_one_observation_has_the_set_that_it_has_among_others(scores: NamedScores) -> None:
    predictor = predictor_of(0.15, 0.3)
    many = predictor.predict(scores, "0.2").with_taxa(TAXONOMY).records()
    for record, row in zip(many, scores.to_arrow().to_pylist(), strict=True):
        one = predictor.predict_one(dict(zip(row["labels"], row["probabilities"], strict=True)), 0.2)
        assert one.with_taxa(TAXONOMY).records() == [{**record, "observation_id": 0}]
    labels = predictor.predict_one({"Ilex": 0.9, "Acer opalus": 0.5}, 0.1).records()[0]["labels"]
    assert [item["label"] for item in labels] == ["Ilex", "Acer opalus"]
    assert predictor.predict_one({}, 0.1).records()[0]["empty"]


def test_what_depends_on_the_label_space_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service answers in less than a millisecond, whatever the number of labels."""
    made = []
    on, bounds = Softmax.on, Bounds.of
    monkeypatch.setattr(Softmax, "on", lambda *given: made.append("score") or on(*given))
    monkeypatch.setattr(Bounds, "of", lambda *given: made.append("bounds") or bounds(*given))
    predictor = predictor_of(0.15, 0.3)
    for _ in range(3):
        predictor.predict_one({"Acer opalus": 0.5}, 0.1)
    assert made.count("score") == 1
    assert made.count("bounds") <= 2  # one for each level


def test_integer_labels() -> None:
    predictor = predictor_of(0.3, space=LabelSpace(pa.array([5, 7])))
    assert predictor.predict_one({7: 0.5, 9: 0.4}).to_arrow()["labels"].to_pylist() == [[7, 9]]


@pytest.mark.parametrize("wrong", [float("nan"), -0.1, 1.5])
def test_a_probability_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(VotesError, match=r"the probability of 'Ilex' is .*, but must be in \[0, 1\]"):
        predictor_of(0.1).predict_one({"Acer opalus": 0.5, "Ilex": wrong})


def test_a_probability_beside_an_end_is_moved_to_it() -> None:
    (record,) = predictor_of(0.1).predict_one({"Acer opalus": 1.0000001, "Quercus robur": -1e-7}).records()
    assert record["labels"] == [{"label": "Acer opalus", "probability": 1.0, "score": 1.0}]


def test_a_randomised_score_needs_a_draw() -> None:
    predictor = predictor_of(-0.7, score=Aps(own_mass="random"))
    likely = {"Acer opalus": 0.6, "Quercus robur": 0.3, "Quercus petraea": 0.1}
    with pytest.raises(ParameterError, match="is random, and needs a draw for each observation"):
        predictor.predict_one(likely)
    assert [predictor.predict_one(likely, draw=draw).records()[0]["size"] for draw in (0.0, 0.9)] == [2, 1]


def test_a_level_must_have_been_fitted(scores: NamedScores) -> None:
    with pytest.raises(ParameterError, match=r"alpha is 0\.5 but was fitted at 0\.1, 0\.2; fit it at this level, too"):
        predictor_of(0.1, 0.2).predict(scores, 0.5)
    with pytest.raises(ParameterError, match=r"there are several levels, alpha 0\.1, 0\.2; name one of them"):
        predictor_of(0.1, 0.2).predict(scores)


def test_a_first_look(scores: NamedScores) -> None:
    sets = predictor_of(0.15).predict(scores).with_taxa(TAXONOMY)
    assert repr(sets) == "NamedSets(4 observations at alpha 0.1: mean size 1.25, 1 empty)"
    page = sets._repr_html_()
    assert '<td style="text-align: left">Quercus robur, Quercus petraea</td>' in page
    assert "common taxon" in page


def test_labels_outside_the_space_do_not_make_a_set_the_whole_space() -> None:
    levels = {Alpha.of("0.1"): Thresholds(-np.inf, np.array([-np.inf, -np.inf, 0.9]))}
    predictor = SetPredictor(Softmax(), Standard(), LabelSpace(SPACE), levels)
    two_of_three = predictor.predict_one({"Quercus robur": 0.2, "Tilia cordata": 0.1})
    assert two_of_three.sets.sizes.tolist() == [3]
    assert two_of_three.sets.whole_space.tolist() == [False]
    assert predictor.predict_one({"Quercus robur": 0.9, "Tilia cordata": 0.1}).sets.whole_space.tolist() == [True]


def test_integers_are_no_labels_where_those_of_the_model_are_texts() -> None:
    with pytest.raises(VotesError, match="there is a label 3, but those of the model are of type string"):
        predictor_of(0.5).predict_one({3: 0.9})
    with pytest.raises(VotesError, match="there is a label 'Tilia', but those of the model are of type int64"):
        predictor_of(0.5, space=LabelSpace(pa.array([1, 2]))).predict_one({"Tilia": 0.9})


def test_what_is_no_label_list_or_taxonomy_is_a_type_error(scores: NamedScores) -> None:
    predictor: Any = predictor_of(0.15)
    with pytest.raises(
        TypeError, match=r"label lists are wanted, not a pandas\.DataFrame: write scores_from_table\(frame\)"
    ):
        predictor.predict(scores.to_arrow().to_pandas())
    with pytest.raises(TypeError, match="probabilities by label are wanted, not a list: write"):
        predictor.predict_one([0.5])
    with pytest.raises(
        TypeError, match=r"a taxonomy is wanted, not the text 't\.parquet': write with_taxa\(read_taxonomy"
    ):
        predictor.predict(scores).with_taxa("t.parquet")
