"""Which strategy ``auto`` takes, what it says of that, and that nothing else distinguishes the result."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate import Auto, DawidSkene, Kinds, PlantNet, Votes, Wawa
from plant_aggregate.cli.main import run_command
from plant_aggregate.consensus import StrategyChoice
from plant_aggregate.progress import SILENT, Progress
from plant_aggregate.publishing.report.run import run_blocks
from plant_aggregate.side_inputs import VOTES_ONLY, SideInputs
from plant_aggregate.strategies.auto import SPECIES_LABELS
from plant_aggregate.strategies.base import fit_strategy
from tests.command_line import Capture
from tests.paths import SAMPLE

pytestmark = pytest.mark.filterwarnings("ignore:no vote is known:plant_aggregate.AggregateWarning")


def log(n_labels: int, *, author: bool = False) -> pa.Table:
    """Votes of three users on each of as many observations as there are labels, two of them for its label."""
    observations = np.repeat(np.arange(n_labels), 3)
    labels = np.where(np.arange(observations.size) % 3 == 2, (observations + 1) % n_labels, observations)
    return pa.table(
        {
            "observation_id": observations,
            "user_id": np.tile(["ana", "bo", "cy"], n_labels),
            "label": [f"species {label}" for label in labels],
            "is_author": np.arange(observations.size) == (0 if author else -1),
        }
    )


def votes(n_labels: int, *, author: bool = False) -> Votes:
    return plant_aggregate.votes_from_table(log(n_labels, author=author))


def written(folder: Path, table: pa.Table) -> Path:
    path = folder / "votes.parquet"
    pq.write_table(table, path)
    return path


class Listener:
    """One that keeps notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        pass

    def advance(self, steps: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)


AI = plant_aggregate.ai_votes_from_table({"observation_id": [0], "label": ["species 0"], "score": [0.9]})
EXPERTS = plant_aggregate.truth_from_table({"observation_id": [0], "label": ["species 1"]})
WEIGHTS = plant_aggregate.UserWeights(pa.array(["ana"]), np.array([2.0]), np.array([np.nan]))


@pytest.mark.parametrize(
    ("n_labels", "author", "given", "strategy", "reason"),
    [
        (1, False, VOTES_ONLY, "kinds", "1 label"),
        (2, False, VOTES_ONLY, "kinds", "2 labels"),
        (2, True, VOTES_ONLY, "kinds", "2 labels"),
        (2, False, SideInputs(ai_votes=AI), "plantnet", "ai_votes are given"),
        (3, False, VOTES_ONLY, "dawid-skene", "3 labels, no vote is marked as an author's"),
        (3, True, VOTES_ONLY, "plantnet", "votes are marked as their authors'"),
        (3, False, SideInputs(user_weights=WEIGHTS), "plantnet", "user_weights are given"),
        (2, False, SideInputs(experts=EXPERTS), "kinds", "2 labels"),
        (3, True, SideInputs(experts=EXPERTS), "plantnet", "votes are marked as their authors'"),
        (SPECIES_LABELS - 1, False, VOTES_ONLY, "dawid-skene", "999 labels, no vote is marked as an author's"),
        (SPECIES_LABELS, False, VOTES_ONLY, "plantnet", "1,000 labels"),
        (SPECIES_LABELS, True, VOTES_ONLY, "plantnet", "1,000 labels"),
    ],
)
def test_the_rule(n_labels: int, author: bool, given: SideInputs, strategy: str, reason: str) -> None:
    crowd, listener = votes(n_labels, author=author), Listener()
    consensus = Auto().fit(crowd, given, progress=listener)
    assert (consensus.strategy, consensus.choice) == (strategy, StrategyChoice("auto", reason))
    assert listener.notes[0] == f"auto takes {strategy}: {reason}"
    assert given.experts is None or consensus.labels[0] == 1


@pytest.mark.parametrize(
    ("crowd", "named"), [(votes(2), Kinds), (votes(3), DawidSkene), (votes(3, author=True), PlantNet)]
)
def test_the_consensus_is_that_of_the_strategy_by_its_name(crowd: Votes, named: Any) -> None:
    thresholds = {"theta_conf": 1.25, "theta_acc": 0.6, "ambiguous_quantile": 0.3}
    for given in ({}, thresholds):
        found, expected = Auto(**given).fit(crowd), named(**given).fit(crowd)
        assert found.to_arrow().equals(expected.to_arrow())
        assert found.users_to_arrow().equals(expected.users_to_arrow())
        assert found.posteriors_to_arrow().equals(expected.posteriors_to_arrow())
        assert (found.parameters, found.trace) == (expected.parameters, expected.trace)
        assert expected.choice is None


