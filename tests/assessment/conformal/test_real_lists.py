"""Sets of real lists, calibrated on the 88 observations that experts have labelled."""

import numpy as np
import pytest

from plant_aggregate import Taxonomy
from plant_aggregate.assessment.conformal.fallback import common_taxa
from plant_aggregate.assessment.conformal.methods import Method
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predictor import SetPredictor, calibration_of, fit_predictor
from tests.assessment.conformal.real_lists import RealLists, needs_real_lists, real_lists

pytestmark = needs_real_lists


def fitted(real: RealLists, method: str, alphas: list[str], at_least: float = 1) -> SetPredictor:
    chosen, rows = Method.of(method), real.known
    calibration = calibration_of(chosen.score, real.space(at_least), rows.scores, rows.truth)
    return fit_predictor(chosen.score, chosen.rule, calibration, alphas)


def test_leave_one_out_coverage_of_the_experts_observations() -> None:
    """Each is in turn the new observation of thresholds from the 87 others."""
    rows, alphas = real_lists().known, ["0.2", "0.1", "0.05"]
    softmax, space = Method.of("softmax"), real_lists().space()
    covered = dict.fromkeys(alphas, 0)
    for i in range(len(rows)):
        left_out = np.arange(len(rows)) == i
        others, (row, truth) = rows.only(~left_out), (rows.scores.only(left_out), rows.truth[left_out])
        calibration = calibration_of(softmax.score, space, others.scores, others.truth)
        predictor = fit_predictor(softmax.score, softmax.rule, calibration, alphas)
        for alpha in alphas:
            covered[alpha] += int(predictor.predict(row, alpha).covers(truth).sum())
    assert covered == {"0.2": 71, "0.1": 80, "0.05": 84}
    shares = [round(n / len(rows), 3) for n in covered.values()]
    assert shares == [0.807, 0.909, 0.955]


def test_sizes_of_the_sets_of_all_lists() -> None:
    real = real_lists()
    predictor = fitted(real, "softmax", ["0.2", "0.1", "0.05"])
    sizes = {str(alpha): float(predictor.predict(real.lists, alpha).sizes.mean()) for alpha in predictor.thresholds}
    assert sizes == pytest.approx({"0.2": 0.761, "0.1": 1.002, "0.05": 2.042}, abs=0.001)


def test_one_row_whose_label_is_not_listed_leaves_alpha_2_percent_without_a_threshold() -> None:
    real = real_lists()
    softmax, rows = Method.of("softmax"), real.known
    calibration = calibration_of(softmax.score, real.space(), rows.scores, rows.truth)
    assert np.count_nonzero(calibration.scores == 0) == 1
    assert Alpha.of("0.02").rank(len(rows)) == 1
    assert fitted(real, "softmax", ["0.02"]).predict(real.lists, "0.02").whole_space.all()


def test_labels_never_counted_make_the_sets_of_real_lists_six_times_as_large_unless_they_count_as_seen_once() -> None:
    """The prior is how often each label comes first in all 6,000 lists."""
    real = real_lists()
    sizes = {
        at_least: float(fitted(real, "pas", ["0.1"], at_least).predict(real.lists, "0.1").sizes.mean())
        for at_least in (0, 1)
    }
    assert sizes == pytest.approx({0: 9.435, 1: 1.636}, abs=0.001)


def test_sets_of_real_lists_are_mostly_within_a_genus() -> None:
    """Genera are read from labels with authors, such as `Quercus robur L.`; docs/conformal.md quotes the numbers."""
    real = real_lists()
    predictor = fitted(real, "softmax", ["0.05"])
    sets = predictor.predict(real.lists)
    found = common_taxa(sets, real.names, Taxonomy.of_genera(real.names))
    known = found.n_genera >= 0
    assert np.count_nonzero(~known) < 20  # `Rosa spp.` is in a genus, `Taraxacum sect. Taraxacum` is too
    assert round(float(found.n_genera[known].mean()), 2) == 1.19
    assert round(float(sets.sizes.mean()), 2) == 2.04
    not_empty = ~sets.empty
    assert round(float((found.taxa[not_empty] >= 0).mean()), 2) == 0.86
