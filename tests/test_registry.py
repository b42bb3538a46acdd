"""Strategies of other packages are found by entry points or by module and class, and cost nothing unless named."""

import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from plant_aggregate import Majority, ParameterError, Wawa
from plant_aggregate.cli.main import run_command
from plant_aggregate.registry import Registry
from plant_aggregate.strategies.registry import STRATEGIES, named_strategies, strategy_of

from .command_line import VOTES, Capture, refused
from .processes import PROGRAM, path_with

TOY = """
from dataclasses import dataclass, field
from plant_aggregate import Majority

@dataclass(frozen=True)
class Lenient:
    theta_acc: float = 0.5
    name = "lenient"
    takes = frozenset()

    def fit(self, votes, given=None, *, progress=None):
        return Majority(theta_acc=self.theta_acc).fit(votes)
"""
ENTRY_POINTS = """
[plant_aggregate.strategies]
lenient = toy_strategies:Lenient
majority = toy_strategies:Lenient
broken = toy_strategies_missing:Broken
other = toy_strategies:dataclass
twice = toy_strategies:Lenient
"""


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A folder with two packages that add strategies; the votes beside it."""
    for package, entry_points in (
        ("toy", ENTRY_POINTS),
        ("toy-too", "[plant_aggregate.strategies]\ntwice = os:path\n"),
    ):
        info = tmp_path / "others" / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points)
    (tmp_path / "others" / "toy_strategies.py").write_text(TOY)
    pq.write_table(VOTES, tmp_path / "votes.parquet")
    return tmp_path / "others"


def command(others: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a command line, and what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "plant_aggregate.cli.start", *arguments],
        cwd=others.parent,
        env={**os.environ, "PYTHONPATH": path_with(others)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_strategy_of_another_package_runs(others: Path) -> None:
    code, output = command(others, "run", "votes.parquet", "--strategy", "lenient", "--theta-acc", "0.6", "--json")
    assert code == 0, output
    assert '"strategy": "lenient"' in output  # not "majority", which it calls
    assert '"path": "toy_strategies:Lenient"' in output
    assert '"theta_acc": 0.6' in output
    (others.parent / "a.toml").write_text('[run]\nvotes = "votes.parquet"\nstrategy = "lenient"\n')
    code, output = command(others, "config", "--config", "a.toml", "--show")
    assert code == 0, output
    assert "theta-acc = 0.5" in output


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (
            "broken",
            "strategy 'broken' of toy 1.0: toy_strategies_missing:Broken cannot be loaded (ModuleNotFoundError: No "
            "module named 'toy_strategies_missing'); update or uninstall that package",
        ),
        ("other", "strategy 'other' of toy 1.0: toy_strategies:dataclass is no class"),
        ("twice", "strategy 'twice' is in several packages (toy 1.0, toy-too 1.0): uninstall all but one"),
    ],
)
def test_what_another_package_has_wrong_is_an_error_when_it_is_used(others: Path, name: str, fault: str) -> None:
    code, output = command(others, "run", "votes.parquet", "--strategy", name)
    assert (code, len(output.splitlines())) == (2, 1), output
    assert fault in output


@pytest.mark.parametrize(
    "arguments",
    [["run", "--strategy", "oracle"], ["compare", "--strategies", "oracle"], ["ambiguity", "--strategy", "oracle"]],
)
def test_an_unknown_name_is_an_error_that_lists_all_names(others: Path, arguments: list[str]) -> None:
    required = {"compare": ["--truth", "votes.parquet"], "ambiguity": ["--scores", "votes.parquet"]}
    code, output = command(others, *arguments, "votes.parquet", *required.get(arguments[0], []))
    assert (code, len(output.splitlines())) == (2, 1), output
    listed = output.replace("'", "").partition("; see")[0].rstrip()
    assert listed.endswith(
        "plantnet, auto, majority, naive-soft, wawa, two-thirds, zero-based-skill, dawid-skene, kinds, "
        "one-coin, glad, mace, iwmv, wds, broken, lenient, other, twice"
    )


@pytest.mark.slow
def test_a_strategy_of_another_package_is_compared_and_replaces_none(others: Path) -> None:
    truth = VOTES.select(["observation_id", "label"]).slice(1)
    pq.write_table(truth, others.parent / "truth.parquet")
    code, output = command(
        others, "compare", "votes.parquet", "--truth", "truth.parquet", "--strategies", "lenient,wawa"
    )
    assert code == 0, output
    code, output = command(others, "run", "votes.parquet", "--strategy", "majority", "--json")
    assert code == 0, output
    assert '"theta_acc": 0.7' in output


def test_built_in_strategies_are_found_without_the_metadata_of_packages() -> None:
    code = (
        "import sys; from plant_aggregate.cli.main import run_command; run_command(['run', '--help']); "
        "from plant_aggregate.strategies.registry import STRATEGIES; [*STRATEGIES.values()]; "
        "print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_strategies_are_listed_by_their_own_names() -> None:
    assert [strategy.name for strategy in STRATEGIES.values()] == list(STRATEGIES)


def test_a_module_is_loaded_on_use() -> None:
    registry: Registry[object] = Registry("toy", "toys", "tests", {"lost": ".lost:Lost"})
    assert list(registry) == ["lost"]
    assert "lost" in registry
    assert "found" not in registry
    with pytest.raises(ModuleNotFoundError):
        registry["lost"]
    with pytest.raises(KeyError):
        registry["found"]


GOOD = """
from dataclasses import dataclass
from plant_aggregate import Consensus, Majority, ParameterError

