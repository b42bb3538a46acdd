"""Charts show what results hold, in any axes, whatever the labels are."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate import charts
from plant_aggregate.assessment.conformal.comparison import SetComparison
from plant_aggregate.assessment.conformal.evaluation import SetEvaluation
from plant_aggregate.strategies.registry import ALL, STRATEGIES, named_strategies
from tests.assessment.conformal.long_tail import compared, evaluated
from tests.paths import ROOT

pytestmark = pytest.mark.extras
pytest.importorskip("matplotlib")

SAMPLE = ROOT / "sample_votes"


@dataclass(frozen=True)
class Results:
    """What charts are drawn of."""

    votes: plant_aggregate.Votes
    consensus: plant_aggregate.Consensus
    evaluation: plant_aggregate.Evaluation
    comparison: plant_aggregate.Comparison
    ai: plant_aggregate.AiCalibration
    sets: SetEvaluation
    methods: SetComparison

    @property
    def populations(self) -> dict[str, Any]:
        """Species and how many observations each has, as before and after sampling."""
        every = np.bincount(self.consensus.labels)
        return {"before": every[every > 0], "eligible": every[every > 3], "after": every[every > 20]}


DRAWN: dict[str, Callable[[Results, Any], Any]] = {
    "accuracy_against_retrieval": lambda results, ax: charts.accuracy_against_retrieval(results.comparison, ax=ax),
    "confidences": lambda results, ax: charts.confidences(results.consensus, ax=ax),
    "confusions": lambda results, ax: charts.confusions(results.evaluation, ax=ax),
    "convergence": lambda results, ax: charts.convergence(results.consensus, ax=ax),
    "coverage_against_size": lambda results, ax: charts.coverage_against_size(results.methods, ax=ax),
    "coverage_by_frequency": lambda results, ax: charts.coverage_by_frequency(results.sets, ax=ax),
    "coverage_by_level": lambda results, ax: charts.coverage_by_level(results.sets, ax=ax),
    "lorenz_curves": lambda results, ax: charts.lorenz_curves(results.populations, ax=ax),
    "observations_by_rank": lambda results, ax: charts.observations_by_rank(results.populations, ax=ax),
    "reliability": lambda results, ax: charts.reliability(results.ai, ax=ax),
    "statuses": lambda results, ax: charts.statuses(results.consensus, ax=ax),
    "votes_of_users": lambda results, ax: charts.votes_of_users(results.votes, ax=ax),
    "votes_per_observation": lambda results, ax: charts.votes_per_observation(results.votes, ax=ax),
    "weights_against_species": lambda results, ax: charts.weights_against_species(results.consensus, ax=ax),
}


@pytest.fixture(scope="module")
def sample() -> Results:
    """Of sample_votes."""
    votes = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    truth = plant_aggregate.read_truth(SAMPLE / "truth.parquet")
    ai_votes = plant_aggregate.read_ai_votes(SAMPLE / "ai_votes.parquet")
    consensus = plant_aggregate.PlantNet().fit(votes)
    chosen = {name: STRATEGIES[name]() for name in ("plantnet", "majority")}
    return Results(
        votes,
        consensus,
        plant_aggregate.evaluate(consensus, truth, resamples=10),
        plant_aggregate.compare(votes, truth, chosen, resamples=10),
        plant_aggregate.calibrate_ai(ai_votes, truth, votes=votes),
        evaluated(["0.2", "0.1", "0.05"], resamples=10),
        compared(["softmax", "softmax/classwise", "softmax/interp-q:tau=0.9"], ["0.2", "0.1"], resamples=10),
    )


@pytest.fixture(autouse=True)
def figures_closed() -> Any:
    """No window opens, and no figure stays."""
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def test_every_chart_is_tried() -> None:
    assert sorted(DRAWN) == charts.__all__


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("size", [(3.4, 2.8), None, (12.0, 8.0)])
def test_no_text_leaves_the_picture_or_lies_on_another_one(sample: Results, name: str, size: Any) -> None:
    (given,) = [None] if size is None else charts.panels(1, size)[1]
    axes = DRAWN[name](sample, given)
    assert given is None or axes is given
    axes.figure.draw_without_rendering()
    assert axes.get_xlabel()
    for axis in (axes.xaxis, axes.yaxis):
        shown = [tick.get_window_extent() for tick in axis.get_ticklabels() if tick.get_text()]
        inside = [box for box in shown if box.x1 > axes.bbox.x0 - 400]
        sides = sorted((box.x0, box.x1) if axis is axes.xaxis else (box.y0, box.y1) for box in inside)
        assert all(before[1] <= after[0] + 1 for before, after in pairwise(sides)), name
    picture = axes.figure.bbox
    for text in [axes.xaxis.label, axes.yaxis.label, axes.title, *axes.texts]:
        box = text.get_window_extent()
        if text.get_text():
            assert picture.x0 - 1 <= box.x0
            assert box.x1 <= picture.x1 + 1
            assert picture.y0 - 1 <= box.y0
            assert box.y1 <= picture.y1 + 1


def test_a_new_figure_is_one_of_pyplot_and_given_axes_are_drawn_into(sample: Results) -> None:
    from matplotlib import pyplot

    axes = charts.convergence(sample.consensus)
    assert axes.figure.number in pyplot.get_fignums()
    assert [list(line.get_ydata()) for line in axes.lines] == [
        [each.labels_changed for each in sample.consensus.trace.iterations],
        [each.users_changed for each in sample.consensus.trace.iterations],
    ]
    charts.convergence(sample.consensus.trace.iterations, ax=axes)
    assert len(axes.lines) == 4


def test_the_bars_of_statuses_are_shares_of_the_observations(sample: Results) -> None:
    axes = charts.statuses(sample.consensus)
    counts = sample.consensus.counts
    of_all = [bars.patches[0].get_width() for bars in axes.containers]
    expected = [100 * counts[name] / counts["observations"] for name in ("valid", "contested", "needs_votes")]
    assert of_all == pytest.approx(expected)
    assert axes.get_yticklabels()[0].get_text() == f"all  ({counts['observations']:,})"


def test_votes_per_observation_are_how_many_have_at_least_as_many(sample: Results) -> None:
    (line,) = charts.votes_per_observation(sample.votes).lines
    n_votes = np.diff(sample.votes.offsets)
    for number, times in zip(*line.get_data(), strict=True):
        assert times == np.count_nonzero(n_votes >= number)


def test_all_users_are_in_the_chart_of_weights(sample: Results) -> None:
    (points,) = charts.weights_against_species(sample.consensus).collections
    n_users = 10 ** ((points.get_sizes() - 12) / 30)
    assert n_users.sum() == pytest.approx(sample.votes.n_users)


def test_a_confusion_is_a_bar_whose_valid_part_is_green(sample: Results) -> None:
    axes = charts.confusions(sample.evaluation)
    worst = sample.evaluation.confusions[0]
    valid, others = (bars.patches[0].get_width() for bars in axes.containers)
    assert (valid, valid + others) == (worst.valid, worst.observations)
    assert axes.get_yticklabels()[0].get_text() == f"{worst.truth} → {worst.label}"


def test_a_chart_has_a_point_for_every_strategy(sample: Results) -> None:
    axes = charts.accuracy_against_retrieval(sample.comparison)
    assert {text.get_text() for text in axes.texts} == {"plantnet", "majority"}


def test_a_chart_of_sets_has_a_point_for_each_method_that_can_be_used(sample: Results) -> None:
    axes = charts.coverage_against_size(sample.methods, "0.1")
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["1  softmax", "2  softmax/classwise", "3  softmax/interp-q:tau=0.9"]
    with pytest.raises(plant_aggregate.ParameterError, match=r"alpha is 0\.3 but must be one of 0\.2, 0\.1"):
        charts.coverage_against_size(sample.methods, 0.3)


def test_rare_labels_are_on_the_left_and_all_are_counted(sample: Results) -> None:
    axes = charts.coverage_by_frequency(sample.sets)
    ticks = [tick.get_text().split("\n") for tick in axes.get_xticklabels()]
    assert sum(int(n.strip("()")) for _, n in ticks) == sample.sets.levels[0].labels
    for line in axes.lines:
        assert line.get_ydata()[0] < line.get_ydata()[-1]


def test_there_is_no_chart_of_observations_that_were_not_evaluated(sample: Results) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match="subset is 'some' but must be one of 'all', "):
        charts.accuracy_against_retrieval(sample.comparison, "some")
    with pytest.raises(plant_aggregate.ParameterError, match="one of 'all', 'users disagree'"):
        charts.reliability(sample.ai, "some")


@pytest.mark.filterwarnings("ignore:.*none of the experts:plant_aggregate.AggregateWarning")
def test_labels_may_be_anything_and_results_small() -> None:
    labels = ["$x_", "x" * 99, "$x_", "a\nb"]
    table = {"observation_id": [1, 1, 2, 2], "user_id": [1, 2, 1, 2], "label": labels}
    votes = plant_aggregate.votes_from_table(pa.table({**table, "is_author": [True, False, True, False]}))
    truth = plant_aggregate.truth_from_table(pa.table({"observation_id": [1, 2], "label": ["y" * 99, "$y_"]}))
    consensus = plant_aggregate.Majority().fit(votes)
    evaluation = plant_aggregate.evaluate(consensus, truth, resamples=0)
    comparison = plant_aggregate.compare(votes, truth, {"$x_": plant_aggregate.Wawa()}, resamples=0)
    nothing = plant_aggregate.evaluate(consensus, truth, resamples=0, worst=0)
    drawn = [
        charts.confusions(evaluation),
        charts.confusions(nothing),
        charts.accuracy_against_retrieval(comparison),
        charts.statuses(consensus),
        charts.confidences(consensus),
        charts.weights_against_species(consensus),
        charts.convergence(consensus),
        charts.votes_of_users(votes),
        charts.votes_per_observation(votes),
    ]
    for axes in drawn:
        axes.figure.draw_without_rendering()


@pytest.mark.filterwarnings("ignore:no vote is known:plant_aggregate.AggregateWarning")
def test_no_label_of_a_strategy_lies_on_another_one() -> None:
    """Of two labels every strategy retrieves both: all points are above one another."""
    chance = np.random.default_rng(0)
    truth = chance.integers(2, size=300)
    votes = plant_aggregate.votes_from_matrix(truth[:, None] ^ (chance.random((300, 20)) < np.linspace(0.1, 0.5, 20)))
    experts = plant_aggregate.truth_from_table(pa.table({"observation_id": range(300), "label": truth}))
    comparison = plant_aggregate.compare(votes, experts, named_strategies(), resamples=10)
    for size in ((3.4, 2.8), (7.0, 5.0)):
        figure, (axes,) = charts.panels(1, size)
        charts.accuracy_against_retrieval(comparison, ax=axes)
        figure.draw_without_rendering()
        boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
        assert sum(text.get_text().count(",") + 1 for text in axes.texts) == len(ALL)
        assert all(below.y1 <= above.y0 + 2 for below, above in pairwise(boxes)), [box.bounds for box in boxes]
