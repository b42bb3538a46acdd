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
    from .pipeline import Settings as Settings
    from .pipeline import run as run
    from .simulation import simulate as simulate
    from .strategies.plantnet import PlantNet as PlantNet
    from .user_weights import UserWeights as UserWeights
    from .votes import Votes as Votes

_HOMES = {
    "AggregateError": "errors",
    "AggregateWarning": "errors",
    "Consensus": "consensus",
    "ParameterError": "errors",
    "PlantNet": "strategies.plantnet",
    "PublishError": "errors",
    "Run": "pipeline",
    "Settings": "pipeline",
    "UserWeights": "user_weights",
    "Votes": "votes",
    "VotesError": "errors",
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
