"""The golden cases of prediction sets, as the engine takes them."""

import json
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.registry import RULES, SCORES
from plant_aggregate.assessment.conformal.sets import PredictionSets
from plant_aggregate.assessment.conformal.thresholds.label_weighted import LabelWeighted
from plant_aggregate.classifier_scores import ClassifierScores
from tests.paths import ROOT

GOLDEN = json.loads((ROOT / "tests" / "golden" / "conformal.json").read_text())
CASES: list[dict[str, Any]] = GOLDEN["cases"]
AUX: dict[str, Any] = GOLDEN["aux"]


class Rows(NamedTuple):
    """Rows of a case, integer coded."""

    scores: ClassifierScores
    truth: np.ndarray
    draws: np.ndarray | None


def rows_of(case: dict[str, Any], part: str) -> Rows:
    """The rows of ``calibration`` or ``predict``."""
    code = {name: k for k, name in enumerate(case["labels"])}
    rows = case[part]
    lengths = [len(row["scores"]) for row in rows]
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    labels = np.array([code[name] for row in rows for name in row["scores"]], np.int32)
    probabilities = np.array([p for row in rows for p in row["scores"].values()], np.float64)
    draws = np.array([row["u"] for row in rows]) if "u" in rows[0] else None
    return Rows(
        ClassifierScores(offsets, labels, probabilities), np.array([code[r["truth"]] for r in rows], np.int32), draws
    )


def space_of(case: dict[str, Any]) -> LabelSpace:
    """The labels of a case, with prior and weights."""
    names, params = case["labels"], case["params"]
    prior = None
    if "prior_counts" in case:
        counts = np.array([case["prior_counts"][name] for name in names], np.float64)
        prior = Prior(counts, float(params.get("prior_at_least", 0)))
    weights = None
    if "omega" in params:
        weights = np.array([float(params["omega"][name]) for name in names])
    if "at_risk" in params:
        gamma = float(params["gamma"])
        weights = np.array([gamma if name in params["at_risk"] else 1.0 for name in names])
        weights /= weights.sum()
    return LabelSpace(pa.array(names), prior, weights)


def score_of(case: dict[str, Any]) -> Any:
    """The score of a case; the options of those that have some are in ``params``."""
    params, options = case["params"], {}
    if case["score"] in ("aps", "raps"):
        options["own_mass"] = {"1": "inclusive", "0": "exclusive"}.get(str(params.get("u")), "random")
    if case["score"] == "raps":
        options |= {"penalty": float(params["lambda"]), "k_reg": params["k_reg"]}
    return SCORES[case["score"]](**options)


def rule_of(case: dict[str, Any]) -> Any:
    """The threshold rule of a case."""
    name, params = case["threshold"].replace("_", "-"), case["params"]
    if name == "label-weighted":
        return LabelWeighted(np.array([[float(w) for w in row.values()] for row in params["weight"].values()]))
    options = {option: float(params[option]) for option in ("tau", "bandwidth") if option in params}
    given = {field: params[key] for key, field in (("position", "positions"), ("cluster", "given")) if key in params}
    return RULES[name](**options, **given)


def is_known(case: dict[str, Any]) -> bool:
    """Whether score and rule are there."""
    rules = [*RULES, "label-weighted"]
    return case["score"] in list(SCORES) and case["threshold"].replace("_", "-") in rules


def expected_sets(case: dict[str, Any]) -> PredictionSets:
    """The sets that a case expects."""
    code = {name: k for k, name in enumerate(case["labels"])}
    expected = case["expected"]["sets"]
    sizes = np.array([len(names) for names in expected], np.int32)
    labels = np.array([code[name] for names in expected for name in names], np.int32)
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    return PredictionSets(offsets, labels, np.zeros(labels.size), sizes, np.zeros(len(code), np.bool_))
