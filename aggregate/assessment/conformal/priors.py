"""How common labels are: the prior that prevalence-adjusted scores divide by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Flags, Floats, LabelCodes
from ...arrow import to_numpy
from ...errors import ParameterError, VotesError, quoted
from ...reprs import short_repr

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class Prior:
    """p(k) = max(c_k, at_least) / sum_j c_j. Raises VotesError for counts that give no prior.

    The counts are those of the classifier's training set. Where these are not known, the labels of valid consensus
    stand in for them, or, as a last resort, those of the calibration rows. Coverage is guaranteed for any prior that
    does not depend on the calibration rows; with theirs it holds in good approximation only.
    """

    counts: Floats
    """c, float64[K]: how often each label is in the classifier's training set."""
    at_least: float = 1.0
    """c_min: a label that was never seen counts as seen so often; with 0, its score is infinite where it is listed."""

    __repr__ = short_repr

    def __post_init__(self) -> None:
        if not np.isfinite(self.at_least) or self.at_least < 0:
            raise ParameterError(f"the least training count is {self.at_least} but must be at least 0")
        check_values(self.counts, "training count")

    @classmethod
    def of_names(
        cls, space: "pa.Array", names: "pa.Array", counts: ArrayLike, at_least: float = 1.0, *, where: str | None = None
    ) -> "Prior":
        """From training counts of labels by name; a label of ``space`` that is not among ``names`` has count 0.

        Names outside the space do not count. ``where``: the file they are from, for messages. Raises VotesError for
        counts that give no prior, and for a name that is there twice; ParameterError for ``at_least``.

        >>> import pyarrow as pa
        >>> space = pa.array(["Acer campestre", "Acer opalus", "Bellis perennis"])
        >>> prior = Prior.of_names(space, pa.array(["Bellis perennis", "Acer campestre"]), [30, 10])
        >>> prior.shares
        array([0.25 , 0.025, 0.75 ])
        """
        return cls(values_by_name(space, names, counts, "training count", missing=0.0, where=where), at_least)

    @classmethod
    def of_labels(cls, labels: LabelCodes, n_labels: int, at_least: float = 1.0) -> "Prior":
        """From labels that observations have, int32: of valid consensus, or of the calibration rows.

        Those that are negative, or outside the space, do not count.
        """
        known = labels[(labels >= 0) & (labels < n_labels)]
        return cls(np.bincount(known, minlength=n_labels).astype(np.float64), at_least)

    @property
    def shares(self) -> Floats:
        """p, float64[K]."""
        shares: Floats = np.maximum(self.counts, self.at_least) / self.counts.sum()
        return shares

    @property
    def unknown_share(self) -> float:
        """The share of a label outside the label space, which was never counted."""
        return self.at_least / float(self.counts.sum())

    @property
    def unseen(self) -> Flags:
        """bool[K]; labels that were never counted."""
        unseen: Flags = self.counts == 0
        return unseen


def values_by_name(
    space: "pa.Array", names: "pa.Array", values: ArrayLike, what: str, *, missing: float, where: str | None = None
) -> Floats:
    """The value of each label of a space, float64[K], ``missing`` for those that are not among ``names``.

    Raises VotesError for a name that is there twice or null, for values that are no numbers of at least 0, and if no
    label of the space has one above 0. ``what`` and ``where`` a value is, the former in the singular, are for messages.
    """
    import pyarrow.compute as pc

    given = np.asarray(values, np.float64)
    same = names_as(space, names, where)
    if same.null_count:
        raise VotesError(f"a {what} has no label", where=where)
    twice = next((item["values"] for item in same.value_counts().to_pylist() if item["counts"] > 1), None)
    if twice is not None:
        raise VotesError(f"{quoted(twice)} has more than one {what}", where=where, remedy="keep one row a label")
    check_values(given, what, same, where)
    position = to_numpy(pc.index_in(space, value_set=same), null=-1)
    known = position >= 0
    if not (given[position[known]] > 0).any():
        raise VotesError(f"no label that the classifier knows has a {what} above 0", where=where)
    found = np.full(len(space), missing)
    found[known] = given[position[known]]
    return found


def names_as(space: "pa.Array", names: "pa.Array", where: str | None = None) -> "pa.Array":
    """Names in the type of those of a space. Raises VotesError for texts where a space has numbers."""
    import pyarrow as pa

    try:
        return names.cast(space.type)
    except pa.ArrowInvalid as error:
        raise VotesError("labels are texts, but those of the classifier are integers", where=where) from error


def check_values(values: Floats, what: str, names: "pa.Array | None" = None, where: str | None = None) -> None:
    """Raise VotesError unless values are finite, at least 0, and not all 0."""
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        of_label = "" if names is None else f" of {quoted(names[int(wrong[0])].as_py())}"
        raise VotesError(f"a {what}{of_label} is {values[wrong[0]]:g} but must be a number of at least 0", where=where)
    if not values.sum() > 0:
        raise VotesError(f"no {what} is above 0", where=where)
