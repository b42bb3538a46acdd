"""Fit strategies to one log, one after the other: seconds and accuracy of each. ``strategies.py`` starts this.

    python -m benchmarks.fit_strategies plant-aggregate VOTES --truth TRUTH --strategies majority mace --output FILE
    python -m benchmarks.fit_strategies crowd-kit VOTES --truth TRUTH --strategies majority --output FILE

A strategy may have parameters: ``mace:guess_votes=10``, ``glad:prior_mean=0,prior_variance=2``. Both contenders get the
same votes, cleaned by plant-aggregate. The seconds are those from votes in memory to the shares of all labels, the
least of several fits; ours have their kernels compiled, and list what is disputed anew in each fit.
"""

import argparse
import dataclasses
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

import plant_aggregate
from benchmarks.crowds import cleaned, expected_accuracy
from plant_aggregate.strategies.registry import get

TOY = {"observation_id": [1, 1, 1, 2, 3, 3], "user_id": [1, 2, 3, 1, 2, 3], "label": ["a", "a", "b", "a", "b", "b"]}


def main() -> None:
    """Parse, fit, write."""
    parser = argparse.ArgumentParser(description="Seconds and accuracy of strategies on one log.")
    parser.add_argument("contender", choices=["plant-aggregate", "crowd-kit"])
    parser.add_argument("votes", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--strategies", nargs="+", required=True, metavar="NAME[:PARAMETER=VALUE,...]")
    parser.add_argument("--seconds", type=float, default=1.0, help="repeat a fit until so many are spent (default 1)")
    parser.add_argument("--repeat", type=int, default=5, help="but so often at most (default 5)")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    votes = plant_aggregate.read_votes(options.votes)
    truth = None if options.truth is None else pd.read_parquet(options.truth)
    fitter = ours if options.contender == "plant-aggregate" else crowdkits
    counts = {"observations": votes.n_observations, "users": votes.n_users, "labels": votes.n_labels}
    counts |= {"votes": votes.n_votes, "gold": 0 if truth is None else len(truth)}
    found = []
    for name in options.strategies:
        fit, shares, facts = fitter(name, votes)
        result, seconds = timed(fit, options.repeat, options.seconds)
        accuracy = None if truth is None else expected_accuracy(shares(result), truth)
        found.append({"strategy": name, "seconds": seconds, "accuracy": accuracy, **facts(result)})
    options.output.write_text(json.dumps({"counts": counts, "fits": found}))


def timed(fit: Callable[[], Any], repeat: int, enough: float) -> tuple[Any, float]:
    """The result of the last fit, and the seconds of the shortest."""
    least, spent, result = float("inf"), 0.0, None
    for _ in range(repeat):
        begun = time.perf_counter()
        result = fit()
        seconds = time.perf_counter() - begun
        least, spent = min(least, seconds), spent + seconds
        if spent >= enough:
            break
    return result, least


def ours(name: str, votes: plant_aggregate.Votes) -> tuple[Callable[..., Any], ...]:
    """Functions that fit, that return the shares, and that return further facts of the fit."""
    strategy_name, _, given = name.partition(":")
    parameters = dict(pair.split("=") for pair in given.split(",")) if given else {}
    strategy = get(strategy_name)(**{key: json.loads(value) for key, value in parameters.items()})
    fitted = strategy.taken(votes).strategy if isinstance(strategy, plant_aggregate.Auto) else strategy
    fitted.fit(plant_aggregate.votes_from_table(pa.table(TOY)))  # compiles the kernels if need be, and loads them
    return (
        lambda: strategy.fit(dataclasses.replace(votes)),  # a copy knows nothing of its disputes yet
        lambda consensus: consensus.posteriors_to_pandas(),
        lambda consensus: {
            "fitted": consensus.strategy,
            "iterations": len(consensus.trace.iterations),
            "converged": consensus.trace.converged,
        },
    )


def crowdkits(name: str, votes: plant_aggregate.Votes) -> tuple[Callable[..., Any], ...]:
    """Functions that fit, that return the shares, and that return further facts of the fit."""
    from crowdkit import aggregation as kit

    frame = cleaned(votes)

    def vote(skills: pd.Series | None = None) -> pd.DataFrame:
        return kit.MajorityVote().fit(frame, skills=skills).probas_

    # The fit of two of them ends with the users' skills. Their own last vote is this one, behind a check that fails
    # under the releases of scikit-learn since 1.7.
    fits = {
        "majority": vote,
        "wawa": lambda: vote(kit.Wawa().fit(frame).skills_),
        "zero-based-skill": lambda: vote(kit.ZeroBasedSkill().fit(frame).skills_),
        "dawid-skene": lambda: kit.DawidSkene(n_iter=100).fit(frame).probas_,
        "dawid-skene to the end": lambda: kit.DawidSkene(n_iter=100, tol=float("-inf")).fit(frame).probas_,
        "one-coin": lambda: kit.OneCoinDawidSkene(n_iter=100).fit(frame).probas_,
        "glad": lambda: kit.GLAD().fit(frame).probas_,
        "mace": lambda: kit.MACE().fit(frame).probas_,
    }

    def shares(probabilities: pd.DataFrame) -> pd.DataFrame:
        long = probabilities.rename_axis(index="observation_id", columns="label").stack()
        return long.rename("share").reset_index()

    return fits[name], shares, lambda _: {}


if __name__ == "__main__":
    main()
