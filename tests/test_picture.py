"""The picture in the README is drawn from the sample, by the measures of evaluations."""

import importlib.util
from xml.etree import ElementTree

import numpy as np
import pytest

from plant_aggregate.measures import risk_coverage_area
from tests.paths import ROOT

spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
assert spec is not None
assert spec.loader is not None
picture = importlib.util.module_from_spec(spec)
spec.loader.exec_module(picture)


def test_the_mean_over_the_shares_kept_is_the_measure_of_evaluations() -> None:
    draw = np.random.default_rng(1)
    confidence, right = draw.integers(0, 5, 40) / 5, draw.random(40) < 0.7
    (area,) = np.ravel(risk_coverage_area(confidence, right, np.ones((1, 40))))
    assert 1 - picture.accuracy_of_most_confident(confidence, right).mean() == pytest.approx(area)


def test_the_picture_is_what_the_program_makes_and_names_its_lines() -> None:
    file = ROOT / "docs" / "overview.svg"
    assert file.read_text(encoding="utf-8") == picture.overview(), "make docs draws it anew"
    texts = [element.text for element in ElementTree.parse(file).iter("{http://www.w3.org/2000/svg}text")]
    assert {*picture.LINES, "from 8 species on, a vote makes a label valid"} <= set(texts)


def test_the_picture_of_prediction_sets_shows_the_methods_of_the_simulation() -> None:
    file = ROOT / "docs" / "sets.svg"
    assert file.read_text(encoding="utf-8") == picture.sets(), "make docs draws it anew"
    texts = [element.text for element in ElementTree.parse(file).iter("{http://www.w3.org/2000/svg}text")]
    assert all(texts.count(shown) == 2 for shown, _, _ in picture.SETS.values())
