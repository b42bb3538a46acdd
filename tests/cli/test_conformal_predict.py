import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant_aggregate import Taxonomy, VotesError
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predicted import SetTotals
from plant_aggregate.assessment.conformal.predictor import SetPredictor
from plant_aggregate.assessment.conformal.scores.softmax import Softmax
from plant_aggregate.assessment.conformal.sets import PredictionSets
from plant_aggregate.assessment.conformal.thresholds.base import Thresholds
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from plant_aggregate.classifier_scores import ClassifierScores
from plant_aggregate.cli.main import run_command
from plant_aggregate.prediction_sets import load_sets, predict_sets, save_sets
from tests.assessment.conformal.golden import CASES
from tests.command_line import Capture, refused

THROUGH_OPTIONS = {"tau", "at_risk", "gamma", "omega", "u", "lambda", "k_reg", "prior_at_least"}

REFUSED = {
    "interpq-n-too-small",
    "pas-truncated-unusable",
    "softmax-constant",
    "softmax-truncated-unusable",
    "unlisted-truth-one-more",
}
"""Cases in which every set is all labels."""


def is_sayable(case: dict[str, Any]) -> bool:
    """Whether options of the command line say it; given clusters, positions and draws are for Python only."""
    return (
        set(case["params"]) <= THROUGH_OPTIONS
        and case["threshold"] != "label_weighted"
        and (case["score"] not in ("aps", "raps") or "u" in case["params"])
    )


