"""Taxonomies: of rows in any order, of files, of the genera in names; what is refused, and where labels are in them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate import ParameterError, Taxonomy, VotesError, convert, read_taxonomy
from tests.reference.conformal import ancestors

OAKS: dict[str, list[Any]] = {
    "label": ["Quercus robur", "Quercus petraea", "Quercus", "Fagus", "Fagus sylvatica", "Fagaceae"],
    "parent": ["Quercus", "Quercus", "Fagaceae", "Fagaceae", "Fagus", None],
    "rank": ["species", "species", "Genus ", "genus", "species", "family"],
}


def tree_of(taxonomy: Taxonomy) -> dict[Any, Any]:
    labels = taxonomy.labels.to_pylist()
    return {label: None if p < 0 else labels[p] for label, p in zip(labels, taxonomy.parents.tolist(), strict=True)}


def trees(n: int) -> st.SearchStrategy[list[int | None]]:
    """The parent of each of n taxa, an earlier one or none."""
    return st.tuples(*(st.one_of(st.none(), st.integers(0, k - 1)) if k else st.none() for k in range(n))).map(list)


@given(st.integers(1, 20).flatmap(trees), st.randoms())
def test_every_taxon_comes_after_those_above_it_in_any_order_of_rows(parents: list[int | None], random: Any) -> None:
    rows = list(enumerate(parents))
    random.shuffle(rows)
    ranks = [random.choice(["genus", "family", None]) for _ in rows]
    taxonomy = Taxonomy.of_rows(
        pa.array([k for k, _ in rows]), pa.array([p for _, p in rows], pa.int64()), pa.array(ranks, pa.string())
    )
    assert (taxonomy.parents < np.arange(len(taxonomy))).all()
    assert tree_of(taxonomy) == dict(rows)
    rank_of = dict(zip([k for k, _ in rows], ranks, strict=True))
    labels = taxonomy.labels.to_pylist()
    for place, of_rank in enumerate(taxonomy.at_rank("genus").tolist()):
        chain = ancestors(labels[place], dict(rows))
        wanted = next((taxon for taxon in chain if rank_of[taxon] == "genus"), None)
        assert (None if of_rank < 0 else labels[of_rank]) == wanted


def test_ranks_are_compared_in_lower_case() -> None:
    taxonomy = read_taxonomy(OAKS)
    genera = [taxonomy.labels[int(place)].as_py() for place in taxonomy.at_rank("genus") if place >= 0]
    assert sorted(set(genera)) == ["Fagus", "Quercus"]


def test_a_parent_without_a_row_is_a_taxon_without_rank() -> None:
    taxonomy = read_taxonomy({"label": ["Acer opalus", "Acer campestre"], "parent": ["Acer", "Acer"]})
    assert tree_of(taxonomy) == {"Acer": None, "Acer opalus": "Acer", "Acer campestre": "Acer"}
    assert taxonomy.ranks.to_pylist() == [None] * 3


def test_a_taxon_that_is_its_own_parent_is_a_root() -> None:
    """As the root of NCBI's taxonomy is."""
    assert tree_of(read_taxonomy({"label": [1, 2], "parent": [1, 1]})) == {1: None, 2: 1}


def test_a_blank_parent_is_none() -> None:
    assert tree_of(read_taxonomy({"label": ["Acer"], "parent": [" "]})) == {"Acer": None}


def test_rows_that_are_the_same_count_once() -> None:
    doubled = {name: values * 2 for name, values in OAKS.items()}
    assert tree_of(read_taxonomy(doubled)) == tree_of(read_taxonomy(OAKS))


def test_a_table_of_genera_is_a_taxonomy() -> None:
    taxonomy = read_taxonomy({"label": ["Acer opalus", "Ilex", "hybrid"], "genus": ["Acer", "Ilex", None]})
    assert tree_of(taxonomy) == {"Acer": None, "Ilex": None, "hybrid": None, "Acer opalus": "Acer"}
    ranks = dict(zip(taxonomy.labels.to_pylist(), taxonomy.ranks.to_pylist(), strict=True))
    assert ranks == {"Acer": "genus", "Ilex": "genus", "hybrid": None, "Acer opalus": None}


def test_ids_and_names_of_pandas() -> None:
    """Parents of pandas are floats, because one is missing."""
    frame = pd.DataFrame({"label": [10, 11], "parent": [None, 10], "rank": ["genus", "species"], "name": ["A", "A b"]})
    taxonomy = read_taxonomy(frame)
    assert tree_of(taxonomy) == {10: None, 11: 10}
    assert taxonomy.places(pa.array(["A b", "A", "c"])).tolist() == [1, 0, -1]
    assert taxonomy.places(pa.array([11, 7], pa.uint64())).tolist() == [1, -1]


