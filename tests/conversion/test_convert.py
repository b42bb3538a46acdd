import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate import ParameterError, VotesError, convert
from plant_aggregate.formats.base import Account, Part, Rejected
from plant_aggregate.formats.rows import Rows

VOTES = "observation_id,user_id,label\n007,ana,Acer\n8,bo,NA\n8,,Acer\n"


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return path


@dataclass(frozen=True)
class Letters:
    """A vote for each letter, and what it is."""

    name: ClassVar[str] = "letters"

    parts: tuple[str, ...] = ("votes", "truth", "ai_votes", "scores", "taxonomy")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        votes = Rows("votes", observation_id=pa.int64(), user_id=pa.string(), label=pa.string(), colour=pa.string())
        truth = Rows("truth", observation_id=pa.int64(), label=pa.string())
        ai_votes = Rows("ai_votes", observation_id=pa.int64(), label=pa.string(), score=pa.float64())
        scores = Rows(
            "scores", observation_id=pa.int64(), labels=pa.list_(pa.string()), probabilities=pa.list_(pa.float64())
        )
        taxonomy = Rows("taxonomy", label=pa.string(), parent=pa.string(), rank=pa.string())
        for number, letter in enumerate(paths[0].read_text()):
            account.read()
            if letter == "x":
                account.reject(Rejected("votes", str(paths[0]), "letter", number + 1, "of an unknown sort", text="x"))
            elif letter == " ":
                account.leave_out("that are blank")
            else:
                account.read(table="truth")
                votes.add(number, "ana", letter, "red")
                truth.add(number, letter)
                ai_votes.add(number, letter, 0.5)
                scores.add(number, [letter, "z"], [0.5, 0.25])
                taxonomy.add(letter, "alphabet", "letter")
        account.note("letters in italics", 2)
        account.details["alphabet"] = "Latin"
        for table in (votes, truth, ai_votes, scores, taxonomy):
            if table.table in self.parts:
                yield from table.rest()


def test_what_was_read_and_what_became_of_it(tmp_path: Path, votes: Path) -> None:
    done = convert("csv", votes, tmp_path / "out", max_rejected=0.5)
    assert pq.read_table(done.path()).to_pylist() == [
        {"observation_id": "007", "user_id": "ana", "label": "Acer"},
        {"observation_id": "8", "user_id": "bo", "label": "NA"},
    ]
    record = json.loads((tmp_path / "out" / "conversion.json").read_text())
    assert record == done.record
    assert record["inputs"] == [{"path": str(votes), "bytes": len(VOTES), "sha256": sha256(VOTES.encode()).hexdigest()}]
    rejected = {"without a user": 1}
    assert record["tables"] == {"votes": {"read": 3, "used": 2, "left_out": {}, "rejected": rejected, "rows": 2}}
    assert (record["format"], record["options"], record["paths"]) == ("csv", {}, [str(votes)])
    for name, facts in record["files"].items():
        content = (tmp_path / "out" / name).read_bytes()
        assert (facts["bytes"], facts["sha256"]) == (len(content), sha256(content).hexdigest())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*record["files"], "conversion.json"])
    assert repr(done) == f"Conversion({tmp_path}/out: 2 rows of votes; csv)"
    assert "without a user" in done._repr_html_()


def test_rejected_records_are_kept_with_their_place(tmp_path: Path, votes: Path) -> None:
    convert("csv", votes, tmp_path / "out", max_rejected=0.5)
    assert pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist() == [
        {
            "table": "votes",
            "file": str(votes),
            "unit": "line",
            "number": 4,
            "reason": "without a user",
            "observation_id": "8",
            "user_id": "",
            "label": "Acer",
            "text": "observation_id=8, user_id=, label=Acer",
        }
    ]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, votes: Path) -> None:
    one, other = (convert("csv", votes, tmp_path / name, max_rejected=0.5) for name in ("one", "other"))
    assert one.record == other.record


