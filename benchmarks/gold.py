"""What experts' labels in the estimate are worth, on real crowds whose truth is known.

    python -m benchmarks.gold --crowds FOLDER

A share of the observations with truth is drawn as experts' labels, and given to each strategy that takes them; what it
says of the other observations with truth is judged, a tie of n labels, one of them right, as 1 / n right. Beside it
stands the same strategy without, and what one would do with the same labels otherwise: take the strategy that is right
most often on them. A second part asks which observations to have labelled: those asked come from one half of the
observations with truth, and the other half, of which none is ever asked, is judged.

A third part does so on a simulated species log, where `plantnet` is asked: what an expert confirms there makes users
self-validating.

All in one process. Replaces docs/measured/gold.json, from which ``docs/update.py`` fills docs/experts.md, and prints
the tables as Markdown. The crowds are not part of this repository: FOLDER has NAME/votes.parquet, NAME/truth.parquet.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.crowds import TIED, crowds_with_truth
from benchmarks.gold_results import CURVE, SHARES, TABLES
from benchmarks.results import Session
from plant_aggregate import (
    Consensus,
    PlantNet,
    Truth,
    Votes,
    read_truth,
    read_votes,
    simulate,
    truth_from_table,
    votes_from_table,
)
from plant_aggregate.arrays import Floats, Indices
from plant_aggregate.arrow import to_arrow
from plant_aggregate.side_inputs import SideInputs
from plant_aggregate.strategies.base import Strategy
from plant_aggregate.strategies.registry import STRATEGIES
from plant_aggregate.truth import codes_among, known_rows

if TYPE_CHECKING:
    import pandas as pd

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "measured" / "gold.json"
DRAWS = 20
WEIGHTS = (1.0, 5.0)
OF_CURVE = "auto"
"""The strategy of which more shares are measured, and whose consensus says what to ask about."""


class Known(NamedTuple):
    """A crowd, and the observations whose truth is known."""

    votes: Votes
    rows: Indices  # int64[n], ascending
    experts: Truth  # of these rows

    @classmethod
    def read(cls, folder: Path) -> "Known":
        """Of a folder of files."""
        votes = read_votes(folder / "votes.parquet")
        known = known_rows(read_truth(folder / "truth.parquet"), votes, "the votes")
        return cls(votes, known.rows, Truth(votes.observation_ids.take(to_arrow(known.rows)), known.labels))

    def right(self, strategy: Strategy, given: Indices | None = None) -> Floats:
        """How right the strategy is on each of the rows, float64[n]; ``given`` of them has experts' labels."""
        inputs = SideInputs(experts=None if given is None else self.experts.at(np.sort(given)))
        return expected_right(strategy.fit(self.votes, inputs), self.rows, self.experts)


def expected_right(consensus: Consensus, rows: Indices, experts: Truth) -> Floats:
    """For each of the rows 1 if the likeliest label is the experts', 1 / n if it is one of n that are tied, else 0."""
    truth = np.full(consensus.n_observations, -1, np.int32)
    truth[rows] = codes_among(consensus.votes.label_names, experts.labels)
    right = (consensus.labels == truth).astype(np.float64)
    disputed, shares = consensus.disputed, consensus.candidate_shares
    starts = disputed.candidates.offsets[:-1]
    sizes = np.diff(disputed.candidates.offsets)
    if sizes.size:
        tied = shares >= np.repeat(np.maximum.reduceat(shares, starts), sizes) * (1 - TIED)
        hits = tied & (disputed.candidates.labels == np.repeat(truth[disputed.observations], sizes))
        right[disputed.observations] = np.add.reduceat(hits, starts, dtype=float) / np.add.reduceat(
            tied, starts, dtype=float
        )
    return right[rows]


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description="Accuracy with experts' labels in the estimate.")
    parser.add_argument("--crowds", type=Path, required=True, help="folder of NAME/votes.parquet, NAME/truth.parquet")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="crowds to take (default all)")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"draws of experts' labels (default {DRAWS})")
    parser.add_argument("--labels", type=int, nargs="+", default=[200, 1000], help="experts' labels of a species log")
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file (default docs/measured)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    folders = [f for f in crowds_with_truth(options.crowds) if options.only is None or f.name in options.only]
    if not folders:
        sys.exit(f"no crowds with truth in {options.crowds}")
    session = Session.begin(["numba", "numpy"])
    measured = []
    for folder in folders:
        known = Known.read(folder)
        sizes = {"observations": known.votes.n_observations, "with_truth": known.rows.size}
        measured.append(
            {"crowd": folder.name, **sizes, **given(known, options.draws), "asked": asked(known, options.draws)}
        )
        print(folder.name, file=sys.stderr, flush=True)
    here = {"date": session.date, "machine": session.machine, "versions": session.versions}
    log = [row for n in options.labels for row in species_log(n)]
    results = {**here, "draws": options.draws, "measured": measured, "species_log": log}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    for name, table in TABLES.items():
        print(f"\n### {name}\n\n{table(results)}")


