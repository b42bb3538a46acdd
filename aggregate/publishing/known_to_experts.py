"""The column by_expert, for strategies of other packages that take experts' labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from ..add_ons import Columns, Extends
from ..arrow import plain
from ..schema import BY_EXPERT, Table
from ..truth import Truth, rows_of


@dataclass(frozen=True, eq=False)
class KnownToExperts:
    """Which observations' labels a strategy was given, where its consensus does not tell: an add-on.

    Whether it has held them fixed is not known, but it may have used them: they cannot judge it.
    """

    experts: Truth
    extends: ClassVar[Extends] = "consensus"
    table: ClassVar[Table] = BY_EXPERT

    def columns(self, rows: pa.Table, first: int) -> Columns:
        """The column BY_EXPERT."""
        given = np.zeros(rows.num_rows, np.bool_)
        given[rows_of(plain(rows.column("observation_id")), self.experts.observation_ids)[0]] = True
        return {BY_EXPERT[0].name: given}

    def facts(self) -> Mapping[str, Any]:
        """None."""
        return {}
