import tarfile
import zipfile
from pathlib import Path

import pytest

from plant_aggregate.archives.members import Folder, Zip, member_of, open_archive, read_small
from plant_aggregate.errors import VotesError


def make_zip(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name.replace("__", "/"), data)
    return path


def test_a_zip_file_is_known_by_its_first_bytes_and_may_have_all_in_one_folder(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "download", archive__meta=b"<archive/>", archive__sub__core=b"1", archive__=b"")
    archive = open_archive(path)
    assert isinstance(archive, Zip)
    assert archive.names() == ["meta", "sub/core"]
    assert read_small(archive, "meta") == b"<archive/>"


def test_what_macos_adds_to_zip_files_is_no_part_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("a/meta.xml", "__MACOSX/a/._meta.xml", "a/.DS_Store"):
            file.writestr(name, "x")
    assert open_archive(path).names() == ["meta.xml"]


def test_a_folder_is_an_archive_and_a_file_alone_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / ".hidden").write_text("2")
    (tmp_path / "b.txt").write_text("3")
    assert open_archive(tmp_path).names() == ["a.txt", "b.txt"]
    assert open_archive(tmp_path / "a.txt").names() == ["a.txt"]
    assert read_small(open_archive(tmp_path / "a.txt"), "b.txt") == b"3"


@pytest.mark.parametrize("location", ["../votes.txt", "/etc/passwd", "a/../../b", "C:\\b.txt", "\\\\host\\b", "", " "])
def test_nothing_outside_of_an_archive_is_read(tmp_path: Path, location: str) -> None:
    with pytest.raises(VotesError, match="which is outside of the archive"):
        member_of(Folder(tmp_path), location, "meta.xml")


def test_what_is_on_the_web_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match=r"names 'http://a\.org/b\.txt', which is not in the archive; fetch it"):
        member_of(Folder(tmp_path), "http://a.org/b.txt", "meta.xml")


def test_locations_are_relative_to_the_descriptor(tmp_path: Path) -> None:
    assert member_of(Folder(tmp_path), "./data\\b.txt", "meta.xml") == "data/b.txt"
    assert member_of(Folder(tmp_path), " b.txt\n", "in/meta.xml") == "in/b.txt"


def test_a_file_that_expands_as_no_text_does_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plant_aggregate.archives.members.BOMB_BYTES", 1 << 20)
    archive = open_archive(make_zip(tmp_path / "bomb.zip", votes=bytes(2 << 20)))
    with pytest.raises(VotesError, match=r"bomb\.zip/votes: expands to 2,097,152 bytes, 1,0\d\d times its size"):
        archive.stream("votes")


def test_a_descriptor_is_not_read_beyond_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plant_aggregate.archives.members.SMALL", 10)
    (tmp_path / "meta.xml").write_text("<archive></archive>")
    with pytest.raises(VotesError, match=r"meta\.xml: has more than 10 bytes"):
        read_small(open_archive(tmp_path), "meta.xml")


def test_a_cut_or_damaged_zip_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", votes=bytes(range(256)) * 400)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VotesError, match=r"a\.zip: cannot be read as a zip file; it is cut or damaged: fetch it again"):
        open_archive(path)
    path.write_bytes(whole[:60] + b"\0\0\0\0" + whole[64:])
    with pytest.raises(VotesError, match=r"a\.zip/votes: cannot be read to its end; it is cut or damaged"):
        read_small(open_archive(path), "votes")


def test_a_file_that_is_missing_is_named_with_those_there_are(tmp_path: Path) -> None:
    archive = open_archive(make_zip(tmp_path / "a.zip", core=b"", meta=b""))
    with pytest.raises(VotesError, match=r"a\.zip/votes: is not in the zip file; it has core, meta"):
        archive.stream("votes")
    with pytest.raises(VotesError, match=r"votes: cannot be read; no such file or directory"):
        open_archive(tmp_path).stream("votes")
    with pytest.raises(VotesError, match=r"nowhere: cannot be read; no such file or directory"):
        open_archive(tmp_path / "nowhere")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_archive_is_said_to_be_one(tmp_path: Path, mode: str) -> None:
    (tmp_path / "meta.xml").write_text("<archive/>")
    with tarfile.open(tmp_path / "a.tgz", mode) as file:
        file.add(tmp_path / "meta.xml", "meta.xml")
    with pytest.raises(VotesError, match=r"a\.tgz: is a tar archive; unpack it, and name the folder"):
        open_archive(tmp_path / "a.tgz")


def test_an_encrypted_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", votes=b"1")
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(VotesError, match=r"votes: cannot be read; .*encrypted"):
        open_archive(path).stream("votes")
