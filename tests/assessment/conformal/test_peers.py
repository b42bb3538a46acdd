"""The same data here and in MAPIE, crepes and puncc: the same sets, and what differs by convention.

Probabilities are either multiples of a power of 1/2, of which 1 - p is exact, with many ties; or without ties.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import set_peers
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predictor import SetPredictor, calibration_of, fit_predictor
from plant_aggregate.assessment.conformal.registry import RULES, SCORES
from plant_aggregate.classifier_scores import ClassifierScores

pytestmark = pytest.mark.extras

LEVELS = ("0.05", "0.1", "0.2", "0.25", "0.29", "0.3")
COUNTS = (19, 20, 34, 35, 39, 77, 99, 100, 135, 199)  # alpha (n + 1) is an integer for some of them at each level
N_LABELS = 6
HALVES = 2**7


class Rows:
    """Calibration rows with truth, and new rows, whose truth is known as well."""

    def __init__(self, n: int, seed: int, kind: str) -> None:
        chance = np.random.default_rng([n, seed])
        shares = chance.dirichlet(np.full(N_LABELS, 0.4), n + 40)
        if kind == "ties":
            shares = np.array([chance.multinomial(HALVES, each) for each in shares]) / HALVES
        if kind == "decimals":
            shares = np.array([chance.multinomial(100, each) for each in shares]) / 100
        truth = np.array([chance.choice(N_LABELS, p=each / each.sum()) for each in shares])
        self.calibration, self.new = shares[:n], shares[n:]
        self.truth, self.new_truth = truth[:n], truth[n:]

    @property
    def given(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.calibration, self.truth, self.new

    def as_float32(self) -> "Rows":
        self.calibration, self.new = self.calibration.astype(np.float32), self.new.astype(np.float32)
        return self


def drawn(kind: str, repetitions: int = 4) -> Iterator[Rows]:
    return (Rows(n, seed, kind) for n in COUNTS for seed in range(repetitions))


def confidence(level: str) -> float:
    """1 - alpha as one types it: 0.9 for 0.1."""
    return float(1 - Decimal(level))


def predictor_of(rows: Rows, level: str, score: Any = None, rule: Any = None, draws: Any = None) -> SetPredictor:
    score = score or SCORES["softmax"]()
    lists = ClassifierScores.of_matrix(rows.calibration)
    space = LabelSpace(pa.array([f"sp{k}" for k in range(N_LABELS)]))
    calibration = calibration_of(score, space, lists, rows.truth.astype(np.int32), draws=draws)
    return fit_predictor(score, rule or RULES["standard"](), calibration, [level])


def sets_of(predictor: SetPredictor, new: np.ndarray, level: str, draws: Any = None) -> np.ndarray:
    """bool[n, K]"""
    sets = predictor.predict(ClassifierScores.of_matrix(new), level, draws)
    members = np.tile(sets.always, (len(new), 1))
    members[np.repeat(np.arange(len(new)), np.diff(sets.offsets)), sets.labels] = True
    return members


def spent(probabilities: np.ndarray, penalty: float = 0, k_reg: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The mass up to each label, the penalty of its rank included, and that up to the label before: float64[n, K]."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    sums += penalty * np.maximum(0, np.arange(1, N_LABELS + 1) - k_reg)
    before = np.concatenate([np.full((len(sums), 1), -np.inf), sums[:, :-1]], axis=1)
    back = np.argsort(order, axis=1)
    return np.take_along_axis(sums, back, axis=1), np.take_along_axis(before, back, axis=1)


def ours(rows: Rows, level: str, **options: Any) -> np.ndarray:
    return sets_of(predictor_of(rows, level, **options), rows.new, level)


def threshold_of(rows: Rows, level: str, **options: Any) -> float:
    return predictor_of(rows, level, **options).thresholds[Alpha.of(level)].shared


def p_values(scores: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(1 + number of calibration scores that are at most s(x, k)) / (n + 1), as fractions."""
    counts = (scores[:, None, None] <= new).sum(axis=0) + 1
    return np.vectorize(lambda count: Fraction(int(count), scores.size + 1), otypes=[object])(counts)


def scores_of_truth(rows: Rows) -> np.ndarray:
    return rows.calibration[np.arange(rows.truth.size), rows.truth]


def is_whole(level: str, n: int) -> bool:
    return (Alpha.of(level).exact * (n + 1)).denominator == 1


def test_the_counts_of_rows_have_those_where_the_rank_is_exactly_alpha_n_plus_1():
    assert all(
        any(is_whole(level, n) for n in COUNTS) and not all(is_whole(level, n) for n in COUNTS) for level in LEVELS
    )