def test_labels_are_predicted_from_a_frame() -> None:
    assert Auto().fit_predict(log(3)).to_dict() == {i: f"species {i}" for i in range(3)}


def test_what_is_no_threshold_belongs_to_the_strategies() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'prior_votes'"):
        Auto(prior_votes=3)  # type: ignore[call-arg]
    with pytest.raises(plant_aggregate.ParameterError, match="exclude each other"):
        Auto(ambiguous_below=0.1, ambiguous_quantile=0.1)
    with pytest.raises(plant_aggregate.ParameterError, match="theta_conf is -1 but must be"):
        Auto(theta_conf=-1)


def run(*arguments: str | Path) -> int:
    return run_command(["run", *map(str, arguments)])


def record(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "latest/run.json").read_text())
    return found


def test_a_run_says_what_was_taken_and_can_be_repeated_by_name(tmp_path: Path, capfd: Capture) -> None:
    path, first, second = written(tmp_path, log(3)), tmp_path / "first", tmp_path / "second"
    assert run(path, "--strategy", "auto", "--theta-acc", 0.6, "-o", first) == 0
    captured, line = capfd.readouterr(), "auto takes dawid-skene: 3 labels, no vote is marked as an author's"
    assert [text for text in captured.err.splitlines() if text.endswith(line)] != []
    assert line.replace("takes", "took") in captured.out.splitlines()
    by_auto = record(first)
    assert by_auto["strategy"] == "dawid-skene"
    assert by_auto["strategy_choice"] == {"asked": "auto", "reason": line.partition(": ")[2]}
    options = {name: value for name, value in by_auto["parameters"].items() if name in ("theta_conf", "theta_acc")}
    flags = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
    assert run(path, "--strategy", by_auto["strategy"], *flags, "-o", second) == 0
    by_name = record(second)
    assert "strategy_choice" not in by_name
    assert by_name["parameters"] == by_auto["parameters"]
    digests = [found["outputs"]["consensus.parquet"]["sha256"] for found in (by_auto, by_name)]
    assert digests[0] == digests[1]
    assert "auto" not in capfd.readouterr().out


def test_quiet_says_nothing_on_stderr(tmp_path: Path, capfd: Capture) -> None:
    assert run(written(tmp_path, log(3)), "--strategy", "auto", "-q", "-o", tmp_path / "out") == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    assert "auto took dawid-skene: " in captured.out


def test_an_option_of_the_strategy_it_takes_is_wrong_usage(tmp_path: Path, capfd: Capture) -> None:
    path = written(tmp_path, log(3))
    assert run(path, "--strategy", "auto", "--prior-votes", 2, "-o", tmp_path / "out") == 2
    complaint = capfd.readouterr().err
    assert "--prior-votes is not an option of --strategy auto, but of dawid-skene" in complaint
    assert not (tmp_path / "out").exists()


def test_a_configuration_file_names_it(tmp_path: Path, capfd: Capture) -> None:
    path, config = written(tmp_path, log(3)), tmp_path / "consensus.toml"
    config.write_text('[run]\nstrategy = "auto"\ntheta-acc = 0.6\n')
    assert run(path, "--config", config, "-o", tmp_path / "out", "-q") == 0
    assert record(tmp_path / "out")["parameters"]["theta_acc"] == 0.6
    config.write_text('[run]\nstrategy = "auto"\nprior-votes = 2\n')
    assert run(path, "--config", config, "-o", tmp_path / "out", "-q") == 2
    assert "--prior-votes is not an option of --strategy auto" in capfd.readouterr().err


def nights(tmp_path: Path, tables: Sequence[pa.Table], strategies: Sequence[Any]) -> list[str]:
    """The warnings of the last of several runs."""
    for table, strategy in zip(tables, strategies, strict=True):
        with warnings.catch_warnings(record=True):
            done = plant_aggregate.run(table, tmp_path / "out", strategy, progress=False)
    return [text for text in done.record.warnings if "takes" in text]


