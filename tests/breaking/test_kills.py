"""A short slice of the kills (``python -m tests.breaking.kills`` does more), and that it notices what it is to."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .kills import random_kills
from .promises import known_runs
from .steps import SCENES, Bench

KILLS = 8


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("bench")) as ready:
        yield ready


@pytest.mark.slow
def test_a_kill_at_any_moment_breaks_no_promise(tmp_path: Path) -> None:
    kills = list(random_kills(tmp_path, KILLS, seed=3))
    assert [kill for kill in kills if kill.broken] == []
    assert len([kill for kill in kills if not kill.left.startswith("ended before the kill")]) == KILLS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a run that prunes", "publish of a held run"])
def test_a_kill_at_any_step_breaks_no_promise(bench: Bench, name: str) -> None:
    (scene,) = (scene for scene in SCENES if scene.name == name)
    kills = list(bench.kills(scene))
    assert [kill for kill in kills if kill.broken] == []
    left = " ".join(kill.left for kill in kills)
    assert len(kills) > 15
    assert "the mark of a" in left
    assert "switched" in left


def spoil_a_table(output: Path) -> None:
    (output / "latest" / "users.parquet").write_bytes(b"other")


def spoil_run_json(output: Path) -> None:
    (output / "latest" / "run.json").write_text("{")


def lose_a_table(output: Path) -> None:
    (output / "latest" / "changes.parquet").unlink()


def lose_latest(output: Path) -> None:
    (output / "latest").unlink()


def lose_the_run(output: Path) -> None:
    shutil.rmtree((output / "latest").resolve())


def leave_a_folder(output: Path) -> None:
    (output / "runs" / "tmp1").mkdir()


def leave_half_a_held_run(output: Path) -> None:
    (output / "held" / "20200101T000000Z").mkdir(parents=True)


@pytest.mark.parametrize(
    "spoil",
    [spoil_a_table, spoil_run_json, lose_a_table, lose_latest, lose_the_run, leave_a_folder, leave_half_a_held_run],
)
def test_a_broken_promise_is_noticed(bench: Bench, spoil: Callable[[Path], None]) -> None:
    watch = bench.published()
    assert watch.broken() == []
    spoil(watch.output)
    assert len(watch.broken()) == 1


def leave_a_partial_run(output: Path) -> None:
    (output / "runs" / ".20200101T000000Z.partial").mkdir()


def leave_a_mark(output: Path) -> None:
    (output / ".switch-20200101T000000Z").symlink_to("runs/20200101T000000Z")


def leave_a_note(output: Path) -> None:
    (output / ".lock-holder").write_text("{}")


def keep_an_unpublished_run(output: Path) -> None:
    run = (output / "latest").resolve()
    copy = shutil.copytree(run, output / "runs" / f"{run.name}-9")
    manifest = copy / "run.json"
    manifest.write_text(manifest.read_text().replace(run.name, copy.name))


@pytest.mark.parametrize("spoil", [leave_a_partial_run, leave_a_mark, leave_a_note, keep_an_unpublished_run])
def test_what_a_run_should_have_cleared_away_is_noticed(bench: Bench, spoil: Callable[[Path], None]) -> None:
    watch = bench.published()
    assert watch.broken_after_a_run(set()) == []
    spoil(watch.output)
    assert len(watch.broken_after_a_run(set())) == 1
    assert watch.broken() == []


def test_a_run_that_is_not_later_is_noticed(bench: Bench) -> None:
    watch = bench.published()
    assert len(watch.broken_after_a_run(known_runs(watch.output))) == 1
