"""Runs in object stores: what a folder promises, without links and renames."""

import hashlib
import itertools
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSelector, FileType

import plant_aggregate
from plant_aggregate.cli.main import run_command
from plant_aggregate.errors import PublishError, VotesError
from plant_aggregate.files.locations import StoreLocation, child, locate
from plant_aggregate.publishing.releases import check_run, open_output
from plant_aggregate.publishing.stores.bucket import RunBucket
from plant_aggregate.publishing.stores.history import prune
from tests.command_line import VOTES, Capture, Write
from tests.object_store import Bucket
from tests.records import record_of

TABLES = ["changes.parquet", "consensus.parquet", "rejected.parquet", "users.parquet"]


@pytest.fixture
def output(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of a place for runs, whose local folder is the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return bucket.uri("out")


def run(path: Path, output: str, *options: str) -> int:
    return run_command(["run", str(path), "-o", output, "-q", *options])


def test_the_published_run_is_that_of_a_folder(bucket: Bucket, output: str, write: Write, work: Path) -> None:
    path = write()
    assert run(path, output) == 0
    assert run(path, "local") == 0
    remote, local = plant_aggregate.open_latest(output), plant_aggregate.open_latest("local")
    assert remote.files == local.files
    remote.verify()
    local.verify()
    for name in local.files:
        assert remote.read_table(name).equals(local.read_table(name))
    assert remote.read_table(columns=["label"]).column_names == ["label"]
    with remote.open("users.parquet") as one, local.open("users.parquet") as other:
        assert one.read() == other.read()
    files = [f"runs/{remote.run_id}/{name}" for name in sorted([*TABLES, "run.json"])]
    assert bucket.files("out") == ["latest.json", *files]


def test_a_run_in_a_store_has_many_names(output: str, write: Write, work: Path) -> None:
    for _ in range(2):
        assert run(write(), output) == 0
    latest = plant_aggregate.open_latest(output)
    assert latest.run_id is not None
    consensus = latest.read_table()
    of_output = [(output,), (output, "latest"), (output, latest.run_id)]
    for name in [*of_output, (latest.folder,), (latest.path(),)]:
        found = plant_aggregate.open_run(*name)
        assert found == latest
        assert found.read_table().equals(consensus)
        assert found.votes([1]).n_observations == 1
    previous = plant_aggregate.open_run(output, "previous")
    assert [listed.name for listed in plant_aggregate.list_runs(output)] == ["previous", "latest"]
    assert latest.record.changes is not None
    assert previous.run_id == latest.record.changes.against
    assert plant_aggregate.diff("previous", "latest", output).table.num_rows == 0
    assert plant_aggregate.rollback(output) == previous
    for name, fault in (("previous", "there is no run before"), ("2", "the ids of 2 runs begin with 2; name one: ")):
        with pytest.raises(PublishError, match=fault):
            plant_aggregate.open_run(output, name)
    with pytest.raises(PublishError, match="is no output folder"):
        plant_aggregate.open_run(child(output, "elsewhere"), "latest")
    with pytest.raises(VotesError, match="is no consensus: its columns are 'user_id'"):
        plant_aggregate.open_run(latest.path("users.parquet"))
    for name in (latest.path("nope.parquet"), child(output, "runs", "nope")):
        with pytest.raises(VotesError):
            plant_aggregate.open_run(name)


def test_runs_are_held_released_compared_and_taken_back(output: str, write: Write, work: Path, capfd: Capture) -> None:
    path = write()
    assert run(path, output) == 0
    first = plant_aggregate.open_latest(output).run_id
    other = write("other.parquet", label=["Acer opalus", "Acer opalus", "Abies alba", "Abies alba"])
    assert run(other, output, "--max-label-changes", "0.1") == 3
    (_, held) = plant_aggregate.list_runs(output)
    assert (held.state, plant_aggregate.open_latest(output).run_id) == ("held", first)
    capfd.readouterr()
    assert run_command(["diff", "latest", held.run_id, "-o", output, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["label_changed"] == 1
    assert run_command(["publish", held.run_id, "-o", output]) == 0
    assert plant_aggregate.open_latest(output).run_id == held.run_id
    assert [listed.state for listed in plant_aggregate.list_runs(output)] == ["kept", "published"]
    for names in ([output], ["-o", output], ["previous", "latest", "-o", output], [str(first), "-o", output]):
        capfd.readouterr()
        assert run_command(["diff", *names]) == 0
        title = capfd.readouterr().out.splitlines()[0]
        assert title.replace(" (previous)", "") == f"{first} -> {held.run_id} (latest)"
    assert run_command(["runs", output, "--json"]) == 0
    assert [run["name"] for run in json.loads(capfd.readouterr().out)] == ["previous", "latest"]
    assert run_command(["rollback", "-o", output]) == 0
    assert plant_aggregate.open_latest(output).run_id == first
    assert run_command(["rollback", "-o", output]) == 1


def test_a_published_run_that_is_gone_holds_the_next(
    bucket: Bucket, output: str, write: Write, work: Path, capfd: Capture
) -> None:
    path = write()
    assert run(path, output) == 0
    gone = plant_aggregate.open_latest(output).run_id
    runs = locate(output).child("runs", gone)
    runs.filesystem.delete_dir(runs.path)
    capfd.readouterr()
    assert run(path, output, "--max-label-changes", "1") == 3
    warning, error = capfd.readouterr().err.splitlines()
    assert "/latest.json" in warning
    assert warning.endswith(f" names run {gone}, which is gone")
    assert f": held back: it cannot be compared with the published run {gone}, which is gone; " in error
    assert run(path, output) == 0
    assert plant_aggregate.open_latest(output).run_id > gone


@pytest.mark.parametrize(
    ("votes", "place", "fits"),
    [
        ("log", "log/out", False),
        ("log/", "log", False),
        ("*", "out", False),
        ("log/**/*.parquet", "log/out", False),
        ("log", "log/_out", True),
        ("log", "logs", True),
        ("log/*.parquet", "log/out", True),
    ],
)
def test_an_output_among_the_votes(
    bucket: Bucket, output: str, write: Write, work: Path, capfd: Capture, votes: str, place: str, fits: bool
) -> None:
    bucket.put("log/votes.parquet", write())
    assert run_command(["run", bucket.uri(votes), "-o", bucket.uri(place), "-q"]) == (0 if fits else 2)
    assert ("the next run would read it" in capfd.readouterr().err) != fits


def test_old_runs_are_pruned(output: str, write: Write, work: Path) -> None:
    path = write()
    for _ in range(4):
        assert run(path, output, "--keep", "1") == 0
    listed = plant_aggregate.list_runs(output)
    assert [each.state for each in listed] == ["kept", "published"]


def test_a_consensus_in_a_store_is_evaluated(output: str, write: Write, work: Path, capfd: Capture) -> None:
    truth = pa.table({"observation_id": [2, 3], "label": ["Abies alba", "Abies alba"]})
    assert run(write(), output) == 0
    capfd.readouterr()
    experts = str(write("truth.parquet", truth))
    assert run_command(["evaluate", output, "--truth", experts, "--resamples", "0", "-q", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["consensus"].startswith(output.partition("?")[0])


RUNS, READS, READERS = 5, 40, 3


@pytest.mark.slow
def test_who_reads_while_runs_are_published_reads_one_run(output: str) -> None:
    """All files of a run carry its number."""
    store = open_output(output)
    store.check()
    store.prepare()
    numbers: list[set[bytes]] = []
    published = threading.Event()

    def publish_one(number: int) -> None:
        with store.new_run(datetime.now(UTC) + timedelta(seconds=number)) as new:
            digests = {}
            for name in TABLES:
                content = b"%d " % number * 1000
                (new.folder / name).write_bytes(content)
                digests[name] = {"sha256": hashlib.sha256(content).hexdigest()}
            (new.folder / "run.json").write_text(json.dumps({"run_id": new.run_id, "outputs": digests}))
            new.publish()
        prune(store, 14)

    def keep_reading() -> None:
        while not published.is_set() or len(numbers) < READS:
            latest = plant_aggregate.open_latest(output)
            contents = []
            for name in latest.files:
                with latest.open(name) as file:
                    contents.append(file.read())
            digests = {hashlib.sha256(content).hexdigest() for content in contents}
            assert digests == {facts["sha256"] for facts in latest.manifest["outputs"].values()}
            numbers.append({content.split()[0] for content in contents})

    publish_one(0)
    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(keep_reading) for _ in range(READERS)]
        try:
            for number in range(1, RUNS + 1):
                publish_one(number)
                while len(numbers) < READS * number // RUNS and not any(reader.done() for reader in readers):
                    time.sleep(0.001)
        finally:
            published.set()
        for reader in readers:
            reader.result()
    assert len(numbers) >= READS
    assert {len(of_one_reading) for of_one_reading in numbers} == {1}
    assert len(set.union(*numbers)) > RUNS // 2


# --- Processes that end in the middle of it ---------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process: nothing is taken back."""


CHANGES = ("open_output_stream", "create_dir", "delete_file", "delete_dir", "copy_file", "move")
"""What changes a store."""


class Ending:
    """A file system that the process ends at: before its n-th change, counted from 0, and all that come after."""

    def __init__(self, filesystem: Any, steps: int) -> None:
        self._filesystem, self.left = filesystem, steps

    def __getattr__(self, name: str) -> Any:
        work = getattr(self._filesystem, name)

        def count(*arguments: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise Killed
            return work(*arguments, **more)

        return count if name in CHANGES else work


def nights(folder: Path, output: str) -> None:
    """Publish two runs at ``output``, and hold one back; votes and a run on disk lie in the folder."""
    pq.write_table(VOTES, folder / "votes.parquet")
    others = VOTES.set_column(2, "label", pa.array(["Acer opalus", "Acer opalus", "Abies alba", "Abies alba"]))
    pq.write_table(others, folder / "other.parquet")
    assert run(folder / "votes.parquet", output) == 0
    assert run(folder / "votes.parquet", output) == 0
    assert run(folder / "other.parquet", output, "--max-label-changes", "0.1") == 3
    assert run(folder / "votes.parquet", str(folder / "local")) == 0


def copied(output: str, to: str) -> None:
    """Copy all objects to another place in the same store."""
    here, there = locate(output), locate(to)
    for info in here.filesystem.get_file_info(FileSelector(here.path, recursive=True)):
        if info.type == FileType.File:
            name = info.path[len(here.path) + 1 :]
            there.filesystem.create_dir(there.child(name).path.rpartition("/")[0], recursive=True)
            there.filesystem.copy_file(info.path, there.child(name).path)


def ended_at(step: int, kind: str, output: str, folder: Path) -> bool:
    """Whether a process can end before so many changes of the store; what readers see is whole, the next clears up."""
    before = plant_aggregate.open_latest(output).run_id
    store = open_output(output)
    assert isinstance(store, RunBucket)
    store.check()
    store.prepare()
    staged = folder / "staged"
    shutil.copytree(folder / "local/latest", staged, dirs_exist_ok=True)
    record = record_of(staged)
    (staged / "run.json").write_text(json.dumps({**record, "run_id": "20991231T000000Z"}))
    ending = Ending(store._place.filesystem, step)
    store._place = store._place._replace(filesystem=ending)
    with suppress(Killed):
        if kind == "release":
            store.release(store.held_ids[0])
        elif kind == "prune":
            prune(store, 0)
        elif kind == "rollback":
            store.switch_to(store.run_ids[0])
        else:
            getattr(store, kind)("20991231T000000Z", staged)
    seen = plant_aggregate.open_latest(output)
    seen.verify()
    assert seen.run_id == before or kind in ("publish", "release", "rollback")
    assert run(folder / "votes.parquet", output) == 0
    place = locate(output)
    names = [info.base_name for info in place.filesystem.get_file_info(FileSelector(place.path))]
    assert [name for name in names if name.startswith(".")] == []
    for listed in plant_aggregate.list_runs(output):
        check_run(open_output(output), listed.run_id)
    assert plant_aggregate.open_latest(output).run_id > before
    return ending.left < 0


@pytest.mark.parametrize(
    ("kind", "changes"), [("publish", 10), ("hold", 8), ("release", 11), ("prune", 3), ("rollback", 2)]
)
def test_a_process_may_end_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, changes: int
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    prepared = f"memory://{kind}/out"
    nights(tmp_path, prepared)
    for step in itertools.count():
        copied(prepared, f"memory://{kind}-{step}/out")
        if not ended_at(step, kind, f"memory://{kind}-{step}/out", tmp_path):
            break
    assert step >= changes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "step"), [("publish", 4), ("publish", 8), ("publish", 9), ("hold", 7), ("release", 5), ("release", 9)]
)
def test_a_process_may_end_in_a_bucket(output: str, tmp_path: Path, kind: str, step: int) -> None:
    nights(tmp_path, output)
    assert ended_at(step, kind, output, tmp_path)


def test_another_machine_that_writes_here_is_left_alone(
    output: str, write: Write, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """It should not, but no run comes to harm: neither its own, nor that of whom it meets."""
    path, upload, seen = write(), RunBucket._upload, []

    def meet(store: RunBucket, folder: Path, place: StoreLocation) -> None:
        upload(store, folder, place)
        monkeypatch.setattr(RunBucket, "_upload", upload)
        with monkeypatch.context() as elsewhere:
            (tmp_path / "elsewhere").mkdir()
            elsewhere.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
            assert run(path, output) == 0
        seen.extend(listed.state for listed in plant_aggregate.list_runs(output))

    monkeypatch.setattr(RunBucket, "_upload", meet)
    assert run(path, output) == 0
    assert "may be writing run 2" in capfd.readouterr().err
    assert seen == ["published"]
    for listed in plant_aggregate.list_runs(output):
        check_run(open_output(output), listed.run_id)
    assert len(plant_aggregate.list_runs(output)) == 2


@pytest.mark.parametrize("kind", ["publish", "release"])
def test_a_run_that_is_not_whole_is_not_published(
    output: str, write: Write, work: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = write()
    assert run(path, output) == 0
    other = write("other.parquet", label=["Acer opalus", "Acer opalus", "Abies alba", "Abies alba"])
    assert run(other, output, "--max-label-changes", "0.1") == 3
    before, whole = plant_aggregate.open_latest(output).run_id, RunBucket._check_whole

    def lose(store: RunBucket, place: StoreLocation, sizes: Any) -> None:
        place.filesystem.delete_file(place.child("consensus.parquet").path)
        whole(store, place, sizes)

    monkeypatch.setattr(RunBucket, "_check_whole", lose)
    held = plant_aggregate.list_runs(output)[1].run_id
    with pytest.raises(PublishError, match="is not whole in the store: does another machine write here"):
        plant_aggregate.run(path, output) if kind == "publish" else plant_aggregate.publish(output, held)
    assert plant_aggregate.open_latest(output).run_id == before
    assert [listed.state for listed in plant_aggregate.list_runs(output)] == ["published", "held"]
    check_run(open_output(output), held)


@pytest.mark.parametrize(("hours", "content"), [(11, None), (13, None), (1, ""), (1, "[]"), (1, '{"since": 1}')])
def test_what_another_machine_left_is_cleared_away_in_the_end(
    bucket: Bucket, output: str, write: Write, work: Path, tmp_path: Path, hours: int, content: str | None
) -> None:
    path = write()
    since = datetime.now(UTC) - timedelta(hours=hours)
    known = {"host": "other", "lock": [1, 2], "since": since.isoformat()}
    (tmp_path / "mark").write_text(json.dumps(known) if content is None else content)
    (tmp_path / "file").write_bytes(b"half a run")
    bucket.put("out/.latest-20200101T000000Z", tmp_path / "mark")
    bucket.put("out/runs/20200101T000000Z/consensus.parquet", tmp_path / "file")
    assert run(path, output) == 0
    is_left = any("20200101T000000Z" in name for name in bucket.files("out"))
    assert is_left == (hours == 11)
    assert [listed.state for listed in plant_aggregate.list_runs(output)] == ["published"]


def test_the_mark_of_the_published_run_is_cleared_away_whoever_left_it(
    bucket: Bucket, output: str, write: Write, work: Path, tmp_path: Path
) -> None:
    """Left alone it would say of a run that everybody has seen that nobody has, once the next is published."""
    path = write()
    assert run(path, output) == 0
    seen = plant_aggregate.open_latest(output).run_id
    (tmp_path / "mark").write_text(
        json.dumps({"host": "other", "lock": [1, 2], "since": datetime.now(UTC).isoformat()})
    )
    bucket.put(f"out/.latest-{seen}", tmp_path / "mark")
    assert run(path, output) == 0
    assert [name for name in bucket.files("out") if name.startswith(".")] == []
    assert [listed.state for listed in plant_aggregate.list_runs(output)] == ["kept", "published"]
    assert plant_aggregate.rollback(output).run_id == seen


def test_a_damaged_pointer_is_no_run(bucket: Bucket, output: str, write: Write, work: Path, tmp_path: Path) -> None:
    path = write()
    assert run(path, output) == 0
    for content in ("", "[]", '{"run_id": "../x"}', '{"run_id": 7}', '{"run_id": "20200101T000000Z"}'):
        (tmp_path / "pointer").write_text(content)
        bucket.put("out/latest.json", tmp_path / "pointer")
        with pytest.raises(VotesError, match="has no published run"):
            plant_aggregate.open_latest(output)
    assert run(path, output) == 0
    plant_aggregate.open_latest(output).verify()


def test_a_damaged_run_is_not_published(bucket: Bucket, output: str, write: Write, work: Path, tmp_path: Path) -> None:
    path = write()
    assert run(path, output) == 0
    first = plant_aggregate.open_latest(output)
    assert run(path, output) == 0
    (tmp_path / "bad").write_bytes(b"bad")
    bucket.put(f"out/runs/{first.run_id}/users.parquet", tmp_path / "bad")
    with pytest.raises(PublishError, match=r"is damaged \(.*users\.parquet.*: it has another SHA-256"):
        plant_aggregate.rollback(output)
    with pytest.raises(VotesError, match="another SHA-256"):
        first.verify()


def test_a_place_that_cannot_be_written_to(bucket: Bucket, work: Path, write: Write, capfd: Capture) -> None:
    path = write()
    assert run(path, bucket.uri("out").replace(bucket.name, "no-such-bucket")) == 1
    said = capfd.readouterr().err
    assert "cannot be reached" in said
    assert said.endswith("nothing was published; what was published before is untouched\n")


def test_nothing_published_yet(output: str, work: Path) -> None:
    with pytest.raises(VotesError, match="has no published run"):
        plant_aggregate.open_latest(output)
    with pytest.raises(VotesError, match="has no published run"):
        plant_aggregate.open_latest(work)
    assert run_command(["runs", "-o", output]) == 1
    assert run_command(["evaluate", output, "--truth", "x"]) == 1


def test_what_fsspec_opens(write: Write, work: Path) -> None:
    pytest.importorskip("fsspec")
    path = write()
    for _ in range(3):
        assert run(path, "memory://place/out", "--keep", "1") == 0
    plant_aggregate.open_latest("memory://place/out").verify()
    assert [listed.state for listed in plant_aggregate.list_runs("memory://place/out")] == ["kept", "published"]
