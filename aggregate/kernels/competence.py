"""The sums of MACE over pairs of a user and a label that the user voted: known and guessed votes."""

from ..arrays import Floats, Offsets, Weights
from .jit import kernel


@kernel
def split_votes(
    first: int,
    last: int,
    offsets: Offsets,
    right: Floats,
    n_votes: Floats,
    knowing: Weights,
    guesses: Floats,
    known_votes: Floats,
    guessed_votes: Floats,
) -> None:
    """Split each user's votes into known and guessed ones.

    The pairs of user u are the slice offsets[u]:offsets[u + 1]. Of the ``n_votes`` of a pair, the posteriors say that
    ``right`` are right; of these the share knowing[u] / (knowing[u] + (1 - knowing[u]) guesses) was known. Fills
    known_votes by user, and guessed_votes by pair.
    """
    for u in range(first, last):
        known_votes[u] = 0.0
        for pair in range(offsets[u], offsets[u + 1]):
            guess = (1.0 - knowing[u]) * guesses[pair]
            known = right[pair]
            if knowing[u] + guess > 0.0:
                known *= knowing[u] / (knowing[u] + guess)
            known_votes[u] += known
            guessed_votes[pair] = n_votes[pair] - known


@kernel
def vote_probabilities(
    first: int, last: int, offsets: Offsets, knowing: Weights, guesses: Floats, right: Floats, wrong: Floats
) -> None:
    """The probability of a pair's votes where the label is right, and where it is wrong, by pair."""
    for u in range(first, last):
        for pair in range(offsets[u], offsets[u + 1]):
            wrong[pair] = (1.0 - knowing[u]) * guesses[pair]
            right[pair] = knowing[u] + wrong[pair]


@kernel
def guess_probabilities(
    first: int,
    last: int,
    offsets: Offsets,
    known_votes: Floats,
    user_votes: Floats,
    guessed_votes: Floats,
    prior_votes: float,
    mean_knowing: float,
    guess_votes: float,
    n_labels: int,
    knowing: Weights,
    guesses: Floats,
) -> None:
    """How often each user knows, and which label the user picks when guessing.

    knowing[u] = (known votes + prior_votes mean) / (votes + prior_votes); guesses of a pair = (guessed votes +
    guess_votes / n_labels) / (all guessed votes of the user + guess_votes). Without votes and prior: 1 / n_labels.
    """
    for u in range(first, last):
        knowing[u] = (known_votes[u] + prior_votes * mean_knowing) / (user_votes[u] + prior_votes)
        guessed = user_votes[u] - known_votes[u] + guess_votes
        for pair in range(offsets[u], offsets[u + 1]):
            if guessed > 0.0:
                guesses[pair] = (guessed_votes[pair] + guess_votes / n_labels) / guessed
            else:
                guesses[pair] = 1.0 / n_labels
