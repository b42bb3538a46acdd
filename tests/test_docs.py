"""The documentation says what the program does."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import plant_aggregate
from plant_aggregate.cli.group import COMMANDS, cli
from plant_aggregate.formats.registry import FORMATS
from plant_aggregate.parameters import declared
from tests.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_generated_parts_are_fresh() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "docs" / "update.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def part(name: str, page: str) -> list[str]:
    """The lines of a generated part, each with single spaces and without the seconds at its end."""
    text = (ROOT / page).read_text(encoding="utf-8").split(f"<!-- begin {name} -->\n")[1]
    block = text.split(f"<!-- end {name} -->")[0].removeprefix("```console\n").removesuffix("```\n")
    return [" ".join(re.sub(r"[\d.]+ s$", "", line).split()) for line in block.splitlines() if line.strip()]


def number_in(lines: list[str], pattern: str) -> str:
    """What a pattern finds in the one line that it fits."""
    (found,) = [match[1] for line in lines if (match := re.search(pattern, line))]
    return str(found)


def test_what_two_commands_say_of_the_sample_is_the_same() -> None:
    run, with_ai = part("run on sample_votes", "README.md"), part("run with AI on sample_votes", "docs/ai.md")
    evaluated = part("evaluate on sample_votes", "docs/evaluation.md")
    compared = part("compare on sample_votes", "docs/evaluation.md")
    calibrated = part("calibrate on sample_votes", "docs/evaluation.md")
    share_right = number_in(evaluated, r"^accuracy of labels, valid or not ([\d.]+ %)")
    assert number_in(calibrated, r"labelled right \((.*)\)") == share_right
    everywhere = next(line for line in compared if line.startswith("plantnet "))
    assert share_right in everywhere
    assert number_in(evaluated, r"^accuracy \(not valid = wrong\) ([\d.]+ %)") in everywhere
    assert number_in(evaluated, r"^expert observations ([\d,]+)") == compared[0].split()[0]
    valid, valid_with_ai = (int(number_in(lines, r"^valid ([\d,]+)").replace(",", "")) for lines in (run, with_ai))
    became, no_longer = (
        int(number_in(with_ai, pattern).replace(",", ""))
        for pattern in (r"([\d,]+) became valid", r"([\d,]+) no longer are")
    )
    assert valid + became - no_longer == valid_with_ai


@pytest.mark.parametrize(("page", "screens"), [("README.md", 2), ("CONTRIBUTING.md", 1)])
def test_what_is_read_first_is_short(page: str, screens: int) -> None:
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= 55 * screens


def test_the_readme_leads_to_every_page_and_example() -> None:
    linked = set(re.findall(r"\]\(([^)#:]+)", README))
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    examples = {f"examples/{path.name}" for path in (ROOT / "examples").iterdir() if path.is_file()}
    assert (pages | examples) - linked == set()


def test_ci_runs_the_readmes_test_command() -> None:
    command = next(line for line in README.splitlines() if line.endswith("-m pytest"))
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_command_is_listed_with_its_own_summary() -> None:
    listed = CliRunner().invoke(cli, ["--help"], terminal_width=200).output
    for name, summary in COMMANDS.items():
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str(limit=200) == summary
        assert re.search(rf"^  {name} +{re.escape(summary)}$", listed, re.MULTILINE)


def test_every_commands_help_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"<!-- begin help {name} -->" not in page] == []


def test_every_format_has_a_page() -> None:
    for name in FORMATS:
        page = (ROOT / "docs" / "formats" / f"{name}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {name}\n")
        assert f"<!-- begin options of {name} -->" in page or not declared(FORMATS[name])


def test_every_option_has_a_help_text() -> None:
    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        silent = [param.name for param in command.params if param.param_type_name == "option" and not param.help]  # type: ignore[attr-defined]
        assert silent == []


def test_help_and_version_work() -> None:
    assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
    assert plant_aggregate.__version__ in CliRunner().invoke(cli, ["--version"]).output


def keys_in(value: Any, shape: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of JSON as docs/run_json.md writes them, and their values; ``.NAME`` where names are free."""
    if isinstance(value, dict):
        for name, below in value.items():
            free = shape in ("outputs", "files", "names")
            key = f"{shape}.{'NAME' if free else name}" if shape else name
            if not free:
                yield key, below
            yield from keys_in(below, key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from keys_in(value[0], f"{shape}[]")


JSON_KINDS = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict, "array": list}


class OwnMajority(plant_aggregate.Majority):
    """A strategy that is not built in."""


