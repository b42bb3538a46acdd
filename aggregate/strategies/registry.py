"""The strategies by name: a line each."""

from typing import Any

from ..parameters import declared
from ..registry import Registry
from .base import Strategy, check_takes

STRATEGIES: Registry[type[Strategy]] = Registry(
    "strategy",
    group="plant_aggregate.strategies",
    package=__package__,
    built_in={
        "plantnet": ".plantnet.strategy:PlantNet",
        "majority": ".majority:Majority",
        "naive-soft": ".naive_soft:NaiveSoft",
        "wawa": ".wawa:Wawa",
        "two-thirds": ".two_thirds:TwoThirds",
        "zero-based-skill": ".zero_based_skill:ZeroBasedSkill",
        "dawid-skene": ".dawid_skene:DawidSkene",
        "one-coin": ".one_coin:OneCoin",
        "glad": ".glad:Glad",
        "mace": ".mace:Mace",
        "iwmv": ".iwmv:Iwmv",
        "wds": ".wds:Wds",
    },
    requires=("name", "takes", "fit", "__dataclass_fields__"),
)
"""Name -> class, the default first; other packages may add theirs."""


def get(name: str) -> type[Strategy]:
    """The strategy of a name. Raises ParameterError.

    >>> get("majority")()
    Majority()
    """
    return STRATEGIES.find(name)


def takers(name: str) -> list[str]:
    """Names of the built-in strategies that take the side input of a name."""
    return [strategy.name for strategy in STRATEGIES.values() if name in strategy.takes]


def check_side_inputs(strategy: Strategy, settings: Any) -> None:
    """Raise ParameterError if ``settings`` name a side input that the strategy does not take."""
    given_by = {name: known.side_input for name, known in declared(settings).items() if known.side_input}
    check_takes(strategy, (side for name, side in given_by.items() if getattr(settings, name) is not None), takers)
