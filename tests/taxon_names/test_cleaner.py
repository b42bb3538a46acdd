"""Columns of labels, cleaned: once for each distinct label, with counts and a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from plant_aggregate import NameSettings, ParameterError, VotesError, clean_names, schema
from plant_aggregate.taxon_names.cleaner import NameCleaner
from plant_aggregate.taxon_names.report import report_blocks, warning_of

from .rows import written

LABELS = [
    "QUERCUS ROBUR",
    "Quercus robur",
    None,
    "Acer campestre L.",
    "Quercus sp.",
    "QUERCUS ROBUR",
    " ",
    "Abies alba",
]
CLEANED = ["Quercus robur", "Quercus robur", None, "Acer campestre", None, "Quercus robur", None, "Abies alba"]


@pytest.fixture
def cleaner() -> NameCleaner:
    return NameCleaner(NameSettings(names=True))


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.string())],
)
def test_columns_keep_their_type(kind: pa.DataType, cleaner: NameCleaner) -> None:
    labels = pa.array(LABELS).dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else pa.array(LABELS, kind)
    cleaned = cleaner.clean(labels, cleaner.votes)
    assert cleaned.to_pylist() == [*CLEANED[:6], " ", CLEANED[7]]
    assert pa.types.is_dictionary(cleaned.type) == pa.types.is_dictionary(kind)
    if pa.types.is_dictionary(kind):
        assert cleaned.dictionary.null_count == 0
        assert len(set(cleaned.dictionary.to_pylist())) == len(cleaned.dictionary)
    assert cleaner.votes == {label: LABELS.count(label) for label in LABELS if label is not None}


def test_slices_and_empty_columns(cleaner: NameCleaner) -> None:
    labels = pa.array(LABELS).dictionary_encode()
    assert cleaner.clean(labels.slice(3, 2), cleaner.votes).to_pylist() == CLEANED[3:5]
    assert cleaner.votes == {"Acer campestre L.": 1, "Quercus sp.": 1}
    assert cleaner.clean(labels.slice(2, 1), cleaner.votes).to_pylist() == [None]
    assert cleaner.clean(labels.slice(0, 0), cleaner.votes).to_pylist() == []
    assert cleaner.clean(pa.array([], pa.string())).to_pylist() == []


def test_integers_are_no_names(cleaner: NameCleaner) -> None:
    with pytest.raises(VotesError, match="has type int64: numbers are not cleaned as names; leave out --names"):
        cleaner.clean(pa.array([1, 2]))


def test_the_table_lists_all_that_is_not_as_it_stands(tmp_path: Path) -> None:
    synonyms = written(
        tmp_path / "synonyms.csv",
        "verbatim,accepted\nPyrus nivalis Jacq.,Pyrus communis\nPyrus nivalis L.,Sorbus aria\n",
    )
    found = clean_names([*LABELS, "Pyrus nivalis"], synonyms=synonyms)
    assert found.table.schema.names == [column.name for column in schema.CLEANED_LABELS if not column.optional]
    assert [tuple(row.values())[:5] for row in found.table.to_pylist()] == [
        ("Acer campestre L.", "Acer campestre", "changed", "authorship", 1),
        ("Pyrus nivalis", "Pyrus nivalis", "kept", "a homonym: several accepted names", 1),
        ("QUERCUS ROBUR", "Quercus robur", "merged", "case", 2),
        ("Quercus sp.", None, "refused", "above species", 1),
    ]
    counts = found.counts
    assert (counts.labels, counts.changed, counts.merged, counts.refused, counts.kept) == (6, 2, 1, 1, 1)
    assert (counts.rows, counts.rows_changed, counts.rows_refused) == (7, 3, 1)
    assert counts.refused_by_reason == {"above species": 1}
    assert found.to_pandas()["votes"].sum() == 5
    assert "QUERCUS ROBUR" in found._repr_html_()


def test_without_names_only_the_lists_count(tmp_path: Path) -> None:
    synonyms = written(tmp_path / "synonyms.csv", "verbatim,accepted\nGRFF,GIRAFFE\nquercus robur,Quercus robur\n")
    cleaner = NameCleaner(NameSettings(synonyms=synonyms))
    labels = ["GRFF", "GIRAFFE", "ZEBRA ", "Quercus robur L.", "quercus robur"]
    cleaned = ["GIRAFFE", "GIRAFFE", "ZEBRA ", "Quercus robur L.", "Quercus robur"]
    assert [decision.label for decision in cleaner.decide(labels)] == cleaned
    checklist = written(tmp_path / "list.txt", "GIRAFFE\nQuercus robur\n")
    cleaner = NameCleaner(NameSettings(synonyms=synonyms, checklist=checklist))
    assert [decision.label for decision in cleaner.decide(labels)] == [
        "GIRAFFE",
        "GIRAFFE",
        None,
        None,
        "Quercus robur",
    ]


def test_homonyms_in_a_file_of_codes_are_kept(tmp_path: Path) -> None:
    synonyms = written(tmp_path / "synonyms.csv", "verbatim,accepted\nGRFF,GIRAFFE\nGRFF,GIRAFFES\n")
    (decision,) = NameCleaner(NameSettings(synonyms=synonyms)).decide(["GRFF"])
    assert (decision.label, decision.reason) == ("GRFF", "a homonym: several accepted names")


def test_higher_taxa_are_kept_where_asked_for() -> None:
    labels = ["Quercus sp.", "Quercus", "Taraxacum section Taraxacum", "Insecta", "Nothing here"]
    kept = ["Quercus", "Quercus", "Taraxacum sect. Taraxacum", "Insecta", None]
    assert clean_names(labels, higher_taxa=True).labels.to_pylist() == kept


def test_ranks_below_species_become_species_where_asked_for() -> None:
    labels = ["Quercus robur subsp. robur", "Acer palmatum 'Osakazuki'", "Rosa 'Peace'", "Rubus fruticosus agg."]
    kept = ["Quercus robur", "Acer palmatum", None, "Rubus fruticosus agg."]
    assert clean_names(labels, to_species=True).labels.to_pylist() == kept
    assert clean_names(labels).labels.to_pylist() == labels


def test_many_refusals_are_a_warning() -> None:
    counts = clean_names(["GIRAFFE", "GIRAFFE", "ZEBRA", "Acer campestre"]).counts
    assert warning_of(counts) == (
        "3 of 4 rows with a label count as no opinion, most often for the reason 'above species' (3); the most "
        "frequent label is 'GIRAFFE'"
    )
    assert warning_of(clean_names(["Acer campestre"] * 20 + ["ZEBRA"]).counts) is None


def test_the_summary_shows_the_labels_with_most_rows() -> None:
    counts = clean_names(["Acer L."] * 3 + ["Abies"] * 2 + ["Ilex"] + ["Fagus"] * 4 + ["ACER OPALUS"] * 2).counts
    assert [(example.verbatim, example.rows) for example in counts.examples] == [
        ("Fagus", 4),
        ("Acer L.", 3),
        ("Abies", 2),
        ("ACER OPALUS", 2),
    ]
    (block,) = report_blocks(counts)
    assert block.title == "of 5 labels 1 changed (2 rows), 0 of them merged; 4 refused (10 rows without opinion)"


@pytest.mark.parametrize(
    "labels",
    [
        ["quercus robur", None],
        ("quercus robur", float("nan")),
        np.array(["quercus robur", None], object),
        pd.Series(["quercus robur", None]),
        pa.array(["quercus robur", None]),
        pa.chunked_array([["quercus robur"], [None]]),
    ],
)
def test_labels_may_be_of_any_kind(labels: object) -> None:
    assert clean_names(labels).labels.to_pylist() == ["Quercus robur", None]  # type: ignore[arg-type]


def test_what_is_no_text_is_an_error() -> None:
    with pytest.raises(TypeError, match="labels are wanted, not the text 'Quercus robur'"):
        clean_names("Quercus robur")
    with pytest.raises(TypeError, match="a label is wanted"):
        clean_names([7])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["parser", "to_species", "higher_taxa"])
def test_settings_that_mean_nothing_without_names(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is given without names"):
        NameSettings(**{name: "gbif" if name == "parser" else True})
