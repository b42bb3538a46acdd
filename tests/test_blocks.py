"""Blocks are plain data, and text in a terminal."""

import json
import math
from dataclasses import asdict

import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.assessment.report.evaluation import evaluation_blocks
from plant_aggregate.blocks import Block, Interval, Label, Table
from plant_aggregate.cli.text import as_text

COUNTS = Table(
    rows=[("valid", 1234, 98.72, "may be used for training"), ("became valid", 16), ("gone", 0, 0.0)],
    formats=("", ",", ".1f %", ""),
    layout="counts",
)
MEASURES = {
    "header": ("", "observations", "accuracy", "ECE"),
    "rows": [("all", 1234, Interval(87.31, 86.1, 88.2), 0.03125), ("none", 0, Interval(*[math.nan] * 3), math.nan)],
    "formats": ("", ",", ".1f %", ".3f"),
}


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ([Block("title", ["a note", "  goes on"]), Block("another")], "title\na note\n  goes on\n\nanother"),
        (
            [Block("1,250 observations", [COUNTS, "a note"])],
            "1,250 observations\n"
            "  valid                   1,234   98.7 %   may be used for training\n"
            "  became valid               16\n"
            "  gone                        0    0.0 %\n"
            "a note",
        ),
        (
            [Block(content=[Table(**MEASURES)])],
            "      observations             accuracy    ECE\n"
            "all          1,234  87.3 % [86.1, 88.2]  0.031\n"
            "none             0                    -      -",
        ),
        (
            [Block(content=[Table(**MEASURES, layout="sideways", left=(0, 1))])],
            "              all                  none\n"
            "observations  1,234                   0\n"
            "accuracy      87.3 % [86.1, 88.2]     -\n"
            "ECE           0.031                   -",
        ),
        ([Block(content=[Table(rows=[("a", 1234, 0.5)], formats=("", ","))])], "a  1,234  0.5"),
        ([Block(content=[Table(rows=[("a", 1234)])])], "a  1234"),
        (
            [
                Block(
                    content=[
                        Table(
                            rows=[(0.5, 12.0)], header=("a", "long name"), formats=(".2f s", ".0f"), layout="sideways"
                        )
                    ]
                )
            ],
            "a          0.50 s\nlong name      12",
        ),
    ],
)
def test_blocks_are_aligned_text_in_a_terminal(blocks: list[Block], text: str) -> None:
    assert as_text(blocks) == text


def test_text_of_the_data_stays_in_its_cell() -> None:
    """Labels and ids are escaped, and integer ids have no thousands separators."""
    rows = [(Label("x" * 500),), (Label("Acer\n\x1b[31m"),), (Label(1234),), (Label(None),), ("y" * 50,)]
    table = Table(rows=rows, formats=(",",))
    lines = ["x" * 500, r"Acer\n\x1b[31m", "1234", "-", "y" * 50]
    assert as_text([Block("a\nb", [table, "c\nd"])]).split("\n") == [r"a\nb", *lines, r"c\nd"]


def test_blocks_are_plain_data() -> None:
    """A page can be made of them as they are: nothing in them is formatted for a terminal, or an object of ours."""
    votes = pa.table({"observation_id": [1, 1, 2], "user_id": ["a", "b", "a"], "label": ["x", "x", "y" * 50]})
    experts = plant_aggregate.truth_from_table(pa.table({"observation_id": [1, 2], "label": ["x", "z"]}))
    consensus = plant_aggregate.Majority().fit(plant_aggregate.votes_from_table(votes))
    evaluation = plant_aggregate.evaluate(consensus, experts, resamples=10)
    blocks = json.loads(json.dumps([asdict(block) for block in evaluation_blocks(evaluation, None, None)]))
    assert blocks[0]["title"] == "2 observations of 2 species known to experts and voted on"
    (measures,) = blocks[1]["content"]
    assert measures["header"][:3] == ["", "expert observations", "accuracy (not valid = wrong)"]
    assert measures["rows"][0][:2] == ["all", 2]
    assert measures["rows"][0][2][0] == 100 * evaluation.subsets[0].measures["accuracy"].value
    assert ["z", "y" * 50] in [[cell[0] for cell in row[2:]] for row in blocks[-1]["content"][0]["rows"]]
