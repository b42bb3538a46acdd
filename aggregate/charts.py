"""Charts of results: ``from plant_aggregate import charts``. They need matplotlib, the extra ``plot``.

Each is a function of a result that draws into the axes ``ax``, by default those of a new figure, and returns them::

    charts.convergence(consensus)
    charts.confidences(consensus).figure.savefig("confidences.png")
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import Indices
from .assessment.calibration.ai import AiCalibration
from .assessment.comparison import Comparison
from .assessment.evaluation import VOTE_GROUPS, Estimate, Evaluation, votes_in_words
from .consensus import STATUSES, Consensus
from .errors import ParameterError, on_one_line
from .splits.populations import lorenz
from .splits.published import PLANTNET_300K
from .trace import Iteration
from .votes import Votes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .assessment.conformal.comparison import SetComparison
    from .assessment.conformal.evaluation import LevelEvaluation, SetEvaluation

__all__ = [
    "accuracy_against_retrieval",
    "confidences",
    "confusions",
    "convergence",
    "coverage_against_size",
    "coverage_by_frequency",
    "coverage_by_level",
    "lorenz_curves",
    "observations_by_rank",
    "reliability",
    "statuses",
    "votes_of_users",
    "votes_per_observation",
    "weights_against_species",
]

GREEN, ORANGE, LIGHT, GREY = "#1b7837", "#e08214", "#c9c9c9", "#4d4d4d"
OF_STATUSES = dict(zip(STATUSES, (GREEN, ORANGE, LIGHT), strict=True))
OF_SCORES = {"softmax": GREY, "pas": GREEN}
LINE = 12  # height of a line of a label, in points
NARROW = {"columnspacing": 1.0, "handlelength": 1.0, "borderaxespad": 0.2}
FREQUENCIES = (0, 1, 2, 5, 10, 30, 100, 300, 1000, 3000, 10_000)  # edges of the groups of labels by observations
SPREAD = 8  # a greatest size so many times the least is drawn on an axis of logarithms
LEAST, LETTERS = 12, 5  # characters of a label in a chart: at least, and for each inch


def accuracy_against_retrieval(comparison: Comparison, subset: str = "all", *, ax: "Axes | None" = None) -> "Axes":
    """Accuracy of each strategy (invalid counts as wrong) against the share of the experts' species that it retrieves.

    Bars are 95 % intervals. ``subset`` is one of the evaluation's sets of expert observations. Raises ParameterError
    if there is no such set, or matplotlib is not installed.
    """
    points = []
    for each in comparison.compared:
        group = next((group for group in each.evaluation.subsets if group.name == subset), None)
        if group is None:
            raise _no_such_subset(subset, [group.name for group in each.evaluation.subsets])
        if "accuracy" in group.measures:  # not of labels found elsewhere, of which none is known to be valid
            points.append((each.title, group.measures["species_retrieved"], group.measures["accuracy"]))

    axes = _axes(ax, (7.0, 5.0))
    for name, retrieved, accuracy in points:
        axes.errorbar(
            100 * retrieved.value,
            100 * accuracy.value,
            xerr=[[100 * (retrieved.value - retrieved.low)], [100 * (retrieved.high - retrieved.value)]],
            yerr=[[100 * (accuracy.value - accuracy.low)], [100 * (accuracy.high - accuracy.value)]],
            fmt="o",
            color=GREEN if name == "plantnet" else GREY,
            elinewidth=0.6,
            alpha=0.9,
        )
    _name_points(axes, [(name, 100 * x.value, 100 * y.value) for name, x, y in points])
    axes.set_xlabel("experts' species retrieved, %")
    axes.set_ylabel("accuracy, % (invalid = wrong)")
    axes.grid(color="#ececec")
    axes.set_axisbelow(True)
    return axes


def reliability(calibration: AiCalibration, subset: str = "all", *, ax: "Axes | None" = None) -> "Axes":
    """The AI's accuracy against its score, before and after calibration; on the diagonal a score is a probability.

    ``subset`` is one of the calibration's sets of expert observations. Raises ParameterError if there is no such set,
    as in a calibration that was loaded from a file, or matplotlib is not installed.
    """
    comparison = next((each for each in calibration.comparisons if each.name == subset), None)
    if comparison is None:
        raise _no_such_subset(subset, [each.name for each in calibration.comparisons])

    axes = _axes(ax, (5.0, 4.5))
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8)
    for name, quality, colour in (("before", comparison.before, GREY), ("after", comparison.after, GREEN)):
        scores = [each.mean_score for each in quality.curve]
        shares = [each.share_right for each in quality.curve]
        label = f"{name} (error {quality.calibration_error:.3f})"
        axes.plot(scores, shares, "o-", color=colour, linewidth=1.2, markersize=4, label=label)
    axes.set_title(f"{comparison.name}: {comparison.observations:,} observations", fontsize=10)
    axes.set_xlabel("score of the AI")
    axes.set_ylabel("share right")
    axes.legend(frameon=False, fontsize=9)
    return axes


def statuses(consensus: Consensus, *, ax: "Axes | None" = None) -> "Axes":
    """The shares of valid and contested observations, and of those in need of votes, by their number of votes."""
    n_votes, status = np.diff(consensus.votes.offsets), consensus.status
    groups = [(n_votes >= low) & (n_votes <= (np.inf if high is None else high)) for low, high in VOTE_GROUPS]
    names = [votes_in_words(low, high) for low, high in VOTE_GROUPS]
    filled = [(name, status[group]) for name, group in zip(names, groups, strict=True) if group.any()]
    bars = [("all", status), *filled]

    axes = _axes(ax, (6.5, 3.6))
    left = np.zeros(len(bars))
    for code, (name, colour) in enumerate(OF_STATUSES.items()):
        shares = np.array([100 * np.mean(statuses_of_bar == code) for _, statuses_of_bar in bars])
        axes.barh(np.arange(len(bars)), shares, left=left, color=colour, label=name.replace("_", " "), height=0.75)
        left += shares
    ticks = [f"{name}  ({statuses_of_bar.size:,})" for name, statuses_of_bar in bars]
    axes.set_yticks(np.arange(len(bars)), ticks)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the observations, %")
    axes.set_ylabel("votes  (observations)")
    axes.legend(frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), **NARROW)
    return axes


def votes_per_observation(votes: Votes, *, ax: "Axes | None" = None) -> "Axes":
    """How many observations have that many votes or more."""
    return _at_least(np.diff(votes.offsets), "votes on an observation", "observations", ax)


def votes_of_users(votes: Votes, *, ax: "Axes | None" = None) -> "Axes":
    """How many users have cast that many votes or more."""
    return _at_least(votes.n_votes_of_users, "votes of a user", "users", ax)


def weights_against_species(consensus: Consensus, *, ax: "Axes | None" = None) -> "Axes":
    """The weight of each user against the number of species that the user has identified.

    The larger a point, the more users are there. One vote of those from the line on makes a label valid.
    """
    users = consensus.users
    species = np.log1p(users.n_species)
    # Where there are more points than one can see, those that lie together are one.
    x_step, y_step = max(float(species.max()), 1.0) / 200, max(float(users.weight.max()), 1.0) / 200
    places = np.stack([np.rint(species / x_step), np.rint(users.weight / y_step)], axis=1)
    points, first, n_users = np.unique(places, axis=0, return_index=True, return_counts=True)
    x, y = points.T * [[x_step], [y_step]]

    axes = _axes(ax, (6.5, 4.2))
    colours = np.where(users.self_validating[first], GREEN, GREY)
    axes.scatter(x, y, 12 + 30 * np.log10(n_users), colours, alpha=0.6, linewidths=0)
    threshold = consensus.parameters.get("theta_conf")
    if threshold is not None:
        axes.axhline(threshold, color=GREEN, linewidth=0.8)
        axes.text(0, threshold, "theta_conf", color=GREEN, fontsize=9, va="bottom")
    ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300, 1000, 3000) if np.log1p(tick) <= species.max()]
    axes.set_xticks(np.log1p(ticks), [f"{tick:,}" for tick in ticks])
    axes.set_xlabel("species identified")
    axes.set_ylabel("weight of the user")
    return axes


def convergence(trace: Consensus | Sequence[Iteration], *, ax: "Axes | None" = None) -> "Axes":
    """The labels and the users that each iteration changed.

    ``trace`` is a consensus, or the iterations of one, as a published run has them in ``record.trace``.
    """
    iterations = trace.trace.iterations if isinstance(trace, Consensus) else trace
    axes = _axes(ax, (5.5, 3.6))
    numbers = np.arange(1, len(iterations) + 1)
    for name, colour in (("labels", GREEN), ("users", GREY)):
        found = [getattr(each, f"{name}_changed") for each in iterations]
        counts = [np.nan if count is None else count for count in found]
        axes.plot(numbers, counts, "o-", color=colour, linewidth=1.2, markersize=4, label=f"{name} changed")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_whole)
    axes.locator_params("x", integer=True)
    axes.set_xlabel("iteration")
    axes.legend(frameon=False, fontsize=9)
    return axes


def confidences(consensus: Consensus, *, ax: "Axes | None" = None) -> "Axes":
    """A histogram of the confidence of the labels, by status."""
    status = consensus.status
    parts = [consensus.confidence[status == code] for code in range(len(STATUSES))]
    axes = _axes(ax, (6.5, 3.6))
    names = [name.replace("_", " ") for name in STATUSES]
    axes.hist(parts, bins=np.linspace(0, 1, 41).tolist(), stacked=True, color=list(OF_STATUSES.values()), label=names)
    axes.set_xlim(0, 1)
    axes.set_xlabel("confidence")
    axes.set_ylabel("observations")
    axes.yaxis.set_major_formatter(_whole)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return axes


def confusions(evaluation: Evaluation, *, ax: "Axes | None" = None) -> "Axes":
    """The species that are most often taken for another; valid ones would be learnt by a classifier."""
    pairs = evaluation.confusions
    axes = _axes(ax, (7.0, 1.0 + 0.28 * max(len(pairs), 1)))
    rows = np.arange(len(pairs))
    times, valid = (np.array([getattr(pair, name) or 0 for pair in pairs]) for name in ("observations", "valid"))
    is_known = all(pair.valid is not None for pair in pairs)
    if is_known:
        axes.barh(rows, valid, color=GREEN, label="valid", height=0.75)
    axes.barh(rows, times - valid, left=valid, color=LIGHT, label="not valid", height=0.75)
    length = max(LEAST, int(LETTERS * axes.bbox.width / axes.figure.dpi))
    names = [f"{_short(pair.truth, length)} → {_short(pair.label, length)}" for pair in pairs]
    axes.set_yticks(rows, names, fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.locator_params("x", integer=True)
    axes.set_xlabel("expert observations")
    axes.set_ylabel("experts' label → label", fontsize=9)
    if is_known:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
    return axes


def lorenz_curves(populations: Mapping[str, Indices], *, ax: "Axes | None" = None) -> "Axes":
    """What shares of the observations the rarest shares of the species hold, in each of some populations.

    ``populations`` are by name the numbers of observations of their species, as :class:`Subset` has them, or of any
    origin. On the diagonal all species have as many; the star is Pl@ntNet-300K, where the rarest 80 % hold 11 %.
    """
    axes = _axes(ax, (5.0, 4.2))
    axes.plot([0, 100], [0, 100], color="#bbbbbb", linewidth=0.8)
    for (name, counts), style in zip(populations.items(), _styles(), strict=False):
        species, held = lorenz(np.sort(counts))
        axes.plot(100 * species, 100 * held, label=name, **style)
    axes.plot(80, 100 * PLANTNET_300K["rarest_80_percent_hold"], "*", color=ORANGE, markersize=9, label="Pl@ntNet-300K")
    axes.set_xlabel("species, the rarest first, %")
    axes.set_ylabel("observations that they hold, %")
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return axes


def observations_by_rank(populations: Mapping[str, Indices], *, ax: "Axes | None" = None) -> "Axes":
    """The number of observations of each species, the commonest first, in each of some populations.

    ``populations`` as in :func:`lorenz_curves`.
    """
    axes = _axes(ax, (5.0, 4.2))
    for (name, counts), style in zip(populations.items(), _styles(), strict=False):
        descending = np.sort(counts)[::-1]
        axes.plot(np.arange(1, descending.size + 1), descending, label=f"{name}: {descending.size:,} species", **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_whole)
    axes.set_xlabel("rank of the species")
    axes.set_ylabel("observations")
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    return axes


def coverage_against_size(
    comparison: "SetComparison", alpha: float | str | None = None, *, ax: "Axes | None" = None
) -> "Axes":
    """Macro coverage of the prediction sets of each method against their mean size, at one level.

    Bars are the intervals of the comparison; methods without a guarantee are circles that are not filled. ``alpha``: by
    default the first level. Raises ParameterError if the comparison has no such level, or matplotlib is not installed.
    """
    usable = [(each, _level(each.levels, alpha)) for each in comparison.compared if each.levels]
    axes = _axes(ax, (8.0, 4.6))
    points = []
    for number, (each, level) in enumerate(usable, start=1):
        size, macro = level.measures["mean_size"], level.measures["macro_coverage"]
        points.append((str(number), size.value, 100 * macro.value))
        colour = OF_SCORES.get(re.split("[:/]", each.method)[0], ORANGE)
        axes.errorbar(
            size.value,
            100 * macro.value,
            xerr=_bars(size, 1),
            yerr=_bars(macro, 100),
            fmt="o",
            color=colour,
            markerfacecolor=colour if each.guarantee else "white",
            elinewidth=0.6,
            label=f"{number}  {on_one_line(each.method)}",
        )
    _sizes_on(axes, [size for _, size, _ in points])
    _name_points(axes, points)
    if usable:
        axes.set_title(f"alpha {usable[0][1].alpha}", fontsize=10)
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1), **NARROW)
    axes.set_ylabel("macro coverage, %")
    return axes


def coverage_by_level(evaluation: "SetEvaluation", *, ax: "Axes | None" = None) -> "Axes":
    """Coverage and macro coverage of prediction sets against their mean size, with a point for each level."""
    axes = _axes(ax, (5.5, 4.2))
    levels = sorted(evaluation.levels, key=lambda level: level.measures["mean_size"].value)
    sizes = [level.measures["mean_size"].value for level in levels]
    for name, measure, colour in (("coverage", "marginal_coverage", GREY), ("macro coverage", "macro_coverage", GREEN)):
        found = [level.measures[measure] for level in levels]
        values = [100 * each.value for each in found]
        bars = np.concatenate([_bars(each, 100) for each in found], axis=1)
        axes.errorbar(sizes, values, yerr=bars, fmt="o-", color=colour, linewidth=1.2, markersize=4, label=name)
    for level, size in zip(levels, sizes, strict=True):
        goal = 100 * (1 - float(level.alpha))
        axes.plot(size, goal, "_", color=ORANGE, markersize=14, label="1 - alpha" if level is levels[0] else None)
        axes.annotate(
            f"alpha {level.alpha}",
            (size, goal),
            xytext=(-5, 7),
            textcoords="offset points",
            horizontalalignment="right",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
        )
    _sizes_on(axes, sizes)
    axes.set_ylabel("%")
    axes.margins(0.12, 0.1)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return axes


def coverage_by_frequency(evaluation: "SetEvaluation", *, ax: "Axes | None" = None) -> "Axes":
    """Mean coverage of the labels in prediction sets against how common they are, at each level.

    How common a label is, is its number of observations in the classifier's training set, or in what the prior was
    counted in instead; and if there is no prior, among those that are evaluated. Below each group of labels is how many
    there are.
    """
    axes = _axes(ax, (6.5, 4.2))
    table = evaluation.per_label()
    known = evaluation.space.prior is not None
    alphas, coverage = (table[name].to_numpy() for name in ("alpha", "coverage"))
    counts = table["prior_count" if known else "rows"].fill_null(0).to_numpy()
    edges = [edge for edge in FREQUENCIES if edge <= counts.max(initial=0)]
    groups = np.searchsorted(edges, counts, side="right") - 1
    present = np.unique(groups)
    for level, style in zip(evaluation.levels, cycle(_styles()), strict=False):
        here = alphas == float(level.alpha)
        means = [100 * coverage[here & (groups == group)].mean() for group in present]
        axes.plot(np.arange(present.size), means, marker="o", markersize=4, label=f"alpha {level.alpha}", **style)
    first = alphas == float(evaluation.levels[0].alpha)
    ticks = [f"{_bin(edges, group)}\n({np.count_nonzero(first & (groups == group)):,})" for group in present.tolist()]
    axes.set_xticks(np.arange(present.size), ticks, fontsize=8)
    axes.set_ylim(0, 105)
    axes.set_xlabel(f"observations {'in the prior' if known else 'evaluated'}  (labels)")
    axes.set_ylabel("mean coverage of the labels, %")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return axes


def _level(levels: "Sequence[LevelEvaluation]", alpha: float | str | None) -> "LevelEvaluation":
    """The level of an alpha, by default the first. Raises ParameterError."""
    if alpha is None:
        return levels[0]
    found = next((level for level in levels if float(level.alpha) == float(alpha)), None)
    if found is None:
        raise ParameterError(f"alpha is {alpha} but must be one of {', '.join(str(level.alpha) for level in levels)}")
    return found


def _bars(estimate: Estimate, factor: float) -> list[list[float]]:
    """The lengths of the bars of an interval, none where there is no interval."""
    ends = (estimate.value - estimate.low, estimate.high - estimate.value)
    return [[max(factor * end, 0.0) if end == end else 0.0] for end in ends]


def _sizes_on(axes: "Axes", sizes: Sequence[float]) -> None:
    """An axis of mean sizes of sets, which may differ by orders of magnitude."""
    from matplotlib.ticker import NullFormatter

    if min(sizes, default=0) > 0 and max(sizes) / min(sizes) > SPREAD:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("mean size of the sets")
    axes.grid(color="#ececec")
    axes.set_axisbelow(True)


def _bin(edges: Sequence[int], group: int) -> str:
    """A group of numbers from an edge to the next, in words."""
    if group + 1 == len(edges):
        return f"{edges[group]:,}+"
    last = edges[group + 1] - 1
    return f"{last:,}" if last == edges[group] else f"{edges[group]:,}-{last:,}"


def panels(n: int, size: tuple[float, float]) -> "tuple[Figure, list[Axes]]":
    """A figure that pyplot does not know, to be written to a file, and the axes in it, side by side, of some inches."""
    check_installed()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(n * size[0], size[1]), layout="constrained")
    return figure, [figure.add_subplot(1, n, place + 1) for place in range(n)]


def check_installed() -> None:
    """Raise ParameterError if matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise ParameterError("a plot needs matplotlib: pip install 'plant-aggregate[plot]'")


