"""Labels, ids, names and settings that mean something to a terminal, a shell, a browser or a spreadsheet.

They come out of every command as they went in, and steer nothing that reads the output.
"""

import csv
import json
import re
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from plant_aggregate.cli.main import run_command
from plant_aggregate.publishing.stores.lock import HOLDER
from tests.command_line import Capture, Published

OWN_LINE = "INJECTED"
"""What a line begins with that a text put there by itself."""

TEXTS = [
    "../../../up",
    "/etc/passwd",
    "a/../b",
    "C:\\dir\\..\\x",
    "..",
    f"line\n{OWN_LINE}",
    f"return\r{OWN_LINE}",
    f"both\r\n{OWN_LINE}",
    f"vertical\v{OWN_LINE}\f{OWN_LINE}",
    f"next\x85{OWN_LINE}\x1c{OWN_LINE}",
    f"separator\u2028{OWN_LINE}\u2029{OWN_LINE}",
    "tab\tstop",
    "nul\0byte",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</svg><svg onload=alert(1)>",
    "&lt;b&gt;",
    "$\\frac{1}{0}$",
    "\x1b[2J\x1b[1;1H",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x90q\x9c",
    "backspace\b\b\b",
    "delete\x7f",
    "\u202eright to left",
    "\u2066isolate\u2069",
    "zero\u200bwidth\ufeff",
    "\\ud800",
    "\U0010ffff",
    "\U000e0041tag",
    "long" * 5000,
    "%s %(x)s {0} {x}",
    "`id` $(id) ; rm -rf",
    "\"quoted\" 'quoted' \\",
    "a,b;c|d",
    "null",
    "NaN",
]

LOUD = "votes\x1b[31m\n" + OWN_LINE + ".parquet"
"""A file name."""

OBSERVATIONS = [f"{text}{turn}" for turn in ("", "#") for text in TEXTS]


