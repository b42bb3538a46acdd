"""Named array types, and the index letters of the kernels.

Index letters, the same in every kernel and formula: ``i`` observation, ``j`` vote, ``u`` user, ``k`` label,
``t`` iteration.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Offsets: TypeAlias = NDArray[np.int64]  # int64[n + 1]; the items of group i are the slice offsets[i]:offsets[i + 1]
UserCodes: TypeAlias = NDArray[np.int32]  # int32; positions in the sorted table of user ids
LabelCodes: TypeAlias = NDArray[np.int32]  # int32; positions in the sorted table of labels, -1 for none
Counts: TypeAlias = NDArray[np.int32]  # int32; counts
Integers: TypeAlias = NDArray[np.int32] | NDArray[np.int64]  # int32 or int64; ids, or their distance from a base
Indices: TypeAlias = NDArray[np.int64]  # int64; positions of observations, votes or rows
Weights: TypeAlias = NDArray[np.float64]  # float64; weights of users or votes, or sums of them. No unit
Factors: TypeAlias = NDArray[np.float32]  # float32, >= 0; how much of its user's weight each vote has
Floats: TypeAlias = NDArray[np.float64]  # float64; shares, margins, entropies

Probabilities: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
"""float32 or float64 in [0, 1], in the precision of the input."""

Flags: TypeAlias = NDArray[np.bool_]  # bool; one flag per item
Bytes: TypeAlias = NDArray[np.uint8]  # uint8; text in UTF-8, or small states
Ranks: TypeAlias = NDArray[np.uint16]  # uint16; ranks among few symbols
HalfWords: TypeAlias = NDArray[np.uint32]  # uint32; digests
Words: TypeAlias = NDArray[np.uint64]  # uint64; several numbers packed so that the words sort lexicographically by them
