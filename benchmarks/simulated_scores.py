"""Compare simulated score lists with real ones, in a table for docs/simulation.md.

python -m benchmarks.simulated_scores FOLDER

FOLDER has scores.parquet, and experts.parquet with the labels of some of the observations.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import plant_aggregate

SIMULATED = {"scale": 0.1, "seed": 1}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
IMAGES = ((100, np.inf), (10, 100), (1, 10))
BANDS = ((0, 0.6), (0.6, 0.8), (0.8, 1.01))


def figures(scores: pa.Table, truth: pa.Table, counts: pa.Table | None = None) -> dict[str, str]:
    """What is compared, by its name."""
    lists = scores["probabilities"].combine_chunks()
    p = lists.flatten().to_numpy().astype(float)
    names = np.asarray(scores["labels"].combine_chunks().flatten())
    length = np.diff(lists.offsets.to_numpy())
    row = np.repeat(np.arange(length.size), length)
    order = np.lexsort((names, -p, row))
    p, names, begins = p[order], names[order], np.cumsum(length) - length
    place = np.arange(p.size) - begins[row]
    genus = np.array([name.split()[0] for name in names])
    second = np.where(length > 1, p[np.minimum(begins + 1, p.size - 1)], 0)
    total = np.bincount(row, p)

    labels = dict(zip(truth["observation_id"].to_pylist(), truth["label"].to_pylist(), strict=True))
    true = np.array([labels.get(number) for number in scores["observation_id"].to_pylist()], dtype=object)
    known = true != None  # noqa: E711 - of an array
    found = np.flatnonzero(names == true[row])
    rank = np.zeros(length.size, np.int64)
    rank[row[found]] = place[found] + 1
    first = p[begins]
    few = (place > 0) & (place < 10)
    return {
        "species in a list": quantiles(length, ".0f"),
        "probability of the first": quantiles(first, ".2f"),
        "of the second": quantiles(second, ".3f"),
        "sum of a list": quantiles(total, ".2f"),
        "lists with a sum above 1": f"{100 * (total > 1).mean():.0f} %",
        "the next nine of the genus of the first": f"{100 * (genus[few] == genus[begins][row[few]]).mean():.0f} %",
        "observations with a true label": f"{known.sum():,}",
        "first is right": f"{100 * (rank[known] == 1).mean():.0f} %",
        "true label not in the list": f"{100 * (rank[known] == 0).mean():.1f} %",
        **{
            f"first is right, its probability {low:g} to {min(high, 1):g}": banded(rank, first, known, low, high)
            for low, high in BANDS
        },
        **of_rarity(rank[known], true[known], counts),
    }


def of_rarity(rank: np.ndarray, true: np.ndarray, counts: pa.Table | None) -> dict[str, str]:
    """How often the first is right, by the number of training images of the true label."""
    named = dict(zip(*(counts[name].to_pylist() for name in ("label", "count")), strict=True)) if counts else {}
    images = np.array([named.get(name, 0) for name in true])
    parts = [(images >= low) & (images < high) for low, high in IMAGES]
    found = [f"{100 * (rank[part] == 1).mean():.0f} %" if counts else "not known" for part in parts]
    return dict(
        zip(("first is right, of species with 100 images or more", "with 10 to 99", "with 1 to 9"), found, strict=True)
    )


def quantiles(values: np.ndarray, form: str) -> str:
    """Five quantiles."""
    return " ".join(format(value, form) for value in np.quantile(values, QUANTILES))


def banded(rank: np.ndarray, first: np.ndarray, known: np.ndarray, low: float, high: float) -> str:
    """How often the first is right, where its probability is in a range, beside its mean probability."""
    part = known & (first >= low) & (first < high)
    return f"{100 * (rank[part] == 1).mean():.0f} % (mean probability {first[part].mean():.2f})"


def main() -> None:
    """Parse, simulate, count, print."""
    parser = argparse.ArgumentParser(description="Simulated score lists beside real ones.")
    parser.add_argument("folder", type=Path, help="folder with scores.parquet and experts.parquet")
    folder = parser.parse_args().folder
    tables = plant_aggregate.simulate(**SIMULATED, scores=True).tables
    real = figures(*(pq.read_table(folder / f"{name}.parquet") for name in ("scores", "experts")))
    simulated = figures(tables.scores, tables.truth, tables.training_counts)
    print("| | real | simulated |\n|---|---|---|")
    for name, value in real.items():
        print(f"| {name} | {value} | {simulated[name]} |")


if __name__ == "__main__":
    main()
