"""What ``strategies.py`` has measured, as Markdown tables."""

from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

GIB = 2**30
OURS, KIT = "plant-aggregate", "crowd-kit"
COMPARED = ("majority", "wawa", "zero-based-skill", "dawid-skene", "one-coin", "glad", "mace")
OTHERS = ("kinds", "plantnet", "iwmv", "wds", "auto")
"""Ours that have no twin in crowd-kit. (two-thirds and naive-soft have the labels of majority.)"""
REGRETTED = ("auto", "kinds", "dawid-skene")
"""Ours whose regret is shown on each crowd."""
CONVERGED = "dawid-skene to the end"
"""crowd-kit's, made to take its 100 iterations: left alone it often stops after two."""

Results = dict[str, Any]
NOTHING = "(not measured)"


def accuracies(results: Results, contender: str) -> dict[str, dict[str, float]]:
    """Accuracy in percent by strategy, then crowd."""
    found: dict[str, dict[str, float]] = {}
    for fit in results.get("crowds", {}).get("measured", []):
        if fit["contender"] == contender:
            found.setdefault(fit["strategy"], {})[fit["crowd"]] = 100 * fit["accuracy"]
    return found


def crowds(results: Results) -> str:
    """The crowds, by name."""
    lines = table("crowd", "observations", "with truth", "users", "labels", "votes")
    seen = {fit["crowd"]: fit for fit in results["crowds"]["measured"]}
    for name, fit in seen.items():
        figures = (f"{fit[key]:,}" for key in ("observations", "gold", "users", "labels", "votes"))
        lines.append(row(name, *figures))
    return "\n".join(lines)


def accuracy(results: Results) -> str:
    """Ours / crowd-kit's accuracy of each strategy on each crowd; what is worse by over half a point is bold."""
    ours, kits = accuracies(results, OURS), accuracies(results, KIT)
    lines = table("crowd", *(f"`{name}`" for name in COMPARED), f"crowd-kit's {CONVERGED}")
    alone = kits.get(CONVERGED, {})
    for crowd in ours[COMPARED[0]]:
        cells = (pair(ours[name][crowd], kits.get(name, {}).get(crowd)) for name in COMPARED)
        lines.append(row(crowd, *cells, f"{alone[crowd]:.1f}" if alone else ""))
    means = (pair(mean(ours[name]), mean(kits[name]) if kits else None) for name in COMPARED)
    lines.append(row("mean", *means, f"{mean(alone):.1f}" if alone else ""))
    return "\n".join(lines)


def best(results: Results) -> str:
    """The best strategy of each on each crowd, and our strategies that crowd-kit does not have."""
    ours, kits = accuracies(results, OURS), accuracies(results, KIT)
    kits = {name: found for name, found in kits.items() if name != CONVERGED}
    lines = table("crowd", "best of ours", "best of crowd-kit's", *(f"`{name}`" for name in OTHERS))
    for crowd in ours[COMPARED[0]]:
        cells = [f"{found[crowd]:.1f} `{name}`" for name, found in (top(ours, crowd), top(kits, crowd)) if found]
        cells += [""] * (2 - len(cells))
        lines.append(row(crowd, *cells, *(f"{ours[name][crowd]:.1f}" for name in OTHERS)))
    each = [
        mean({crowd: top(of, crowd)[1][crowd] for crowd in ours[COMPARED[0]]}) if of else None for of in (ours, kits)
    ]
    bests = ["" if value is None else f"{value:.1f}" for value in each]
    lines.append(row("mean", *bests, *(f"{mean(ours[name]):.1f}" for name in OTHERS)))
    return "\n".join(lines)


def gain(results: Results) -> str:
    """What dawid-skene adds to majority."""
    lines = table("mean gain of `dawid-skene` over `majority`", "points")
    for contender, name in ((OURS, "dawid-skene"), (KIT, "dawid-skene"), (KIT, CONVERGED)):
        found = accuracies(results, contender)
        if name in found:
            lines.append(row(f"{contender}, {name}", f"{mean(found[name]) - mean(found['majority']):+.2f}"))
    return "\n".join(lines)


def regrets(accuracy: dict[str, float], best: dict[str, float]) -> dict[str, float]:
    """By how much the best of crowd-kit's strategies on each crowd is more accurate: points by crowd."""
    return {crowd: best[crowd] - accuracy[crowd] for crowd in best}