@dataclass(frozen=True)
class World:
    """A folder of inputs that are made of TEXTS, and of runs on them."""

    folder: Path
    votes: str = LOUD
    output: str = "=cmd\x1b[31m\n" + OWN_LINE
    truth: str = "truth<b>.parquet"
    ai: str = "ai\u202e.parquet"
    scores: str = "scores\t.parquet"

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("hostile"))
    shifted = TEXTS[1:] + TEXTS[:1]
    columns: dict[str, list[str]] = {"observation_id": [], "user_id": [], "label": []}
    for row, name in enumerate(OBSERVATIONS):
        for other in range(12):  # every user meets the others often enough to be suspect
            columns["observation_id"].append(name)
            columns["user_id"].append(TEXTS[(row + other) % len(TEXTS)])
            columns["label"].append(TEXTS[(row + (other if other > 5 else 0)) % len(TEXTS)])
    table = pa.table(columns)
    other_labels = table.set_column(2, "label", [[shifted[TEXTS.index(label)] for label in columns["label"]]])
    right = dict(zip(OBSERVATIONS, TEXTS * 2, strict=True))
    wrong = dict(zip(OBSERVATIONS, TEXTS + shifted, strict=True))
    tables = {
        world.votes: table,
        "other.parquet": other_labels,
        world.truth: pa.table({"observation_id": list(wrong), "label": list(wrong.values())}),
        world.ai: pa.table(
            {
                "observation_id": list(right),
                "label": list(right.values()),
                "score": [0.5 + row / 1000 for row in range(len(right))],
            }
        ),
        world.scores: pa.table(
            {
                "observation_id": OBSERVATIONS * 2,
                "epoch": [epoch for epoch in (0, 1) for _ in OBSERVATIONS],
                "labels": [[label, other] for label, other in zip(TEXTS, shifted, strict=True)] * 4,
                "probabilities": [[0.6, 0.4]] * len(OBSERVATIONS) * 2,
            }
        ),
        "renamed.parquet": table.rename_columns(["=obs\n" + OWN_LINE, "\x1b[31muser", "<b>"]),
        "no_columns.parquet": pa.table({text[:100]: [1] for text in TEXTS}),
        "twice.parquet": pa.table({"observation_id": [TEXTS[5]] * 2, "label": TEXTS[:2]}),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(world.folder)
        for name, content in tables.items():
            pq.write_table(content, name)
        with open("weights\n" + OWN_LINE + ".csv", "w", newline="") as file:
            csv.writer(file).writerows(
                [["user_id", "fixed_weight"], *([text, 1] for text in TEXTS if "\0" not in text), ["nobody\x1b", 1]]
            )
        for name in ("other.parquet", world.votes):
            assert called("run", f"./{name}", "-o", world.output, "-q") == 0
    return world


@pytest.fixture
def world(made: World, monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> World:
    monkeypatch.chdir(made.folder)
    capfd.readouterr()
    return made


def called(*arguments: str) -> int:
    """The exit code; no warning comes out but by the console."""
    with warnings.catch_warnings(record=True) as missed:
        warnings.simplefilter("always")
        code = run_command(list(arguments))
    assert [str(warning.message) for warning in missed] == []
    return code


def printed(capfd: Capture) -> tuple[str, str]:
    """What stdout and stderr hold, which steers no terminal and has no line that the data began."""
    captured = capfd.readouterr()
    for text in (captured.out, captured.err):
        assert [c for c in text if c != "\n" and not c.isprintable()] == []
        assert [line for line in text.split("\n") if line.lstrip().startswith(OWN_LINE)] == []
    return captured.out, captured.err


def new_files(world: World, before: set[str]) -> set[str]:
    """The names that appeared; none is made from data."""
    names = world.files() - before
    for name in names:
        assert re.fullmatch(r"[\w.-]+", Path(name).name), name
    return names


RUNS = {
    "run": ["run", "VOTES", "-o", "out/run", "--soft", "--max-label-changes", "0.5"],
    "run with everything": [
        *("run", "VOTES", "-o", "OUTPUT", "--ai-votes", "AI", "--scores", "SCORES", "--user-weights", "WEIGHTS"),
        *("--metrics", "out/metrics.prom"),
    ],
    "run held": ["run", "./other.parquet", "-o", "OUTPUT", "--max-label-changes", "0"],
    "run without columns": ["run", "VOTES", "./no_columns.parquet", "-o", "out/none"],
    "run renamed": [
        *("run", "renamed.parquet", "-o", "out/renamed", "--column", f"observation_id==obs\n{OWN_LINE}"),
        *("--column", "user_id=\x1b[31muser", "--column", "label=<b>"),
    ],
    "run renamed wrongly": ["run", "VOTES", "-o", "out/none", "--column", f"label=\x1b\n{OWN_LINE}"],
    "run with a hostile option": ["run", "VOTES", "--column", f"\x1b\n{OWN_LINE}=x"],
    "an unknown option": ["run", f"--\x1b\n{OWN_LINE}"],
    "an unknown command": [f"\x1b\n{OWN_LINE}"],
    "an unknown strategy": ["run", "VOTES", "--strategy", f"\x1b\n{OWN_LINE}"],
    "no such file": ["run", f"\x1b\n{OWN_LINE}.parquet", "-o", "out/none"],
    "runs": ["runs", "-o", "OUTPUT"],
    "runs of none": ["runs", "-o", f"\x1b\n{OWN_LINE}"],
    "diff": ["diff", "RUN_A", "RUN_B", "-o", "OUTPUT", "--rows", "1000", "--table", "out/changes.parquet"],
    "diff of files": ["diff", "OUTPUT/runs/RUN_A/consensus.parquet", "OUTPUT", "--rows", "1000"],
    "diff of no runs": ["diff", f"\x1b\n{OWN_LINE}", "latest", "-o", "OUTPUT"],
    "publish": ["publish", "RUN_B", "-o", "OUTPUT"],
    "publish nothing": ["publish", f"../\x1b\n{OWN_LINE}", "-o", "OUTPUT"],
    "rollback": ["rollback", "-o", "OUTPUT"],
    "evaluate": ["evaluate", "OUTPUT", "--truth", "TRUTH", "--worst", "1000", "--resamples", "5", "--votes", "VOTES"],
    "evaluate with duplicates": ["evaluate", "OUTPUT", "--truth", "twice.parquet"],
    "compare": [
        *("compare", "VOTES", "--truth", "TRUTH", "--strategies", "plantnet,majority,wawa", "--resamples", "5"),
        *("--ai-votes", "AI", "-o", "out/measures.csv"),
    ],
    "compare nothing": ["compare", "VOTES", "--truth", "TRUTH", "--strategies", f"\x1b\n{OWN_LINE}"],
    "compare into nothing": ["compare", "VOTES", "--truth", "TRUTH", "-o", f"\x1b\n{OWN_LINE}/x.csv"],
    "ambiguity": ["ambiguity", "VOTES", "--scores", "SCORES", "-o", "out/ambiguity.parquet"],
    "calibrate": ["calibrate", "OUTPUT", "--truth", "TRUTH", "-o", "out/calibration.json"],
    "calibrate-ai": [*("calibrate-ai", "AI", "--truth", "TRUTH", "--votes", "VOTES", "-o", "out/ai.json")],
    "config": ["config"],
    "config of another": ["config", "--show", f"\x1b\n{OWN_LINE}"],
    "config --show": ["config", "--show", "evaluate"],
    "simulate": ["simulate", "out/simulated", "--scale", "0.0001"],
    "simulate into a file": ["simulate", "VOTES"],
}
EXIT_CODES = {
    "run held": 3,
    "run without columns": 1,
    "run renamed wrongly": 1,
    "run with a hostile option": 2,
    "an unknown option": 2,
    "an unknown command": 2,
    "an unknown strategy": 2,
    "no such file": 1,
    "runs of none": 1,
    "diff of no runs": 1,
    "publish nothing": 1,
    "evaluate with duplicates": 1,
    "compare nothing": 2,
    "compare into nothing": 1,
    "config": 2,
    "config of another": 2,
    "simulate into a file": 2,
}
"""Of those that are not to end well."""

WITH_JSON = {"run", "runs", "diff", "evaluate", "compare", "ambiguity", "calibrate", "calibrate-ai"}


def command_line(world: World, name: str) -> list[str]:
    runs = sorted(path.name for path in (world.folder / world.output / "runs").iterdir())
    values = {
        "VOTES": f"./{world.votes}",
        "OUTPUT": world.output,
        "TRUTH": world.truth,
        "AI": world.ai,
        "SCORES": world.scores,
        "WEIGHTS": f"weights\n{OWN_LINE}.csv",
        "RUN_A": runs[0],
        "RUN_B": runs[1],
    }
    pattern = re.compile("|".join(values))
    return [pattern.sub(lambda found: values[found[0]], argument) for argument in RUNS[name]]


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("options", [[], ["--log-format", "json"], ["--json"]], ids=["text", "log", "json"])
def test_no_command_prints_what_steers_a_terminal(world: World, capfd: Capture, name: str, options: list[str]) -> None:
    if options == ["--json"] and RUNS[name][0] not in WITH_JSON:
        options = []
    (world.folder / "out").mkdir(exist_ok=True)
    (world.folder / "out" / "simulated").mkdir(exist_ok=True)
    before = world.files()
    if name == "simulate":
        options = [*options, "--overwrite"]
    code = called(*command_line(world, name), *options)
    out, err = printed(capfd)
    assert code == EXIT_CODES.get(name, 0), err
    assert "internal error" not in err
    assert new_files(world, before) <= {path for path in world.files() if path.startswith(("out", world.output))}
    if "--log-format" in options:
        assert all(json.loads(line) for line in err.splitlines())
    if "--json" in options and code == 0:
        json.loads(out)


def test_labels_and_ids_come_out_as_they_went_in(world: World, capfd: Capture) -> None:
    """In Parquet and in JSON; shown in tables they are escaped."""
    consensus = pq.read_table(f"{world.output}/latest/consensus.parquet")
    assert consensus["observation_id"].to_pylist() == sorted(OBSERVATIONS, key=str.encode)
    assert set(consensus["label"].to_pylist()) == set(TEXTS)
    users = pq.read_table(f"{world.output}/latest/users.parquet")
    assert set(users["user_id"].to_pylist()) == set(TEXTS)
    evaluate = ["evaluate", world.output, "--truth", world.truth, "--worst", "1000", "--resamples", "0"]
    assert called(*evaluate, "--json") == 0
    found = json.loads(printed(capfd)[0])
    assert {pair["truth"] for pair in found["confusions"]} | {pair["label"] for pair in found["confusions"]} == {*TEXTS}
    assert {user["user_id"] for user in found["users"]["worst"]} == set(TEXTS)
    assert called(*evaluate) == 0
    table = printed(capfd)[0]
    assert f"line\\n{OWN_LINE}" in table
    assert "\\x1b[2J" in table
    assert "\\u202eright to left" in table


def test_a_csv_file_holds_no_formula(world: World, capfd: Capture, tmp_path: Path) -> None:
    path = tmp_path / "measures.csv"
    assert called("compare", f"./{world.votes}", "--truth", world.truth, "-o", str(path), "--resamples", "0") == 0
    with open(path, newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_number(cell)] == []


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.extras
def test_charts_hold_no_markup_of_the_data(world: World, capfd: Capture, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    compare, reliability = tmp_path / "compare.svg", tmp_path / "reliability.svg"
    votes = f"./{world.votes}"
    arguments = ["--truth", world.truth, "--strategies", "majority,wawa", "--resamples", "0"]
    assert called("compare", votes, *arguments, "--plot", str(compare)) == 0
    assert (
        called(
            *("calibrate-ai", world.ai, "--truth", world.truth, "--votes", votes),
            *("-o", str(tmp_path / "ai.json"), "--plot", str(reliability)),
        )
        == 0
    )
    for path in (compare, reliability):
        drawn = path.read_text(encoding="utf-8")
        assert not re.search(r"<script|onerror|onload|alert\(", drawn)
        ElementTree.fromstring(drawn)


RECORDS: dict[str, Any] = {
    "run_id": f"../../\x1b[31m\n{OWN_LINE}",
    "strategy": f"<b>\x9b\n{OWN_LINE}",
    "held": [f"\x1b]0;title\x07\n{OWN_LINE}", "=1+1"],
    "changes": {"label_changed": 3, "against": f"\n{OWN_LINE}"},
    "warnings": [f"\n{OWN_LINE}"],
    "version": "\u202e",
}


KEYS = ("as_of", "columns", "max_rejected", "observations", "label_changed")


VALUES = [None, [], {}, "text", -1, 1.5, float("nan"), True, "\ud800"]


MANY = [pytest.param(name, marks=pytest.mark.slow) for name in ("settings", "counts")]
"""Records of many keys, each of which is changed in several ways."""


@pytest.mark.parametrize("name", [*RECORDS, "outputs", "a path in outputs", "parameters", *MANY])
def test_no_record_of_a_run_is_believed(
    work: Path, published: Published, capfd: Capture, write: Callable[..., Path], name: str
) -> None:
    latest = work / "consensus" / "latest"
    file = latest / "run.json"
    record = json.loads(file.read_text())
    truth = write("truth.parquet", pa.table({"observation_id": [1, 2], "label": ["Acer opalus", "Abies alba"]}))
    before = set(work.rglob("*"))
    evil = f"\x1b\n{OWN_LINE}"
    if name == "a path in outputs":
        records = [{"outputs": {f"../../../{evil}": value, **record["outputs"]}} for value in VALUES]
    else:
        records = [{name: value} for value in [*VALUES, RECORDS.get(name, {"..": {"sha256": "x"}})]]
    if name in ("settings", "counts", "changes"):
        inner = record[name] or {"label_changed": 1, "against": "x"}
        records += [{name: {**inner, key: value}} for key in inner for value in (evil, -1, [evil], None)]
    for changed in records:
        file.write_text(json.dumps({**record, **changed}))
        for command in (
            ["runs"],
            ["runs", "--json"],
            ["diff", "latest", "consensus"],
            ["diff", "latest", "consensus", "--json"],
            ["evaluate", "consensus", "--truth", str(truth), "--resamples", "0", "--votes", "good.parquet"],
            ["evaluate", "consensus", "--truth", str(truth), "--resamples", "0", "--json"],
            ["publish", latest.readlink().name],
            ["rollback"],
        ):
            code = called(*command)
            out, err = printed(capfd)
            assert code in (0, 1), (changed, command, err)
            assert "internal error" not in err, (changed, command, err)
            if "--json" in command and code == 0:
                json.loads(out)
    assert set(work.rglob("*")) - before <= {work / "consensus" / ".lock"}


DEEP = "[" * 100_000
FILES = [DEEP, "[]", "null", '"\\ud800"', '{"format": "\\u001b\\nINJECTED"}', "\x1b", "{" + DEEP, '{"format": 1e999}']


@pytest.mark.parametrize("content", FILES, ids=range(len(FILES)))
def test_no_file_beside_the_tables_is_believed(
    work: Path, published: Published, write: Callable[..., Path], capfd: Capture, content: str
) -> None:
    """Calibrations, run.json, and who holds the lock."""
    file = work / f"\x1b\n{OWN_LINE}.json"
    file.write_text(content)
    ai = write("ai.parquet", pa.table({"observation_id": [1], "label": ["Abies alba"], "score": [0.5]}))
    run = ["run", "good.parquet", "-q", "-o", "out"]
    for options in (["--calibration", str(file)], ["--ai-votes", str(ai), "--ai-calibration", str(file)]):
        assert called(*run, *options) == 1
        assert "internal error" not in printed(capfd)[1]
    (work / "consensus" / "latest" / "run.json").write_text(content)
    assert called("runs") == 0
    assert "damaged" in printed(capfd)[0] or "published" in capfd.readouterr().out


@pytest.mark.parametrize("pid", ["1", "null", '"1"', "1e999", DEEP])
def test_who_holds_the_lock_is_told_in_a_line(published: Published, capfd: Capture, pid: str) -> None:
    host = json.dumps(f"\x1b\n{OWN_LINE}")
    with FileLock(published.folder / ".lock"):
        (published.folder / HOLDER).write_text(f'{{"host": {host}, "started": {host}, "pid": {pid}}}')
        assert called("run", "good.parquet", "-q", "--lock", "fail") == 4
    error = printed(capfd)[1]
    assert error.startswith(f"plant-aggregate: error: {published.folder.name}: is being written by")
    assert error.count("\n") == 1


SETTINGS = {
    "a table": "[{evil}]\nx = 1",
    "a key": "[run]\n{evil} = 1",
    "a value of no choice": "[run]\nstrategy = {evil}",
    "a value of another type": "[run]\nthreads = {evil}",
    "a column": "[run]\ncolumn = [{evil}]",
    "a place": "[run]\nmetrics = {uri}",
    "a time": "[run]\nas-of = {evil}",
    "values that are taken": "[run]\nvotes = [{evil}]\noutput = {evil}\nuser-weights = [{evil}]",
    "no TOML": "{evil}",
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("options", [[], ["--log-format", "json"], ["--show"]], ids=["text", "log", "show"])
def test_no_configuration_steers_a_terminal(work: Path, capfd: Capture, name: str, options: list[str]) -> None:
    evils = [json.dumps(text.replace("\x7f", "")) for text in TEXTS if max(text) < "\U00010000"]
    for number, evil in enumerate(evils):
        file = work / f"\x1b[31m\n{OWN_LINE}{number}.toml"
        file.write_text(SETTINGS[name].format(evil=evil, uri=f'"s3://{evil[1:-1]}"'))
        before = set(work.rglob("*"))
        assert called("config", *options, "--config", str(file)) in (0, 1, 2)
        out, err = printed(capfd)
        assert "internal error" not in err
        assert set(work.rglob("*")) == before
        if out and "--show" in options:
            shown = tomllib.loads(out)["run"]
            given = tomllib.loads(file.read_text())["run"]
            assert {key: shown[key] for key in given} == given
