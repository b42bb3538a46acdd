"""The documentation says what the program does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import aggregate
from aggregate_cli.main import COMMANDS, cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_generated_parts_are_fresh() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "docs" / "update.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_ci_runs_the_readmes_test_command() -> None:
    command = next(line for line in README.splitlines() if line.endswith("-m pytest"))
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_command_is_listed_with_its_own_summary() -> None:
    for name, summary in COMMANDS.items():
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert command.get_short_help_str(limit=200) == summary


def test_every_commands_help_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"<!-- begin help {name} -->" not in page] == []


def test_every_option_has_a_help_text() -> None:
    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        silent = [param.name for param in command.params if param.param_type_name == "option" and not param.help]  # type: ignore[attr-defined]
        assert silent == []


def test_help_and_version_work() -> None:
    assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
    assert aggregate.__version__ in CliRunner().invoke(cli, ["--version"]).output


def test_relative_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
