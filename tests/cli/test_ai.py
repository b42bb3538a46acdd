"""``run --ai-votes`` and ``calibrate-ai``: what comes out, and a line for whatever cannot be used."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.ai_votes import name_for_ai
from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Published, Write, refused
from tests.paths import SAMPLE
from tests.records import record_of

VOTES, AI, TRUTH = (str(SAMPLE / f"{name}.parquet") for name in ("votes", "ai_votes", "truth"))


def ai_table(**columns: Any) -> pa.Table:
    rows: dict[str, Any] = {
        "observation_id": [1, 2, 3, 9],
        "label": ["Acer opalus", "Abies alba", "Abies grandis", "Abies alba"],
        "score": [0.9, 0.8, 0.95, 0.99],
    }
    return pa.table(rows | columns)


def run_refused(capfd: Capture, published: Published, *options: str, exit_code: int = 1) -> str:
    line = refused(capfd, "run", "good.parquet", "-q", *options, exit_code=exit_code)
    assert published.is_untouched()
    return line


def test_the_tables_and_the_manifest_say_what_the_ai_did(published: Published, write: Write, capfd: Capture) -> None:
    ai = str(write("ai.parquet", ai_table()))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--ai-mode", "fixed", "--ai-weight", "2.5"]) == 0
    assert "the AI named 4 observations, and validated 1, invalidated 0, relabelled 3" in capfd.readouterr().out
    rows = {row["observation_id"]: row for row in pq.read_table("consensus/latest/consensus.parquet").to_pylist()}
    assert [rows[i]["label"] for i in (1, 2, 3, 9)] == ["Acer opalus", "Abies alba", "Abies grandis", "Abies alba"]
    assert [rows[i]["ai_effect"] for i in (1, 2, 3, 9)] == ["relabelled", "validated", "relabelled", "relabelled"]
    assert (rows[9]["n_votes"], rows[9]["n_labels"], rows[9]["ai_score"], rows[9]["valid"]) == (0, 0, 0.99, True)
    manifest = record_of()
    assert manifest["counts"]["ai"]["share_of_valid"] == 1.0
    assert manifest["parameters"]["ai_mode"] == "fixed"
    assert manifest["inputs"][-1]["path"] == ai
    users = pq.read_table("consensus/latest/users.parquet").to_pylist()
    assert [row["n_ai_votes"] for row in users] == [2, 1, 1]
    assert [row["ai_agreement"] for row in users] == [0.5, 1.0, 0.0]


def test_an_observation_that_only_a_silent_ai_knows_has_no_label(
    published: Published, write: Write, capfd: Capture
) -> None:
    ai = str(write("ai.parquet", ai_table()))
    for mode in (["ignore"], ["invalidating"], ["confident", "--ai-threshold", "1.01"]):
        assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--ai-mode", *mode]) == 0
        row = pq.read_table("consensus/latest/consensus.parquet").to_pylist()[-1]
        assert (row["observation_id"], row["label"], row["status"], row["valid"]) == (9, None, "needs_votes", False)
        assert [row[name] for name in ("confidence", "agreement", "aum", "margin", "weight", "entropy")] == [0.0] * 6
    truth = str(write("truth.parquet", pa.table({"observation_id": [1, 9], "label": ["Acer opalus", "no such"]})))
    capfd.readouterr()
    assert run_command(["evaluate", "consensus", "--truth", truth, "--json", "--resamples", "0", "-q"]) == 0
    assert json.loads(capfd.readouterr().out)["subsets"][0]["measures"]["accuracy_of_labels"]["value"] == 0.0


@pytest.mark.filterwarnings("always::plant_aggregate.AggregateWarning")
@pytest.mark.parametrize(("weight", "effect"), [("2.0", "valid alone"), ("0.5", "cannot make a label invalid")])
def test_a_weight_out_of_its_range_is_warned_of(
    published: Published, write: Write, capfd: Capture, weight: str, effect: str
) -> None:
    ai = str(write("ai.parquet", ai_table()))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--ai-weight", weight]) == 0
    assert effect in capfd.readouterr().err


@pytest.mark.parametrize(
    ("columns", "saying"),
    [
        ({"score": [0.9, 1.5, 0.5, 0.5]}, "1 score not in [0, 1]; first: row 1"),
        ({"score": [0.9, math.nan, 0.5, None]}, "2 score not in [0, 1]; first: row 1"),
        ({"observation_id": [1, None, 3, 9]}, "1 null observation_id; first: row 1"),
        ({"observation_id": ["1", "2", "3", "9"]}, "'observation_id' has type string, but int64"),
        ({"label": [1, 2, 3, 4]}, "'label' has type int64, but string"),
        ({"score": ["a", "b", "c", "d"]}, "'score' has type string; it must be a float"),
        ({"label": [None] * 4}, "no usable AI vote in 4 rows"),
    ],
)
def test_ai_votes_that_cannot_be_used(
    published: Published, write: Write, capfd: Capture, columns: dict[str, Any], saying: str
) -> None:
    if columns.get("label") == [None] * 4:
        columns = {"label": pa.array([None] * 4, pa.string())}
    line = run_refused(capfd, published, "--ai-votes", str(write("ai.parquet", ai_table(**columns))))
    assert saying in line
    assert "ai.parquet" in line


def test_a_few_unusable_ai_votes_are_kept_aside(published: Published, write: Write, capfd: Capture) -> None:
    ai = str(write("ai.parquet", ai_table(score=[0.9, 7.0, 0.5, 0.5])))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--max-rejected", "0.25"]) == 0
    out = capfd.readouterr().out
    assert "\nthe AI named 3 observations (1 row rejected), and validated" in out
    assert "\n1 rejected row: rejected.parquet says which and why\n" in out
    (row,) = pq.read_table("consensus/latest/rejected.parquet").to_pylist()
    assert (row["file"], row["row"], row["observation_id"], row["user_id"]) == (ai, 1, 2, None)
    counts = record_of()["counts"]
    assert counts["ai"]["rejected_by_reason"] == {"score not in [0, 1]": 1}
    assert counts["ai"]["observations"] == 3


def test_of_the_k_likeliest_labels_the_surest_counts_and_the_others_stop_nothing(
    published: Published, write: Write, capfd: Capture
) -> None:
    several = ai_table(observation_id=[1, 1, 1, 9], score=[0.9, 0.95, 0.95, 0.5])
    ai = str(write("ai.parquet", several))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--max-rejected", "0"]) == 0
    out = capfd.readouterr().out
    assert "\n  2 further rows of AI votes left out: one counts for each observation\n" in out
    assert "rejected" not in out
    row = pq.read_table("consensus/latest/consensus.parquet").to_pylist()[0]
    assert (row["ai_label"], row["ai_score"]) == ("Abies alba", 0.95)
    assert pq.read_metadata("consensus/latest/rejected.parquet").num_rows == 0
    counts = record_of()["counts"]
    assert (counts["ai"]["further"], counts["ai"]["rejected"], counts["ai"]["observations"]) == (2, 0, 2)
    assert counts["labels"] == 3  # "Acer opalus" is a user's, "Abies grandis" was named second only


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.float16()])
@pytest.mark.parametrize("threshold", ["0.7", "0.9", "0.35"])
def test_a_score_reaches_a_threshold_however_it_is_stored(
    published: Published, write: Write, kind: pa.DataType, threshold: str
) -> None:
    scores = pa.array(np.full(4, float(threshold)).astype(kind.to_pandas_dtype()), kind)
    ai = str(write("ai.parquet", ai_table(score=scores)))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--ai-threshold", threshold]) == 0
    rows = pq.read_table("consensus/latest/consensus.parquet").to_pylist()
    assert [(row["ai_score"], row["label"]) for row in rows if row["observation_id"] == 9] == [
        (float(threshold), "Abies alba")
    ]


def test_scores_just_outside_of_their_range_are_its_ends(published: Published, write: Write) -> None:
    ai = str(write("ai.parquet", ai_table(score=[1 + 1e-6, -1e-7, 0.5, 0.5])))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--max-rejected", "0"]) == 0
    rows = pq.read_table("consensus/latest/consensus.parquet").to_pylist()
    assert [row["ai_score"] for row in rows][:2] == [1.0, 0.0]


def test_options_that_do_not_go_together(published: Published, write: Write, capfd: Capture) -> None:
    ai = str(write("ai.parquet", ai_table()))
    line = run_refused(capfd, published, "--ai-votes", ai, "--strategy", "majority", exit_code=2)
    assert "--ai-votes are for the strategy plantnet" in line
    assert "--ai-calibration is given without --ai-votes" in run_refused(
        capfd, published, "--ai-calibration", "x.json", exit_code=2
    )
    assert "'--ai-weight': 0.0 must be in (0, 1e6]" in run_refused(
        capfd, published, "--ai-votes", ai, "--ai-weight", "0", exit_code=2
    )
    assert "gone.parquet" in run_refused(capfd, published, "--ai-votes", "gone.parquet")
    for option in (["--ai-mode", "fixed"], ["--ai-weight", "1"], ["--ai-threshold", "0.5"], ["--parrots", "drop"]):
        assert run_command(["run", "good.parquet", *option]) == 2
        assert f"{option[0]} is given without --ai-votes" in capfd.readouterr().err
    assert published.is_untouched()


@pytest.mark.filterwarnings("always::plant_aggregate.AggregateWarning")
@pytest.mark.parametrize(
    ("user_ids", "usual", "own"),
    [
        (pa.array(["AI", "bo", "AI (2)", "eve"]), "'AI'", "AI (3)"),
        (pa.array([-1, 2, 3, -2]), "-1", -3),
        (pa.array([255, 0, 1, 2], pa.uint8()), "255", 254),
    ],
)
def test_a_user_named_like_the_ai(
    published: Published, write: Write, capfd: Capture, user_ids: pa.Array, usual: str, own: Any
) -> None:
    write("good.parquet", user_id=user_ids)
    ai = str(write("ai.parquet", ai_table()))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--ai-mode", "user"]) == 0
    assert f"a user is named {usual}, so the AI is {own!r} among the users" in capfd.readouterr().err
    users = {row["user_id"]: row["n_votes"] for row in pq.read_table("consensus/latest/users.parquet").to_pylist()}
    assert users == {**dict.fromkeys(user_ids.to_pylist(), 1), own: 4}


def test_the_ai_finds_no_number_where_users_have_all() -> None:
    with pytest.raises(plant_aggregate.VotesError, match="no int8 is left as an id for the AI"):
        name_for_ai(pa.array(range(-128, 128), pa.int8()))


def test_the_ai_as_a_user_is_among_the_users(published: Published, write: Write) -> None:
    ai = str(write("ai.parquet", ai_table()))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--ai-mode", "user"]) == 0
    users = {row["user_id"]: row for row in pq.read_table("consensus/latest/users.parquet").to_pylist()}
    assert users["AI"]["n_votes"] == 4
    assert users["AI"]["parrot_score"] == 0.0


@pytest.mark.filterwarnings("always::plant_aggregate.AggregateWarning")
@pytest.mark.parametrize("mode", ["ignore", "confident", "invalidating"])
def test_scores_soft_results_and_probabilities_of_what_only_the_ai_knows(
    published: Published, write: Write, mode: str
) -> None:
    ai = str(write("ai.parquet", ai_table()))
    lists = {"labels": [["Abies alba", "Acer opalus"]] * 4, "probabilities": [[0.6, 0.3]] * 4}
    scores = str(write("scores.parquet", pa.table({"observation_id": [1, 2, 3, 9], "epoch": [0] * 4, **lists})))
    options = ["--ai-votes", ai, "--ai-mode", mode, "--scores", scores, "--soft", "--calibration", "simulated"]
    assert run_command(["run", "good.parquet", "-q", *options]) == 0
    row = pq.read_table("consensus/latest/consensus.parquet").to_pylist()[-1]
    assert (row["aumc"], row["waum"], row["pruned"]) == (None, None, False)
    if mode == "confident":
        assert row["score_aum"] == pytest.approx(0.3)
        assert row["probability"] > 0
    else:
        assert (row["score_aum"], row["probability"]) == (None, 0.0)
    posteriors = pq.read_table("consensus/latest/posteriors.parquet").to_pandas()
    assert posteriors.groupby("observation_id")["share"].sum().round(9).eq(1).all()
    assert (posteriors["observation_id"] == 9).sum() == (mode == "confident")


@pytest.mark.parametrize("method", ["isotonic", "temperature"])
def test_calibrate_then_run(work: Path, capfd: Capture, method: str) -> None:
    options = ["--truth", TRUTH, "--votes", VOTES, "--method", method]
    assert run_command(["calibrate-ai", AI, *options]) == 0
    printed = capfd.readouterr().out
    assert "all: 5,025 expert observations, the AI right on 4,286 (85.3 %)" in printed
    assert "users disagree: 132 expert observations, the AI right on 115 (87.1 %)" in printed
    saved = json.loads(Path("ai_calibration.json").read_text())
    everywhere = saved["comparisons"][0]
    assert everywhere["after"]["calibration_error"] < everywhere["before"]["calibration_error"]
    run = ["run", VOTES, "-q", "--ai-votes", AI]
    assert run_command(run) == 0
    before = pq.read_table("consensus/latest/consensus.parquet", columns=["ai_score", "ai_effect"])
    assert run_command([*run, "--ai-calibration", "ai_calibration.json"]) == 0
    after = pq.read_table("consensus/latest/consensus.parquet", columns=["ai_score", "ai_effect"])
    assert before["ai_score"] != after["ai_score"]
    assert before["ai_effect"] != after["ai_effect"]


@pytest.mark.parametrize(
    ("content", "saying"),
    [
        ("{}", "'format' is missing"),
        ("nonsense", "is not a calibration of AI scores"),
        ('{"format": "plant-aggregate calibration 1"}', "format is"),
        (
            '{"format": "plant-aggregate AI calibration 1", "method": "temperature", "map": {"temperature": 0}, '
            '"fitted_on": {}}',
            "temperature is 0.0",
        ),
    ],
)
def test_a_calibration_that_is_none(
    published: Published, write: Write, capfd: Capture, content: str, saying: str
) -> None:
    Path("broken.json").write_text(content)
    ai = str(write("ai.parquet", ai_table()))
    assert saying in run_refused(capfd, published, "--ai-votes", ai, "--ai-calibration", "broken.json")


def test_a_calibration_needs_experts(work: Path, write: Write, capfd: Capture) -> None:
    truth = str(write("truth.parquet", pa.table({"observation_id": [1, 2], "label": ["a", "b"]})))
    assert run_command(["calibrate-ai", AI, "--truth", truth]) == 1
    line = capfd.readouterr().err
    assert "the AI votes on 0 of its 2 observations, and a calibration needs 20" in line
    assert not Path("ai_calibration.json").exists()


def test_compare_covers_the_ai_modes(work: Path, capfd: Capture) -> None:
    options = ["--strategies", "plantnet", "--ai-votes", AI, "--ai-thresholds", "0.7,0.9", "--resamples", "0"]
    assert run_command(["compare", VOTES, "--truth", TRUTH, *options, "--json", "-q"]) == 0
    rows = json.loads(capfd.readouterr().out)
    names = [f"plantnet, AI {what}" for what in ("ignore", "user", "fixed", "invalidating", "from 0.7", "from 0.9")]
    assert [row["strategy"] for row in rows[::3]] == names
    assert {row["observations"] for row in rows if row["subset"] == "with a disagreement"} == {132}
