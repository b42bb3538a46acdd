"""Labels of all tables that are cleaned as scientific names while they are converted."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate import AggregateWarning, Conversion, NameSettings, VotesError, convert
from plant_aggregate.cli.main import run_command
from plant_aggregate.formats.base import Account, Part
from plant_aggregate.formats.rows import Rows
from tests.command_line import Capture

TEXTS = pa.list_(pa.string())


@dataclass(frozen=True)
class Everything:
    """All tables, as JSON."""

    name: ClassVar[str] = "everything"

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        tables = {
            "votes": Rows("votes", observation_id=pa.int64(), user_id=pa.string(), label=pa.string()),
            "coarse_votes": Rows("coarse_votes", observation_id=pa.int64(), user_id=pa.string(), label=pa.string()),
            "truth": Rows("truth", observation_id=pa.int64(), label=pa.string()),
            "ai_votes": Rows("ai_votes", observation_id=pa.int64(), label=pa.string(), score=pa.float64()),
            "scores": Rows("scores", observation_id=pa.int64(), labels=TEXTS, probabilities=pa.list_(pa.float32())),
            "taxonomy": Rows("taxonomy", label=pa.string(), parent=pa.string(), rank=pa.string()),
        }
        for table, rows in json.loads(paths[0].read_text()).items():
            for row in rows:
                account.read(table=table)
                tables[table].add(*row)
        for each in tables.values():
            yield from each.rest()


CONTENT: dict[str, list[Any]] = {
    "votes": [
        [1, "ana", "Quercus robur L."],
        [1, "bo", "QUERCUS ROBUR"],
        [2, "ana", "Quercus sp."],
        [3, "bo", None],
        *([number, "eve", "Ilex aquifolium"] for number in range(4, 20)),
    ],
    "coarse_votes": [[1, "ana", "QUERCUS"], [2, "ana", "Quercus sp."], [3, "ana", "Nothing here"]],
    "truth": [[1, "Quercus robur Mill."], [2, "Quercus cf. robur"], [3, "Ilex aquifolium L."], [4, "Acer opalus L."]],
    "ai_votes": [[1, "Quercus robur L.", 0.75], [2, "Quercus sp.", 0.5]],
    "scores": [
        [1, ["Quercus robur L.", "Ilex", "QUERCUS ROBUR"], [0.5, 0.25, 0.125]],
        [2, None, None],
        [3, ["Ilex aquifolium"], [0.5]],
        [4, ["Quercus sp.", "Quercus sp."], [0.5, 0.25]],
    ],
    "taxonomy": [
        ["Quercus", None, "genus"],
        ["Quercus robur L.", "Quercus", "species"],
        ["Quercus robur", "Quercus", "species"],
        ["Nothing here", None, None],
        ["Ilex aquifolium L.", "Ilex L.", "species"],
    ],
}


def converted(folder: Path, content: dict[str, list[Any]] = CONTENT, **names: Any) -> Conversion:
    (folder / "in.json").write_text(json.dumps(content))
    return convert(Everything(), folder / "in.json", folder / "out", names=NameSettings(**names))


def rows_of(done: Conversion, table: str, *columns: str) -> list[Any]:
    read = pq.read_table(done.path(table), columns=list(columns)).to_pylist()
    return [tuple(row.values()) if len(columns) > 1 else row[columns[0]] for row in read]


def test_settings_of_names_are_an_object(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"NameSettings\(names=True\)"):
        convert(Everything(), tmp_path, tmp_path / "out", names=True)  # type: ignore[arg-type]


def test_labels_of_votes_are_cleaned_beside_those_of_the_source(tmp_path: Path) -> None:
    done = converted(tmp_path, names=True)
    assert rows_of(done, "votes", "label", "verbatim_label")[:5] == [
        ("Quercus robur", "Quercus robur L."),
        ("Quercus robur", "QUERCUS ROBUR"),
        (None, "Quercus sp."),
        (None, None),
        ("Ilex aquifolium", "Ilex aquifolium"),
    ]
    assert rows_of(done, "ai_votes", "label", "verbatim_label") == [
        ("Quercus robur", "Quercus robur L."),
        (None, "Quercus sp."),
    ]


def test_votes_that_stand_apart_may_be_above_species(tmp_path: Path) -> None:
    done = converted(tmp_path, names=True)
    assert rows_of(done, "coarse_votes", "label") == ["Quercus", "Quercus", None]


def test_experts_may_name_what_is_not_in_the_checklist(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Quercus robur\nIlex aquifolium\n")
    done = converted(tmp_path, names=True, checklist=tmp_path / "list.txt")
    assert rows_of(done, "truth", "label") == ["Quercus robur", None, "Ilex aquifolium", "Acer opalus"]


def test_probabilities_of_labels_that_become_the_same_are_added_up(tmp_path: Path) -> None:
    """Labels that are refused stay: the others' probabilities are theirs."""
    done = converted(tmp_path, names=True)
    assert rows_of(done, "scores", "labels", "probabilities") == [
        (["Quercus robur", "Ilex"], [0.625, 0.25]),
        (None, None),
        (["Ilex aquifolium"], [0.5]),
        (["Quercus sp."], [0.75]),
    ]
    assert pq.read_schema(done.path("scores")).field("probabilities").type.value_type == pa.float32()


