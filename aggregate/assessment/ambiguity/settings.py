"""Settings of areas under the margin, and of pruning."""

from dataclasses import dataclass
from typing import Literal

from ...parameters import check_parameters, max_rejected, normalise, parameter
from ...reprs import changed_repr

TRUSTS = ("auto", "confusion", "weight")
MARGINS = ("second", "other")

GROUP = "Scores and calibration"


@dataclass(frozen=True)
class AmbiguitySettings:
    """How areas under the margin are computed, and observations pruned. Raises ParameterError.

    Args:
        trust: what weighs the voters in waum: how well the last scores go with the labels they recognise (confusions of
            dawid-skene), or their weight; auto: confusion up to 50 million users x labels. One of auto, confusion,
            weight, default 'auto'.
        margin: which waum decides about pruning: over the second largest probability, or the largest of another label.
            One of second, other, default 'second'.
        alpha: share of the scored observations to prune, at most. In [0, 1), default 0.01.
        by_label: prune that share of the observations of each consensus label. Default False.
        normalise: divide each score list by its sum. Default False.
        max_rejected: share of the rows of votes, and of the score lists, that may be unusable. In [0, 1], default 0.01.
    """

    trust: Literal["auto", "confusion", "weight"] = parameter(
        "auto",
        "what weighs the voters in waum: how well the last scores go with the labels they recognise (confusions of "
        "dawid-skene), or their weight; auto: confusion up to 50 million users x labels",
        choices=TRUSTS,
        group=GROUP,
    )
    margin: Literal["second", "other"] = parameter(
        "second",
        "which waum decides about pruning: over the second largest probability, or the largest of another label",
        choices=MARGINS,
        group=GROUP,
    )
    alpha: float = parameter(0.01, "share of the scored observations to prune, at most", "in [0, 1)", group=GROUP)
    by_label: bool = parameter(False, "prune that share of the observations of each consensus label", group=GROUP)
    normalise: bool = normalise()
    max_rejected: float = max_rejected("share of the rows of votes, and of the score lists, that may be unusable")

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_parameters(self)
