"""Evaluation and comparison of what callers have at hand: votes and expert labels, as objects or as frames."""

from typing import Any, TypeAlias

from .ai_votes import AiVotes
from .assessment.comparison import Comparison
from .assessment.comparison import compare as compare_strategies
from .assessment.evaluation import RESAMPLES, Evaluation
from .assessment.evaluation import evaluate as evaluate_against
from .consensus import Consensus
from .evidence import Evidence
from .frames import Frame, is_frame, path_in_words, wrong_type
from .ingest import votes_from_table
from .ingest.ai_votes import ai_votes_from_table
from .ingest.truth import truth_from_table
from .listeners import ProgressLike, listening
from .strategies.registry import GivenStrategies, named_strategies
from .truth import Truth
from .votes import Votes

GivenTruth: TypeAlias = "Truth | Frame"
"""Expert labels, or a frame of observation_id and label, or a pandas Series of labels by observation."""

GivenVotes: TypeAlias = "Votes | Frame"
"""Votes, or a frame of them."""


def evaluate(
    consensus: Consensus | Evidence, truth: GivenTruth, *, resamples: int = RESAMPLES, seed: int = 0, worst: int = 10
) -> Evaluation:
    """Evaluate a consensus against experts: measures with 95 % intervals, and the ``worst`` most frequent confusions.

    ``truth`` are expert labels (:func:`read_truth` reads them from files), a frame of observation_id and label, or a
    pandas Series of labels by observation. The intervals come from ``resamples`` bootstrap resamples of the
    observations (0 for none); the same seed draws the same resamples for every consensus with the same expert
    observations. Raises VotesError if no expert observation is in the consensus or ids or labels have different types,
    ParameterError for invalid numbers, TypeError for what is neither. Warns of expert labels that look like one of the
    consensus but differ from it.
    """
    if not isinstance(consensus, Consensus | Evidence):
        raise wrong_type("a consensus", consensus, "Wawa().fit(votes), or read_evidence(path, truth).evidence")
    return evaluate_against(consensus, truth_of(truth), resamples=resamples, seed=seed, worst=worst)


def compare(
    votes: GivenVotes,
    truth: GivenTruth,
    strategies: GivenStrategies = None,
    *,
    ai_votes: "AiVotes | Frame | None" = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: ProgressLike = None,
) -> Comparison:
    """Fit each of the ``strategies`` and evaluate it against experts.

    ``votes``, ``truth`` and ``ai_votes`` may be frames, ``truth`` also a pandas Series of labels by observation.
    ``strategies`` are a list of strategies, or of names or classes for those with default parameters, or a dict of them
    by name; by default all that are built in. All are compared with the same observations, those users voted on, and
    grouped by the users' votes; so the intervals of all are of the same resamples. ``ai_votes`` go to the strategies
    that take them. Raises VotesError if no expert observation was voted on, ParameterError for a name that there is
    not, StrategyError if a strategy of another package fails, TypeError for what is neither. ``progress``: True shows a
    bar, False does not, by default there is one in notebooks; or a listener.
    """
    chosen = named_strategies(strategies)
    options: dict[str, Any] = {"ai_votes": ai_votes_of(ai_votes), "resamples": resamples, "seed": seed}
    with listening(progress) as listener:
        return compare_strategies(votes_of(votes), truth_of(truth), chosen, **options, progress=listener)


def truth_of(given: GivenTruth) -> Truth:
    """Expert labels as they are, or from a frame. Raises TypeError, or VotesError."""
    if isinstance(given, Truth):
        return given
    if not is_frame(given):
        raise wrong_type("expert labels", given, f"read_truth({path_in_words(given)})")
    return truth_from_table(given)


def votes_of(given: GivenVotes) -> Votes:
    """Votes as they are, or from a frame. Raises TypeError, or VotesError."""
    if isinstance(given, Votes):
        return given
    if not is_frame(given):
        raise wrong_type("votes", given, f"read_votes({path_in_words(given)})")
    return votes_from_table(given)


def ai_votes_of(given: "AiVotes | Frame | None") -> AiVotes | None:
    """AI votes as they are, or from a frame. Raises TypeError, or VotesError."""
    if given is None or isinstance(given, AiVotes):
        return given
    if not is_frame(given):
        raise wrong_type("AI votes", given, f"read_ai_votes({path_in_words(given)})")
    return ai_votes_from_table(given)
