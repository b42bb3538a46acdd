"""Which files stand for the paths that were given."""

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.errors import AggregateWarning, VotesError
from plant_aggregate.files.sources import find_sources
from plant_aggregate.ingest import find_votes, read_found


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files whose names say whether they count, in the current folder."""
    for name in (
        "log/year=2024/month=1/b.parquet",
        "log/year=2024/month=1/c.PARQUET",
        "log/year=2023/a.parq",
        "log/z.pq",
        "log/_SUCCESS",
        "log/_metadata.parquet",
        "log/.hidden.parquet",
        "log/_temporary/0/part.parquet",
        "log/.spark/part.parquet",
        "log/notes.txt",
        "alone.data",
        "odd[1].parquet",
        "odd1.parquet",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


LOG = ["log/year=2023/a.parq", "log/year=2024/month=1/b.parquet", "log/year=2024/month=1/c.PARQUET", "log/z.pq"]


def paths(*given: str | Path) -> list[str]:
    return [source.path for source in find_sources(given)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["log"], LOG),
        (["log/"], LOG),
        (["log/**/*.p*"], LOG[:2] + LOG[3:]),
        (["log/year=*"], LOG[:3]),
        (["log/z.pq", "log/year=2023"], [LOG[0], LOG[3]]),
        (["log", "log/z.pq", "log/*.pq", "./log/z.pq"], [*LOG]),
        (["log/_temp*/**/*.parquet"], ["log/_temporary/0/part.parquet"]),
        (["alone.data"], ["alone.data"]),
        (["log/_metadata.parquet"], ["log/_metadata.parquet"]),
        (["odd[1].parquet"], ["odd[1].parquet"]),
        (["odd[12].parquet"], ["odd1.parquet"]),
    ],
)
def test_folders_globs_and_files_become_files_in_sorted_order(
    tree: Path, given: list[str], expected: list[str]
) -> None:
    if "./log/z.pq" in given:  # of two names of one file the first in sorted order is taken
        expected = ["./log/z.pq", *expected[:3]]
    assert paths(*given) == expected
    assert paths(*reversed(given)) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gone", "gone: no such file or folder; check the path"),
        ("gone/*.parquet", "gone/*.parquet: no such file or folder; check the path"),
        ("log/_temporary/0/_x", "log/_temporary/0/_x: no such file or folder; check the path"),
        ("log/.spark/..", None),
        ("empty", "empty: no Parquet file in this folder; it looks for .parquet, .parq, .pq"),
        ("pipe", "pipe: neither a file nor a folder; Parquet cannot be read from a pipe"),
        ("dangling", "dangling: cannot be read (no such file or directory); see that it is there and may be read"),
        ("itself", "itself: cannot be read (too many levels of symbolic links); see that it is there and may be read"),
        ("", "a path is empty; name files, folders or globs"),
    ],
)
def test_a_path_that_stands_for_nothing_is_named(tree: Path, given: str, message: str | None) -> None:
    (tree / "empty").mkdir()
    os.mkfifo("pipe")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "itself").symlink_to("itself")
    if message is None:
        assert len(paths(given)) == 4
        return
    with pytest.raises(VotesError) as raised:
        find_sources([given])
    assert str(raised.value) == message


def test_no_paths_at_all_is_an_error() -> None:
    with pytest.raises(VotesError, match="no paths were given"):
        find_sources([])


def test_links_are_followed_and_loops_of_links_end(tree: Path) -> None:
    """Two loops would have 2**40 ways through them."""
    elsewhere = tree / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "e.parquet").write_bytes(b"e")
    (tree / "log" / "more").symlink_to("../elsewhere")
    (elsewhere / "up").symlink_to("../log")
    (tree / "log" / "year=2023" / "one").symlink_to("..")
    (tree / "log" / "year=2023" / "two").symlink_to("..")
    assert paths("log") == ["log/more/e.parquet", *LOG]


def test_a_linked_file_is_read_once(tree: Path) -> None:
    (tree / "log" / "a-link.parquet").symlink_to("z.pq")
    assert paths("log") == ["log/a-link.parquet", *LOG[:3]]


@pytest.mark.parametrize("change", ["content", "time", "replaced", "gone"])
def test_a_file_that_is_not_the_one_that_was_found_is_noticed(tree: Path, change: str) -> None:
    (source,) = find_sources(["alone.data"])
    source.check_unchanged()
    found = os.stat("alone.data")
    if change == "content":
        with open("alone.data", "ab") as file:
            file.write(b"more")
        os.utime("alone.data", ns=(found.st_atime_ns, found.st_mtime_ns))
    elif change == "time":
        os.utime("alone.data", ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    elif change == "replaced":
        Path("other").write_bytes(Path("alone.data").read_bytes())
        os.utime("other", ns=(found.st_atime_ns, found.st_mtime_ns))
        os.replace("other", "alone.data")
    else:
        os.unlink("alone.data")
    with pytest.raises(VotesError, match=r"^alone\.data: (changed while it was read|cannot be read)"):
        source.check_unchanged()


def test_content_that_is_changed_in_place_with_its_times_put_back(tree: Path) -> None:
    """As what preserves times does: at once after it was found, and as large as before."""
    for _ in range(20):
        Path("alone.data").write_bytes(b"alone.data")
        (source,) = find_sources(["alone.data"])
        found = os.stat("alone.data")
        with open("alone.data", "r+b") as file:
            file.write(b"other")
        os.utime("alone.data", ns=(found.st_atime_ns, found.st_mtime_ns))
        assert (os.stat("alone.data").st_mtime_ns, os.stat("alone.data").st_size) == (found.st_mtime_ns, found.st_size)
        for noticing in (source.check_unchanged, source.fingerprint):
            with pytest.raises(VotesError, match=r"^alone\.data: changed while it was read"):
                noticing()


def test_a_link_that_is_turned_while_its_file_is_read(tree: Path) -> None:
    """What it named when it was found is read to the end."""
    Path("link").symlink_to("alone.data")
    (source,) = find_sources(["link"])
    Path("link").unlink()
    Path("link").symlink_to("odd1.parquet")
    assert Path(source.local).read_bytes() == b"alone.data"
    assert source.fingerprint() == hashlib.sha256(b"alone.data").hexdigest()
    source.check_unchanged()


PARQUET = b"PAR1 and what follows"


def test_parquet_files_without_a_suffix_are_found_in_folders(tree: Path) -> None:
    """Hive, Trino and Impala name theirs so."""
    (tree / "log" / "20260102_000001_00012_abcde").write_bytes(PARQUET)
    (tree / "log" / "year=2023" / "000000_0").write_bytes(PARQUET)
    (tree / "log" / "README").write_bytes(b"PAR")
    os.mkfifo(tree / "log" / "pipe")
    assert paths("log") == ["log/20260102_000001_00012_abcde", "log/year=2023/000000_0", *LOG]


def test_parquet_files_of_other_suffixes_are_a_warning(tree: Path) -> None:
    for name in ("a.parquet.gzip", "b.parquet.bak", "year=2023/c.snappy", "_d.tmp", ".e.tmp"):
        (tree / "log" / name).write_bytes(PARQUET)
    message = (
        r"skipped 3 Parquet files that do not end in \.parquet, \.parq, \.pq: "
        r"log/a\.parquet\.gzip, log/b\.parquet\.bak, log/year=2023/c\.snappy$"
    )
    with pytest.warns(AggregateWarning, match=message):
        assert paths("log") == LOG
    with pytest.warns(AggregateWarning, match=r"skipped 2 Parquet files .*: log/b\.parquet\.bak, log/year=2023/c"):
        assert paths("log", "log/a.parquet.gzip") == ["log/a.parquet.gzip", *LOG]


@pytest.mark.parametrize("name", [b"caf\xe9.parquet", b"caf\xe9/votes.parquet"])
def test_names_that_are_not_utf8(tree: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tree) + b"/" + name))
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"observation_id": [1], "user_id": [None], "label": ["x"]}), tree / "plain.parquet")
    os.rename(tree / "plain.parquet", path)
    for given in (path, path.parent if name.count(b"/") else os.fsdecode(os.fsencode(tree) + b"/caf*")):
        (source,) = find_sources([given])
        assert source.path.endswith(os.sep + name.decode("utf-8", "backslashreplace"))
        assert source.fingerprint() == hashlib.sha256(path.read_bytes()).hexdigest()
    pq.write_table(pa.table({"observation_id": [1], "user_id": [1], "label": ["x"]}), tree / "odd1.parquet")
    reading = read_found(find_votes([path, tree / "odd1.parquet"]), max_rejected=0.5)
    assert [item.path for item in reading.inputs] == [source.path, f"{tree}/odd1.parquet"]
    assert reading.rejected["file"].to_pylist() == [source.path]
    path.write_bytes(b"no Parquet")
    with pytest.raises(VotesError, match=r"caf\\xe9.* cannot be read as Parquet"):
        plant_aggregate.read_votes(path)


# --- Tables of which only a log says what they hold -------------------------------------------------------------------

TABLES = {
    "a Delta": ("_delta_log/00000000000000000000.json", "part-0.parquet"),
    "a Hudi": (".hoodie/hoodie.properties", "part-0.parquet"),
    "an Iceberg": ("metadata/00000-abc.metadata.json", "data/part-0.parquet"),
}


@pytest.fixture(params=TABLES)
def table(tree: Path, request: pytest.FixtureRequest) -> tuple[str, str]:
    """The kind of a table in the folder ``lake``, and a file in it."""
    for name in (*TABLES[request.param], "day=1/part-1.parquet"):
        path = tree / "lake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PARQUET)
    return request.param, f"lake/{TABLES[request.param][1]}"


def test_a_table_of_another_kind_is_refused_however_it_is_named(tree: Path, table: tuple[str, str]) -> None:
    kind, file = table
    (tree / "link").symlink_to("lake")
    (tree / "file-link").symlink_to(file)
    (tree / "up").mkdir()
    (tree / "up" / "lake").symlink_to("../lake")
    for given in ("lake", ".", file, "lake/day=1", "la*", "lake/**/*.parquet", "link", "link/day=1", "up", "file-link"):
        with pytest.raises(VotesError) as raised:
            find_sources(["odd1.parquet", given])
        message = str(raised.value)
        named = "lake" if given == "la*" else given
        assert message.startswith(f"{named}: is {kind} table, or part of one ({tree}/")
        assert "export what it holds, with " in message
        assert (f"; read votes with --from {kind.split()[1].lower()} {tree}/" in message) == (kind != "a Hudi")
        assert len(message.splitlines()) == 1


def test_the_log_of_an_iceberg_table_may_be_compressed(tree: Path) -> None:
    (tree / "log" / "metadata").mkdir()
    (tree / "log" / "metadata" / "v1.metadata.json.gz").write_bytes(b"")
    with pytest.raises(VotesError, match="is an Iceberg table"):
        paths("log")


def test_folders_that_are_called_metadata_are_no_tables(tree: Path) -> None:
    (tree / "log" / "metadata").mkdir()
    (tree / "log" / "metadata" / "notes.json").write_text("{}")
    assert paths("log") == LOG


def test_the_files_of_a_table_may_lie_beside_it(tree: Path, table: tuple[str, str]) -> None:
    assert paths("log", "odd1.parquet") == [*LOG, "odd1.parquet"]
