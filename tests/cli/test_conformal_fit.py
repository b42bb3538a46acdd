"""``plant-aggregate conformal fit``: what it prints and saves, and what it says of input that cannot be used."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Published, Write, error_line, refused

ALBA, CAMPESTRE, OPALUS = "Abies alba", "Acer campestre", "Acer opalus"
N = 40
LISTS: dict[str, list[Any]] = {
    "observation_id": list(range(N)),
    "labels": [[CAMPESTRE, OPALUS, ALBA]] * N,
    "probabilities": [[0.5 + row / 100, 0.3 - row / 200, 0.2 - row / 200] for row in range(N)],
}
TRUTH: dict[str, list[Any]] = {"observation_id": list(range(N)), "label": [CAMPESTRE] * 30 + [OPALUS] * 8 + [ALBA] * 2}
FIT = ("conformal", "fit", "scores.parquet", "--truth", "truth.parquet")
Fitted = Callable[..., tuple[str, dict[str, Any]]]


@pytest.fixture
def files(work: Path) -> Path:
    """Files of scores and of truth."""
    pq.write_table(pa.table(LISTS), "scores.parquet")
    pq.write_table(pa.table(TRUTH), "truth.parquet")
    return work


@pytest.fixture
def fitted(files: Path, capfd: Capture) -> Fitted:
    """What a call prints, and the file that it saves."""

    def fit(*options: str) -> tuple[str, dict[str, Any]]:
        assert run_command([*FIT, *options]) == 0
        saved: dict[str, Any] = json.loads(Path("sets.json").read_text())
        return capfd.readouterr().out, saved

    return fit


def test_a_summary_says_what_was_fitted_on_what_and_what_is_guaranteed(fitted: Fitted) -> None:
    printed, saved = fitted("--alpha", "0.1", "--alpha", "0.2")
    assert "40 calibration rows of 3 labels, from truth.parquet" in printed
    assert "guaranteed coverage: marginal >= 1 - alpha, of observations drawn like the calibration rows" in printed
    assert saved["guarantee"].startswith("marginal >= 1 - alpha, of observations drawn like")
    assert list(saved["thresholds"]) == ["0.1", "0.2"]


def test_the_file_names_its_inputs_by_their_sha256(fitted: Fitted) -> None:
    about = fitted()[1]["fitted_on"]
    content = Path("scores.parquet").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert about["scores_files"] == [{"path": "scores.parquet", "bytes": len(content), "sha256": digest}]
    rows = sorted(f"{one}\t{label}\n" for one, label in zip(TRUTH["observation_id"], TRUTH["label"], strict=True))
    assert about["rows_sha256"] == hashlib.sha256("".join(rows).encode()).hexdigest()


def test_json_has_the_levels_and_the_guarantee(files: Path, capfd: Capture) -> None:
    assert run_command([*FIT, "--score", "pas", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["method"] == "pas/standard"
    assert found["levels"][0]["alpha"] == 0.1
    assert found["guarantee"].endswith("nearly so, as the prior is counted in these rows")


def test_nothing_is_guaranteed_by_raw_fuzzy_thresholds(fitted: Fitted) -> None:
    printed, saved = fitted("--threshold", "fuzzy")
    assert "guaranteed coverage: none" in printed
    assert saved["guarantee"] is None


def test_one_seed_is_of_random_scores_and_of_rules_that_split_rows(fitted: Fitted) -> None:
    options = ("--score", "aps", "--own-mass", "random", "--threshold", "fuzzy-reconformalised", "--bandwidth", "1")
    first, other = fitted(*options, "--seed", "5")[1], fitted(*options, "--seed", "6")[1]
    assert first["threshold"]["options"]["seed"] == first["fitted_on"]["seed"] == 5
    assert first["thresholds"] != other["thresholds"]
    assert first == fitted(*options, "--seed", "5")[1]


def test_seeds_of_methods_in_python_are_that_of_the_call_unless_they_have_their_own() -> None:
    scores, truth = plant_aggregate.scores_from_table(LISTS), plant_aggregate.read_truth(TRUTH)
    for rule, seed in (("clustered", 3), ("clustered:seed=1", 1)):
        fitted = plant_aggregate.fit_sets(scores, truth, threshold=rule, seed=3)
        assert fitted.rule.seed == seed  # type: ignore[attr-defined]


def test_random_scores_predict_with_the_seed_that_they_were_fitted_with() -> None:
    scores = plant_aggregate.scores_from_table(LISTS)
    fitted = plant_aggregate.fit_sets(scores, TRUTH, score="aps:own-mass=random", seed=3)
    sets = fitted.predict(scores)
    assert sets.to_arrow().equals(fitted.predict(scores).to_arrow())
    other = plant_aggregate.fit_sets(scores, TRUTH, score="aps:own-mass=random", seed=4).predict(scores)
    assert not other.to_arrow().equals(sets.to_arrow())


def test_weights_and_labels_at_risk_are_kept_in_the_file(fitted: Fitted, work: Path) -> None:
    (work / "risky.txt").write_text(f"{OPALUS}\n")
    (work / "weights.csv").write_text(f"label,weight\n{ALBA},1\n{CAMPESTRE},2\n{OPALUS},3\n")
    saved = fitted("--score", "wpas", "--at-risk", "risky.txt", "--gamma", "2", "--class-weights", "weights.csv")[1]
    assert saved["labels"] == [ALBA, CAMPESTRE, OPALUS]
    assert saved["at_risk"] == [2]
    assert [saved["weights"]["values"][place] for place in saved["weights"]["which"]] == [1, 2, 6]


def test_labels_at_risk_are_kept_for_evaluations_whatever_the_score(fitted: Fitted, work: Path) -> None:
    (work / "risky.txt").write_text(f"{OPALUS}\n")
    assert fitted("--at-risk", "risky.txt")[1]["at_risk"] == [2]


def test_counts_are_from_a_file_or_a_run(fitted: Fitted, published: Published, work: Path) -> None:
    (work / "counts.csv").write_text(f"{ALBA},5\n{CAMPESTRE},10\nIlex aquifolium,100\n")
    saved = fitted("--score", "pas", "--counts", "counts.csv")[1]
    assert saved["labels"] == [ALBA, CAMPESTRE, OPALUS, "Ilex aquifolium"]
    assert [saved["prior"]["counts"]["values"][place] for place in saved["prior"]["counts"]["which"]] == [5, 10, 0, 100]
    assert saved["fitted_on"]["prior"] == "counts.csv"
    assert "nearly" not in saved["guarantee"]


def test_calibration_rows_are_the_valid_labels_of_a_run(files: Path, write: Write, capfd: Capture) -> None:
    voted = {"observation_id": [*range(N)] * 2, "user_id": ["ana"] * N + ["bo"] * N, "label": TRUTH["label"] * 2}
    votes = write(table=pa.table(voted))
    command = ["run", str(votes), "-q", "--calibration", "simulated", "--strategy", "majority", "--theta-conf", "1.5"]
    assert run_command(command) == 0
    (run_id,) = [path.name for path in Path("consensus/runs").iterdir()]
    for name in ("latest", run_id, "consensus", f"consensus/runs/{run_id}"):
        arguments = ["--run", name, "--prior-run", name, "--min-probability", "0.1", "--score", "pas"]
        assert run_command(["conformal", "fit", "scores.parquet", *arguments]) == 0
        saved = json.loads(Path("sets.json").read_text())
        assert saved["fitted_on"]["from_run"] == run_id
        assert saved["fitted_on"]["prior"] == f"the valid labels of {run_id}"
        assert "of observations that would be valid in such a run" in saved["guarantee"]
    assert "that would be valid in such a run" in capfd.readouterr().out
    of_run = ("conformal", "fit", "scores.parquet", "--run")
    line = refused(capfd, *of_run, "latest", "--min-probability", "1")
    assert "has no valid label whose probability is at least 1; name another run, or give truth" in line
    assert run_command(["run", str(votes), "-q", "--strategy", "majority", "--theta-conf", "9"]) == 0
    assert "has no valid label; name another run" in refused(capfd, *of_run, "latest")
    line = refused(capfd, *of_run, "latest", "--min-probability=0.5")
    assert "has no column 'probability'; publish it with run --calibration" in line
    assert "consensus/runs/xyzzy: no such" in refused(capfd, *of_run, "consensus/runs/xyzzy")


Change = dict[str, list[Any]]
HALF = N // 2
FAULTS: dict[str, tuple[Change, Change, str]] = {
    "above 1": (
        {"probabilities": [[0.5, 0.3, 1.2], *LISTS["probabilities"][1:]]},
        {},
        "scores.parquet: the list of observation 0, in row 0, cannot be used: probability outside [0, 1]; leave such",
    ),
    "NaN": (
        {"probabilities": [*LISTS["probabilities"][:7], [0.5, float("nan"), 0.1], *LISTS["probabilities"][8:]]},
        {},
        "the list of observation 7, in row 7, cannot be used: a probability is null or NaN",
    ),
    "null": (
        {"probabilities": [[0.5, None, 0.1]] * N},
        {},
        "the list of observation 0, in row 0, cannot be used: a probability is null or NaN",
    ),
    "null id": ({"observation_id": [None, *range(1, N)]}, {}, "the list, in row 0, cannot be used: null or blank obs"),
    "lengths": ({"labels": [[OPALUS]] * N}, {}, "cannot be used: lists of different lengths"),
    "label twice": ({"labels": [[OPALUS, ALBA, OPALUS]] * N}, {}, "cannot be used: label listed twice"),
    "null label": ({"labels": [[OPALUS, ALBA, None]] * N}, {}, "cannot be used: null or blank label"),
    "observation twice": (
        {"observation_id": [0, *range(N - 1)]},
        {},
        "scores.parquet: observation 0 has more than one list; leave one row of each observation\n",
    ),
    "epochs": (
        {"observation_id": [*range(HALF)] * 2, "epoch": [1] * HALF + [2] * HALF},
        {},
        "observation 0 has more than one list; leave one row of each observation, that of the last epoch\n",
    ),
    "ids of another type": (
        {"observation_id": [str(number) for number in range(N)]},
        {},
        "scores.parquet: column 'observation_id' holds values of type string, but int64 in truth.parquet",
    ),
    "labels of another type": (
        {},
        {"label": [1] * N},
        "scores.parquet: column 'labels' holds values of type string, but int64 in truth.parquet",
    ),
    "no common ids": (
        {},
        {"observation_id": [*range(100, 100 + N)]},
        "scores.parquet: has none of the 40 observations of truth.parquet; see that both use the same ids",
    ),
    "an observation of the truth twice": ({}, {"observation_id": [0, *range(N - 1)]}, "occur more than once: 0 in"),
    "no such column": ({"labels": [OPALUS] * N}, {}, "scores.parquet: column 'labels'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_files_that_cannot_be_used(name: str, work: Path, capfd: Capture) -> None:
    lists, truth, saying = FAULTS[name]
    pq.write_table(pa.table(LISTS | lists), "scores.parquet")
    pq.write_table(pa.table(TRUTH | truth), "truth.parquet")
    assert saying in refused(capfd, *FIT)
    assert not Path("sets.json").exists()


def test_a_cut_or_empty_file_of_scores(files: Path, capfd: Capture) -> None:
    content = Path("scores.parquet").read_bytes()
    Path("scores.parquet").write_bytes(content[: len(content) // 2])
    assert "scores.parquet: " in refused(capfd, *FIT)
    Path("scores.parquet").write_bytes(b"")
    assert "scores.parquet: " in refused(capfd, *FIT)
    pq.write_table(pa.table(LISTS).slice(0, 0), "scores.parquet")
    assert "has none of the 40 observations of truth.parquet" in refused(capfd, *FIT)


def test_too_few_rows_name_the_number(files: Path, capfd: Capture) -> None:
    line = refused(capfd, *FIT, "--alpha", "0.01", "--alpha", "0.1", "--alpha", "0.02")
    assert "truth.parquet: alpha 0.01 needs 99 calibration rows, and there are 40; alpha 0.02 needs 49 " in line
    assert "choose a larger alpha (0.0244 or more), or give more calibration rows" in line
    assert run_command([*FIT, "--alpha", "0.0244"]) == 0


def test_a_rule_that_puts_most_labels_into_every_set_says_so(fitted: Fitted) -> None:
    said = "each set has 2 labels or more: too few calibration rows"
    assert said in fitted("--threshold", "classwise")[0]  # 30 rows of one label, 8 and 2 of the others
    assert said not in fitted("--threshold", "interp-q")[0]


def test_a_matrix_names_the_function_that_makes_lists_of_it(files: Path) -> None:
    matrix = np.full((N, 3), 1 / 3)
    with pytest.raises(TypeError, match="scores_from_matrix"):
        plant_aggregate.fit_sets(matrix, TRUTH)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expert labels are wanted"):
        plant_aggregate.fit_sets("scores.parquet", np.array(TRUTH["label"]))
    with pytest.raises(TypeError, match="scores_from_matrix"):
        plant_aggregate.fit_sets("scores.parquet", TRUTH).predict(matrix)  # type: ignore[call-overload]


def test_a_missing_column_of_experts_names_its_option(files: Path, capfd: Capture) -> None:
    pq.write_table(pa.table({"observation_id": TRUTH["observation_id"], "species": TRUTH["label"]}), "truth.parquet")
    assert "column 'label' is missing" in (line := refused(capfd, *FIT))
    assert "map names with --truth-column label=NAME" in line
    assert run_command([*FIT, "--truth-column", "label=species"]) == 0


def test_lists_that_are_too_short_for_an_alpha(work: Path, capfd: Capture) -> None:
    short = {"labels": [[CAMPESTRE]] * N, "probabilities": [[0.5]] * N}
    pq.write_table(pa.table(LISTS | short), "scores.parquet")
    pq.write_table(pa.table(TRUTH), "truth.parquet")
    assert run_command([*FIT, "--alpha", "0.1", "--alpha", "0.3"]) == 1
    warning, error = capfd.readouterr().err.splitlines()
    assert "2 true labels in no list at all: 'Acer opalus', 'Abies alba'" in warning
    wanted = "needs lists that lack the true label in fewer than 4 of 40 calibration rows, and 10 lack it (lists have"
    assert f"error: truth.parquet: alpha 0.1 {wanted} up to 1 labels): every set would be all labels; " in error


def test_true_labels_that_no_list_has_are_counted_and_named(work: Path, capfd: Capture) -> None:
    labels = [CAMPESTRE] * 37 + ["acer campestre", "Ilex aquifolium", "Ilex aquifolium"]
    pq.write_table(pa.table(LISTS), "scores.parquet")
    pq.write_table(pa.table(TRUTH | {"label": labels}), "truth.parquet")
    assert run_command([*FIT, "--alpha", "0.2"]) == 0
    printed = capfd.readouterr().err
    assert "truth.parquet: 2 true labels in no list at all: 'acer campestre', 'Ilex aquifolium'; " in printed
    assert "'acer campestre' and 'Acer campestre', which is, differ only in case" in printed


OF_LABELS = {
    "unknown at risk": (
        f"{OPALUS}\nIlex\nIlicium\n",
        "--at-risk",
        "warning: 2 of 3 labels at risk are not known to the classifier: 'Ilex', 'Ilicium'",
    ),
    "all unknown at risk": (
        "Ilex\n",
        "--at-risk",
        "error: labels.txt: the classifier knows none of the 1 labels at risk: 'Ilex'",
    ),
    "nothing at risk": ("\n\n", "--at-risk", "error: labels.txt: no rows; give a line for each label"),
    "negative": (
        f"{OPALUS},-1\n",
        "--class-weights",
        "error: labels.txt: a class weight of 'Acer opalus' is -1 but must be a number of at least 0",
    ),
    "all zero": (f"{OPALUS},0\n", "--class-weights", "error: labels.txt: no class weight is above 0"),
    "no weight": (f"{OPALUS}\n", "--class-weights", "error: labels.txt: line 1 has 1 of the columns label, weight; "),
    "no number": (f"{OPALUS},x\n", "--class-weights", "error: labels.txt: line 1: 'x' is no number"),
    "twice": (
        f"{OPALUS},1\n{ALBA},2\n{OPALUS},3\n",
        "--counts",
        "error: labels.txt: 'Acer opalus' has more than one training count; keep one row a label",
    ),
    "negative count": (f"{OPALUS},-3\n", "--counts", "error: labels.txt: a training count of 'Acer opalus' is -3 but"),
    "infinite count": (f"{OPALUS},inf\n", "--counts", "error: labels.txt: a training count of 'Acer opalus' is inf"),
}


@pytest.mark.parametrize("name", OF_LABELS)
def test_tables_of_labels_that_cannot_be_used(name: str, files: Path, capfd: Capture) -> None:
    text, option, saying = OF_LABELS[name]
    Path("labels.txt").write_text(text)
    assert run_command([*FIT, option, "labels.txt"]) == ("error" in saying)
    found = capfd.readouterr().err
    assert saying in found
    assert found.count("\n") == 1


WRONG_USE = [
    ("--alpha 0", "invalid value for '--alpha': 0 but must be a number in (0, 1); see plant-aggregate conformal fit"),
    ("--alpha 1", "invalid value for '--alpha': 1 but must be a number in (0, 1)"),
    ("--alpha nan", "invalid value for '--alpha': nan but must be"),
    ("--alpha 10%", "invalid value for '--alpha': 10% but must be"),
    ("--score wpas", "score wpas needs weights of labels; give --at-risk or --class-weights\n"),
    ("--gamma 3", "--gamma is given without --at-risk"),
    ("--at-risk truth.parquet --gamma 0", "invalid value for '--gamma'"),
    ("--score softmx", "'softmx' but must be one of softmax, pas, wpas, aps, raps; did you mean 'softmax'?"),
    ("--threshold claswise", "; did you mean 'classwise'?"),
    ("--tau 0.5", "--tau is an option of interp-q, not of softmax and standard"),
    ("--threshold interp-q --tau 2", "invalid value for '--tau': 2.0 must be in [0, 1]"),
    ("--score aps --threshold interp-q", "interp-q counts a threshold of -inf as score 0"),
    ("--counts truth.parquet --prior-run latest", "--counts and --prior-run exclude each other"),
    ("--run latest", "give the labels of experts (--truth), or of a run (--run) and not both"),
    ("--min-probability 0.5", "--min-probability is given without --run"),
    ("--seed -1", "invalid value for '--seed'"),
]


@pytest.mark.parametrize(("options", "saying"), WRONG_USE, ids=[options for options, _ in WRONG_USE])
def test_wrong_use(options: str, saying: str, files: Path, capfd: Capture) -> None:
    assert saying in refused(capfd, *FIT, *options.split(), exit_code=2)


def test_neither_truth_nor_a_run(files: Path, capfd: Capture) -> None:
    assert "give the labels of experts (--truth), or of a run (--run)" in refused(
        capfd, "conformal", "fit", "scores.parquet", exit_code=2
    )


def test_scores_that_need_complete_lists_refuse_truncated_ones(work: Path, capfd: Capture) -> None:
    pq.write_table(pa.table(LISTS | {"probabilities": [[0.3, 0.2, 0.1]] * N}), "scores.parquet")
    pq.write_table(pa.table(TRUTH), "truth.parquet")
    assert "score aps needs the probabilities of all labels, but 40 of 40 lists" in refused(capfd, *FIT, "--score=aps")


def test_a_file_that_cannot_be_saved(files: Path, capfd: Capture) -> None:
    assert "cannot be written (no such file or directory)" in refused(capfd, *FIT, "-o", "no/such/sets.json")


CONFIGURATION = """
[conformal.fit]
scores = "scores.parquet"
truth = "truth.parquet"
alpha = [0.2, 0.05]
score = "raps"
penalty = 0.1
output = "other.json"
"""


def test_a_configuration_has_the_options(files: Path, capfd: Capture) -> None:
    Path("c.toml").write_text(CONFIGURATION)
    assert run_command(["conformal", "fit", "--config", "c.toml"]) == 0
    saved = json.loads(Path("other.json").read_text())
    assert list(saved["thresholds"]) == ["0.2", "0.05"]
    assert saved["score"]["options"]["penalty"] == 0.1
    assert run_command(["conformal", "fit", "--config", "c.toml", "--alpha", "0.29"]) == 0
    assert list(json.loads(Path("other.json").read_text())["thresholds"]) == ["0.29"]
    capfd.readouterr()
    assert run_command(["config", "--show", "conformal fit", "--config", "c.toml"]) == 0
    shown = capfd.readouterr().out
    assert shown.startswith("[conformal.fit]\n")
    assert "alpha = [0.2, 0.05] " in shown
    assert run_command(["config", "--config", "c.toml"]) == 0
    assert "nothing is wrong" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("setting", "saying"),
    [
        ("alpha = 2", "c.toml, line 3: [conformal.fit] alpha: 2 but must be a number in (0, 1)"),
        ('alpha = "a"', "c.toml, line 3: [conformal.fit] alpha: 'a' must be a number"),
        ("alhpa = 0.1", "c.toml, line 3: [conformal.fit] alhpa: no such option; did you mean 'alpha'?"),
        ("score = 1", "c.toml, line 3: [conformal.fit] score: 1 must be a string"),
        ('score = "pass"', "did you mean 'pas'?"),
    ],
    ids=["range", "text", "name", "number", "score"],
)
def test_a_configuration_that_is_wrong(setting: str, saying: str, files: Path, capfd: Capture) -> None:
    Path("c.toml").write_text(f"[conformal.fit]\ntruth = 'truth.parquet'\n{setting}\n")
    assert saying in refused(capfd, "conformal", "fit", "scores.parquet", "--config", "c.toml", exit_code=2)


def test_the_family_alone_prints_help(capfd: Capture) -> None:
    assert run_command(["conformal"]) in (0, 2)  # click 8.1 and later
    assert "fit " in "".join(capfd.readouterr())
    assert run_command(["conformal", "ft"]) == 2
    assert "no such command 'ft'; did you mean 'fit'?; see plant-aggregate conformal --help" in error_line(capfd)
