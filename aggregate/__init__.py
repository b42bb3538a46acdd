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
    from . import charts as charts
    from .ai_votes import AiVotes as AiVotes
    from .assess import calibrate as calibrate
    from .assess import calibrate_ai as calibrate_ai
    from .assess import compare as compare
    from .assess import compare_with_experts as compare_with_experts
    from .assess import evaluate as evaluate
    from .assessment.ambiguity.result import Ambiguity as Ambiguity
    from .assessment.ambiguity.settings import AmbiguitySettings as AmbiguitySettings
    from .assessment.calibration.ai import AiCalibration as AiCalibration
    from .assessment.calibration.labels import Calibration as Calibration
    from .assessment.comparison import Comparison as Comparison
    from .assessment.conformal.comparison import SetComparison as SetComparison
    from .assessment.conformal.evaluation import SetEvaluation as SetEvaluation
    from .assessment.conformal.monitoring import CoverageCheck as CoverageCheck
    from .assessment.conformal.named_sets import NamedSets as NamedSets
    from .assessment.conformal.predicted import PredictedSets as PredictedSets
    from .assessment.conformal.predictor import SetPredictor as SetPredictor
    from .assessment.evaluation import Evaluation as Evaluation
    from .assessment.expert_comparison import ExpertComparison as ExpertComparison
    from .classifier_scores import NamedScores as NamedScores
    from .consensus import Consensus as Consensus
    from .conversion import Conversion as Conversion
    from .conversion import convert as convert
    from .coverage_check import check_coverage as check_coverage
    from .errors import AggregateError as AggregateError
    from .errors import AggregateWarning as AggregateWarning
    from .errors import HeldError as HeldError
    from .errors import LockedError as LockedError
    from .errors import ParameterError as ParameterError
    from .errors import PublishError as PublishError
    from .errors import StrategyError as StrategyError
    from .errors import VotesError as VotesError
    from .evidence import Evidence as Evidence
    from .exports.subset import Subset as Subset
    from .exports.subset import subset as subset
    from .exports.training import TrainingData as TrainingData
    from .exports.training import training_table as training_table
    from .exports.writing import Exported as Exported
    from .exports.writing import export as export
    from .ingest import read_votes as read_votes
    from .ingest import votes_from_table as votes_from_table
    from .ingest.ai_votes import ai_votes_from_table as ai_votes_from_table
    from .ingest.ai_votes import read_ai_votes as read_ai_votes
    from .ingest.matrices import votes_from_matrix as votes_from_matrix
    from .ingest.score_matrices import scores_from_matrix as scores_from_matrix
    from .ingest.score_tables import scores_from_table as scores_from_table
    from .ingest.taxonomy import read_taxonomy as read_taxonomy
    from .ingest.truth import read_truth as read_truth
    from .ingest.truth import truth_from_table as truth_from_table
    from .ingest.user_weights import read_user_weights as read_user_weights
    from .pipeline import run as run
    from .prediction_sets import fit_sets as fit_sets
    from .prediction_sets import load_sets as load_sets
    from .prediction_sets import predict_sets as predict_sets
    from .prediction_sets import save_sets as save_sets
    from .publishing.changes import Changes as Changes
    from .publishing.changes import diff as diff
    from .publishing.open_run import open_latest as open_latest
    from .publishing.open_run import open_run as open_run
    from .publishing.open_run import read_evidence as read_evidence
    from .publishing.releases import list_runs as list_runs
    from .publishing.releases import publish as publish
    from .publishing.releases import rollback as rollback
    from .publishing.run import PublishedRun as PublishedRun
    from .publishing.run import Run as Run
    from .saved_models import load_ai_calibration as load_ai_calibration
    from .saved_models import load_calibration as load_calibration
    from .saved_models import save_calibration as save_calibration
    from .set_assessment import compare_sets as compare_sets
    from .set_assessment import evaluate_sets as evaluate_sets
    from .settings import Settings as Settings
    from .simulation import simulate as simulate
    from .strategies.auto import Auto as Auto
    from .strategies.dawid_skene import DawidSkene as DawidSkene
    from .strategies.glad import Glad as Glad
    from .strategies.iwmv import Iwmv as Iwmv
    from .strategies.kinds import Kinds as Kinds
    from .strategies.mace import Mace as Mace
    from .strategies.majority import Majority as Majority
    from .strategies.naive_soft import NaiveSoft as NaiveSoft
    from .strategies.one_coin import OneCoin as OneCoin
    from .strategies.plantnet.strategy import PlantNet as PlantNet
    from .strategies.two_thirds import TwoThirds as TwoThirds
    from .strategies.wawa import Wawa as Wawa
    from .strategies.wds import Wds as Wds
    from .strategies.zero_based_skill import ZeroBasedSkill as ZeroBasedSkill
    from .taxon_names.cleaning import CleanedLabels as CleanedLabels
    from .taxon_names.cleaning import clean_names as clean_names
    from .taxon_names.settings import NameSettings as NameSettings
    from .taxonomy import Taxonomy as Taxonomy
    from .trace import Iteration as Iteration
    from .trace import Trace as Trace
    from .training_scores import ambiguity_of as ambiguity_of
    from .truth import Truth as Truth
    from .user_weights import UserWeights as UserWeights
    from .votes import Votes as Votes

