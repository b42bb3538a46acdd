import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.thresholds.base import Calibration
from plant_aggregate.assessment.conformal.thresholds.clustered import (
    Clustered,
    clustering_parameters,
    embedding,
    find_clusters,
    kmeans,
)
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from tests.assessment.conformal.golden import AUX
from tests.processes import path_with

ALPHA = Alpha.of("0.1")


def alike_in_two_groups(rows_of_label: int, n_labels: int) -> Calibration:
    """Labels whose scores are high, if even, and low, if odd."""
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(n_labels, dtype=np.int32), rows_of_label)
    scores = random.random(labels.size) * 0.1 + np.where(labels % 2 == 0, 0.8, 0.1)
    keys = np.arange(labels.size, dtype=np.uint64)
    return Calibration(scores, labels, LabelSpace(pa.array(list(range(n_labels)))), keys=keys)


@pytest.mark.parametrize("item", AUX["clustering_parameters"], ids=lambda item: f"{len(item['counts'])}-labels")
def test_clustering_parameters_are_the_golden_ones(item):
    found = clustering_parameters(np.array(list(item["counts"].values())), Alpha.of(item["alpha"]))
    assert list(map(str, found)) == item["expected"]


@pytest.mark.parametrize("item", AUX["embedding"], ids=lambda item: f"{len(item['scores'])}-scores")
def test_embeddings_are_the_golden_ones(item):
    nonconformity = np.concatenate([[7.0, 7.0], np.sort(item["scores"]), [9.0]])
    found = embedding(nonconformity, np.array([2]), np.array([len(item["scores"])]))
    np.testing.assert_allclose(found, [item["expected"]], rtol=1e-12)


@pytest.mark.extras
@pytest.mark.parametrize("item", AUX["kmeans"], ids=lambda item: str(item["points"][0]))
def test_clusters_of_points_are_the_golden_ones(item):
    pytest.importorskip("sklearn")
    found = kmeans(np.array(item["points"]), np.array(item["weights"]), item["k"], seed=0)
    assert found.tolist() == item["expected"]


@pytest.mark.extras
def test_fewer_clusters_are_found_if_fewer_points_are_distinct():
    pytest.importorskip("sklearn")
    assert kmeans(np.array([[1.0], [0.0], [1.0], [0.0]]), np.ones(4), 3, seed=0).tolist() == [0, 1, 0, 1]


@pytest.mark.extras
def test_labels_with_alike_scores_share_a_threshold():
    pytest.importorskip("sklearn")
    calibration = alike_in_two_groups(rows_of_label=40, n_labels=60)
    assert clustering_parameters(calibration.rows_of_labels, ALPHA).clusters == 8
    clusters = find_clusters(calibration, 2, ALPHA, seed=0)
    assert clusters.tolist() == [k % 2 for k in range(60)]
    thresholds = Clustered().fit(calibration, ALPHA).each(60)
    assert thresholds[::2].min() > 0.7
    assert thresholds[1::2].max() < 0.2
    assert len(set(thresholds)) <= 8


@pytest.mark.extras
def test_a_label_with_too_few_rows_to_find_its_cluster_has_the_standard_threshold_of_the_rows_that_calibrate():
    pytest.importorskip("sklearn")
    calibration = alike_in_two_groups(rows_of_label=40, n_labels=60)
    few = calibration.of((calibration.labels > 0) | (np.arange(len(calibration)) < 9))
    thresholds = Clustered().fit(few, ALPHA)
    share = clustering_parameters(few.rows_of_labels, ALPHA).share
    rest = few.of(~few.part(share, 0))
    assert thresholds.each(60)[0] == thresholds.shared == Standard().fit(rest, ALPHA).shared


@pytest.mark.extras
def test_no_cluster_is_found_of_labels_as_many_as_clusters():
    pytest.importorskip("sklearn")
    calibration = alike_in_two_groups(rows_of_label=40, n_labels=8)
    assert set(find_clusters(calibration, 8, ALPHA, seed=0)) == {-1}
    assert set(find_clusters(calibration, 7, ALPHA, seed=0)) == set(range(7))


@pytest.mark.extras
def test_labels_with_infinite_scores_are_in_no_cluster():
    pytest.importorskip("sklearn")
    calibration = alike_in_two_groups(rows_of_label=40, n_labels=12)
    calibration.scores[calibration.labels == 3] = np.inf
    assert find_clusters(calibration, 2, ALPHA, seed=0).tolist() == [-1 if k == 3 else k % 2 for k in range(12)]


def test_few_rows_for_each_label_give_the_standard_threshold_of_all_rows():
    calibration = alike_in_two_groups(rows_of_label=3, n_labels=60)
    assert set(Clustered().fit(calibration, ALPHA).each(60)) == {Standard().fit(calibration, ALPHA).shared}


def test_without_scikit_learn_the_extra_to_install_is_named(tmp_path):
    (tmp_path / "sklearn.py").write_text("raise ImportError('it is not installed')")
    kmeans = "import numpy, plant_aggregate.assessment.conformal.thresholds.clustered as rule; "
    kmeans += "rule.kmeans(numpy.zeros((4, 1)), numpy.ones(4), 2, seed=0)"
    environment = {**os.environ, "PYTHONPATH": path_with(tmp_path)}
    done = subprocess.run([sys.executable, "-c", kmeans], env=environment, capture_output=True, text=True)
    assert done.stderr.rstrip().endswith("not installed; pip install 'plant-aggregate[clusters]'")


def test_parts_have_the_share_and_change_with_the_seed_only():
    calibration = alike_in_two_groups(rows_of_label=100, n_labels=100)
    part, other = (calibration.part(Fraction(7, 9), seed) for seed in (0, 1))
    assert abs(part.mean() - 7 / 9) < 0.02
    assert abs((part & other).mean() - 49 / 81) < 0.02
    fewer = calibration.of(np.arange(len(calibration)) % 3 > 0)
    np.testing.assert_array_equal(fewer.part(Fraction(7, 9), 0), part[np.arange(len(calibration)) % 3 > 0])
    assert not calibration.part(Fraction(0), 0).any()
    assert calibration.part(Fraction(1), 0).all()
