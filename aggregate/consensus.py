"""The result of a fit: a label for every observation, and the evidence for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Bytes, Counts, Flags, Floats, Indices, LabelCodes, Weights
from .arrow import dictionary_of, strings, table_of, to_arrow
from .blocks import FIRST, Block, count, first_rows
from .blocks import Table as BlockTable
from .derived.columns import DisputeFindings, UserFindings, derive
from .derived.given import candidate_shares, candidates_of, disputes_with, label_codes, user_weights
from .derived.thresholds import SLACK, Thresholds, VoteThresholds
from .disputes import Disputes, likeliest, vote_shares, weight_shares
from .frames import check_type, to_polars
from .html_blocks import as_html
from .reprs import short_repr
from .schema import AI_FINDINGS, BY_EXPERT, CONSENSUS, POSTERIORS, PROBABILITY, USERS, Table, arrow_schema
from .trace import Iteration, Trace, in_words
from .votes import Votes

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

STATUSES = ("valid", "contested", "needs_votes")
REMARKS = {
    "valid": "may be used for training",
    "contested": "the votes disagree too much",
    "needs_votes": "agreed, but with too little weight",
    "ambiguous": "of any status: the label was hard won or lost",
}
"""What counts of observations mean, in words."""

LOOKED_AT = ("observation_id", "label", "status", "confidence", "agreement", "aum", "n_votes", "runner_up")
"""Columns that a first look shows."""

AI_EFFECTS = ("none", "agreed", "validated", "invalidated", "relabelled")

SHARE_IS_POSTERIOR = "posterior probability among the labels voted, as the model has it: not tempered as probability is"
SHARE_OF_WEIGHT = "share of the weight; of a strategy that is not built in, as it was given"
"""What the column ``share`` of ``posteriors.parquet`` is, in the metadata of the file."""

AMBIGUITY = ("ambiguous_below", "ambiguous_quantile")
"""Parameters of strategies that set which observations are ambiguous; no label or status depends on them."""


class AiFindings(NamedTuple):
    """The AI's vote on each observation, and its effect; arrays have n_observations items."""

    labels: LabelCodes  # -1 where the AI has no vote
    scores: Floats  # NaN where the AI has no vote
    effect: Bytes  # positions in AI_EFFECTS

    def __repr__(self) -> str:
        return short_repr(self)

    def counts(self, valid: Flags) -> dict[str, int | float]:
        """Numbers of observations that the AI voted on, agreed on, made valid or invalid, or gave another label.

        ``share_of_valid`` is the share of the ``valid`` bool[n_observations] labels that are valid only with the AI.
        """
        times = np.bincount(self.effect, minlength=len(AI_EFFECTS)).tolist()
        moved = [AI_EFFECTS.index("validated"), AI_EFFECTS.index("relabelled")]
        n_owed = int(np.count_nonzero(np.isin(self.effect[valid], moved)))
        n_valid = int(np.count_nonzero(valid))
        return {
            "observations": int(np.count_nonzero(self.labels >= 0)),
            **{effect: n for effect, n in zip(AI_EFFECTS, times, strict=True) if effect != "none"},
            "valid_by_ai": n_owed,
            "share_of_valid": n_owed / n_valid if n_valid else 0.0,
        }


@dataclass(frozen=True)
class StrategyChoice:
    """Which strategy was asked to choose the one that was fitted, and why it took that."""

    asked: str | None = None
    """The name of the strategy that was asked for, such as `auto`."""
    reason: str | None = None
    """Why it took the strategy that was fitted, in words."""


class ModelFindings(NamedTuple):
    """What a strategy's model says of each label, against all other labels; arrays have n_observations items."""

    confidence: Floats  # in (0, 1)
    probability: Floats  # in (0, 1)
    tau: float  # the log-odds of the label are multiplied with it for ``probability``

    def __repr__(self) -> str:
        return short_repr(self)


