"""Strategies compared on experts' labels: fitted with some of them, judged on the others."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import plant_aggregate
from plant_aggregate import Consensus, ExpertComparison, Truth, Votes, compare_with_experts
from plant_aggregate.assessment.evaluation import Estimate
from plant_aggregate.assessment.expert_comparison import Difference, Standing
from plant_aggregate.blocks import shown
from plant_aggregate.progress import SILENT, Progress, Silent
from plant_aggregate.schema import EXPERT_COMPARISON
from plant_aggregate.side_inputs import VOTES_ONLY, SideInputs
from tests.assessment.expert_strategies import Learns, Repeats
from tests.paths import SAMPLE

Rows = list[tuple[int, str, str]]  # observation, user, label


def crowd_of_few_experts(n: int = 60) -> tuple[Rows, dict[int, str]]:
    """Two users are right nine times in ten, three vote for "b" whatever it is: the majority is wrong on every "a"."""
    random = np.random.default_rng(5)
    truth = {i: str(random.choice(["a", "b"])) for i in range(n)}
    rows = [(i, f"bad{user}", "b") for i in truth for user in range(3)]
    for i, label in truth.items():
        other = "b" if label == "a" else "a"
        rows += [(i, user, label if random.random() < 0.9 else other) for user in ("good1", "good2")]
    return rows, truth


def votes_of(rows: Rows) -> Votes:
    return plant_aggregate.votes_from_table(
        dict(zip(("observation_id", "user_id", "label"), zip(*rows, strict=True), strict=True))
    )


def truth_of(labels: dict[int, str]) -> Truth:
    return plant_aggregate.truth_from_table({"observation_id": list(labels), "label": list(labels.values())})


def learnt(rows: Rows, given: dict[int, str]) -> dict[int, str]:
    """What ``Learns`` does, vote by vote."""
    right: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for observation, user, label in rows:
        if observation in given:
            known[user] += 1
            right[user] += label == given[observation]
    sums: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for observation, user, label in rows:
        sums[observation][label] += (right[user] + 1) / (known[user] + 2)
    return {i: given.get(i, max(sorted(by_label), key=by_label.__getitem__)) for i, by_label in sums.items()}


def named(found: ExpertComparison) -> dict[tuple[str, bool], Standing]:
    return {(each.judged.strategy, each.judged.with_experts): each for each in found.standings}


def interval(values: np.ndarray, resamples: int, seed: int) -> tuple[float, float, float]:
    """The mean, and its 95 % interval by resampling the values, moved as ``measures.bootstrap`` says."""
    drawn = np.random.default_rng(seed).integers(0, values.size, (resamples, values.size))
    means = values[drawn].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975]) + values.mean() - means.mean()
    return float(values.mean()), float(low), float(high)


def test_each_label_is_judged_by_a_fit_that_had_those_of_the_other_folds() -> None:
    rows, truth = crowd_of_few_experts()
    found = compare_with_experts(
        votes_of(rows), truth_of(truth), [Learns(), "majority"], folds=4, resamples=200, seed=2
    )

    fold = dict(zip(sorted(truth), np.random.default_rng(2).permutation(len(truth)) % 4, strict=True))
    with_experts = np.array(
        [learnt(rows, {j: truth[j] for j in truth if fold[j] != fold[i]})[i] == truth[i] for i in sorted(truth)]
    )
    alone = learnt(rows, {})
    without = np.array([alone[i] == truth[i] for i in sorted(truth)])
    standings = named(found)
    assert set(standings) == {("learns", False), ("learns", True), ("majority", False)}
    assert standings["learns", True].right.value == with_experts.mean()
    assert standings["learns", False].right.value == without.mean()
    assert with_experts.mean() > 0.85 > 0.6 > without.mean()
    gain = standings["learns", True].gain
    assert gain is not None
    wanted = interval(with_experts * 1.0 - without, 200, 2)
    assert (gain.estimate.value, gain.estimate.low, gain.estimate.high) == pytest.approx(wanted)
    assert (gain.first_alone, gain.second_alone) == (sum(with_experts & ~without), sum(without & ~with_experts))
    assert gain.is_certain
    assert found.best is standings["learns", True]
    assert found.runner_up is standings["majority", False]


def test_a_strategy_that_repeats_what_it_was_given_gains_nothing() -> None:
    """It would be right everywhere, had it been given a label that it is judged on."""
    rows, truth = crowd_of_few_experts()
    found = compare_with_experts(votes_of(rows), truth_of(truth), [Repeats()], resamples=100)
    with_experts, without = named(found)["repeats", True], named(found)["repeats", False]
    assert with_experts.right == without.right
    assert with_experts.right.value < 0.7
    gain = with_experts.gain
    assert gain is not None
    assert (gain.estimate.value, gain.is_certain, gain.first_alone) == (0, False, 0)


def test_the_measures_are_those_of_an_evaluation() -> None:
    rows, truth = crowd_of_few_experts()
    votes, experts = votes_of(rows), truth_of(truth)
    found = compare_with_experts(votes, experts, ["majority", "wawa"], resamples=50, seed=7)
    plain = plant_aggregate.compare(votes, experts, ["majority", "wawa"], resamples=50, seed=7)
    theirs = {each.strategy: each.evaluation.to_dict() for each in plain.compared}
    assert {each.strategy: each.evaluation.to_dict() for each in found.comparison.compared} == theirs
    for each in found.standings:
        group = found.comparison.compared[found.standings.index(each)].evaluation.subsets[0]
        assert vars(each.right) == pytest.approx(vars(group.measures["accuracy_of_labels"]))
        assert vars(each.accuracy) == pytest.approx(vars(group.measures["accuracy"]))


def test_the_table() -> None:
    rows, truth = crowd_of_few_experts()
    found = compare_with_experts(votes_of(rows), truth_of(truth), [Learns(), "majority"], resamples=50)
    table = found.to_pandas()
    assert list(table.columns) == [column.name for column in EXPERT_COMPARISON]
    of_all = table[table["subset"] == "all"]
    assert of_all["strategy"].tolist()[0] == "learns"
    assert of_all["with_experts"].tolist() == [True, False, False]
    assert of_all["behind_best"].tolist()[0] == 0
    assert of_all["worse_than_best"].tolist() == [False, True, True]
    assert of_all["gain"].notna().tolist() == of_all["accuracy_gain"].notna().tolist() == [True, False, False]
    rest = table[table["subset"] != "all"]
    assert rest[["behind_best", "gain", "worse_than_best"]].isna().to_numpy().all()
    best = found.best.right.value
    assert (of_all["accuracy_of_labels"] + of_all["behind_best"]).tolist() == pytest.approx([best] * 3)
    bare = compare_with_experts(votes_of(rows), truth_of(truth), [Learns(), "majority"], resamples=0).to_pandas()
    assert bare[["behind_best_low", "worse_than_best", "accuracy_low"]].isna().to_numpy().all()
    assert bare["behind_best"].notna().sum() == 3


def test_neither_the_order_of_rows_nor_more_votes_elsewhere_change_the_folds() -> None:
    rows, truth = crowd_of_few_experts()
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    backwards = dict(reversed(truth.items()))
    others = [(1000 + i, "good1", "a") for i in range(5)]
    found = [
        compare_with_experts(votes_of(votes), truth_of(labels), [Repeats()], seed=3, resamples=20).to_pandas()
        for votes, labels in ((rows, truth), (shuffled, backwards), (rows + others, truth))
    ]
    found = [frame.drop(columns="seconds") for frame in found]
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


@dataclass(frozen=True)
class Listens:
    """Keeps the experts' labels that it is given."""

    name: ClassVar[str] = "listens"
    takes: ClassVar[frozenset[str]] = frozenset({"experts"})
    heard: ClassVar[list[frozenset[int]]] = []

    def fit(self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> Consensus:
        if votes.n_observations > 3:  # not those that kernels are loaded with
            ids = [] if given.experts is None else given.experts.observation_ids.to_pylist()
            self.heard.append(frozenset(ids))
        return Consensus.from_labels(votes, votes.heaviest_labels())


@pytest.mark.parametrize(("n", "folds", "parts"), [(1, 5, 0), (2, 5, 2), (3, 5, 3), (5, 5, 5), (60, 2, 2), (7, 5, 5)])
def test_few_labels(n: int, folds: int, parts: int) -> None:
    rows, truth = crowd_of_few_experts()
    few = {i: truth[i] for i in list(truth)[:n]}
    few[9999] = "a"  # nobody voted on it
    Listens.heard.clear()
    found = compare_with_experts(votes_of(rows), truth_of(few), [Listens()], folds=folds, resamples=30)
    ids = frozenset(few) - {9999}
    without, *heard = Listens.heard
    assert (found.observations, found.folds, len(heard)) == (n, parts, parts)
    assert without == frozenset()
    held_out = [ids - given for given in heard]
    if parts:
        assert sorted(i for part in held_out for i in part) == sorted(ids)  # each once
        assert max(map(len, held_out)) - min(map(len, held_out)) <= 1


def test_one_label_compares_strategies_and_says_that_it_cannot_be_given() -> None:
    rows, truth = crowd_of_few_experts()
    found = compare_with_experts(votes_of(rows), truth_of({0: truth[0]}), [Learns(), "majority"], resamples=100)
    assert [each.judged.with_experts for each in found.standings] == [False, False]
    assert not any(each.behind.is_certain for each in found.standings)
    assert "1 expert label: too few to be given to a fit" in text_of(found)


def text_of(found: ExpertComparison) -> str:
    from plant_aggregate.assessment.report.expert_comparison import expert_comparison_blocks

    blocks = expert_comparison_blocks(found)
    return "\n".join(
        line for block in blocks for line in (block.title, *filter(lambda c: isinstance(c, str), block.content))
    )


def test_what_it_says() -> None:
    rows, truth = crowd_of_few_experts()
    votes = votes_of(rows)
    said = text_of(compare_with_experts(votes, truth_of(truth), [Learns(), "majority", "wawa"]))
    assert "60 expert labels in 5 folds: each judged by fits that did not have it" in said
    assert re.search(r"best: learns with experts, 9\d\.\d \[.*\] % of the labels right", said)
    assert re.search(r"ahead of majority by .* points: more than chance", said)
    assert re.search(r"experts' labels help learns: \+\d\d\.\d \[.*\] points", said)
    said = text_of(compare_with_experts(votes, truth_of(truth), ["majority", "naive-soft", "wawa"]))
    assert "by 0.0 [0.0, 0.0] points: these labels cannot tell the two apart" in said
    assert "none of these strategies takes experts' labels" in said
    said = text_of(compare_with_experts(votes, truth_of(truth), [Repeats()]))
    assert "it is not certain whether experts' labels help repeats: +0.0 [+0.0, +0.0] points" in said
    said = text_of(compare_with_experts(votes, truth_of(truth), [Repeats(), "wawa"], resamples=0))
    assert "without resamples there are no intervals" in said


def test_few_observations_on_which_two_differ_tell_nothing() -> None:
    """Four of a hundred, all in favour of one: the interval excludes 0, but heads four times is no rare event."""
    estimate = Estimate(*interval(np.repeat([1.0, 0.0], [4, 96]), 1000, 0))
    assert estimate.low > 0
    assert not Difference(estimate, 4, 0).is_certain  # p = 2 / 2^4
    assert Difference(estimate, 6, 0).is_certain  # p = 2 / 2^6
    assert not Difference(Estimate(0.0, 0.0, 0.0), 0, 0).is_certain
    assert Difference(Estimate(-0.1, -0.2, -0.01), 1, 9).is_certain


def test_it_says_why_an_interval_without_0_is_not_certain() -> None:
    from plant_aggregate.assessment.report.expert_comparison import _sign_test

    assert _sign_test(Difference(Estimate(0.04, 0.01, 0.08), 4, 0)) == ", but p = 0.125 in a sign test"
    assert not _sign_test(Difference(Estimate(0.06, 0.01, 0.1), 6, 0))
    assert not _sign_test(Difference(Estimate(0.0, -0.1, 0.1), 1, 1))


def test_a_log_without_authors_warns_once() -> None:
    rows, truth = crowd_of_few_experts()
    with pytest.warns(match="no vote is known to be its observation's author") as caught:
        compare_with_experts(votes_of(rows), truth_of(truth), ["plantnet"], resamples=0)
    assert len(caught) == 1


def test_labels_found_elsewhere_stand_beside_strategies() -> None:
    rows, truth = crowd_of_few_experts()
    theirs = {"observation_id": list(truth)[:50], "label": list(truth.values())[:50]}
    found = compare_with_experts(votes_of(rows), truth_of(truth), [Learns()], labels={"theirs": theirs}, resamples=20)
    assert named(found)["theirs", False].right.value == pytest.approx(50 / 60)
    assert "theirs has no label for 10 of the expert observations: they count as wrong" in text_of(found)


def test_progress_counts_folds() -> None:
    class Phases(Silent):
        def __init__(self) -> None:
            self.totals: dict[str, int | None] = {}
            self.steps = 0

        def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
            self.totals[name] = total

        def advance(self, steps: int = 1) -> None:
            self.steps += steps

    rows, truth = crowd_of_few_experts()
    phases = Phases()
    compare_with_experts(votes_of(rows), truth_of(truth), [Learns()], folds=3, resamples=0, progress=phases)
    assert phases.totals["fit learns with experts"] == phases.steps == 3


@pytest.mark.parametrize("wrong", [{"folds": 1}, {"seed": -1}, {"resamples": -1}, {"strategies": []}])
def test_numbers_out_of_range(wrong: dict[str, int]) -> None:
    rows, truth = crowd_of_few_experts(8)
    with pytest.raises(plant_aggregate.ParameterError):
        compare_with_experts(votes_of(rows), truth_of(truth), **{"strategies": ["majority"], **wrong})


def test_experts_of_other_observations_are_refused() -> None:
    rows, _ = crowd_of_few_experts(8)
    with pytest.raises(plant_aggregate.VotesError, match="none of its 1 observations is in the votes"):
        compare_with_experts(votes_of(rows), truth_of({77: "a"}), ["majority"])


def test_reprs() -> None:
    rows, truth = crowd_of_few_experts()
    found = compare_with_experts(votes_of(rows), truth_of(truth), [Learns()], resamples=20)
    assert re.fullmatch(
        r"ExpertComparison\(60 expert labels in 5 folds, the best learns with experts: 9\d\.\d % right\)", repr(found)
    )
    assert "learns with experts" in found._repr_html_()
    assert shown(found.best.right.value, ".2f") in repr(found.best.right)[:40]


@pytest.mark.slow
def test_the_sample_is_compared() -> None:
    votes = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    truth = plant_aggregate.read_truth(SAMPLE / "truth.parquet")
    found = compare_with_experts(votes, truth, ["plantnet"], folds=3)
    assert found.observations == 5025
    with_experts = named(found)["plantnet", True]
    assert with_experts.accuracy_gain is not None
    assert with_experts.accuracy_gain.is_certain  # users earn species by experts' labels
    assert "with them more labels are valid and right: +" in text_of(found)
    accuracies = [named(found)["plantnet", each].accuracy for each in (True, False)]
    assert with_experts.accuracy_gain.estimate.value == pytest.approx(accuracies[0].value - accuracies[1].value)
    assert found.comparison.compared[0].evaluation.subsets[2].name == "with a disagreement"
