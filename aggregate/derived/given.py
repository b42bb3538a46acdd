"""What callers give beside the votes, a label an observation above all, as arrays by candidate and by user."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Counts, Floats, Indices, LabelCodes, Weights
from ..arrow import plain, to_numpy
from ..disputes import Disputes
from ..errors import ParameterError, VotesError, quoted, warn
from ..frames import is_frame, is_pandas, to_table, wrong_type
from ..schema import POSTERIORS, TRUTH, USERS
from ..truth import Truth, codes_among, known_rows, rows_of
from ..votes import Votes

if TYPE_CHECKING:
    import pyarrow as pa

USER_WEIGHTS = tuple(column for column in USERS if column.name in ("user_id", "weight"))
UNIT = 1e-6  # by how much the shares of an observation may miss 1
ONE_EACH = "give each observation of the votes a label: an array in the order of votes.observation_ids, or a frame"
ANY_LABELS = "a consensus has labels that were voted; evaluate and compare take any"
CODES = "codes are positions in votes.label_names"


def label_codes(votes: Votes, labels: Any) -> LabelCodes:
    """The code of each observation's label, int32[n_observations]; ``labels`` are as for ``Consensus.from_labels``.

    Raises TypeError, and VotesError.
    """
    if not np.diff(votes.offsets).all():
        raise VotesError("some of the observations have no vote", remedy="give votes.voted, and labels for these")
    if _is_column(labels):
        return _codes_of(votes, votes.observation_ids, _read(labels))
    if is_frame(labels):
        table = to_table(labels, TRUTH)
        ids = _distinct(table["observation_id"], "labels have an observation twice")
        return _codes_of(votes, ids, plain(table["label"]))
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "iuUO":
        raise wrong_type("labels", labels, "an array of names or codes, or a frame of observation_id and label")
    if given.dtype.kind in "UO":
        return _codes_of(votes, votes.observation_ids, _read(labels))
    _check_length(votes, given)
    if not np.all((given >= 0) & (given < votes.n_labels)):
        raise VotesError(f"labels hold codes that are not in 0 to {votes.n_labels - 1:,}", remedy=CODES)
    return given.astype(np.int32)


def disputes_with(votes: Votes, codes: LabelCodes) -> Disputes:
    """The disputed observations; and those whose label, int32[n_observations], nobody voted there, if there are any.

    That label is then one of their candidates. Warns of them.
    """
    disputes = votes.disputes
    is_voted = codes == votes.first_labels
    is_voted[disputes.observations] = candidates_of(disputes, disputes.observations, codes[disputes.observations]) >= 0
    if is_voted.all():
        return disputes
    unvoted = np.flatnonzero(~is_voted)
    warn(f"nobody voted the label of {_some_of(votes, unvoted)}: they have no weight there, and are not valid")
    is_disputed = ~is_voted
    is_disputed[disputes.observations] = True
    observations = np.flatnonzero(is_disputed)
    return votes.disputes_on(observations, codes[observations])


def candidates_of(disputes: Disputes, rows: NDArray[np.integer], codes: LabelCodes) -> Counts:
    """The candidates that are labels of these ``codes`` on the observations in ``rows``: int32[n], -1 if none is."""
    candidates = disputes.candidates
    width = 2 + max(candidates.labels.max(initial=0), codes.max(initial=0))  # a code may be -1
    keys = disputes.observations[_of_candidates(disputes)] * width + candidates.labels
    wanted = rows.astype(np.int64) * width + codes
    places = np.searchsorted(keys, wanted).astype(np.int32)
    there = np.append(keys, -1)[places] == wanted
    return np.where(there, places, np.int32(-1))


def user_weights(votes: Votes, weights: Any) -> Weights:
    """Weights float64[n_users], as for ``Consensus.from_labels``. Raises TypeError, ParameterError and VotesError."""
    if weights is None:
        return np.ones(votes.n_users)
    if type(weights).__name__ == "Series" and hasattr(weights, "index"):
        weights = {"user_id": weights.index, "weight": weights}
    if is_frame(weights) and not _is_column(weights):
        table = to_table(weights, USER_WEIGHTS)
        ids = _distinct(table["user_id"], "weights have a user twice")
        rows, places = rows_of(votes.user_ids, ids)
        if rows.size < votes.n_users:
            raise VotesError(f"weights lack {votes.n_users - rows.size:,} of the {votes.n_users:,} users")
        weights = to_numpy(plain(table["weight"]), null=np.nan)[places]
    found = _numbers("weights", weights)
    if found.shape != (votes.n_users,):
        raise ParameterError(f"weights have shape {found.shape} but there are {votes.n_users:,} users")
    return found


def candidate_shares(votes: Votes, disputes: Disputes, shares: Any) -> Floats:
    """Shares float64 by candidate, which add up to 1 on each observation, as for ``Consensus.from_labels``.

    Raises TypeError, ParameterError and VotesError.
    """
    candidates, of_candidates = disputes.candidates, _of_candidates(disputes)
    if is_frame(shares) and not _is_column(shares):
        table = to_table(shares, POSTERIORS)
        rows = codes_among(votes.observation_ids, plain(table["observation_id"]))
        places = candidates_of(disputes, rows, codes_among(votes.label_names, plain(table["label"])))
        given = _numbers("shares", to_numpy(plain(table["share"]), null=np.nan))
        shares = np.bincount(places[places >= 0], given[places >= 0], len(candidates))
    found = _numbers("shares", shares)
    if found.shape == (votes.n_observations, votes.n_labels):
        found = found[disputes.observations[of_candidates], candidates.labels]
    if found.shape != (len(candidates),):
        raise ParameterError(
            f"shares have shape {found.shape} but there are {votes.n_observations:,} observations x "
            f"{votes.n_labels:,} labels, and {len(candidates):,} candidates"
        )
    sums = np.bincount(of_candidates, found, len(disputes))
    if not sums.all():
        first = votes.observation_ids[int(disputes.observations[np.argmin(sums)])].as_py()
        raise VotesError(f"shares of the labels voted on observation {quoted(first)} are all 0")
    return found if np.all(np.abs(sums - 1) <= UNIT) else found / sums[of_candidates]


def _codes_of(votes: Votes, ids: "pa.Array", labels: "pa.Array") -> LabelCodes:
    """The codes of labels by observation, in any order. Raises VotesError unless each of the votes' has a known one."""
    if ids is votes.observation_ids:
        _check_length(votes, labels)
    known = known_rows(Truth(ids, labels, "labels"), votes, "the votes")
    lacks = np.ones(votes.n_observations, np.bool_)
    lacks[known.rows[to_numpy(known.labels.is_valid())]] = False
    if lacks.any():
        raise VotesError(f"labels lack {_some_of(votes, np.flatnonzero(lacks))}", remedy=ONE_EACH)
    if known.rows.size < len(ids):
        raise VotesError(
            f"labels of observations without votes, {len(ids) - known.rows.size:,} in all", remedy=ONE_EACH
        )
    unknown = np.flatnonzero(known.codes < 0)
    if unknown.size:
        name = quoted(known.labels[int(unknown[0])].as_py())
        raise VotesError(f"nobody voted the label of {_some_of(votes, unknown)}, anywhere: {name}", remedy=ANY_LABELS)
    return known.codes


