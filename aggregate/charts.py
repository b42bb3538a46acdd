"""Charts of results. They need matplotlib: the extra ``plot``."""

import textwrap
from importlib.util import find_spec
from typing import TYPE_CHECKING

from .assessment.calibration.ai import AiCalibration
from .assessment.comparison import Comparison
from .errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN, GREY = "#1b7837", "#4d4d4d"


def check_installed() -> None:
    """Raise ParameterError if matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise ParameterError("a plot needs matplotlib: pip install 'plant-aggregate[plot]'")


def accuracy_against_retrieval(comparison: Comparison, subset: str = "all") -> "Figure":
    """Accuracy of each strategy (invalid counts as wrong) against the share of the experts' species that it retrieves.

    Bars are 95 % intervals. ``subset`` is one of the evaluation's sets of expert observations. Raises ParameterError
    if there is no such set, or matplotlib is not installed.
    """
    check_installed()
    from matplotlib.figure import Figure

    points = []
    for each in comparison.compared:
        group = next((group for group in each.evaluation.subsets if group.name == subset), None)
        if group is None:
            known = ", ".join(repr(group.name) for group in each.evaluation.subsets)
            raise ParameterError(f"subset is {subset!r} but must be one of {known}")
        points.append((each.strategy, group.measures["species_retrieved"], group.measures["accuracy"]))

    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    axes = figure.subplots()
    for name, retrieved, accuracy in points:
        colour = GREEN if name == "plantnet" else GREY
        axes.errorbar(
            100 * retrieved.value,
            100 * accuracy.value,
            xerr=[[100 * (retrieved.value - retrieved.low)], [100 * (retrieved.high - retrieved.value)]],
            yerr=[[100 * (accuracy.value - accuracy.low)], [100 * (accuracy.high - accuracy.value)]],
            fmt="o",
            color=colour,
            elinewidth=0.6,
            alpha=0.9,
        )
    _name_points(axes, [(name, 100 * x.value, 100 * y.value) for name, x, y in points])
    axes.set_xlabel("experts' species retrieved, %")
    axes.set_ylabel("accuracy, %  (not valid = wrong)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#ececec")
    axes.set_axisbelow(True)
    return figure


def reliability_curves(calibration: AiCalibration) -> "Figure":
    """The AI's accuracy against its score, before and after calibration; a panel for each set of observations.

    Raises ParameterError if matplotlib is not installed.
    """
    check_installed()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * len(calibration.comparisons), 4.5), layout="constrained")
    panels = figure.subplots(1, len(calibration.comparisons), squeeze=False, sharey=True)[0]
    for axes, comparison in zip(panels, calibration.comparisons, strict=True):
        axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8)
        for name, quality, colour in (("before", comparison.before, GREY), ("after", comparison.after, GREEN)):
            scores = [each.mean_score for each in quality.curve]
            shares = [each.share_right for each in quality.curve]
            label = f"{name} (error {quality.calibration_error:.3f})"
            axes.plot(scores, shares, "o-", color=colour, linewidth=1.2, markersize=4, label=label)
        axes.set_title(f"{comparison.name}: {comparison.observations:,} observations", fontsize=10)
        axes.set_xlabel("score")
        axes.legend(frameon=False, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share right")
    return figure


def _name_points(axes: "Axes", points: list[tuple[str, float, float]]) -> None:
    """Label the points; overlapping ones share a label."""
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    groups: list[list[tuple[str, float, float]]] = []
    for point in sorted(points, key=lambda point: (-point[2], point[1])):
        near = next(
            (
                group
                for group in groups
                if abs(group[0][1] - point[1]) < 0.02 * (right - left)
                and abs(group[0][2] - point[2]) < 0.03 * (high - low)
            ),
            None,
        )
        if near is None:
            groups.append([point])
        else:
            near.append(point)
    for group in groups:
        on_the_right = group[0][1] > (left + right) / 2
        axes.annotate(
            textwrap.fill(", ".join(name for name, _, _ in group), 36, break_on_hyphens=False),
            group[0][1:],
            xytext=(-7 if on_the_right else 7, 5),
            textcoords="offset points",
            horizontalalignment="right" if on_the_right else "left",
            verticalalignment="bottom",
            fontsize=9,
            fontweight="bold" if any(name == "plantnet" for name, _, _ in group) else "normal",
        )
