"""The exports that the tutorial on Zooniverse begins with."""

import subprocess
import sys
from pathlib import Path

import pytest

import plant_aggregate
from plant_aggregate.errors import AggregateWarning
from tests.paths import ROOT


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "wildlife"
    subprocess.run([sys.executable, ROOT / "examples" / "zooniverse_export.py", folder], check=True)
    return folder


def test_two_commands_lead_to_an_evaluated_consensus(exports: Path, tmp_path: Path) -> None:
    files = exports / "classifications.csv", tmp_path / "votes"
    done = plant_aggregate.convert("zooniverse", *files, task="T0", workflows=str(exports / "workflows.csv"))
    assert done.record["tables"]["votes"]["read"] == 2880
    assert done.record["tables"]["votes"]["rejected"] == {}
    votes = plant_aggregate.read_votes(files[1] / "votes.parquet")
    truth = plant_aggregate.read_truth(files[1] / "truth.parquet")
    assert votes.n_labels == 10
    found = plant_aggregate.evaluate(plant_aggregate.OneCoin().fit(votes), truth).to_pandas()
    (accuracy,) = found.query("subset == 'all' and measure == 'accuracy'")["value"]
    assert accuracy > 0.9


def test_its_ids_are_of_two_versions(exports: Path, tmp_path: Path) -> None:
    with pytest.warns(AggregateWarning, match=r"KUDU \(\d+\) and KD \(\d+\)"):
        done = plant_aggregate.convert("zooniverse", exports / "classifications.csv", tmp_path / "votes", task="T0")
    assert plant_aggregate.read_votes(tmp_path / "votes" / "votes.parquet").n_labels == 20
    assert done.record["tables"]["truth"]["rows"] == 73
