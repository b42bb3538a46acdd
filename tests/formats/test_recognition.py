import gzip
import json
import zipfile
from pathlib import Path

import pytest

from plant_aggregate.formats import recognition
from plant_aggregate.formats.recognition import Sample, formats_like, wrong_layout


class Letters:
    @staticmethod
    def recognises(sample: Sample) -> bool:
        return sample.has_columns("a", "b")


class Silent:
    pass


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recognition, "FORMATS", {"letters": Letters, "silent": Silent})
    path = tmp_path / "letters.csv"
    path.write_text("a,b\n1,2\n")
    return path


@pytest.mark.parametrize(
    ("line", "delimiter", "columns"),
    [
        ("a,b;c,d", ",", ("a", "b;c", "d")),
        ("a\tb", "\t", ("a", "b")),
        ('"x, y";b', ";", ("x, y", "b")),
        ("one", "", ()),
        ("", "", ()),
        ('a,"', ",", ("a", "")),
    ],
)
def test_columns_are_those_of_the_likeliest_delimiter(
    tmp_path: Path, line: str, delimiter: str, columns: tuple[str, ...]
) -> None:
    (tmp_path / "votes.csv.gz").write_bytes(gzip.compress(f"{line}\n1,2\n".encode()))
    sample = Sample.of(tmp_path / "votes.csv.gz")
    assert (sample.name, sample.delimiter, sample.columns) == ("votes.csv", delimiter, columns)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (json.dumps({"results": [{"id": 1}]}), "results.item.id"),
        (json.dumps([{"id": 1}, {"label": 2}]), "item.label"),
        ('{"id": 1}\n{"label": 2}\n', "label"),
        ('{"results": [{"id": 1}, {"la', "results.item.id"),
        (json.dumps({"results": [{"id": n} for n in range(50_000)]}), "results.item.id"),
    ],
)
def test_paths_of_json_even_if_it_is_cut(tmp_path: Path, content: str, path: str) -> None:
    (tmp_path / "votes.json").write_text(content)
    assert Sample.of(tmp_path / "votes.json").has_paths(path)


def test_entries_of_folders_and_archives(tmp_path: Path) -> None:
    (tmp_path / "release" / "answers").mkdir(parents=True)
    (tmp_path / "release" / "answers" / "answers.json").write_text("{}")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("meta.xml", "<archive/>")
    assert Sample.of(tmp_path / "release").entries == {"answers", "answers/answers.json"}
    assert Sample.of(tmp_path / "archive.zip").entries == {"meta.xml"}


def test_what_cannot_be_read_looks_like_nothing(tmp_path: Path) -> None:
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"a,b\n")[:12])
    assert Sample.of(tmp_path / "cut.csv.gz") == Sample("cut.csv")
    assert Sample.of(tmp_path / "none.csv") == Sample("none.csv")


def test_a_file_of_another_format(letters: Path) -> None:
    assert formats_like(letters) == ["letters"]
    error = wrong_layout(letters, "numbers", "column 'n' is missing", "map it")
    message = "column 'n' is missing; it looks like letters; name that format instead of numbers"
    assert str(error) == f"{letters}: {message}"
    assert str(wrong_layout(letters, "letters", "is cut", "mend it")) == f"{letters}: is cut; mend it"
