"""What a prior of 0 does to sets of real lists. The data are not ours to ship: without them this is skipped."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.predictor import calibration_of, fit_predictor
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.scores.pas import Pas
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from plant_aggregate.classifier_scores import ClassifierScores
from tests.paths import ROOT

DATA = ROOT.parent / "shared" / "data" / "plantnet_ai_scores"


@pytest.mark.skipif(not DATA.exists(), reason="the real scores are not here")
def test_labels_never_counted_make_the_sets_of_real_lists_six_times_as_large_unless_they_count_as_seen_once():
    """Calibrated on the experts' 88 observations; the prior is how often each label comes first in all 6,000 lists."""
    table, first, experts = (pq.read_table(DATA / f"{name}.parquet") for name in ("scores", "ai_votes", "experts"))
    listed = table["labels"].combine_chunks()
    space = pa.array(sorted({*pc.unique(listed.flatten()).to_pylist(), *experts["label"].to_pylist()}))
    codes = pc.index_in(listed.flatten(), value_set=space).to_numpy().astype(np.int32)
    probabilities = table["probabilities"].combine_chunks().flatten().to_numpy()
    lists = ClassifierScores(listed.offsets.to_numpy().astype(np.int64), codes, probabilities)

    places = pc.index_in(experts["observation_id"], value_set=table["observation_id"].combine_chunks()).to_pylist()
    parts = [slice(*lists.offsets[i : i + 2]) for i in places]
    offsets = np.cumsum([0, *(part.stop - part.start for part in parts)]).astype(np.int64)
    known = ClassifierScores(
        offsets, *(np.concatenate([values[p] for p in parts]) for values in (codes, probabilities))
    )
    truth = pc.index_in(experts["label"], value_set=space).to_numpy().astype(np.int32)
    of_first = first["label"].value_counts()

    sizes = {}
    for at_least in (0, 1):
        prior = Prior.of_names(space, of_first.field("values"), of_first.field("counts").to_numpy(), at_least)
        named = LabelSpace(space, prior)
        predictor = fit_predictor(Pas(), Standard(), calibration_of(Pas(), named, known, truth), ["0.1"])
        sizes[at_least] = float(predictor.predict(lists, "0.1").sizes.mean())
    assert sizes == pytest.approx({0: 9.435, 1: 1.636}, abs=0.001)