def test_the_page_of_run_json_has_every_key_and_its_type(tmp_path: Path) -> None:
    """Those of a first run, of one that was compared, of one that could not be, and of a model with several starts."""
    by_hand = {"user_weights": tmp_path / "weights.parquet", "experts": tmp_path / "experts.parquet"}
    with_files = plant_aggregate.Settings(**by_hand)
    with_names = plant_aggregate.Settings(names=True)
    with_ai = plant_aggregate.Settings(ai_votes=ROOT / "sample_votes" / "ai_votes.parquet")
    nights = [
        (None, with_files),
        (plant_aggregate.OneCoin(max_iter=2), None),
        (plant_aggregate.Kinds(max_iter=2), None),
        (OwnMajority(), with_names),
        (plant_aggregate.Auto(), with_ai),
    ]
    votes = pq.read_table(ROOT / "sample_votes" / "votes.parquet").slice(0, 500)
    labels = pa.array([f"{votes['label'][0]} L.", "Acer", *votes["label"][2:].to_pylist()])
    votes = votes.set_column(votes.column_names.index("label"), "label", labels)
    pq.write_table(votes, tmp_path / "votes.parquet")
    weights = pa.table({"user_id": votes["user_id"][:1], "fixed_weight": [1.0]})
    pq.write_table(weights, tmp_path / "weights.parquet")
    pq.write_table(votes.select(["observation_id", "label"])[:1], tmp_path / "experts.parquet")
    runs = [plant_aggregate.run(tmp_path / "votes.parquet", tmp_path / "out", *night) for night in nights]
    (tmp_path / "votes.csv").write_text("observation_id,user_id,label,is_author\n1,ana,Acer,1\n")
    of_csv = plant_aggregate.Settings(format="csv")
    runs.append(plant_aggregate.run(tmp_path / "votes.csv", tmp_path / "of-csv", settings=of_csv))
    (Path(runs[-2].folder) / "users.parquet").unlink()
    with pytest.warns(plant_aggregate.AggregateWarning, match="is not known"):
        runs.append(plant_aggregate.run(tmp_path / "votes.parquet", tmp_path / "out"))
    found = [item for run in runs for item in keys_in(json.loads((Path(run.folder) / "run.json").read_text()))]
    rows = re.findall(
        r"^\| `([^`]+)` \| ([^|]+) \| (.+) \|$", "\n".join(part("keys of run.json", "docs/run_json.md")), re.M
    )
    documented = {key: kind.split()[0] for key, kind, _ in rows}
    open_ended = re.compile(
        r"(parameters|settings|seconds|counts\.(ai\.|votes\.)?rejected_by_reason|names\.NAME\.\w+"
        r"|cleaned_labels\.refused_by_reason"
        r"|changes\.why|conversion\.(options|notes|details|records\.(left_out|rejected)))[.\[].*"
    )
    known = [(key, value) for key, value in found if not open_ended.fullmatch(key)]
    assert {key for key, _ in known} == set(documented)
    wrong = [
        (key, value) for key, value in known if value is not None and not isinstance(value, JSON_KINDS[documented[key]])
    ]
    assert wrong == []
    of_labels = {"cleaned_labels.parser", "cleaned_labels.examples[].label"}
    of_no_package = {f"strategy_class.{name}" for name in ("package", "version")}
    of_csv_alone = {"conversion.ids", "inputs[].rows"}
    assert {key for key, value in known if value is None} == {"changes", *of_no_package, *of_csv_alone, *of_labels}


PUBLISHED = {"runs/", "held/", "consensus/latest/", "consensus/runs/"}
"""Folders that a run makes."""

DATA = (".parquet", ".json", ".csv", ".tsv", ".txt")
"""Of data that an export writes or a format reads, in folders that this repository does not have."""

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"]


def heading_anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_in_the_docs_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", text):
        target = page.parent / link if link else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in heading_anchors(target), f"{page.name} links to {link}#{anchor}"
    folders = [ROOT, page.parent, ROOT / "aggregate", *(ROOT / "aggregate").glob("**/")]
    named = set(re.findall(r"`((?:[a-z_]+/)+(?:\w+\.\w+)?|\w+\.py)`", text)) - PUBLISHED
    lost = {path for path in named if "NAME" not in path and not any((folder / path).exists() for folder in folders)}
    lost = {path for path in lost if not path.endswith(DATA) or (ROOT / path.split("/")[0]).exists()}
    assert lost == set()
