"""A classifier's probabilities on labels with a long tail."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from plant_aggregate.assessment.conformal.comparison import SetComparison, Split, compare_methods
from plant_aggregate.assessment.conformal.evaluation import SetEvaluation, evaluate_predictor
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.labelled import LabelledScores
from plant_aggregate.assessment.conformal.methods import Method
from plant_aggregate.assessment.conformal.predictor import SetPredictor, calibration_of, fit_predictor
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.classifier_scores import ClassifierScores

N, K = 3000, 40


def label_space() -> LabelSpace:
    """K labels of which label k has about 1000 / (k + 1) training observations; the rarest ten are at risk."""
    shares = 1 / np.arange(1, K + 1)
    at_risk = np.arange(K) >= K - 10
    weights = np.where(at_risk, 10.0, 1.0)
    names = pa.array([f"sp{k:02}" for k in range(K)])
    return LabelSpace(names, Prior(np.round(1000 * shares)), weights / weights.sum(), at_risk)


def labelled_scores(seed: int = 0) -> LabelledScores:
    """N observations drawn by the prior, with the probabilities of a classifier that knows it."""
    random = np.random.default_rng(seed)
    prior = 1 / np.arange(1, K + 1)
    truth = random.choice(K, N, p=prior / prior.sum()).astype(np.int32)
    logits = random.normal(size=(N, K)) + np.log(prior)
    logits[np.arange(N), truth] += 2.5
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return LabelledScores(ClassifierScores.of_matrix(probabilities), truth)


def halves(n: int = 1) -> list[Split]:
    """Splits into halves; the second has the halves of the first exchanged."""
    rows, even = labelled_scores(), np.arange(N) % 2 == 0
    return [Split(label_space(), rows.only(half), rows.only(~half)) for half in (even, ~even)[:n]]


def compared(methods: Sequence[str], alphas: Sequence[str], n_splits: int = 1, resamples: int = 0) -> SetComparison:
    named = {name: Method.of(name) for name in methods}
    return compare_methods(named, halves(n_splits), alphas, resamples=resamples)


def fitted(method: str, alphas: Sequence[str]) -> SetPredictor:
    chosen, (split,) = Method.of(method), halves()
    rows = split.calibration
    return fit_predictor(chosen.score, chosen.rule, calibration_of(chosen.score, split.space, *_of(rows)), alphas)


def evaluated(alphas: Sequence[str], method: str = "softmax", resamples: int = 0) -> SetEvaluation:
    (split,) = halves()
    return evaluate_predictor(fitted(method, alphas), *_of(split.evaluation), resamples=resamples)


def _of(rows: LabelledScores) -> tuple[ClassifierScores, np.ndarray]:
    return rows.scores, rows.truth