@dataclass(frozen=True)
class Mine:
    name = "mine"
    takes = frozenset()
    size: float = 1.0

    def fit(self, votes, given=None, *, progress=None):
        return Consensus.from_labels(votes, votes.heaviest_labels())
"""
FAULTS = {
    "there is no module 'lost'; install its package, or": ("lost:Mine", ""),
    "there is no module 'mine.lost'; install": ("mine.lost:Mine", ""),
    "there is no module 'mine.py'; write mine:Mine": ("mine.py:Mine", ""),
    "is no name of the form package.module:Class": ("mine:", ""),
    "module 'mine' has no Mien; did you mean 'Mine'?": ("mine:Mien", GOOD),
    "module 'mine' cannot be imported (ZeroDivisionError: division by zero); mend": ("mine:Mine", "1 / 0"),
    "module 'mine' cannot be imported (ModuleNotFoundError: No module named 'lost')": ("mine:Mine", "import lost"),
    "module 'mine' cannot be imported (SystemExit: 3)": ("mine:Mine", "raise SystemExit(3)"),
    "module 'mine' cannot be imported (SyntaxError: invalid syntax": ("mine:Mine", "a b"),
    "Mine is no class": ("mine:Mine", "Mine = 3"),
    "Mine has no name, takes, fit": ("mine:Mine", "class Mine: pass"),
    "Mine has no takes": ("mine:Mine", GOOD.replace("takes", "taken")),
    "Mine is no frozen dataclass: write @dataclass(frozen=True) above it": (
        "mine:Mine",
        GOOD.replace("(frozen=True)", ""),
    ),
    "Mine is no frozen dataclass": ("mine:Mine", GOOD.replace("@dataclass(frozen=True)", "")),
    "Mine has a name that is no text": ("mine:Mine", GOOD.replace('"mine"', "3")),
    "Mine takes what is not among 'user_weights', 'ai_votes'": ("mine:Mine", GOOD.replace("frozenset()", "{'gold'}")),
    "Mine has no default for its parameter size": ("mine:Mine", GOOD.replace("size: float = 1.0", "size: float")),
    "Mine has a fit that cannot be called as fit(votes, given, progress=progress)": (
        "mine:Mine",
        GOOD.replace("votes, given=None, *, progress=None", "votes"),
    ),
}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with votes as the current one, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    pq.write_table(VOTES, "votes.parquet")
    return tmp_path


@pytest.fixture
def mine() -> Iterator[Callable[[str], None]]:
    """Write the module ``mine`` into the current folder."""

    def write(text: str) -> None:
        Path("mine.py").write_text(text)
        forget()

    def forget() -> None:
        sys.modules.pop("mine", None)
        importlib.invalidate_caches()

    forget()
    yield write
    forget()


@pytest.mark.parametrize("saying", FAULTS)
def test_a_module_or_class_that_is_none_is_a_line(
    saying: str, work: Path, mine: Callable[[str], None], capfd: Capture
) -> None:
    name, text = FAULTS[saying]
    mine(text)
    line = refused(capfd, "run", "votes.parquet", "--strategy", name, exit_code=2)
    assert f"strategy {name!r}: {saying}" in line
    assert not (work / "consensus").exists()
    with pytest.raises(ParameterError) as failure:
        STRATEGIES.find(name)
    assert saying in str(failure.value)


@pytest.mark.parametrize(
    ("fit", "saying"),
    [
        ("1 / 0", "strategy 'mine': failed (ZeroDivisionError: division by zero), line 12 of "),
        ("raise SystemExit(0)", "strategy 'mine': failed (SystemExit: 0), line 12 of "),
        ("return votes.labels", "strategy 'mine': fit returned a numpy.ndarray, not a Consensus; end it with return C"),
        ("return", "strategy 'mine': fit returned None, not a Consensus"),
        (
            "return Majority().fit(__import__('plant_aggregate').votes_from_table("
            "{'observation_id': [1], 'user_id': ['ana'], 'label': ['Acer']}))",
            "strategy 'mine': fit returned a consensus on other votes than those it was given",
        ),
        ("raise ParameterError('size does not fit the votes')", "error: size does not fit the votes"),
    ],
)
def test_a_fit_that_fails_or_returns_no_consensus_on_the_votes_publishes_nothing(
    fit: str, saying: str, work: Path, mine: Callable[[str], None], capfd: Capture
) -> None:
    mine(GOOD.replace("return Consensus.from_labels(votes, votes.heaviest_labels())", fit))
    code = 2 if "size" in saying else 1
    assert saying in refused(capfd, "run", "votes.parquet", "--strategy", "mine:Mine", "-q", exit_code=code)
    assert not (work / "consensus" / "latest").exists()


def test_parameters_that_cannot_be_used_are_a_line(work: Path, mine: Callable[[str], None], capfd: Capture) -> None:
    check = (
        "    def __post_init__(self):\n        if self.size > 9: raise ValueError('size is too large')\n\n    def fit"
    )
    mine(GOOD.replace("    def fit", check))
    command = ["run", "votes.parquet", "--strategy", "mine:Mine"]
    assert "strategy mine: size is too large; see" in refused(capfd, *command, "--size", "10", exit_code=2)
    assert "'x' is not a valid float" in refused(capfd, *command, "--size", "x", exit_code=2)
    assert "--alpha is not an option of --strategy mine" in refused(capfd, *command, "--alpha", "1", exit_code=2)
    mine(GOOD.replace("size: float = 1.0", "size: object = Majority"))
    line = refused(capfd, *command, "-q", exit_code=2)
    assert "strategy 'mine': parameter size is the class Majority, which run.json cannot hold; make parameters" in line
    assert not (work / "consensus").exists()


FIELDS = """
    size: float = 1
    n_rounds: "int | None" = field(default=None, metadata={"help": "rounds of something"})
    way: str = "up"
    fast: bool = True
    Upper: int = 3
    theta_acc: float = 0.5
    threads: int = 77
    weights: list = field(default_factory=list)
    _inner: int = 0
