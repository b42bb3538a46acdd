"""``plant-aggregate subset``: the populations on stdout, and what cannot be done in a line."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, refused
from tests.paths import SAMPLE


@pytest.fixture
def sample(work: Path, capfd: Capture) -> Path:
    """A run of the sample in the folder ``consensus``, which is the one beside."""
    assert run_command(["run", str(SAMPLE / "votes.parquet"), "-q"]) == 0
    capfd.readouterr()
    return work


def test_the_populations_stand_beside_plantnet_300k(sample: Path, capfd: Capture) -> None:
    assert run_command(["subset", "latest", "-o", "third", "--genera-share", "0.3", "-q"]) == 0
    out = capfd.readouterr().out
    assert "Species and their observations, of 371 of 1,251 genera" in out
    assert "Pl@ntNet-300K" in out
    assert "not valid" in out


@pytest.mark.extras
def test_plot(sample: Path, capfd: Capture) -> None:
    pytest.importorskip("matplotlib")
    assert run_command(["subset", "latest", "-o", "all", "--plot", "populations.svg", "-q"]) == 0
    assert (sample / "populations.svg").stat().st_size > 10_000
    assert "written to populations.svg" in capfd.readouterr().out


def test_csv_and_json_have_the_same_figures(sample: Path, capfd: Capture) -> None:
    assert run_command(["subset", "latest", "-o", "a", "--csv", "-q"]) == 0
    of_csv = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert run_command(["subset", "latest", "-o", "b", "--json", "-q"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert [row["figure"] for row in of_csv] == [row["figure"] for row in facts["figures"]]
    assert int(of_csv[0]["before"]) == facts["before"]["species"]
    assert facts == json.loads((sample / "b" / "subset.json").read_text(encoding="utf-8"))


def test_what_cannot_be_done_is_said_in_a_line(sample: Path, capfd: Capture) -> None:
    subset = ("subset", "latest", "-q", "-o", "out")
    both = refused(capfd, *subset, "--genera", "3", "--genera-share", "0.5", exit_code=2)
    assert "--genera (3) and --genera-share (0.5) exclude each other" in both
    assert "leave nothing to train on" in refused(capfd, *subset, "--test", "0.6", "--val", "0.4", exit_code=2)
    nothing = refused(capfd, *subset, "--min-per-class", "99999")
    assert "nothing is left to train on" in nothing
    assert "too_few_observations" in nothing
    (sample / "out").mkdir()
    (sample / "out" / "mine.txt").write_text("mine")
    assert "not empty" in refused(capfd, *subset, exit_code=2)
    assert (sample / "out" / "mine.txt").read_text() == "mine"


def test_tables_beside_may_have_names_of_their_own_or_get_a_line(sample: Path, capfd: Capture) -> None:
    truth = pq.read_table(SAMPLE / "truth.parquet").rename_columns(["observation_id", "species"])
    pq.write_table(truth, "experts.parquet")
    subset = ("subset", "latest", "-q", "-o", "out")
    line = refused(capfd, *subset, "--truth", "experts.parquet")
    assert "column 'label' is missing" in line
    assert "--column label=NAME" in line
    assert run_command([*subset, "--truth", "experts.parquet", "--column", "label=species"]) == 0
    assert pq.read_table("out/truth.parquet").column_names == ["observation_id", "label"]
    pq.write_table(pa.table({"name": ["Acer campestre"]}), "taxa.parquet")
    line = refused(capfd, *subset, "--overwrite", "--taxonomy", "taxa.parquet")
    assert line.endswith("column 'label' is missing; it has 'name'; name its columns label and genus\n")
    pq.write_table(pa.table({"label": [1], "genus": ["Acer"]}), "taxa.parquet")
    line = refused(capfd, *subset, "--overwrite", "--taxonomy", "taxa.parquet")
    assert "column 'label' has type int64, but string in the consensus" in line
    assert len(pq.read_table("out/truth.parquet")) > 1000  # what was written before is as it was
