"""Comparison of strategies on experts' labels that an estimate may hold fixed: nothing is judged on what it was given.

The expert observations are dealt into folds. A strategy that takes experts' labels is fitted once for each fold, with
the labels of the other folds, and its labels of that fold are judged; and once without any. So every expert observation
is judged once with and once without, and all differences are between labels of the same observations.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ai_votes import AiVotes
from ..arrays import Flags, Floats, Indices, Weights
from ..arrow import table_of_rows, to_arrow
from ..blocks import count
from ..errors import AggregateWarning, ParameterError, VotesError
from ..evidence import Evidence
from ..html_blocks import as_html
from ..measures import bootstrap
from ..progress import SILENT, Progress
from ..reprs import short_repr
from ..schema import EXPERT_COMPARISON, arrow_schema
from ..side_inputs import SideInputs
from ..strategies.auto import Auto
from ..strategies.base import Strategy
from ..trace import Trace
from ..truth import Truth, check_labels, codes_among, known_rows
from ..votes import Votes
from .comparison import Compared, Comparison, Judge, load_kernels, timed_fit, unused_by
from .evaluation import RESAMPLES, Estimate, Matched, Overlap, evaluate_matched, resamples_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

N_FOLDS = 5
FEWEST_TO_SHARE = 2  # expert observations of which some can be given to a fit, and others be judged
NO_AUTHORS = "no vote is known to be its observation's author"  # how a warning of PlantNet begins
SIGNIFICANT = 0.05  # largest p-value of a sign test that tells two apart


@dataclass(frozen=True, eq=False)
class Judged:
    """A strategy, without experts' labels or with those of the other folds, beside the labels of experts."""

    strategy: str
    with_experts: bool
    matched: Matched
    names: "pa.Array"
    """Label names of the codes in ``matched``."""
    overlap: Overlap
    seconds: float | None = None
    """Of a fit, in the mean; None, as the two that follow, for labels found elsewhere."""
    iterations: int | None = None
    """The most of all fits."""
    converged: bool | None = None
    """Whether all fits did."""

    __repr__ = short_repr

    @property
    def title(self) -> str:
        """What it is called in tables and charts."""
        return f"{self.strategy} with experts" if self.with_experts else self.strategy

    @property
    def right_and_valid(self) -> Flags:
        """bool[n]; all False where it is not known what is valid."""
        right, valid = self.matched.right, self.matched.valid
        return np.zeros_like(right) if valid is None else right & valid


@dataclass(frozen=True)
class Difference:
    """How often one is right less how often another is, on the same observations."""

    estimate: Estimate
    """The difference and its 95 % interval, of resamples that are the same for both."""
    first_alone: int
    """Observations on which only the one is right."""
    second_alone: int
    """Observations on which only the other is right."""

    __repr__ = short_repr

    def __neg__(self) -> "Difference":
        """The other less the one."""
        of_one = self.estimate
        estimate = Estimate(0.0 - of_one.value, 0.0 - of_one.high, 0.0 - of_one.low)
        return Difference(estimate, self.second_alone, self.first_alone)

    @property
    def is_certain(self) -> bool:
        """Whether the observations tell both apart: the interval excludes 0, and a sign test has p <= 0.05.

        The test keeps intervals of few observations on which both differ, which are too narrow, from deciding.
        """
        return self.excludes_0 and self.p_value <= SIGNIFICANT

    @property
    def excludes_0(self) -> bool:
        """Whether 0 is outside the interval."""
        return self.estimate.low > 0 or self.estimate.high < 0

    @property
    def p_value(self) -> float:
        """Of an exact sign test: an observation on which one alone is right is as likely to be either's."""
        from scipy.stats import binomtest

        n = self.first_alone + self.second_alone
        return float(binomtest(self.first_alone, n).pvalue) if n else 1.0


@dataclass(frozen=True)
class Standing:
    """A strategy, without experts' labels or with, among all that are compared."""

    judged: Judged
    right: Estimate
    """Share of the expert observations whose label it has."""
    behind: Difference
    """The best's right labels less these."""
    gain: Difference | None
    """These less those of the same strategy without experts' labels; None if it is that one."""
    accuracy: Estimate | None
    """Share of the expert observations that are valid and right; None where it is not known what is valid."""
    accuracy_gain: Difference | None
    """The gain of these; None where ``gain`` is."""

    __repr__ = short_repr