def _check_length(votes: Votes, labels: Any) -> None:
    if len(labels) != votes.n_observations:
        raise VotesError(f"{len(labels):,} labels for {votes.n_observations:,} observations", remedy=ONE_EACH)


def _some_of(votes: Votes, observations: Indices) -> str:
    first = quoted(votes.observation_ids[int(observations[0])].as_py())
    return f"{observations.size:,} of {votes.n_observations:,} observations, the first {first}"


def _of_candidates(disputes: Disputes) -> Indices:
    """The dispute of each candidate."""
    return np.repeat(np.arange(len(disputes)), np.diff(disputes.candidates.offsets))


def _is_column(values: Any) -> bool:
    """Whether values are a column of Arrow or Polars, which exports Arrow data as frames do."""
    exports = any(hasattr(values, name) for name in ("__arrow_c_stream__", "__arrow_c_array__"))
    return exports and any(hasattr(values, name) for name in ("dtype", "type")) and not is_pandas(values, "Series")


def _read(values: Any) -> "pa.Array":
    """A column of values as an Arrow array without a dictionary."""
    return plain(to_table({"values": values})["values"])


def _numbers(name: str, values: Any) -> Floats:
    """An array of finite numbers, at least 0. Raises TypeError, ParameterError."""
    numbers = to_numpy(_read(values), null=np.nan) if _is_column(values) else np.asarray(values)
    if numbers.dtype.kind not in "biuf":
        raise wrong_type(name, values, "an array of dtype float64, or a frame")
    if not np.all(np.isfinite(numbers) & (numbers >= 0)):
        raise ParameterError(f"{name} must be finite numbers, at least 0")
    return numbers.astype(np.float64)


def _distinct(column: "pa.Array | pa.ChunkedArray", fault: str) -> "pa.Array":
    """Ids in one piece. Raises VotesError if one occurs twice."""
    import pyarrow.compute as pc

    ids = plain(column)
    if pc.count_distinct(ids).as_py() < len(ids):
        raise VotesError(fault, remedy="leave one row of each")
    return ids
