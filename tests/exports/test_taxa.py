"""Genera and names of labels, from tables of these and from taxonomies."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate import VotesError
from plant_aggregate.exports.taxa import Taxa, read_taxa


def taxa_of(folder: Path, label_type: pa.DataType, **columns: Any) -> Taxa:
    pq.write_table(pa.table(columns), folder / "taxa.parquet")
    return read_taxa(folder / "taxa.parquet", label_type)


def test_a_table_of_genera(tmp_path: Path) -> None:
    found = taxa_of(tmp_path, pa.string(), label=["sp1", "sp2", "sp3"], genus=["Acer", None, ""])
    assert found == Taxa({}, {"sp1": "Acer"})


def test_the_genus_is_the_ancestor_of_that_rank(tmp_path: Path) -> None:
    found = taxa_of(
        tmp_path,
        pa.int64(),
        label=[1, 2, 3, 4, 5],
        parent=[None, 1, 2, 3, 1],
        rank=["family", "genus", "species", "subspecies", "species"],
        name=["Rosaceae", "Rosa", "Rosa canina", "Rosa canina subsp. canina", "Rubus idaeus"],
    )
    assert found.genera == {2: "Rosa", 3: "Rosa", 4: "Rosa", 5: "Rubus"}  # that of 5 is in its name
    assert found.names[4] == "Rosa canina subsp. canina"


def test_without_names_a_label_is_its_own(tmp_path: Path) -> None:
    ranks = {"parent": ["Rosa", None], "rank": ["species", "genus"]}
    found = taxa_of(tmp_path, pa.string(), label=["Rosa canina", "Rosa"], **ranks)
    assert found == Taxa({}, {"Rosa canina": "Rosa", "Rosa": "Rosa"})


def test_parents_in_a_circle_end(tmp_path: Path) -> None:
    found = taxa_of(tmp_path, pa.int64(), label=[1, 2], parent=[2, 1], rank=["species", "species"], name=["A b", None])
    assert found.genera == {1: "A"}


def test_labels_of_another_type(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="column 'label' has type int64, but string in the consensus"):
        taxa_of(tmp_path, pa.string(), label=[1], genus=["Acer"])
