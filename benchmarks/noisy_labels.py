"""What calibration labels that may be wrong do to prediction sets, and what helps: a table for docs/conformal.md.

    python -m benchmarks.noisy_labels --seeds 20

Each seed is a simulation of 67,000 observations with votes and score lists, whose truth is known. 500 of them have
experts' labels, from which the probability that a label is right is calibrated, as a run has it. Half of the others
give calibration rows with the labels of the run, the other half is predicted, and evaluated by the truth. Replaces
docs/measured/noisy_labels.md, and prints it.
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import plant_aggregate
from plant_aggregate.arrays import Flags, Floats, LabelCodes
from plant_aggregate.assessment.conformal.order import Alpha, threshold_at
from plant_aggregate.assessment.conformal.priors import Prior

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "measured" / "noisy_labels.md"
SCALE = 0.01
EXPERTS = 500
LEVELS = (("softmax", "0.1"), ("softmax", "0.05"), ("pas", "0.1"))
UNUSABLE = 100.0  # mean size from which some seeds had the whole label space as sets


@dataclass(frozen=True)
class Labels:
    """What a run says of all observations."""

    labels: LabelCodes
    valid: Flags
    probability: Floats


@dataclass(frozen=True)
class Simulated:
    """A simulation, with the label space in which labels are coded."""

    truth: LabelCodes
    n_labels: int
    offsets: np.ndarray
    items: LabelCodes  # label of each item of the lists
    probabilities: Floats
    prior: Floats
    experts: np.ndarray  # positions of the observations with experts' labels
    calibrates: Flags
    votes_only: Labels
    with_ai: Labels  # the AI, whose lists these are, votes in the run, too

    @classmethod
    def of(cls, seed: int) -> "Simulated":
        """The simulation of a seed, and its runs."""
        tables = plant_aggregate.simulate(SCALE, seed=seed, scores=True, ai=True).tables
        truth, counts = tables.truth["label"].combine_chunks(), tables.training_counts
        names = pc.unique(pa.concat_arrays([truth, counts["label"].combine_chunks()]))
        names = names.take(pc.sort_indices(names))

        def codes(labels: Any) -> LabelCodes:
            labels = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
            found: LabelCodes = np.asarray(pc.index_in(labels.cast(pa.string()), value_set=names), np.int32)
            return found

        rng = np.random.default_rng(seed)
        experts = np.sort(rng.choice(len(truth), EXPERTS, replace=False))
        known = plant_aggregate.truth_from_table(tables.truth.take(pa.array(experts)))
        votes = plant_aggregate.votes_from_table(tables.votes)
        ai_votes = plant_aggregate.ai_votes_from_table(tables.ai_votes)

        def run(**options: Any) -> Labels:
            given = {"ai_votes": ai_votes} if options else {}
            consensus = plant_aggregate.PlantNet(**options).fit(votes, **given)
            table = plant_aggregate.calibrate(consensus, known).add_to(consensus.to_arrow())
            assert table["observation_id"].to_pylist() == tables.truth["observation_id"].to_pylist()
            return Labels(codes(table["label"]), np.asarray(table["valid"]), np.asarray(table["probability"]))

        calibrates = rng.random(len(truth)) < 0.5
        calibrates[experts] = False
        lists = tables.scores["labels"].combine_chunks(), tables.scores["probabilities"].combine_chunks()
        images = np.zeros(len(names))
        images[codes(counts["label"])] = counts["count"].to_numpy()
        return cls(
            codes(truth),
            len(names),
            lists[0].offsets.to_numpy(),
            codes(lists[0].flatten()),
            lists[1].flatten().to_numpy().astype(np.float64),
            Prior(images).shares,
            experts,
            calibrates,
            run(),
            run(ai_mode="fixed"),
        )

    @cached_property
    def rows(self) -> np.ndarray:
        """The observation of each item."""
        return np.repeat(np.arange(self.truth.size), np.diff(self.offsets))

    def scores(self, name: str) -> Floats:
        """The conformity score of each item."""
        return self.probabilities if name == "softmax" else self.probabilities / self.prior[self.items]

    def of_labels(self, values: Floats, labels: LabelCodes) -> Floats:
        """The value of the item that has a label, of each observation; 0 where there is none."""
        found = np.zeros(labels.size)
        has = self.items == labels[self.rows]
        found[self.rows[has]] = values[has]
        return found


@dataclass(frozen=True)
class Case:
    """A simulation, a score and a level: thresholds are found by several ways of using labels."""

    made: Simulated
    items: Floats
    alpha: Alpha

    def quantile(self, run: Labels, chosen: Flags | None = None, weights: Floats | None = None) -> float:
        """The threshold of calibration rows with the labels of a run, all or the ``chosen``, weighted or not."""
        rows = self.made.calibrates if chosen is None else self.made.calibrates & chosen
        scores = self.made.of_labels(self.items, run.labels)[rows]
        return threshold_at(scores, self.alpha, None if weights is None else weights[rows])

    def of_truth(self, chosen: Flags | None = None) -> float:
        """The threshold of calibration rows with true labels."""
        everything = np.ones(self.made.truth.size, np.bool_)
        return self.quantile(Labels(self.made.truth, everything, everything.astype(np.float64)), chosen)

    def of_experts(self) -> float:
        """The threshold of the experts' observations alone."""
        scores = self.made.of_labels(self.items, self.made.truth)[self.made.experts]
        return threshold_at(scores, self.alpha)

    def mixture(self, run: Labels) -> float:
        """Scores of labels are a mixture of those of right labels and of wrong ones; the wrong ones are subtracted.

        The share of wrong labels is 1 less the mean probability, their distribution that of the experts' observations
        with wrong labels.
        """
        scores = self.made.of_labels(self.items, run.labels)
        wrong = self.made.experts[run.labels[self.made.experts] != self.made.truth[self.made.experts]]
        share = 1 - run.probability[self.made.calibrates].mean()
        ordered = np.sort(scores[self.made.calibrates])
        of_wrong = np.searchsorted(np.sort(scores[wrong]), ordered) / max(wrong.size, 1)
        below = (np.arange(ordered.size) / ordered.size - share * of_wrong) / (1 - share)
        reached = np.flatnonzero(np.maximum.accumulate(below) <= float(self.alpha))
        return float(ordered[reached[-1]])

    def imputed(self, run: Labels, right: Floats) -> float:
        """Each row is spread over its label, with the probability ``right``, and the other listed ones, by theirs."""
        made, n = self.made, self.made.truth.size
        given = made.of_labels(made.probabilities, run.labels)
        others = made.calibrates[made.rows] & (made.items != run.labels[made.rows])
        share = ((1 - right) / np.maximum(1 - given, np.bincount(made.rows, made.probabilities, n) - given))[made.rows]
        spread = (share * made.probabilities)[others]
        scores = [made.of_labels(self.items, run.labels)[made.calibrates], self.items[others], np.zeros(1)]
        unlisted = max((1 - right[made.calibrates]).sum() - spread.sum(), 0.0)
        weights = [right[made.calibrates], spread, np.full(1, unlisted)]
        scores_, weights_ = np.concatenate(scores), np.concatenate(weights)
        order = np.argsort(scores_, kind="stable")
        below = np.cumsum(weights_[order]) - weights_[order]
        allowed = below <= float(self.alpha) * (made.calibrates.sum() + 1) - 1
        return float(scores_[order][allowed].max())

    def learnt(self, run: Labels) -> Floats:
        """P(label is right) from the run's probability and the classifier's, fitted to experts' labels (logistic)."""
        odds = np.log(run.probability / (1 - run.probability))
        given = np.log(np.maximum(self.made.of_labels(self.made.probabilities, run.labels), 5e-4))
        design = np.column_stack([np.ones(odds.size), odds, given])
        right = (run.labels == self.made.truth)[self.made.experts]
        seen, coefficients = design[self.made.experts], np.zeros(3)
        for _ in range(50):
            fitted = 1 / (1 + np.exp(-seen @ coefficients))
            curvature = (seen.T * (fitted * (1 - fitted))) @ seen + 1e-3 * np.eye(3)
            coefficients += np.linalg.solve(curvature, seen.T @ (right - fitted) - 1e-3 * coefficients)
        return 1 / (1 + np.exp(-design @ coefficients))

    def product(self, run: Labels) -> Floats:
        """The same as if the votes and the classifier were independent: the odds of both multiplied."""
        given = np.clip(self.made.of_labels(self.made.probabilities, run.labels), 1e-6, 1 - 1e-6)
        odds = run.probability / (1 - run.probability) * given / (1 - given)
        return odds / (1 + odds)


