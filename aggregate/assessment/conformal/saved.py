"""Saved set predictors: a small JSON, in which thresholds that many labels share are written once."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from ...arrays import Flags, Floats, Indices, Integers
from ...errors import ParameterError, quoted
from ...parameters import declared
from ...registry import Registry, is_path
from ..calibration.saved import Header
from .label_space import LabelSpace
from .order import Alpha
from .predictor import SetPredictor
from .priors import Prior
from .registry import RULES, SCORES
from .thresholds.base import RankedRows, Thresholds

EACH_LABEL = "each label"  # in place of groups: each label has a group of its own
HEADER = Header("prediction sets", 1, "a model of prediction sets", "conformal fit")


def predictor_to_json(predictor: SetPredictor) -> str:
    """The contents of the saved file: a line for each part. Raises ParameterError if an option cannot be saved."""
    space, prior = predictor.space, predictor.space.prior
    parts: dict[str, Any] = {
        "format": HEADER.format,
        "score": _made(predictor.score, SCORES, space),
        "threshold": _made(predictor.rule, RULES, space),
        "guarantee": predictor.guarantee or None,
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
    if len(names.unique()) < n:
        raise ValueError("a label is there twice")
    if not saved["thresholds"]:
        raise ValueError("it has no level")
    counts = None if prior is None else Prior(_long(prior["counts"], n), float(prior["at_least"]))
    weights = None if saved["weights"] is None else _long(saved["weights"], n)
    at_risk: Flags | None = None
    if saved["at_risk"] is not None:
        at_risk = np.zeros(n, np.bool_)
        at_risk[_places(saved["at_risk"])] = True
    score = _restored(saved["score"], SCORES, "score", "on")
    rule = _restored(saved["threshold"], RULES, "threshold rule", "fit")
    thresholds = {
        Alpha.of(alpha): Thresholds(
            _number(found["shared"]),
            None if found["of_labels"] is None else _long(found["of_labels"], n),
            bool(found["strict"]),
            _ranked_rows(found["ranked"], n),
        )
        for alpha, found in saved["thresholds"].items()
    }
    return SetPredictor(score, rule, LabelSpace(names, counts, weights, at_risk), thresholds, saved["fitted_on"])


def _made(made: Any, registry: Registry[Any], space: LabelSpace) -> dict[str, Any]:
    """A score or a rule: its name, or that of its class where it is not registered, and its options."""
    kind = type(made)
    name = made.name if made.name in registry and registry[made.name] is kind else f"{kind.__module__}:{kind.__name__}"
    saved = {"name": name, "options": {name: getattr(made, name) for name in declared(made)}}
    by_label = {item.name: getattr(made, item.name) for item in fields(made) if item.name not in declared(made)}
    by_label = {name: _by_label(made, name, given, space) for name, given in by_label.items() if _is_mapping(given)}
    return {**saved, "by_label": by_label} if by_label else saved


def _is_mapping(given: Any) -> bool:
    return isinstance(given, Mapping)


def _by_label(made: Any, option: str, given: Mapping[Any, Any], space: LabelSpace) -> dict[str, Any]:
    """What is given for each label, such as its cluster: the labels of the space that have it, and what that is."""
    labels = [name for name in space.names.to_pylist() if name in given]
    values = [given[name] for name in labels]
    for label, value in zip(labels, values, strict=True):
        if not isinstance(value, str | int | float | None):
            what = f"{option} of {made.name} cannot be saved: that of {quoted(label)} is a {type(value).__name__}"
            raise ParameterError(what, remedy="write texts or numbers")
    return {"labels": labels, "values": values}


def _restored(saved: Mapping[str, Any], registry: Registry[Any], noun: str, method: str) -> Any:
    """A score or a rule with its options. Raises ValueError if there is none of its name.

    No module of another package is imported for its name alone: a file of data should not run code.
    """
    name = str(saved["name"])
    module = name.partition(":")[0]
    is_own = module.startswith(f"{__name__.partition('.')[0]}.")
    if name not in registry or (is_path(name) and not is_own and module not in sys.modules):
        raise ValueError(f"there is no {noun} {quoted(name)} here" + f": import {module} before" * is_path(name))
    kind = registry[name]
    if not isinstance(kind, type) or not hasattr(kind, method) or not hasattr(kind, "slack"):
        raise ValueError(f"{quoted(name)} is no {noun}")
    by_label = {
        option: dict(zip(given["labels"], given["values"], strict=True))
        for option, given in saved.get("by_label", {}).items()
    }
    return kind(**saved["options"], **by_label)


def _thresholds(found: Thresholds) -> dict[str, Any]:
    of_labels = None if found.of_labels is None else _short(found.of_labels)
    kept = {"shared": _text(found.shared), "of_labels": of_labels, "strict": found.strict}
    return {**kept, "ranked": None if found.ranked is None else _ranked(found.ranked)}


def _ranked(ranked: RankedRows) -> dict[str, Any]:
    """Groups of calibration rows: their sizes, and the group of each label, if it is not simply the label's own."""
    groups = ranked.groups
    if groups is not None and np.array_equal(groups, np.arange(ranked.rows.size)):
        return {"rows": _short(ranked.rows), "groups": EACH_LABEL}
    return {"rows": _short(ranked.rows), "groups": None if groups is None else _short(groups)}


def _ranked_rows(saved: Mapping[str, Any] | None, n_labels: int) -> RankedRows | None:
    if saved is None:
        return None
    groups = saved["groups"]
    rows = _long(saved["rows"], n_labels if groups == EACH_LABEL else len(saved["rows"]["which"])).astype(np.int64)
    if groups is None:
        return RankedRows(rows)
    of_labels = np.arange(n_labels) if groups == EACH_LABEL else _long(groups, n_labels)
    if rows.min(initial=0) < 0 or of_labels.max(initial=-1) >= rows.size:
        raise ValueError("a group of calibration rows is none")
    return RankedRows(rows, of_labels.astype(np.int32))


def _short(values: Floats | Integers) -> dict[str, Any]:
    """Numbers as the distinct ones, and which of these each is."""
    distinct, places = np.unique(values, return_inverse=True)
    return {"values": [_text(value) for value in distinct.tolist()], "which": places.reshape(-1).tolist()}


def _long(saved: Mapping[str, Any], n: int) -> Floats:
    """The numbers of :func:`_short`. Raises ValueError if there are not ``n``."""
    which = _places(saved["which"])
    if which.shape != (n,):
        raise ValueError(f"{which.size:,} numbers for {n:,} labels")
    return np.array([_number(value) for value in saved["values"]], np.float64)[which]


def _places(saved: Sequence[int]) -> Indices:
    places = np.array(saved, np.int64)
    if places.min(initial=0) < 0:
        raise ValueError("a place is negative")
    return places


def _text(value: float) -> float | str:
    """A number; JSON has no infinite ones."""
    return value if math.isfinite(value) else str(value)


def _number(value: float | str) -> float:
    number = float(value)
    if math.isnan(number):
        raise ValueError("a number is NaN")
    return number
