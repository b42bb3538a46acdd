"""Parameters that several strategies have: each is declared here, and only its default may differ."""

from typing import Any

from .parameters import parameter


def theta_conf(default: float | None = 1.5, *, unset: str = "") -> Any:
    """θ_conf of [L25]."""
    return parameter(default, "weight a label needs to be valid", "in (0, 1e9]", unset=unset)


def theta_acc(default: float = 0.7) -> Any:
    """θ_acc of [L25]."""
    return parameter(default, "share of the weight a label needs to be valid", "in (0, 1]")


def ambiguous_below() -> Any:
    """A threshold of aum."""
    text = "aum below which an observation is ambiguous [default: 2 theta_acc - 1]"
    return parameter(None, text, "in [-1, 1]", changes_result=False)


def ambiguous_quantile() -> Any:
    """A quantile of aum, in place of ``ambiguous_below``."""
    text = "instead: share of observations, of lowest aum, to call ambiguous"
    return parameter(None, text, "in (0, 1)", changes_result=False)


def max_iter(default: int) -> Any:
    """The limit of an iteration."""
    return parameter(default, "iterations at most", "at least 1")


def prior_votes(default: float) -> Any:
    """The weight of the prior on a user's quality."""
    return parameter(default, "votes of the crowd's mean quality added to each user's", "in [0, 1e6]")


def expert_weight() -> Any:
    """λ: how much experts' labels tell of users, beside the labels that the crowd gave."""
    text = "how often votes on observations that experts labelled count in what is learnt of users"
    return parameter(1.0, text, "in [0.001, 1e6]", needs="experts")


def label_prior(default: float) -> Any:
    """How much the frequency of labels counts."""
    return parameter(default, "power of a label's frequency in its prior probability; 0: all alike", "in [0, 1]")


def label_smoothing() -> Any:
    """The weight of the prior on the frequencies of labels."""
    return parameter(1.0, "observations added to each label's", "in [0, 1e6]")
