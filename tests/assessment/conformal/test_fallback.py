"""The smallest common taxon of sets, and in how many genera they are, against sets of ancestors."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate import Taxonomy, read_taxonomy
from plant_aggregate.assessment.conformal.evaluation import evaluate_predictor
from plant_aggregate.assessment.conformal.fallback import CommonTaxa, common_taxa, covers_at, measure_taxa
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predictor import SetPredictor
from plant_aggregate.assessment.conformal.scores.softmax import Softmax
from plant_aggregate.assessment.conformal.sets import PredictionSets
from plant_aggregate.assessment.conformal.thresholds.base import Thresholds
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from plant_aggregate.classifier_scores import ClassifierScores
from plant_aggregate.kernels.taxa import LARGE
from tests.reference.conformal import ancestors, common_taxon, number_of_groups

RANKS = ("species", "genus", "family", None)


class Trees:
    """A random taxonomy of numbered taxa, and sets of labels; labels 90 and above are not in it."""

    def __init__(self, draw: Any) -> None:
        n = draw(st.integers(1, 12))
        self.parents = {k: draw(st.one_of(st.none(), st.integers(0, k - 1))) if k else None for k in range(n)}
        self.ranks = {k: draw(st.sampled_from(RANKS)) for k in self.parents}
        self.names = sorted(draw(st.sets(st.sampled_from([*self.parents, 90, 91]), min_size=1)))
        self.n_space = draw(st.integers(1, len(self.names)))
        positions = st.lists(st.integers(0, len(self.names) - 1), unique=True, max_size=6)
        self.always = draw(st.lists(st.integers(0, self.n_space - 1), unique=True, max_size=2))
        self.listed = draw(st.lists(positions, min_size=1, max_size=5))

    @property
    def taxonomy(self) -> Taxonomy:
        labels, parents = list(self.parents), list(self.parents.values())
        ranks = [self.ranks[label] for label in labels]
        return read_taxonomy({"label": labels, "parent": pa.array(parents, pa.int64()), "rank": ranks})

    @property
    def members(self) -> list[set[int]]:
        return [{self.names[k] for k in {*listed, *self.always}} for listed in self.listed]

    def genus_of(self, label: int) -> int | None:
        chain = ancestors(label, self.parents)
        return next((taxon for taxon in chain if self.ranks.get(taxon) == "genus"), None)

    def sets(self) -> PredictionSets:
        lengths = [len(listed) for listed in self.listed]
        labels = np.array([k for listed in self.listed for k in listed], np.int32)
        always = np.zeros(self.n_space, np.bool_)
        always[self.always] = True
        sizes = np.array([len(members) for members in self.members], np.int32)
        return PredictionSets(np.cumsum([0, *lengths]), labels, np.zeros(labels.size), sizes, always)

    def common(self) -> CommonTaxa:
        return common_taxa(self.sets(), pa.array(self.names), self.taxonomy)


@given(st.data())
def test_common_taxa_and_sizes_are_the_reference_ones(data: Any) -> None:
    trees = Trees(data.draw)
    columns = {name: column.to_pylist() for name, column in trees.common().columns().items()}
    assert columns["common_taxon"] == [common_taxon(members, trees.parents) for members in trees.members]
    known = [taxon for taxon in columns["common_taxon"] if taxon is not None]
    assert [rank for rank in columns["common_rank"] if rank] == [trees.ranks[k] for k in known if trees.ranks[k]]
    for rank, name in (("genus", "n_genera"), ("family", "n_families")):
        wanted = [number_of_groups(members, trees.parents, trees.ranks, rank) for members in trees.members]
        assert columns[name] == wanted


@given(st.data())
def test_the_order_of_labels_is_irrelevant(data: Any) -> None:
    trees = Trees(data.draw)
    before = trees.common()
    trees.listed = [data.draw(st.permutations(listed)) for listed in trees.listed]
    after = trees.common()
    np.testing.assert_array_equal(after.taxa, before.taxa)
    np.testing.assert_array_equal(after.n_genera, before.n_genera)


@given(st.data())
def test_another_label_never_makes_the_common_taxon_deeper(data: Any) -> None:
    trees = Trees(data.draw)
    before = trees.common().columns()["common_taxon"].to_pylist()
    trees.listed = [list({*listed, data.draw(st.integers(0, len(trees.names) - 1))}) for listed in trees.listed]
    after = trees.common().columns()["common_taxon"].to_pylist()
    for was, now, members in zip(before, after, trees.members, strict=True):
        if was is not None:
            assert now is None or now in ancestors(was, trees.parents)
        elif now is not None:
            assert len(members) == 1  # it was empty


@given(st.data())
def test_a_genus_is_covered_if_a_label_of_the_set_is_in_it(data: Any) -> None:
    trees = Trees(data.draw)
    truth = [data.draw(st.integers(-1, len(trees.names) - 1)) for _ in trees.listed]
    names, codes = pa.array(trees.names), np.array(truth, np.int32)
    found = covers_at(trees.sets(), names, codes, trees.taxonomy, "genus")
    for k, members, covered, known in zip(truth, trees.members, found.covered, found.known, strict=True):
        genus = None if k < 0 else trees.genus_of(trees.names[k])
        assert known == (genus is not None)
        assert covered == (genus is not None and genus in map(trees.genus_of, members))


@pytest.mark.parametrize("large", [0, 2, 100])
def test_threads_and_large_sets_give_the_same(even_small_work: None, large: int) -> None:
    n = 2 * LARGE
    parents = {k: None if k == 0 else k // 3 for k in range(n)}
    ranks = {k: "genus" if 3 <= k < 9 else None for k in range(n)}
    taxonomy = read_taxonomy({"label": [*parents], "parent": [*parents.values()], "rank": [*ranks.values()]})
    rng = np.random.default_rng(2)
    members = [set(rng.permutation(np.arange(9, n))[: rng.integers(0, large + 1)].tolist()) for _ in range(200)]
    sizes = np.array([len(each) for each in members], np.int32)
    labels = np.array([k for each in members for k in each], np.int32)
    sets = PredictionSets(np.cumsum([0, *sizes]), labels, np.zeros(labels.size), sizes, np.zeros(n, bool))
    found = common_taxa(sets, pa.array(range(n)), taxonomy).columns()
    assert found["common_taxon"].to_pylist() == [common_taxon(each, parents) for each in members]
    assert found["n_genera"].to_pylist() == [number_of_groups(each, parents, ranks, "genus") for each in members]


def test_labels_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The label space, and every label outside of it, not again for every batch of a file."""
    taxonomy = read_taxonomy({"label": ["Acer", "Ilex"], "parent": [None, None]})
    asked: list[list[str]] = []
    places = Taxonomy.places

    def asking(self: Taxonomy, labels: pa.Array) -> np.ndarray:
        asked.append(labels.to_pylist())
        return places(self, labels)

    monkeypatch.setattr(Taxonomy, "places", asking)
    taxa = taxonomy.of_labels
    assert taxa.taxa(pa.array(["Acer"]), 1).tolist() == [0]
    assert taxa.taxa(pa.array(["Acer", "Buxus"]), 1).tolist() == [0, -1]
    assert taxa.taxa(pa.array(["Acer", "Ilex", "Buxus"]), 1).tolist() == [0, 1, -1]
    assert taxa.taxa(pa.array(["Ilex"]), 1).tolist() == [1]
    assert asked == [["Acer"], ["Buxus"], ["Ilex"], ["Ilex"]]


