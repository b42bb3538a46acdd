"""What ``plant-aggregate run`` promises when all goes well."""

import fcntl
import hashlib
import json
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from plant_aggregate.schema import CONSENSUS, DIGEST, POSTERIORS, USER_AGREEMENT, USERS
from plant_aggregate.strategies.registry import ALL
from tests.command_line import VOTES, Capture, Published, Write
from tests.records import record_of

from ..processes import started


def run(*arguments: str | Path) -> None:
    assert run_command(["run", *map(str, arguments), "-q"]) == 0


def consensus(work: Path) -> pd.DataFrame:
    return pq.read_table(work / "consensus/latest/consensus.parquet").to_pandas()


def votes_read(work: Path) -> dict[str, Any]:
    counts: dict[str, Any] = record_of()["counts"]["votes"]
    return counts


def test_tables_have_the_columns_and_types_of_the_contract(write: Write, work: Path) -> None:
    run(write())
    tables = {name: pq.read_schema(work / f"consensus/latest/{name}.parquet") for name in ("consensus", "users")}
    assert tables["consensus"].names == [column.name for column in CONSENSUS + DIGEST]
    assert tables["users"].names == [column.name for column in (*USERS, *USER_AGREEMENT)]
    types = dict(zip(tables["consensus"].names, map(str, tables["consensus"].types), strict=True))
    assert types["observation_id"] == "int64"
    assert types["label"] == types["runner_up"] == "string"
    assert types["status"].startswith("dictionary<values=string")
    assert {types[name] for name in ("confidence", "aum", "margin", "agreement", "weight", "entropy")} == {"double"}
    assert {types[name] for name in ("n_votes", "n_labels")} == {"int32"}
    assert {types[name] for name in ("valid", "ambiguous")} == {"bool"}


def test_the_manifest_accounts_for_files_rows_and_phases(write: Write, work: Path) -> None:
    path = write()
    run(path, "--theta-acc", "0.6")
    found = record_of()
    assert found["strategy"] == "plantnet"
    assert found["parameters"]["theta_acc"] == 0.6
    assert found["parameters"]["theta_conf"] == 2.0
    (source,) = found["inputs"]
    assert source["rows"] == 4
    assert source["bytes"] == path.stat().st_size
    assert source["fingerprint"] == hashlib.sha256(path.read_bytes()).hexdigest()
    for name, output in found["outputs"].items():
        file = work / "consensus/latest" / name
        assert output["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert output["rows"] == pq.read_metadata(file).num_rows
    assert set(found["outputs"]) == {"consensus.parquet", "users.parquet", "rejected.parquet", "changes.parquet"}
    assert set(found["trace"][0]) == {"labels_changed", "users_changed", "valid"}
    assert found["converged"] is True
    assert found["cycle_length"] == 0
    assert found["peak_memory_bytes"] > 10**7
    assert set(found["seconds"]) >= {"read", "encode ids", "group by observation", "estimate", "write"}
    counts = found["counts"]
    assert counts["observations"] == counts["valid"] + counts["contested"] + counts["needs_votes"] == 3
    assert (counts["users"], counts["labels"], counts["self_validating_users"]) == (3, 3, 0)
    assert re.fullmatch(r"\d{8}T\d{6}Z", found["run_id"])


def test_the_summary_goes_to_stdout_and_progress_to_stderr(write: Write, work: Path, capfd: Capture) -> None:
    assert run_command(["run", str(write())]) == 0
    captured = capfd.readouterr()
    assert captured.out.startswith("3 observations, 4 votes, 3 labels\n")
    for words in ("valid", "contested", "needs votes", "ambiguous", "self-validating", "converged", "published as"):
        assert words in captured.out
    lines = captured.err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} ", line) for line in lines)
    assert any("read: 4 rows" in line for line in lines)


def test_json_on_stdout_is_run_json(write: Write, work: Path, capfd: Capture) -> None:
    run(write(), "--json")
    assert json.loads(capfd.readouterr().out) == record_of()


