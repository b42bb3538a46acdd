"""Prediction sets of MAPIE, crepes and puncc, of probabilities that a classifier has given: bool[n, K] each.

``calibration`` float[m, K] with the true labels ``truth`` int[m], ``new`` float[n, K]. Each is imported by the function
that needs it.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Sets = NDArray[np.bool_]


class Given:
    """A fitted classifier of K classes whose features are the probabilities."""

    def __init__(self, n_labels: int) -> None:
        self.classes_ = np.arange(n_labels)

    def fit(self, features: Matrix, labels: Labels) -> "Given":
        """Nothing to learn."""
        return self

    def predict_proba(self, features: Matrix) -> Matrix:
        """The features."""
        return features

    def predict(self, features: Matrix) -> Labels:
        """The likeliest."""
        return features.argmax(axis=1)


class GivenScores(Given):
    """The same for puncc, where ``predict`` gives the probabilities."""

    predict = Given.predict_proba


@dataclass(frozen=True)
class FromMapie:
    """Sets, and what they were made with."""

    sets: Sets
    threshold: float  # of nonconformity
    score: Any


def mapie(
    calibration: Matrix,
    truth: Labels,
    new: Matrix,
    confidence: float,
    score: str = "lac",
    last: bool | Literal["randomized"] = True,
    seed: int = 0,
) -> FromMapie:
    """By ``SplitConformalClassifier``. ``last``: its ``include_last_label``, of aps and raps."""
    from mapie.classification import SplitConformalClassifier
    from mapie.conformity_scores import APSConformityScore, LACConformityScore, RAPSConformityScore

    used = {"lac": LACConformityScore, "aps": APSConformityScore, "raps": RAPSConformityScore}[score]()
    given: dict[str, Any] = {"conformity_score": used, "random_state": seed, "prefit": True}
    model = SplitConformalClassifier(Given(new.shape[1]), confidence, **given)
    model.conformalize(calibration, truth)
    sets = model.predict_set(new, {"include_last_label": last})[1][:, :, 0]
    return FromMapie(sets, float(used.quantiles_[0]), used)


def mapie_sets(calibration: Matrix, truth: Labels, new: Matrix, confidence: float, score: str = "lac") -> Sets:
    """The sets alone."""
    return mapie(calibration, truth, new, confidence, score).sets


def _crepes(calibration: Matrix, truth: Labels, of_each_label: bool) -> Any:
    from crepes import WrapClassifier

    model = WrapClassifier(Given(calibration.shape[1]))
    model.calibrate(calibration, truth, class_cond=of_each_label)
    return model


def crepes_p_values(calibration: Matrix, truth: Labels, new: Matrix, *, of_each_label: bool = False) -> Matrix:
    """The p-values that its sets are made of, without smoothing."""
    return _crepes(calibration, truth, of_each_label).predict_p(new, smoothing=False)


def crepes_sets(
    calibration: Matrix, truth: Labels, new: Matrix, confidence: float, *, of_each_label: bool = False
) -> Sets:
    """By ``WrapClassifier`` without smoothing; ``of_each_label``: its ``class_cond``."""
    model = _crepes(calibration, truth, of_each_label)
    return model.predict_set(new, labels=False, confidence=confidence, smoothing=False).astype(bool)


@dataclass(frozen=True)
class FromPuncc:
    """Sets, and the threshold of nonconformity that they were made with, one a label for ``ClasswiseLAC``."""

    sets: Sets
    threshold: Matrix


def puncc(
    calibration: Matrix, truth: Labels, new: Matrix, alpha: float, method: str = "LAC", **options: Any
) -> FromPuncc:
    """By one of the classes of ``deel.puncc.classification``; draws are those of ``numpy.random``."""
    from deel.puncc import classification

    model = getattr(classification, method)(GivenScores(new.shape[1]), train=False, **options)
    model.fit(X_calib=calibration, y_calib=truth)
    sets = np.zeros(new.shape, np.bool_)
    for listed, labels in zip(sets, model.predict(new, alpha=alpha)[1], strict=True):
        listed[np.asarray(labels, np.int64)] = True
    return FromPuncc(sets, model.calibrator.compute_quantile(alpha=alpha))


def puncc_sets(calibration: Matrix, truth: Labels, new: Matrix, alpha: float, method: str = "LAC") -> Sets:
    """The sets alone."""
    return puncc(calibration, truth, new, alpha, method).sets
