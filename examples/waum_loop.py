"""Train, find the ambiguous observations by the scores of the training, leave them out, train again.

    pip install -e '.[examples]' && python examples/waum_loop.py

The loop is the one for real pictures; here everything but the loop is made up. Observations are points around the
centres of twelve species, their embeddings. Most have one vote or two; novices take a species for its sister up to
half of the time. One observation in five is a bad picture: its embedding lies anywhere, three times as far out, and
its votes are guesses. This is where pruning helps: such observations carry no truth and pull hard on a linear
classifier. With few bad pictures, or thousands of good ones to outvote them, there is a point to win or less.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import SGDClassifier

import plant_aggregate

SPECIES = [
    f"{genus} {kind}" for genus in ("Acer", "Abies", "Ulex", "Vicia", "Rosa", "Salix") for kind in ("alba", "minor")
]
N_OBSERVATIONS = 1500
N_USERS = 300
N_FEATURES = 24
BAD_PICTURES = 1 / 5
EPOCHS = 12
TOP = 5
"""Labels that a score list keeps."""


def simulate(chance: np.random.Generator) -> tuple[pa.Table, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Votes, embeddings of the observations, and a clean test set (embeddings, species)."""
    centres = chance.normal(size=(len(SPECIES), N_FEATURES))
    centres[1::2] = centres[::2] + 0.5 * centres[1::2]  # sister species are alike
    truth = chance.integers(len(SPECIES), size=N_OBSERVATIONS)
    embeddings = centres[truth] + chance.normal(size=(N_OBSERVATIONS, N_FEATURES))
    is_bad = chance.random(N_OBSERVATIONS) < BAD_PICTURES
    embeddings[is_bad] = 3.0 * chance.normal(size=(is_bad.sum(), N_FEATURES))

    skill = chance.beta(3, 1, size=N_USERS)
    rows = []
    for i in range(N_OBSERVATIONS):
        for u in chance.choice(N_USERS, size=chance.choice([1, 2, 3], p=[0.6, 0.25, 0.15]), replace=False):
            knows = chance.random() < 0.5 + 0.5 * skill[u]
            label = truth[i] if knows else truth[i] ^ 1
            rows.append((i, int(u), SPECIES[chance.integers(len(SPECIES)) if is_bad[i] else label]))
    votes = pa.table({name: [row[n] for row in rows] for n, name in enumerate(("observation_id", "user_id", "label"))})

    species = chance.integers(len(SPECIES), size=4000)
    return votes, embeddings, (centres[species] + chance.normal(size=(4000, N_FEATURES)), species)


def train(
    embeddings: np.ndarray, labels: np.ndarray, seed: int, scores: pq.ParquetWriter | None = None
) -> SGDClassifier:
    """Logistic regression, a species against the others; writes the scores of every observation at every epoch."""
    chance = np.random.default_rng(seed)
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.003, average=True, random_state=seed)
    for epoch in range(EPOCHS):
        order = chance.permutation(len(labels))
        model.partial_fit(embeddings[order], labels[order], classes=np.arange(len(SPECIES)))
        if scores is not None:
            scores.write_table(score_lists(model, embeddings, epoch))
    return model


def score_lists(model: SGDClassifier, embeddings: np.ndarray, epoch: int) -> pa.Table:
    """The largest probabilities of each observation, in the columns that plant-aggregate reads."""
    probabilities = model.predict_proba(embeddings)
    top = np.argsort(-probabilities, axis=1)[:, :TOP]
    return pa.table(
        {
            "observation_id": np.arange(len(embeddings)),
            "epoch": np.full(len(embeddings), epoch),
            "labels": [[SPECIES[k] for k in row] for row in top],
            "probabilities": list(np.take_along_axis(probabilities, top, axis=1).astype(np.float32)),
        },
        schema=SCORES,
    )


SCORES = pa.schema(
    [
        ("observation_id", pa.int64()),
        ("epoch", pa.int32()),
        ("labels", pa.list_(pa.string())),
        ("probabilities", pa.list_(pa.float32())),
    ]
)


def main() -> None:
    """The loop."""
    parser = argparse.ArgumentParser(description="Prune by WAUM and train again.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alpha", type=float, default=0.2, help="share of the observations to prune (default 0.2)")
    options = parser.parse_args()
    table, embeddings, (test, species) = simulate(np.random.default_rng(options.seed))

    # Votes become labels.
    votes = plant_aggregate.votes_from_table(table)
    consensus = plant_aggregate.DawidSkene().fit(votes)
    names = votes.label_names.to_pylist()
    labels = np.array([SPECIES.index(names[code]) for code in consensus.labels])

    # The classifier is trained on all of them, and its scores are kept.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.parquet"
        with pq.ParquetWriter(path, SCORES) as writer:
            first = train(embeddings, labels, options.seed, writer)
        before = np.mean(first.predict(test) == species)

        # What it never came to believe is left out, and it is trained anew.
        found = plant_aggregate.ambiguity_of(consensus, path, plant_aggregate.AmbiguitySettings(alpha=options.alpha))
    kept = ~found.pruned
    after = np.mean(train(embeddings[kept], labels[kept], options.seed).predict(test) == species)
    # As many left out by chance: what having less to learn from does by itself.
    by_chance = np.random.default_rng(options.seed).permutation(kept)
    control = np.mean(train(embeddings[by_chance], labels[by_chance], options.seed).predict(test) == species)
    print(f"{votes.n_votes:,} votes on {votes.n_observations:,} observations; {np.sum(~kept):,} pruned")
    print(f"accuracy trained on all            {100 * before:.1f} %")
    print(f"accuracy without the ambiguous     {100 * after:.1f} %")
    print(f"accuracy without as many by chance {100 * control:.1f} %")


if __name__ == "__main__":
    main()
