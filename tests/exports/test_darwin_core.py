"""A run as an archive, and back: the votes are the same, and other readers see what was written."""

import re
import warnings
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.formats.darwin_core import DarwinCore
from plant_aggregate.formats.reading import read_tables
from tests.paths import SAMPLE

TERMS = "http://rs.tdwg.org/dwc/terms/"
ARCHIVE = "{http://rs.tdwg.org/dwc/text/}"

ODD = {  # ids and labels that delimited text must enclose, or that programs take for something else
    "observation_id": ["a", "a", "b", "007", "007", "NA", ' "q" ', "1e5"],
    "user_id": ["ana", "b\to", "line\nbreak", "ana", 'say "hi"', "ana", "é, ü", "ana"],
    "label": ["Acer campestre L.", "Acer opalus", "×Cuprocyparis\tleylandii", "None.", "a\r\nb", '"', "x, y", "1.0"],
    "is_author": [True, False, None, False, True, None, False, False],
    "voted_at": [None, *(datetime(2020, 5, day, 10, 30, 0, 123 * (day % 2), tzinfo=UTC) for day in range(1, 8))],
}


def comparable(votes: plant_aggregate.Votes, times: pa.Array) -> list[tuple[Any, ...]]:
    rows = zip(*(column.to_pylist() for column in votes.to_arrow().columns), times.to_pylist(), strict=True)
    return sorted((str(o), str(u), str(label), author, time) for o, u, label, author, time in rows)