@pytest.mark.filterwarnings("ignore:.*your conformalization dataset has less labels")
class TestMapie:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("mapie")

    @pytest.mark.parametrize("kind", ["ties", "decimals", "no ties"])
    @pytest.mark.parametrize("level", LEVELS)
    def test_lac_is_softmax(self, level, kind):
        for rows in drawn(kind):
            if rows.truth.size * float(level) >= 1:  # it refuses fewer
                np.testing.assert_array_equal(ours(rows, level), set_peers.mapie_sets(*rows.given, confidence(level)))

    def test_it_wants_one_row_more_than_there_have_to_be(self):
        rows = Rows(9, 0, "no ties")
        assert np.isfinite(threshold_of(rows, "0.1"))
        with pytest.raises(ValueError, match="Number of samples of the score is too low"):
            set_peers.mapie_sets(*rows.given, 0.9)

    def test_the_label_at_the_threshold_falls_out_in_float32(self):
        """1 - p is rounded to float32 for calibration rows, and not for new ones."""
        for rows in drawn("ties"):
            np.testing.assert_array_equal(ours(rows, "0.1"), set_peers.mapie_sets(*rows.as_float32().given, 0.9))
        lost = 0
        for rows in drawn("decimals"):
            here, there = ours(rows.as_float32(), "0.1"), set_peers.mapie_sets(*rows.given, 0.9)
            t = threshold_of(rows, "0.1")
            assert not (there & ~here).any()
            assert (rows.new[here & ~there] == np.float32(t)).all()
            lost += (here & ~there).any()
        assert lost > 5

    def test_lists_of_the_likeliest_labels_are_refused(self):
        rows = Rows(99, 0, "ties")
        rows.calibration[rows.calibration < 0.1] = 0
        assert ours(rows, "0.1").any()
        with pytest.raises(AssertionError, match="sum of the scores is not equal to one"):
            set_peers.mapie_sets(*rows.given, 0.9)

    @pytest.mark.parametrize("level", LEVELS)
    def test_aps_is_aps_where_both_draw_the_same_numbers(self, level):
        """Its u takes from the mass up to the label, ours adds to the mass before it."""
        aps = SCORES["aps"](own_mass="random")
        for rows in drawn("no ties"):
            if rows.truth.size * float(level) >= 1:
                there = set_peers.mapie(*rows.given, confidence(level), "aps", "randomized", seed=3)
                u = 1 - np.random.RandomState(3).uniform(size=rows.truth.size)
                predictor = predictor_of(rows, level, aps, draws=u)
                assert -predictor.thresholds[Alpha.of(level)].shared == pytest.approx(there.threshold, rel=1e-12)
                u = 1 - np.random.RandomState(3).uniform(size=len(rows.new))
                np.testing.assert_array_equal(sets_of(predictor, rows.new, level, u), there.sets)

    def test_aps_by_default_draws_for_calibration_rows_and_adds_the_label_that_crosses_the_threshold(self):
        for rows in drawn("no ties"):
            there = set_peers.mapie(*rows.given, 0.9, "aps")
            up_to, before = spent(rows.new)
            np.testing.assert_array_equal(there.sets, before < there.threshold)
            assert (there.sets & (up_to > there.threshold)).any(axis=1).all()

    def test_raps_has_the_threshold_of_raps_with_the_options_and_the_rows_that_it_chooses(self):
        from sklearn.model_selection import StratifiedShuffleSplit

        for seed in range(6):
            rows = Rows(199, seed, "no ties")
            if np.bincount(rows.truth, minlength=N_LABELS).min() < 2:
                continue
            there = set_peers.mapie(*rows.given, 0.9, "raps", seed=seed)
            split = StratifiedShuffleSplit(1, test_size=0.1, random_state=seed)  # its size_raps of 0.2 is ignored
            kept, _ = next(split.split(rows.calibration, rows.truth))
            rows.calibration, rows.truth = rows.calibration[kept], rows.truth[kept]
            penalty, k_reg = float(there.score.lambda_star), int(there.score.k_star[0])
            raps = SCORES["raps"](own_mass="random", penalty=penalty, k_reg=k_reg)
            u = 1 - np.random.RandomState(seed).uniform(size=kept.size)
            assert -threshold_of(rows, "0.1", score=raps, draws=u) == pytest.approx(there.threshold, rel=1e-12)
            np.testing.assert_array_equal(there.sets, spent(rows.new, penalty, k_reg)[1] < there.threshold)

    def test_raps_refuses_a_label_with_a_single_row(self):
        rows = Rows(199, 0, "no ties")
        rows.truth[rows.truth == 2] = 3
        rows.truth[0] = 2
        assert ours(rows, "0.1", score=SCORES["raps"]()).any()
        with pytest.raises(ValueError, match="least populated class"):
            set_peers.mapie_sets(*rows.given, 0.9, "raps")

    def test_thresholds_below_its_tolerance_let_all_labels_in(self):
        rows = Rows(99, 0, "no ties")
        rows.calibration[:, 0], rows.new[:, 0] = 1e-9, 0
        rows.calibration[:, 1:] /= rows.calibration[:, 1:].sum(axis=1, keepdims=True)
        rows.new /= rows.new.sum(axis=1, keepdims=True)
        rows.truth[:] = 0
        assert not ours(rows, "0.1")[:, 0].any()
        assert set_peers.mapie_sets(*rows.given, 0.9).all()