def _axes(ax: "Axes | None", size: tuple[float, float]) -> "Axes":
    """The axes to draw into: ``ax``, or those of a new figure of ``size`` (inches) in pyplot."""
    check_installed()
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=size, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _styles() -> Iterator[dict[str, Any]]:
    """Lines of different colours, dashed or not, so that one that covers another does not hide it."""
    for colour, dashes, width in ((GREY, "-", 1.2), (ORANGE, "--", 1.6), (GREEN, "-", 1.6)):
        yield {"color": colour, "linestyle": dashes, "linewidth": width}


def _at_least(counts: Indices, what: str, of_what: str, ax: "Axes | None") -> "Axes":
    """How many of the positive ``counts`` are at least as large as each number: the tail is long."""
    numbers, times = np.unique(counts[counts > 0], return_counts=True)
    axes = _axes(ax, (5.5, 3.6))
    axes.step(numbers, np.cumsum(times[::-1])[::-1], "o-", where="pre", color=GREEN, linewidth=1.2, markersize=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_whole)
    axes.set_xlabel(f"{what}, or more")
    axes.set_ylabel(of_what)
    return axes


def _whole(value: float, _: object = None) -> str:
    return f"{value:,.0f}" if value >= 1 or value == 0 else ""


def _short(label: str | int, length: int) -> str:
    """A label of at most ``length`` characters: the genus is abbreviated first.

    >>> _short("Medicago lupulina", 20), _short("Medicago lupulina", 12), _short("Medicago polymorpha", 12)
    ('Medicago lupulina', 'M. lupulina', 'M. polymo...')
    """
    text = on_one_line(str(label))
    genus, _, species = text.partition(" ")
    if len(text) > length and genus and species:
        text = f"{genus[0]}. {species}"
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _no_such_subset(subset: str, known: Iterable[str]) -> ParameterError:
    return ParameterError(f"subset is {subset!r} but must be one of {', '.join(map(repr, known))}")


