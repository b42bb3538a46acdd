"""Coverage of new observations checked from files and from memory."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.assessment.conformal.monitoring import covered_distribution
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.coverage_check import check_coverage, write_check_metrics
from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.prediction_sets import fit_sets, load_sets, save_sets

LABELS = [f"Acer {name}" for name in "abcdef"]
PROBABILITIES = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])


def observed(n, seed, *, first=0, blunt=0.0):
    """Lists of a classifier that is right about its probabilities, less so by ``blunt``, and their true labels."""
    rng = np.random.default_rng(seed)
    true = rng.choice(6, n, p=PROBABILITIES)
    evidence = rng.normal(0, 1.5, (n, 6)) + np.log(PROBABILITIES)
    evidence[np.arange(n), true] += 2.25 * (1 - blunt)
    p = np.exp(evidence)
    p /= p.sum(axis=1, keepdims=True)
    lists = [[(LABELS[k], row[k]) for k in np.argsort(-row) if row[k] > 0.01] for row in p]
    ids = pa.array(np.arange(first, first + n))
    scores = pa.table(
        {
            "observation_id": ids,
            "labels": [[label for label, _ in row] for row in lists],
            "probabilities": [[share for _, share in row] for row in lists],
        }
    )
    return scores, pa.table({"observation_id": ids, "label": [LABELS[k] for k in true]})


def scores_of(table):
    return plant_aggregate.scores_from_table(table)


@pytest.fixture(scope="module")
def fitted():
    scores, truth = observed(800, 1)
    return fit_sets(scores_of(scores), truth, alpha=["0.1", "0.2"])


def test_observations_like_the_calibration_rows_are_compatible(fitted):
    scores, truth = observed(900, 2, first=5000)
    found = check_coverage(fitted, scores_of(scores), truth)
    assert [str(level.alpha) for level in found.levels] == ["0.1", "0.2"]
    assert not found.too_low
    assert not found.too_high
    assert not found.more_not_listed
    assert not found.sizes_moved
    assert found.observations == 900
    level = found.levels[0].coverage
    assert (level.observations, level.unchecked, level.calibration_rows) == (900, 0, 800)
    chances = covered_distribution(np.array([800]), np.array([900]), Alpha.of("0.1"))
    assert level.p_low == pytest.approx(chances[: level.covered + 1].sum())
    assert repr(found).startswith(f"CoverageCheck(alpha 0.1: {level.covered} of 900 covered, ")
    assert "compatible" in found._repr_html_()


def test_a_classifier_that_got_worse_covers_too_few_in_sets_of_another_size(fitted):
    scores, truth = observed(900, 3, first=5000, blunt=0.4)
    found = check_coverage(fitted, scores_of(scores), truth, alpha="0.1")
    (level,) = found.levels
    assert found.too_low == (Alpha.of("0.1"),)
    assert level.coverage.covered < level.coverage.fewest
    assert level.coverage.p_low < 0.001
    assert found.sizes_moved == (Alpha.of("0.1"),)
    assert level.mean_size > level.fitted_mean_size


def test_true_labels_that_more_lists_lack_are_told(fitted):
    scores, truth = observed(900, 4, first=5000)
    short = scores.set_column(1, "labels", pa.array([row[:1] for row in scores["labels"].to_pylist()])).set_column(
        2, "probabilities", pa.array([row[:1] for row in scores["probabilities"].to_pylist()])
    )
    found = check_coverage(fitted, scores_of(short), truth)
    assert found.more_not_listed
    assert found.not_listed > 100
    assert found.too_low


def test_a_listed_label_counts_as_listed_even_if_it_scores_as_those_that_are_not():
    """Inclusive aps gives the last label of a list the score of those that are not listed."""
    lists = {"observation_id": list(range(10)), "labels": [LABELS[:2]] * 10, "probabilities": [[0.75, 0.25]] * 10}
    truth = {"observation_id": list(range(10)), "label": [LABELS[0]] * 8 + [LABELS[1]] * 2}
    fitted = fit_sets(lists, truth, score="aps", alpha="0.4")
    assert fitted.fitted_on["not_listed"] == 0
    assert check_coverage(fitted, lists, truth).not_listed == 0


def test_more_covered_than_chance_explains_is_no_alarm(fitted):
    scores, truth = observed(900, 5, first=5000, blunt=-0.6)
    found = check_coverage(fitted, scores_of(scores), truth)
    assert found.too_high
    assert not found.too_low


@pytest.mark.parametrize("score", ["softmax", "pas", "aps:own-mass=random"])
@pytest.mark.parametrize("threshold", ["standard", "classwise", "fuzzy-reconformalised"])
def test_a_saved_predictor_is_checked_as_before(tmp_path, score, threshold):
    if score.startswith("aps"):
        rng = np.random.default_rng(0)
        matrix = rng.dirichlet(np.ones(6), 400)
        ids = list(range(400))
        scores = plant_aggregate.scores_from_matrix(matrix, labels=LABELS, observation_ids=ids)
        truth = pa.table({"observation_id": ids, "label": [LABELS[k] for k in matrix.argmax(axis=1)]})
    else:
        table, truth = observed(400, 6)
        scores = scores_of(table)
    counts = dict(zip(LABELS, (1000 * PROBABILITIES).tolist(), strict=True))
    predictor = fit_sets(scores, truth, score=score, threshold=threshold, alpha="0.2", counts=counts)
    save_sets(predictor, tmp_path / "sets.json")
    one, other = (check_coverage(each, scores, truth) for each in (predictor, load_sets(tmp_path / "sets.json")))
    assert one.levels == other.levels
    assert json.loads((tmp_path / "sets.json").read_text())["fitted_on"]["sizes"]["0.2"]["mean"] == pytest.approx(
        one.levels[0].mean_size
    )


def test_classwise_sets_are_checked_label_by_label():
    scores, truth = observed(900, 7)
    predictor = fit_sets(scores_of(scores), truth, threshold="classwise", alpha="0.1")
    new_scores, new_truth = observed(500, 8, first=5000)
    outside = pa.table({"observation_id": [5000], "label": ["Quercus z"]})
    found = check_coverage(predictor, scores_of(new_scores), pa.concat_tables([outside, new_truth.slice(1)]))
    (level,) = found.levels
    assert (level.coverage.observations, level.coverage.unchecked) == (499, 1)
    assert level.p_size is None
    assert not found.too_low
    rows = np.bincount([LABELS.index(label) for label in truth["label"].to_pylist()], minlength=6)
    new = np.bincount([LABELS.index(label) for label in new_truth["label"].to_pylist()[1:]], minlength=6)
    chances = covered_distribution(rows, new, Alpha.of("0.1"))
    assert level.coverage.expected == pytest.approx(chances @ np.arange(chances.size))


def test_what_is_compared_with_what_is_noted():
    scores, truth = observed(400, 9)
    predictor = fit_sets(scores_of(scores), truth, score="pas")
    note, prior_note = check_coverage(predictor, scores_of(scores), truth).notes
    assert "calibration rows themselves" in note
    scores, truth = observed(400, 14, first=5000)
    assert check_coverage(predictor, scores_of(scores), truth).notes == (prior_note,)
    note = prior_note
    assert "prior was counted in the calibration rows" in note
    of_run = {**predictor.fitted_on, "from_run": "20261127T021503Z", "prior": "counts.csv"}
    object.__setattr__(predictor, "fitted_on", of_run)
    (note,) = check_coverage(predictor, scores_of(scores), truth).notes
    assert "valid labels of a run" in note


def test_a_run_of_the_new_month_gives_true_labels_as_experts_do(tmp_path):
    scores, truth = observed(300, 10)
    votes = truth.append_column("user_id", pa.array(["u"] * 300))
    everybody = pa.concat_tables([votes.set_column(2, "user_id", pa.array([name] * 300)) for name in "abc"])
    pq.write_table(everybody, tmp_path / "votes.parquet")
    run = plant_aggregate.run(
        tmp_path / "votes.parquet", tmp_path / "out", plant_aggregate.Majority(theta_conf=0.5), progress=False
    )
    predictor = fit_sets(scores_of(scores), run=run)
    found = check_coverage(predictor, scores_of(scores), run=run)
    assert found.observations == 300
    assert [note.split(",")[0] for note in found.notes] == ["these are the calibration rows themselves"]
    of_experts = fit_sets(scores_of(scores), truth)
    assert "labels that were checked may be wrong" in check_coverage(of_experts, scores_of(scores), run=run).notes[-1]


@pytest.mark.parametrize("rule", ["interp-q", "macro", "fuzzy"])
def test_rules_without_a_known_distribution_are_refused_by_name(rule):
    scores, truth = observed(400, 11)
    with pytest.raises(ParameterError, match=f"rule {rule} .* distribution .* not known; evaluate these sets"):
        check_coverage(fit_sets(scores_of(scores), truth, threshold=rule), scores_of(scores), truth)


@pytest.mark.parametrize(
    ("given", "saying"),
    [
        ({"significance": 0}, "significance is 0"),
        ({"significance": 0.5}, "significance"),
        ({"alpha": "0.3"}, "was fitted at 0.1, 0.2"),
        ({"run": "x"}, "both given"),
        ({"min_probability": 0.5}, "without run"),
    ],
)
def test_what_cannot_be_checked_is_refused(fitted, given, saying):
    scores, truth = observed(50, 12)
    with pytest.raises(ParameterError, match=saying):
        check_coverage(fitted, scores_of(scores), truth, **given)


def test_without_an_observation_that_has_both_there_is_nothing_to_check(fitted):
    scores, _ = observed(50, 13)
    _, truth = observed(50, 13, first=900)
    with pytest.raises(VotesError):
        check_coverage(fitted, scores_of(scores), truth)
    with pytest.raises(TypeError, match="predictor"):
        check_coverage(scores, fitted, truth)


def test_metrics_are_those_of_the_check(fitted, tmp_path):
    scores, truth = observed(900, 2, first=5000)
    found = check_coverage(fitted, scores_of(scores), truth)
    write_check_metrics(found, tmp_path / "sets.prom", sets="sets.json", ended=17.0)
    lines = (tmp_path / "sets.prom").read_text().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    place = f'sets="{(tmp_path.cwd() / "sets.json")}"'
    assert float(values[f'plant_aggregate_sets_coverage{{alpha="0.1",{place}}}']) == found.levels[0].coverage.share
    assert float(values[f'plant_aggregate_sets_coverage_too_low{{alpha="0.2",{place}}}']) == 0
    assert float(values[f"plant_aggregate_sets_last_check_timestamp_seconds{{{place}}}"]) == 17