class TestCrepes:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("crepes")

    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("kind", ["ties", "no ties"])
    def test_our_sets_are_the_labels_whose_p_value_exceeds_alpha(self, level, kind):
        for rows in drawn(kind, 1):
            values = p_values(scores_of_truth(rows), rows.new)
            np.testing.assert_array_equal(values.astype(float), set_peers.crepes_p_values(*rows.given))
            np.testing.assert_array_equal(ours(rows, level), values > Alpha.of(level).exact)

    @pytest.mark.parametrize("level", LEVELS)
    def test_its_sets_have_one_rank_more_where_alpha_n_plus_1_is_whole_and_1_minus_confidence_rounds_down(self, level):
        """1 - 0.9 is 0.09999999999999998: a p-value of 0.1 is in. 1 - 0.95 is 0.050000000000000044: 0.05 is not."""
        alpha = Alpha.of(level).exact
        more = 1 - confidence(level) <= float(level)
        assert more == (level in ("0.1", "0.2", "0.25"))
        for rows in drawn("no ties", 1):
            values = p_values(scores_of_truth(rows), rows.new)
            sets = set_peers.crepes_sets(*rows.given, confidence(level))
            np.testing.assert_array_equal(sets, (values >= alpha) if more else (values > alpha))
            if not (more and is_whole(level, rows.truth.size)):
                np.testing.assert_array_equal(sets, ours(rows, level))

    @pytest.mark.parametrize("level", LEVELS)
    def test_class_conditional_p_values_are_those_of_classwise_thresholds(self, level):
        """A label without calibration rows has the p-value 1: it is always in the set, as here."""
        for rows in drawn("ties", 1):
            if rows.truth.size < 40:
                rows.truth[rows.truth == 2] = 3
            scores = scores_of_truth(rows)
            columns = [p_values(scores[rows.truth == k], rows.new[:, [k]])[:, 0] for k in range(N_LABELS)]
            values = np.stack(columns, axis=1)
            np.testing.assert_array_equal(
                values.astype(float), set_peers.crepes_p_values(*rows.given, of_each_label=True)
            )
            here = ours(rows, level, rule=RULES["classwise"]())
            np.testing.assert_array_equal(here, values > Alpha.of(level).exact)


