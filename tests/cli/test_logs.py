"""What a collector of logs, a monitoring system and who ends the job get to see."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pytest

from plant_aggregate.cli.command import GROUPS, MANY, Option
from plant_aggregate.cli.group import COMMANDS, cli
from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Published, Write
from tests.records import record_of

JSON = ("--log-format", "json")
OTHER = {"label": ["Acer opalus", "Acer opalus", "Abies alba", "Abies alba"]}


def lines(capfd: Capture) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert all({"time", "level", "event"} <= set(line) for line in found)
    return found


def test_phases_and_the_result_as_json(write: Write, work: Path, capfd: Capture) -> None:
    assert run_command(["run", str(write()), *JSON]) == 0
    logged = lines(capfd)
    phases = [line["phase"] for line in logged if line["event"] == "phase"]
    assert phases[0] == "read"
    assert phases[-2:] == ["compare with the run before", "publish"]
    assert logged[-1]["event"] == "published"
    assert logged[-1]["counts"]["observations"] == 3


def test_warnings_and_errors_as_json(write: Write, work: Path, capfd: Capture) -> None:
    assert run_command(["run", str(write(is_author=None)), *JSON, "-q"]) == 0
    (warning,) = lines(capfd)
    assert (warning["level"], warning["message"][:10]) == ("warning", "no vote is")
    assert run_command(["run", "gone.parquet", *JSON]) == 1
    *_, error = lines(capfd)
    assert (error["level"], error["exit_code"]) == ("error", 1)
    assert error["message"] == "gone.parquet: no such file or folder; check the path"


@pytest.mark.parametrize("arguments", [["--log-format", "json", "--nope"], ["--nope", "--log-format=json"]])
def test_wrong_usage_as_json(capfd: Capture, work: Path, arguments: list[str]) -> None:
    assert run_command(["run", "x", *arguments]) == 2
    (error,) = lines(capfd)
    assert "--nope" in error["message"]
    assert error["exit_code"] == 2


def test_a_run_that_is_held_as_json(published: Published, write: Write, capfd: Capture) -> None:
    path = str(write("other.parquet", **OTHER))
    assert run_command(["run", path, *JSON, "--max-label-changes", "0.1"]) == 3
    *_, held, error = lines(capfd)
    assert held["event"] == "held"
    assert held["held"] == ["1 of 3 labels changed (33.3 %), more than --max-label-changes 0.1 allows"]
    assert error["exit_code"] == 3


def test_the_format_may_stand_in_a_file(write: Write, work: Path, capfd: Capture) -> None:
    (work / "c.toml").write_text('[run]\nlog-format = "json"\n')
    assert run_command(["run", str(write()), "--config", "c.toml"]) == 0
    assert lines(capfd)[-1]["event"] == "published"
    assert run_command(["run", "gone.parquet"]) == 1
    assert capfd.readouterr().err.splitlines()[-1].startswith("plant-aggregate: error: gone.parquet")


@pytest.mark.parametrize("config", [("--config", "c.toml"), ("--config=c.toml",)])
@pytest.mark.parametrize("wrong", [["--nope"], ["--keep", "-1"], ["--strategy", "nope"], ["--store-timeout", "0"]])
def test_wrong_usage_is_told_in_the_format_of_the_file(
    work: Path, capfd: Capture, config: tuple[str, ...], wrong: list[str]
) -> None:
    (work / "c.toml").write_text('[run]\nlog-format = "json"\n')
    for arguments in (["run", "x", *wrong, *config], ["run", "x", *config, *wrong]):
        assert run_command(arguments) == 2
        (error,) = lines(capfd)
        assert wrong[0] in error["message"]
        assert run_command([*arguments, "--log-format", "text"]) == 2
        assert capfd.readouterr().err.startswith("plant-aggregate: error: ")


STRAYS = """
import gc, logging, sys, threading, warnings
from plant_aggregate import AggregateWarning
from plant_aggregate.publishing import releases
from plant_aggregate.cli.start import main

class Stray:
    def __del__(self):
        raise OSError("lost")

def list_runs(_):
    warnings.warn("outside of\\nprogress", AggregateWarning)
    warnings.warn("of a library", RuntimeWarning)
    logging.getLogger("store").warning("try %d\\nfailed", 1)
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    Stray()
    gc.collect()
    raise RuntimeError("at last")

