"""Reprs and notebook tables of results: short, and safe whatever the labels are."""

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.parameters import declared

COLUMNS = 120
LINES = 3
EVIL = "<script>alert('$x$')</script>\u202e\n"


PUBLIC = [getattr(plant_aggregate, name) for name in plant_aggregate.__all__]
CLASSES = [item for item in PUBLIC if inspect.isclass(item) and not issubclass(item, Exception)]
STRATEGIES = [kind for kind in CLASSES if hasattr(kind, "takes")]
Results: TypeAlias = dict[str, Any]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """One of each, on a simulated log in which the first labels are hostile."""
    folder = tmp_path_factory.mktemp("results")
    simulation = plant_aggregate.simulate(0.0005, seed=1, ai=True)
    tables = simulation.tables
    assert tables.ai_votes is not None
    given = {"votes": tables.votes, "truth": tables.truth, "ai_votes": tables.ai_votes}
    hostile = tables.votes["label"][0].as_py()
    for name, table in given.items():
        place = table.column_names.index("label")
        labels = pa.array([EVIL if label == hostile else label for label in table["label"].to_pylist()])
        given[name] = table.set_column(place, table.schema.field(place), labels)
        pq.write_table(given[name], folder / f"{name}.parquet")
    votes = plant_aggregate.read_votes(folder / "votes.parquet")
    truth = plant_aggregate.read_truth(folder / "truth.parquet")
    ai_votes = plant_aggregate.read_ai_votes(folder / "ai_votes.parquet")
    weights = np.full(2, 0.5)
    consensus = plant_aggregate.PlantNet().fit(votes, ai_votes=ai_votes)
    scores = {"observation_id": votes.observation_ids[:50], "epoch": pa.array([1] * 50)}
    lists = {"labels": [[EVIL, "Acer opalus"]] * 50, "probabilities": [[0.5, 0.25]] * 50}
    pq.write_table(pa.table({**scores, **lists}), folder / "scores.parquet")
    pa.csv.write_csv(given["votes"], folder / "votes.csv")
    first = plant_aggregate.run(folder / "votes.parquet", folder / "consensus")
    plant_aggregate.run(folder / "votes.parquet", folder / "consensus", plant_aggregate.Majority())
    published = plant_aggregate.open_latest(folder / "consensus")
    label_lists = plant_aggregate.scores_from_matrix([[0.5, 0.25]] * 10, [EVIL, "Acer opalus"])
    known = {"observation_id": range(10), "label": [EVIL] * 10}
    predictor = plant_aggregate.fit_sets(label_lists, {"observation_id": range(9), "label": [EVIL] * 9})
    new_lists = folder / "lists.parquet"
    pq.write_table(label_lists.to_arrow(), new_lists)
    return {
        "votes": votes,
        "truth": truth,
        "ai_votes": ai_votes,
        "user_weights": plant_aggregate.UserWeights(votes.user_ids[:2], weights, weights),
        "consensus": consensus,
        "evidence": plant_aggregate.Evidence.of(consensus),
        "evaluation": plant_aggregate.evaluate(consensus, truth, resamples=10),
        "comparison": plant_aggregate.compare(votes, truth, {"wawa": plant_aggregate.Wawa()}, resamples=10),
        "expert_comparison": plant_aggregate.compare_with_experts(votes, truth, ["majority"], folds=2, resamples=10),
        "calibration": plant_aggregate.calibrate(consensus, truth),
        "ai_calibration": plant_aggregate.calibrate_ai(ai_votes, truth, votes=votes),
        "ambiguity": plant_aggregate.ambiguity_of(consensus, folder / "scores.parquet"),
        "set_predictor": predictor,
        "sets": predictor.predict(label_lists).with_taxa(),
        "set_evaluation": plant_aggregate.evaluate_sets(predictor, label_lists, known, resamples=10),
        "set_comparison": plant_aggregate.compare_sets(label_lists, known, ["softmax"], alpha=0.5, resamples=10),
        "coverage_check": plant_aggregate.check_coverage(predictor, label_lists, known),
        "predicted_sets": plant_aggregate.predict_sets(new_lists, predictor, folder / "sets.parquet", never_empty=True),
        "scores": label_lists,
        "taxonomy": plant_aggregate.read_taxonomy({"label": ["Acer opalus"], "genus": ["Acer"]}),
        "run": first,
        "changes": plant_aggregate.diff(first.run_id, "latest", folder / "consensus"),
        "published": published,
        "published_evidence": published.evidence(truth),
        "listed": plant_aggregate.list_runs(folder / "consensus"),
        "conversion": plant_aggregate.convert("csv", folder / "votes.csv", folder / "converted"),
        "exported": plant_aggregate.export(first, "csv", folder / "csv"),
        "training": plant_aggregate.training_table(first, min_per_class=1),
        "subset": plant_aggregate.subset(first, folder / "subset", min_per_class=1),
        "simulation": simulation,
        "tables": tables,
        "settings": plant_aggregate.Settings(),
        "names": plant_aggregate.clean_names([EVIL, *consensus.votes.label_names.to_pylist()]),
        "name_settings": plant_aggregate.NameSettings(names=True, synonyms="synonyms.csv"),
        "ambiguity_settings": plant_aggregate.AmbiguitySettings(),
        "strategies": [kind() for kind in STRATEGIES],
    }