def best_of_kits(results: Results) -> dict[str, float]:
    """The accuracy of crowd-kit's best strategy on each crowd, chosen with the truth in hand, in percent."""
    kits = accuracies(results, KIT)
    return {crowd: max(kits[name][crowd] for name in COMPARED) for crowd in kits[COMPARED[0]]}


def before(results: Results) -> dict[str, dict[str, float]]:
    """Accuracy in percent of our strategies in an earlier version, by strategy, then crowd."""
    return {
        name: {crowd: 100 * share for crowd, share in found.items()}
        for name, found in results.get("crowds before", {}).get("accuracy", {}).items()
    }


def regret(results: Results) -> str:
    """Mean and largest regret of every strategy, ours by the mean, and of each of crowd-kit's."""
    if not accuracies(results, KIT):
        return NOTHING
    best, earlier = best_of_kits(results), before(results)
    lines = table("strategy", "mean regret", "largest", "on", "mean before", "largest before")
    for contender in (OURS, KIT):
        found = accuracies(results, contender)
        rows = {name: regrets(found[name], best) for name in found if name != CONVERGED}
        for name, of_crowds in sorted(rows.items(), key=lambda item: mean(item[1])):
            worst = max(of_crowds, key=lambda crowd: of_crowds[crowd])
            owner = f"`{name}`" if contender == OURS else f"crowd-kit's {name}"
            cells = ["", ""]
            if contender == OURS and name in earlier:
                then = regrets(earlier[name], best)
                cells = [f"{mean(then):+.2f}", f"{max(then.values()):+.1f}"]
            lines.append(row(owner, f"{mean(of_crowds):+.2f}", f"{of_crowds[worst]:+.1f}", worst, *cells))
    return "\n".join(lines)


def regret_by_crowd(results: Results) -> str:
    """Regret of the strategies that ``auto`` chooses from on each crowd, and of dawid-skene before."""
    if not accuracies(results, KIT):
        return NOTHING
    best, ours, earlier = best_of_kits(results), accuracies(results, OURS), before(results)
    taken = {
        fit["crowd"]: fit["fitted"]
        for fit in results["crowds"]["measured"]
        if fit["contender"] == OURS and fit["strategy"] == "auto"
    }
    shown = [name for name in REGRETTED if name in ours]
    lines = table("crowd", "best of crowd-kit's", *(f"`{name}`" for name in shown), "`dawid-skene` before")
    found = {name: regrets(ours[name], best) for name in shown}
    then = regrets(earlier["dawid-skene"], best) if earlier else {}
    for crowd, accuracy in best.items():
        cells = [f"{found[name][crowd]:+.1f}" for name in shown]
        cells[0] += f" `{taken[crowd]}`"
        lines.append(row(crowd, f"{accuracy:.1f}", *cells, f"{then[crowd]:+.1f}" if then else ""))
    means = (f"{mean(found[name]):+.2f}" for name in shown)
    lines.append(row("mean", f"{mean(best):.1f}", *means, f"{mean(then):+.2f}" if then else ""))
    largest = (f"{max(found[name].values()):+.1f}" for name in shown)
    lines.append(row("largest", "", *largest, f"{max(then.values()):+.1f}" if then else ""))
    return "\n".join(lines)


def seconds(results: Results) -> str:
    """Milliseconds of our fit on each crowd, and how many times as long crowd-kit takes, if measured with it."""
    found: dict[tuple[str, str, str], float] = {}
    for fit in results["crowds"]["measured"]:
        if "kept_from" not in fit:
            found[fit["contender"], fit["strategy"], fit["crowd"]] = fit["seconds"]
    end = (CONVERGED,) if any(name == CONVERGED for _, name, _ in found) else ()
    shown = (*COMPARED, *end, "kinds")
    lines = table("crowd", *(f"`{name}`" for name in shown))
    for crowd in accuracies(results, OURS)[COMPARED[0]]:
        cells = []
        for name in shown:
            ours = found[OURS, "dawid-skene" if name == CONVERGED else name, crowd]
            kits = found.get((KIT, name, crowd))
            times = "" if kits is None else f", × {kits / ours:,.3g}" if kits < 10 * ours else f", × {kits / ours:,.0f}"
            cells.append(f"{1000 * ours:{'.2g' if ours < 0.01 else '.0f'}}{times}")
        lines.append(row(crowd, *cells))
    return "\n".join(lines)


