"""What the simulation of prediction sets must show, with fewer labels, rows and repetitions."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import conformal_study
from benchmarks.conformal_study import BANDED, ORDER, Design, band, ordered, simulated
from benchmarks.long_tail import LongTail
from tests.paths import ROOT

SMALL = LongTail(n_labels=200, training_pictures=20_000)
FAR = 1e-3  # a p-value below it says that the distribution is another one


@pytest.mark.slow
@pytest.mark.parametrize(("n", "alpha"), [(19, "0.1"), (35, "0.2"), (39, "0.05")])
def test_coverage_of_standard_thresholds_has_its_exact_distribution(n: int, alpha: str) -> None:
    """So few rows that a threshold of the next rank would be far from it."""
    design = Design(200, n, 500, SMALL, alpha)
    found = simulated(design, ["softmax", "pas"], (10,))
    for name in ("softmax", "pas", "wpas, gamma 10"):
        coverage = found[name]["marginal_coverage"]
        here = band(coverage, design)
        assert here.p_value > FAR
        assert here.inside == pytest.approx(here.exact_inside * 200, abs=13)  # three standard deviations
        one_rank_higher = Design(200, n, 500, SMALL, str((design.rank + 1.5) / (n + 1)))
        assert one_rank_higher.rank == design.rank + 1
        assert band(coverage, one_rank_higher).p_value < FAR


def test_the_distance_is_kolmogorovs() -> None:
    """Of 500 draws from the distribution it is small, of the same shifted by two standard deviations it is large."""
    from scipy.stats import betabinom

    design = Design(500, 99, 1000, SMALL)
    drawn = betabinom(1000, 90, 10).rvs(500, random_state=0) / 1000
    near, far = band(drawn, design), band(np.minimum(drawn + 0.06, 1), design)
    assert near.distance < 0.06 < 0.5 < far.distance
    assert far.p_value < FAR < near.p_value
    assert near.exact_mean == pytest.approx(0.9)
    assert near.inside == np.count_nonzero((drawn >= near.low) & (drawn <= near.high))
    assert 0.9 <= near.exact_inside < 0.92


@pytest.mark.slow
def test_methods_are_in_the_order_of_the_paper_and_gamma_raises_the_coverage_of_labels_at_risk() -> None:
    design = Design(5, 4000, 4000, SMALL)
    found = simulated(design, list(ORDER), (1, 10, 100, 1000))
    assert ordered(found) == {"macro_coverage": 5, "mean_size": 5}
    wpas = [found[f"wpas, gamma {gamma}"] for gamma in (1, 10, 100, 1000)]
    assert wpas[0]["macro_coverage"].tolist() == found["pas"]["macro_coverage"].tolist()
    at_risk = np.array([each["at_risk_coverage"] for each in wpas])
    others = np.array([each["not_at_risk_coverage"] for each in wpas])
    assert (np.diff(at_risk, axis=0) >= 0).all()
    assert (at_risk[-1] > at_risk[0] + 0.05).all()
    assert np.abs(others - others[0]).max() < 0.03


@pytest.mark.slow
@pytest.mark.extras
def test_the_study_runs_from_end_to_end(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    output = tmp_path / "study.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.conformal_study",
        "--repetitions",
        "2",
        "--labels",
        "50",
        "--rows",
        "500",
    ]
    done = subprocess.run([*command, "--output", str(output)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(output.read_text())
    assert set(results["bands"]) == set(BANDED)
    assert set(results["measured"]) >= set(conformal_study.PUBLISHED)
    for name in conformal_study.TABLES:
        assert f"### {name}" in done.stdout
