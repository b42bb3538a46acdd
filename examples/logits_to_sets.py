"""From a classifier's logits to sets of likely species, and to what the page of an observation shows.

    python examples/logits_to_sets.py

A linear classifier of made-up species stands in for a network: it is one of PyTorch if that is installed, else the same
in NumPy. Species of a genus look alike, and a few of them have most of the training images. Sets are fitted on labelled
observations, measured on others, and one of them is printed as JSON, as a service would answer.
"""

import argparse
import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

import plant_aggregate

GENERA, SPECIES, FEATURES = 40, 5, 24  # SPECIES: of each genus
BATCH = 500  # observations that the model sees at a time


class World:
    """Species with names, training counts and a place in the space of features, and the classifier of them."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.species = [f"Genus{g:02} species{s}" for g in range(GENERA) for s in range(SPECIES)]
        n = len(self.species)
        genera = self.random.normal(size=(GENERA, FEATURES)).repeat(SPECIES, axis=0)
        self.centres = genera + 0.5 * self.random.normal(size=(n, FEATURES))
        self.counts = np.ceil(2000 / self.random.permutation(np.arange(1, n + 1)))
        bias = np.log(self.counts / self.counts.sum()) - (self.centres**2).sum(axis=1) / 2
        self.model = linear(self.centres, bias)

    def observed(self, n: int) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float32]]]:
        """The true species of n observations, as common as in training, and their features."""
        true = self.random.choice(len(self.species), n, p=self.counts / self.counts.sum())
        features = self.centres[true] + self.random.normal(size=(n, FEATURES))
        return [self.species[k] for k in true], features.astype(np.float32)

    def logits(self, features: np.ndarray[Any, np.dtype[np.float32]]) -> Iterator[Any]:
        """The model's logits, batch by batch."""
        for start in range(0, len(features), BATCH):
            yield self.model(features[start : start + BATCH])


def linear(weights: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> Any:
    """A linear layer: of PyTorch if that is installed, which gives tensors with gradients."""
    if find_spec("torch") is None:
        return lambda features: features @ weights.T.astype(np.float32) + bias.astype(np.float32)
    import torch

    layer = torch.nn.Linear(weights.shape[1], weights.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights))
        layer.bias.copy_(torch.from_numpy(bias))
    return lambda features: layer(torch.from_numpy(features))


def main() -> None:
    """Fit, measure, and print one answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="draws the species and the observations [default: 0]")
    world = World(parser.parse_args().seed)

    # Once, after training: thresholds from observations whose species is known.
    true, features = world.observed(4000)
    scores = plant_aggregate.scores_from_matrix(world.logits(features), world.species, logits=True)
    truth = {"observation_id": range(len(true)), "label": true}
    counts = dict(zip(world.species, world.counts, strict=True))
    predictor = plant_aggregate.fit_sets(scores, truth, score="pas", counts=counts, alpha=0.1)

    # In the app, for every new picture.
    true, features = world.observed(4000)
    scores = plant_aggregate.scores_from_matrix(world.logits(features), world.species, logits=True)
    sets = predictor.predict(scores).with_taxa()

    answers = sets.records()
    covered = [
        label in [each["label"] for each in answer["labels"]] for label, answer in zip(true, answers, strict=True)
    ]
    sizes = [answer["size"] for answer in answers]
    print(f"{len(answers):,} new observations: {np.mean(covered):.1%} of the sets have the true species")
    print(f"species in a set: {np.mean(sizes):.2f} in the mean, {np.median(sizes):.0f} in the median")
    print(json.dumps(next(a for a in answers if a["size"] == 2 and a["common_taxon"]), indent=2))


if __name__ == "__main__":
    main()
