"""Pictures: the README's, of votes and labels, and that of prediction sets, of their size and macro coverage."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

import plant_aggregate
from plant_aggregate.arrays import Flags, Floats
from plant_aggregate.assessment.evaluation import match
from plant_aggregate.strategies.plantnet.weighting import WEIGHT_FUNCTIONS

SAMPLE = Path(__file__).resolve().parent.parent / "sample_votes"
SPECIES = 30  # on the axis of the weights
HIGH, LOW = 0.98, 0.89  # accuracy on the axis
FEWEST = 5  # per cent of the observations: the share right of fewer says little
LINES = {
    "plantnet": plant_aggregate.PlantNet(),
    "majority": plant_aggregate.Majority(),
    "dawid-skene": plant_aggregate.DawidSkene(),
}
NAMED_AT = {"plantnet": (64, True), "majority": (30, True), "dawid-skene": (68, False)}
"""Where along its line a name is, and whether above it."""
SETS = {
    "softmax": ("softmax", 10, 20),
    "softmax/interp-q:tau=0.9": ("interp-q, tau 0.9", 12, 14),
    "softmax/interp-q:tau=0.99": ("tau 0.99", 12, 14),
    "softmax/interp-q:tau=0.999": ("tau 0.999", 12, 14),
    "pas": ("pas", -10, -8),
    "softmax/classwise": ("classwise", -2, 24),
}
"""Method -> its name, and where that is beside its point."""
WORDS_ON_SETS = "Macro coverage against mean size of prediction sets, by method, simulated and published"
WORDS = "Weight against number of species, and accuracy against share kept for three strategies"
LIGHT = {"paper": "#ffffff", "ink": "#1f2328", "soft": "#59636e", "line": "#d1d9e0", "green": "#1b7837"}
DARK = {"paper": "#0d1117", "ink": "#f0f6fc", "soft": "#9198a1", "line": "#3d444d", "green": "#4ac26b"}
SHAPES = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
text { stroke-width: 4; paint-order: stroke; } text.title, text.ours { font-weight: 600; }
path { fill: none; stroke-width: 1.5; } path.axis { stroke-width: 1; } path.ours { stroke-width: 3; }
path.limit { stroke-dasharray: 4 4; }
"""
COLOURS = """
rect {{ fill: {paper}; }} text {{ stroke: {paper}; }}
text {{ fill: {soft}; }} text.title, text.ink {{ fill: {ink}; }} text.ours, circle {{ fill: {green}; }}
circle.ink {{ fill: {soft}; }}
path {{ stroke: {soft}; }} path.axis {{ stroke: {line}; }}
path.limit {{ stroke: {ink}; }} path.ours {{ stroke: {green}; }}
"""


