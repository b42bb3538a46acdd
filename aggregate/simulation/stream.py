"""Generates a simulation block by block: observations in the order of upload, votes in the order of time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..arrays import Flags, Floats, Indices, LabelCodes, UserCodes
from ..progress import Progress
from ..shares import nearest_count
from . import timing
from .classifier import ai_votes
from .counts import split_total
from .crowd import Crowd
from .identifiers import FIRST_OBSERVATION_ID, next_observation_ids
from .published import Totals
from .score_lists import Classifier, Lists
from .species import Flora, species_at
from .voting import BlockVotes, Quota, cast_votes

BLOCK = 2**18  # observations per block. Another size gives other votes

MULTI_VOTE_EXPERTS = 5.0
"""Factor by which experts label observations with several votes more often than others; assumed."""


@dataclass(frozen=True)
class LogRows:
    """Votes ordered by time.

    ``observation_ids``, ``times`` (microseconds since 1970 UTC) int64, ``users``, ``labels`` int32, ``is_author``
    bool; all [n_rows].
    """

    observation_ids: Indices
    users: UserCodes
    labels: LabelCodes
    is_author: Flags
    times: Indices


@dataclass(frozen=True)
class Block:
    """Observations, and the log's rows up to the upload of the next one.

    ``observation_ids`` int64 and ``truth`` int32: every observation of the block. ``votes``: all votes on these.
    ``expert`` bool: whether an expert labels it. ``ai``: labels int32 and scores float64, and ``lists``, if requested.
    ``log``: the votes, on these observations or earlier ones, cast before any later observation is uploaded.
    """

    observation_ids: Indices
    truth: LabelCodes
    votes: BlockVotes
    expert: Flags
    ai: tuple[LabelCodes, Floats] | None
    lists: Lists | None
    log: LogRows


@dataclass(frozen=True)
class Plan:
    """What is fixed before the first vote: the totals, the species, the users; ``truth`` as by Flora.truth."""

    seed: int
    totals: Totals
    flora: Flora
    crowd: Crowd
    truth: NDArray[np.int16]
    parrots: Flags  # bool[n_users]; the users who copy the AI's label

    @classmethod
    def make(cls, scale: float, seed: int, progress: Progress, parrots: float = 0.0) -> "Plan":
        """Draw species and users, of which a share of ``parrots``; takes up to 25 bytes of memory per vote."""
        progress.phase("gathering a crowd")
        totals = Totals.at(scale)
        flora = Flora.of(species_at(scale, totals.observations), totals.observations)
        rng = _generator(seed, 0)
        crowd = Crowd.of(totals, rng)
        copying = _generator(seed, 4).random(len(crowd.ids)) < parrots
        return cls(seed, totals, flora, crowd, flora.truth(rng), copying)

    @cached_property
    def classifier(self) -> Classifier:
        """The classifier whose lists are made."""
        return Classifier.trained(self.flora, _generator(self.seed, 5))

    def blocks(self, *, ai: bool, experts: float | None, progress: Progress, scores: bool = False) -> Iterator[Block]:
        """Generate all blocks, in order; each takes about 100 MB, 250 MB with ``scores``."""
        n_observations = self.totals.observations
        progress.phase("voting", n_observations, "observations")
        turn = (0, 0)
        first, last_id, waiting = 0, FIRST_OBSERVATION_ID, _no_rows()
        for number, quota in enumerate(_quotas(self.totals)):
            rng = _generator(self.seed, 1, number)
            upto = first + quota.observations
            coded = self.truth[first:upto].astype(np.int32)
            truth = np.where(coded < 0, ~coded, coded)
            turns, turn = self._turns(turn, quota)
            votes = cast_votes(quota, truth, coded < 0, turns, self.crowd, self.flora, rng)
            first_voted = votes.labels[votes.offsets[:-1]]
            opinions = lists = None
            if scores:
                lists = self.classifier.lists(truth, first_voted, _generator(self.seed, 6, number))
            if ai:
                opinions = (
                    lists.first if lists else ai_votes(truth, first_voted, self.flora, _generator(self.seed, 3, number))
                )
                votes = self._with_parrots(votes, opinions[0])
            ids = next_observation_ids(last_id, quota.observations, rng)
            uploaded = timing.upload_times(first, quota.observations, n_observations, rng)
            end = None if upto == n_observations else int(uploaded[-1])
            log, waiting = _log(votes, ids, uploaded, waiting, end, rng)
            expert = _experts(votes, experts, _generator(self.seed, 2, number))
            yield Block(ids, truth, votes, expert, opinions, lists, log)
            first, last_id = upto, int(ids[-1])
            progress.advance(quota.observations)

    def _turns(self, turn: tuple[int, int], quota: Quota) -> tuple[tuple[UserCodes, UserCodes], tuple[int, int]]:
        """The authors and reviewers of a block, and the positions of the next ones."""
        authored, reviewed = turn[0] + quota.author_votes, turn[1] + quota.votes - quota.author_votes
        users = self.crowd.authors[turn[0] : authored], self.crowd.reviewers[turn[1] : reviewed]
        return users, (authored, reviewed)

    def _with_parrots(self, votes: BlockVotes, ai_labels: LabelCodes) -> BlockVotes:
        """The votes, with the AI's labels in those of parrots."""
        observation = np.repeat(np.arange(ai_labels.size), np.diff(votes.offsets))
        labels = np.where(self.parrots[votes.users], ai_labels[observation], votes.labels)
        return replace(votes, labels=labels)