SAYABLE = [case for case in CASES if is_sayable(case)]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Label lists, a row each."""
    columns = {
        "observation_id": pa.array([f"o{place}" for place in range(len(rows))]),
        "labels": pa.array([list(row["scores"]) for row in rows], pa.list_(pa.string())),
        "probabilities": pa.array([[float(p) for p in row["scores"].values()] for row in rows], pa.list_(pa.float64())),
    }
    pq.write_table(pa.table(columns), path)
    return path


def options_of(case: dict[str, Any], work: Path) -> list[str]:
    params = case["params"]
    options = [f"--score={case['score']}", f"--threshold={case['threshold'].replace('_', '-')}"]
    counts = case.get("prior_counts") or dict.fromkeys(case["labels"], 1)
    options += [f"--counts={work / 'counts.csv'}", f"--prior-at-least={params.get('prior_at_least', 0)}"]
    (work / "counts.csv").write_text("label,count\n" + "".join(f"{k},{v}\n" for k, v in counts.items()))
    if "tau" in params:
        options.append(f"--tau={params['tau']}")
    if "at_risk" in params:
        (work / "risk.txt").write_text("".join(f"{name}\n" for name in params["at_risk"]))
        options += [f"--at-risk={work / 'risk.txt'}", f"--gamma={params['gamma']}"]
    if "omega" in params:
        (work / "omega.csv").write_text("label,weight\n" + "".join(f"{k},{v}\n" for k, v in params["omega"].items()))
        options.append(f"--class-weights={work / 'omega.csv'}")
    if "u" in params:
        options.append(f"--own-mass={'inclusive' if params['u'] else 'exclusive'}")
    return [*options, f"--alpha={case['alpha']}"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in SAYABLE])
def test_golden_sets_through_the_command_line(case: dict[str, Any], work: Path, capfd: Capture) -> None:
    written(work / "known.parquet", case["calibration"])
    truth = {
        "observation_id": [f"o{place}" for place in range(len(case["calibration"]))],
        "label": [row["truth"] for row in case["calibration"]],
    }
    pq.write_table(pa.table(truth), work / "truth.parquet")
    fit = ["conformal", "fit", "known.parquet", "--truth=truth.parquet", "--output=sets.json", *options_of(case, work)]
    if case["id"] in REFUSED:
        assert run_command(fit) == 1
        assert "every set would be all labels" in capfd.readouterr().err
        assert not Path("sets.json").exists()
        return
    assert run_command(fit) == 0
    written(work / "new.parquet", case["predict"])
    assert run_command(["conformal", "predict", "new.parquet", "--sets=sets.json", "--output=sets.parquet"]) == 0
    predictor, rows = load_sets("sets.json"), pq.read_table("sets.parquet").to_pylist()
    nothing = ClassifierScores(np.array([0]), np.empty(0, np.int32), np.empty(0))
    names = predictor.space.names.to_pylist()
    always = {names[k] for k in np.flatnonzero(predictor.predict(nothing).always)}
    expected = [set(wanted) for wanted in case["expected"]["sets"]]
    assert [set(row["labels"]) | always for row in rows] == expected
    assert [row["size"] for row in rows] == [len(wanted) for wanted in expected]
    assert [row["empty"] for row in rows] == [not wanted for wanted in expected]
    assert [row["whole_space"] for row in rows] == [len(wanted) == len(names) for wanted in expected]
    for row in rows:
        assert row["scores"] == sorted(row["scores"], reverse=True)


def test_most_golden_cases_are_sayable() -> None:
    assert len(SAYABLE) >= 28
    assert {case["id"] for case in SAYABLE} >= REFUSED


NAMES = ["Acer campestre", "Acer opalus", "Quercus robur"]


def predictor_of(
    thresholds: Thresholds | float, names: list[Any] = NAMES, alphas: tuple[str, ...] = ("0.1",)
) -> SetPredictor:
    found = thresholds if isinstance(thresholds, Thresholds) else Thresholds(thresholds)
    about = {"seed": 0, "from_run": None}
    levels = {Alpha.of(alpha): found for alpha in alphas}
    return SetPredictor(Softmax(), Standard(), LabelSpace(pa.array(names)), levels, about)


LISTS = [
    {"scores": {"Quercus robur": 0.5, "Acer opalus": 0.4}},
    {"scores": {"Acer campestre": 0.2, "Acer opalus": 0.2, "Quercus robur": 0.1}},
    {"scores": {"Betula pendula": 0.9, "Acer campestre": 0.05}},
]


@pytest.fixture
def inputs(work: Path) -> Path:
    save_sets(predictor_of(0.3), "sets.json")
    written(work / "scores.parquet", LISTS)
    return work


def predict(*arguments: str) -> pa.Table:
    given = [*arguments] if any(one.endswith(".parquet") for one in arguments) else ["scores.parquet", *arguments]
    assert run_command(["conformal", "predict", *given, "--sets=sets.json"]) == 0
    return pq.read_table("sets.parquet")


def test_sets_in_the_order_of_the_input_and_labels_in_that_of_scores(inputs: Path, capfd: Capture) -> None:
    table = predict()
    assert table.column("observation_id").to_pylist() == ["o0", "o1", "o2"]
    assert table.column("labels").to_pylist() == [["Quercus robur", "Acer opalus"], [], ["Betula pendula"]]
    assert table.column("probabilities").to_pylist() == [[0.5, 0.4], [], [0.9]]
    assert table.column("empty").to_pylist() == [False, True, False]
    assert table.column("size").to_pylist() == [2, 0, 1]
    out = capfd.readouterr().out
    assert "3 prediction sets, softmax/standard, alpha 0.1\nmean size 1, median 1\n" in out
    assert "1 label of the lists not in the model: 'Betula pendula'" in out


def test_metadata_say_how_sets_were_made(inputs: Path) -> None:
    predict("--never-empty")
    about = json.loads(pq.read_metadata("sets.parquet").metadata[b"plant_aggregate"])
    assert json.loads(pq.read_schema("sets.parquet").metadata[b"plant_aggregate"]) == about
    del about["version"]
    assert about == {
        "method": "softmax/standard",
        "score": "softmax",
        "threshold": "standard",
        "alpha": 0.1,
        "guarantee": load_sets("sets.json").guarantee,
        "never_empty": True,
        "model_sha256": hashlib.sha256(Path("sets.json").read_bytes()).hexdigest(),
    }


def test_a_predictor_in_memory_has_the_digest_of_its_file(inputs: Path) -> None:
    from_file = predict_sets("scores.parquet", "sets.json", "a.parquet")
    in_memory = predict_sets("scores.parquet", load_sets("sets.json"), "b.parquet")
    assert from_file.sha256 == in_memory.sha256 == hashlib.sha256(Path("a.parquet").read_bytes()).hexdigest()


def test_never_empty_adds_the_likeliest_label_the_first_of_equals(inputs: Path, capfd: Capture) -> None:
    table = predict("--never-empty")
    assert table.column("labels").to_pylist()[1] == ["Acer campestre"]
    assert table.column("scores").to_pylist()[1] == [0.2]
    assert not any(table.column("empty").to_pylist())
    assert "were empty" in capfd.readouterr().out
    predict("--never-empty", "--json")
    facts = json.loads(capfd.readouterr().out)
    assert (facts["filled"], facts["empty"], facts["never_empty"], facts["singletons"]) == (1, 0, True, 2)


def test_facts_as_json(inputs: Path, capfd: Capture) -> None:
    predict("--json")
    facts = json.loads(capfd.readouterr().out)
    assert facts["output"]["sha256"] == hashlib.sha256(Path("sets.parquet").read_bytes()).hexdigest()
    assert (facts["output"]["rows"], facts["mean_size"], facts["median_size"], facts["empty"]) == (3, 1.0, 1.0, 1)
    assert facts["unknown_labels"] == ["Betula pendula"]


def test_whole_space_sets_are_flagged_and_not_listed(inputs: Path, capfd: Capture) -> None:
    save_sets(predictor_of(-np.inf), "sets.json")
    table = predict()
    assert table.column("whole_space").to_pylist() == [True] * 3
    assert table.column("size").to_pylist() == [3, 3, 4]
    assert [len(labels) for labels in table.column("labels").to_pylist()] == [2, 3, 2]


def test_common_taxa_of_genera_and_of_a_table(inputs: Path) -> None:
    save_sets(predictor_of(0.15), "sets.json")
    table = predict("--genus")
    assert table.column("common_taxon").to_pylist() == [None, "Acer", "Betula pendula"]
    assert table.column("n_genera").to_pylist() == [2, 1, 1]
    tree = {"label": NAMES, "genus": ["Acer", "Acer", "Quercus"]}
    pq.write_table(pa.table(tree), "taxa.parquet")
    table = predict("scores.parquet", "--taxonomy=taxa.parquet")
    assert table.column("common_taxon").to_pylist() == [None, "Acer", None]


def test_what_sets_have_in_common_is_counted(inputs: Path, capfd: Capture) -> None:
    save_sets(predictor_of(0.15), "sets.json")
    pq.write_table(pa.table({"label": NAMES, "genus": ["Acer", "Acer", "Quercus"]}), "taxa.parquet")
    predict("scores.parquet", "--taxonomy=taxa.parquet")
    out = capfd.readouterr().out
    assert re.search(r"of one genus +1 +33\.3 %", out)
    assert re.search(r"of a common taxon +1 +33\.3 %", out)
    assert "1 label of sets not in the taxonomy: 'Betula pendula'; 1 set without a common taxon for that" in out
    predict("scores.parquet", "--taxonomy=taxa.parquet", "--json")
    assert json.loads(capfd.readouterr().out)["common"] == {
        "one_genus": 1,
        "common_taxon": 1,
        "not_in_taxonomy": {"sets": 1, "labels": ["Betula pendula"]},
    }
    assert json.loads(pq.read_metadata("sets.parquet").metadata[b"plant_aggregate"])["taxonomy"] == "taxa.parquet"
    predict("--genus", "--json")
    assert json.loads(capfd.readouterr().out)["common"]["not_in_taxonomy"] == {"sets": 0, "labels": []}


def test_genera_of_unknown_labels_are_read_when_sets_have_new_ones(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not again for every batch."""
    made: list[int] = []
    of_genera = Taxonomy.of_genera
    monkeypatch.setattr(Taxonomy, "of_genera", lambda labels: made.append(len(labels)) or of_genera(labels))
    save_sets(predictor_of(0.15), "sets.json")
    many = pa.concat_tables([pq.read_table("scores.parquet")] * 3)
    ids = pa.array([f"o{place}" for place in range(len(many))])
    pq.write_table(many.set_column(0, "observation_id", ids), "scores.parquet", row_group_size=1)
    table = predict("--genus")
    assert table.column("common_taxon").to_pylist() == [None, "Acer", "Betula pendula"] * 3
    assert made == [3, 4]