WAYS: dict[str, Callable[[Case], float]] = {
    "true labels, all observations": lambda c: c.of_truth(),
    "true labels, of valid observations": lambda c: c.of_truth(c.made.votes_only.valid),
    "true labels, of the 500 experts' observations": lambda c: c.of_experts(),
    "run, all labels": lambda c: c.quantile(c.made.votes_only),
    "run, valid labels": lambda c: c.quantile(c.made.votes_only, c.made.votes_only.valid),
    **{
        f"run, valid, probability at least {least}": lambda c, least=least: c.quantile(
            c.made.votes_only, c.made.votes_only.valid & (c.made.votes_only.probability >= least)
        )
        for least in (0.8, 0.9, 0.95)
    },
    "run, valid, weighted": lambda c: c.quantile(
        c.made.votes_only, c.made.votes_only.valid, c.made.votes_only.probability
    ),
    "run, all, weighted": lambda c: c.quantile(c.made.votes_only, None, c.made.votes_only.probability),
    "run, all, wrong ones subtracted": lambda c: c.mixture(c.made.votes_only),
    "run, all, spread over the list": lambda c: c.imputed(c.made.votes_only, c.made.votes_only.probability),
    "run, all, weighted by votes times classifier": lambda c: c.quantile(
        c.made.votes_only, None, c.product(c.made.votes_only)
    ),
    "run, all, weighted by a fit to votes and classifier": lambda c: c.quantile(
        c.made.votes_only, None, c.learnt(c.made.votes_only)
    ),
    "run with the AI, all labels": lambda c: c.quantile(c.made.with_ai),
    "run with the AI, valid labels": lambda c: c.quantile(c.made.with_ai, c.made.with_ai.valid),
    "run with the AI, valid, weighted": lambda c: c.quantile(
        c.made.with_ai, c.made.with_ai.valid, c.made.with_ai.probability
    ),
    "run with the AI, all, weighted": lambda c: c.quantile(c.made.with_ai, None, c.made.with_ai.probability),
}
"""How calibration rows get labels -> the threshold."""