@dataclass(frozen=True, eq=False)
class Consensus:
    """One label per observation. Columns and their meaning: ``schema.CONSENSUS`` and ``USERS``."""

    votes: Votes
    """The votes."""
    strategy: str
    """The name of the strategy."""
    parameters: Mapping[str, Any]
    """The parameters of the strategy, by name."""
    trace: Trace
    """The iterations, and whether they converged."""
    labels: LabelCodes
    """int32[n_observations]; positions in ``votes.label_names``, -1 for none."""
    weight: Weights
    """float64[n_observations]; weight on the label."""
    valid: Flags
    """bool[n_observations]; whether the label may be relied on."""
    gamma: float
    """Weight of an unknown user, the mean weight of a vote; ``confidence`` is computed with it."""
    theta_acc: float
    """An observation below this agreement is contested."""
    ambiguous_below: float
    """An observation whose aum is below this is ambiguous."""
    disputes: DisputeFindings
    """Results for each disputed observation."""
    users: UserFindings
    """Results for each user: the columns of ``schema.USERS``."""
    shares: Floats | None = None
    """float64 by candidate of ``disputed``; None if they are the shares of the votes' weights."""
    judged: Disputes | None = None
    """The disputed observations with the AI's votes, or labels that nobody voted, among them; None if they are
    ``votes.disputes``."""
    vote_weights: Weights | None = None
    """float64 by vote of ``disputed``; None if they are the weights of the votes' users."""
    ai: AiFindings | None = None
    """The AI's votes and their effect; None without AI votes."""
    user_table: Table = ()
    """The columns that users have beside those of ``schema.USERS``."""
    user_columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Those of ``user_table``; arrays of n_users items, NaN for null."""
    choice: StrategyChoice | None = None
    """Why this strategy, if one such as ``auto`` took it; None if it was asked for by name."""
    model: ModelFindings | None = None
    """Confidence and probability by the strategy's model; None if it has none that all labels are compared by."""

    @classmethod
    def from_labels(
        cls,
        votes: Votes,
        labels: Any,
        *,
        weights: Any = None,
        shares: Any = None,
        strategy: Any = "labels",
        theta_conf: float | None = None,
        theta_acc: float | None = None,
        ambiguous_below: float | None = None,
        ambiguous_quantile: float | None = None,
        trace: Trace | None = None,
    ) -> "Consensus":
        """A consensus with these labels, one an observation, and with all columns that follow from them.

        A strategy of one's own ends with it: the columns mean what they mean under the strategies here, for which see
        ``schema.CONSENSUS`` and ``USERS``.

        Args:
            votes: the votes that the labels were found from.
            labels: an integer array of codes, int32[n_observations], positions in ``votes.label_names``; or the labels
                themselves, as a list, array or column of n_observations in the order of ``votes.observation_ids``, as a
                frame of observation_id and label, or as a pandas Series of labels by observation, such as crowd-kit's.
            weights: the weight of each user, at least 0: float64[n_users] in the order of ``votes.user_ids``, a frame
                of user_id and weight, or a pandas Series of weights by user. Default: 1 each.
            shares: the share, or posterior probability, of each label voted on an observation: float64[n_observations,
                n_labels]; float64 by candidate of ``votes.disputes``, as ``candidate_shares`` has them; or a frame of
                observation_id, label and share, as :meth:`posteriors_to_pandas` has them. What is on labels that
                nobody voted there is left out, and the rest divided by its sum. Default: the shares of the weight.
            strategy: the name of the strategy, or the strategy: a dataclass with a ``name``, whose fields are its
                parameters, the four thresholds among them if it has such fields.
            theta_conf: weight that a label needs to be valid. Default: that of the strategy; else 1.5, or 2 votes if
                there are no ``weights``.
            theta_acc: share that a label needs to be valid. Default: that of the strategy; else 0.7.
            ambiguous_below: aum below which an observation is ambiguous. Default: 2 theta_acc - 1.
            ambiguous_quantile: in place of that, the share of observations, of lowest aum, to call ambiguous.
            trace: the iterations. Default: one, from the label with most votes to these labels.

        As nothing is known of earlier iterations, ``aum`` is the margin; nor is the model of a strategy that has one,
        so ``confidence`` follows from shares and weights, and there is no ``probability``. A label that nobody voted on
        its observation has no weight there, so it is not valid; a warning says how many these are. Raises VotesError if
        an observation has no label, or one that is not in ``votes.label_names``, or if the labels have another
        observation; ParameterError for numbers out of range; TypeError for what is none of these.

        >>> import plant_aggregate
        >>> rows = {"observation_id": [7, 7, 9], "user_id": ["ana", "bo", "bo"], "label": ["Acer", "Abies", "Abies"]}
        >>> votes = plant_aggregate.votes_from_table(rows)
        >>> consensus = Consensus.from_labels(votes, ["Acer", "Abies"], weights=[3.0, 1.0])
        >>> consensus.agreement.tolist(), consensus.valid.tolist()
        ([0.75, 1.0], [True, False])
        """
        check_type("votes", votes, Votes, "Consensus.from_labels(read_votes(path), labels)")
        votes = votes.without_experts
        codes, users = label_codes(votes, labels), user_weights(votes, weights)
        disputes = disputes_with(votes, codes)
        chosen = candidates_of(disputes, disputes.observations, codes[disputes.observations])
        own = asdict(strategy) if is_dataclass(strategy) and not isinstance(strategy, type) else {}
        given = {
            "theta_conf": theta_conf,
            "theta_acc": theta_acc,
            "ambiguous_below": ambiguous_below,
            "ambiguous_quantile": ambiguous_quantile,
        }
        known = {name: own.get(name) if value is None else value for name, value in given.items()}
        kind = VoteThresholds if weights is None else Thresholds
        thresholds = kind(**{name: value for name, value in known.items() if value is not None})
        if shares is None:
            shares = weight_shares(disputes, disputes.vote_weights(users))
        else:
            shares = candidate_shares(votes, disputes, shares)
        derived = derive(votes, chosen, users, shares, thresholds, disputes=disputes)
        if trace is None:
            majority = likeliest(disputes, vote_shares(disputes))
            changed = int(np.count_nonzero(chosen != majority)), int(np.count_nonzero(users != 1.0))
            trace = Trace((Iteration(*changed, valid=int(np.count_nonzero(derived.valid))),))
        return cls(
            votes=votes,
            strategy=strategy if isinstance(strategy, str) else strategy.name,
            parameters={**own, **asdict(thresholds)},
            trace=trace,
            judged=None if disputes is votes.disputes else disputes,
            **derived._asdict(),
        )

    @property
    def disputed(self) -> Disputes:
        """The observations with more than one label voted, and the votes on them."""
        return self.votes.disputes if self.judged is None else self.judged

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        return self.votes.n_observations

    @property
    def confidence(self) -> Floats:
        """float64[n_observations]; share the label would keep if one unknown user dissented."""
        return self._confidence(slice(0, self.n_observations))

    @property
    def probability(self) -> Floats | None:
        """float64[n_observations]; that the label is right, by the strategy's model; None if it has none of all labels.

        The posterior among all labels, those that nobody voted on the observation included, its log-odds multiplied by
        ``model.tau``; a calibration (:func:`calibrate`) learns from experts instead.
        """
        return None if self.model is None else self.model.probability

    @property
    def agreement(self) -> Floats:
        """float64[n_observations]; share of the weight that is on the label."""
        return self._spread(self.disputes.agreement, 1.0)

    @property
    def margin(self) -> Floats:
        """float64[n_observations]; agreement less the share of the strongest other label."""
        return self._spread(self.disputes.margin, 1.0)

    @property
    def aum(self) -> Floats:
        """float64[n_observations]; margin averaged over the iterations."""
        return self._spread(self.disputes.aum, 1.0)

    @property
    def entropy(self) -> Floats:
        """float64[n_observations]; Shannon entropy of the labels' shares, in nats."""
        return self._spread(self.disputes.entropy, 0.0)

    @property
    def by_expert(self) -> Flags | None:
        """bool[n_observations]; experts gave the label. None if no experts were asked."""
        return None if self.votes.expert_labels is None else self.votes.expert_labels >= 0

    @property
    def n_labels(self) -> Counts:
        """int32[n_observations]; distinct labels that users voted."""
        return self._n_labels(slice(0, self.n_observations))

    @property
    def status(self) -> NDArray[np.int8]:
        """int8[n_observations]; positions in ``STATUSES``: 0 valid, 1 contested, 2 in need of votes."""
        return self._status(slice(0, self.n_observations))

    @property
    def ambiguous(self) -> Flags:
        """bool[n_observations]; aum below the threshold."""
        return self._spread(_is_below(self.disputes.aum, self.ambiguous_below), self._undisputed_ambiguous)

    @cached_property
    def counts(self) -> dict[str, Any]:
        """Numbers of observations, by status and ambiguous, of users and of labels."""
        contested = self._disputed_contested() & ~self.valid[self.disputed.observations]
        n_valid, n_contested = int(self.valid.sum()), int(contested.sum())
        return {
            "observations": self.n_observations,
            "users": self.votes.n_users,
            "labels": self.votes.n_labels,
            "valid": n_valid,
            "contested": n_contested,
            "needs_votes": self.n_observations - n_valid - n_contested,
            "ambiguous": self._count_ambiguous(),
            "self_validating_users": int(self.users.self_validating.sum()),
            **({} if self.ai is None else {"ai": self.ai.counts(self.valid)}),
            **({} if self.by_expert is None else {"experts": self._count_experts()}),
        }

    def to_arrow(self, first: int = 0, last: int | None = None) -> "pa.Table":
        """Observations ``first`` to ``last`` (default all) as an Arrow table, sorted by observation_id."""
        schema = self._schema(self.votes.label_names.type)
        return self.encoded(first, self.n_observations if last is None else last).cast(schema)

    def encoded(self, first: int, last: int) -> "pa.Table":
        """As :meth:`to_arrow`, but with strings as dictionary-encoded labels, which are faster to make and to write."""
        votes, disputes = self.votes, self.disputes
        rows = slice(first, last)
        columns = {
            "observation_id": votes.observation_ids[first:last],
            "label": _names(votes.label_names, self.labels[rows]),
            "confidence": self._confidence(rows),
            "valid": self.valid[rows],
            "status": dictionary_of(self._status(rows), strings(STATUSES)),
            "ambiguous": self._spread(_is_below(disputes.aum, self.ambiguous_below), self._undisputed_ambiguous, rows),
            "aum": self._spread(disputes.aum, 1.0, rows),
            "margin": self._spread(disputes.margin, 1.0, rows),
            "agreement": self._spread(disputes.agreement, 1.0, rows),
            "weight": self.weight[rows],
            "entropy": self._spread(disputes.entropy, 0.0, rows),
            "n_votes": np.diff(votes.offsets[first : last + 1]).astype(np.int32),
            "n_labels": self._n_labels(rows),
            "runner_up": _names(votes.label_names, self._spread(disputes.runner_up, -1, rows, unlabelled=-1)),
        }
        if self.ai is not None:
            columns |= {
                "ai_label": _names(votes.label_names, self.ai.labels[rows]),
                "ai_score": to_arrow(self.ai.scores[rows], null=np.isnan(self.ai.scores[rows])),
                "ai_effect": dictionary_of(self.ai.effect[rows].view(np.int8), strings(AI_EFFECTS)),
            }
        if self.by_expert is not None:
            columns["by_expert"] = self.by_expert[rows]
        if self.model is not None:
            columns["probability"] = self.model.probability[rows]
        return table_of(columns, self._schema(columns["label"].type))

    @cached_property
    def candidate_shares(self) -> Floats:
        """float64 by candidate of ``disputed``: probability of each label voted, or its share of the weight.

        If all votes on an observation have weight 0, they count equally.
        """
        if self.shares is not None:
            return self.shares
        disputes, weights = self.disputed, self.vote_weights
        weights = disputes.vote_weights(self.users.weight) if weights is None else weights
        return disputes.with_experts(weight_shares(disputes, weights))

    def posteriors_to_arrow(self, first: int = 0, last: int | None = None) -> "pa.Table":
        """The labels voted on observations ``first`` to ``last`` (default all) with their shares.

        One row per observation and label, sorted by both. The share is the strategy's posterior probability, or the
        share of the weight; it is 1 for an undisputed label, which does not mean that the label is certain. The
        metadata of the schema say which: ``share`` and ``strategy``.
        """
        votes = self.votes
        schema = arrow_schema(POSTERIORS, observation_id=votes.observation_ids.type, label=votes.label_names.type)
        of = SHARE_OF_WEIGHT if self.model is None else SHARE_IS_POSTERIOR
        schema = schema.with_metadata({"share": of, "strategy": self.strategy})
        return self.encoded_posteriors(first, self.n_observations if last is None else last).cast(schema)

    def encoded_posteriors(self, first: int, last: int) -> "pa.Table":
        """As :meth:`posteriors_to_arrow`, but with strings as dictionary-encoded labels."""
        votes, candidates = self.votes, self.disputed.candidates
        start, stop = np.searchsorted(self.disputed.observations, (first, last))
        disputed = self.disputed.observations[start:stop] - first
        labelled = self.labels[first:last] >= 0
        n_labels = labelled.astype(np.int64)
        n_labels[disputed] = np.diff(candidates.offsets[start : stop + 1])
        rows = np.repeat(np.arange(first, last), n_labels)
        labels = self.labels[rows]
        share = np.ones(rows.size)
        is_disputed = np.zeros(last - first, np.bool_)
        is_disputed[disputed] = True
        of_disputed = np.repeat(is_disputed, n_labels)
        block = slice(candidates.offsets[start], candidates.offsets[stop])
        labels[of_disputed] = candidates.labels[block]
        share[of_disputed] = self.candidate_shares[block]
        columns = {
            "observation_id": votes.observation_ids.take(to_arrow(rows)),
            "label": _names(votes.label_names, labels),
            "share": share,
        }
        schema = arrow_schema(POSTERIORS, observation_id=votes.observation_ids.type, label=columns["label"].type)
        return table_of(columns, schema)

    def posteriors_to_pandas(self) -> "pd.DataFrame":
        """The labels voted with their shares as a data frame."""
        return self.posteriors_to_arrow().to_pandas()

    def posteriors_to_polars(self) -> "pl.DataFrame":
        """The labels voted with their shares as a data frame of Polars."""
        return to_polars(self.posteriors_to_arrow())

    def users_to_arrow(self) -> "pa.Table":
        """The users as an Arrow table, sorted by user_id."""
        columns = {"user_id": self.votes.user_ids, **self.users._asdict()}
        columns |= {name: to_arrow(values, null=np.isnan(values)) for name, values in self.user_columns.items()}
        return table_of(columns, arrow_schema(USERS + self.user_table, user_id=self.votes.user_ids.type))

    def to_pandas(self) -> "pd.DataFrame":
        """The observations as a data frame, a row each."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """The observations as a data frame of Polars, a row each. Raises ParameterError if that is not installed."""
        return to_polars(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The observations for whatever reads Arrow data, such as ``polars.DataFrame(consensus)``."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def users_to_pandas(self) -> "pd.DataFrame":
        """The users as a data frame, a row each."""
        return self.users_to_arrow().to_pandas()

    def labels_to_pandas(self, index_name: str = "observation_id") -> "pd.Series[Any]":
        """The label of each observation as a pandas Series, whose index has their ids and this name."""
        import pandas as pd

        ids = self.votes.observation_ids.to_pandas()
        labels = self.votes.label_names.take(to_arrow(self.labels, null=self.labels < 0)).to_pandas()
        return pd.Series(labels.array, pd.Index(ids, name=index_name), name="label")

    def users_to_polars(self) -> "pl.DataFrame":
        """The users as a data frame of Polars, a row each."""
        return to_polars(self.users_to_arrow())

    def __repr__(self) -> str:
        counts, n = self.counts, len(self.trace.iterations)
        return (
            f"Consensus({counts['observations']:,} observations: {counts['valid']:,} valid, "
            f"{counts['contested']:,} contested, {counts['needs_votes']:,} need votes; "
            f"{self.strategy}, {n} iteration{'s' * (n != 1)})"
        )

    def _repr_html_(self) -> str:
        trace, n = self.trace, self.n_observations
        ended = in_words(len(trace.iterations), trace.converged, trace.cycle_length, trace.start)
        title = f"{count(n, 'observation')} labelled by {self.strategy}, {ended}"
        first = self.encoded(0, min(FIRST, n)).select(LOOKED_AT)
        return as_html([Block(title, [status_table(self.counts), *first_rows(first, n)])])

    def _schema(self, label_type: "pa.DataType") -> "pa.Schema":
        """The schema of the table of observations with labels of ``label_type``, which may be null with AI votes."""
        table = CONSENSUS
        if self.ai is not None:
            table = (*(replace(c, nullable=c.nullable or c.name == "label") for c in table), *AI_FINDINGS)
        if self.by_expert is not None:
            table = (*table, *BY_EXPERT)
        if self.model is not None:
            table = (*table, *PROBABILITY)
        named = dict.fromkeys(("label", "runner_up", "ai_label"), label_type)
        return arrow_schema(table, observation_id=self.votes.observation_ids.type, **named)

    def _count_experts(self) -> dict[str, int]:
        """Numbers of observations whose label is that of experts, and of those on which nobody voted it."""
        disputes = self.votes.disputes
        candidates = disputes.candidates
        known = np.zeros(0, np.int32) if disputes.expert_labels is None else disputes.expert_labels
        is_theirs = np.repeat(known, np.diff(candidates.offsets)) == candidates.labels
        used = int(np.count_nonzero(known >= 0))
        return {"used": used, "unvoted": int(np.count_nonzero(is_theirs & (candidates.n_votes == 0)))}

    def _count_ambiguous(self) -> int:
        disputed = int(_is_below(self.disputes.aum, self.ambiguous_below).sum())
        undisputed = self.n_observations - len(self.disputed)
        if self.ai is not None:
            undisputed -= int(np.count_nonzero(self.labels < 0))
        return disputed + undisputed * self._undisputed_ambiguous

    @property
    def _undisputed_ambiguous(self) -> bool:
        return bool(_is_below(np.ones(1), self.ambiguous_below)[0])

    def _disputed_contested(self) -> Flags:
        return _is_below(self.disputes.agreement, self.theta_acc)

    def _status(self, rows: slice) -> NDArray[np.int8]:
        contested = self._spread(self._disputed_contested(), False, rows)
        return np.where(self.valid[rows], 0, np.where(contested, 1, 2)).astype(np.int8)

    def _confidence(self, rows: slice) -> Floats:
        if self.model is not None:
            return self.model.confidence[rows]
        weight = self.weight[rows]
        confidence = weight / (weight + self.gamma)
        places, block = self._disputed_in(rows)
        confidence[places] = self.disputes.confidence[block]
        return confidence

    def _n_labels(self, rows: slice) -> Counts:
        n_labels = (np.diff(self.votes.offsets[rows.start : rows.stop + 1]) > 0).astype(np.int32)
        places, block = self._disputed_in(rows)
        n_labels[places] = self.disputes.n_labels[block]
        return n_labels

    def _disputed_in(self, rows: slice) -> tuple[Indices, slice]:
        """The disputed observations among ``rows``, counted from the first of these, and their range in findings."""
        observations = self.disputed.observations
        block = slice(*np.searchsorted(observations, (rows.start, rows.stop)))
        return observations[block] - rows.start, block

    def _spread(
        self, disputed: NDArray[Any], undisputed: Any, rows: slice | None = None, *, unlabelled: Any = 0
    ) -> NDArray[Any]:
        """A column of ``rows`` (default all): findings of disputed observations, ``undisputed`` for others.

        Observations without a label have ``unlabelled``.
        """
        rows = slice(0, self.n_observations) if rows is None else rows
        column = np.full(rows.stop - rows.start, undisputed, disputed.dtype)
        if self.ai is not None:
            column[self.labels[rows] < 0] = unlabelled
        places, block = self._disputed_in(rows)
        column[places] = disputed[block]
        return column


def status_table(counts: Mapping[str, Any]) -> BlockTable:
    """Numbers of observations by status, and ambiguous, with their shares of all."""
    rows = [
        (name.replace("_", " "), counts[name], 100 * counts[name] / counts["observations"], remark)
        for name, remark in REMARKS.items()
    ]
    return BlockTable(rows=rows, formats=("", ",", ".1f %", ""), layout="counts")


def result_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a strategy that its labels or statuses may depend on."""
    return {name: value for name, value in parameters.items() if name not in AMBIGUITY}


def _is_below(values: Floats, threshold: float) -> Flags:
    return values < threshold - SLACK


def _names(label_names: "pa.Array", codes: LabelCodes) -> "pa.Array":
    """The labels of ``codes``, null for -1; strings as a dictionary."""
    import pyarrow as pa

    if pa.types.is_integer(label_names.type):
        return label_names.take(to_arrow(codes, null=codes < 0))
    return dictionary_of(codes, label_names)