def test_a_terminal_gets_a_bar(write: Write, work: Path) -> None:
    """A pseudo-terminal of 100 columns stands in for the person."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    with started("run", str(write()), cwd=work, stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        shown = ""
        with suppress(OSError):  # the system's way to say that the other end is closed
            while part := os.read(leader, 4096):
                shown += part.decode()
        assert process.stdout is not None
        assert "3 observations" in process.stdout.read()
    os.close(leader)
    assert process.returncode == 0
    assert "read:" in shown
    assert "rows/s]" in shown


def test_columns_can_have_other_names_and_others_are_ignored(write: Write, work: Path) -> None:
    renamed = VOTES.rename_columns(["obs", "who", "species", "is_author"]).append_column("note", pa.array(["n"] * 4))
    path = write("renamed.parquet", renamed)
    run(path, "--column", "observation_id=obs", "--column", "user_id=who", "--column", "label=species")
    assert consensus(work)["observation_id"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integer_types_are_kept(write: Write, work: Path, kind: str) -> None:
    kind_type = pa.type_for_alias(kind)
    highest = np.iinfo(kind).max
    lowest = np.iinfo(kind).min
    ids = pa.array([highest, highest, lowest, 5], kind_type)
    run(write(observation_id=ids, user_id=ids, label=ids, is_author=None))
    for table, column in (("consensus", "observation_id"), ("consensus", "label"), ("users", "user_id")):
        found = pq.read_table(work / f"consensus/latest/{table}.parquet")[column]
        assert found.type == kind_type
        assert found.to_pylist() == sorted({highest, lowest, 5})


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_strings_of_any_make_come_out_as_strings(write: Write, work: Path, kind: pa.DataType) -> None:
    text = pa.array(["b", "b", "a", "é"]).cast(kind)
    run(write(observation_id=text, user_id=pa.array(["u", "v", "u", "w"]).cast(kind), label=text))
    found = pq.read_table(work / "consensus/latest/consensus.parquet")
    assert found["observation_id"].type == found["label"].type == pa.string()
    assert found["observation_id"].to_pylist() == ["a", "b", "é"]


def test_user_ids_beyond_2_to_53_stay_apart(write: Write, work: Path) -> None:
    run(write(user_id=[2**53, 2**53 + 1, 2**53, 2**63 - 1]))
    users = pq.read_table(work / "consensus/latest/users.parquet")["user_id"].to_pylist()
    assert users == [2**53, 2**53 + 1, 2**63 - 1]


NASTY = [
    "L" * 10_000,
    "a\0",
    "a",
    "\x01\x02",
    "quote \" and '",
    "😀",
    "../up",
    "=1+1",
    "line\nbreak",
    "\x1b[31m",
    "<b>",
]


def test_nasty_labels_and_ids_come_out_as_they_went_in(write: Write, work: Path, capfd: Capture) -> None:
    table = pa.table({"observation_id": NASTY, "user_id": NASTY[::-1], "label": NASTY})
    run(write("nasty.parquet", table))
    found = consensus(work).set_index("observation_id")["label"]
    assert found.to_dict() == dict(zip(NASTY, NASTY, strict=True))
    assert found.index.tolist() == sorted(NASTY)
    assert "\x1b" not in capfd.readouterr().out


def test_one_row_is_enough(write: Write, work: Path) -> None:
    run(write("one.parquet", VOTES.slice(0, 1)))
    assert consensus(work)["status"].tolist() == ["needs_votes"]


def test_an_observation_with_5000_votes(write: Write, work: Path) -> None:
    n = 5000
    labels = [f"label {vote % 3}" for vote in range(n)]
    run(write("popular.parquet", pa.table({"observation_id": [1] * n, "user_id": range(n), "label": labels})))
    (row,) = consensus(work).to_dict("records")
    assert (row["label"], row["n_votes"], row["n_labels"], row["runner_up"]) == ("label 0", n, 3, "label 1")
    assert row["agreement"] == pytest.approx(1667 / n)


def test_a_user_with_a_million_votes(write: Write, work: Path) -> None:
    n = 1_000_000
    columns = {"observation_id": np.arange(n), "user_id": np.zeros(n, np.int8), "label": np.arange(n) % 5000}
    run(write("busy.parquet", pa.table({**columns, "is_author": np.ones(n, np.bool_)})))
    user = pq.read_table(work / "consensus/latest/users.parquet").to_pylist()[0]
    assert (user["n_votes"], user["n_authored"], user["n_species"]) == (n, n, 0)


def test_two_hundred_files_in_hive_partitions_are_one_log(write: Write, work: Path) -> None:
    for number in range(200):
        write(
            f"log/year={2000 + number % 9}/part-{number:03d}.parquet", observation_id=[number, number, number, number]
        )
    run("log")
    assert votes_read(work)["read"] == 800
    assert len(record_of()["inputs"]) == 200
    assert consensus(work)["observation_id"].tolist() == list(range(200))


def test_a_file_named_twice_is_read_once(write: Write, work: Path) -> None:
    path = write("log/votes.parquet")
    run(path, "log", "log/*.parquet")
    assert votes_read(work)["read"] == 4


def test_the_latest_vote_wins_whatever_the_file(write: Write, work: Path) -> None:
    times = pa.array([3, 1, 1, 1], pa.timestamp("s"))
    write("log/a.parquet", voted_at=times)
    later = pa.array([2, 9, 1, 1], pa.timestamp("s"))
    write("log/b.parquet", label=["Ulex minor", "Ulex minor", "Ulex minor", None], voted_at=later)
    run("log")
    found = consensus(work).set_index("observation_id")
    assert found.loc[1, "label"] == "Acer campestre"  # ana's vote of time 3 stands, bo's of time 9 is for Ulex
    assert found.loc[1, "runner_up"] == "Ulex minor"
    assert found.loc[2, "label"] == "Ulex minor"  # the same time: the later file
    assert 3 not in found.index  # eve has withdrawn
    counts = votes_read(work)
    assert (counts["read"], counts["used"], counts["superseded"], counts["no_opinion"]) == (8, 3, 4, 1)


def test_any_row_of_a_user_may_say_that_the_user_is_the_author(write: Write, work: Path) -> None:
    table = pa.table(
        {
            "observation_id": [1, 1, 1],
            "user_id": ["bo", "ana", "ana"],
            "label": ["a", "b", "b"],
            "is_author": pa.array([None, True, False]),
        }
    )
    run(write("author.parquet", table))
    assert consensus(work)["label"].tolist() == ["b"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_votes_after_the_time_limit_are_left_out(write: Write, work: Path, unit: str, zone: str | None) -> None:
    times = pa.array([0, 86_400, 86_401, 2 * 86_400], pa.timestamp("s")).cast(pa.timestamp(unit))
    path = write(voted_at=times if zone is None else times.cast(pa.timestamp(unit, zone)))
    run(path, "--as-of", "1970-01-02")
    counts = votes_read(work)
    assert (counts["read"], counts["used"], counts["after_as_of"]) == (4, 2, 2)
    run(path, "--as-of", "1970-01-02T01:00:01+01:00")
    assert votes_read(work)["after_as_of"] == 1


@pytest.mark.parametrize(("limit", "exit_code"), [("0001-01-01", 1), ("9999-12-31", 0)])
def test_a_time_limit_beyond_64_bits_of_nanoseconds(write: Write, work: Path, limit: str, exit_code: int) -> None:
    path = write(voted_at=pa.array([1, 2, 3, 4], pa.timestamp("ns")))
    assert run_command(["run", str(path), "-q", "--as-of", limit]) == exit_code


def test_columns_may_be_dictionaries_of_integers_and_have_dots_in_their_names(write: Write, work: Path) -> None:
    numbers = pa.array([10, 10, 20, 30]).dictionary_encode()
    table = pa.table({"obs.id": numbers, "user.id": numbers, "label": numbers, "is_author": [True] * 4})
    run(write("dots.parquet", table), "--column", "observation_id=obs.id", "--column", "user_id=user.id")
    assert consensus(work)["observation_id"].tolist() == [10, 20, 30]
    assert pq.read_schema(work / "consensus/latest/consensus.parquet").field("label").type == pa.int64()


def test_rejected_rows_are_kept_aside_with_their_reason(write: Write, work: Path, capfd: Capture) -> None:
    path = write(user_id=["ana", None, "", "eve"], observation_id=[None, 1, 2, 3])
    run(path, "--max-rejected", "0.75")
    rows = pq.read_table(work / "consensus/latest/rejected.parquet").to_pylist()
    assert [(row["row"], row["reason"]) for row in rows] == [
        (0, "null observation_id"),
        (1, "null user_id"),
        (2, "blank user_id"),
    ]
    assert {row["file"] for row in rows} == {str(path)}
    assert rows[0]["label"] == "Acer campestre"
    assert votes_read(work)["rejected_by_reason"] == {"blank user_id": 1, "null observation_id": 1, "null user_id": 1}
    assert "3 rejected" in capfd.readouterr().out


def test_without_authors_the_run_warns_once(write: Write, work: Path, capfd: Capture) -> None:
    run(write(is_author=None))
    error = capfd.readouterr().err
    assert error.startswith("plant-aggregate: warning: ")
    assert error.count("\n") == 1
    assert record_of()["warnings"] == [error.removeprefix("plant-aggregate: warning: ").strip()]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_user_weights_from_a_file(write: Write, work: Path, suffix: str) -> None:
    weights = pd.DataFrame({"user_id": ["bo", "ana", "nobody"], "fixed_weight": [9.0, 0.0, 1.0]})
    path = work / f"weights.{suffix}"
    if suffix == "csv":
        weights.to_csv(path, index=False)
    else:
        weights.to_parquet(path)
    run(write(), "--user-weights", path)
    assert consensus(work)["label"].tolist() == ["Acer opalus", "Abies alba", "Abies alba"]
    assert record_of()["settings"]["user_weights"] == str(path)


def test_latest_is_a_relative_link_to_the_newest_run(write: Write, work: Path, published: Published) -> None:
    first = os.readlink(work / "consensus/latest")
    run(write())
    second = os.readlink(work / "consensus/latest")
    assert first.startswith("runs/")
    assert first != second
    assert (work / "consensus" / first / "consensus.parquet").exists()


def test_runs_of_the_same_second_have_different_ids(write: Write, work: Path) -> None:
    path = write()
    for _ in range(4):
        run(path)
    runs = sorted(path.name for path in (work / "consensus/runs").iterdir())
    assert len(runs) == 4
    assert os.readlink(work / "consensus/latest") == f"runs/{max(runs, key=lambda name: (name[:16], name[16:]))}"


def test_old_runs_beyond_keep_are_removed(write: Write, work: Path) -> None:
    path = write()
    for _ in range(4):
        run(path, "--keep", "2")
    assert len(list((work / "consensus/runs").iterdir())) == 3
    run(path, "--keep", "0")
    assert [str(path) for path in (work / "consensus/runs").iterdir()] == [str((work / "consensus/latest").resolve())]


def test_leftovers_of_a_killed_run_disturb_nobody(write: Write, work: Path, published: Published) -> None:
    leftover = work / "consensus/runs/.20200101T000000Z.partial"
    leftover.mkdir()
    (leftover / "consensus.parquet").write_bytes(b"half")
    run(write())
    assert consensus(work)["observation_id"].tolist() == [1, 2, 3]


def test_the_same_input_gives_the_same_bytes(write: Write, work: Path) -> None:
    path = write()
    digests = []
    for threads in ("1", "2", "4"):
        run(path, "--threads", threads)
        digests.append({name: output["sha256"] for name, output in record_of()["outputs"].items()})
    assert digests[0] == digests[1] == digests[2]


def test_weights_of_users_who_never_voted_are_noticed(
    write: Write, work: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (work / "weights.csv").write_text("user_id,fixed_weight\nnobody,0\n")
    run(write(), "--user-weights", "weights.csv")
    warning = "1 of 1 users with a weight set by hand have no vote (first: 'nobody')"
    assert warning in capfd.readouterr().err
    assert warning in record_of()["warnings"]


@pytest.mark.parametrize("strategy", [name for name in ALL if name != "plantnet"])
def test_every_strategy_can_be_chosen(write: Write, work: Path, strategy: str) -> None:
    run(write(), "--strategy", strategy, "--theta-conf", "1.25")
    assert record_of()["strategy"] == strategy
    assert record_of()["parameters"]["theta_conf"] == 1.25
    assert len(consensus(work)) == 3


def test_an_option_of_another_strategy_is_wrong_usage(write: Write, published: Published, capfd: Capture) -> None:
    assert run_command(["run", str(write()), "--strategy", "majority", "--prior-votes", "2"]) == 2
    complaint = capfd.readouterr().err
    assert "--prior-votes is not an option of --strategy majority" in complaint
    assert all(name in complaint for name in ("dawid-skene", "one-coin", "mace", "wds"))
    assert published.is_untouched()


def test_user_weights_are_for_plantnet_alone(write: Write, work: Path, capfd: Capture) -> None:
    weights = work / "weights.csv"
    weights.write_text("user_id,fixed_weight\nana,0\n")
    arguments = ["run", str(write()), "--strategy", "wawa", "--user-weights", str(weights)]
    assert run_command(arguments) == 2
    assert "plantnet" in capfd.readouterr().err


@pytest.mark.parametrize("strategy", ["plantnet", "dawid-skene"])
def test_soft_results_are_a_distribution_over_the_labels_voted(write: Write, work: Path, strategy: str) -> None:
    run(write(), "--strategy", strategy, "--soft")
    soft = pq.read_table(work / "consensus/latest/posteriors.parquet")
    assert soft.column_names == [column.name for column in POSTERIORS]
    frame = soft.to_pandas()
    assert frame["observation_id"].tolist() == [1, 1, 2, 3]
    assert frame["label"].tolist() == ["Acer campestre", "Acer opalus", "Abies alba", "Abies alba"]
    assert np.allclose(frame.groupby("observation_id")["share"].sum(), 1)
    assert record_of()["outputs"]["posteriors.parquet"]["rows"] == 4


def test_a_probability_is_that_of_the_label_to_be_right_and_nothing_else(write: Write, work: Path) -> None:
    """A newcomer's lone vote has the whole share, and is far from certain."""
    run(write(), "--soft", "--calibration", "simulated")
    tables = {path.name: pq.read_table(path) for path in (work / "consensus/latest").glob("*.parquet")}
    assert [name for name, table in tables.items() if "probability" in table.column_names] == ["consensus.parquet"]
    lone = {row["observation_id"]: row for row in tables["consensus.parquet"].to_pylist() if row["n_votes"] == 1}
    assert lone
    shares = {row["observation_id"]: row["share"] for row in tables["posteriors.parquet"].to_pylist()}
    for observation, row in lone.items():
        assert shares[observation] == 1.0
        assert row["probability"] < 0.95


def test_without_soft_there_are_no_soft_results(write: Write, work: Path) -> None:
    run(write())
    assert not (work / "consensus/latest/posteriors.parquet").exists()


def test_help_says_which_strategies_have_an_option(capfd: Capture) -> None:
    assert run_command(["run", "--help"]) == 0
    text = " ".join(capfd.readouterr().out.split())
    assert "default 0.5) [plantnet]" in text
    assert "[all strategies]" in text