def given(known: Known, draws: int) -> dict[str, Any]:
    """Mean accuracy over the draws by share of experts' labels and strategy: without, with each weight, and chosen."""
    strategies = {name: kind() for name, kind in STRATEGIES.items()}
    without = {name: known.right(strategy) for name, strategy in strategies.items()}
    found: dict[str, list[float]] = {}
    n = known.rows.size
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(n)
        never = order[at_least_one(max(CURVE), n) :]
        for share in CURVE:
            gold, rest = np.split(order, [at_least_one(share, n)])
            judged = never if share not in SHARES else rest
            for name, strategy in strategies.items():
                if "experts" not in strategy.takes or (name != OF_CURVE and share not in SHARES):
                    continue
                for weight, weighted in weighing(strategy).items() if share in SHARES else [(1.0, strategy)]:
                    right = known.right(weighted, gold)
                    keep(found, f"{share:g} {name} {weight:g}", right[judged])
                    if name == OF_CURVE and weight == 1:
                        keep(found, f"{share:g} curve", right[never])
            if share in SHARES:
                for name, right in without.items():
                    keep(found, f"{share:g} {name} without", right[rest])
                keep(found, f"{share:g} chosen", chosen_by(without, gold)[rest])
        keep(found, "0 curve", without[OF_CURVE][never])
    return {"labels": {f"{share:g}": at_least_one(share, n) for share in CURVE}, "accuracy": means(found)}


def keep(found: dict[str, list[float]], name: str, right: Floats) -> None:
    """Add the accuracy of a draw."""
    found.setdefault(name, []).append(float(right.mean()))


def means(found: dict[str, list[float]]) -> dict[str, float]:
    """Of all draws."""
    return {name: round(float(np.mean(values)), 6) for name, values in found.items()}


def at_least_one(share: float, n: int) -> int:
    """The number of labels that a share of n is."""
    return max(1, round(share * n))


def weighing(strategy: Any) -> dict[float, Strategy]:
    """The strategy by how many times votes on experts' observations count; once if it does not weigh them."""
    if not any(item.name == "expert_weight" for item in fields(strategy)):
        return {1.0: strategy}
    return {weight: replace(strategy, expert_weight=weight) for weight in WEIGHTS}


def chosen_by(without: dict[str, Floats], gold: Indices) -> Floats:
    """How right the strategy is that is right most often on ``gold``; the mean of those that are tied."""
    on_gold = {name: right[gold].mean() for name, right in without.items() if name != "auto"}
    best = max(on_gold.values())
    tied: Floats = np.mean([without[name] for name, value in on_gold.items() if value >= best - 1e-12], axis=0)
    return tied


Order = Callable[[Consensus, Indices, np.random.Generator], Floats]
"""Of a consensus without experts' labels and rows of it, a number for each: those with the least are asked first."""

ORDERS: dict[str, Order] = {
    "at random": lambda consensus, rows, random: random.random(rows.size),
    "lowest agreement": lambda consensus, rows, random: consensus.agreement[rows],
    "lowest confidence": lambda consensus, rows, random: consensus.confidence[rows],
    "most votes": lambda consensus, rows, random: -np.diff(consensus.votes.offsets)[rows].astype(float),
    "disputed, most votes": lambda consensus, rows, random: (
        -np.where(consensus.n_labels[rows] > 1, np.diff(consensus.votes.offsets)[rows], 0).astype(float)
    ),
}
"""Which observations to have labelled by experts; ties at random."""


