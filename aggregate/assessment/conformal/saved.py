"""Saved set predictors: a small JSON, in which thresholds that many labels share are written once."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from ...arrays import Flags, Floats
from ...parameters import declared
from ...registry import Registry
from ..calibration.saved import Header
from .label_space import LabelSpace
from .order import Alpha
from .predictor import SetPredictor
from .priors import Prior
from .registry import RULES, SCORES
from .thresholds.base import Thresholds

HEADER = Header("prediction sets", 1, "a model of prediction sets", "conformal fit")


def predictor_to_json(predictor: SetPredictor) -> str:
    """The contents of the saved file: a line for each part."""
    space, prior = predictor.space, predictor.space.prior
    parts: dict[str, Any] = {
        "format": HEADER.format,
        "score": _made(predictor.score, SCORES),
        "threshold": _made(predictor.rule, RULES),
        "fitted_on": dict(predictor.fitted_on),
        "thresholds": {str(alpha): _thresholds(found) for alpha, found in predictor.thresholds.items()},
        "label_type": str(space.names.type),
        "labels": space.names.to_pylist(),
        "prior": None if prior is None else {"at_least": prior.at_least, "counts": _short(prior.counts)},
        "weights": None if space.weights is None else _short(space.weights),
        "at_risk": None if space.at_risk is None else np.flatnonzero(space.at_risk).tolist(),
    }
    lines = (f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}" for name, part in parts.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def predictor_from_json(text: str, origin: str) -> SetPredictor:
    """A saved predictor; ``origin`` names it in messages. Raises VotesError."""
    return HEADER.read(text, origin, _predictor)


def _predictor(saved: Mapping[str, Any]) -> SetPredictor:
    names = pa.array(saved["labels"], pa.type_for_alias(saved["label_type"]))
    n, prior = len(names), saved["prior"]
    counts = None if prior is None else Prior(_long(prior["counts"], n), float(prior["at_least"]))
    weights = None if saved["weights"] is None else _long(saved["weights"], n)
    at_risk: Flags | None = None
    if saved["at_risk"] is not None:
        at_risk = np.zeros(n, np.bool_)
        at_risk[np.array(saved["at_risk"], np.int64)] = True
    score = SCORES[saved["score"]["name"]](**saved["score"]["options"])
    rule = RULES[saved["threshold"]["name"]](**saved["threshold"]["options"])
    thresholds = {
        Alpha.of(alpha): Thresholds(
            _number(found["shared"]),
            None if found["of_labels"] is None else _long(found["of_labels"], n),
            bool(found["strict"]),
        )
        for alpha, found in saved["thresholds"].items()
    }
    return SetPredictor(score, rule, LabelSpace(names, counts, weights, at_risk), thresholds, saved["fitted_on"])


def _made(made: Any, registry: Registry[Any]) -> dict[str, Any]:
    """A score or a rule: its name, or that of its class where it is not registered, and its options."""
    kind = type(made)
    name = made.name if made.name in registry and registry[made.name] is kind else f"{kind.__module__}:{kind.__name__}"
    return {"name": name, "options": {name: getattr(made, name) for name in declared(made)}}


def _thresholds(found: Thresholds) -> dict[str, Any]:
    of_labels = None if found.of_labels is None else _short(found.of_labels)
    return {"shared": _text(found.shared), "of_labels": of_labels, "strict": found.strict}


def _short(values: Floats) -> dict[str, Any]:
    """Numbers as the distinct ones, and which of these each is."""
    distinct, places = np.unique(values, return_inverse=True)
    return {"values": [_text(value) for value in distinct.tolist()], "which": places.reshape(-1).tolist()}


def _long(saved: Mapping[str, Any], n: int) -> Floats:
    """The numbers of :func:`_short`. Raises ValueError if there are not ``n``."""
    which = np.array(saved["which"], np.int64)
    if which.shape != (n,):
        raise ValueError(f"{which.size:,} numbers for {n:,} labels")
    return np.array([_number(value) for value in saved["values"]], np.float64)[which]


def _text(value: float) -> float | str:
    """A number; JSON has no infinite ones."""
    return value if math.isfinite(value) else str(value)


def _number(value: float | str) -> float:
    number = float(value)
    if math.isnan(number):
        raise ValueError("a number is NaN")
    return number
