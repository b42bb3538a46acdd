"""Which run came before which, on a real output folder where somebody has gone back."""

import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import plant_aggregate
from plant_aggregate.publishing.releases import open_output
from plant_aggregate.publishing.stores import history
from plant_aggregate.publishing.stores.folder import RunFolder
from plant_aggregate.publishing.stores.history import baseline, before, prune
from plant_aggregate.publishing.stores.run_ids import in_order
from plant_aggregate.publishing.stores.run_names import find_run
from tests.records import digest_of

NOW = datetime(2026, 11, 23, 2, 15, 0, tzinfo=UTC)


def publish(output: RunFolder, **more: Any) -> str:
    """A run that was compared with the one published before it."""
    against = baseline(output)
    with output.new_run(NOW) as run:
        (run.folder / "consensus.parquet").write_bytes(b"x")
        known = {
            "run_id": run.run_id,
            "outputs": {"consensus.parquet": digest_of(run.folder / "consensus.parquet")},
            "changes": against and {"against": against},
            **more,
        }
        (run.folder / "run.json").write_text(json.dumps(known))
        run.publish()
    return run.run_id


def test_who_goes_back_twice_does_not_meet_the_bad_run_again(output: RunFolder) -> None:
    oldest, good, bad = (publish(output) for _ in range(3))
    assert plant_aggregate.rollback(output.path).run_id == good
    next_night = publish(output)
    assert plant_aggregate.rollback(output.path).run_id == good
    assert plant_aggregate.rollback(output.path).run_id == oldest
    with pytest.raises(plant_aggregate.PublishError, match=f"there is no run before {oldest}"):
        plant_aggregate.rollback(output.path)
    assert output.run_ids == [oldest, good, bad, next_night]


def test_previous_is_what_rollback_publishes(output: RunFolder) -> None:
    """After steps back, after a night that followed them, and where the run before is no longer kept."""
    _, good, bad = (publish(output) for _ in range(3))
    for _ in range(2):
        expected = find_run(output, "previous")
        assert [run.run_id for run in plant_aggregate.list_runs(output.path) if run.name == "previous"] == [expected]
        assert plant_aggregate.rollback(output.path).run_id == expected
    plant_aggregate.publish(output.path, good)
    publish(output)
    assert find_run(output, "previous") == good
    (output.runs / good).rename(output.runs / f"{good}x")
    assert find_run(output, "previous") == bad
    assert plant_aggregate.publish(output.path, "previous").run_id == bad


def test_what_one_went_back_to_is_kept(output: RunFolder) -> None:
    """Not what one went back from."""
    oldest, good, bad = (publish(output) for _ in range(3))
    plant_aggregate.rollback(output.path)
    prune(output, 1)
    assert output.run_ids == [oldest, good, bad]
    next_night = publish(output)
    prune(output, 1)
    assert output.run_ids == [good, bad, next_night]
    prune(output, 0)
    assert output.run_ids == [next_night]


@pytest.mark.parametrize("against", ["20200101T000000Z", "20991231T000000Z", "../..", None, 7])
def test_a_run_held_against_none_that_is_there(output: RunFolder, against: Any) -> None:
    first, second = publish(output), publish(output)
    third = publish(output, changes={"against": against})
    assert before(output, third) == second
    assert before(output, second) == first
    assert before(output, first) is None


def test_a_run_whose_record_is_gone(output: RunFolder) -> None:
    first, second = publish(output), publish(output)
    (output.runs / second / "run.json").unlink()
    assert before(output, second) == first


def test_a_lost_latest(output: RunFolder) -> None:
    assert baseline(output) is None
    publish(output)
    newest = publish(output)
    assert [run.name for run in plant_aggregate.list_runs(output.path)] == ["previous", "latest"]
    output.latest.unlink()
    assert baseline(output) == newest
    assert [run.name for run in plant_aggregate.list_runs(output.path)] == [None, "previous"]  # as rollback goes there
    assert find_run(output, "previous") == newest
    with pytest.raises(plant_aggregate.PublishError, match="has no published run; see plant-aggregate runs"):
        find_run(output, "latest")
    with pytest.warns(
        plant_aggregate.AggregateWarning, match=f"names no run of .*: the newest there is published, {newest}"
    ):
        assert plant_aggregate.rollback(output.path).run_id == newest


def test_a_run_is_no_output_folder(output: RunFolder) -> None:
    publish(output)
    with pytest.raises(
        plant_aggregate.PublishError, match="latest: is a run itself; name the output folder that it lies in"
    ):
        open_output(output.latest).check()


def looks_at(output: RunFolder, monkeypatch: pytest.MonkeyPatch, keep: int) -> Counter[str]:
    """How often ids were compared, records read and runs listed, to prune."""
    found = Counter[str]()

    def count(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **more: Any) -> Any:
            found[name] += 1
            return work(*arguments, **more)

        return counting

    with monkeypatch.context() as patched:
        patched.setattr(history, "age_key", count("comparisons", history.age_key))
        patched.setattr(history, "record_in", count("records", history.record_in))
        patched.setattr(RunFolder, "run_ids", property(count("lists", lambda store: in_order(os.listdir(store.runs)))))
        prune(output, keep)
    return found


def test_what_it_takes_to_prune_grows_as_the_runs_do(output: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the runs: twice the records, and little more than twice the comparisons."""
    found = []
    for n_runs in (40, 80):
        while len(output.run_ids) < n_runs:
            publish(output)
        found.append(looks_at(output, monkeypatch, n_runs - 2))
        assert len(output.run_ids) == n_runs - 1
    assert [counts["records"] for counts in found] == [38, 78]
    assert [counts["lists"] for counts in found] == [1, 1]
    assert found[1]["comparisons"] < 2.5 * found[0]["comparisons"] < 2.5 * 40 * 20


def test_where_all_stay_no_record_is_read(output: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        publish(output)
    for keep in (4, 10_000):
        assert looks_at(output, monkeypatch, keep)["records"] == 0
    assert len(output.run_ids) == 5