def priors(results: Results) -> str:
    """Mean accuracy under each value of a parameter, and the largest loss against crowd-kit on one crowd."""
    kits = accuracies(results, KIT)
    found: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for fit in results["priors"]["measured"]:
        strategy, _, given = fit["strategy"].partition(":")
        parameter, value = given.split("=")
        by_crowd = found.setdefault((strategy, parameter), {}).setdefault(value, {})
        by_crowd[fit["crowd"]] = 100 * fit["accuracy"]
    lines = ["| strategy | parameter | value: mean accuracy (largest loss) |", "|---|---|---|"]
    for (strategy, parameter), values in found.items():
        cells = []
        for value, by_crowd in values.items():
            losses = [kits[strategy][crowd] - ours for crowd, ours in by_crowd.items()] if strategy in kits else []
            largest = f" ({max(*losses, 0.0):.1f})" if losses else ""
            cells.append(f"{value}: {mean(by_crowd):.2f}{largest}")
        lines.append(f"| `{strategy}` | `{parameter}` | {' · '.join(cells)} |")
    return "\n".join(lines)


def scales(results: Results) -> str:
    """Seconds of fit and peak memory on simulated logs of species."""
    return at_scale(results["scales"]["measured"])


def two_labels(results: Results) -> str:
    """Seconds of fit and peak memory on simulated crowds that answer yes or no."""
    return at_scale(results["two-labels"]["measured"])


def at_scale(measured: list[dict[str, Any]]) -> str:
    """A table for each log."""
    lines = []
    for log in dict.fromkeys(fit["log"] for fit in measured):
        on_log = [fit for fit in measured if fit["log"] == log]
        if lines:
            lines.append("")
        lines += [f"{log}: {on_log[0]['votes']:,} votes", ""]
        lines += table("strategy", "iterations", "seconds of fit", "peak GiB")
        for fit in on_log:
            peak = fit["peak_memory"] / GIB
            lines.append(row(f"`{fit['strategy']}`", str(fit["iterations"]), f"{fit['seconds']:.1f}", f"{peak:.2f}"))
    return "\n".join(lines)


def session(part: str) -> Callable[[Results], str]:
    """When, where and with what a part was measured."""
    return lambda results: session_line(results[part])


def session_line(here: Results) -> str:
    """The same, of results that have one part."""
    versions = ", ".join(f"{package} {number}" for package, number in here["versions"].items())
    machine = here["machine"]
    return (
        f"{here['date']}; {machine['cores']} cores, {machine['processor']}, {machine['memory_gib']} GiB, "
        f"load {machine['load_at_start']} before; {versions}"
    )


TABLES: dict[str, Callable[[Results], str]] = {
    "crowds": crowds,
    "crowds accuracy": accuracy,
    "crowds gain": gain,
    "crowds best": best,
    "crowds regret": regret,
    "crowds regret by crowd": regret_by_crowd,
    "crowds seconds": seconds,
    "crowds session": session("crowds"),
    "priors": priors,
    "priors session": session("priors"),
    "scales": scales,
    "scales session": session("scales"),
    "two-labels": two_labels,
    "two-labels session": session("two-labels"),
}
"""Each part of docs/strategies.md that is made from the results; its first word is the part of them it needs."""


def rendered(name: str, results: Results) -> str:
    """A table, or a note where its part has not been measured."""
    return TABLES[name](results) if name.split()[0] in results else NOTHING


def table(first: str, *others: str) -> list[str]:
    """The head of a table whose first column is text."""
    return [row(first, *others), "|---|" + "--:|" * len(others)]


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def pair(ours: float, kits: float | None) -> str:
    """Both accuracies; bold where ours is worse by more than half a point."""
    if kits is None:
        return f"{ours:.1f}"
    cell = f"{ours:.1f} / {kits:.1f}"
    return f"**{cell}**" if ours < kits - 0.5 else cell


def top(found: dict[str, dict[str, float]], crowd: str) -> tuple[str, dict[str, float]]:
    """The strategy that is most often right on a crowd; the first of equals."""
    return max(found.items(), key=lambda item: item[1][crowd]) if found else ("", {})


def mean(values: dict[str, float] | Iterable[float]) -> float:
    """Their mean."""
    return fmean(values.values() if isinstance(values, dict) else values)
