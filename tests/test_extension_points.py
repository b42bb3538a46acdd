"""What is new goes in by one door: how many files it takes, tried on a copy of the source.

Each change is as a developer would make it: the files that are new, and in files that are there what is put before a
line. The last test makes all of them and runs the command.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.command_line import VOTES
from tests.paths import ROOT
from tests.records import record_of

EXPERT = '''
"""Majority voting that counts the observations that experts know."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..consensus import Consensus
from ..parameters import parameter
from ..progress import SILENT, Progress
from ..side_inputs import VOTES_ONLY, SideInputs
from ..trace import Iteration, Trace
from ..votes import Votes
from .base import check_takes
from .parts.outcome import Outcome, build_consensus
from ..derived.thresholds import VoteThresholds


@dataclass(frozen=True)
class Expert(VoteThresholds):
    """Majority voting, under another name."""

    patience: int = parameter(3, "a number of no use", "at least 1")
    name: ClassVar[str] = "expert"
    takes: ClassVar[frozenset[str]] = frozenset({"gold"})

    def fit(self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> Consensus:
        check_takes(self, given.names)
        outcome = Outcome(self, votes)
        known = 0 if given.gold is None else len(given.gold)
        trace = Trace((Iteration(known, 0, outcome.count_valid()),), converged=True, cycle_length=0)
        return build_consensus(outcome, trace, progress)
'''

GENERA = '''
"""The column ``genus``."""

import pyarrow as pa

from .schema import Column


class Genera:
    extends = "consensus"
    table = (Column("genus", "string", "the first word of the label"),)

    def columns(self, rows, first):
        return {"genus": pa.array([label.split()[0] for label in rows["label"].to_pylist()])}

    def facts(self):
        return {"genera": {"found": True}}


class MakesGenera:
    def __init__(self, settings):
        self.genus = settings.genus

    def check(self, types):
        assert "label" in types

    def make(self, consensus, progress):
        return Genera()
'''


LETTERS = '''
"""A vote of one user for each letter of a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from ..parameters import parameter
from .base import Account, Part
from .rows import Rows


@dataclass(frozen=True)
class Letters:
    """Letters, each a vote."""

    name: ClassVar[str] = "letters"

    user: str = parameter("ana", "whose votes they are", group="Format")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        votes = Rows("votes", observation_id=pa.int64(), user_id=pa.string(), label=pa.string())
        for path in paths:
            for number, letter in enumerate(path.read_text()):
                account.read()
                votes.add(number, self.user, letter)
        yield from votes.rest()
'''


@dataclass(frozen=True)
class Change:
    """A change of the source: new files, and what is put before a line of a file that is there."""

    new: dict[str, str]
    before: list[tuple[str, str, str]]
    """File, addition, and the beginning of the line it is put before."""

    @property
    def n_files(self) -> int:
        return len({*self.new, *(name for name, _, _ in self.before)})

    def make(self, source: Path) -> None:
        for name, text in self.new.items():
            (source / name).write_text(text.lstrip(), encoding="utf-8")
        for name, addition, line in self.before:
            text = (source / name).read_text(encoding="utf-8")
            assert text.count(f"\n{line}") == 1, f"{name} has no longer one line {line!r}"
            (source / name).write_text(text.replace(f"\n{line}", f"\n{addition}{line}"), encoding="utf-8")


STRATEGY = Change(
    {"aggregate/strategies/expert.py": EXPERT},
    [("aggregate/strategies/registry.py", '        "expert": ".expert:Expert",\n', '        "majority": ')],
)
SIDE_INPUT = Change(
    {},
    [
        ("aggregate/side_inputs.py", '    gold: "object | None" = None\n', "    user_weights: "),
        (
            "aggregate/settings.py",
            '    gold: "str | None" = parameter(None, "expert labels", side_input="gold", is_table=True)\n',
            "    user_weights: ",
        ),
        ("aggregate/pipeline.py", "from .ingest.truth import read_truth\n", "from .kernels.threads import"),
        (
            "aggregate/pipeline.py",
            "    gold = None if settings.gold is None else read_truth(settings.gold)\n"
            "    side_inputs = SideInputs(gold=gold, user_weights=found.user_weights)\n",
            "    return _Given(",
        ),
    ],
)
"""For a strategy that takes it."""
ADD_ON = Change(
    {"aggregate/genera.py": GENERA},
    [
        (
            "aggregate/settings.py",
            '    genus: bool = setting(False, "add the column genus", group="Output and publishing")\n',
            "    soft: ",
        ),
        ("aggregate/pipeline.py", '    "genus": ".genera:MakesGenera",\n', '    "calibration": "'),
    ],
)
"""With an option that asks for it."""
COLUMN = Change(
    {},
    [
        (
            "aggregate/schema.py",
            '    Column("n_twice", "int64", "two times n_shared"),\n',
            '    Column("label_entropy", "float64", "Shannon entropy of the labels the user',
        ),
        (
            "aggregate/assessment/agreement.py",
            "        vars(agreement)['n_twice'] = 2 * agreement.n_shared.astype(np.int64)\n",
            "        return {name: to_arrow(values[users]",
        ),
    ],
)
"""Of an add-on that is there."""
RESOURCE = Change(
    {},
    [
        (
            "aggregate/settings.py",
            '    patience_of_disks: int = setting(2, "a number of no use", "at least 1", group="Running")\n',
            "    store_timeout: ",
        )
    ],
)
"""That the process may use, of a run."""
OPTION = Change(
    {},
    [
        ("aggregate/strategies/majority.py", "from ..parameters import parameter\n", "from ..progress import"),
        (
            "aggregate/strategies/majority.py",
            '    serenity: float = parameter(0.5, "a number of no use", "in [0, 1]")\n',
            '    name: ClassVar[str] = "majority"',
        ),
    ],
)
"""Of a strategy: command line, configuration files, run.json, checks and help follow."""
FORMAT = Change(
    {"aggregate/formats/letters.py": LETTERS},
    [
        ("aggregate/formats/registry.py", '        "letters": ".letters:Letters",\n', '        "mturk": "'),
        ("aggregate/formats/registry.py", '    "letters": "a letter a vote",\n', '    "mturk": "'),
    ],
)
"""With an option: convert, run --from, their help and run.json follow."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the source."""
    for name in ("aggregate", "cli"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize(
    ("change", "n_files"),
    [(STRATEGY, 2), (SIDE_INPUT, 3), (ADD_ON, 3), (COLUMN, 2), (RESOURCE, 1), (OPTION, 1), (FORMAT, 2)],
)
def test_what_is_new_takes_a_few_files(source: Path, change: Change, n_files: int) -> None:
    change.make(source)
    assert change.n_files == n_files


@pytest.mark.slow
def test_what_is_new_works_from_end_to_end(source: Path) -> None:
    for change in (STRATEGY, SIDE_INPUT, ADD_ON, COLUMN, RESOURCE, OPTION, FORMAT):
        change.make(source)
    (source / "aggregate").rename(source / "plant_aggregate")
    (source / "cli").rename(source / "plant_aggregate" / "cli")
    pq.write_table(VOTES, source / "votes.parquet")
    pq.write_table(pa.table({"observation_id": [1, 3], "label": ["Acer", "Abies"]}), source / "gold.parquet")

    def printed(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(source), "XDG_CACHE_HOME": str(source / "cache")}
        command = [sys.executable, "-m", "plant_aggregate.cli.start", *arguments]
        done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = printed("run", "--help")
    assert "add the column genus" in text
    assert "expert labels [expert]" in " ".join(text.split())
    options = "--strategy expert --patience 7 --gold gold.parquet --genus --patience-of-disks 5 -q"
    printed("run", "votes.parquet", *options.split())
    record = record_of(source / "consensus" / "latest")
    assert record["parameters"]["patience"] == 7
    assert record["settings"]["gold"] == "gold.parquet"
    assert record["settings"]["patience_of_disks"] == 5
    assert record["trace"][0]["labels_changed"] == 2
    assert record["genera"] == {"found": True}
    assert pq.read_table(source / "consensus/latest/consensus.parquet")["genus"].to_pylist() == [
        "Acer",
        "Abies",
        "Abies",
    ]
    users = pq.read_table(source / "consensus/latest/users.parquet")
    assert users["n_twice"].to_pylist() == [2 * n for n in users["n_shared"].to_pylist()]
    settings = ["votes = 'votes.parquet'", "strategy = 'majority'", "serenity = 0.25", "genus = true"]
    (source / "job.toml").write_text("\n".join(["[run]", *settings]))
    shown = printed("config", "run", "--config", "job.toml", "--show")
    assert "serenity = 0.25" in shown
    assert "genus = true" in shown
    (source / "letters.txt").write_text("abc")
    assert "a letter a vote" in printed("convert", "--help")
    assert "whose votes they are" in printed("convert", "letters", "--help")
    assert printed("convert", "letters", "letters.txt", "-o", "votes", "--user", "bo", "-q").startswith("votes: 3 rows")
    printed("run", "letters.txt", "--from", "letters", "--from-option", "user=bo", "-q")
    conversion = record_of(source / "consensus" / "latest")["conversion"]
    assert (conversion["format"], conversion["options"], conversion["records"]["used"]) == (
        "letters",
        {"user": "bo"},
        3,
    )
