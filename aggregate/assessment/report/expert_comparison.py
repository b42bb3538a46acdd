"""A comparison on experts' labels that were held out, as blocks."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...blocks import Block, Interval, Label, Table, count, shown

if TYPE_CHECKING:
    from ..evaluation import Estimate
    from ..expert_comparison import Difference, ExpertComparison, Standing

SHARE, BEHIND, GAIN = "z.1f %", "z.1f", "+z.1f"  # z: what rounds to 0 has no minus


def expert_comparison_blocks(found: "ExpertComparison") -> list[Block]:
    """All that are compared, the best first; which is best, and whether experts' labels help."""
    with_gain = any(each.gain is not None for each in found.standings)
    gains = ("gain by experts",) if with_gain else ()
    table = Table(
        header=("", "labels right", "behind the best", *gains, "valid and right", *gains, "fit"),
        rows=[
            [
                Label(each.judged.title),
                _percent(each.right),
                None if each is found.best else _percent(each.behind.estimate),
                *([_gain(each.gain)] if with_gain else []),
                None if each.accuracy is None else _percent(each.accuracy),
                *([_gain(each.accuracy_gain)] if with_gain else []),
                each.judged.seconds,
            ]
            for each in found.standings
        ],
        formats=("", SHARE, BEHIND, GAIN, SHARE, GAIN, ".2f s") if with_gain else ("", SHARE, BEHIND, SHARE, ".2f s"),
        intervals="95 % intervals, of the same resamples of the observations",
        least=(6, 4) if with_gain else (4, 3),
    )
    return [Block(_title(found), [table]), Block(content=list(_conclusions(found))), Block(content=list(_notes(found)))]


def _gain(difference: "Difference | None") -> Interval | None:
    return None if difference is None else _percent(difference.estimate)


def _title(found: "ExpertComparison") -> str:
    labels = count(found.observations, "expert label")
    if not found.folds:
        return f"{labels}: too few to be given to a fit, and to be judged by"
    return f"{labels} in {count(found.folds, 'fold')}: each judged by fits that did not have it"


def _conclusions(found: "ExpertComparison") -> Iterator[str]:
    best, second = found.best, found.runner_up
    yield f"best: {best.judged.title}, {_in_words(best.right)} % of the labels right"
    if second is not None:
        yield f"  {_ahead(best, second)}"
        too = [
            each.judged.title
            for each in found.standings
            if each not in (best, second)
            and not each.behind.is_certain
            and each.judged.strategy != best.judged.strategy
        ]
        if too and not second.behind.is_certain:
            yield f"  nor from {', '.join(too)}"
    gains = [each for each in found.standings if each.gain is not None]
    if gains:
        of_best = [each for each in gains if each.judged.strategy == best.judged.strategy]
        yield from _help(*(of_best or gains)[:1])


def _ahead(best: "Standing", second: "Standing") -> str:
    """The difference to the next strategy, and what it is worth."""
    difference = f"{_points(second.behind)}{_sign_test(second.behind)}"
    if second.behind.is_certain:
        return f"ahead of {second.judged.title} by {difference}: more than chance"
    return f"ahead of {second.judged.title} by {difference}: these labels cannot tell the two apart"


def _help(each: "Standing") -> Iterator[str]:
    """Whether experts' labels help a strategy, and whether more labels are valid and right, if that is certain."""
    assert each.gain is not None
    assert each.accuracy_gain is not None
    name, points = each.judged.strategy, _points(each.gain, GAIN)
    if each.gain.is_certain:
        yield f"experts' labels {'help' if each.gain.estimate.value > 0 else 'harm'} {name}: {points}"
    else:
        yield f"it is not certain whether experts' labels help {name}: {points}{_sign_test(each.gain)}"
    if each.accuracy_gain.is_certain:
        more = "more" if each.accuracy_gain.estimate.value > 0 else "fewer"
        yield f"  with them {more} labels are valid and right: {_points(each.accuracy_gain, GAIN)}"


def _sign_test(difference: "Difference") -> str:
    """Why a difference is not certain although its interval excludes 0; else nothing."""
    if difference.is_certain or not difference.excludes_0:
        return ""
    return f", but p = {difference.p_value:.3f} in a sign test"


def _points(difference: "Difference", form: str = BEHIND) -> str:
    return f"{_in_words(difference.estimate, form)} points"


def _in_words(estimate: "Estimate", form: str = BEHIND) -> str:
    return shown(_percent(estimate), form)


def _percent(estimate: "Estimate") -> Interval:
    return Interval(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)


def _notes(found: "ExpertComparison") -> Iterator[str]:
    if not any(each.judged.with_experts for each in found.standings) and found.folds:
        yield "none of these strategies takes experts' labels"
    if math.isnan(found.best.right.low):
        yield "without resamples there are no intervals, and no difference is certain"
    compared = [each.judged for each in found.standings]
    unfinished = [each.title for each in compared if each.converged is False]
    if unfinished:
        yield f"did not converge: {', '.join(unfinished)}"
    for each in compared:
        if each.overlap.without_label and each.seconds is None:
            lacks = f"{each.overlap.without_label:,} of the expert observations"
            yield f"{each.strategy} has no label for {lacks}: they count as wrong"
    if any(each.seconds is not None for each in compared):
        yield f"auto takes {found.auto}"
    yield "labels right: of all, valid or not; behind, gain: in points"
    yield "fit: without reading the votes and compiling kernels; with experts the mean of the folds"