def _name_points(axes: "Axes", points: list[tuple[str, float, float]]) -> None:
    """Label the points: those close to each other with one label, and no label on another one."""
    scale = np.log10 if axes.get_xscale() == "log" else np.asarray
    (low, high), (left, right) = axes.get_ylim(), scale(axes.get_xlim())
    height = axes.bbox.height / axes.figure.dpi * 72  # of the axes, in points of the font
    groups: list[list[tuple[str, float, float]]] = []
    for point in sorted(points, key=lambda point: (-point[2], point[1])):
        near = next(
            (
                group
                for group in groups
                if abs(scale(group[0][1]) - scale(point[1])) < 0.02 * (right - left)
                and abs(group[0][2] - point[2]) < 0.6 * LINE / height * (high - low)
            ),
            None,
        )
        if near is None:
            groups.append([point])
        else:
            near.append(point)
    free_below = {True: float("inf"), False: float("inf")}  # on the left and on the right of the points
    for group in groups:
        text = textwrap.fill(", ".join(name for name, _, _ in group), 36, break_on_hyphens=False)
        on_the_right = bool(scale(group[0][1]) > (left + right) / 2)
        place = (group[0][2] - low) / (high - low) * height
        room = LINE * (text.count("\n") + 1)
        bottom = min(place + 5, free_below[on_the_right] - room)
        free_below[on_the_right] = bottom
        axes.annotate(
            text,
            group[0][1:],
            xytext=(-7 if on_the_right else 7, bottom - place),
            textcoords="offset points",
            horizontalalignment="right" if on_the_right else "left",
            verticalalignment="bottom",
            fontsize=9,
            fontweight="bold" if any(name == "plantnet" for name, _, _ in group) else "normal",
            parse_math=False,
        )