releases.list_runs = list_runs
main()
"""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_every_line_of_stderr_has_the_format(work: Path, log_format: str) -> None:
    """Warnings, what libraries log, and errors that can be raised nowhere."""
    command = [sys.executable, "-c", STRAYS, "runs", "--debug", "--log-format", log_format]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    if log_format == "text":
        ours = [line for line in done.stderr.splitlines() if line.startswith("plant-aggregate: ")]
        assert [line.split(": ", 2)[1:] for line in ours[:2]] == [
            ["warning", "outside of\\nprogress"],
            ["warning", "store: try 1\\nfailed"],
        ]
        assert done.stderr.count("Traceback") == 3
        return
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in logged] == ["warning", "warning", "traceback", "traceback", "traceback", "error"]
    assert [line["message"] for line in logged[:2]] == ["outside of\nprogress", "store: try 1\nfailed"]
    for line, word in zip(logged[2:5], ("ZeroDivisionError", "lost", "at last"), strict=True):
        assert word in line["traceback"]


@pytest.mark.parametrize("command", COMMANDS)
def test_quiet_is_an_option_of_every_command(command: str) -> None:
    context = click.Context(cli)
    found = cli.get_command(context, command)
    assert found is not None
    names = [name for option in found.params for name in option.opts]
    assert {"-q", "--quiet", "--log-format", "--debug", "--config"} <= set(names)


def test_quiet_may_stand_in_the_file(published: Published, write: Write, work: Path, capfd: Capture) -> None:
    (work / "c.toml").write_text("[run]\nquiet = true\n[rollback]\nquiet = true\n")
    assert run_command(["run", str(write()), "--config", "c.toml"]) == 0
    assert capfd.readouterr().err == ""
    assert run_command(["rollback", "--config", "c.toml"]) == 0
    assert capfd.readouterr().err == ""
    assert run_command(["run", str(write()), "--config", "c.toml", "--no-quiet"]) == 0
    assert "published" in capfd.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_group(command: str) -> None:
    context = click.Context(cli)
    found = cli.get_command(context, command)
    assert found is not None
    options = [option for option in found.params if isinstance(option, click.Option)]
    assert all(isinstance(option, Option) for option in options)
    said = found.get_help(click.Context(found, info_name=command))
    groups = [line.removesuffix(":") for line in said.splitlines() if line.removesuffix(":") in GROUPS]
    if len(options) + 1 > MANY:  # and --help
        assert groups == sorted(groups, key=GROUPS.index)
        assert len(groups) > 3
    else:
        assert groups == []


def metrics(path: Path) -> dict[str, float]:
    from prometheus_client.parser import text_string_to_metric_families

    samples = [sample for family in text_string_to_metric_families(path.read_text()) for sample in family.samples]
    named = {
        sample.name + "".join(f"[{value}]" for name, value in sample.labels.items() if name != "output"): sample.value
        for sample in samples
    }
    return {name.removeprefix("plant_aggregate_"): value for name, value in named.items()}


def test_metrics_say_what_run_json_says(published: Published, write: Write, work: Path) -> None:
    table = pa.table({"observation_id": [*range(99), None], "user_id": [1] * 100, "label": ["a"] * 100})
    before = time.time()
    assert run_command(["run", str(write("v.parquet", table)), "-q", "--metrics", "m.prom"]) == 0
    found = metrics(work / "m.prom")
    record = record_of()
    assert (found["votes_read"], found["votes_rejected[null observation_id]"]) == (100, 1)
    assert found["observations[valid]"] == record["counts"]["valid"]
    assert found["labels_changed"] == record["changes"]["label_changed"]
    assert found["phase_seconds[read]"] == pytest.approx(record["seconds"]["read"], abs=1e-4)
    assert found["peak_memory_bytes"] == record["peak_memory_bytes"]
    assert before <= found["last_success_timestamp_seconds"] == found["last_run_timestamp_seconds"] <= time.time()
    assert (found["held"], found["converged"]) == (0, 1)
    assert sorted(path.name for path in work.glob("m.prom*")) == ["m.prom"]


def test_a_run_that_is_held_is_no_success(published: Published, write: Write, work: Path) -> None:
    assert run_command(["run", str(write()), "-q", "--metrics", "m.prom"]) == 0
    success = metrics(work / "m.prom")["last_success_timestamp_seconds"]
    held = ["run", str(write("other.parquet", **OTHER)), "-q", "--max-label-changes", "0", "--metrics"]
    assert run_command([*held, "m.prom"]) == 3
    found = metrics(work / "m.prom")
    assert found["held"] == 1
    assert found["last_success_timestamp_seconds"] == success < found["last_run_timestamp_seconds"]
    (work / "bad.prom").write_text("{ not metrics")
    assert run_command([*held, "bad.prom"]) == 3
    assert "last_success_timestamp_seconds" not in metrics(work / "bad.prom")


def test_two_outputs_of_a_host_have_no_metric_in_common(write: Write, work: Path) -> None:
    """A textfile collector takes two files with the same series for an error, and shows neither."""
    path = str(write())
    for output in ("species", "genera"):
        assert run_command(["run", path, "-q", "-o", output, "--metrics", f"{output}.prom"]) == 0
    texts = [(work / f"{output}.prom").read_text() for output in ("species", "genera")]
    files = [[line for line in text.splitlines() if not line.startswith("#")] for text in texts]
    series = [line.rpartition(" ")[0] for lines in files for line in lines]
    assert len(set(series)) == len(series) > 20
    for output, lines in zip(("species", "genera"), files, strict=True):
        assert all(f'output="{work}/{output}"' in line for line in lines)


def test_the_last_success_of_another_output_is_not_taken_over(write: Write, work: Path) -> None:
    path, other = str(write()), str(write("other.parquet", **OTHER))
    assert run_command(["run", path, "-q", "-o", "species", "--metrics", "m.prom"]) == 0
    assert run_command(["run", path, "-q", "-o", "genera"]) == 0
    guarded = ["-o", "genera", "--metrics", "m.prom", "--max-label-changes", "0"]
    assert run_command(["run", other, "-q", *guarded]) == 3
    assert "last_success_timestamp_seconds" not in metrics(work / "m.prom")


def test_the_last_success_is_known_from_a_file_without_outputs(published: Published, write: Write, work: Path) -> None:
    """As the version before wrote it."""
    (work / "m.prom").write_text("plant_aggregate_last_success_timestamp_seconds 1.75e9\n")
    other = str(write("other.parquet", **OTHER))
    assert run_command(["run", other, "-q", "--metrics", "m.prom", "--max-label-changes", "0"]) == 3
    assert metrics(work / "m.prom")["last_success_timestamp_seconds"] == 1.75e9


def test_what_a_run_of_another_version_does_not_tell_has_no_metric(
    published: Published, write: Write, work: Path
) -> None:
    path = work / "consensus/latest/run.json"
    contents = json.loads(path.read_text())
    contents["counts"]["votes"] = "many"
    path.write_text(json.dumps({name: contents[name] for name in ("run_id", "counts", "outputs")}))
    assert run_command(["run", str(write()), "-q"]) == 0
    assert run_command(["rollback", "--metrics", "m.prom"]) == 0
    found = metrics(work / "m.prom")
    assert found["observations[valid]"] == contents["counts"]["valid"]
    assert not {"votes_read", "labels_changed", "converged", "peak_memory_bytes"} & set(found)


def test_a_run_that_fails_leaves_the_metrics_alone(published: Published, write: Write, work: Path) -> None:
    (work / "m.prom").write_text("old")
    assert run_command(["run", "gone.parquet", "-q", "--metrics", "m.prom"]) == 1
    assert (work / "m.prom").read_text() == "old"


@pytest.mark.parametrize("place", ["no/such/folder.prom"])
@pytest.mark.parametrize("command", [["run", "votes.parquet", "-q"], ["rollback"]])
def test_metrics_that_can_have_no_file_are_an_error_before_any_work(
    published: Published, write: Write, capfd: Capture, command: list[str], place: str
) -> None:
    write()
    assert run_command([*command, "--metrics", place]) == 1
    assert capfd.readouterr().err == (
        f"plant-aggregate: error: {place}: metrics cannot be written; see that the folder is there, and whose it is\n"
    )
    assert published.is_untouched()


def test_metrics_that_cannot_be_written_are_an_error_of_a_run_that_is_done(
    write: Write, work: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (work / "m.prom").write_text("old")
    monkeypatch.setattr("prometheus_client.generate_latest", fail)
    assert run_command(["run", str(write()), "-q", "--metrics", "m.prom"]) == 1
    assert capfd.readouterr().err == (
        "plant-aggregate: error: m.prom: metrics cannot be written (no space left on device); "
        "the work itself is done and in place\n"
    )
    assert (work / "consensus/latest/run.json").exists()
    assert (work / "m.prom").read_text() == "old"


@pytest.mark.parametrize(
    ("command", "phases"),
    [
        (["evaluate", "consensus"], ["read expert labels", "find them in the consensus", "evaluate"]),
        (["compare", "good.parquet", "--strategies", "majority"], ["read expert labels", "read:", "fit majority"]),
        (["calibrate", "consensus"], ["read expert labels", "find them in the consensus"]),
        (["calibrate-ai", "ai.parquet", "--votes", "good.parquet"], ["read expert labels", "read:", "the AI's votes"]),
    ],
)
def test_commands_that_read_expert_labels_have_a_bar(
    published: Published,
    write: Write,
    capfd: Capture,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    phases: list[str],
) -> None:
    experts = {"observation_id": [1, 2], "label": ["Acer opalus", "Abies alba"]}
    write("truth.parquet", pa.table(experts))
    write("ai.parquet", pa.table({**experts, "score": [0.5, 0.5]}))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run_command([*command, "--truth", "truth.parquet"]) in (0, 1)  # too few of them for a calibration
    said = capfd.readouterr().err
    places = [said.find(phase) for phase in phases]
    assert -1 not in places
    assert places == sorted(places)
    run_command([*command, "--truth", "truth.parquet", "-q"])
    assert phases[0] not in capfd.readouterr().err
