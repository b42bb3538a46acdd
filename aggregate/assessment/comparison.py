"""Comparison of strategies on the same votes, against the same expert labels."""

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ai_votes import AI_MODES, AiVotes
from ..arrays import Counts
from ..arrow import table_of_rows, to_arrow
from ..blocks import count
from ..consensus import Consensus
from ..errors import AggregateWarning, ParameterError, StrategyError, VotesError, warn
from ..evidence import Evidence
from ..html_blocks import as_html
from ..progress import SILENT, Progress
from ..reprs import short_repr
from ..schema import MEASURES, arrow_schema
from ..side_inputs import SideInputs
from ..strategies.auto import Auto
from ..strategies.base import Strategy, fit_strategy
from ..strategies.plantnet.strategy import PlantNet
from ..truth import KnownRows, Truth, check_labels, known_rows
from ..votes import Votes
from .evaluation import ONLY_OTHERS, RESAMPLES, UNKNOWN, Evaluation, Matched, Overlap, evaluate_matched, match
from .unused import unused

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


IN_SHORT = ("accuracy", "accuracy_of_labels")  # measures by one of which the best is named


@dataclass(frozen=True)
class Compared:
    """The evaluation of one strategy, and its time; or of labels that were found elsewhere."""

    strategy: str
    evaluation: Evaluation
    # Seconds of the fit, with kernels compiled and loaded, and disputed observations found before; None of labels.
    seconds: float | None = None
    iterations: int | None = None
    converged: bool | None = None
    with_experts: bool = False  # whether the estimate had experts' labels, those of other observations

    __repr__ = short_repr

    @property
    def title(self) -> str:
        """What it is called in tables and charts."""
        return f"{self.strategy} with experts" if self.with_experts else self.strategy


@dataclass(frozen=True)
class Comparison:
    """The evaluations of several strategies, in the order they were given."""

    compared: Sequence[Compared]
    """The evaluation of each strategy, and its time."""
    auto: str = ""
    """The strategy that ``auto`` takes for these votes, and why."""

    def to_arrow(self) -> "pa.Table":
        """A row for each strategy and set of expert observations: table COMPARISON of ``schema``.

        Measures that are undefined or not known, and intervals without resamples, are null.
        """
        from ..schema import COMPARISON

        return table_of_rows(self.rows(), arrow_schema(COMPARISON))

    def rows(self) -> list[dict[str, Any]]:
        """The rows of :meth:`to_arrow` by columns, those of each strategy next to each other."""
        return [
            {
                "strategy": each.strategy,
                "subset": group.name,
                "observations": group.observations,
                "seconds": each.seconds,
                "iterations": each.iterations,
                "converged": each.converged,
                **{
                    column: None if math.isnan(value := getattr(group.measures.get(name, UNKNOWN), end)) else value
                    for name in (measure.name for measure in MEASURES if not measure.optional)
                    for end, column in (("value", name), ("low", f"{name}_low"), ("high", f"{name}_high"))
                },
            }
            for each in self.compared
            for group in each.evaluation.subsets
        ]

    def to_pandas(self) -> "pd.DataFrame":
        """The rows of :meth:`to_arrow` as a data frame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        found = {each.title: each.evaluation.subsets[0].measures for each in self.compared}
        name = next((name for name in IN_SHORT if all(name in measures for measures in found.values())), "")
        best = max(found, key=lambda strategy: found[strategy][name].value)
        in_words = f"{name} {100 * found[best][name].value:.1f} %"
        in_all = "1 strategy" if len(found) == 1 else f"{len(found)} strategies"
        return f"Comparison({in_all}, the most accurate {best}: {in_words})"

    def _repr_html_(self) -> str:
        from .report.comparison import comparison_blocks

        return as_html(comparison_blocks(self, subsets=1))


def compare(
    votes: Votes,
    truth: Truth,
    strategies: Mapping[str, Strategy],
    labels: Mapping[str, Evidence] = MappingProxyType({}),
    ai_votes: AiVotes | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Comparison:
    """Fit each of the named ``strategies`` and evaluate it against experts; beside them ``labels`` found elsewhere.

    All are compared with the same observations, those that users voted on, and grouped by the users' votes; so the
    intervals of all come from the same resamples. An observation that labels lack counts as not right. ``ai_votes`` go
    to the strategies that take them. Raises VotesError if no expert observation was voted on, or is among labels, and
    ParameterError if there is nothing to compare.
    """
    if not strategies and not labels:
        raise ParameterError("there is nothing to compare", remedy="give strategies or labels")
    truth = unused_by(labels, truth)
    known = known_rows(truth, votes, "the votes")
    check_labels(known.truth, votes.label_names, "the votes")
    judge = Judge(votes, known, truth if ai_votes is None else known.truth, resamples, seed)
    given = SideInputs(ai_votes=ai_votes)
    compared = []
    for name, strategy in strategies.items():
        progress.phase(f"load {name}")
        load_kernels(strategy, votes, given)
        progress.phase(f"fit {name}")
        consensus, seconds = timed_fit(strategy, votes, given)
        progress.phase(f"evaluate {name}")
        trace = consensus.trace
        compared.append(
            Compared(name, judge.evaluation(*judge.matched(consensus)), seconds, len(trace.iterations), trace.converged)
        )
    for name, evidence in labels.items():
        progress.phase(f"evaluate {name}")
        compared.append(Compared(name, judge.evaluation(*judge.matched(judge.found(name, evidence)))))
    return Comparison(tuple(compared), Auto().taken(votes, given).in_words)


def unused_by(labels: Mapping[str, Evidence], truth: Truth) -> Truth:
    """The expert labels that none of the ``labels`` found elsewhere has used. Warns of those that are left out.

    Raises VotesError if none is left.
    """
    others, n_used = unused(truth, *labels.values())
    if n_used:
        names = ", ".join(name for name, evidence in labels.items() if unused(truth, evidence).n_used)
        if len(others) == 0:
            fault = f"the estimate of {names} has used the labels of all its {count(n_used, 'observation')}"
            raise VotesError(fault, where=truth.origin, remedy=ONLY_OTHERS)
        warn(f"{count(n_used, 'expert observation')} left out, as the estimate of {names} has used their labels")
    return others


class Judge:
    """The expert observations that users voted on, on which all labels are evaluated alike.

    ``known`` are their rows of the ``votes``; ``experts`` the labels that a consensus on the votes is matched with.
    """

    def __init__(self, votes: Votes, known: KnownRows, experts: Truth, resamples: int, seed: int) -> None:
        self._known = known
        self._experts = experts
        self._ids = votes.observation_ids.take(to_arrow(known.rows))
        self._n_votes = np.diff(votes.offsets)[known.rows].astype(np.int32)
        self._n_labels = label_counts(votes)[known.rows]
        self._resamples = resamples
        self._seed = seed

    def matched(self, labels: Consensus | Evidence) -> "tuple[Matched, pa.Array, Overlap]":
        """Labels beside those of the experts, grouped by the users' votes. Raises VotesError."""
        matched, names, overlap = match(labels, self._experts)
        return replace(matched, n_votes=self._n_votes, n_labels=self._n_labels), names, overlap

    def evaluation(self, matched: Matched, names: "pa.Array", overlap: Overlap) -> Evaluation:
        """The evaluation of labels that :meth:`matched` has beside those of the experts."""
        return evaluate_matched(matched, names, overlap, resamples=self._resamples, seed=self._seed)

    def found(self, name: str, evidence: Evidence) -> Evidence:
        """Labels that were found elsewhere on these observations. Raises VotesError if they have none of them."""
        place = f"the labels {name!r}"
        of_experts = known_rows(self._known.truth, evidence, place)
        if of_experts.rows.size == 0:
            fault = f"none of its {len(self._ids):,} observations with votes is in {place}"
            raise VotesError(fault, where=self._experts.origin, remedy="see that both use the same ids")
        check_labels(of_experts.truth, evidence.label_names, place)
        return evidence.on(self._ids)