def read_back(folder: Path, **options: Any) -> list[tuple[Any, ...]]:
    """The votes in an archive, cleaned."""
    tables, account = read_tables(DarwinCore(**options), folder)
    assert account.rejected == []
    table = tables["votes"]
    rows = table.select(["observation_id", "user_id", "label", "is_author", "voted_at"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", plant_aggregate.AggregateWarning)  # of rows without a time
        votes = plant_aggregate.read_votes(rows)
    times = {(row["observation_id"], row["user_id"]): row["voted_at"] for row in rows.to_pylist()}
    assert len(times) == rows.num_rows
    ids = votes.to_arrow().select(["observation_id", "user_id"]).to_pylist()
    in_order = [times[row["observation_id"], row["user_id"]] for row in ids]
    return comparable(votes, pa.array(in_order, pa.timestamp("us", "UTC")))


def run_on(rows: Any, folder: Path) -> tuple[plant_aggregate.Run, list[tuple[Any, ...]]]:
    """A run, and its votes."""
    import pyarrow.parquet as pq

    table = rows if isinstance(rows, pa.Table) else pa.table(rows)
    pq.write_table(table, folder / "votes.parquet")
    run = plant_aggregate.run(folder / "votes.parquet", folder / "consensus", "majority")
    votes = run.votes()
    return run, comparable(votes, run.vote_times(votes))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> plant_aggregate.Run:
    folder = tmp_path_factory.mktemp("run")
    return plant_aggregate.run(SAMPLE / "votes.parquet", folder / "consensus", "majority")


def test_the_votes_of_a_run_come_back_the_same(sample: plant_aggregate.Run, work: Path) -> None:
    plant_aggregate.export(sample, "darwin-core", "out")
    votes = sample.votes()
    assert read_back(work / "out") == comparable(votes, sample.vote_times(votes))
    done = plant_aggregate.convert("darwin-core", "out", "back", ids="integer")
    assert done.record["tables"]["votes"] == {
        "read": votes.n_votes + votes.n_observations,
        "used": votes.n_votes,
        "left_out": {"by plant-aggregate, which is no user": votes.n_observations},
        "rejected": {},
        "rows": votes.n_votes,
    }
    again = plant_aggregate.read_votes("back/votes.parquet")
    for name in ("offsets", "users", "labels", "is_author"):
        np.testing.assert_array_equal(getattr(again, name), getattr(votes, name))
    for name in ("observation_ids", "user_ids", "label_names"):
        assert getattr(again, name).equals(getattr(votes, name).cast(getattr(again, name).type))


def test_odd_ids_and_labels_come_back_the_same(work: Path) -> None:
    run, votes = run_on(ODD, work)
    plant_aggregate.export(run, "darwin-core", "out")
    assert read_back(work / "out") == votes
    assert b"\0" not in (work / "out/identification.tsv").read_bytes()


def test_integers_are_ids_of_taxa_and_have_no_fraction(work: Path) -> None:
    rows = {"observation_id": [2**60, 2, 2], "user_id": [1, 1, 3], "label": [7, 7, 8]}
    run, votes = run_on(rows, work)
    plant_aggregate.export(run, "darwin-core", "out")
    assert read_back(work / "out", label="taxonID") == votes
    texts = [(work / "out" / name).read_text() for name in ("occurrence.tsv", "identification.tsv", "meta.xml")]
    assert not any(re.search(r'"\d+\.0"', text) for text in texts[:2])
    assert f"{TERMS}taxonID" in texts[2]
    assert f"{TERMS}scientificName" not in texts[2]


def test_the_consensus_is_an_identification_and_that_of_the_occurrence(work: Path) -> None:
    rows = {
        "observation_id": ["a", "a", "a", "b"],
        "user_id": ["u", "v", "w", "u"],
        "label": ["Acer campestre", "Acer campestre", "Acer opalus", "Abies alba"],
        "is_author": [True, False, True, False],
    }
    run, _ = run_on(rows, work)
    done = plant_aggregate.export(run, "darwin-core", "out")
    occurrences = lines(work / "out/occurrence.tsv")
    assert occurrences[0] == [
        *("id", "occurrenceID", "basisOfRecord", "occurrenceStatus", "recordedBy", "identifiedBy", "dateIdentified"),
        *("scientificName", "identificationVerificationStatus", "identificationRemarks"),
    ]
    started = datetime.fromisoformat(run.record.settings["started"])
    when, made_by = f"{started:%Y-%m-%dT%H:%M:%SZ}", f"consensus by majority of plant-aggregate {run.record.version}"
    consensus = [
        ["plant-aggregate", when, "Acer campestre", "contested"],
        ["plant-aggregate", when, "Abies alba", "needs_votes"],
    ]
    remarks = [
        f"{made_by}, run {run.run_id}: confidence 0.500, agreement 0.667, 3 votes",
        f"{made_by}, run {run.run_id}: confidence 0.500, agreement 1.000, 1 vote",
    ]
    assert occurrences[1:] == [
        ["a", "a", "HumanObservation", "present", "u | w", *consensus[0], remarks[0]],
        ["b", "b", "HumanObservation", "present", "", *consensus[1], remarks[1]],
    ]
    identifications = lines(work / "out/identification.tsv")
    assert identifications[1:5] == [
        ["a", "u", "", "Acer campestre", "", ""],
        ["a", "v", "", "Acer campestre", "", ""],
        ["a", "w", "", "Acer opalus", "", ""],
        ["b", "u", "", "Abies alba", "", ""],
    ]
    assert identifications[5:] == [["a", *consensus[0], remarks[0]], ["b", *consensus[1], remarks[1]]]
    assert {name: facts["rows"] for name, facts in done.record["files"].items()} == {
        "identification.tsv": 6,
        "meta.xml": None,
        "occurrence.tsv": 2,
    }


def lines(path: Path) -> list[list[str]]:
    return [[field.strip('"') for field in line.split("\t")] for line in path.read_text().splitlines()]


def test_valid_labels_alone_may_be_written_with_their_votes(sample: plant_aggregate.Run, work: Path) -> None:
    plant_aggregate.export(sample, "darwin-core", "out", only="valid")
    valid = {str(row["observation_id"]) for row in sample.to_arrow().to_pylist() if row["valid"]}
    assert {row[0] for row in lines(work / "out/occurrence.tsv")[1:]} == valid
    assert {row[0] for row in lines(work / "out/identification.tsv")[1:]} == valid
    votes = sample.votes()
    assert read_back(work / "out") == [row for row in comparable(votes, sample.vote_times(votes)) if row[0] in valid]


def test_a_zip_file_holds_the_same_and_always_has_the_same_bytes(work: Path) -> None:
    run, _ = run_on(ODD, work)
    plant_aggregate.export(run, "darwin-core", "out")
    plant_aggregate.export(run, "darwin-core", "one", zip=True)
    plant_aggregate.export(run, "darwin-core", "two", zip=True)
    assert sorted(path.name for path in (work / "one").iterdir()) == ["dwca.zip", "export.json"]
    assert (work / "one/dwca.zip").read_bytes() == (work / "two/dwca.zip").read_bytes()
    with zipfile.ZipFile(work / "one/dwca.zip") as archive:
        assert archive.namelist() == ["meta.xml", "occurrence.tsv", "identification.tsv"]
        for name in archive.namelist():
            assert archive.read(name) == (work / "out" / name).read_bytes()
    assert read_back(work / "one/dwca.zip") == read_back(work / "out")


def test_users_whose_ids_have_a_bar_are_counted(work: Path) -> None:
    run, votes = run_on({"observation_id": [1, 1], "user_id": ["a|b", "c"], "label": ["x", "x"]}, work)
    done = plant_aggregate.export(run, "darwin-core", "out")
    assert "1 user id with a bar (|): Darwin Core reads them as several people" in str(done.blocks[0].content[1])
    assert read_back(work / "out", people="joined") == votes


def test_users_whose_ids_share_a_part_are_not_each_others_authors(work: Path) -> None:
    columns = {"observation_id": [1, 1, 1], "user_id": ["a|b", "a|c", "d"], "label": ["x", "x", "x"]}
    run, votes = run_on(columns | {"is_author": [True, False, True]}, work)
    plant_aggregate.export(run, "darwin-core", "out")
    assert [author for *_, author, _ in votes] == [True, False, True]
    assert read_back(work / "out", people="joined") == votes


def test_the_metafile_is_as_its_schema_demands(sample: plant_aggregate.Run, work: Path) -> None:
    """By tdwg_dwc_text.xsd: order of elements, attributes, and, beyond it, each column and term once."""
    plant_aggregate.export(sample, "darwin-core", "out", basis='<"&">')
    root = ElementTree.parse(work / "out/meta.xml").getroot()
    assert (root.tag, [child.tag for child in root]) == (f"{ARCHIVE}archive", [f"{ARCHIVE}core", f"{ARCHIVE}extension"])
    for table, identifier, row_type in zip(root, ("id", "coreid"), ("Occurrence", "Identification"), strict=True):
        tags = [child.tag.removeprefix(ARCHIVE) for child in table]
        assert tags[:2] == ["files", identifier]
        assert set(tags[2:]) == {"field"}
        assert table.attrib == {
            "rowType": TERMS + row_type,
            "encoding": "UTF-8",
            "fieldsTerminatedBy": "\\t",
            "linesTerminatedBy": "\\n",
            "fieldsEnclosedBy": '"',
            "ignoreHeaderLines": "1",
        }
        fields = list(table)[2:]
        assert [int(child.attrib["index"]) for child in list(table)[1:]] == list(range(len(tags) - 1))
        terms = [field.attrib["term"] for field in fields]
        assert len(set(terms)) == len(terms)
        assert all(term.startswith(TERMS) for term in terms)
        (location,) = table.iterfind(f"{ARCHIVE}files/{ARCHIVE}location")
        header = lines(work / "out" / str(location.text))[0]
        assert header[1:] == [term.removeprefix(TERMS) for term in terms]


@pytest.mark.extras
@pytest.mark.parametrize("packed", [False, True])
def test_python_dwca_reader_reads_what_was_written(work: Path, packed: bool) -> None:
    pytest.importorskip("dwca")
    pd = pytest.importorskip("pandas")
    from dwca.read import DwCAReader

    run, votes = run_on(ODD, work)
    plant_aggregate.export(run, "darwin-core", "out", zip=packed)
    with DwCAReader(str(work / "out/dwca.zip" if packed else work / "out")) as reader:
        assert reader.metadata is None
        (extension,) = reader.extension_files
        rows = [
            row for core in reader for row in core.extensions if row.data[f"{TERMS}identifiedBy"] != "plant-aggregate"
        ]
        found = sorted(
            (row.core_id, row.data[f"{TERMS}identifiedBy"], row.data[f"{TERMS}scientificName"]) for row in rows
        )
        assert found == [row[:3] for row in votes]
        assert reader.orphaned_extension_rows() == {"identification.tsv": {}}
        for file in (reader.core_file, extension):
            table = file.file_descriptor
            plain = {"dtype": str, "keep_default_na": False}
            frame = reader.pd_read(table.file_location, **plain)
            records = [{"id": row.id if hasattr(row, "id") else row.core_id, **row.data} for row in file.iter_rows()]
            names = [re.sub(r"^coreid$", "id", name) for name in frame.columns]
            expected = pd.DataFrame(records).rename(columns=lambda name: name.rpartition("/")[2])
            frame.columns = names
            pd.testing.assert_frame_equal(frame, expected[names], check_dtype=False)


def test_a_consensus_by_itself_claims_no_strategy_or_run(work: Path) -> None:
    run, _ = run_on({"observation_id": ["a"], "user_id": ["u"], "label": ["Acer campestre"]}, work)
    (work / "alone").mkdir()
    alone = work / "alone" / "consensus.parquet"
    alone.write_bytes(Path(run.consensus).read_bytes())
    plant_aggregate.export(alone, "darwin-core", work / "archive", votes=[str(work / "votes.parquet")])
    text = (work / "archive" / "occurrence.tsv").read_text(encoding="utf-8")
    assert '"consensus of plant-aggregate: confidence' in text
    assert "None" not in text
