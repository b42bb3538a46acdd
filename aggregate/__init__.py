"""Crowdsourced label aggregation for citizen-science species identification.

Files become :class:`Votes`, a strategy turns them into a :class:`Consensus`, and that is written or looked at::

    import plant_aggregate

    votes = plant_aggregate.read_votes("votes.parquet")
    consensus = plant_aggregate.PlantNet().fit(votes)
    consensus.to_pandas()

Every name below is loaded on first use, so that importing the package costs nothing.

The folder is called ``aggregate`` and the package ``plant_aggregate``: PyPI has another package ``aggregate``. In a
checkout ``import aggregate`` works, too: its names are then those of ``plant_aggregate``, if that is installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .version import VERSION as __version__  # noqa: N811

if TYPE_CHECKING:
    from .ai_votes import AiVotes as AiVotes
    from .assessment.ambiguity.result import Ambiguity as Ambiguity
    from .assessment.ambiguity.settings import AmbiguitySettings as AmbiguitySettings
    from .assessment.calibration.ai import AiCalibration as AiCalibration
    from .assessment.calibration.ai import calibrate_ai as calibrate_ai
    from .assessment.calibration.labels import Calibration as Calibration
    from .assessment.calibration.labels import calibrate as calibrate
    from .assessment.comparison import Comparison as Comparison
    from .assessment.comparison import compare as compare
    from .assessment.evaluation import Evaluation as Evaluation
    from .assessment.evaluation import evaluate as evaluate
    from .consensus import Consensus as Consensus
    from .errors import AggregateError as AggregateError
    from .errors import AggregateWarning as AggregateWarning
    from .errors import HeldError as HeldError
    from .errors import LockedError as LockedError
    from .errors import ParameterError as ParameterError
    from .errors import PublishError as PublishError
    from .errors import VotesError as VotesError
    from .evidence import Evidence as Evidence
    from .ingest import read_votes as read_votes
    from .ingest import votes_from_table as votes_from_table
    from .ingest.ai_votes import ai_votes_from_table as ai_votes_from_table
    from .ingest.ai_votes import read_ai_votes as read_ai_votes
    from .ingest.truth import read_truth as read_truth
    from .ingest.truth import truth_from_table as truth_from_table
    from .ingest.user_weights import read_user_weights as read_user_weights
    from .pipeline import run as run
    from .publishing.changes import Changes as Changes
    from .publishing.changes import diff as diff
    from .publishing.open_run import PublishedRun as PublishedRun
    from .publishing.open_run import open_latest as open_latest
    from .publishing.open_run import open_run as open_run
    from .publishing.open_run import read_evidence as read_evidence
    from .publishing.releases import Run as Run
    from .publishing.releases import list_runs as list_runs
    from .publishing.releases import publish as publish
    from .publishing.releases import rollback as rollback
    from .saved_models import load_ai_calibration as load_ai_calibration
    from .saved_models import load_calibration as load_calibration
    from .saved_models import save_calibration as save_calibration
    from .settings import Settings as Settings
    from .simulation import simulate as simulate
    from .strategies.dawid_skene import DawidSkene as DawidSkene
    from .strategies.glad import Glad as Glad
    from .strategies.iwmv import Iwmv as Iwmv
    from .strategies.mace import Mace as Mace
    from .strategies.majority import Majority as Majority
    from .strategies.naive_soft import NaiveSoft as NaiveSoft
    from .strategies.one_coin import OneCoin as OneCoin
    from .strategies.plantnet.strategy import PlantNet as PlantNet
    from .strategies.two_thirds import TwoThirds as TwoThirds
    from .strategies.wawa import Wawa as Wawa
    from .strategies.wds import Wds as Wds
    from .strategies.zero_based_skill import ZeroBasedSkill as ZeroBasedSkill
    from .training_scores import ambiguity_of as ambiguity_of
    from .truth import Truth as Truth
    from .user_weights import UserWeights as UserWeights
    from .votes import Votes as Votes

_HOMES = {
    "AggregateError": "errors",
    "AggregateWarning": "errors",
    "AiCalibration": "assessment.calibration.ai",
    "AiVotes": "ai_votes",
    "Ambiguity": "assessment.ambiguity.result",
    "AmbiguitySettings": "assessment.ambiguity.settings",
    "Calibration": "assessment.calibration.labels",
    "Changes": "publishing.changes",
    "Comparison": "assessment.comparison",
    "Consensus": "consensus",
    "DawidSkene": "strategies.dawid_skene",
    "Evaluation": "assessment.evaluation",
    "Evidence": "evidence",
    "Glad": "strategies.glad",
    "HeldError": "errors",
    "Iwmv": "strategies.iwmv",
    "Mace": "strategies.mace",
    "LockedError": "errors",
    "Majority": "strategies.majority",
    "NaiveSoft": "strategies.naive_soft",
    "OneCoin": "strategies.one_coin",
    "ParameterError": "errors",
    "PlantNet": "strategies.plantnet.strategy",
    "PublishError": "errors",
    "PublishedRun": "publishing.open_run",
    "Run": "publishing.releases",
    "Settings": "settings",
    "Truth": "truth",
    "TwoThirds": "strategies.two_thirds",
    "UserWeights": "user_weights",
    "Votes": "votes",
    "VotesError": "errors",
    "Wawa": "strategies.wawa",
    "Wds": "strategies.wds",
    "ZeroBasedSkill": "strategies.zero_based_skill",
    "ai_votes_from_table": "ingest.ai_votes",
    "calibrate_ai": "assessment.calibration.ai",
    "ambiguity_of": "training_scores",
    "calibrate": "assessment.calibration.labels",
    "compare": "assessment.comparison",
    "diff": "publishing.changes",
    "evaluate": "assessment.evaluation",
    "list_runs": "publishing.releases",
    "load_ai_calibration": "saved_models",
    "load_calibration": "saved_models",
    "open_latest": "publishing.open_run",
    "open_run": "publishing.open_run",
    "publish": "publishing.releases",
    "read_ai_votes": "ingest.ai_votes",
    "read_evidence": "publishing.open_run",
    "read_truth": "ingest.truth",
    "read_user_weights": "ingest.user_weights",
    "read_votes": "ingest",
    "rollback": "publishing.releases",
    "run": "pipeline",
    "save_calibration": "saved_models",
    "simulate": "simulation",
    "truth_from_table": "ingest.truth",
    "votes_from_table": "ingest",
}

__all__ = ["__version__", *sorted(_HOMES)]


_PACKAGE = __name__
if __name__ == "aggregate":
    from importlib.util import find_spec

    if find_spec("plant_aggregate") is not None:
        _PACKAGE, __path__ = "plant_aggregate", []  # no module is loaded twice, under two names


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{_PACKAGE}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