def test_genera_and_a_table_exclude_each_other(inputs: Path, capfd: Capture) -> None:
    arguments = ["conformal", "predict", "scores.parquet", "--sets=sets.json", "--genus", "--taxonomy=t.parquet"]
    assert "--taxonomy and --genus exclude each other" in refused(capfd, *arguments, exit_code=2)


def test_a_model_of_several_levels_wants_one_of_them(inputs: Path, capfd: Capture) -> None:
    save_sets(predictor_of(0.3, alphas=("0.1", "0.2")), "sets.json")
    command = ["conformal", "predict", "scores.parquet", "--sets=sets.json"]
    assert "there are several levels, alpha 0.1, 0.2" in refused(capfd, *command, exit_code=2)
    assert "alpha is 0.3 but was fitted at 0.1, 0.2" in refused(capfd, *command, "--alpha=0.3", exit_code=2)
    assert not Path("sets.parquet").exists()
    predict("--alpha=0.20")


def test_a_row_for_each_label_gives_the_same_sets(inputs: Path) -> None:
    lists = predict()
    rows = [(f"o{i}", label, p) for i, row in enumerate(LISTS) for label, p in row["scores"].items()]
    ids, labels, shares = zip(*rows, strict=True)
    pq.write_table(pa.table({"observation_id": ids, "label": labels, "probability": shares}), "rows.parquet")
    assert predict("rows.parquet").equals(lists)


