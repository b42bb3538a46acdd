"""Crowdsourced label aggregation for citizen-science species identification.

Files become :class:`Votes`, a strategy turns them into a :class:`Consensus`, and that is written or looked at::

    import aggregate

    votes = aggregate.read_votes("votes.parquet")
    consensus = aggregate.PlantNet().fit(votes)
    consensus.to_pandas()

Every name below is loaded on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .version import VERSION as __version__  # noqa: N811

if TYPE_CHECKING:
    from .consensus import Consensus as Consensus
    from .errors import AggregateError as AggregateError
    from .errors import AggregateWarning as AggregateWarning
    from .errors import ParameterError as ParameterError
    from .errors import PublishError as PublishError
    from .errors import VotesError as VotesError
    from .ingest import read_user_weights as read_user_weights
    from .ingest import read_votes as read_votes
    from .ingest import votes_from_table as votes_from_table
    from .pipeline import Run as Run
    from .pipeline import run as run
    from .simulation import simulate as simulate
    from .strategies.dawid_skene import DawidSkene as DawidSkene
    from .strategies.glad import Glad as Glad
    from .strategies.iwmv import Iwmv as Iwmv
    from .strategies.mace import Mace as Mace
    from .strategies.majority import Majority as Majority
    from .strategies.naive_soft import NaiveSoft as NaiveSoft
    from .strategies.one_coin import OneCoin as OneCoin
    from .strategies.plantnet import PlantNet as PlantNet
    from .strategies.two_thirds import TwoThirds as TwoThirds
    from .strategies.wawa import Wawa as Wawa
    from .strategies.wds import Wds as Wds
    from .strategies.zero_based_skill import ZeroBasedSkill as ZeroBasedSkill
    from .user_weights import UserWeights as UserWeights
    from .votes import Votes as Votes

_HOMES = {
    "AggregateError": "errors",
    "AggregateWarning": "errors",
    "Consensus": "consensus",
    "DawidSkene": "strategies.dawid_skene",
    "Glad": "strategies.glad",
    "Iwmv": "strategies.iwmv",
    "Mace": "strategies.mace",
    "Majority": "strategies.majority",
    "NaiveSoft": "strategies.naive_soft",
    "OneCoin": "strategies.one_coin",
    "ParameterError": "errors",
    "PlantNet": "strategies.plantnet",
    "PublishError": "errors",
    "Run": "pipeline",
    "TwoThirds": "strategies.two_thirds",
    "UserWeights": "user_weights",
    "Votes": "votes",
    "VotesError": "errors",
    "Wawa": "strategies.wawa",
    "Wds": "strategies.wds",
    "ZeroBasedSkill": "strategies.zero_based_skill",
    "read_user_weights": "ingest",
    "read_votes": "ingest",
    "run": "pipeline",
    "simulate": "simulation",
    "votes_from_table": "ingest",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'aggregate' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