class TestPuncc:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("deel.puncc")

    @pytest.mark.parametrize("kind", ["ties", "no ties"])
    @pytest.mark.parametrize("level", LEVELS)
    def test_lac_is_softmax_where_1_minus_p_is_exact_or_nothing_ties(self, level, kind):
        for rows in drawn(kind):
            if rows.truth.size >= Alpha.of(level).fewest:
                there = set_peers.puncc(*rows.given, float(level))
                np.testing.assert_array_equal(ours(rows, level), there.sets)

    def test_lac_drops_ties_with_the_threshold_where_1_minus_p_is_rounded(self):
        lost = 0
        for rows in drawn("decimals"):
            here, there = ours(rows, "0.1"), set_peers.puncc_sets(*rows.given, 0.1)
            t = threshold_of(rows, "0.1")
            assert not (there & ~here).any()
            assert (rows.new[here & ~there] == t).all()
            lost += (here & ~there).any()
        assert lost > 5

    @pytest.mark.parametrize("level", ["0.2", "0.25", "0.29"])
    def test_classwise_lac_is_classwise_where_every_label_has_enough_rows(self, level):
        tried = 0
        for rows in drawn("ties"):
            if np.bincount(rows.truth, minlength=N_LABELS).min() >= Alpha.of(level).fewest:
                there = set_peers.puncc_sets(*rows.given, float(level), "ClasswiseLAC")
                np.testing.assert_array_equal(ours(rows, level, rule=RULES["classwise"]()), there)
                tried += 1
        assert tried > 5

    def test_classwise_lac_refuses_a_label_with_too_few_rows_and_accepts_one_without(self):
        rows = Rows(199, 0, "ties")
        rows.truth[rows.truth == 2] = 3
        there = set_peers.puncc_sets(*rows.given, 0.1, "ClasswiseLAC")
        np.testing.assert_array_equal(ours(rows, "0.1", rule=RULES["classwise"]()), there)
        assert there[:, 2].all()
        rows.truth[0] = 2
        assert ours(rows, "0.1", rule=RULES["classwise"]())[:, 2].all()
        with pytest.raises(ValueError, match="Alpha is too small"):
            set_peers.puncc_sets(*rows.given, 0.1, "ClasswiseLAC")

    @pytest.mark.parametrize("level", LEVELS)
    def test_aps_is_aps_where_both_draw_the_same_numbers(self, level):
        aps = SCORES["aps"](own_mass="random")
        for rows in drawn("no ties"):
            if rows.truth.size >= Alpha.of(level).fewest:
                np.random.seed(5)
                there = set_peers.puncc(*rows.given, float(level), "APS")
                np.random.seed(5)
                predictor = predictor_of(rows, level, aps, draws=1 - np.random.uniform(size=rows.truth.size))
                u = 1 - np.random.uniform(size=len(rows.new))
                assert -predictor.thresholds[Alpha.of(level)].shared == pytest.approx(float(there.threshold), rel=1e-12)
                np.testing.assert_array_equal(sets_of(predictor, rows.new, level, u), there.sets)

    @pytest.mark.parametrize(("method", "penalty", "k_reg"), [("APS", 0.0, 1), ("RAPS", 0.05, 2), ("RAPS", 0.2, 0)])
    @pytest.mark.parametrize("level", LEVELS)
    def test_without_draws_a_set_has_the_label_that_crosses_the_threshold_as_well(self, level, method, penalty, k_reg):
        score = SCORES["raps"](penalty=penalty, k_reg=k_reg)
        options = {"lambd": penalty, "k_reg": k_reg} if penalty else {}
        for rows in drawn("no ties"):
            if rows.truth.size >= Alpha.of(level).fewest:
                there = set_peers.puncc(*rows.given, float(level), method, rand=False, **options)
                t = -threshold_of(rows, level, score=score)
                assert t == pytest.approx(float(there.threshold), rel=1e-12)
                up_to, before = spent(rows.new, penalty, k_reg)
                np.testing.assert_array_equal(ours(rows, level, score=score), up_to <= t * (1 + 1e-9))  # 1 is a tie
                np.testing.assert_array_equal(there.sets, before < t)

    def test_draws_of_raps_count_for_the_penalty_of_new_rows_too(self):
        """As Angelopoulos et al. write it: u takes u p from a calibration row, and u (p + lambda) from a new one."""
        penalty, k_reg = 0.05, 1
        raps = SCORES["raps"](own_mass="random", penalty=penalty, k_reg=k_reg)
        n_more = 0
        for rows in drawn("no ties", 1):
            np.random.seed(5)
            there = set_peers.puncc(*rows.given, 0.1, "RAPS", lambd=penalty, k_reg=k_reg)
            np.random.seed(5)
            predictor = predictor_of(rows, "0.1", raps, draws=1 - np.random.uniform(size=rows.truth.size))
            t = float(there.threshold)
            assert -predictor.thresholds[Alpha.of("0.1")].shared == pytest.approx(t, rel=1e-12)
            u = np.random.uniform(size=(len(rows.new), 1))
            up_to, before = spent(rows.new, penalty, k_reg)
            is_late = up_to - spent(rows.new)[0] > 1e-9
            np.testing.assert_array_equal(
                there.sets, (up_to < t) | ((before < t) & (up_to - u * (rows.new + penalty * is_late) < t))
            )
            here = sets_of(predictor, rows.new, "0.1", 1 - u[:, 0])
            assert not (here & ~there.sets).any()
            n_more += (there.sets & ~here).sum()
        assert n_more

    def test_a_set_of_aps_has_no_more_labels_than_rows_are_predicted_at_once(self):
        rows = Rows(199, 0, "no ties")
        at_once = set_peers.puncc_sets(*rows.given, 0.1, "APS")
        assert at_once.sum(axis=1).max() > 2
        rows.new = rows.new[:2]
        assert set_peers.puncc_sets(*rows.given, 0.1, "APS").sum(axis=1).max() <= 2

    def test_truncated_lists_are_refused(self):
        rows = Rows(99, 0, "ties")
        rows.calibration[rows.calibration < 0.1] = 0
        assert ours(rows, "0.1").any()
        with pytest.raises(ValueError, match="Logits must some to 1"):
            set_peers.puncc_sets(*rows.given, 0.1)