def test_several_files_are_read_in_the_order_of_their_paths(inputs: Path) -> None:
    table = pq.read_table("scores.parquet")
    pq.write_table(table.slice(0, 2), "b.parquet")
    pq.write_table(table.slice(2), "c.parquet")
    given = predict("c.parquet", "b.parquet")
    assert given.column("observation_id").to_pylist() == ["o0", "o1", "o2"]
    assert given.equals(predict())


def test_integer_labels_and_ids(work: Path) -> None:
    save_sets(predictor_of(0.3, names=[3, 5, 8]), "sets.json")
    lists = {"observation_id": [9, 7], "labels": [[8, 5], [4]], "probabilities": [[0.6, 0.4], [0.35]]}
    types = [pa.int32(), pa.list_(pa.int32()), pa.list_(pa.float32())]
    pq.write_table(pa.table(lists, pa.schema(list(zip(lists, types, strict=True)))), "scores.parquet")
    table = predict()
    assert table.column("observation_id").to_pylist() == [9, 7]
    assert table.column("labels").to_pylist() == [[8, 5], [4]]


def test_labels_of_another_type_than_in_the_model(inputs: Path, capfd: Capture) -> None:
    save_sets(predictor_of(0.3, names=[3, 5, 8]), "sets.json")
    line = refused(capfd, "conformal", "predict", "scores.parquet", "--sets=sets.json")
    assert "column 'labels' holds values of type string, but int64 in the model" in line


@pytest.mark.parametrize("rows", [0, 1])
def test_files_of_one_row_or_none(inputs: Path, rows: int, capfd: Capture) -> None:
    written(inputs / "scores.parquet", LISTS[:rows])
    table = predict()
    assert table.num_rows == rows
    assert table.column_names == ["observation_id", "labels", "probabilities", "scores", "size", "whole_space", "empty"]
    capfd.readouterr()
    predict("--json", "--genus")
    assert json.loads(capfd.readouterr().out)["mean_size"] == (2.0 if rows else None)


def test_an_observation_with_two_lists_leaves_the_file_that_was_there(inputs: Path, capfd: Capture) -> None:
    Path("sets.parquet").write_bytes(b"before")
    table = pq.read_table("scores.parquet")
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), "scores.parquet")
    assert "more than one list" in refused(capfd, "conformal", "predict", "scores.parquet", "--sets=sets.json")
    assert Path("sets.parquet").read_bytes() == b"before"
    assert sorted(path.name for path in inputs.iterdir()) == ["scores.parquet", "sets.json", "sets.parquet"]


def test_a_list_that_cannot_be_used_is_an_error(inputs: Path) -> None:
    written(inputs / "scores.parquet", [{"scores": {"Acer opalus": 1.5}}])
    with pytest.raises(VotesError, match=r"the list of observation 'o0', in row 0, cannot be used"):
        predict_sets("scores.parquet", "sets.json", "sets.parquet")


