"""How long one observation's set takes where a service has the predictor at hand: ``predict_one`` to JSON.

``python -m benchmarks.one_set`` prints the median over many calls, after a first one that loads all that is needed.
"""

import argparse
import json
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.score_lists import made_lists
from plant_aggregate import NamedScores, Taxonomy, fit_sets
from plant_aggregate.arrow import strings, to_arrow
from plant_aggregate.classifier_scores import ClassifierScores


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, and time single calls."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=50_000, help="of the label space [default: 50,000]")
    parser.add_argument("--listed", type=int, default=100, help="of each list [default: 100]")
    parser.add_argument("--calls", type=int, default=1000, help="[default: 1,000]")
    given = parser.parse_args(arguments)
    lists = made_lists(20_000, given.listed, given.labels)
    names = strings(f"Genus{k // 8:05} species{k:05}" for k in range(given.labels))
    n, ids = len(lists.truth), to_arrow(np.arange(len(lists.truth)))
    coded = ClassifierScores(np.arange(n + 1) * given.listed, lists.labels.reshape(-1), lists.probabilities.reshape(-1))
    truth = {"observation_id": ids, "label": names.take(to_arrow(lists.truth))}
    taxonomy = Taxonomy.of_genera(names)
    rows = NamedScores(ids, names, coded).to_arrow().slice(0, given.calls).to_pylist()
    likely = [dict(zip(row["labels"], row["probabilities"], strict=True)) for row in rows]
    for score in ("softmax", "pas"):
        predictor = fit_sets(NamedScores(ids, names, coded), truth, score=score, alpha=0.1)
        for what, unknown in (("known labels", {}), ("one unknown label", {"Unknown species": 0.001})):
            seconds = []
            for each in likely[:1] + likely:
                start = time.perf_counter()
                json.dumps(predictor.predict_one({**each, **unknown}).with_taxa(taxonomy).records()[0])
                seconds.append(time.perf_counter() - start)
            first, *others = 1000 * np.array(seconds)
            quantiles = np.quantile(others, [0.5, 0.99])
            print(
                f"{score}, {what}: median {quantiles[0]:.2f} ms, 99 % {quantiles[1]:.2f} ms, first call {first:.0f} ms"
            )


if __name__ == "__main__":
    main()
