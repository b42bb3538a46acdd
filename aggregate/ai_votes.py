"""The AI's votes: its most likely label of each observation, and the label's score."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Counts, Factors, Flags, Floats, LabelCodes, Offsets, UserCodes
from .arrow import array, to_arrow, to_numpy
from .blocks import FIRST, Block, count, first_rows
from .derived.thresholds import at_least
from .disputes import Disputes
from .errors import VotesError, on_one_line, warn
from .html_blocks import as_html
from .ids.unions import merged
from .kernels.threads import in_blocks
from .truth import codes_among
from .votes import Votes

if TYPE_CHECKING:
    import pyarrow as pa

AI_NAME = "AI"  # the AI among the users, where it is one of them; with integer ids it is -1. See :func:`name_for_ai`


@dataclass(frozen=True, eq=False)
class AiVotes:
    """The AI's label and score for observations, whether users voted on these or not."""

    observation_ids: "pa.Array"
    """Distinct ids, sorted."""
    labels: LabelCodes
    """int32[n]; positions in ``label_names``."""
    scores: Floats
    """float64[n], in [0, 1]."""
    label_names: "pa.Array"
    """Distinct labels, sorted."""
    origin: str = "AI votes"
    """Names the source in messages."""
    rejected: "Mapping[str, int]" = field(default_factory=dict)
    """Rejected rows, by reason."""
    n_unlabelled: int = 0
    """Rows without a label, which were left out."""
    n_further: int = 0
    """Rows left out because their observation has a row with a higher score, or an earlier one."""

    def __len__(self) -> int:
        return self.labels.size

    def __repr__(self) -> str:
        return f"AiVotes({self._in_words})"

    def _repr_html_(self) -> str:
        import pyarrow as pa

        columns = {
            "observation_id": self.observation_ids[:FIRST],
            "label": self.label_names.take(to_arrow(self.labels[:FIRST])),
            "score": to_arrow(self.scores[:FIRST]),
        }
        return as_html([Block(f"The AI's votes on {self._in_words}", first_rows(pa.table(columns), len(self)))])

    @property
    def _in_words(self) -> str:
        names = f"{count(len(self), 'observation')}, {count(len(self.label_names), 'label')}"
        return f"{names}, from {on_one_line(self.origin)}"

    def join(self, votes: Votes) -> tuple[Votes, "AlignedAiVotes"]:
        """The votes on all observations of either, and the AI's votes aligned with these.

        An observation that only the AI has a vote on is without a vote in these Votes, unlike in any others. Raises
        VotesError if ids or labels are of another type than the votes'.
        """
        ids, of_votes, of_ai = merged(votes.observation_ids, self.observation_ids, "observation_id", self.origin)
        names, label_of_votes, label_of_ai = merged(votes.label_names, self.label_names, "label", self.origin)
        offsets, labels = votes.offsets, votes.labels
        if len(ids) > votes.n_observations:
            offsets = np.zeros(len(ids) + 1, np.int64)
            offsets[of_votes + 1] = np.diff(votes.offsets)
            np.cumsum(offsets, out=offsets)
        if len(names) > votes.n_labels:
            labels = label_of_votes[labels]
        ai_labels, scores = label_of_ai[self.labels], self.scores
        if len(self) < len(ids):
            ai_labels = _spread(ai_labels, of_ai, len(ids), np.int32(-1))
            scores = _spread(scores, of_ai, len(ids), np.nan)
        joined = replace(votes, offsets=offsets, labels=labels, observation_ids=ids, label_names=names)
        return joined, AlignedAiVotes(ai_labels, scores)


AI_MODES = ("ignore", "user", "fixed", "invalidating", "confident")  # how the AI's votes may take part in a fit


def counted_labels(labels: LabelCodes, scores: Floats, mode: str, threshold: float) -> LabelCodes:
    """The labels of the AI's votes that count, with a weight of their own, -1 elsewhere: int32[n].

    ``labels`` int32[n], -1 for none; ``scores`` float64[n]. None counts in mode ``ignore``, and none in mode ``user``,
    where they are votes of a user as any; in mode ``confident`` those with a score of at least ``threshold``.
    """
    if mode in ("ignore", "user"):
        return np.full_like(labels, -1)
    if mode == "confident":
        return np.where(at_least(scores, threshold), labels, np.int32(-1))
    return labels


class AlignedAiVotes(NamedTuple):
    """The AI's votes by observation of some Votes."""

    labels: LabelCodes  # int32[n_observations]; -1 where the AI has no vote
    scores: Floats  # float64[n_observations]; NaN where the AI has no vote

    def renamed(self, before: "pa.Array", now: "pa.Array") -> "AlignedAiVotes":
        """The same where the names of labels are ``now`` others, among which are all those of ``before``."""
        return self._replace(labels=np.append(codes_among(now, before), np.int32(-1))[self.labels])


