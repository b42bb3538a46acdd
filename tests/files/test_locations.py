"""Inputs in object stores are what they are on disk, and their errors are as clear."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from plant_aggregate.errors import VotesError
from plant_aggregate.files import snapshots as remote
from plant_aggregate.files.locations import redacted
from plant_aggregate.files.snapshots import find_remote
from plant_aggregate.files.sources import PARQUET_SUFFIXES, find_sources
from tests.command_line import Capture, Published, Write, refused
from tests.object_store import Bucket
from tests.records import record_of

AI = pa.table({"observation_id": [1, 2], "label": ["Acer opalus", "Abies alba"], "score": [0.9, 0.4]})


def run_refused(capfd: Capture, *arguments: str, exit_code: int = 1) -> str:
    return refused(capfd, "run", *arguments, "-q", exit_code=exit_code)


def test_votes_from_a_store_are_the_votes_of_the_file(bucket: Bucket, write: Write, work: Path) -> None:
    path = write()
    assert run_command(["run", str(path), "-q", "-o", "local"]) == 0
    assert run_command(["run", bucket.put("log/votes.parquet", path), "-q"]) == 0
    for name in ("consensus", "users", "rejected"):
        assert pq.read_table(f"consensus/latest/{name}.parquet").equals(pq.read_table(f"local/latest/{name}.parquet"))
    (source,) = record_of()["inputs"]
    assert source["path"] == bucket.uri("log/votes.parquet")
    assert source["fingerprint"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source["bytes"] == path.stat().st_size


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("log", ["a.parquet", "day=1/b.PARQUET", "day=2/c.pq"]),
        ("log/", ["a.parquet", "day=1/b.PARQUET", "day=2/c.pq"]),
        ("log/a.parquet", ["a.parquet"]),
        ("log/*.parquet", ["a.parquet"]),
        ("log/day=*", ["day=1/b.PARQUET", "day=2/c.pq"]),
        ("log/*/c.pq", ["day=2/c.pq"]),
        ("log/**/*.p*", ["a.parquet", "day=2/c.pq"]),
        ("log/_tmp/*", ["_tmp/d.parquet"]),
        ("log/readme*", ["readme.txt"]),
    ],
)
def test_folders_and_patterns(bucket: Bucket, write: Write, pattern: str, found: list[str]) -> None:
    path = write()
    for name in ("a.parquet", "day=1/b.PARQUET", "day=2/c.pq", "_tmp/d.parquet", "day=1/.e.parquet", "readme.txt"):
        bucket.put(f"log/{name}", path)
    places = find_remote(bucket.uri(pattern), PARQUET_SUFFIXES)
    assert [place.path for place in places] == [f"{bucket.name}/log/{name}" for name in found]


def test_each_file_is_read_once(bucket: Bucket, write: Write) -> None:
    uri = bucket.put("log/a.parquet", write())
    assert len(find_sources([uri, bucket.uri("log"), bucket.uri("log/*")])) == 1


def test_every_input_may_be_in_a_store(bucket: Bucket, write: Write, work: Path) -> None:
    votes = bucket.put("votes.parquet", write())
    weights = work / "weights.csv"
    weights.write_text("user_id,fixed_weight\nana,0.5\n")
    truth = pa.table({"observation_id": [1, 2, 3], "label": ["Acer campestre", "Abies alba", "Abies alba"]})
    scores = pa.table(
        {"observation_id": [1, 2], "epoch": [0, 0], "labels": [["Acer campestre"]] * 2, "probabilities": [[0.9]] * 2}
    )
    run = ["run", votes, "-q"]
    assert run_command([*run, "--user-weights", bucket.put("weights.csv", weights)]) == 0
    assert record_of()["files"]["user_weights"]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert run_command([*run, "--ai-votes", bucket.put("ai.parquet", write("ai.parquet", AI))]) == 0
    assert run_command([*run, "--scores", bucket.put("s.parquet", write("s.parquet", scores))]) == 0
    experts = bucket.put("truth.parquet", write("truth.parquet", truth))
    assert run_command(["evaluate", "consensus", "--truth", experts, "--resamples", "0", "-q"]) == 0


def test_what_is_not_there(bucket: Bucket, capfd: Capture, work: Path) -> None:
    gone = bucket.uri("gone.parquet")
    assert run_refused(capfd, gone) == (f"plant-aggregate: error: {gone}: no such file or folder; check the path\n")
    assert "no such file or folder" in run_refused(capfd, bucket.uri("gone/*.parquet"))
    assert "s3://no-such-bucket/x" in run_refused(capfd, bucket.uri("x").replace(bucket.name, "no-such-bucket"))
    assert "gone.parquet" in run_refused(capfd, "x.parquet", "--user-weights", bucket.uri("gone.parquet"))
    assert "gone.json" in run_refused(capfd, "x.parquet", "--calibration", bucket.uri("gone.json"))


@pytest.mark.slow
def test_a_store_that_does_not_answer(bucket: Bucket, capfd: Capture, work: Path) -> None:
    uri = "s3://bucket/votes?endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1"
    assert "cannot be reached (" in run_refused(capfd, uri)


def test_a_folder_without_tables(bucket: Bucket, capfd: Capture, write: Write) -> None:
    bucket.put("log/readme.txt", write())
    assert "no Parquet file in this folder" in run_refused(capfd, bucket.uri("log"))


def test_a_damaged_file_is_named_by_its_uri(bucket: Bucket, capfd: Capture, write: Write) -> None:
    path = write()
    path.write_bytes(path.read_bytes()[:-9])
    uri = bucket.put("votes.parquet", path)
    assert f"{uri}: cannot be read as Parquet" in run_refused(capfd, uri)


def test_secrets_are_not_shown(
    bucket: Bucket, capfd: Capture, write: Write, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("votes.parquet", write())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    secret = bucket.uri("votes.parquet").replace("s3://", "s3://an-id:Hush-hush@")
    assert run_command(["run", secret, "-q"]) == 0
    assert "Hush" not in (work / "consensus/latest/run.json").read_text()
    assert "Hush" not in run_refused(capfd, secret.replace("votes.parquet", "gone"), "--log-format", "text")
    assert "Hush" not in run_refused(capfd, "s3://b/x?secret_key=Hush-hush&scheme=http")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:pass@host/a?token=x&b=c", "https://host/a?token=hidden&b=c"),
        ("s3://b/a?X-Amz-Signature=1&access_key=k", "s3://b/a?X-Amz-Signature=hidden&access_key=hidden"),
        ("s3://[broken/a?secret=1", "s3://[broken/a?secret=hidden"),
        ("s3://b/a#b?x=/y%20z&pwd=1&AUTH=2", "s3://b/a#b?x=/y%20z&pwd=hidden&AUTH=hidden"),
        ("s3:/me:pass@host/a", "s3:/host/a"),
        ("s3://me:pa/ss@host/a?x=b@c", "s3://host/a?x=b@c"),
        ("s3://host:9000/a@b", "s3://host:9000/a@b"),
        ("hdfs:///data/x", "hdfs:///data/x"),
        ("abfs://container@account.example.org/x", "abfs://container@account.example.org/x"),
        ("/data/me@home/a?token=x", "/data/me@home/a?token=x"),
    ],
)
def test_what_is_shown_of_a_uri(uri: str, shown: str) -> None:
    assert redacted(uri) == shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "s3://me:Hush-hush@bucket:99999x/v", "--debug"],
        ["run", "s3://me:Hush%2Dhush@bucket:99999x/v", "--debug", "--log-format", "json"],
        ["run", "s3://[x/v?secret=Hush-hush"],
        ["run", "s3:/me:Hush-hush@bucket/v"],
        ["run", "v", "-o", "s3:/me:Hush-hush@bucket/v"],
        ["run", "v", "--strategy", "s3://me:Hush-hush@bucket"],
        ["run", "--config", "c.toml"],
        ["publish", "s3://me:Hush-hush@b/x"],
        ["run", "s3://me:Hush/hush@b/x"],
        ["run", "file://me:Hush-hush@elsewhere/x"],
        ["runs", '"s3://b?secret=Hush-hush"', "--log-format", "json"],
        ["simulate", "s3://me:Hush-hush@b/x"],
    ],
)
def test_no_line_shows_a_secret(published: Any, work: Path, capfd: Capture, arguments: list[str]) -> None:
    (work / "c.toml").write_text('[run]\noutput = ["s3://me:Hush-hush@b"]\n')
    assert run_command(arguments) in (1, 2)
    said = capfd.readouterr().err
    assert "Hush" not in said
    assert "internal error" not in said
    if "json" in arguments:
        assert all(json.loads(line)["time"] for line in said.splitlines())


@pytest.mark.parametrize("option", ["-o", "--metrics", "--calibration", "--user-weights", "--ai-votes", "--scores"])
@pytest.mark.parametrize(
    ("name", "saying"),
    [
        ("a\0b", "holds a NUL character"),
        ("file://elsewhere/a", "a file of the machine 'elsewhere' is none of this one"),
    ],
)
def test_what_cannot_be_a_path(
    published: Any, write: Write, work: Path, capfd: Capture, option: str, name: str, saying: str
) -> None:
    said = run_refused(capfd, str(write()), option, name, exit_code=2)
    assert saying in said
    assert published.is_untouched()


def test_a_file_that_changes_while_it_is_copied(
    bucket: Bucket, capfd: Capture, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write()
    uri = bucket.put("votes.parquet", path)
    write_chunk = remote._write

    def write_and_change(*arguments: Any) -> None:
        write_chunk(*arguments)
        bucket.put("votes.parquet", write("more.parquet", is_author=None))

    monkeypatch.setattr(remote, "_write", write_and_change)
    assert f"{uri}: changed while it was read; run again when it is complete" in run_refused(capfd, uri)


def test_no_room_for_the_copy(bucket: Bucket, capfd: Capture, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = bucket.put("votes.parquet", write())
    monkeypatch.setattr(remote, "_temporary_file", lambda _place: open("/dev/full", "wb", buffering=0))  # noqa: SIM115
    said = run_refused(capfd, uri)
    assert "(no space left on device); set TMPDIR to a folder with more room" in said


def test_what_only_fsspec_opens(write: Write, work: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://log/votes.parquet", "wb") as file:
        file.write(write().read_bytes())
    assert run_command(["run", "memory://log", "-q"]) == 0
    assert record_of()["inputs"][0]["path"] == "memory://log/votes.parquet"


def test_without_fsspec(tmp_path: Path) -> None:
    (tmp_path / "fsspec.py").write_text("raise ImportError('is not installed')")
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from plant_aggregate.files.locations import locate
        locate("memory://log")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "VotesError: " in done.stderr
    assert "pip install 'plant-aggregate[remote]'" in done.stderr


def test_an_unknown_scheme(capfd: Capture, work: Path) -> None:
    assert "gopher://log: cannot be opened" in run_refused(capfd, "gopher://log")


def test_a_file_uri_is_a_path(write: Write, work: Path) -> None:
    path = write("my votes.parquet")
    assert run_command(["run", path.as_uri(), "-q", "-o", (work / "out").as_uri()]) == 0
    assert (work / "out/latest/consensus.parquet").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "s3://b/x"],
        ["ambiguity", "v", "--scores", "s", "-o", "s3://b/x"],
        ["calibrate", "c", "--truth", "t", "-o", "s3://b/x"],
        ["run", "v", "--metrics", "s3://b/x"],
    ],
)
def test_other_outputs_are_local(capfd: Capture, work: Path, arguments: list[str]) -> None:
    assert "must be a local path" in refused(capfd, *arguments, exit_code=2)
    assert list(work.iterdir()) == []


def test_folders_in_a_store_say_columns_as_those_on_disk_do(bucket: Bucket, write: Write, work: Path) -> None:
    for folder, number in (("label=Acer%20opalus", 1), ("label=Ilex", 2), ("label=__HIVE_DEFAULT_PARTITION__", 1)):
        path = write(f"{number}.parquet", observation_id=[number] * 4, label=None)
        uri = bucket.put(f"log/is_author=true/{folder}/0.parquet", path)
    assert plant_aggregate.read_votes(bucket.uri("log")).label_names.to_pylist() == ["Ilex"]
    assert plant_aggregate.read_votes(bucket.uri("log/**/label=A*")).label_names.to_pylist() == ["Acer opalus"]
    assert plant_aggregate.read_votes(bucket.uri("log/is_author=true/label=Ilex/0.parquet")).n_votes == 3
    with pytest.raises(VotesError, match="no usable vote left"):
        plant_aggregate.read_votes(uri)


@pytest.mark.parametrize(
    ("log", "kind"),
    [("_delta_log/0.json", "a Delta"), (".hoodie/a.commit", "a Hudi"), ("metadata/0-a.metadata.json", "an Iceberg")],
)
def test_tables_of_which_only_a_log_says_what_they_hold(
    bucket: Bucket, write: Write, published: Published, capfd: Capture, log: str, kind: str
) -> None:
    bucket.put("lakes/votes/data/day=1/0.parquet", write())
    run_command(["run", bucket.uri("lakes"), "-q", "-o", "other"])
    bucket.put(f"lakes/votes/{log}", write())
    folders = (
        "lakes",
        "lakes/votes",
        "lakes/votes/data",
        "lakes/votes/data/day=1/0.parquet",
        "lakes/*/data/**/*.parquet",
    )
    for path in folders:
        said = run_refused(capfd, bucket.uri(path))
        assert f"is {kind} table, or part of one ({bucket.name}/lakes/votes)" in said
        assert "; export what it holds" in said
    assert published.is_untouched()


def test_parquet_files_without_a_suffix_in_a_store(bucket: Bucket, write: Write, work: Path) -> None:
    bucket.put("log/20260102_000001_00012_abcde", write())
    (work / "README").write_text("no Parquet")
    bucket.put("log/README", work / "README")
    bucket.put("log/_temporary/0", write())
    assert plant_aggregate.read_votes(bucket.uri("log")).n_votes == 4