class Panel:
    """A chart at ``left``, with numbers x and y that go from ``low`` to ``high``; y grows upwards, x by ``scale``."""

    def __init__(
        self,
        left: float,
        title: str,
        low: tuple[float, float],
        high: tuple[float, float],
        scale: Callable[[float], float] = float,
    ) -> None:
        self.left, self.low, self.high, self.scale = left, low, high, scale
        self.parts = [text(left, 30, title, "title")]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point is in the picture."""
        low, high = self.scale(self.low[0]), self.scale(self.high[0])
        across = (self.scale(x) - low) / (high - low)
        return self.left + 330 * across, 250 - 190 * (y - self.low[1]) / (self.high[1] - self.low[1])

    def curve(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        """A line through points."""
        self.parts.append(
            f'<path class="{kind}" d="M{" ".join("{:.1f},{:.1f}".format(*self.at(*p)) for p in points)}"/>'
        )

    def axes(self, across: Sequence[float], up: Sequence[float], show: str, below: str) -> None:
        """Lines and numbers at values of y, numbers at values of x, and what x is; ``show`` is a format of y."""
        for y in up:
            self.curve([(self.low[0], y), (self.high[0], y)], "axis")
            self.parts.append(text(self.left - 8, self.at(self.low[0], y)[1] + 4, format(y, show), "", "end"))
        for x in across:
            self.parts.append(text(self.at(x, self.low[1])[0], 268, f"{x:,g}", "", "middle"))
        self.parts.append(text(self.left + 165, 288, below, "", "middle"))


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """A line of text."""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}">{content}</text>'


def weights() -> Panel:
    """The weight of a vote by the species that its user has identified."""
    plantnet, function = plant_aggregate.PlantNet(), WEIGHT_FUNCTIONS["power-difference"]
    curve = [(n, function.weight(n, plantnet.alpha, plantnet.beta) + plantnet.gamma) for n in range(SPECIES + 1)]
    enough = next(point for point in curve if point[1] >= plantnet.theta_conf)
    panel = Panel(40, "Weight of a vote", (0, 0), (SPECIES, 5))
    panel.axes(range(0, SPECIES + 1, 5), range(6), ".0f", "species identified by the user")
    panel.curve([(0, plantnet.theta_conf), (SPECIES, plantnet.theta_conf)], "limit")
    panel.curve(curve, "ours")
    x, y = panel.at(*enough)
    panel.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    panel.parts.append(text(x + 12, y + 22, f"from {enough[0]} species on, a vote makes a label valid", "ink"))
    return panel


def accuracies() -> Panel:
    """Of the labels with the highest confidence, by how many these are: the share that is right, on the sample."""
    votes = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    truth = plant_aggregate.read_truth(SAMPLE / "truth.parquet")
    panel = Panel(500, "Accuracy of the most confident labels", (0, LOW), (100, HIGH))
    panel.axes(range(0, 101, 20), [n / 100 for n in range(89, 99, 3)], ".0%", "share of the labels that is kept, %")
    for name, strategy in LINES.items():
        matched = match(strategy.fit(votes), truth)[0]
        share_right = accuracy_of_most_confident(matched.confidence, matched.right)
        kept = range(FEWEST, 101)
        points = [(n, float(share_right[round(n * share_right.size / 100) - 1])) for n in kept]
        kind = "ours" if name == "plantnet" else ""
        panel.curve(points, kind)
        named, above = NAMED_AT[name]
        x, y = panel.at(named, dict(points)[named])
        panel.parts.append(text(x, y + (-12 if above else 24), name, kind, "middle"))
    return panel


def accuracy_of_most_confident(confidence: Floats, right: Flags) -> Floats:
    """Of the first 1, 2, ... labels by confidence, the share that is right; among equals, as expected in any order."""
    _, group, size = np.unique(-confidence, return_inverse=True, return_counts=True)
    expected = (np.bincount(group, right) / size)[np.sort(group)]
    return np.cumsum(expected) / np.arange(1, expected.size + 1)


def sizes(left: float, title: str, of_methods: Mapping[str, tuple[float, float]]) -> Panel:
    """Mean size and macro coverage of methods; those of which one is chosen by a number are on a line."""
    panel = Panel(left, title, (1, 0.4), (1000, 1), math.log10)
    panel.axes([1, 3, 10, 30, 100, 300, 1000], [n / 10 for n in range(4, 11)], ".1f", "labels in a set, mean")
    panel.curve([point for name, point in of_methods.items() if name != "pas"], "")
    for name, point in of_methods.items():
        x, y = panel.at(*point)
        shown, dx, dy = SETS[name]
        kind = "ours" if name == "pas" else "ink"
        panel.parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        panel.parts.append(text(x + dx, y + dy, shown, kind, "start" if dx > 0 else "end"))
    return panel


def sets() -> str:
    """Prediction sets of methods, in simulation and as published."""
    from benchmarks.conformal_study import MEASURES, PUBLISHED, RESULTS

    measured = json.loads(RESULTS.read_text(encoding="utf-8"))["measured"]
    places = MEASURES.index("mean_size") - 1, MEASURES.index("macro_coverage") - 1
    simulated = {name: (measured[name]["mean_size"][0], measured[name]["macro_coverage"][0]) for name in SETS}
    published = {name: tuple((PUBLISHED[name] or ())[place] for place in places) for name in SETS}
    return drawn(
        WORDS_ON_SETS,
        sizes(40, "Macro coverage, simulated", simulated),
        sizes(500, "Macro coverage, Pl@ntNet-300K", published),
    )


def overview() -> str:
    """What weighs a vote, and how right labels are."""
    return drawn(WORDS, weights(), accuracies())


def drawn(words: str, *panels: Panel) -> str:
    """Panels as SVG, in light or dark colours as the reader has it; ``words`` say what is seen."""
    parts = [part for panel in panels for part in panel.parts]
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 850 305" role="img" aria-label="' + words + '">'
    dark = f"@media (prefers-color-scheme: dark) {{{COLOURS.format(**DARK)}}}"
    style = f"<style>{SHAPES}{COLOURS.format(**LIGHT)}{dark}\n</style>"
    lines = [head, style, '<rect width="850" height="305" rx="6"/>', *parts, "</svg>"]
    return "\n".join(lines) + "\n"
