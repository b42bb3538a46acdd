"""The strategies by name: a line each."""

from ..errors import ParameterError
from .base import Strategy
from .dawid_skene import DawidSkene
from .glad import Glad
from .iwmv import Iwmv
from .mace import Mace
from .majority import Majority
from .naive_soft import NaiveSoft
from .one_coin import OneCoin
from .plantnet.strategy import PlantNet
from .two_thirds import TwoThirds
from .wawa import Wawa
from .wds import Wds
from .zero_based_skill import ZeroBasedSkill

STRATEGIES: dict[str, type[Strategy]] = {
    strategy.name: strategy
    for strategy in (
        PlantNet,
        Majority,
        NaiveSoft,
        Wawa,
        TwoThirds,
        ZeroBasedSkill,
        DawidSkene,
        OneCoin,
        Glad,
        Mace,
        Iwmv,
        Wds,
    )
}
"""Name -> class, the default first."""


def get(name: str) -> type[Strategy]:
    """The strategy of a name. Raises ParameterError.

    >>> get("majority")()
    Majority(theta_conf=2.0, theta_acc=0.7, ambiguous_below=None, ambiguous_quantile=None)
    """
    if name not in STRATEGIES:
        raise ParameterError(f"strategy is {name!r} but must be one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def takers(name: str) -> list[str]:
    """Names of the strategies that take the side input of a name."""
    return [strategy.name for strategy in STRATEGIES.values() if name in strategy.takes]
