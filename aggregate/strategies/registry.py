"""The strategies by name: a line each."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ..errors import ParameterError
from ..parameters import declared
from ..registry import Registry, is_path
from .base import Strategy, check_takes, fault_of

STRATEGIES: Registry[type[Strategy]] = Registry(
    "strategy",
    group="plant_aggregate.strategies",
    package=__package__,
    built_in={
        "plantnet": ".plantnet.strategy:PlantNet",
        "auto": ".auto:Auto",
        "majority": ".majority:Majority",
        "naive-soft": ".naive_soft:NaiveSoft",
        "wawa": ".wawa:Wawa",
        "two-thirds": ".two_thirds:TwoThirds",
        "zero-based-skill": ".zero_based_skill:ZeroBasedSkill",
        "dawid-skene": ".dawid_skene:DawidSkene",
        "kinds": ".kinds:Kinds",
        "one-coin": ".one_coin:OneCoin",
        "glad": ".glad:Glad",
        "mace": ".mace:Mace",
        "iwmv": ".iwmv:Iwmv",
        "wds": ".wds:Wds",
    },
    fault_of=fault_of,
)
"""Name -> class, the default first; other packages may add theirs."""


ALL = tuple(name for name in STRATEGIES if name != "auto")
"""The built-in strategies that are compared if none is named: auto is one of the others."""


GivenStrategy: TypeAlias = "Strategy | type[Strategy] | str"
"""A strategy, its class, or its name: one of STRATEGIES, or ``package.module:Class``."""


GivenStrategies: TypeAlias = "Mapping[str, GivenStrategy] | Iterable[GivenStrategy] | GivenStrategy | None"
"""Several of them, by name or not."""


def get(name: str) -> type[Strategy]:
    """The strategy of a name. Raises ParameterError.

    >>> get("majority")()
    Majority()
    """
    return STRATEGIES.find(name)


def strategy_of(given: GivenStrategy) -> Strategy:
    """A strategy as it is; or, by its name or its class, with its default parameters.

    Raises ParameterError for a name that there is not, and TypeError for what is no strategy.

    >>> strategy_of("one-coin").name
    'one-coin'
    """
    if isinstance(given, str):
        return get(given)()
    kind: Any = given if isinstance(given, type) else type(given)
    if not hasattr(kind, "fit") or not hasattr(kind, "takes"):
        from ..frames import is_frame, wrong_type

        forms = "a name such as 'wawa', a class such as Wawa, or Wawa(theta_acc=0.8)"
        elsewhere = "compare(votes, truth, labels={'theirs': labels}) for labels that were found elsewhere"
        raise wrong_type("a strategy", given, elsewhere if is_frame(given) or hasattr(given, "fit_predict") else forms)
    fault = fault_of(kind)
    if fault:
        raise TypeError(f"{kind.__qualname__} {fault}")
    return given() if isinstance(given, type) else given


def named_strategies(given: GivenStrategies = None) -> dict[str, Strategy]:
    """Strategies by name, in the order given; by default ALL.

    Raises ParameterError if two have the same name, and as :func:`strategy_of`.

    >>> list(named_strategies(["wawa", get("majority")(theta_acc=0.5)]))
    ['wawa', 'majority']
    """
    if given is None:
        return {name: STRATEGIES[name]() for name in ALL}
    if isinstance(given, Mapping):
        return {name: strategy_of(each) for name, each in given.items()}
    several: Any = [given] if isinstance(given, str) or hasattr(given, "fit") else given
    if not isinstance(several, Iterable):
        from ..frames import wrong_type

        raise wrong_type("strategies", given, "a list such as ['wawa', Majority()], or a dict of them by name")
    named: dict[str, Strategy] = {}
    for each in several:
        strategy = strategy_of(each)
        name = each if isinstance(each, str) and not is_path(each) else strategy.name
        if name in named:
            raise ParameterError(f"two strategies are named {name}", remedy="give a dict of names and strategies")
        named[name] = strategy
    return named


def takers(name: str) -> list[str]:
    """Names of the built-in strategies that take the side input of a name."""
    return [strategy.name for strategy in STRATEGIES.values() if name in strategy.takes]


def check_side_inputs(strategy: Strategy, settings: Any) -> None:
    """Raise ParameterError if ``settings`` name a side input that the strategy does not take."""
    given_by = {name: known.side_input for name, known in declared(settings).items() if known.side_input}
    check_takes(strategy, (side for name, side in given_by.items() if getattr(settings, name) is not None), takers)