def _generator(seed: int, *place: int) -> np.random.Generator:
    """The random generator of one part, which does not depend on the other parts that are drawn.

    The first number of ``place`` is the part: 0 species and crowd, 1 votes, 2 experts, 3 the AI, 4 parrots,
    5 the training of the classifier, 6 its lists.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=place)))


def _quotas(totals: Totals) -> list[Quota]:
    sizes = np.full(-(-totals.observations // BLOCK), BLOCK)
    sizes[-1] = totals.observations - BLOCK * (len(sizes) - 1)
    multi_vote = split_total(totals.multi_vote, sizes)
    further = totals.votes - totals.observations - totals.multi_vote
    votes = sizes + multi_vote + (split_total(further, multi_vote) if further else 0)
    columns = (sizes, votes, multi_vote, split_total(totals.disagreed, sizes), split_total(totals.author_votes, sizes))
    return [Quota(*numbers) for numbers in zip(*(column.tolist() for column in columns), strict=True)]


def _experts(votes: BlockVotes, share: float | None, rng: np.random.Generator) -> Flags:
    """The observations that experts label, bool[n_observations]: all, or ``share`` of them."""
    several = np.diff(votes.offsets) > 1
    if share is None:
        return np.ones(len(several), np.bool_)
    expert = np.zeros(len(several), np.bool_)
    turn = rng.random(len(several)) / np.where(several, MULTI_VOTE_EXPERTS, 1.0)
    expert[np.argsort(turn, kind="stable")[: nearest_count(share, len(several))]] = True
    return expert


def _no_rows() -> LogRows:
    ids = np.empty(0, np.int64)
    return LogRows(ids, ids.astype(np.int32), ids.astype(np.int32), ids.astype(np.bool_), ids)


def _log(
    votes: BlockVotes, ids: Indices, uploaded: Indices, waiting: LogRows, end: int | None, rng: np.random.Generator
) -> tuple[LogRows, LogRows]:
    """The rows cast before the millisecond ``end``, ordered by time, and those cast later, in no order.

    Authors vote at upload. ``waiting`` are rows of earlier blocks that were cast later.
    """
    observation = np.repeat(np.arange(len(ids)), np.diff(votes.offsets))
    times = uploaded[observation]
    reviews = np.flatnonzero(~votes.is_author)
    times[reviews] = timing.review_times(times[reviews], rng)
    rows = LogRows(
        observation_ids=np.concatenate([waiting.observation_ids, ids[observation]]),
        users=np.concatenate([waiting.users, votes.users]),
        labels=np.concatenate([waiting.labels, votes.labels]),
        is_author=np.concatenate([waiting.is_author, votes.is_author]),
        times=np.concatenate([waiting.times, times * 1000]),
    )
    if end is None:
        return _taken(rows, np.argsort(rows.times, kind="stable")), _no_rows()
    now = rows.times < end * 1000
    ripe = np.flatnonzero(now)
    return _taken(rows, ripe[np.argsort(rows.times[ripe], kind="stable")]), _taken(rows, np.flatnonzero(~now))


def _taken(rows: LogRows, which: Indices) -> LogRows:
    return LogRows(**{name: values[which] for name, values in vars(rows).items()})
