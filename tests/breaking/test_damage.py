"""Bits of a published run that are others than were written: whoever reads them says so."""

import json
import random
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from plant_aggregate.errors import AggregateError
from tests.records import record_of

FLIPS = 300

TRUTH = pa.table({"observation_id": [1, 2, 3], "label": ["Acer opalus", "Abies alba", "Picea abies"]})


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs in an output folder, with expert labels and votes beside it."""
    work = tmp_path_factory.mktemp("damage")
    plant_aggregate.simulate(0.0002, seed=1).write(work)
    for _ in range(2):
        plant_aggregate.run(work / "votes.parquet", work / "out")
    return work / "out"


def damaged(path: Path, end: int | None = None) -> Iterator[None]:
    """Flip bit after bit, at random, of a file that is put right each time; ``end``: of what comes before this byte."""
    sound = path.read_bytes()
    chance = random.Random(1)
    try:
        for _ in range(FLIPS):
            place = chance.randrange(8 * (end or len(sound)))
            bad = bytearray(sound)
            bad[place // 8] ^= 1 << place % 8
            path.write_bytes(bad)
            yield
    finally:
        path.write_bytes(sound)


def flipped(path: Path) -> None:
    """Leave one bit of a file another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


Reader = Callable[[Path], object]

READERS: dict[str, Reader] = {
    "open_latest().open": lambda output: plant_aggregate.open_latest(output).open().read(),
    "open_latest().read_table": lambda output: plant_aggregate.open_latest(output).read_table(columns=["status"]),
    "open_latest().verify": lambda output: plant_aggregate.open_latest(output).verify(),
    "diff, of the newer": lambda output: plant_aggregate.diff(oldest(output), output),
    "diff, of the older": lambda output: plant_aggregate.diff(output, oldest(output)),
    "read_evidence": lambda output: plant_aggregate.read_evidence(output, truth(output)),
    "read_evidence of the file": lambda output: plant_aggregate.read_evidence(
        output / "latest" / "consensus.parquet", truth(output)
    ),
    "publish": lambda output: plant_aggregate.publish(output, plant_aggregate.list_runs(output)[-1].run_id),
}


def oldest(output: Path) -> Path:
    return output / "runs" / plant_aggregate.list_runs(output)[0].run_id


def truth(output: Path) -> plant_aggregate.Truth:
    return plant_aggregate.read_truth(output.parent / "truth.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_every_flipped_bit_of_a_consensus_is_refused(output: Path, reader: str) -> None:
    READERS[reader](output)
    for _ in damaged(output / "latest" / "consensus.parquet"):
        with pytest.raises(AggregateError, match=r"consensus\.parquet: (is damaged: )?it has another SHA-256"):
            READERS[reader](output)


def test_every_flipped_bit_of_the_users_is_refused(output: Path) -> None:
    assert plant_aggregate.open_run(output).users() is not None
    for _ in damaged(output / "latest" / "users.parquet"):
        with pytest.raises(plant_aggregate.VotesError, match=r"users.parquet: is damaged"):
            plant_aggregate.open_run(output).users()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["consensus.parquet", "users.parquet"])
def test_every_flipped_bit_of_values_is_refused_where_no_run_json_tells(
    output: Path, tmp_path: Path, name: str
) -> None:
    """By the checksums of the pages: a table that was copied away, or is read by another program."""
    path = tmp_path / name
    shutil.copy(output / "latest" / name, path)
    sound = pq.read_table(path)
    footer = int.from_bytes(path.read_bytes()[-8:-4], "little") + 8
    for _ in damaged(path, end=path.stat().st_size - footer):
        try:
            found = pq.ParquetFile(path, page_checksum_verification=True).read()
        except (OSError, pa.ArrowException):
            continue
        assert found == sound  # what is no page, or a number in a header that nobody reads


