"""Which files stand for the paths that were given."""

import os
from pathlib import Path

import pytest

from aggregate.errors import VotesError
from aggregate.ingest.sources import find_sources


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