def test_all_tables_and_further_columns(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("ab x")
    done = convert(Letters(), tmp_path / "in.txt", tmp_path / "out", max_rejected=0.5)
    assert done.tables == ["votes", "truth", "ai_votes", "scores", "taxonomy"]
    assert pq.read_table(done.path("votes")).column_names == ["observation_id", "user_id", "label", "colour"]
    assert pq.read_table(done.path("scores"))["labels"].to_pylist() == [["a", "z"], ["b", "z"]]
    assert done.record["notes"] == {"letters in italics": 2}
    assert done.record["details"] == {"alphabet": "Latin"}
    assert done.record["tables"]["votes"] == {
        "read": 4,
        "used": 2,
        "left_out": {"that are blank": 1},
        "rejected": {"of an unknown sort": 1},
        "rows": 2,
    }
    assert done.record["format"] == "tests.conversion.test_convert:Letters"


def test_labels_are_dictionaries_in_the_file(tmp_path: Path, votes: Path) -> None:
    done = convert("csv", votes, tmp_path / "out", max_rejected=0.5)
    columns = pq.read_metadata(done.path()).row_group(0)
    of_label = next(columns.column(place) for place in range(3) if columns.column(place).path_in_schema == "label")
    assert "RLE_DICTIONARY" in of_label.encodings


def test_ids_of_another_type(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("ab")
    done = convert(Letters(), tmp_path / "in.txt", tmp_path / "text", ids="text")
    assert pq.read_table(done.path())["observation_id"].to_pylist() == ["0", "1"]
    (tmp_path / "votes.csv").write_text("observation_id,user_id,label\n9223372036854775807,-1,Acer\n")
    done = convert("csv", tmp_path / "votes.csv", tmp_path / "integer", ids="integer")
    assert pq.read_table(done.path()).slice(0, 1).to_pylist()[0]["observation_id"] == 2**63 - 1


@pytest.mark.parametrize("wrong", ["007", "9223372036854775808", "1.0", " 1", "+1", "ana"])
def test_ids_that_are_no_integers(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "votes.csv").write_text(f"observation_id,user_id,label\n1,1,Acer\n1,{wrong},Acer\n")
    with pytest.raises(VotesError, match=r"user_id .* is no integer; leave the ids as they are, without"):
        convert("csv", tmp_path / "votes.csv", tmp_path / "out", ids="integer")
    assert not (tmp_path / "out").exists()


def test_too_many_that_cannot_be_used(tmp_path: Path, votes: Path) -> None:
    message = (
        r"1 of 3 records of votes cannot be used \(1 without a user; first: line 4 of .*votes.csv\), more than the "
        "allowed share of 0.01; mend the input, or raise --max-rejected"
    )
    with pytest.raises(VotesError, match=message):
        convert("csv", votes, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["votes.csv"]


def test_an_earlier_conversion_may_be_replaced_and_nothing_else(tmp_path: Path, votes: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "in.txt").write_text("ab")
    convert(Letters(), tmp_path / "in.txt", out)
    with pytest.raises(ParameterError, match="is there, and is not empty; name another folder, or overwrite it"):
        convert("csv", votes, out, max_rejected=1)
    convert("csv", votes, out, max_rejected=1, overwrite=True)
    assert not (out / "truth.parquet").exists()
    (out / "mine.txt").write_text("")
    with pytest.raises(ParameterError, match=r"is not listed in conversion\.json"):
        convert("csv", votes, out, max_rejected=1, overwrite=True)


def test_folders_are_inputs_with_all_their_files(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("")
    for name in ("1.csv", "2.csv"):
        (folder / name).write_text("observation_id,user_id,label\n1,ana,Acer\n")
    done = convert("csv", tmp_path / "in" / "*.csv", tmp_path / "out")
    assert [Path(file["path"]).name for file in done.record["inputs"]] == ["1.csv", "2.csv"]
    done = convert(OfFolder(), folder, tmp_path / "other")
    assert [Path(file["path"]).name for file in done.record["inputs"]] == ["1.csv", "2.csv"]


@dataclass(frozen=True)
class OfFolder:
    name: ClassVar[str] = "folder"

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        truth = Rows("truth", observation_id=pa.string(), label=pa.string())
        account.read(table="truth")
        truth.add("1", "Acer")
        yield from truth.rest()


@dataclass(frozen=True)
class Broken:
    name: ClassVar[str] = "broken"

    kind: str = ""

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        if self.kind == "table":
            yield "voices", pa.record_batch({"label": ["a"]})
        if self.kind == "column":
            yield "truth", pa.record_batch({"label": ["a"]})
        if self.kind == "type":
            yield "truth", pa.record_batch({"observation_id": ["a"], "label": ["a"]})
            yield "truth", pa.record_batch({"observation_id": [1], "label": ["a"]})


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("table", "format broken gives a table 'voices'; mend it: tables are votes"),
        ("column", "format broken gives rows of truth without observation_id"),
        ("type", "format broken gives rows of truth with different columns"),
    ],
)
def test_formats_of_others_that_are_wrong(tmp_path: Path, votes: Path, kind: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        convert(Broken(kind), votes, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_hold_nothing(tmp_path: Path, votes: Path) -> None:
    with pytest.raises(VotesError, match="holds nothing that format broken reads"):
        convert(Broken(), votes, tmp_path / "out")


def test_a_file_of_another_format_is_named(tmp_path: Path, votes: Path) -> None:
    with pytest.raises(VotesError, match="it looks like csv; name that format instead of tsv"):
        convert("tsv", votes, tmp_path / "out")


def test_a_fault_of_a_file_is_not_put_down_to_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/meta.xml").write_text("<archive/>")
    (tmp_path / "in/cut.json").write_text('{"observation_id": 1, "results": [')
    with pytest.raises(VotesError) as error:
        convert("plantnet-api", tmp_path / "in", tmp_path / "out")
    assert "cut.json: " in str(error.value)
    assert "it looks like" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none.csv", "none.csv: no such file or folder; check the path"),
        ("*.tsv", "no such file or folder"),
        ("", "a path is empty"),
        ("s3://bucket/votes.csv", "is in an object store, from which only Parquet is read; copy it here first"),
        ("/dev/null", "is neither a file nor a folder"),
    ],
)
def test_wrong_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VotesError, match=message):
        convert("csv", path, tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tabel": "truth"}, "format csv has no option 'tabel'; did you mean 'table'"),
        ({"delimiter": 3}, "delimiter is an int but must be text"),
    ],
)
def test_wrong_options(tmp_path: Path, votes: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ParameterError, TypeError), match=message):
        convert("csv", votes, tmp_path / "out", **options)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, votes: Path) -> None:
    @dataclass(frozen=True)
    class Changing(Letters):
        def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
            yield from super().read(paths, account)
            paths[0].write_text(VOTES + "9,cy,Acer\n")

    with pytest.raises(VotesError, match="changed while it was read"):
        convert(Changing(), votes, tmp_path / "out", max_rejected=1)
    assert not (tmp_path / "out").exists()


