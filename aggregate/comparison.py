"""Strategies side by side on the same votes, encoded once, held against the same experts."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .evaluation import RESAMPLES, Evaluation, evaluate
from .progress import SILENT, Progress
from .schema import MEASURES, arrow_schema
from .strategies.base import Strategy
from .truth import Truth
from .votes import Votes

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Compared:
    """What came of one strategy."""

    strategy: str
    evaluation: Evaluation
    seconds: float
    """That fitting took."""
    iterations: int
    converged: bool


@dataclass(frozen=True)
class Comparison:
    """What came of several strategies, in the order they were given."""

    compared: Sequence[Compared]

    def to_arrow(self) -> "pa.Table":
        """A row for each strategy and set of expert observations: table COMPARISON of ``aggregate.schema``.

        A measure of nothing, and an interval without resamples, is null.
        """
        import pyarrow as pa

        from .schema import COMPARISON

        rows = [
            {
                "strategy": each.strategy,
                "subset": group.name,
                "observations": group.observations,
                "seconds": each.seconds,
                "iterations": each.iterations,
                "converged": each.converged,
                **{
                    column: _null_if_nan(getattr(group.measures[name], end))
                    for name in _measured()
                    for end, column in (("value", name), ("low", f"{name}_low"), ("high", f"{name}_high"))
                },
            }
            for each in self.compared
            for group in each.evaluation.subsets
        ]
        return pa.Table.from_pylist(rows, schema=arrow_schema(COMPARISON))

    def to_pandas(self) -> "pd.DataFrame":
        """The same as a data frame."""
        return self.to_arrow().to_pandas()


def compare(
    votes: Votes,
    truth: Truth,
    strategies: Mapping[str, Strategy],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Comparison:
    """Fit each of the named ``strategies`` and hold it against experts.

    The intervals of all come from the same resamples, so that strategies can be compared by them. Raises VotesError
    if no expert observation was voted on.
    """
    compared = []
    for name, strategy in strategies.items():
        progress.phase(f"fit {name}")
        started = time.perf_counter()
        consensus = strategy.fit(votes)
        seconds = time.perf_counter() - started
        progress.phase(f"evaluate {name}")
        evaluation = evaluate(consensus, truth, resamples=resamples, seed=seed)
        trace = consensus.trace
        compared.append(Compared(name, evaluation, seconds, len(trace.iterations), trace.converged))
    return Comparison(tuple(compared))


def _null_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value


def _measured() -> list[str]:
    """The measures that every consensus has."""
    return [column.name for column in MEASURES if not column.optional]