def test_a_taxonomy_keeps_its_taxa_above_species_and_has_each_label_once(tmp_path: Path) -> None:
    done = converted(tmp_path, names=True)
    assert rows_of(done, "taxonomy", "label", "parent", "rank") == [
        ("Quercus", None, "genus"),
        ("Quercus robur", "Quercus", "species"),
        ("Nothing here", None, None),
        ("Ilex aquifolium", "Ilex", "species"),
    ]


def test_the_table_and_the_record_say_what_became_of_labels(tmp_path: Path) -> None:
    synonyms = tmp_path / "synonyms.csv"
    synonyms.write_text("verbatim,accepted\nAcer opalus,Acer italum\n")
    done = converted(tmp_path, names=True, synonyms=synonyms)
    rows = [tuple(row.values()) for row in pq.read_table(done.folder / "labels.parquet").to_pylist()]
    assert rows == [
        ("Acer opalus L.", "Acer italum", "changed", "authorship, synonym", 0, 0, 1),
        ("Ilex aquifolium L.", "Ilex aquifolium", "merged", "authorship", 0, 0, 1),
        ("QUERCUS ROBUR", "Quercus robur", "merged", "case", 1, 0, 0),
        ("Quercus cf. robur", None, "refused", "cf.", 0, 0, 1),
        ("Quercus robur L.", "Quercus robur", "merged", "authorship", 1, 1, 0),
        ("Quercus robur Mill.", "Quercus robur", "merged", "authorship", 0, 0, 1),
        ("Quercus sp.", None, "refused", "above species", 1, 1, 0),
    ]
    record = json.loads((done.folder / "conversion.json").read_text())
    assert record["names"]["synonyms"] == {"path": str(synonyms), "sha256": sha256(synonyms.read_bytes()).hexdigest()}
    assert (record["names"]["names"], record["names"]["labels"]["merged"]) == (True, 2)
    assert record["files"]["labels.parquet"]["rows"] == 7
    assert "of 4 labels 2 changed" in done._repr_html_()


def test_labels_of_experts_that_become_the_same_are_a_warning(tmp_path: Path) -> None:
    truth = [[1, "Quercus robur L."], [2, "Quercus robur Mill."], [3, "Ilex aquifolium"]]
    with pytest.warns(AggregateWarning, match="2 labels of experts count as the same as another") as caught:
        converted(tmp_path, {**CONTENT, "truth": truth}, names=True)
    assert str(caught[0].message).endswith("(first 'Quercus robur L.' and 'Quercus robur Mill.')")


def test_many_refusals_are_a_warning(tmp_path: Path) -> None:
    with pytest.warns(AggregateWarning, match="2 of 2 rows with a label count as no opinion"):
        converted(tmp_path, {"votes": [[1, "ana", "GIRAFFE"], [2, "ana", "ZEBRA"]]}, names=True)


def test_without_settings_nothing_is_cleaned(tmp_path: Path) -> None:
    done = converted(tmp_path)
    assert not (done.folder / "labels.parquet").exists()
    assert "names" not in done.record
    assert "verbatim_label" not in pq.read_schema(done.path()).names


@pytest.mark.parametrize("file", ["votes", "ai_votes"])
def test_numbers_are_no_names(tmp_path: Path, file: str) -> None:
    class Numbers(Everything):
        def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
            columns: dict[str, Any] = {"observation_id": [1], "label": [7]}
            columns |= {"user_id": ["ana"]} if file == "votes" else {"score": [0.5]}
            account.read(table=file)
            yield file, pa.record_batch(columns)

    (tmp_path / "in.json").write_text("{}")
    with pytest.raises(VotesError, match=f"column 'label' of {file} has type int64: numbers are not cleaned as names"):
        convert(Numbers(), tmp_path / "in.json", tmp_path / "out", names=NameSettings(names=True))
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("votes.csv").write_text("observation_id,user_id,label\n1,ana,Quercus robur L.\n1,bo,QUERCUS ROBUR\n")
    Path("synonyms.csv").write_text("verbatim,accepted\nQuercus robur,Quercus pedunculata\n")
    assert run_command(["convert", "csv", "votes.csv", "-o", "out", "--names", "--synonyms", "synonyms.csv"]) == 0
    said = capfd.readouterr().out
    assert "of 2 labels 2 changed (2 rows), 2 of them merged; 0 refused (0 rows without opinion)" in said
    assert pq.read_table("out/votes.parquet")["label"].to_pylist() == ["Quercus pedunculata"] * 2
    assert run_command(["convert", "csv", "votes.csv", "-o", "other", "--parser", "gbif"]) == 2
    assert "--parser is given without --names" in capfd.readouterr().err
    assert run_command(["convert", "csv", "votes.csv", "-o", "other", "--checklist", "nowhere.txt"]) in (1, 2)
    assert "nowhere.txt" in capfd.readouterr().err
    assert not Path("other").exists()