def test_simulated_files_have_checksums(output: Path, tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    shutil.copy(output.parent / "votes.parquet", path)
    flipped(path)
    with pytest.raises(plant_aggregate.VotesError, match="CRC checksum verification failed"):
        plant_aggregate.read_votes(path)


# --- A run before that is damaged -------------------------------------------------------------------------------------


@pytest.fixture
def copy(output: Path, tmp_path: Path) -> Path:
    """A copy of the output folder to be spoilt."""
    shutil.copytree(output, tmp_path / "out", symlinks=True)
    return tmp_path / "out"


def no_table(run: Path) -> None:
    (run / "users.parquet").unlink()


def the_record_of_another(run: Path) -> None:
    record = record_of(run)
    (run / "run.json").write_text(json.dumps({**record, "run_id": "20200101T000000Z"}))


def a_flipped_bit(run: Path) -> None:
    flipped(run / "consensus.parquet")


SPOILT = {
    no_table: r"/\w+Z\S*: lacks 'users.parquet', which run.json lists",
    the_record_of_another: r"run.json: is that of run '20200101T000000Z': the folder was renamed, or the file copied",
    a_flipped_bit: r"consensus.parquet: is damaged: it has another SHA-256 than run.json says",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_run_before_is_told_of_and_not_compared(
    copy: Path, capfd: pytest.CaptureFixture[str], spoil: Callable[[Path], None]
) -> None:
    before = (copy / "latest").resolve()
    spoil(before)
    votes = copy.parents[0] / "votes.parquet"
    plant_aggregate.simulate(0.0002, seed=1).write(votes.parent)
    guards = plant_aggregate.Settings(max_label_changes=1.0, max_valid_drop=1.0)
    warned = pytest.warns(plant_aggregate.AggregateWarning, match=f"{before.name} is not known: .*{SPOILT[spoil]}")
    held = pytest.raises(
        plant_aggregate.HeldError, match=f"cannot be compared with run {before.name} .*{SPOILT[spoil]}"
    )
    with warned as said, held:
        plant_aggregate.run(votes, copy, settings=guards)
    assert len(said) == 1
    assert (copy / "latest").resolve() == before
    capfd.readouterr()
    assert run_command(["run", str(votes), "-o", str(copy), "--max-label-changes", "1", "-q"]) == 3
    assert len(capfd.readouterr().err.splitlines()) == 2  # the warning, and that it is held


@pytest.mark.parametrize("spoil", SPOILT)
def test_every_command_notices_a_spoilt_run(
    copy: Path, capfd: pytest.CaptureFixture[str], spoil: Callable[[Path], None]
) -> None:
    older, newer = (listed.run_id for listed in plant_aggregate.list_runs(copy))
    for run_id in (older, newer):
        spoil(copy / "runs" / run_id)
    experts = str(copy.parent / "truth.parquet")
    pq.write_table(TRUTH, experts)
    for command in (
        ["publish", older, "-o", str(copy)],
        ["rollback", "-o", str(copy)],
        ["diff", "latest", older, "-o", str(copy)],
        ["diff", str(copy), str(copy / "runs" / older / "consensus.parquet")],
        ["evaluate", str(copy), "--truth", experts],
        ["calibrate", str(copy), "--truth", experts, "-o", str(copy.parent / "calibration.json")],
    ):
        capfd.readouterr()
        assert run_command(command) == 1
        assert len(capfd.readouterr().err.splitlines()) == 1
    if spoil is not a_flipped_bit:  # a list does not read all tables
        assert run_command(["runs", "-o", str(copy)]) == 0
        assert capfd.readouterr().out.count("damaged") == 2
        with pytest.raises(AggregateError, match=SPOILT[spoil]):
            plant_aggregate.open_latest(copy)


def test_further_files_in_the_folder_of_a_run_are_no_damage(copy: Path) -> None:
    """Somebody may have put a table there that was derived from the run: the job, guards and all, goes on."""
    older, before = (listed.run_id for listed in plant_aggregate.list_runs(copy))
    for run_id in (older, before):
        shutil.copy(copy / "runs" / run_id / "users.parquet", copy / "runs" / run_id / "mine.parquet")
        (copy / "runs" / run_id / "derived").mkdir()
    plant_aggregate.simulate(0.0002, seed=1).write(copy.parent)
    guards = plant_aggregate.Settings(max_label_changes=0.0, max_valid_drop=0.0)
    with warnings.catch_warnings(action="error"):
        done = plant_aggregate.run(copy.parent / "votes.parquet", copy, settings=guards)
        assert plant_aggregate.rollback(copy).run_id == before
        plant_aggregate.open_latest(copy).verify()
        assert plant_aggregate.diff(done.folder, copy).table.num_rows == 0
    assert all(listed.manifest is not None for listed in plant_aggregate.list_runs(copy))


def test_a_run_that_was_copied_to_another_id_is_no_run_of_that_id(copy: Path) -> None:
    newest = (copy / "latest").resolve()
    shutil.copytree(newest, newest.with_name("20990101T000000Z"))
    with pytest.raises(
        plant_aggregate.PublishError, match=f"run 20990101T000000Z is damaged .*is that of run '{newest.name}'"
    ):
        plant_aggregate.publish(copy, "20990101T000000Z")
    assert plant_aggregate.list_runs(copy)[-1].manifest is None


def test_a_copy_of_a_run_under_a_name_of_its_own_is_read(output: Path, tmp_path: Path) -> None:
    """Also one of two files only, in a folder of other tables; but damage is noticed there, too."""
    shutil.copytree((output / "latest").resolve(), tmp_path / "mine")
    (tmp_path / "mine" / "users.parquet").unlink()
    shutil.copy(output.parent / "votes.parquet", tmp_path / "mine")
    assert plant_aggregate.diff(tmp_path / "mine", output).table.num_rows == 0
    flipped(tmp_path / "mine" / "consensus.parquet")
    with pytest.raises(plant_aggregate.VotesError, match=r"mine/consensus\.parquet: is damaged"):
        plant_aggregate.diff(tmp_path / "mine", output)


def test_runs_without_checksums_of_pages_are_read(copy: Path) -> None:
    """Those of versions before."""
    from tests.records import sign

    run = (copy / "latest").resolve()
    for path in run.glob("*.parquet"):
        pq.write_table(pq.read_table(path), path)
    sign(run)
    plant_aggregate.open_latest(copy).verify()
    assert plant_aggregate.open_latest(copy).read_table().num_rows
    with warnings.catch_warnings(action="error"):
        plant_aggregate.simulate(0.0002, seed=1).write(copy.parent)
        assert plant_aggregate.run(copy.parent / "votes.parquet", copy).manifest["changes"]["label_changed"] == 0
