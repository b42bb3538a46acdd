from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plant_aggregate import ParameterError, VotesError
from plant_aggregate.formats import delimited
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.wide import Wide

MATRIX = "image,ana,bo,cy,gold\n007,Acer,NA,,Acer\n8,,Abies,Abies,\n"


def read(folder: Path, text: str, **options: Any) -> Tables:
    (folder / "matrix.csv").write_text(text)
    return read_tables(Wide(**options), folder / "matrix.csv")


def votes(found: Tables, table: str = "votes") -> set[tuple[str, ...]]:
    return {tuple(row.values()) for row in found.tables[table].to_pylist()}


def test_a_column_for_each_annotator(tmp_path: Path) -> None:
    found = read(tmp_path, MATRIX, truth="gold", blank=["NA"])
    assert votes(found) == {("007", "ana", "Acer"), ("8", "bo", "Abies"), ("8", "cy", "Abies")}
    assert votes(found, "truth") == {("007", "Acer")}
    assert (found.account.n_read["votes"], found.account.left_out["votes"]) == (6, {"empty cells": 3})
    assert (found.account.n_read["truth"], found.account.left_out["truth"]) == (2, {"empty cells": 1})
    assert found.account.facts == {}


def test_labels_that_look_missing_are_labels_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, MATRIX, ignore=["gold"])
    assert ("007", "bo", "NA") in votes(found)
    assert found.account.facts == {"with the label NA, which --blank makes empty cells": 1}


def test_a_row_for_each_annotator(tmp_path: Path) -> None:
    found = read(tmp_path, "user\t1\t2\nana\tAcer\t\ngold\tAcer\tAbies\n", transposed=True, truth="gold")
    assert votes(found) == {("1", "ana", "Acer")}
    assert votes(found, "truth") == {("1", "Acer"), ("2", "Abies")}


def test_the_column_of_observations_may_be_another(tmp_path: Path) -> None:
    found = read(tmp_path, "ana;obs;bo\nAcer;1;Abies\n", key="obs")
    assert votes(found) == {("1", "ana", "Acer"), ("1", "bo", "Abies")}


def test_the_index_of_a_frame_has_no_name(tmp_path: Path) -> None:
    assert votes(read(tmp_path, ",ana,bo\n1,Acer,Abies\n")) == {("1", "ana", "Acer"), ("1", "bo", "Abies")}


def test_bad_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "image,ana,bo\n1,Acer,Abies\n2,Acer\n,Acer,\n")
    account = found.account
    rejected = [(item.number, item.reason) for item in account.rejected]
    assert sorted(rejected) == [(3, "with fewer fields than the header"), (4, "without an observation")]
    assert (account.n_read["votes"], account.n_used()) == (5, 2)
    assert account.left_out == {"votes": {"empty cells": 1}}


def test_a_large_matrix_is_that_of_its_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 1000)
    random = np.random.default_rng(0)
    labels = random.choice(["", "Acer", "Abies", "Quercus robur"], (200, 7))
    lines = [",".join(["id", *(f"u{number}" for number in range(7))])]
    lines += [",".join([str(number), *row]) for number, row in enumerate(labels)]
    found = read(tmp_path, "\n".join(lines))
    cells = {(str(row), f"u{column}", str(label)) for (row, column), label in np.ndenumerate(labels) if label}
    assert votes(found) == cells
    assert found.account.n_used() == len(cells) == found.tables["votes"].num_rows


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("image\n1\n", {}, "has no column of labels; it must have commas, tabulators or semicolons"),
        ("image,ana,\n1,a,b\n", {}, "column 3 has no name"),
        ("image,ana,ana\n1,a,b\n", {}, "column 'ana' occurs more than once"),
        ("image,ana\n1,a\n", {"truth": "gold"}, "column 'gold' is missing"),
        ("image,ana\n1,a\n", {"key": "obs"}, "column 'obs' is missing"),
        ("image,ana\n1,a\n", {"ignore": ["x"]}, "column 'x' is missing"),
    ],
)
def test_matrices_that_cannot_be_read(tmp_path: Path, text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(VotesError, match=message):
        read(tmp_path, text, **options)


@pytest.mark.parametrize(
    ("text", "looks_like"),
    [("observation_id,user_id,label\n1,ana,Acer\n", "csv"), ("task,worker,label\n1,ana,Acer\n", "crowd-kit")],
)
def test_a_table_of_votes_is_no_matrix(tmp_path: Path, text: str, looks_like: str) -> None:
    message = f"is no matrix of labels; it looks like {looks_like}; name that format instead of wide"
    with pytest.raises(VotesError, match=message):
        read(tmp_path, text)
    assert read(tmp_path, text, key=text.partition(",")[0]).account.n_used("votes") == 2


def test_options_that_contradict_each_other() -> None:
    with pytest.raises(ParameterError, match="truth is 'gold', which is also named otherwise"):
        Wide(truth="gold", ignore=["gold"])