@dataclass(frozen=True)
class ExpertComparison:
    """Strategies without experts' labels and with, judged on labels that no fit had."""

    standings: Sequence[Standing]
    """All that are compared, by the share of right labels, the best first; equals as they were given."""
    observations: int
    """Number of expert observations that users voted on."""
    folds: int
    """Number of folds that they were dealt into; 0 for a single one, which cannot be given and judged."""
    resamples: int
    """Number of resamples of the observations that intervals come from, fewer if they are many; 0 without intervals."""
    seed: int
    """Seed of folds and resamples."""
    auto: str = ""
    """The strategy that ``auto`` takes for these votes, and why."""

    @property
    def best(self) -> Standing:
        """The one that is right most often."""
        return self.standings[0]

    @property
    def runner_up(self) -> Standing | None:
        """The next that is another strategy, None if there is none."""
        return next((each for each in self.standings if each.judged.strategy != self.best.judged.strategy), None)

    @cached_property
    def comparison(self) -> Comparison:
        """All measures of each, in the order of ``standings``."""
        compared = []
        for judged in (standing.judged for standing in self.standings):
            matched = judged.matched, judged.names, judged.overlap
            evaluation = evaluate_matched(*matched, resamples=self.resamples, seed=self.seed)
            facts = judged.seconds, judged.iterations, judged.converged
            compared.append(Compared(judged.strategy, evaluation, *facts, judged.with_experts))
        return Comparison(tuple(compared), self.auto)

    def to_arrow(self) -> "pa.Table":
        """A row for each strategy without and with experts' labels, and set of expert observations, the best first.

        Table EXPERT_COMPARISON of ``schema``. Measures that are undefined or not known, and intervals without
        resamples, are null.
        """
        rows = self.comparison.rows()
        n_sets = len(rows) // len(self.standings)
        return table_of_rows(
            [
                {**row, **_columns(self.standings[place // n_sets], of_all=place % n_sets == 0)}
                for place, row in enumerate(rows)
            ],
            arrow_schema(EXPERT_COMPARISON),
        )

    def to_pandas(self) -> "pd.DataFrame":
        """The rows of :meth:`to_arrow` as a data frame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        best = f"the best {self.best.judged.title}: {100 * self.best.right.value:.1f} % right"
        return f"ExpertComparison({count(self.observations, 'expert label')} in {count(self.folds, 'fold')}, {best})"

    def _repr_html_(self) -> str:
        from .report.expert_comparison import expert_comparison_blocks

        return as_html(expert_comparison_blocks(self))


def _columns(standing: Standing, *, of_all: bool) -> dict[str, bool | float | None]:
    """The columns that a comparison without experts does not have; differences are ``of_all`` observations alone."""
    found: dict[str, bool | float | None] = {"with_experts": standing.judged.with_experts, "worse_than_best": None}
    differences = {"behind_best": standing.behind, "gain": standing.gain, "accuracy_gain": standing.accuracy_gain}
    for name, difference in differences.items():
        for end, column in (("value", name), ("low", f"{name}_low"), ("high", f"{name}_high")):
            value = None if difference is None or not of_all else getattr(difference.estimate, end)
            found[column] = None if value is None or np.isnan(value) else value
    if found["behind_best_low"] is not None:
        found["worse_than_best"] = standing.behind.is_certain
    return found


def compare_with_experts(
    votes: Votes,
    experts: Truth,
    strategies: Mapping[str, Strategy],
    labels: Mapping[str, Evidence] = MappingProxyType({}),
    ai_votes: AiVotes | None = None,
    *,
    folds: int = N_FOLDS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress = SILENT,
) -> ExpertComparison:
    """Fit each of the named ``strategies`` without and with experts' labels, and judge it on labels held out.

    The expert observations that users voted on are dealt into ``folds`` at random, by ``seed``, which draws the
    resamples, too. ``labels`` found elsewhere stand beside them. Raises VotesError if no expert observation was voted
    on, or is among labels, and ParameterError for invalid numbers or if there is nothing to compare.
    """
    if not strategies and not labels:
        raise ParameterError("there is nothing to compare", remedy="give strategies or labels")
    if folds < FEWEST_TO_SHARE or min(seed, resamples) < 0:
        given = f"folds is {folds}, resamples {resamples}, seed {seed}"
        raise ParameterError(f"{given}, but must be at least {FEWEST_TO_SHARE}, 0 and 0")
    experts = unused_by(labels, experts)
    known = known_rows(experts, votes, "the votes")
    if known.rows.size == 0:
        fault = f"none of its {len(experts):,} observations is in the votes"
        raise VotesError(fault, where=experts.origin, remedy="see that both use the same ids")
    check_labels(known.truth, votes.label_names, "the votes")
    ids = votes.observation_ids.take(to_arrow(known.rows))
    held_out = HeldOut(votes, known.rows, Truth(ids, known.labels, experts.origin), folds, seed)
    judge = Judge(votes, known, held_out.experts, resamples, seed)
    inputs = SideInputs(ai_votes=ai_votes)
    judged = []
    for name, strategy in strategies.items():
        takes_experts = held_out.n_folds > 0 and "experts" in strategy.takes
        progress.phase(f"load {name}")
        load_kernels(strategy, votes, replace(inputs, experts=held_out.experts) if takes_experts else inputs)
        progress.phase(f"fit {name}")
        fit = Fit.of(strategy, votes, inputs, known.rows)
        judged.append(Judged(name, False, *judge.matched(fit.labels), **_facts([fit])))
        if takes_experts:
            progress.phase(f"fit {name} with experts", held_out.n_folds, "folds")
            fits = list(held_out.fits(strategy, inputs, progress))
            judged.append(Judged(name, True, *judge.matched(held_out.joined(fits)), **_facts(fits)))
    for name, evidence in labels.items():
        judged.append(Judged(name, False, *judge.matched(judge.found(name, evidence))))
    progress.phase("compare")
    sizes = known.rows.size, held_out.n_folds
    auto = Auto().taken(votes, inputs).in_words
    return ExpertComparison(_standings(judged, resamples, seed), *sizes, resamples, seed, auto)


@dataclass(frozen=True, eq=False)
class Fit:
    """The labels that a fit has on some observations, and what it took."""

    labels: Evidence
    seconds: float
    trace: Trace

    @classmethod
    def of(cls, strategy: Strategy, votes: Votes, inputs: SideInputs, rows: Indices) -> "Fit":
        """Fit a strategy, and keep its labels of the observations in ``rows`` int64[n]."""
        consensus, seconds = timed_fit(strategy, votes, inputs)
        return cls(Evidence.of(consensus, rows), seconds, consensus.trace)


def _facts(fits: Sequence[Fit]) -> dict[str, Any]:
    return {
        "seconds": float(np.mean([fit.seconds for fit in fits])),
        "iterations": max(len(fit.trace.iterations) for fit in fits),
        "converged": all(fit.trace.converged for fit in fits),
    }


class HeldOut:
    """Expert observations in folds: each fold's labels are found by a fit that has those of the other folds.

    ``experts`` are on ``rows`` int64[n] of the ``votes``, ascending, so that the folds depend on no order.
    """

    def __init__(self, votes: Votes, rows: Indices, experts: Truth, folds: int, seed: int) -> None:
        n = len(experts)
        self._votes = votes
        self._rows = rows
        self.experts = experts
        self.n_folds = min(folds, n) if n >= FEWEST_TO_SHARE else 0
        self._fold = np.random.default_rng(seed).permutation(n) % max(self.n_folds, 1)

    def fits(self, strategy: Strategy, inputs: SideInputs, progress: Progress) -> Iterator[Fit]:
        """A fit for each fold, which has the labels of the others, and of whose labels those of the fold are kept."""
        for fold in range(self.n_folds):
            is_held_out = self._fold == fold
            others = self.experts.at(np.flatnonzero(~is_held_out))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", NO_AUTHORS, AggregateWarning)  # the fit without has warned
                fit = Fit.of(strategy, self._votes, replace(inputs, experts=others), self._rows[is_held_out])
            yield fit
            progress.advance()

    def joined(self, fits: Sequence[Fit]) -> Evidence:
        """The labels of all folds, in the order of ``rows``; one that neither votes nor experts name counts as none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        voted = self._votes.label_names
        names = pc.unique(pa.concat_arrays([voted, self.experts.labels.cast(voted.type)]))
        n = self._rows.size
        labels, confidence, valid = np.empty(n, np.int32), np.empty(n), np.empty(n, np.bool_)
        for fold, fit in enumerate(fits):
            there, found = self._fold == fold, fit.labels
            labels[there] = np.append(codes_among(names, found.label_names), np.int32(-1))[found.labels]
            confidence[there] = found.confidence
            valid[there] = found.valid
        return Evidence(self.experts.observation_ids, names, labels, confidence, valid)


def _standings(judged: Sequence[Judged], resamples: int, seed: int) -> tuple[Standing, ...]:
    right = np.array([each.matched.right for each in judged])
    kept = np.array([each.right_and_valid for each in judged])
    order = np.argsort(-right.sum(axis=1), kind="stable")
    without = {each.strategy: place for place, each in enumerate(judged) if not each.with_experts}
    pairs = np.array([without[each.strategy] for each in judged])
    found = zip(
        order.tolist(),
        *_intervals(right[order], right[order[0]], resamples, seed),
        *_intervals(right[order], right[pairs[order]], resamples, seed)[1:],
        *_intervals(kept[order], kept[pairs[order]], resamples, seed),
        strict=True,
    )
    standings = []
    for place, share, behind, gain, accuracy, accuracy_gain in found:
        gains = (gain, accuracy_gain) if judged[place].with_experts else (None, None)
        known = None if judged[place].matched.valid is None else accuracy
        standings.append(Standing(judged[place], share, -behind, gains[0], known, gains[1]))
    return tuple(standings)


def _intervals(first: Flags, second: Flags, resamples: int, seed: int) -> tuple[list[Estimate], list[Difference]]:
    """Shares of ``first`` bool[m, n], and what they are more than those of ``second`` bool[m, n] or bool[n].

    The same seed draws the same resamples of the n observations for all of them.
    """
    m, n = first.shape
    values = np.concatenate([first, first.astype(np.float64) - second]).T

    def means(counts: Weights) -> Floats:
        found: Floats = counts @ values / n
        return found

    lowest = np.repeat([0.0, -1.0], m)
    ends = bootstrap(means, n, resamples_of(n, resamples), seed, (lowest, np.ones_like(lowest)))
    estimates = [Estimate(*numbers) for numbers in zip(*(end.tolist() for end in ends), strict=True)]
    alone = (first & ~second).sum(axis=1).tolist(), (second & ~first).sum(axis=1).tolist()
    return estimates[:m], [Difference(*found) for found in zip(estimates[m:], *alone, strict=True)]
