"""The trust in each voter: by the confusions of labels, or by the users' weights."""

from typing import TYPE_CHECKING, Literal

from ...consensus import Consensus
from ...progress import Progress
from ...votes import Votes

if TYPE_CHECKING:
    from ...strategies.parts.confusions import Diagonal

MOST_CONFUSIONS = 50_000_000  # users times labels up to which `auto` uses confusions: with more, each has few votes


def chosen_trust(trust: Literal["auto", "confusion", "weight"], votes: Votes) -> Literal["confusion", "weight"]:
    """The basis of trust for ``trust``; ``auto`` is confusions, unless these would be too many."""
    if trust != "auto":
        return trust
    return "confusion" if votes.n_users * votes.n_labels <= MOST_CONFUSIONS else "weight"


def confusion_diagonal(consensus: Consensus, progress: Progress) -> "Diagonal":
    """The diagonal of each user's confusions: those of a consensus of dawid-skene, else of its fit by default."""
    from ...strategies.dawid_skene import ConfusionModel, DawidSkene

    strategy, votes = DawidSkene(), consensus.votes.voted
    if consensus.strategy == DawidSkene.name:
        strategy, fitted = DawidSkene(**consensus.parameters), consensus
    else:
        fitted = strategy.fit(votes, progress=progress)
    model = ConfusionModel(strategy, fitted.votes)
    model.maximise(fitted.candidate_shares)
    return model.diagonal()