def asked(known: Known, draws: int) -> dict[str, dict[str, float]]:
    """Mean accuracy by order of asking: of observations that are never asked, and of all, those asked being right."""
    strategy = STRATEGIES[OF_CURVE]()
    consensus = strategy.fit(known.votes)
    without = expected_right(consensus, known.rows, known.experts)
    found: dict[str, list[float]] = {}
    n = known.rows.size
    for draw in range(draws):
        random = np.random.default_rng(1000 + draw)
        pool, never = np.split(random.permutation(n), [n // 2])
        keep(found, "nobody never", without[never])
        keep(found, "nobody all", without)
        for share in SHARES:
            size = at_least_one(share, n)
            for name, order in ORDERS.items():
                keys = order(consensus, known.rows[pool], random)
                chosen = pool[np.lexsort([random.random(pool.size), keys])[:size]]
                right = known.right(strategy, chosen)
                keep(found, f"{share:g} {name} never", right[never])
                right[chosen] = 1
                keep(found, f"{share:g} {name} all", right)
    return means(found)


def near_eight(consensus: "pd.DataFrame", users: "pd.DataFrame", votes: "pd.DataFrame", n: int = 8) -> "pd.Series[Any]":
    """Observations to have labelled, so that authors reach n species: those first by whom most observations wait."""
    status = consensus[["observation_id", "label", "status"]]
    authored = votes[votes["is_author"]].drop_duplicates(["observation_id", "user_id"])
    authored = authored.merge(status, on=["observation_id", "label"]).merge(
        users[["user_id", "n_species"]], on="user_id"
    )
    waiting = authored[(authored["status"] == "needs_votes") & (authored["n_species"] < n)]
    waiting = waiting.assign(missing=n - waiting["n_species"])
    waiting["worth"] = waiting.groupby("user_id")["label"].transform("size") / waiting["missing"]
    has = authored.loc[authored["status"] == "valid", ["user_id", "label"]].drop_duplicates()
    new = waiting.merge(has, on=["user_id", "label"], how="left", indicator=True)
    new = new[new["_merge"] == "left_only"].drop_duplicates(["user_id", "label"])
    by_user = new.groupby("user_id")
    enough = by_user["label"].transform("size") >= new["missing"]
    chosen = new[enough & (by_user.cumcount() < new["missing"])]
    return chosen.sort_values(["worth", "user_id", "observation_id"], ascending=[False, True, True])["observation_id"]


def species_log(n: int, scale: float = 0.01) -> list[dict[str, Any]]:
    """What n labels of experts add to the valid labels of ``plantnet``, by what was asked first."""
    import pandas as pd

    tables = simulate(scale, seed=7).tables
    log, votes = votes_from_table(tables.votes), tables.votes.to_pandas()
    truth = tables.truth.to_pandas().set_index("observation_id")["label"]

    def counted(consensus: "pd.DataFrame") -> "pd.Series[Any]":
        right = consensus["label"] == truth.reindex(consensus["observation_id"]).to_numpy()
        return pd.Series({"right": (right & consensus["valid"]).sum(), "wrong": (~right & consensus["valid"]).sum()})

    found = PlantNet().fit(log)
    consensus, users = found.to_pandas(), found.users_to_pandas()
    consensus["status"] = consensus["status"].astype(str)
    shuffled = consensus.sample(frac=1, random_state=0)
    rest = shuffled[~shuffled["valid"]]
    queues = {
        "at random": shuffled["observation_id"],
        "not valid, at random": rest["observation_id"],
        "contested, then lowest confidence": rest.assign(agreed=rest["status"] != "contested").sort_values(
            ["agreed", "confidence"], kind="stable"
        )["observation_id"],
        "authors near eight species": near_eight(consensus, users, votes),
    }
    before, rows = counted(consensus), []
    for name, ids in queues.items():
        experts = truth_from_table({"observation_id": ids[:n].to_numpy(), "label": truth.loc[ids[:n]].to_numpy()})
        gained = counted(PlantNet().fit(log, experts=experts).to_pandas()) - before
        rows.append({"asked": name, "labels": len(experts), **{key: int(value) for key, value in gained.items()}})
    return rows


if __name__ == "__main__":
    main()