def disputes_with_ai(votes: Votes, counted: LabelCodes) -> tuple[Disputes, Flags]:
    """Observations on which users and AI name more than one label, and those on which the AI agrees with all users.

    Observations that experts labelled are among the former. ``counted`` int32[n_observations] are the AI's labels that
    count, -1 elsewhere. The disputes have the AI's votes among the users', as those of the user with code n_users. The
    second is bool[n_observations].
    """
    from .kernels.ai_votes import find_opposed
    from .kernels.disputes import votes_of

    opposed, joined = np.empty((2, votes.n_observations), np.bool_)
    in_blocks(find_opposed, votes.n_observations, votes.offsets, votes.labels, counted, opposed, joined)
    known = votes.expert_labels
    if known is not None:
        opposed |= known >= 0
        joined &= known < 0
    observations = np.flatnonzero(opposed)
    offsets, positions = votes_of(votes.offsets, observations)
    cast = votes.users[positions], votes.labels[positions], votes.is_author[positions]
    offsets, users, labels, is_author = with_ai(offsets, *cast, counted[observations], votes.n_users)
    factors = None if votes.factors is None else _factors_with_ai(votes.factors[positions], users == votes.n_users)
    disputes = Disputes(observations, offsets, users, labels, is_author, factors)
    return disputes if known is None else disputes.labelled_by_experts(known[observations]), joined


def with_ai_as_user(votes: Votes, ai: AlignedAiVotes) -> tuple[Votes, int]:
    """The votes, and the AI's among them as those of one more user; and the code of that user.

    Warns (AggregateWarning) if a user has the AI's name, so that it gets another.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    usual, own = name_for_ai(votes.user_ids)
    if own != usual:
        warn(f"a user is named {usual!r}, so the AI is {own!r} among the users")
    everyone = pa.concat_arrays([votes.user_ids, array([own], votes.user_ids.type)])
    order = to_numpy(pc.sort_indices(everyone)).astype(np.int64)
    code = int(np.flatnonzero(order == votes.n_users)[0])
    users = votes.users + (votes.users >= code).astype(np.int32)
    offsets, users, labels, is_author = with_ai(votes.offsets, users, votes.labels, votes.is_author, ai.labels, code)
    factors = None if votes.factors is None else _factors_with_ai(votes.factors, users == code)
    joined = replace(votes, offsets=offsets, users=users, labels=labels, is_author=is_author, factors=factors)
    return replace(joined, user_ids=everyone.take(to_arrow(order))), code


def name_for_ai(user_ids: "pa.Array") -> tuple[str | int, str | int]:
    """The id that the AI has as a user, unless it is taken; and the one it gets: that, or the next that is free.

    Those are ``AI``, ``AI (2)``, ``AI (3)`` and so on; -1, -2, -3, ..., or the largest unsigned integer and downwards.
    Raises VotesError if every integer is taken.

    >>> import pyarrow as pa
    >>> name_for_ai(pa.array(["AI", "ana"]))
    ('AI', 'AI (2)')
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = user_ids.type
    if pa.types.is_integer(kind):
        usual = -1 if pa.types.is_signed_integer(kind) else 2**kind.bit_width - 1
        limit = usual - 2 ** (kind.bit_width - 1) if usual < 0 else -1
        names: Iterable[str | int] = range(usual, limit, -1)
    else:
        usual, names = AI_NAME, itertools.chain([AI_NAME], (f"{AI_NAME} ({number})" for number in itertools.count(2)))
    for name in names:
        if pc.index_in(array([name], kind), user_ids).null_count:
            return usual, name
    raise VotesError(
        f"no {kind} is left as an id for the AI among the users",
        remedy="choose another --ai-mode, or write the user ids with a wider type",
    )


def with_ai(
    offsets: Offsets, users: UserCodes, labels: LabelCodes, is_author: Flags, counted: LabelCodes, ai: int
) -> tuple[Offsets, UserCodes, LabelCodes, Flags]:
    """Votes by observation with the AI's among them: offsets, users, labels, whether by the author."""
    from .kernels.ai_votes import insert_votes

    n = counted.size
    new_offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.diff(offsets) + (counted >= 0), out=new_offsets[1:])
    new_users, new_labels = np.empty((2, int(new_offsets[-1])), np.int32)
    new_is_author = np.empty(new_users.size, np.bool_)
    new = new_offsets, new_users, new_labels, new_is_author
    in_blocks(insert_votes, n, offsets, users, labels, is_author, counted, np.int32(ai), *new)
    return new


def _factors_with_ai(factors: Factors, is_ai: Flags) -> Factors:
    """The factors of votes with the AI's among them, which weigh all of its weight."""
    with_ai = np.ones(is_ai.size, np.float32)
    with_ai[~is_ai] = factors
    return with_ai


def _spread(values: NDArray[Any], places: Counts, size: int, otherwise: Any) -> NDArray[Any]:
    """``values`` at ``places`` of an array of ``size`` that holds ``otherwise`` elsewhere."""
    spread = np.full(size, otherwise, values.dtype)
    spread[places] = values
    return spread