_HOMES = {
    name: module
    for module, names in {
        "ai_votes": "AiVotes",
        "assess": "calibrate calibrate_ai compare compare_with_experts evaluate",
        "assessment.ambiguity.result": "Ambiguity",
        "assessment.ambiguity.settings": "AmbiguitySettings",
        "assessment.calibration.ai": "AiCalibration",
        "assessment.calibration.labels": "Calibration",
        "assessment.comparison": "Comparison",
        "assessment.evaluation": "Evaluation",
        "assessment.expert_comparison": "ExpertComparison",
        "assessment.conformal.comparison": "SetComparison",
        "assessment.conformal.evaluation": "SetEvaluation",
        "assessment.conformal.monitoring": "CoverageCheck",
        "assessment.conformal.named_sets": "NamedSets",
        "assessment.conformal.predicted": "PredictedSets",
        "assessment.conformal.predictor": "SetPredictor",
        "classifier_scores": "NamedScores",
        "consensus": "Consensus",
        "conversion": "Conversion convert",
        "coverage_check": "check_coverage",
        "errors": "AggregateError AggregateWarning HeldError LockedError ParameterError PublishError StrategyError "
        "VotesError",
        "evidence": "Evidence",
        "exports.subset": "Subset subset",
        "exports.training": "TrainingData training_table",
        "exports.writing": "Exported export",
        "ingest": "read_votes votes_from_table",
        "ingest.ai_votes": "ai_votes_from_table read_ai_votes",
        "ingest.matrices": "votes_from_matrix",
        "ingest.score_matrices": "scores_from_matrix",
        "ingest.score_tables": "scores_from_table",
        "ingest.taxonomy": "read_taxonomy",
        "ingest.truth": "read_truth truth_from_table",
        "ingest.user_weights": "read_user_weights",
        "pipeline": "run",
        "prediction_sets": "fit_sets load_sets predict_sets save_sets",
        "publishing.changes": "Changes diff",
        "publishing.open_run": "open_latest open_run read_evidence",
        "publishing.releases": "list_runs publish rollback",
        "publishing.run": "PublishedRun Run",
        "saved_models": "load_ai_calibration load_calibration save_calibration",
        "set_assessment": "compare_sets evaluate_sets",
        "settings": "Settings",
        "simulation": "simulate",
        "strategies.auto": "Auto",
        "strategies.dawid_skene": "DawidSkene",
        "strategies.glad": "Glad",
        "strategies.iwmv": "Iwmv",
        "strategies.kinds": "Kinds",
        "strategies.mace": "Mace",
        "strategies.majority": "Majority",
        "strategies.naive_soft": "NaiveSoft",
        "strategies.one_coin": "OneCoin",
        "strategies.plantnet.strategy": "PlantNet",
        "strategies.two_thirds": "TwoThirds",
        "strategies.wawa": "Wawa",
        "strategies.wds": "Wds",
        "strategies.zero_based_skill": "ZeroBasedSkill",
        "taxon_names.cleaning": "CleanedLabels clean_names",
        "taxon_names.settings": "NameSettings",
        "taxonomy": "Taxonomy",
        "trace": "Iteration Trace",
        "training_scores": "ambiguity_of",
        "truth": "Truth",
        "user_weights": "UserWeights",
        "votes": "Votes",
    }.items()
    for name in names.split()
}
"""Public name -> the module it lives in."""

__all__ = ["__version__", "charts", *sorted(_HOMES)]


_PACKAGE = __name__
if __name__ == "aggregate":
    import sys
    from importlib.util import find_spec

    if find_spec("plant_aggregate") is not None:
        _PACKAGE = "plant_aggregate"
        if sys.argv[:1] != ["-m"]:  # while `python -m aggregate` looks for the module to run
            __path__ = []  # no module is loaded twice, under two names


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in."""
    if name == "charts":
        return import_module(f"{_PACKAGE}.charts")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{_PACKAGE}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
