"""Time and peak memory against the number of votes."""

import math
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.processes import GIB
from benchmarks.results import Measurement, Session

COLOURS = {
    "plant-aggregate": "#1b7837",
    "duckdb_best": "#b8860b",
    "duckdb_plain": "#b8860b",
    "polars_best": "#2166ac",
    "polars_plain": "#2166ac",
    "peerannot_plantnet": "#b2182b",
    "crowdkit_majority": "#762a83",
}
LINE_HEIGHT = 0.055
"""Least distance of two labels, as a share of the height of the axes."""


def draw(sessions: list[Session], path: Path) -> None:
    """A panel for seconds and one for memory, a line for each contender, a cross where it was stopped."""
    mpl.rcParams.update({"font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "peers", "axes.spines.top": False})
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    seconds, memory = figure.subplots(1, 2)
    draw_panel(seconds, sessions, "seconds", 1, "Seconds, whole process")
    draw_panel(memory, sessions, "peak_memory", GIB, "Peak memory, GiB")
    figure.savefig(path, metadata={"Date": None})


def draw_panel(axes: Axes, sessions: list[Session], quantity: str, unit: float, title: str) -> None:
    """One quantity of all contenders, log by log."""
    axes.set(xscale="log", yscale="log", xlabel="votes")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.grid(which="major", color="#e5e5e5", linewidth=0.8)
    axes.spines["right"].set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axis.set_minor_formatter(mpl.ticker.NullFormatter())
    ends = {}
    for name, measured in by_contender(sessions).items():
        points = [(votes, each.median(quantity) / unit) for votes, each in measured]
        finished = [point for point, (_, each) in zip(points, measured, strict=True) if not each.ending]
        stopped = [point for point, (_, each) in zip(points, measured, strict=True) if each.ending]
        style = {"color": COLOURS[name], "linestyle": "--" if name.endswith("plain") else "-"}
        axes.plot(*zip(*points, strict=True), linewidth=2.4 if name == "plant-aggregate" else 1.3, **style)
        axes.plot(*unzipped(finished), "o", markersize=4, color=COLOURS[name])
        axes.plot(*unzipped(stopped), "x", markersize=7, color=COLOURS[name])
        ends[name] = points[-1]
    label_ends(axes, ends)


def by_contender(sessions: list[Session]) -> dict[str, list[tuple[int, Measurement]]]:
    """Each contender's measurements by number of votes; of several at one number, the latest."""
    found: dict[str, dict[int, Measurement]] = {}
    for session in sessions:
        for measurement in session.measurements:
            found.setdefault(measurement.contender, {})[session.votes[measurement.log]] = measurement
    return {name: sorted(found[name].items()) for name in COLOURS if name in found}


def unzipped(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """The coordinates of points, apart."""
    return [x for x, _ in points], [y for _, y in points]


def label_ends(axes: Axes, ends: dict[str, tuple[float, float]]) -> None:
    """Name each line at its right end, names moved apart where they would overlap."""
    low, high = (math.log(limit) for limit in axes.get_ylim())
    place = -math.inf
    for name, (x, y) in sorted(ends.items(), key=lambda item: item[1][1]):
        place = max(place + LINE_HEIGHT, (math.log(y) - low) / (high - low))
        axes.annotate(
            name.replace("_", " "),
            xy=(x, y),
            xytext=(1.03, place),
            textcoords="axes fraction",
            va="center",
            color=COLOURS[name],
            fontweight="bold" if name == "plant-aggregate" else "normal",
            arrowprops={"arrowstyle": "-", "color": COLOURS[name], "linewidth": 0.5, "alpha": 0.5},
        )
