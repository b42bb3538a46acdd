"""The recipes in the docs run from top to bottom, and give what the pages say."""

import sys
from pathlib import Path

import pytest

from benchmarks.peers.peerannot_plantnet import copy_strategies
from tests.pages import run_blocks, work_on_sample
from tests.paths import ROOT

OPTIONAL = ("pl.", "duckdb", "sklearn", "matplotlib")
"""What marks a block of the library's page that needs more than the package does."""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample votes, which is the current one."""
    work_on_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_recipes_of_the_library_run(clone: Path) -> None:
    made = run_blocks("library.md", without=OPTIONAL)
    observations = made["observations"].set_index("observation_id")
    assert made["labels"].to_dict() == observations["label"].to_dict()
    training = made["training"]
    assert len(training) == 2 * observations["valid"].sum()
    assert (training["label"] == training["observation_id"].map(observations["label"])).all()
    assert training.groupby("observation_id")["split"].nunique().eq(1).all()
    shares = training["split"].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.1, abs=0.01)
    assert made["soft"].shape[0] == len(observations)
    assert made["batch"].sum(axis=1) == pytest.approx(1)
    assert made["sample_weight"].notna().all()
    assert len(made["history"]) == 1
    assert set(made["comparison"].to_pandas()["strategy"]) == {"majority", "plantnet", "theirs"}
    assert set(made["weighed"].votes.user_ids.to_pylist()) == set(made["users"]["user_id"])


@pytest.mark.slow
@pytest.mark.extras
def test_the_recipes_with_other_frames_give_the_same(clone: Path) -> None:
    for package in ("polars", "duckdb", "sklearn", "matplotlib"):
        pytest.importorskip(package)
    made = run_blocks("library.md")
    training = made["training"]
    wanted = training[["file", "label"]].sort_values("file").to_numpy().tolist()
    assert made["joined"].sort("file").select("file", "label").rows() == [tuple(row) for row in wanted]
    assert made["relation"].order("file").project("file, label").fetchall() == [tuple(row) for row in wanted]
    assert made["found"]["label"].to_list() == made["observations"]["label"].tolist()
    groups = training["observation_id"].to_numpy()
    assert not set(groups[made["rest"]]) & set(groups[made["test"]])


def test_the_recipe_of_a_training_script_runs(clone: Path) -> None:
    made = run_blocks("training.md", without=("torch",))
    observations, train = made["observations"], made["train"]
    assert observations["split"].value_counts().to_dict() == {"train": 8284, "validation": 1200, "test": 853}
    assert made["classes"]["label"].to_numpy()[made["y"]].tolist() == train["label"].tolist()
    assert made["weight"].notna().all()
    targets = made["batch_targets"]
    assert targets.sum(axis=1) == pytest.approx(1)
    assert targets.argmax(axis=1).tolist() == made["y"][:64].tolist()


def test_the_loop_in_pytorch_runs(clone: Path) -> None:
    pytest.importorskip("torch")
    made = run_blocks("training.md")
    assert made["loss"].isfinite()
    assert made["model"].weight.grad.abs().sum() > 0


@pytest.mark.extras
def test_the_recipe_of_a_subset_runs(clone: Path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    pyplot.close("all")  # what other tests left open
    made = run_blocks("subset.md")
    sizes = {name: counts.size for name, counts in made["subset"].populations.items()}
    assert repr(sizes) in (ROOT / "docs" / "subset.md").read_text(encoding="utf-8")
    assert len(pyplot.get_fignums()) == 2
    pyplot.close("all")


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")  # of the other packages
def test_both_sides_of_the_page_on_moving_agree_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("crowdkit", "cleanlab", "mapie", "crepes", "deel.puncc"):
        pytest.importorskip(package)
    try:
        copy_strategies(tmp_path)
    except AttributeError:
        pytest.skip("peerannot is not installed")
    monkeypatch.chdir(tmp_path)  # the page writes a file
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "peerannot"]:
        monkeypatch.delitem(sys.modules, name)
    run_blocks("moving.md")
