"""Evaluation and comparison of what callers have at hand: votes and expert labels, as objects or as frames."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from .ai_votes import AiVotes
from .assessment.calibration.ai import AiCalibration
from .assessment.calibration.ai import calibrate_ai as calibrate_scores
from .assessment.calibration.labels import Calibration
from .assessment.calibration.labels import calibrate as calibrate_on
from .assessment.comparison import Comparison
from .assessment.comparison import compare as compare_strategies
from .assessment.evaluation import RESAMPLES, Evaluation
from .assessment.evaluation import evaluate as evaluate_against
from .assessment.expert_comparison import N_FOLDS, ExpertComparison
from .assessment.expert_comparison import compare_with_experts as compare_on_experts
from .consensus import Consensus
from .errors import ParameterError, VotesError
from .evidence import Evidence
from .frames import (
    Frame,
    check_columns,
    check_type,
    is_frame,
    is_pandas,
    names_in_words,
    path_in_words,
    source_of,
    to_table,
    wrong_type,
)
from .ingest import votes_from_table
from .ingest.ai_votes import ai_votes_from_table
from .ingest.given import given_truth
from .listeners import ProgressLike, listening
from .publishing.reading import evidence_of_frame
from .publishing.run import Run
from .strategies.base import Strategy
from .strategies.registry import GivenStrategies, named_strategies
from .truth import Truth
from .votes import Votes

GivenTruth: TypeAlias = "Truth | Frame"
"""Expert labels, or a frame of observation_id and label, or a pandas Series of labels by observation."""

GivenLabels: TypeAlias = "Consensus | Evidence | Run | Truth | Frame"
"""A consensus, or labels of any origin: a frame of observation_id and label, or a pandas Series of labels."""

GivenVotes: TypeAlias = "Votes | Frame"
"""Votes, or a frame of them."""

OBJECTS = (Consensus, Evidence, Run, Truth, Votes)
"""What is given as it is, though some of it exports Arrow data, too."""


def evaluate(
    consensus: GivenLabels,
    truth: GivenTruth,
    *,
    columns: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    worst: int = 10,
) -> Evaluation:
    """Evaluate a consensus, or any labels, against experts: measures with 95 % intervals, and confusions.

    Args:
        consensus: a consensus; a run that :func:`run` or :func:`open_run` gave; or labels that were found elsewhere: a
            frame of observation_id and label, which may have more columns of consensus.parquet, or a pandas Series of
            labels by observation. Measures that need what is not there are left out.
        truth: expert labels, which :func:`read_truth` reads from files, or a frame or Series of them. Observations
            that are not in the consensus, or have no label there, are ignored, and counted.
        columns: what frames call observation_id and label, where that differs: ``{"label": "species"}``.
        resamples: bootstrap resamples of the observations that the intervals come from, 0 for none; the same ``seed``
            draws the same resamples for every consensus with the same expert observations.
        seed: see ``resamples``.
        worst: number of confusions, the most frequent first.

    Raises VotesError if no expert observation is in the consensus, ids or labels have different types, an observation
    occurs twice, or no frame has a column that ``columns`` names; ParameterError for invalid numbers; TypeError for
    what is neither. Warns of expert labels that look like one of the consensus but differ from it.
    """
    consensus, truth = _readable_again(consensus), _readable_again(truth)
    _check_names(columns, consensus, truth)
    experts = truth_of(truth, columns)
    if isinstance(consensus, Run):
        experts = consensus.experts(experts)
    labels = evidence_of(consensus, experts, columns)
    return evaluate_against(labels, experts, resamples=resamples, seed=seed, worst=worst)


def compare(
    votes: GivenVotes,
    truth: GivenTruth,
    strategies: GivenStrategies = None,
    *,
    labels: Mapping[str, GivenLabels] | None = None,
    columns: Mapping[str, str] | None = None,
    ai_votes: "AiVotes | Frame | None" = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: ProgressLike = None,
) -> Comparison:
    """Fit each of the ``strategies`` and evaluate it against experts, and beside them labels that were found elsewhere.

    All are compared with the same observations, those users voted on, and grouped by the users' votes; so the
    intervals of all are of the same resamples.

    Args:
        votes: votes, or a frame of them.
        truth: expert labels, or a frame or Series of them.
        strategies: a list of strategies, or of names or classes for those with default parameters; or a dict of them by
            name. By default all that are built in, without ``auto``, which is one of the others.
        labels: by name, labels of any origin as for :func:`evaluate`. One that is lacking counts as not right.
        columns: what frames call observation_id, user_id and label, where that differs.
        ai_votes: the AI's votes, or a frame of them, for strategies that take them.
        resamples: bootstrap resamples for the intervals, 0 for none.
        seed: of the resamples.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    Raises VotesError if no expert observation was voted on, or no frame has a column that ``columns`` names;
    ParameterError for the name of a strategy that there is not, or if there is nothing to compare; StrategyError if a
    strategy of another package fails; TypeError for what is neither.
    """
    given = _compared(votes, truth, strategies, labels, columns, ai_votes)
    with listening(progress) as listener:
        return compare_strategies(*given, resamples=resamples, seed=seed, progress=listener)


def compare_with_experts(
    votes: GivenVotes,
    experts: GivenTruth,
    strategies: GivenStrategies = None,
    *,
    labels: Mapping[str, GivenLabels] | None = None,
    columns: Mapping[str, str] | None = None,
    ai_votes: "AiVotes | Frame | None" = None,
    folds: int = N_FOLDS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: ProgressLike = None,
) -> ExpertComparison:
    """Fit each of the ``strategies`` without experts' labels and with, and judge it on labels that it was not given.

    The expert observations are dealt into folds. A strategy that takes experts' labels is fitted once for each fold,
    with the labels of the others, and its labels of that fold are judged; and once without any. Those that take none
    are fitted once. Differences have intervals, of the same resamples of the observations for all.

    Args:
        votes: votes, or a frame of them.
        experts: expert labels, or a frame or Series of them. Those of observations without votes are ignored.
        strategies: as for :func:`compare`; by default all that are built in. Their weight of experts' labels is a
            parameter of theirs.
        labels: by name, labels of any origin as for :func:`evaluate`, found without these experts' labels.
        columns: what frames call observation_id, user_id and label, where that differs.
        ai_votes: the AI's votes, or a frame of them, for strategies that take them.
        folds: at least 2; as many as there are expert observations, if these are fewer.
        resamples: bootstrap resamples for the intervals, 0 for none.
        seed: of the folds and the resamples.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.

    Raises as :func:`compare`.

    >>> crowd = {"observation_id": [1, 1, 1, 2, 2], "user_id": [7, 8, 9, 7, 8], "label": ["a", "a", "b", "a", "b"]}
    >>> experts = {"observation_id": [1, 2], "label": ["a", "b"]}
    >>> found = compare_with_experts(crowd, experts, ["majority"], resamples=0)
    >>> found.best.right.value
    0.5
    """
    given = _compared(votes, experts, strategies, labels, columns, ai_votes)
    with listening(progress) as listener:
        return compare_on_experts(*given, folds=folds, resamples=resamples, seed=seed, progress=listener)


def _compared(
    votes: GivenVotes,
    truth: GivenTruth,
    strategies: GivenStrategies,
    labels: Mapping[str, GivenLabels] | None,
    columns: Mapping[str, str] | None,
    ai_votes: "AiVotes | Frame | None",
) -> tuple[Votes, Truth, dict[str, Strategy], dict[str, Evidence], AiVotes | None]:
    """What is compared, as objects."""
    chosen = named_strategies(strategies)
    if labels is not None and not isinstance(labels, Mapping):
        raise wrong_type("labels", labels, "a dict of them by name, {'name': labels}")
    votes, truth = _readable_again(votes), _readable_again(truth)
    found = {name: _readable_again(given) for name, given in (labels or {}).items()}
    _check_names(columns, votes, truth, *found.values())
    experts = truth_of(truth, columns)
    others = {name: _as_evidence(evidence_of(given, experts, columns)) for name, given in found.items()}
    twice = [name for name in others if name in chosen]
    if twice:
        raise ParameterError(f"labels and a strategy are both named {twice[0]}", remedy="give them another name")
    of_ai = None if ai_votes is None else ai_votes_of(ai_votes)
    return votes_of(votes, columns), experts, chosen, others, of_ai


def calibrate(
    consensus: Consensus | Evidence | Run,
    truth: GivenTruth,
    *,
    method: str = "platt",
    seed: int = 0,
    fitted_on: Mapping[str, Any] | None = None,
) -> Calibration:
    """Fit the probability that a label is right on the observations that experts know.

    Args:
        consensus: a consensus, or a run that :func:`run` or :func:`open_run` gave.
        truth: expert labels, a frame of observation_id and label, or a pandas Series of labels by observation.
        method: ``platt`` is a logistic regression on all the evidence, ``beta`` one on the logarithms of confidence and
            doubt, ``isotonic`` the rising function of confidence that fits best, ``temper`` scales the log-odds of the
            strategy's own probability by one number; all that are possible are cross-validated.
        seed: draws the folds of the cross-validation.
        fitted_on: is kept with the calibration.

    Raises VotesError if too few expert observations are in the consensus, no label of theirs is, or ids or labels have
    other types; ParameterError on an unknown method; TypeError for what is neither.
    """
    write = f"open_run({path_in_words(consensus)})" if isinstance(consensus, str | os.PathLike) else "Wawa().fit(votes)"
    check_type("a consensus", consensus, (Consensus, Evidence, Run), write)
    experts = truth_of(truth)
    if isinstance(consensus, Run):
        facts = {"strategy": consensus.record.strategy, "parameters": consensus.record.parameters}
        fitted_on = {name: value for name, value in facts.items() if value is not None} | dict(fitted_on or {})
        experts = consensus.experts(experts)
        published = consensus.evidence(experts).evidence
        consensus = published if consensus.record.probability else replace(published, probability=None)
    return calibrate_on(consensus, experts, method=method, seed=seed, fitted_on=fitted_on)


def calibrate_ai(
    ai_votes: "AiVotes | Frame",
    truth: GivenTruth,
    *,
    votes: "GivenVotes | None" = None,
    method: str = "isotonic",
    seed: int = 0,
) -> AiCalibration:
    """Fit the probability that the AI's label is right on the observations that experts know.

    Args:
        ai_votes: the AI's votes, or a frame of observation_id, label and score.
        truth: expert labels, a frame of observation_id and label, or a pandas Series of labels by observation.
        votes: users' votes, or a frame of them: scores are also compared on the observations where users disagree.
        method: ``isotonic`` is the rising function of the score that fits best, ``temperature`` scales its log-odds.
        seed: draws the folds of the cross-validation.

    Raises VotesError if the AI votes on too few expert observations, names no label of the experts, or ids or labels
    have other types; ParameterError on an unknown method; TypeError for what is neither.
    """
    given, of_users = ai_votes_of(ai_votes), None if votes is None else votes_of(votes)
    return calibrate_scores(given, truth_of(truth), votes=of_users, method=method, seed=seed)


def evidence_of(given: GivenLabels, experts: Truth, columns: Mapping[str, str] | None = None) -> Consensus | Evidence:
    """Labels, and what else is known of them, on the observations of experts at least. Raises TypeError, VotesError."""
    if isinstance(given, Consensus | Evidence):
        return given
    if isinstance(given, Run):
        return given.evidence(experts).evidence
    if isinstance(given, Truth):
        given = {"observation_id": given.observation_ids, "label": given.labels}
    if isinstance(given, Votes) or not is_frame(given):
        write = "Wawa().fit(votes), or a frame of observation_id and label"
        if isinstance(given, str | os.PathLike):
            path = path_in_words(given)
            write = f"open_run({path}), or read_truth({path}) for a table of labels alone"
        elif hasattr(given, "labels_"):  # an aggregator of crowd-kit
            write = "what its fit_predict returns"
        raise wrong_type("a consensus", given, write)
    return evidence_of_frame(*_with_names(given, columns))


def _as_evidence(given: Consensus | Evidence) -> Evidence:
    return given if isinstance(given, Evidence) else Evidence.of(given)


def _readable_again(given: Any) -> Any:
    """A frame that can be read more than once, even if the one given cannot; anything else as it is."""
    if isinstance(given, (*OBJECTS, Mapping)) or not is_frame(given) or is_pandas(given, "DataFrame", "Series"):
        return given
    return to_table(given)


def _check_names(columns: Mapping[str, str] | None, *given: object) -> None:
    """Raise VotesError if there are frames, but one of the names that ``columns`` has is in none of them."""
    check_columns(columns)
    frames = [each for each in given if is_frame(each) and not isinstance(each, OBJECTS)]
    names = dict.fromkeys(name for frame in frames for name in source_of(frame).names) if columns else {}
    unknown = [theirs for theirs in (columns or {}).values() if theirs not in names]
    if frames and unknown:
        raise VotesError(f"no table has a column {unknown[0]!r}: there are {names_in_words(list(names))}")


def _with_names(frame: Frame, columns: Mapping[str, str] | None) -> tuple[Frame, dict[str, str]]:
    """A frame, and those of ``columns`` that it has, as several frames may have names of their own."""
    frame = _readable_again(frame)
    names = source_of(frame).names if columns else ()
    return frame, {ours: theirs for ours, theirs in (columns or {}).items() if theirs in names}


def truth_of(given: GivenTruth, columns: Mapping[str, str] | None = None) -> Truth:
    """Expert labels as they are, or from a frame. Raises TypeError, or VotesError."""
    return given_truth(*_with_names(given, columns)) if is_frame(given) else given_truth(given)


def votes_of(given: GivenVotes, columns: Mapping[str, str] | None = None) -> Votes:
    """Votes as they are, or from a frame. Raises TypeError, or VotesError."""
    if isinstance(given, Votes):
        return given.without_experts
    if isinstance(given, Consensus) or not is_frame(given):
        write = "consensus.votes" if isinstance(given, Consensus) else f"read_votes({path_in_words(given)})"
        raise wrong_type("votes", given, write)
    frame, names = _with_names(given, columns)
    return votes_from_table(frame, columns=names)


def ai_votes_of(given: "AiVotes | Frame") -> AiVotes:
    """AI votes as they are, or from a frame. Raises TypeError, or VotesError."""
    if isinstance(given, AiVotes):
        return given
    if not is_frame(given):
        raise wrong_type("AI votes", given, f"read_ai_votes({path_in_words(given)})")
    return ai_votes_from_table(given)