"""


def test_fields_become_options(work: Path, mine: Callable[[str], None], capfd: Capture) -> None:
    mine(GOOD.replace("import dataclass", "import dataclass, field").replace("    size: float = 1.0\n", FIELDS))
    command = ["run", "votes.parquet", "--strategy", "mine:Mine", "-q", "--json"]
    options = ["--size", "2", "--n-rounds", "4", "--way", "down", "--no-fast", "--Upper", "5", "--threads", "1"]
    for given, expected in (([], [1, None, "up", True, 3, 77]), (options, [2.0, 4, "down", False, 5, 77])):
        assert run_command([*command, *given]) == 0
        record = json.loads(capfd.readouterr().out)
        names = ("size", "n_rounds", "way", "fast", "Upper", "threads")
        assert [record["parameters"][name] for name in names] == expected
        assert record["parameters"]["theta_acc"] == 0.5
    assert run_command(["run", "--strategy", "mine:Mine", "--help"]) == 0
    shown = " ".join(capfd.readouterr().out.split())
    assert "--n-rounds INTEGER rounds of something [mine]" in shown
    assert "share of the weight a label needs to be valid (default 0.5) [mine]" in shown
    assert "--inner" not in shown
    assert "--weights" not in shown
    assert run_command(["run", "--help"]) == 0
    assert "[mine]" not in capfd.readouterr().out


def test_a_module_of_the_current_folder_is_found_though_the_path_lacks_it(others: Path) -> None:
    (others.parent / "mine.py").write_text(GOOD)
    program = [sys.executable, "-P", *PROGRAM[1:]]  # as the installed script
    command = [*program, "run", "votes.parquet", "--strategy", "mine:Mine", "-q", "--json"]
    done = subprocess.run(command, cwd=others.parent, capture_output=True, text=True, check=True)
    record = json.loads(done.stdout)
    digest = hashlib.sha256(GOOD.encode()).hexdigest()
    assert record["strategy_class"] == {"path": "mine:Mine", "package": None, "version": None, "sha256": digest}


class Peer:
    """As the aggregators of crowd-kit."""

    labels_ = ()

    def fit(self, frame: object) -> None: ...

    def fit_predict(self, frame: object) -> None: ...


def test_strategies_in_every_form() -> None:
    assert strategy_of("wawa") == strategy_of(Wawa) == strategy_of(Wawa()) == Wawa()
    assert strategy_of("plant_aggregate.strategies.wawa:Wawa") == Wawa()
    assert list(named_strategies()) == [name for name in STRATEGIES if name != "auto"]
    assert named_strategies("wawa") == named_strategies(Wawa) == named_strategies([Wawa()]) == {"wawa": Wawa()}
    assert named_strategies({"a": "wawa", "b": Wawa(theta_acc=0.9)}) == {"a": Wawa(), "b": Wawa(theta_acc=0.9)}


@pytest.mark.parametrize(
    ("given", "error", "saying"),
    [
        (["wava"], ParameterError, "strategy is 'wava' but must be one of .*; did you mean 'wawa'?"),
        ([Wawa(), "wawa"], ParameterError, "two strategies are named wawa; give a dict of names and strategies"),
        (["mine.Mine"], ParameterError, "but must be one of .*; write mine:Mine for a class of a module$"),
        (3, TypeError, "strategies are wanted, not an int: write a list such as"),
        ([3], TypeError, "a strategy is wanted, not an int: write a name such as 'wawa'"),
        ({"a": {"label": []}}, TypeError, "not a dict: write compare.votes, truth, labels="),
        ([Majority().fit], TypeError, "a strategy is wanted, not "),
        ([Peer()], TypeError, "a strategy is wanted, not .*Peer: write compare.votes, truth, labels="),
    ],
)
def test_what_is_no_strategy_is_said_in_a_line(given: Any, error: type[Exception], saying: str) -> None:
    with pytest.raises(error, match=saying):
        named_strategies(given)