def timed_fit(strategy: Strategy, votes: Votes, given: SideInputs) -> tuple[Consensus, float]:
    """The consensus of a strategy with those of the inputs that it takes, and the seconds it took."""
    started = time.perf_counter()
    consensus = fit_strategy(strategy, votes, given.only(strategy.takes), progress=SILENT)
    return consensus, time.perf_counter() - started


def load_kernels(strategy: Strategy, votes: Votes, given: SideInputs) -> None:
    """Fit a strategy to a few votes, whose ids and labels have the types of ``votes``: it needs the same kernels.

    Some observations are disputed, some the AI disagrees on, one has the AI's vote alone, and experts know one.
    """

    def numbered(n: int, like: "pa.Array") -> "pa.Array":
        return to_arrow(np.arange(1, n + 1)).cast(like.type)

    toy = Votes(
        offsets=np.array([0, 3, 4, 6]),
        users=np.array([0, 1, 2, 0, 1, 2], np.int32),
        labels=np.array([0, 0, 1, 0, 1, 1], np.int32),
        is_author=np.array([True, False, False, True, True, False]),
        observation_ids=numbered(3, votes.observation_ids),
        user_ids=numbered(3, votes.user_ids),
        label_names=numbered(2, votes.label_names),
    )
    labels = np.array([1, 0, 0, 0], np.int32)
    all_inputs = SideInputs(
        ai_votes=AiVotes(numbered(4, votes.observation_ids), labels, np.full(4, 0.9), toy.label_names),
        experts=Truth(toy.observation_ids[:1], toy.label_names[1:]),
    )
    taken = strategy.taken(votes, given).strategy if isinstance(strategy, Auto) else strategy
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ai_weight is", AggregateWarning)  # the actual fit warns again
        with suppress(StrategyError):  # one of another package may need more votes
            timed_fit(taken, toy, all_inputs.only(given.names))


def ai_variants(thresholds: Sequence[float]) -> dict[str, PlantNet]:
    """The Pl@ntNet EM in each AI mode, confident at each of the thresholds, by a name that says so."""
    modes = {f"plantnet, AI {mode}": PlantNet(ai_mode=mode) for mode in AI_MODES if mode != "confident"}
    sure = {f"plantnet, AI from {t:g}": PlantNet(ai_mode="confident", ai_threshold=t) for t in thresholds}
    return {**modes, **sure}


def label_counts(votes: Votes) -> Counts:
    """Distinct labels voted on each observation: int32[n_observations]."""
    n_labels = np.ones(votes.n_observations, np.int32)
    n_labels[votes.disputes.observations] = np.diff(votes.disputes.candidates.offsets)
    return n_labels