def test_a_night_that_changes_the_strategy_warns(tmp_path: Path) -> None:
    lone = pa.table({"observation_id": [-1], "user_id": ["ana"], "label": ["species 0"], "is_author": [False]})
    tables = [pa.concat_tables([table, lone]) for table in (log(3), log(SPECIES_LABELS))]
    (warning,) = nights(tmp_path, tables, [Auto(), Auto()])
    assert "auto takes plantnet (1,000 labels), and took dawid-skene (3 labels, no vote" in warning
    assert "--strategy dawid-skene would keep it" in warning
    changes = plant_aggregate.diff("previous", "latest", tmp_path / "out")
    assert changes.found is not None
    assert changes.found.counts is not None
    assert changes.found.counts.why["settings"] == 1  # the lone vote is of a user who knows 1,000 species


def test_no_other_night_warns_of_it(tmp_path: Path) -> None:
    assert nights(tmp_path / "same", [log(3), log(4)], [Auto(), Auto()]) == []
    assert nights(tmp_path / "asked", [log(3), log(SPECIES_LABELS)], [DawidSkene(), Auto()]) == []
    assert nights(tmp_path / "named", [log(3), log(3)], [Auto(), Wawa()]) == []


def test_labels_do_not_differ_by_having_been_asked_for_by_name(tmp_path: Path) -> None:
    assert nights(tmp_path, [log(3), log(3)], [DawidSkene(), Auto()]) == []
    changes = plant_aggregate.diff("previous", "latest", tmp_path / "out")
    assert changes.table.num_rows == 0


def test_a_run_is_read_with_its_choice(tmp_path: Path) -> None:
    plant_aggregate.run(log(2), tmp_path / "out", "auto", progress=False)
    found = plant_aggregate.open_latest(tmp_path / "out")
    assert found.record.strategy_choice == StrategyChoice("auto", "2 labels")
    assert "auto took kinds: 2 labels" in run_blocks(found)[0].content


def test_a_calibration_of_the_strategy_fits_its_consensus() -> None:
    crowd = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    truth = plant_aggregate.read_truth(SAMPLE / "truth.parquet")
    calibration = plant_aggregate.calibrate(PlantNet().fit(crowd), truth)
    assert calibration.fits(Auto().fit(crowd))


def test_a_comparison_says_what_it_takes_and_fits_it_only_by_name() -> None:
    crowd, truth = votes(3), {"observation_id": [0, 1], "label": ["species 0", "species 1"]}
    in_all = plant_aggregate.compare(crowd, truth, resamples=0)
    assert "auto" not in [each.strategy for each in in_all.compared]
    assert in_all.auto == "dawid-skene: 3 labels, no vote is marked as an author's"
    named = plant_aggregate.compare(crowd, truth, ["auto", "dawid-skene"], resamples=0)
    measures = {each.strategy: repr(each.evaluation.subsets[0].measures) for each in named.compared}
    assert measures["auto"] == measures["dawid-skene"]
    with_ai = plant_aggregate.compare(crowd, truth, ["auto"], ai_votes=AI, resamples=0)
    assert with_ai.auto == "plantnet: ai_votes are given"


@dataclass(frozen=True)
class Mine:
    """A strategy of another package that calls it."""

    name: ClassVar[str] = "mine"
    takes: ClassVar[frozenset[str]] = frozenset()

    def fit(
        self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT
    ) -> plant_aggregate.Consensus:
        return Auto().fit(votes)


def test_a_strategy_that_calls_it_has_its_own_name() -> None:
    found = fit_strategy(Mine(), votes(3))
    assert (found.strategy, found.choice) == ("mine", None)


def test_the_weight_of_experts_labels_is_handed_on_to_those_that_know_it() -> None:
    heavy = Auto(expert_weight=5)
    assert heavy.taken(votes(2)).strategy == Kinds(expert_weight=5)
    assert heavy.taken(votes(3)).strategy == DawidSkene(expert_weight=5)
    assert heavy.taken(votes(3, author=True)).strategy == PlantNet()
    with pytest.warns(plant_aggregate.AggregateWarning, match="expert_weight has no effect: auto takes plantnet"):
        heavy.fit(votes(3, author=True), experts=EXPERTS)
