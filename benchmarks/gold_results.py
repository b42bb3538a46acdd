"""What ``gold.py`` has measured, as Markdown tables."""

from collections.abc import Callable
from functools import partial
from statistics import fmean
from typing import Any

from benchmarks.strategy_results import row, session_line, table

Results = dict[str, Any]
SHARES = (0.05, 0.1)
"""Shares of the observations with truth that experts label, for which all strategies are measured."""
CURVE = (0.01, 0.02, *SHARES, 0.2)
"""Those of the curve of ``auto``."""


def strategies(results: Results) -> list[str]:
    """Those that take experts' labels, in their order."""
    names = dict.fromkeys(name.split()[1] for each in results["measured"] for name in each["accuracy"] if " 1" in name)
    return [name for name in names if name != "curve"]


def by_crowd(results: Results, share: float) -> str:
    """Percent right on each crowd: without experts' labels, with them, and with weight 5; and by choice of strategy."""
    names = strategies(results)
    lines = table("crowd", "labels", *(f"`{name}`" for name in names), "strategy chosen by the labels")
    for each in results["measured"]:
        cells = (triple(each["accuracy"], share, name) for name in names)
        chosen = 100 * each["accuracy"][f"{share:g} chosen"]
        lines.append(row(each["crowd"], f"{each['labels'][f'{share:g}']:,}", *cells, f"{chosen:.1f}"))
    mean = mean_of(results)
    lines.append(
        row("mean", "", *(triple(mean, share, name) for name in names), f"{100 * mean[f'{share:g} chosen']:.1f}")
    )
    return "\n".join(lines)


def triple(accuracy: dict[str, float], share: float, name: str) -> str:
    """``82.1 → 84.0, 84.6``: without, with, and with weight 5 where the strategy has one."""
    keys = (f"{share:g} {name} {which}" for which in ("without", "1", "5"))
    without, *given = (f"{100 * accuracy[key]:.1f}" for key in keys if key in accuracy)
    return f"{without} → {', '.join(given)}"


def mean_of(results: Results) -> dict[str, float]:
    """The mean over the crowds of all that is measured."""
    measured = [each["accuracy"] for each in results["measured"]]
    return {name: fmean(each[name] for each in measured) for name in measured[0]}


def gains(results: Results) -> str:
    """Mean gains in points of each strategy, and on how many crowds it lost by experts' labels."""
    mean = mean_of(results)
    heads = [f"{100 * share:g} %, weight {weight}" for share in SHARES for weight in (1, 5)]
    lines = table("strategy", "without", *heads)
    for name in strategies(results):
        cells = (gain(results, mean, share, name, weight) for share in SHARES for weight in (1, 5))
        lines.append(row(f"`{name}`", f"{100 * mean[f'{SHARES[0]:g} {name} without']:.1f}", *cells))
    return "\n".join(lines)


def gain(results: Results, mean: dict[str, float], share: float, name: str, weight: int) -> str:
    """The mean gain, and in brackets the number of crowds with a loss of more than 0.1 points."""
    key, without = f"{share:g} {name} {weight}", f"{share:g} {name} without"
    if key not in mean:
        return ""
    accuracies = [each["accuracy"] for each in results["measured"]]
    losses = sum(each[key] < each[without] - 0.001 for each in accuracies)
    return f"{100 * (mean[key] - mean[without]):+.2f} ({losses})"


def curve(results: Results) -> str:
    """Percent of the observations that are right and never asked, by share of experts' labels."""
    heads = ["none", *(f"{100 * share:g} %" for share in CURVE)]
    lines = table("crowd", "with truth", *heads)
    keys = [f"{share:g} curve" for share in (0, *CURVE)]
    for each in results["measured"]:
        cells = (f"{100 * each['accuracy'][key]:.1f}" for key in keys)
        lines.append(row(each["crowd"], f"{each['with_truth']:,}", *cells))
    mean = mean_of(results)
    lines.append(row("mean", "", *(f"{100 * mean[key]:.1f}" for key in keys)))
    return "\n".join(lines)


def asking(results: Results) -> str:
    """Mean percent right by what experts were asked about: of what was never asked, and of all."""
    measured = [each["asked"] for each in results["measured"]]
    mean = {name: 100 * fmean(each[name] for each in measured) for name in measured[0]}
    orders = dict.fromkeys(name.split(" ", 1)[1].rsplit(" ", 1)[0] for name in mean if not name.startswith("nobody"))
    heads = [f"{100 * share:g} %, {what}" for what in ("never asked", "all") for share in SHARES]
    lines = table("asked first", *heads)
    lines.append(row("nobody", *(f"{mean[f'nobody {what}']:.2f}" for what in ("never", "all") for _ in SHARES)))
    for order in orders:
        cells = (f"{mean[f'{share:g} {order} {what}']:.2f}" for what in ("never", "all") for share in SHARES)
        lines.append(row(order, *cells))
    return "\n".join(lines)


def species_log(results: Results) -> str:
    """Valid labels gained, right and wrong, by what was asked first on a simulated species log."""
    lines = table("asked first", "experts' labels", "valid and right", "valid and wrong", "right less wrong, per label")
    for each in results["species_log"]:
        net = (each["right"] - each["wrong"]) / each["labels"]
        lines.append(
            row(each["asked"], f"{each['labels']:,}", f"{each['right']:+,}", f"{each['wrong']:+,}", f"{net:.2f}")
        )
    return "\n".join(lines)


def session(results: Results) -> str:
    """When and with what it was measured."""
    return f"{results['draws']} draws; {session_line(results)}"


TABLES: dict[str, Callable[[Results], str]] = {
    "gains": gains,
    **{f"{100 * share:g} percent": partial(by_crowd, share=share) for share in SHARES},
    "curve": curve,
    "asking": asking,
    "species log": species_log,
    "session": session,
}
"""Each part of docs/experts.md that is made from the results."""
