"""The column ``probability``: by the strategy's model, or by ``--calibration``."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from tests.command_line import Capture
from tests.paths import SAMPLE

TRUTH = str(SAMPLE / "truth.parquet")


def published(strategy: str, *options: str) -> tuple[pa.Table, dict[str, Any]]:
    """The consensus and run.json of a run on the sample."""
    assert run_command(["run", str(SAMPLE / "votes.parquet"), "-q", "--strategy", strategy, *options]) == 0
    folder = Path("consensus/latest")
    return pq.read_table(folder / "consensus.parquet"), json.loads((folder / "run.json").read_text())


@pytest.mark.parametrize("strategy", ["dawid-skene", "kinds", "one-coin", "mace", "glad"])
def test_a_model_gives_a_probability_that_doubts_a_lone_vote(strategy: str, work: Path) -> None:
    table, record = published(strategy)
    assert record["probability"] == {"tau": 0.25}
    for name in ("probability", "confidence"):
        column = table[name].to_numpy()
        assert ((column > 0) & (column < 1)).all()
    lone = table.filter(pc.equal(table["n_votes"], 1))
    assert pc.max(lone["probability"]).as_py() < 0.99


def test_a_strategy_without_a_model_has_none(work: Path) -> None:
    table, record = published("wawa")
    assert "probability" not in table.column_names
    assert "probability" not in record


def test_a_calibration_takes_the_place_of_the_models(work: Path, capfd: Capture) -> None:
    before, _ = published("one-coin")
    assert run_command(["calibrate", "consensus", "--truth", TRUTH]) == 0
    after, record = published("one-coin", "--calibration", "calibration.json")
    assert after.column_names == before.column_names
    assert after["label"].equals(before["label"])
    assert not after["probability"].equals(before["probability"])
    assert "probability" not in record
    assert record["calibration"]["method"] == "platt"


def test_evaluate_shows_its_measures(work: Path, capfd: Capture) -> None:
    published("one-coin")
    capfd.readouterr()
    assert run_command(["evaluate", "consensus", "--truth", TRUTH, "--resamples", "0"]) == 0
    assert "calibration error of probability" in capfd.readouterr().out


def test_calibrate_learns_by_how_much_to_temper(work: Path, capfd: Capture) -> None:
    before, _ = published("one-coin")
    capfd.readouterr()
    assert run_command(["calibrate", "consensus", "--truth", TRUTH, "--method", "temper"]) == 0
    assert "temper: of the strategy's probability" in capfd.readouterr().out
    temperature = json.loads(Path("calibration.json").read_text())["map"]["temperature"]
    after, record = published("one-coin", "--calibration", "calibration.json")
    assert record["calibration"]["method"] == "temper"
    odds = [np.log(p / (1 - p)) for p in (table["probability"].to_numpy() for table in (before, after))]
    usual = np.abs(odds[0]) < 8
    np.testing.assert_allclose(odds[1][usual], odds[0][usual] / temperature, rtol=1e-6)


def test_what_has_no_probability_of_its_own_cannot_be_tempered(work: Path, capfd: Capture) -> None:
    temper = ["calibrate", "consensus", "--truth", TRUTH, "--method", "temper"]
    published("one-coin")
    assert run_command(temper) == 0
    capfd.readouterr()
    assert run_command(["run", str(SAMPLE / "votes.parquet"), "-q", "--calibration", "calibration.json"]) == 1
    assert "calibration.json: temper scales the probability of a strategy's model, and plantnet has none" in (
        capfd.readouterr().err
    )
    for strategy, options in (("wawa", []), ("one-coin", ["--calibration", "calibration.json"])):
        published(strategy, *options)
        capfd.readouterr()
        assert run_command(temper) == 1
        assert "and the consensus has none; take a run of such a strategy" in capfd.readouterr().err


@pytest.mark.parametrize(("strategy", "share"), [("one-coin", b"posterior"), ("wds", b"share of the weight")])
def test_posteriors_say_what_they_hold(strategy: str, share: bytes, work: Path) -> None:
    published(strategy, "--soft")
    metadata = pq.read_schema("consensus/latest/posteriors.parquet").metadata
    assert metadata[b"strategy"] == strategy.encode()
    assert metadata[b"share"].startswith(share)
