"""Guards, held runs, and the way forward and back: ``run``, ``publish``, ``rollback``, ``runs`` and ``diff``."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate.pipeline
from plant_aggregate.cli.main import run_command
from tests.command_line import PREFIX, Capture, Published, Write, refused
from tests.records import record_of

OTHER_LABELS = ["Acer campestre", "Acer opalus", "Abies alba", "Picea abies"]
"""One of three labels is another."""


@pytest.fixture
def others(write: Write) -> str:
    return str(write("others.parquet", label=OTHER_LABELS))


def ids_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def latest(work: Path) -> str:
    return (work / "consensus" / "latest").readlink().name


def held_run(others: str, work: Path, capfd: Capture) -> str:
    """Hold a run of other labels; its id."""
    before = set(ids_in(work / "consensus" / "held"))
    assert run_command(["run", others, "-q", "--max-label-changes", "0"]) == 3
    capfd.readouterr()
    (run_id,) = set(ids_in(work / "consensus" / "held")) - before
    return run_id


def another_run(work: Path, capfd: Capture) -> str:
    assert run_command(["run", "good.parquet", "-q"]) == 0
    capfd.readouterr()
    return latest(work)


# --- Guards -----------------------------------------------------------------------------------------------------------


def test_labels_that_change_too_often_hold_the_run(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    assert run_command(["run", others, "-q", "--max-label-changes", "0.3"]) == 3
    captured = capfd.readouterr()
    (held,) = ids_in(work / "consensus" / "held")
    assert captured.err == (
        f"plant-aggregate: error: consensus/held/{held}: held back: 1 of 3 labels changed (33.3 %), more than "
        "--max-label-changes 0.3 allows; consensus/latest is as it was; see plant-aggregate diff latest "
        f"{held}, then publish it (plant-aggregate publish {held}) or mend the votes\n"
    )
    assert "1 label changed (33.33 %)" in captured.out
    assert "published as" not in captured.out
    assert published.is_untouched()
    manifest = record_of(f"consensus/held/{held}")
    assert manifest["held"] == ["1 of 3 labels changed (33.3 %), more than --max-label-changes 0.3 allows"]
    assert manifest["changes"]["label_changed"] == 1


@pytest.fixture
def valid(write: Write, work: Path, capfd: Capture) -> Published:
    """A published run with three valid observations of four."""
    users = ("a", "b", "c")
    columns = {
        "observation_id": [i for i in (1, 2, 3, 4) for _ in users],
        "user_id": list(users) * 4,
        "label": ["Abies alba"] * 9 + ["Acer a", "Acer b", "Acer c"],
        "is_author": [True, False, False] * 4,
    }
    write("valid.parquet", pa.table(columns))
    assert run_command(["run", "valid.parquet", "-q"]) == 0
    capfd.readouterr()
    return Published(work / "consensus")


def test_valid_observations_that_fall_too_far_hold_the_run(
    valid: Published, write: Write, work: Path, capfd: Capture
) -> None:
    rows = pq.read_table("valid.parquet")
    write("fewer.parquet", rows.slice(3))
    assert run_command(["run", "fewer.parquet", "-q", "--max-valid-drop", "0.3"]) == 3
    assert (
        "held back: valid observations fell from 3 to 2 (33.3 %), more than --max-valid-drop 0.3 allows; "
        in capfd.readouterr().err
    )
    assert valid.is_untouched()
    assert run_command(["run", "fewer.parquet", "-q", "--max-valid-drop", "0.34"]) == 0
    assert run_command(["run", "valid.parquet", "-q", "--max-valid-drop", "0"]) == 0  # more are no harm


def test_both_guards_are_named_at_once(valid: Published, write: Write, capfd: Capture) -> None:
    labels = pq.read_table("valid.parquet")["label"].to_pylist()
    write("other.parquet", pq.read_table("valid.parquet"), label=["x", "y", "z", *["Abies grandis"] * 3, *labels[6:]])
    assert run_command(["run", "other.parquet", "-q", "--max-label-changes", "0.1", "--max-valid-drop", "0.1"]) == 3
    error = capfd.readouterr().err
    assert re.search(
        r"held back: \d of 4 labels changed \(\S+ %\).* allows; valid observations fell from 3 to 2", error
    )
    assert error.count("\n") == 1
    assert valid.is_untouched()


@pytest.mark.parametrize(("limit", "exit_code"), [("0.3333", 3), ("0.3334", 0), ("1", 0), ("0", 3)])
def test_a_limit_may_be_reached_but_not_passed(
    published: Published, others: str, limit: str, exit_code: int, capfd: Capture
) -> None:
    assert run_command(["run", others, "-q", "--max-label-changes", limit]) == exit_code


def test_a_first_run_and_one_that_changes_nothing_are_not_held(write: Write, work: Path, capfd: Capture) -> None:
    guards = ["--max-label-changes", "0", "--max-valid-drop", "0"]
    for _ in range(2):
        assert run_command(["run", str(write()), "-q", *guards]) == 0
    assert ids_in(work / "consensus" / "held") == []


@pytest.mark.parametrize("has_older", [False, True])
def test_a_published_run_that_is_gone_holds_the_next(
    published: Published, work: Path, capfd: Capture, has_older: bool
) -> None:
    older = latest(work)
    gone = another_run(work, capfd)
    shutil.rmtree(work / "consensus" / "runs" / gone)
    if not has_older:
        shutil.rmtree(work / "consensus" / "runs" / older)
    assert run_command(["run", "good.parquet", "-q", "--max-label-changes", "1"]) == 3
    warning, error = capfd.readouterr().err.splitlines()
    instead = f": the new one is compared with the newest there, {older}" if has_older else ""
    assert warning == f"plant-aggregate: warning: consensus/latest names run {gone}, which is gone{instead}"
    assert f": held back: it cannot be compared with the published run {gone}, which is gone; " in error
    (held,) = ids_in(work / "consensus" / "held")
    assert latest(work) == gone
    assert run_command(["publish", held]) == 0
    assert latest(work) == held
    assert run_command(["run", "good.parquet", "-q", "--max-label-changes", "1"]) == 0


def test_a_published_run_that_is_gone_is_a_warning_without_guards(
    published: Published, work: Path, capfd: Capture
) -> None:
    gone = latest(work)
    shutil.rmtree(work / "consensus" / "runs" / gone)
    assert run_command(["run", "good.parquet", "-q"]) == 0
    assert capfd.readouterr().err == (f"plant-aggregate: warning: consensus/latest names run {gone}, which is gone\n")


@pytest.mark.parametrize(("options", "exit_code"), [([], 0), (["--max-label-changes", "1"], 3)])
def test_a_published_run_that_vanishes_meanwhile_is_not_compared(
    published: Published, capfd: Capture, monkeypatch: pytest.MonkeyPatch, options: list[str], exit_code: int
) -> None:
    monkeypatch.setattr(
        plant_aggregate.pipeline, "baseline", lambda store: "20200101T000000Z"
    )  # as it was a moment ago
    assert run_command(["run", "good.parquet", "-q", *options]) == exit_code
    assert "warning: what changed since run 20200101T000000Z is not known: " in capfd.readouterr().err


@pytest.mark.parametrize("option", ["--max-label-changes", "--max-valid-drop"])
@pytest.mark.parametrize("value", ["-0.1", "1.1", "nan", "much"])
def test_a_limit_is_a_share(published: Published, capfd: Capture, option: str, value: str) -> None:
    assert run_command(["run", "good.parquet", "-q", option, value]) == 2
    assert option.removeprefix("--").replace("-", "_") in capfd.readouterr().err.replace("-", "_")
    assert published.is_untouched()


def test_a_held_run_is_held_against_the_published_one_not_the_held(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    for _ in range(2):
        held = held_run(others, work, capfd)
        manifest = record_of(f"consensus/held/{held}")
        assert manifest["changes"]["against"] == latest(work)
    assert published.is_untouched()


def test_json_of_a_held_run_is_its_run_json(published: Published, others: str, capfd: Capture) -> None:
    assert run_command(["run", others, "-q", "--json", "--max-label-changes", "0"]) == 3
    assert len(json.loads(capfd.readouterr().out)["held"]) == 1


def test_held_runs_are_pruned_but_for_the_newest(published: Published, others: str, work: Path, capfd: Capture) -> None:
    held = [held_run(others, work, capfd) for _ in range(4)]
    assert run_command(["run", "good.parquet", "-q", "--keep", "2"]) == 0
    assert ids_in(work / "consensus" / "held") == sorted(held)[-2:]
    assert run_command(["run", "good.parquet", "-q", "--keep", "0"]) == 0
    assert ids_in(work / "consensus" / "held") == sorted(held)[-1:]
    assert len(ids_in(work / "consensus" / "runs")) == 1


# --- Publish and rollback ---------------------------------------------------------------------------------------------


def test_a_held_run_can_be_published(published: Published, others: str, work: Path, capfd: Capture) -> None:
    held = held_run(others, work, capfd)
    before = latest(work)
    assert run_command(["publish", held]) == 0
    assert capfd.readouterr().out == (
        f"published as consensus/latest -> consensus/runs/{held}\n"
        f"before that it named {before}: plant-aggregate publish {before} takes this back\n"
    )
    assert latest(work) == held
    assert ids_in(work / "consensus" / "held") == []
    assert run_command(["run", others, "-q", "--max-label-changes", "0"]) == 0


def test_an_older_run_can_be_published_again_and_the_published_one_too(
    published: Published, work: Path, capfd: Capture
) -> None:
    first = latest(work)
    second = another_run(work, capfd)
    for run_id in (first, first, second):
        assert run_command(["publish", run_id]) == 0
        assert latest(work) == run_id
    assert ids_in(work / "consensus" / "runs") == [first, second]


def test_rollback_goes_back_a_run_at_a_time(published: Published, work: Path, capfd: Capture) -> None:
    ids = [latest(work), another_run(work, capfd), another_run(work, capfd)]
    for run_id in (ids[1], ids[0]):
        assert run_command(["rollback"]) == 0
        assert capfd.readouterr().out.startswith(f"published as consensus/latest -> consensus/runs/{run_id}\n")
        assert latest(work) == run_id
    assert run_command(["rollback"]) == 1
    assert capfd.readouterr().err == (
        f"plant-aggregate: error: consensus: there is no run before {ids[0]}; see plant-aggregate runs\n"
    )
    assert latest(work) == ids[0]
    assert another_run(work, capfd) > ids[2]


def test_rollback_passes_over_held_runs(published: Published, others: str, work: Path, capfd: Capture) -> None:
    held_run(others, work, capfd)
    assert run_command(["rollback"]) == 1
    assert "there is no run before" in capfd.readouterr().err
    assert published.is_untouched()


@pytest.mark.parametrize("file", ["consensus.parquet", "users.parquet", "changes.parquet", "run.json"])
@pytest.mark.parametrize("damage", ["other", "gone"])
def test_a_damaged_run_is_not_published(
    published: Published, others: str, work: Path, capfd: Capture, file: str, damage: str
) -> None:
    older = latest(work)
    newer = another_run(work, capfd)
    held = held_run(others, work, capfd)
    for run in (work / "consensus" / "runs" / older, work / "consensus" / "held" / held):
        (run / file).unlink() if damage == "gone" else (run / file).write_bytes(b"{")
    before = Published(work / "consensus")
    for command in (["publish", older], ["publish", held], ["rollback"]):
        assert run_command(command) == 1
        captured = capfd.readouterr()
        run_id = held if held in command else older
        assert captured.out == ""
        assert captured.err.startswith(f"plant-aggregate: error: consensus: run {run_id} is damaged (")
        assert captured.err.endswith(
            "); publish another one (plant-aggregate publish RUN_ID), see plant-aggregate runs\n"
        )
        assert file in captured.err
        assert captured.err.count("\n") == 1
    assert before.is_untouched()
    assert latest(work) == newer
    assert ids_in(work / "consensus" / "held") == [held]


def test_commands_that_are_advised_name_the_output_and_work(
    write: Write, others: str, work: Path, capfd: Capture
) -> None:
    output = "out of tonight"
    out = ["-o", output]
    pasted = "-o 'out of tonight'"
    assert run_command(["run", str(write()), "-q", *out]) == 0
    (first,) = ids_in(work / output / "runs")
    assert run_command(["run", others, "-q", "--max-label-changes", "0", *out]) == 3
    (held,) = ids_in(work / output / "held")
    assert capfd.readouterr().err.endswith(
        f"; see plant-aggregate diff latest {held} {pasted}, then publish it (plant-aggregate publish {held} {pasted}) "
        "or mend the votes\n"
    )
    assert run_command(["publish", held, *out]) == 0
    assert f": plant-aggregate publish {first} {pasted} takes this back\n" in capfd.readouterr().out
    (work / output / "runs" / first / "users.parquet").unlink()
    assert run_command(["rollback", *out]) == 1
    assert capfd.readouterr().err.endswith(
        f"; publish another one (plant-aggregate publish RUN_ID {pasted}), see plant-aggregate runs {pasted}\n"
    )


@pytest.mark.parametrize("damage", ["run.json", "users.parquet", "consensus.parquet"])
def test_a_run_held_because_the_published_one_is_damaged_is_told_what_can_be_done(
    write: Write, work: Path, capfd: Capture, damage: str
) -> None:
    votes = str(write())
    for _ in range(2):
        assert run_command(["run", votes, "-q", "-o", "out"]) == 0
    older, damaged = ids_in(work / "out" / "runs")
    (work / "out" / "runs" / damaged / damage).unlink()
    assert run_command(["run", votes, "-q", "-o", "out", "--max-label-changes", "1"]) == 3
    error = capfd.readouterr().err.splitlines()[-1]
    (held,) = ids_in(work / "out" / "held")
    assert error.startswith(
        f"plant-aggregate: error: out/held/{held}: held back: it cannot be compared with run {damaged} ("
    )
    assert error.endswith(
        f"); out/latest is as it was; look at the run itself, then publish it (plant-aggregate publish {held} -o out) "
        "or an earlier one (see plant-aggregate runs -o out), or mend the votes"
    )
    assert error.count("see plant-aggregate") == 1
    if damage != "run.json":
        assert run_command(["diff", "latest", held, "-o", "out"]) == 1
        folder = work / "out"  # named as it was found
        assert capfd.readouterr().err.endswith(f"; publish another run, see plant-aggregate runs -o {folder}\n")
    assert run_command(["publish", held, "-o", "out"]) == 0
    assert run_command(["rollback", "-o", "out"]) == 1
    assert "publish another one (plant-aggregate publish RUN_ID -o out)" in capfd.readouterr().err
    assert run_command(["publish", older, "-o", "out"]) == 0


@pytest.mark.parametrize("name", ["20200101T000000Z", "../runs", "", "."])
def test_an_unknown_run_cannot_be_published(published: Published, capfd: Capture, name: str) -> None:
    known = published.before[0].removeprefix("runs/")
    assert run_command(["publish", name]) == 1
    error = capfd.readouterr().err
    assert error.startswith(f"plant-aggregate: error: consensus: has no run {name}; the newest are: {known}")
    assert error.count("\n") == 1
    assert published.is_untouched()


@pytest.mark.parametrize("command", [["publish", "20200101T000000Z"], ["rollback"], ["runs"]])
def test_a_folder_without_runs_is_no_output_folder(work: Path, capfd: Capture, command: list[str]) -> None:
    assert run_command([*command, "-o", "elsewhere"]) == 1
    assert capfd.readouterr().err == (
        "plant-aggregate: error: elsewhere: is no output folder; name one that plant-aggregate run wrote (-o, or "
        "--config)\n"
    )
    assert ids_in(work) == []
    assert run_command([*command, "-o", ""]) == 2


# --- Runs -------------------------------------------------------------------------------------------------------------


def test_runs_are_listed_oldest_first_with_what_became_of_them(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    first, second = latest(work), another_run(work, capfd)
    held = held_run(others, work, capfd)
    assert run_command(["runs"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        [first, "kept", "previous", "plantnet", "3", "0", "-"],
        [second, "published", "latest", "plantnet", "3", "0", "0"],
        [held, "held", "-", "plantnet", "3", "0", "1"],
    ]
    assert lines[4:] == [
        f"{held} was held back: 1 of 3 labels changed (33.3 %), more than --max-label-changes 0 allows"
    ]
    assert run_command(["rollback"]) == 0
    capfd.readouterr()
    for place in ([], ["consensus"], ["consensus", "-o", "consensus"], ["-o", "consensus/"]):
        assert run_command(["runs", *place, "--json"]) == 0
        assert [(run["run_id"], run["state"], run["name"]) for run in json.loads(capfd.readouterr().out)] == [
            (first, "published", "latest"),
            (second, "kept", None),
            (held, "held", None),
        ]
    given_twice = refused(capfd, "runs", "consensus", "-o", "elsewhere", exit_code=2)
    assert "the output folder is given twice, as consensus and with -o as elsewhere" in given_twice


def test_a_damaged_run_is_listed_as_such(published: Published, work: Path, capfd: Capture) -> None:
    (work / "consensus" / "latest" / "run.json").write_text("{")
    assert run_command(["runs"]) == 0
    assert "published, damaged" in capfd.readouterr().out


@pytest.mark.parametrize(
    "contents",
    [
        '{"outputs": {}}',
        '{"outputs": {"consensus.parquet": 1}}',
        '{"outputs": {"consensus.parquet": {"sha256": []}}, "counts": 1}',
        '{"outputs": {"consensus.parquet": {}}, "changes": [], "held": "x"}',
        '{"outputs": {"consensus.parquet": {}}, "strategy": [1], "counts": {"valid": "x"}, "held": [1]}',
    ],
)
def test_a_run_json_of_somebody_else_is_damage_and_no_internal_error(
    published: Published, work: Path, capfd: Capture, contents: str
) -> None:
    (work / "consensus" / "latest" / "run.json").write_text(contents)
    commands = (["runs"], ["publish", latest(work)], ["diff", "latest", "latest"], ["run", "good.parquet", "-q"])
    assert [run_command(command) for command in commands] == [0, 1, 1, 0]
    error = capfd.readouterr().err
    assert "internal error" not in error
    assert " is damaged (" in error


# --- Diff -------------------------------------------------------------------------------------------------------------


def test_runs_are_named_by_id_by_latest_and_by_path(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    first, held = latest(work), held_run(others, work, capfd)
    names: list[tuple[str, ...]] = [
        (first, held),
        ("latest", held),
        ("consensus", f"consensus/held/{held}"),
        (f"consensus/runs/{first}/consensus.parquet", str(work / "consensus" / "held" / held)),
    ]
    reports = []
    for pair in names:
        assert run_command(["diff", *pair]) == 0
        title, *report = capfd.readouterr().out.splitlines()
        called = zip((first, held), pair, strict=True)
        assert title == " -> ".join(run_id if name == run_id else f"{run_id} ({name})" for run_id, name in called)
        reports.append(report)
    assert all(report == reports[0] for report in reports)
    assert reports[0][:2] == ["3 observations in both, 0 new, 0 gone", "  label changed               1  33.33 %"]
    assert reports[0][-1].split() == ["3", "Abies", "alba", "Picea", "abies", "needs_votes", "needs_votes", "votes"]


def title_of_diff(capfd: Capture, *arguments: str) -> str:
    """The first line of ``diff``, which names both runs."""
    capfd.readouterr()
    assert run_command(["diff", *arguments]) == 0
    return capfd.readouterr().out.splitlines()[0]


def test_without_names_latest_is_compared_with_previous(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    first = latest(work)
    for arguments in ([], ["latest", "previous"]):
        line = refused(capfd, "diff", *arguments)
        assert line == f"{PREFIX}consensus: there is no run before {first}; see plant-aggregate runs\n"
    second, held = another_run(work, capfd), held_run(others, work, capfd)
    assert title_of_diff(capfd) == f"{first} (previous) -> {second} (latest)"
    assert title_of_diff(capfd, "latest", "previous") == f"{second} (latest) -> {first} (previous)"
    (work / "elsewhere").mkdir()
    for place in (["../consensus"], ["-o", "../consensus"], [(work / "consensus").as_uri()]):
        os.chdir(work / "elsewhere")
        assert title_of_diff(capfd, *place) == f"{first} (previous) -> {second} (latest)"
    os.chdir(work)
    assert run_command(["publish", held]) == 0
    assert title_of_diff(capfd) == f"{second} (previous) -> {held} (latest)"
    assert run_command(["rollback"]) == 0
    assert title_of_diff(capfd) == f"{first} (previous) -> {second} (latest)"


def test_a_single_run_is_compared_with_latest_the_older_one_first(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    first, second = latest(work), another_run(work, capfd)
    held = held_run(others, work, capfd)
    assert title_of_diff(capfd, first) == f"{first} -> {second} (latest)"
    for name in ("latest", second, "consensus/latest"):
        assert title_of_diff(capfd, name).startswith(f"{first} (previous) -> {second}")
    assert title_of_diff(capfd, held) == f"{second} (latest) -> {held}"
    shutil.copy(work / "consensus" / "latest" / "consensus.parquet", "mine.parquet")
    assert title_of_diff(capfd, "mine.parquet") == f"mine.parquet -> {second} (latest)"


def test_runs_are_named_by_the_beginning_of_their_ids(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    first, second = latest(work), another_run(work, capfd)
    held = held_run(others, work, capfd)
    for command in (["diff", "latest", "20"], ["publish", "20"]):
        begin = f"{PREFIX}consensus: the ids of 3 runs begin with 20; name one: {first}, {second}, {held}\n"
        assert refused(capfd, *command) == begin
    (work / "consensus" / "held" / held).rename(work / "consensus" / "held" / "30000101T000000Z")
    record = record_of(work / "consensus" / "held" / "30000101T000000Z")
    (work / "consensus" / "held" / "30000101T000000Z" / "run.json").write_text(
        json.dumps({**record, "run_id": "30000101T000000Z"})
    )
    assert title_of_diff(capfd, "latest", "3000") == f"{second} (latest) -> 30000101T000000Z"
    assert run_command(["publish", "3"]) == 0
    assert latest(work) == "30000101T000000Z"
    assert run_command(["publish", "previous"]) == 0
    assert latest(work) == second
    capfd.readouterr()
    assert refused(capfd, "publish", "lastest") == f"{PREFIX}consensus: has no run lastest; did you mean latest?\n"
    assert refused(capfd, "diff", "lastest", "latest") == (
        f"{PREFIX}lastest: no such file or folder; did you mean latest? Else check the path, or the id of the run (see "
        "plant-aggregate runs)\n"
    )


def test_json_and_a_table(published: Published, others: str, work: Path, capfd: Capture) -> None:
    held = held_run(others, work, capfd)
    assert run_command(["diff", "latest", held, "--json", "--table", "out/changes.parquet"]) == 0
    counts = json.loads(capfd.readouterr().out)
    folder = work / "consensus" / "held" / held
    assert counts == {"run_id": held, **record_of(folder)["changes"]}
    assert pq.read_table("out/changes.parquet").equals(pq.read_table(folder / "changes.parquet"))


@pytest.mark.parametrize(
    ("name", "saying"),
    [
        ("", "the name that --table gives is empty; name a file to write"),
        ("/", "/: is the output folder, or one that it lies in"),
        (".", ".: is the output folder, or one that it lies in"),
        ("/usr", "/usr: is a folder; name a file to write"),
    ],
)
def test_a_table_needs_a_name(published: Published, capfd: Capture, name: str, saying: str) -> None:
    assert run_command(["diff", "latest", "latest", "--table", name]) == 2
    assert saying in capfd.readouterr().err


def test_a_diff_the_other_way_round_is_the_reverse(
    published: Published, others: str, work: Path, capfd: Capture
) -> None:
    held = held_run(others, work, capfd)
    rows = []
    for pair in (("latest", held), (held, "latest")):
        assert run_command(["diff", *pair, "--table", "changes.parquet"]) == 0
        rows.append(pq.read_table("changes.parquet").to_pylist())

    def swapped(row: dict[str, Any]) -> dict[str, Any]:
        other = {"old": "new", "new": "old"}
        return {**row, **{f"{a}_{name}": row[f"{b}_{name}"] for name in ("label", "status") for a, b in other.items()}}

    assert [swapped(row) for row in rows[0]] == rows[1]


def test_few_rows_are_shown_and_the_rest_is_counted(
    published: Published, write: Write, work: Path, capfd: Capture
) -> None:
    first = latest(work)
    assert run_command(["run", str(write("new.parquet", observation_id=[7, 8, 9, 10])), "-q"]) == 0
    capfd.readouterr()
    for rows, more in (("0", []), ("2", ["and 5 more: --table FILE writes all"]), ("7", [])):
        assert run_command(["diff", first, "latest", "--rows", rows]) == 0
        lines = capfd.readouterr().out.splitlines()
        assert lines[1] == "0 observations in both, 4 new, 3 gone"
        assert len(lines) == 6 + (int(rows) + 2 if rows != "0" else 0) + len(more)
        assert [line for line in lines if "--table" in line] == more
    assert run_command(["diff", first, "latest", "--rows", "2", "--table", "all.parquet"]) == 0
    assert capfd.readouterr().out.splitlines()[-3:] == ["and 5 more", "", "written to all.parquet"]


def test_what_was_relabelled_most_often_stands_before_the_observations(
    write: Write, work: Path, capfd: Capture
) -> None:
    long = "Quercus " + "x" * 100
    nights = {"old": (range(7), [*"aaabbb", "c"]), "new": (range(1, 8), ["b", "b", *"aa", long, *"cd"])}
    for name, (ids, labels) in nights.items():
        votes = pa.table({"observation_id": list(ids), "user_id": [f"u{i}" for i in ids], "label": labels})
        assert run_command(["run", str(write(f"{name}.parquet", votes)), "-q"]) == 0
    first, last = ids_in(work / "consensus" / "runs")
    capfd.readouterr()
    assert run_command(["diff", first, last, "--rows", "6"]) == 0
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    place = lines.index(["times", "label", "before", "label", "now"])
    whole = long.split()
    assert lines[place + 1 : place + 5] == [["2", "a", "b"], ["2", "b", "a"], ["1", "b", *whole], []]
    assert [line[0] for line in lines[place + 6 :]] == ["1", "2", "3", "4", "5", "0", "and"]


@pytest.mark.parametrize("name", ["20200101T000000Z", "nowhere", "good.parquet", ""])
def test_what_is_no_run_cannot_be_compared(published: Published, capfd: Capture, name: str) -> None:
    for pair in (("latest", name), (name, "latest")):
        assert run_command(["diff", *pair]) == 1
        captured = capfd.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("plant-aggregate: error: ")
        assert "internal error" not in captured.err
        assert captured.err.count("\n") == 1
