"""Which of the AI's rows count: against a loop over rows that keeps a dictionary."""

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate

ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.one_of(st.none(), st.sampled_from(["Abies", "Acer", "Ilex", " "])),
        st.sampled_from([0.0, 0.2, 0.7, 0.9, 1.0]),
    ),
    min_size=1,
    max_size=30,
)


@given(ROWS, st.sampled_from([pa.float16(), pa.float32(), pa.float64()]))
def test_of_each_observation_the_row_of_highest_score_counts(rows: list[tuple[Any, ...]], kind: pa.DataType) -> None:
    labelled = [row for row in rows if (row[1] or "").strip()]
    if not labelled:
        return
    first = {row[0]: row for row in sorted(labelled, key=lambda row: (-row[2], row[1]), reverse=True)}
    ids, labels, scores = zip(*rows, strict=True)
    narrow = pa.array(np.array(scores, kind.to_pandas_dtype()), kind)
    table = pa.table({"observation_id": ids, "label": pa.array(labels, pa.string()), "score": narrow})
    found = plant_aggregate.ai_votes_from_table(table)
    named = [found.label_names[int(code)].as_py() for code in found.labels]
    assert list(zip(found.observation_ids.to_pylist(), named, found.scores.tolist(), strict=True)) == [
        first[observation] for observation in sorted(first)
    ]
    assert found.label_names.to_pylist() == sorted(set(named))
    assert (found.n_unlabelled, found.n_further) == (len(rows) - len(labelled), len(labelled) - len(first))