@dataclass(frozen=True)
class Failing:
    name: ClassVar[str] = "failing"

    error: str = ""

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        if self.error == "os":
            paths[0].with_name("none").read_text()
        if self.error == "rejected":
            account.n_read["votes"] = account.n_read["truth"] = 1
            account.n_rejected = {"votes": Counter({"without a user": 1})}  # of those that were not kept
        yield from {}["a"] if self.error == "key" else ()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("os", r"none: cannot be read \(no such file or directory\); see that it is there"),
        ("key", r"format tests.conversion.test_convert:Failing failed \(KeyError: 'a'\); mend the format"),
        ("rejected", r"1 of 1 records of votes cannot be used \(1 without a user\), more than"),
    ],
)
def test_formats_of_others_that_fail(tmp_path: Path, votes: Path, error: str, message: str) -> None:
    with pytest.raises(VotesError, match=message):
        convert(Failing(error), votes, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_text_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_bytes("observation_id,user_id,label\n1,zoë,Isoëtes\n".encode("latin-1"))
    with pytest.raises(VotesError, match=r"not in UTF-8; first: line 2 .*; save it in UTF-8, or raise"):
        convert("csv", tmp_path / "votes.csv", tmp_path / "out")


def test_a_folder_may_be_written_within_the_input(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.csv").write_text("observation_id,user_id,label\n1,ana,Acer\n")
    for _ in range(2):
        done = convert(OfFolder(), tmp_path / "in", tmp_path / "in" / "out", overwrite=True)
        assert [Path(file["path"]).name for file in done.record["inputs"]] == ["1.csv"]


def test_wrong_shares(tmp_path: Path, votes: Path) -> None:
    with pytest.raises(ParameterError, match=r"max_rejected is 2 but must be in \[0, 1\]"):
        convert("csv", votes, tmp_path / "out", max_rejected=2)
    with pytest.raises(ParameterError, match="ids is 'float' but must be one of integer, text"):
        convert("csv", votes, tmp_path / "out", ids="float")