def test_a_label_is_found_by_label_then_name_then_without_its_author() -> None:
    taxonomy = read_taxonomy(OAKS)
    places = taxonomy.places(pa.array(["Quercus robur", "QUERCUS ROBUR L.", "Quercus sp.", "Ilex", ""]))
    found = [None if place < 0 else taxonomy.labels[int(place)].as_py() for place in places]
    assert found == ["Quercus robur", "Quercus robur", "Quercus", None, None]


def test_a_name_of_two_taxa_is_none_of_them() -> None:
    rows = {"label": [1, 2, 3], "parent": [None] * 3, "name": ["Prunella", "Prunella", "Ilex"]}
    assert read_taxonomy(rows).places(pa.array(["Prunella", "Ilex"])).tolist() == [-1, 2]


def test_genera_are_read_from_names() -> None:
    labels = [
        "Quercus robur L.",
        "Quercus robur subsp. robur",
        "× Cuprocyparis leylandii",
        "Poaceae",
        "Acer",
        "Acer sp.",
    ]
    taxonomy = Taxonomy.of_genera(pa.array(labels))
    assert tree_of(taxonomy) == {
        "Quercus": None,
        "Quercus robur L.": "Quercus",
        "Quercus robur subsp. robur": "Quercus robur L.",
        "Cuprocyparis": None,
        "× Cuprocyparis leylandii": "Cuprocyparis",
        "Poaceae": None,
        "Acer": None,
        "Acer sp.": "Acer",
    }
    aggregate = Taxonomy.of_genera(pa.array(["Rubus fruticosus agg.", "Rubus fruticosus"]))
    assert tree_of(aggregate) == {"Rubus": None, "Rubus fruticosus agg.": "Rubus", "Rubus fruticosus": "Rubus"}
    with pytest.raises(ParameterError, match="labels are integers, in which no genus stands; name a taxonomy"):
        Taxonomy.of_genera(pa.array([1, 2]))


BAD: dict[str, tuple[dict[str, list[Any]], str]] = {
    "cycle": (
        {"label": ["Acer", "Ilex", "Buxus", "Abies"], "parent": ["Ilex", "Buxus", "Acer", "Acer"]},
        "taxa are above themselves: 'Acer' below 'Ilex' below 'Buxus' below 'Acer'; mend the column parent",
    ),
    "two parents": (
        {"label": ["Acer", "Acer"], "parent": ["Sapindaceae", None]},
        "taxon 'Acer' has rows with the parents 'Sapindaceae' and none; leave one row of each taxon",
    ),
    "two ranks": (
        {"label": [7, 7], "parent": [7, 7], "rank": ["genus", "species"]},
        "taxon 7 has rows with the ranks 'genus' and 'species'",
    ),
    "null": ({"label": ["Acer", None], "parent": [None, "Acer"]}, "label is null or blank in row 1; name each taxon"),
    "no columns": ({"label": ["Acer"], "rank": ["genus"]}, "has neither a column parent nor a column genus; name its"),
    "no rows": ({"label": [], "parent": []}, "has no row"),
    "types": ({"label": [7], "parent": ["Acer"]}, "column 'parent' has type string, but int64 'label'; write both"),
    "genera of ids": ({"label": [7], "genus": ["Acer"]}, "has genera of integers, which are no taxa of that type"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_taxonomy_is_refused_in_a_line(name: str, tmp_path: Path) -> None:
    rows, message = BAD[name]
    with pytest.raises(VotesError) as refused:
        read_taxonomy(rows)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    if name != "no rows":
        path = tmp_path / "taxonomy.parquet"
        pq.write_table(pa.table(rows), path)
        with pytest.raises(VotesError) as refused:
            read_taxonomy(path)
        assert str(refused.value).startswith(f"{path}: {message}")


def test_files_and_frames_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.parquet"
    pq.write_table(pa.table(OAKS), path)
    assert tree_of(read_taxonomy(path)) == tree_of(read_taxonomy(OAKS))
    assert repr(read_taxonomy(path)) == "Taxonomy(6 taxa, 1 without one above)"


def test_what_convert_writes_is_a_taxonomy(tmp_path: Path) -> None:
    """Labels may be names, or ids whose taxa are found by name."""
    (tmp_path / "checklist").mkdir()
    (tmp_path / "checklist" / "NameUsage.tsv").write_text(
        "col:ID\tcol:parentID\tcol:status\tcol:scientificName\tcol:rank\n"
        "1\t\taccepted\tFagaceae\tfamily\n2\t1\taccepted\tQuercus\tgenus\n3\t2\taccepted\tQuercus robur\tspecies\n"
    )
    for label in ("name", "id"):
        converted = convert("coldp", tmp_path / "checklist", tmp_path / label, label=label)
        taxonomy = read_taxonomy(tmp_path / label / "taxonomy.parquet")
        (place,) = taxonomy.places(pa.array(["Quercus robur L."])).tolist()
        assert taxonomy.names[place].as_py() == "Quercus robur"
        assert taxonomy.names[int(taxonomy.at_rank("family")[place])].as_py() == "Fagaceae"
        assert "taxonomy" in converted.tables