def mean(values: list[bool] | list[int]) -> float:
    return sum(values) / len(values) if values else math.nan


@given(st.data())
def test_measures_are_the_reference_ones(data: Any) -> None:
    trees = Trees(data.draw)
    truth = [data.draw(st.integers(0, len(trees.names) - 1)) for _ in trees.listed]
    labels = [trees.names[k] for k in truth]
    names, codes = pa.array(trees.names), np.array(truth, np.int32)
    found = measure_taxa(trees.sets(), names, codes, trees.taxonomy, resamples=0)
    rows = list(zip(trees.members, labels, strict=True))
    shared = [common_taxon(members, trees.parents) for members in trees.members]
    genera = [number_of_groups(members, trees.parents, trees.ranks, "genus") for members in trees.members]
    wanted = {
        "genus_coverage": mean(
            [trees.genus_of(k) in map(trees.genus_of, members) for members, k in rows if trees.genus_of(k) is not None]
        ),
        "common_taxon": mean([taxon is not None for taxon in shared]),
        "common_taxon_coverage": mean(
            [
                taxon in ancestors(label, trees.parents)
                for taxon, label in zip(shared, labels, strict=True)
                if taxon is not None and label in trees.parents
            ]
        ),
        "mean_genera": mean([n for n in genera if n is not None]),
    }
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, nan_ok=True)


def test_an_evaluation_measures_genera_where_a_taxonomy_is_given() -> None:
    names = pa.array(["Acer opalus", "Quercus petraea", "Quercus robur"])
    matrix = np.array([[0.1, 0.5, 0.4], [0.05, 0.15, 0.8], [0.6, 0.2, 0.2]] * 10)
    predictor = SetPredictor(Softmax(), Standard(), LabelSpace(names), {Alpha.of("0.1"): Thresholds(0.45)})
    lists, truth = ClassifierScores.of_matrix(matrix), np.array([2, 2, 2] * 10, np.int32)
    evaluation = evaluate_predictor(predictor, lists, truth, taxonomy=Taxonomy.of_genera(names), resamples=50)
    (level,) = evaluation.levels
    assert level.measures["marginal_coverage"].value == pytest.approx(1 / 3)
    genus = level.measures["genus_coverage"]
    assert genus.value == pytest.approx(2 / 3)
    assert genus.low < genus.value < genus.high
    assert math.isnan(level.measures["family_coverage"].value)
    page = evaluation._repr_html_()
    assert "coverage of the genus" in page
    assert "coverage of the family" not in page
    assert "genus_coverage" in evaluation.to_arrow()["measure"].to_pylist()
