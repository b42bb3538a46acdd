"""A new column of a run takes a file, and a line that says which setting asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate import pipeline
from plant_aggregate.add_ons import AddOn, Extends, extended, facts_of
from plant_aggregate.assessment.agreement import AgreementOfUsers
from plant_aggregate.publishing.digests import Digests
from plant_aggregate.schema import CONSENSUS, DIGEST, Column, Table
from tests.command_line import VOTES
from tests.records import record_of


@dataclass(frozen=True)
class Genera:
    """The genus of each label, and how many labels there are."""

    n_labels: int
    extends: Extends = "consensus"
    table: Table = (
        Column("genus", "label", "the first word of the label"),
        Column("position", "int64", "of the row in the table", scheme="from 0"),
    )

    def columns(self, rows: pa.Table, first: int) -> Mapping[str, Any]:
        labels = rows["label"].to_pylist()
        return {
            "genus": pa.array([label.split()[0] for label in labels], pa.string()),
            "position": np.arange(first, first + len(labels)),
        }

    def facts(self) -> Mapping[str, Any]:
        return {"genera": {"labels": self.n_labels}}


GENERA = Genera(1)


class MakesGenera:
    def __init__(self, settings: plant_aggregate.Settings) -> None:
        assert settings.soft

    def check(self, types: Mapping[str, pa.DataType]) -> None:
        assert types["observation_id"] == pa.int64()

    def make(self, consensus: plant_aggregate.Consensus, progress: Any) -> AddOn:
        return Genera(consensus.votes.n_labels)


def test_a_new_column_and_fact_are_in_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pipeline.ADD_ONS, "soft", f"{__name__}:MakesGenera")  # any setting will do
    monkeypatch.setattr("plant_aggregate.publishing.tables.ROW_GROUP", 2)
    pq.write_table(VOTES, tmp_path / "votes.parquet")
    settings = plant_aggregate.Settings(soft=True)
    run = plant_aggregate.run(tmp_path / "votes.parquet", tmp_path / "out", settings=settings)
    table = pq.read_table(run.folder / "consensus.parquet")
    new = [column.name for column in Genera.table]
    assert table.column_names == [*(column.name for column in CONSENSUS), *new, *(column.name for column in DIGEST)]
    assert table["genus"].to_pylist() == [label.split()[0] for label in table["label"].to_pylist()]
    assert table["position"].to_pylist() == [0, 1, 2]
    assert table.schema.field("genus") == pa.field("genus", pa.string(), nullable=False)
    assert table.schema.field("position").metadata[b"scheme"] == b"from 0"
    record = record_of(run.folder)
    assert record["genera"] == {"labels": 3}
    without = plant_aggregate.run(tmp_path / "votes.parquet", tmp_path / "without")
    assert "genus" not in pq.read_schema(without.folder / "consensus.parquet").names


def test_what_settings_ask_for_is_there() -> None:
    for setting, place in pipeline.ADD_ONS.items():
        assert hasattr(plant_aggregate.Settings(), setting)
        module, maker = place.split(":")
        assert hasattr(import_module(module, "plant_aggregate"), maker)


def test_those_of_the_package_are_add_ons() -> None:
    """Types are what is checked here, by mypy."""
    votes = plant_aggregate.votes_from_table(VOTES)
    consensus = plant_aggregate.PlantNet().fit(votes)
    known: list[AddOn] = [Digests(votes), AgreementOfUsers(consensus)]
    kinds: list[type[AddOn]] = [plant_aggregate.Calibration, plant_aggregate.Ambiguity]
    assert [add_on.extends for add_on in (*known, *kinds)] == ["consensus", "users", "consensus", "consensus"]


def test_labels_of_an_add_on_have_the_type_of_those_beside_them() -> None:
    rows = pa.table({"label": pa.array(["Abies alba"]).dictionary_encode()})
    table = extended(rows, 0, [GENERA])
    assert table.schema.field("genus").type == rows.schema.field("label").type


@pytest.mark.parametrize("add_ons", [[replace(GENERA, table=(Column("weight", "int64", ""),))], [GENERA, GENERA]])
def test_a_column_that_the_table_has_cannot_be_added(add_ons: list[AddOn]) -> None:
    rows = pa.table({"label": ["Abies alba"], "weight": [1]})
    with pytest.raises(ValueError, match="Genera adds a column"):
        extended(rows, 0, add_ons)


def test_a_fact_that_another_add_on_has_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="Genera adds a fact genera,"):
        facts_of([GENERA, GENERA])


def test_a_fact_that_every_run_has_cannot_be_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pipeline.ADD_ONS, "soft", f"{__name__}:MakesGenera")
    monkeypatch.setattr(Genera, "facts", lambda self: {"trace": ()})
    pq.write_table(VOTES, tmp_path / "votes.parquet")
    with pytest.raises(ValueError, match="Genera adds a fact trace,"):
        plant_aggregate.run(tmp_path / "votes.parquet", tmp_path / "out", settings=plant_aggregate.Settings(soft=True))
    assert not (tmp_path / "out" / "latest").exists()
