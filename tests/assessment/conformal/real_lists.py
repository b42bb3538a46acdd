"""Label lists of a real classifier, 6,000 of them, of which experts have labelled 88. They are not ours to ship."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.labelled import LabelledScores
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.classifier_scores import ClassifierScores
from tests.paths import ROOT

DATA = ROOT.parent / "shared" / "data" / "plantnet_ai_scores"

needs_real_lists = pytest.mark.skipif(not DATA.exists(), reason="the real scores are not here")


class RealLists(NamedTuple):
    names: pa.Array
    """Of the labels that are listed anywhere, or that an expert gives."""
    lists: ClassifierScores
    known: LabelledScores
    """The lists of the observations that experts have labelled."""
    first: pa.StructArray
    """How often each label comes first in the lists: values, counts."""

    def space(self, at_least: float = 1) -> LabelSpace:
        """The labels, with how often each comes first as the prior."""
        names, counts = (self.first.field(name) for name in ("values", "counts"))
        return LabelSpace(self.names, Prior.of_names(self.names, names, counts.to_numpy(), at_least))


@cache
def real_lists() -> RealLists:
    table, first, experts = (pq.read_table(DATA / f"{name}.parquet") for name in ("scores", "ai_votes", "experts"))
    listed = table["labels"].combine_chunks()
    names = pa.array(sorted({*pc.unique(listed.flatten()).to_pylist(), *experts["label"].to_pylist()}))
    codes = pc.index_in(listed.flatten(), value_set=names).to_numpy().astype(np.int32)
    probabilities = table["probabilities"].combine_chunks().flatten().to_numpy()
    lists = ClassifierScores(listed.offsets.to_numpy().astype(np.int64), codes, probabilities)
    chosen = pc.is_in(table["observation_id"], value_set=experts["observation_id"].combine_chunks()).to_numpy()
    ids = table["observation_id"].filter(pa.array(chosen))
    order = pc.index_in(ids, value_set=experts["observation_id"].combine_chunks())
    truth = pc.index_in(experts["label"].take(order), value_set=names).to_numpy().astype(np.int32)
    known = LabelledScores(lists.only(chosen), truth)
    return RealLists(names, lists, known, first["label"].combine_chunks().value_counts())