def measured(seed: int) -> Iterator[tuple[tuple[str, str, str], list[float]]]:
    """Score, level and way -> coverage, macro coverage and mean size of the observations that are predicted."""
    made = Simulated.of(seed)
    tested = ~made.calibrates
    tested[made.experts] = False
    of_label = np.bincount(made.truth[tested], minlength=made.n_labels)
    for score, alpha in LEVELS:
        items = made.scores(score)
        true = made.of_labels(items, made.truth)
        for way, threshold_of in WAYS.items():
            threshold = threshold_of(Case(made, items, Alpha.of(alpha)))
            covered = (true >= threshold) if threshold > 0 else np.ones(true.size, np.bool_)
            sizes = np.bincount(made.rows, items >= threshold, true.size)
            size = float(sizes[tested].mean()) if threshold > 0 else float(made.n_labels)
            hits = np.bincount(made.truth[tested], covered[tested], made.n_labels)
            macro = float((hits[of_label > 0] / of_label[of_label > 0]).mean())
            yield (score, alpha, way), [float(covered[tested].mean()), macro, size]


def table(found: dict[tuple[str, str, str], np.ndarray]) -> str:
    """A row for each way, with a cell for each score and level."""
    columns = [f"`{score}`, alpha {alpha}" for score, alpha in LEVELS]
    lines = [f"| calibration labels | {' | '.join(columns)} |", "|---" * (1 + len(LEVELS)) + "|"]
    for way in WAYS:
        cells = [_cell(found[score, alpha, way]) for score, alpha in LEVELS]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(seeds: np.ndarray) -> str:
    whole = np.count_nonzero(seeds[:, 2] > UNUSABLE)
    if whole:
        return "all labels" if whole == len(seeds) else f"all labels for {whole} of {len(seeds)} seeds"
    coverage, macro, size = seeds.mean(axis=0)
    return f"{coverage:.3f} ± {seeds[:, 0].std(ddof=1):.3f}, {macro:.2f}, {size:.2f}"


def main() -> None:
    """Parse, simulate, measure, print."""
    parser = argparse.ArgumentParser(description="Prediction sets that are calibrated on labels of a run.")
    parser.add_argument("--seeds", type=int, default=20)
    warnings.simplefilter("ignore", plant_aggregate.AggregateWarning)
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    for seed in range(parser.parse_args().seeds):
        for key, numbers in measured(seed):
            found.setdefault(key, []).append(numbers)
        print(f"seed {seed}", file=sys.stderr)
    text = table({key: np.array(numbers) for key, numbers in found.items()})
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