def test_the_same_bytes_again_and_with_any_threads(inputs: Path) -> None:
    chance = np.random.default_rng(3)
    names = [f"Genus{k} species" for k in range(200)]
    save_sets(predictor_of(Thresholds(0.1, chance.random(200) / 5), names), "sets.json")
    n, length = 50_000, 12
    labels = np.argsort(chance.random((n, 40)), axis=1)[:, :length] + chance.integers(0, 170, (n, 1))
    lists = pa.ListArray.from_arrays(
        np.arange(0, n * length + 1, length, dtype=np.int32),
        pa.array([*names, *map(str, range(20))]).take(labels.ravel()),
    )
    shares = chance.dirichlet(np.full(length, 0.3), n).astype(np.float32).ravel()
    shares = pa.ListArray.from_arrays(lists.offsets, pa.array(shares))
    table = pa.table({"observation_id": chance.permutation(n), "labels": lists, "probabilities": shares})
    pq.write_table(table, "scores.parquet", row_group_size=17_000)
    found = set()
    for threads in ("1", "2", "2", "5"):
        assert predict(f"--threads={threads}").num_rows == n
        found.add(hashlib.sha256(Path("sets.parquet").read_bytes()).hexdigest())
    assert len(found) == 1
    assert pq.read_table("sets.parquet").column("observation_id").equals(table.column("observation_id"))


def test_randomised_sets_follow_from_the_ids(work: Path) -> None:
    rows = [{"scores": {"a": 0.4, "b": 0.35, "c": 0.25}, "truth": "abc"[i % 3]} for i in range(60)]
    written(work / "scores.parquet", rows)
    truth = {"observation_id": [f"o{i}" for i in range(60)], "label": [row["truth"] for row in rows]}
    pq.write_table(pa.table(truth), "truth.parquet")
    fit = ["conformal", "fit", "scores.parquet", "--truth=truth.parquet", "--score=aps", "--own-mass=random"]
    assert run_command([*fit, "--alpha=0.4"]) == 0
    table = predict()
    assert len({*table.column("size").to_pylist()}) > 1
    pq.write_table(pq.read_table("scores.parquet").slice(30), "later.parquet")
    assert predict("later.parquet").to_pylist() == table.slice(30).to_pylist()


def test_written_columns_have_the_types_of_the_schema(inputs: Path) -> None:
    table = predict("--genus")
    assert table.schema.field("size").type == pa.int32()
    assert table.schema.field("scores").type == pa.list_(pa.float64())


lists = st.lists(
    st.dictionaries(st.integers(0, 6), st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 1.0]), min_size=1), min_size=1
)


@given(lists, st.lists(st.sampled_from([-np.inf, 0.0, 0.2, 0.3, 0.6, np.inf]), min_size=6, max_size=6))
@settings(deadline=None)
def test_never_empty_only_adds_to_empty_sets(rows: list[dict[int, float]], bounds: list[float]) -> None:
    predictor = predictor_of(Thresholds(bounds[-1], np.array(bounds[:5])), [*"abcde"])
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    labels = np.array([k for row in rows for k in row], np.int32)
    given_lists = ClassifierScores(offsets, labels, np.array([p for row in rows for p in row.values()]))
    before = predictor.predict(given_lists)
    after = predictor.predict(given_lists, never_empty=True)
    assert after.n_filled == before.empty.sum()
    assert not after.empty.any()
    for i, row in enumerate(rows):
        sets = [each.labels[each.offsets[i] : each.offsets[i + 1]].tolist() for each in (before, after)]
        if before.empty[i]:
            assert sets == [[], [min(row, key=lambda k: (-row[k], k))]]
            assert after.scores[after.offsets[i]] == max(row.values())
        else:
            assert sets[0] == sets[1]
            assert before.sizes[i] == after.sizes[i]
    for truth in range(5):
        covered = [each.covers(np.full(len(rows), truth, np.int32)) for each in (before, after)]
        assert (covered[1] >= covered[0]).all()


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=5))
def test_totals_are_those_of_all_sets_together(batches: list[list[int]]) -> None:
    totals = SetTotals()
    for sizes in batches:
        n = len(sizes)
        always = np.zeros(7, np.bool_)
        nothing = np.zeros(n + 1, np.int64), np.empty(0, np.int32), np.empty(0)
        totals.add(PredictionSets(*nothing, np.array(sizes, np.int32), always))
    every = np.array([size for sizes in batches for size in sizes])
    assert totals.rows == every.size
    assert (totals.empty, totals.singletons, totals.whole_space) == (sum(every == 0), sum(every == 1), sum(every >= 7))
    assert totals.mean_size == (pytest.approx(every.mean()) if every.size else None)
    assert totals.median_size == (np.median(every) if every.size else None)
