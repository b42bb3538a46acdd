"""Scores and threshold rules by name: a line each."""

from ...registry import Registry
from .scores.base import Score
from .thresholds.base import ThresholdRule

SCORES: Registry[type[Score]] = Registry(
    "score",
    group="plant_aggregate.conformity_scores",
    package=__package__,
    built_in={
        "softmax": ".scores.softmax:Softmax",
        "pas": ".scores.pas:Pas",
        "wpas": ".scores.wpas:Wpas",
        "aps": ".scores.aps:Aps",
        "raps": ".scores.raps:Raps",
    },
)
"""Name -> class, the default first; other packages may add theirs."""

SCORE_SUMMARIES: dict[str, str] = {
    "softmax": "the classifier's probability: the smallest sets of a marginal coverage",
    "pas": "the probability divided by how common the label is: macro coverage, for the long tail",
    "wpas": "pas times the label's weight: macro coverage that counts labels at risk more",
    "aps": "the probability spent until the label: sets that grow with difficulty; needs lists of all labels",
    "raps": "aps with a penalty for late ranks: smaller sets; needs lists of all labels",
}
"""Name -> what it is, in a line: help lists scores without loading them."""

RULES: Registry[type[ThresholdRule]] = Registry(
    "threshold",
    group="plant_aggregate.threshold_rules",
    package=__package__,
    built_in={
        "standard": ".thresholds.standard:Standard",
        "classwise": ".thresholds.classwise:Classwise",
        "interp-q": ".thresholds.interp_q:InterpQ",
        "clustered": ".thresholds.clustered:Clustered",
        "macro": ".thresholds.macro:Macro",
        "fuzzy": ".thresholds.fuzzy:Fuzzy",
        "fuzzy-reconformalised": ".thresholds.fuzzy_reconformalised:FuzzyReconformalised",
    },
)
"""Name -> class, the default first; other packages may add theirs."""

RULE_SUMMARIES: dict[str, str] = {
    "standard": "one threshold for all labels: marginal coverage",
    "classwise": "a threshold for each label, from its own rows: coverage of each, in very large sets",
    "interp-q": "between standard and classwise: tau says how near to which",
    "clustered": "a threshold for each cluster of labels with alike scores: coverage of each cluster",
    "macro": "one threshold for all labels: macro coverage of the labels with calibration rows",
    "fuzzy": "a threshold for each label, from rows of labels about as common, too: no guarantee",
    "fuzzy-reconformalised": "fuzzy with a margin from held-out rows: marginal coverage",
}
"""Name -> what it is, in a line: help lists rules without loading them."""