def is_ours(item: object) -> bool:
    return type(item).__module__.partition(".")[0] == "plant_aggregate"


def reachable(item: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """An object of ours and those in its public attributes, with how each is reached."""
    if isinstance(item, list | tuple) and not hasattr(item, "_fields"):
        for place, one in enumerate(item[:20]):
            yield from reachable(one, f"{path}[{place}]", seen)
        return
    if not is_ours(item) or id(item) in seen:
        return
    seen.add(id(item))
    yield path, item
    public = [name for name, _ in inspect.getmembers_static(type(item), lambda m: isinstance(m, property))]
    names = [field.name for field in fields(item)] if is_dataclass(item) else [*getattr(item, "_fields", ())]
    for name in [*names, *public, *vars(type(item)).keys() & {"disputes", "unanimous", "candidates"}]:
        if not name.startswith("_"):
            yield from reachable(getattr(item, name), f"{path}.{name}", seen)


def test_no_repr_is_longer_than_three_lines(results: Results) -> None:
    found = {path: repr(item) for name, result in results.items() for path, item in reachable(result, name, set())}
    assert len(found) > 60
    too_long = {path: text for path, text in found.items() if len(text) > LINES * COLUMNS or "\n" in text}
    assert too_long == {}
    assert not [path for path, text in found.items() if " object at 0x" in text]


def test_every_public_class_is_among_them(results: Results) -> None:
    here = {type(item) for name, result in results.items() for _, item in reachable(result, name, set())}
    assert set(CLASSES) - here == set()


def test_settings_show_what_is_not_by_default() -> None:
    assert repr(plant_aggregate.PlantNet()) == "PlantNet()"
    assert repr(plant_aggregate.PlantNet(theta_acc=0.8, theta_conf=2.0)) == "PlantNet(theta_acc=0.8)"
    assert repr(plant_aggregate.Wawa(theta_conf=1.0)) == "Wawa(theta_conf=1.0)"
    assert repr(plant_aggregate.Settings(keep=3, soft=True)) == "Settings(soft=True, keep=3)"


def test_the_repr_of_settings_makes_the_same_again() -> None:
    for kind in STRATEGIES:
        strategy = kind(**{name: 0.9 for name in declared(kind) if name == "theta_acc"})
        assert eval(repr(strategy), vars(plant_aggregate) | {kind.__name__: kind}) == strategy


class Page(HTMLParser):
    """Which tags and attributes a page has; every tag must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {f"{name}={value}" for name, value in attrs}
        self.rows += tag == "tr"
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


TABLES = [
    "votes", "truth", "ai_votes", "consensus", "evaluation", "comparison", "calibration", "ai_calibration", "ambiguity",
    "changes", "run", "published", "listed",
    "conversion", "names", "set_predictor", "sets",
]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_notebook_shows_a_small_table_of_plain_tags(results: Results, name: str) -> None:
    page = Page(results[name]._repr_html_())
    assert page.open == []
    assert page.tags <= {"div", "p", "br", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    classes = {"class=tex2jax_ignore mathjax_ignore"}
    assert page.attributes <= {"style=text-align: left", "style=text-align: right"} | classes
    assert 0 < page.rows <= 40


def test_labels_are_escaped(results: Results) -> None:
    for name in ("votes", "consensus", "truth", "sets"):
        text = results[name]._repr_html_()
        assert "&lt;script&gt;alert(&#x27;$x$&#x27;)&lt;/script&gt;\\u202e\\n" in text
