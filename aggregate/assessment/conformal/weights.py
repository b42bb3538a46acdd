"""Weights of labels: labels at risk, which must not be missed, and class weights."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Flags, Floats
from ...arrow import to_arrow, to_numpy
from ...errors import ParameterError, VotesError, quoted, warn
from .priors import names_as, values_by_name

if TYPE_CHECKING:
    import pyarrow as pa

NAMED = 3  # labels that a warning names


def at_risk_labels(space: "pa.Array", names: "pa.Array", *, where: str | None = None) -> Flags:
    """Which labels of a space are among ``names``, bool[K]; a warning counts and names those that the space lacks.

    ``where``: the file they are from, for messages. Raises VotesError if it has none of them.

    >>> import pyarrow as pa
    >>> at_risk_labels(pa.array(["Acer campestre", "Orchis militaris"]), pa.array(["Orchis militaris"]))
    array([False,  True])
    """
    import pyarrow.compute as pc

    wanted = names_as(space, names, where).drop_null().unique()
    unknown = wanted.filter(pc.invert(pc.is_in(wanted, value_set=space)))
    if len(unknown) == len(wanted):
        fault = f"the classifier knows none of the {len(wanted):,} labels at risk: {some_of(unknown)}"
        raise VotesError(fault if len(wanted) else "there are no labels at risk", where=where)
    if len(unknown):
        warn(f"{len(unknown):,} of {len(wanted):,} labels at risk are not known to the classifier: {some_of(unknown)}")
    flags: Flags = to_numpy(pc.is_in(space, value_set=wanted))
    return flags


def class_weights(space: "pa.Array", names: "pa.Array", weights: ArrayLike, *, where: str | None = None) -> Floats:
    """The weight of each label of a space by name, float64[K], as they were given.

    Labels without one weigh as much as those with one do in the mean; a warning counts and names them. Raises
    VotesError for weights that are no numbers of at least 0, or all 0, and for names that are there twice; ``where``:
    the file they are from, for messages.
    """
    of_labels = values_by_name(space, names, weights, "class weight", missing=np.nan, where=where)
    without = np.isnan(of_labels)
    if without.any():
        mean = float(np.nanmean(of_labels))
        lacking = space.take(to_arrow(np.flatnonzero(without)))
        has = "label has" if len(lacking) == 1 else "labels have"
        warn(f"{len(lacking):,} {has} no class weight, and {mean:g}, the mean, instead: {some_of(lacking)}")
        of_labels[without] = mean
    return of_labels


def label_weights(at_risk: Flags, gamma: float, of_classes: Floats | None = None) -> Floats:
    """omega, float64[K]: gamma / W for labels at risk, 1 / W for others, W = gamma |at risk| + |others|.

    With class weights, float64[K], these, those of labels at risk times gamma.

    >>> label_weights(np.array([False, True, False]), gamma=2).tolist()
    [0.25, 0.5, 0.25]
    """
    if not np.isfinite(gamma) or gamma <= 0:
        raise ParameterError(f"gamma is {gamma} but must be a positive number")
    relative = np.where(at_risk, float(gamma), 1.0)
    weights: Floats = relative / relative.sum() if of_classes is None else relative * of_classes
    return weights


def some_of(names: "pa.Array") -> str:
    """The first of some names, in quotes, for a message."""
    some = ", ".join(quoted(name) for name in names[:NAMED].to_pylist())
    return f"{some}, ..." if len(names) > NAMED else some
