"""The format on made archives: those that were found hold no identifications of several people."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.archives.text_rows import Dialect
from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.formats.base import Account
from plant_aggregate.formats.darwin_core import DarwinCore
from plant_aggregate.formats.reading import read_tables
from plant_aggregate.formats.recognition import Sample

from ..archives.made import CSV, TSV, Table, make_folder, zipped

BY_ONE = ["coreid", "identifiedBy", "scientificName"]


def occurrences(ids: Sequence[str] = ("1", "2"), **more: Sequence[str]) -> Table:
    """A core with ids and further columns."""
    return Table("occurrence.txt", "Occurrence", ["id", *more], [*map(list, zip(ids, *more.values(), strict=True))])


def identifications(rows: Sequence[Sequence[str]], columns: Sequence[str] = BY_ONE, **changes: Any) -> Table:
    return Table("identification.txt", "Identification", columns, rows, **changes)


def read(path: Path, **options: Any) -> tuple[list[dict[str, Any]], Account]:
    tables, account = read_tables(DarwinCore(**options), path)
    votes = tables["votes"].to_pylist() if "votes" in tables else []
    return votes, account


def short(votes: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(vote["observation_id"], vote["user_id"], vote["label"]) for vote in votes]


def made(folder: Path, rows: Sequence[Sequence[str]], columns: Sequence[str] = BY_ONE, **core: Sequence[str]) -> Path:
    return make_folder(folder, occurrences(**core), identifications(rows, columns))


def test_each_identification_of_the_extension_is_a_vote(tmp_path: Path) -> None:
    rows = [["1", "Ann", "Acer campestre"], ["1", "Ben", "Acer opalus"], ["2", "Ann", "Acer campestre"]]
    votes, account = read(made(tmp_path, rows))
    assert short(votes) == [tuple(row) for row in rows]
    assert (account.n_read["votes"], account.n_used()) == (3, 3)
    assert votes[0] == {
        "observation_id": "1",
        "user_id": "Ann",
        "label": "Acer campestre",
        "is_author": None,
        "voted_at": None,
        "date_identified": None,
        "identification_verification_status": None,
        "identification_qualifier": None,
        "taxon_rank": None,
    }


def test_several_extensions_are_read_one_after_the_other(tmp_path: Path) -> None:
    history = Table("history.csv", "IdentificationHistory", BY_ONE, [["2", "Cas", "Acer opalus"]], CSV)
    measured = Table("measurement.txt", "MeasurementOrFact", ["coreid", "measurementType"], [["1", "height"]])
    folder = make_folder(tmp_path, occurrences(), measured, identifications([["1", "Ann", "Acer"]]), history)
    assert short(read(folder)[0]) == [("1", "Ann", "Acer"), ("2", "Cas", "Acer opalus")]


def test_a_zip_file_is_read_as_the_folder(tmp_path: Path) -> None:
    folder = made(tmp_path / "a", [["1", "Ann", "Acer campestre"]])
    assert read(zipped(folder, tmp_path / "a.zip"))[0] == read(folder)[0]
    assert read(zipped(folder, tmp_path / "b.zip", "dwca-1.2/"))[0] == read(folder)[0]


def test_ids_differ_by_case_and_blanks(tmp_path: Path) -> None:
    rows = [["a", "Ann", "x"], ["A", "ann", "x"], ["a ", "Ann ", "x"], ["007", "1e3", "NA"]]
    votes, _ = read(made(tmp_path, rows, ids=["a", "A", "a ", "007"]))
    assert short(votes) == [tuple(row) for row in rows]


def test_identifications_of_unknown_occurrences_are_rejected_with_their_line(tmp_path: Path) -> None:
    rows = [["1", "Ann", "Acer"], ["3", "Ben", "Salix"], ["", "Cas", "Salix"], ["A", "Dee", "Salix"]]
    votes, account = read(made(tmp_path, rows, ids=["1", "a"]))
    assert short(votes) == [("1", "Ann", "Acer")]
    orphan, no_id, other_case = account.rejected
    assert (orphan.file, orphan.number) == (f"{tmp_path}/identification.txt", 3)
    assert (orphan.reason, orphan.observation_id, orphan.user_id, orphan.label) == (
        "of an occurrence that is not in the core",
        "3",
        "Ben",
        "Salix",
    )
    assert (no_id.reason, no_id.number) == ("without the id of an occurrence", 4)
    assert (other_case.reason, other_case.observation_id) == ("of an occurrence that is not in the core", "A")
    assert (account.n_read["votes"], account.n_used()) == (4, 1)


def test_without_an_extension_the_core_has_the_votes(tmp_path: Path) -> None:
    core = occurrences(["1", "2", "3"], identifiedBy=["Ann", "", "Ben"], scientificName=["Acer", "Salix", ""])
    votes, account = read(make_folder(tmp_path, core))
    assert short(votes) == [("1", "Ann", "Acer")]
    assert account.left_out["votes"] == {"without anybody who identified it": 1, "without a name": 1}


def test_the_core_counts_only_for_occurrences_that_the_extension_does_not_have(tmp_path: Path) -> None:
    core = {"ids": ["1", "2", "3"], "identifiedBy": ["Ann", "Ben", ""], "scientificName": ["Acer", "Salix", "Tilia"]}
    folder = made(tmp_path, [["1", "Cas", "Acer opalus"]], **core)
    votes, account = read(folder)
    assert short(votes) == [("1", "Cas", "Acer opalus"), ("2", "Ben", "Salix")]
    assert account.facts == {"occurrences whose only identification is in the core": 1}
    assert account.n_read["votes"] == 2
    assert short(read(folder, identifications="extension")[0]) == [("1", "Cas", "Acer opalus")]
    assert short(read(folder, identifications="core")[0]) == [("1", "Ann", "Acer"), ("2", "Ben", "Salix")]


def test_several_people_have_a_vote_each_or_one_together(tmp_path: Path) -> None:
    folder = made(tmp_path, [["1", "Ann |Ben  Cox| Ann|", "Acer"], ["2", "Cas", "Salix"]])
    votes, account = read(folder)
    assert short(votes) == [("1", "Ann", "Acer"), ("1", "Ben  Cox", "Acer"), ("2", "Cas", "Salix")]
    assert (account.n_read["votes"], account.n_used()) == (2, 2)
    assert account.facts == {"further votes, as several identified together": 1}
    votes, account = read(folder, people="joined")
    assert short(votes) == [("1", "Ann |Ben  Cox| Ann|", "Acer"), ("2", "Cas", "Salix")]
    assert account.facts == {}


def test_ids_of_people_come_before_their_names_if_asked_for(tmp_path: Path) -> None:
    columns = [*BY_ONE, "identifiedByID"]
    rows = [["1", "Ann", "Acer", "https://orcid.org/1 | https://orcid.org/2"], ["2", "Ben", "Salix", ""]]
    core = {"ids": ["1", "2"], "recordedBy": ["Ann", "Ben"], "recordedByID": ["https://orcid.org/2", ""]}
    votes, _ = read(made(tmp_path, rows, columns, **core), user="identifiedByID")
    assert [(vote["user_id"], vote["is_author"]) for vote in votes] == [
        ("https://orcid.org/1", False),
        ("https://orcid.org/2", True),
        ("Ben", True),
    ]
    votes, _ = read(tmp_path)
    assert [(vote["user_id"], vote["is_author"]) for vote in votes] == [("Ann", True), ("Ben", True)]


def test_who_recorded_an_occurrence_is_its_author(tmp_path: Path) -> None:
    rows = [["1", "Ann", "Acer"], ["1", "Ben", "Acer"], ["2", "Ann", "Acer"], ["3", "Ann", "Acer"]]
    folder = made(tmp_path, rows, ids=["3", "1", "2"], recordedBy=["ann", "Ben | Ann", ""])
    assert [vote["is_author"] for vote in read(folder)[0]] == [True, True, None, False]


def test_options_are_checked() -> None:
    with pytest.raises(ParameterError, match="people is 'all' but must be one of each, joined"):
        DarwinCore(people="all")
    with pytest.raises(TypeError, match="not_user is the text 'CV' but must be a list of texts"):
        DarwinCore(not_user="CV")


def test_the_label_may_be_another_term(tmp_path: Path) -> None:
    columns = [*BY_ONE, "taxonID", "acceptedNameUsageID"]
    folder = made(tmp_path, [["1", "Ann", "Acer molle Opiz", "t5", "t3"]], columns)
    labels = {term: read(folder, label=term)[0][0]["label"] for term in ("scientificName", *columns[3:])}
    assert labels == {"scientificName": "Acer molle Opiz", "taxonID": "t5", "acceptedNameUsageID": "t3"}
    with pytest.raises(VotesError, match=r"meta\.xml: Identification has no term taxonid; did you mean 'taxonID'"):
        read(folder, label="taxonid")


def test_doubted_identifications_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    columns = [*BY_ONE, "identificationQualifier", "identificationVerificationStatus", "taxonRank"]
    rows = [["1", "Ann", "Acer", "cf.", "0", "genus"], ["1", "Ben", "Acer", "", "verified", "species"]]
    folder = made(tmp_path, rows, columns)
    votes, account = read(folder)
    assert short(votes) == [("1", "Ben", "Acer")]
    assert account.left_out["votes"] == {"with a qualifier, such as cf., that doubts the name": 1}
    votes, _ = read(folder, doubted="keep")
    assert [
        (vote["identification_qualifier"], vote["identification_verification_status"], vote["taxon_rank"])
        for vote in votes
    ] == [("cf.", "0", "genus"), (None, "verified", "species")]


def test_programs_and_words_for_nobody_are_no_users(tmp_path: Path) -> None:
    rows = [["1", "plant-aggregate", "Acer"], ["1", "Unknown", "Acer"], ["1", "not specified", "Acer"]]
    rows += [["1", "CV v2", "Acer"], ["1", "Ann | CV v2", "Acer"]]
    folder = made(tmp_path, rows)
    assert short(read(folder)[0]) == [("1", "CV v2", "Acer"), ("1", "Ann", "Acer"), ("1", "CV v2", "Acer")]
    votes, account = read(folder, not_user=["cv V2", "unknown"])
    assert [user for _, user, _ in short(votes)] == ["plant-aggregate", "not specified", "Ann"]
    assert account.left_out["votes"] == {"by CV v2, which is no user": 1, "by Unknown, which is no user": 1}


def test_identifications_that_their_users_have_withdrawn_are_left_out(tmp_path: Path) -> None:
    """As exporters of iNaturalist's observations write them; the date does not say it."""
    current = "https://www.inaturalist.org/terms/identificationCurrent"
    columns = [*BY_ONE, "dateIdentified", current]
    rows = [["1", "Ann", "Acer", "2021-03-01", "true"], ["1", "Ann", "Salix", "2021-11-01", "false"]]
    votes, account = read(made(tmp_path, rows, columns))
    assert short(votes) == [("1", "Ann", "Acer")]
    assert account.left_out["votes"] == {"that its user has withdrawn (identificationCurrent)": 1}


DATED = ["coreid", "identifiedBy", "scientificName", "dateIdentified"]


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("2020-05-17", datetime(2020, 5, 17, tzinfo=UTC)),
        ("20200517", datetime(2020, 5, 17, tzinfo=UTC)),
        ("2020-05-17T10:30", datetime(2020, 5, 17, 10, 30, tzinfo=UTC)),
        ("2020-05-17T10:30:01.5Z", datetime(2020, 5, 17, 10, 30, 1, 500_000, tzinfo=UTC)),
        ("1963-03-08T14:07-0600", datetime(1963, 3, 8, 20, 7, tzinfo=UTC)),
        ("1809-02-12", datetime(1809, 2, 12, tzinfo=UTC)),
        ("2020", None),
        ("2020-05", None),
        ("2007-11-13/15", None),
        ("2007-03-01T13:00:00Z/2008-05-11T15:30:00Z", None),
        ("0000-00-00", None),
        ("0001-01-01T00:00+12:00", None),
        ("17 May 2020", None),
        ("Tue Apr 01 00:00:00 CET 1930", None),
        ("NA", None),
    ],
)
def test_a_date_is_a_time_if_it_has_a_day(tmp_path: Path, date: str, time: datetime | None) -> None:
    votes, account = read(made(tmp_path, [["1", "Ann", "Acer", date]], DATED))
    assert (votes[0]["voted_at"], votes[0]["date_identified"]) == (time, date)
    assert account.n_used() == 1


def test_the_order_of_rows_decides_between_identifications_that_are_not_all_dated(tmp_path: Path) -> None:
    rows = [
        ["1", "Ann", "first", "2021-01-01"],
        ["1", "Ann", "second", "2020"],
        ["1", "Ben", "first", "2021-01-01"],
        ["1", "Ben", "second", "2020-05-05"],
        ["2", "Ann | Ben", "first", "2021-01-01"],
        ["2", "Ben", "second", ""],
    ]
    votes, _ = read(made(tmp_path, rows, DATED))
    first, earlier = datetime(2021, 1, 1, tzinfo=UTC), datetime(2020, 5, 5, tzinfo=UTC)
    assert [(vote["observation_id"], vote["user_id"], vote["voted_at"]) for vote in votes] == [
        ("1", "Ann", None),
        ("1", "Ann", None),
        ("1", "Ben", first),
        ("1", "Ben", earlier),
        ("2", "Ann", first),
        ("2", "Ben", None),
        ("2", "Ben", None),
    ]
    assert [vote["date_identified"] for vote in votes][:2] == ["2021-01-01", "2020"]


def test_the_date_of_the_event_is_never_the_time_of_a_vote(tmp_path: Path) -> None:
    core = {"identifiedBy": ["Ann", "Ben"], "scientificName": ["Acer", "Acer"]}
    events = ["Tue Apr 01 00:00:00 CET 1930", "2020-05-17"]
    votes, _ = read(make_folder(tmp_path, occurrences(**core, eventDate=events)))
    assert [vote["voted_at"] for vote in votes] == [None, None]


def test_identifications_of_an_event_are_about_its_occurrences(tmp_path: Path) -> None:
    events = Table("event.txt", "Event", ["eventID", "recordedBy"], [["e1", "Ann"]])
    columns = ["coreid", "occurrenceID", "identifiedBy", "scientificName", "recordedBy"]
    rows = [["e1", "o1", "Ann", "Acer", "Ann"], ["e1", "o2", "Ben", "Salix", "Ann"], ["e9", "o3", "Cas", "Tilia", ""]]
    for row_type in ("Identification", "Occurrence"):
        folder = make_folder(tmp_path / row_type, events, Table("o.txt", row_type, columns, rows))
        votes, account = read(folder)
        assert short(votes) == [("o1", "Ann", "Acer"), ("o2", "Ben", "Salix")]
        assert [vote["is_author"] for vote in votes] == [True, False]
        assert [item.reason for item in account.rejected] == ["of an occurrence that is not in the core"]


def test_defaults_and_constants_are_values(tmp_path: Path) -> None:
    table = identifications([["1", "", "Acer"]], defaults={"identifiedBy": "Kim", "dateIdentified": "2020-01-01"})
    votes, _ = read(make_folder(tmp_path, occurrences(), table))
    assert (votes[0]["user_id"], votes[0]["date_identified"]) == ("Kim", "2020-01-01")


@pytest.mark.parametrize(
    "dialect",
    [
        TSV,
        CSV,
        Dialect(";", "'", "\r\n", "ISO-8859-1", 0),
        Dialect("|", '"', "\r", "UTF-16", 1),
        Dialect(",", '"', "\n", "Windows-1252", 3),
    ],
)
def test_an_archive_is_read_in_any_dialect(tmp_path: Path, dialect: Dialect) -> None:
    rows = [["1", "Zoë", "Acer campestre"]]
    if dialect.enclosure:
        rows += [["2", "O'Neil", 'Acer "x"; y, z']]
    core = Table("o.txt", "Occurrence", ["id"], [["1"], ["2"]], dialect)
    votes, account = read(make_folder(tmp_path, core, identifications(rows, dialect=dialect)))
    assert short(votes) == [tuple(row) for row in rows]
    assert account.facts == {}


def test_short_rows_and_blank_lines_are_counted_once(tmp_path: Path) -> None:
    text = "1\tAnn\tAcer\t2020-01-01\n\n2\tBen\tSalix\n1\tCas\n"
    folder = make_folder(tmp_path, occurrences(), identifications([], DATED, text=text))
    votes, account = read(folder)
    assert short(votes) == [("1", "Ann", "Acer"), ("2", "Ben", "Salix")]
    assert account.facts == {
        "rows with fewer columns than declared, filled up with empty ones": 2,
        "blank lines, which were skipped": 1,
    }
    assert account.left_out["votes"] == {"without a name": 1}
    assert account.n_read["votes"] == 3


def test_rows_that_are_wrongly_quoted_are_rejected_with_their_line(tmp_path: Path) -> None:
    text = '1,Ann,Acer\n1,"Ben"x,Acer\n2,"Cas,Acer\n2,Dee,Salix\n'
    table = identifications([], text=text, dialect=CSV)
    votes, account = read(make_folder(tmp_path, occurrences(), table))
    assert short(votes) == [("1", "Ann", "Acer"), ("2", "Dee", "Salix")]
    assert [(item.number, item.reason, item.text) for item in account.rejected] == [
        (3, "with text after an enclosed field", '1,"Ben"x,Acer'),
        (4, "with an enclosed field that does not end", '2,"Cas,Acer'),
    ]
    assert (account.n_read["votes"], account.n_used()) == (4, 2)


def test_faults_of_the_core_are_counted_and_leave_orphans(tmp_path: Path) -> None:
    core = Table("o.txt", "Occurrence", ["id", "sex"], [], CSV, text='1,"f"x\n2,m\n2,f\n')
    table = identifications([["1", "Ann", "Acer"], ["2", "Ann", "Acer"]])
    votes, account = read(make_folder(tmp_path, core, table))
    assert short(votes) == [("2", "Ann", "Acer")]
    assert account.facts == {
        "rows of the core with text after an enclosed field": 1,
        "rows of the core with the id of an earlier row": 1,
    }


def test_gbifs_simple_download_has_no_meta_xml(tmp_path: Path) -> None:
    path = tmp_path / "0012345-250101000000000.csv"
    path.write_text(
        "gbifID\toccurrenceID\tscientificName\teventDate\tidentifiedBy\tdateIdentified\trecordedBy\n"
        '40\turn:1\tAcer campestre L.\tTue Apr 01 00:00:00 CET 1930\t"Ann" Lee\t2020-05-17T00:00:00\t"Ann" Lee\n'
        "41\turn:2\tSalix alba L.\t\t\t\tBen\n"
    )
    votes, account = read(path)
    assert short(votes) == [("40", '"Ann" Lee', "Acer campestre L.")]
    assert (votes[0]["is_author"], votes[0]["voted_at"]) == (True, datetime(2020, 5, 17, tzinfo=UTC))
    assert account.left_out["votes"] == {"without anybody who identified it": 1}


def test_taxa_become_a_taxonomy(tmp_path: Path) -> None:
    columns = ["taxonID", "scientificName", "taxonRank", "parentNameUsageID", "acceptedNameUsageID"]
    rows = [
        ["2", "Acer campestre", "species", "1", ""],
        ["1", "Acer", "genus", "0", ""],
        ["3", "Acer molle", "species", "", "2"],
        ["4", "Acer", "genus", "", ""],
        ["5", "", "species", "1", ""],
    ]
    folder = make_folder(tmp_path, Table("taxon.txt", "Taxon", columns, rows))
    tables, account = read_tables(DarwinCore(), folder)
    assert tables["taxonomy"].to_pylist() == [
        {"label": "Acer campestre", "parent": "Acer", "rank": "species", "name": "Acer campestre"},
        {"label": "Acer", "parent": None, "rank": "genus", "name": "Acer"},
    ]
    assert account.left_out["taxonomy"] == {
        "synonyms, which --synonyms reads": 1,
        "with the name of an earlier taxon": 1,
    }
    assert [(item.number, item.reason) for item in account.rejected] == [(6, "without a name")]
    assert account.facts == {"taxa whose parent is not in the table: they have none": 1}
    assert (account.n_read["taxonomy"], account.n_used("taxonomy")) == (5, 2)
    tables, _ = read_tables(DarwinCore(label="taxonID"), folder)
    assert tables["taxonomy"]["label"].to_pylist() == ["2", "1", "4", "5"]
    assert tables["taxonomy"]["parent"].to_pylist() == ["1", "0", None, "1"]


PEOPLE = st.sampled_from(["Ann", "Ben", "", " ", "Ann | Ben", "plant-aggregate", "Ben|plant-aggregate"])
IDENTIFIED = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3", ""]),
        PEOPLE,
        st.sampled_from(["Acer", "Salix", ""]),
        st.sampled_from(["", "cf."]),
        st.sampled_from(["", "2020", "2020-05-01", "2020-05-02"]),
    ),
    max_size=9,
)


@given(IDENTIFIED, st.sampled_from(["Ann", "Ann | Ben", ""]), st.sampled_from(["", "Ben"]))
def test_each_identification_is_used_left_out_or_rejected_as_a_slow_reading_says(
    rows: list[tuple[str, ...]], recorded_by: str, in_core: str
) -> None:
    columns = ["coreid", "identifiedBy", "scientificName", "identificationQualifier", "dateIdentified"]
    core = occurrences(recordedBy=[recorded_by, ""], identifiedBy=[in_core, in_core], scientificName=["Tilia", "Tilia"])
    with tempfile.TemporaryDirectory() as name:
        votes, account = read(make_folder(Path(name), core, identifications(rows, columns)))
    only_in_core = {"1", "2"} - {row[0] for row in rows} if in_core else set()
    all_rows = [*rows, *((each, in_core, "Tilia", "", "") for each in ("1", "2") if each in only_in_core)]
    recorders = {"1": set(recorded_by.split(" | ")) - {""}, "2": set()}
    counts, expected = Counter(), []
    for observation, by, label, qualifier, date in all_rows:
        people = [person for person in (part.strip() for part in by.split("|")) if person]
        users = [person for person in people if person != "plant-aggregate"]
        if observation not in recorders:
            counts["rejected"] += 1
        elif not users or qualifier or not label:
            counts["left out"] += 1
        else:
            counts["used"] += 1
            expected += [(observation, user, label, date) for user in users]
    undated = {
        (observation, person.strip())
        for observation, by, _, _, date in rows
        for person in by.split("|")
        if len(date) < 10
    }
    assert [(v["observation_id"], v["user_id"], v["label"], v["date_identified"] or "") for v in votes] == expected
    for vote in votes:
        authors = recorders[vote["observation_id"]]
        assert vote["is_author"] == (vote["user_id"] in authors if authors else None)
        is_dated = (vote["observation_id"], vote["user_id"]) not in undated and vote["date_identified"] is not None
        assert (vote["voted_at"] is not None) == is_dated
    assert account.n_read["votes"] == len(all_rows)
    assert account.n_used() == counts["used"]
    assert sum(account.left_out.get("votes", {}).values()) == counts["left out"]
    assert len(account.rejected) == counts["rejected"]


@pytest.mark.parametrize(
    ("core", "options", "words"),
    [
        (occurrences(), {}, "says of no Occurrence who identified it: it has no identifiedBy, and no Identification"),
        (occurrences(identifiedBy=["", ""]), {}, "Occurrence has no term scientificName; it has identifiedBy"),
        (occurrences(identifiedBy=["", ""]), {"identifications": "extension"}, "has no Identification extension"),
        (Table("e.txt", "Event", ["id"], []), {}, "is an archive of events without occurrences or identifications"),
    ],
)
def test_archives_without_identifications_are_refused(
    tmp_path: Path, core: Table, options: dict[str, str], words: str
) -> None:
    with pytest.raises(VotesError) as error:
        read(make_folder(tmp_path, core), **options)
    assert f"meta.xml: {words}" in str(error.value)


def test_an_extension_without_identified_by_is_refused(tmp_path: Path) -> None:
    table = identifications([["1", "Acer"]], ["coreid", "scientificName"])
    with pytest.raises(VotesError, match="Identification has no term identifiedBy; it has scientificName"):
        read(make_folder(tmp_path, occurrences(), table))


def test_files_of_other_layouts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_text("task,worker,label\n1,2,3\n")
    with pytest.raises(VotesError, match=r"has no meta\.xml"):
        read(tmp_path / "votes.csv")
    with pytest.raises(VotesError, match=r"has no meta\.xml; name a folder or zip file with one, or a table whose"):
        read(tmp_path)


def test_a_file_that_is_empty_or_describes_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "o.txt").touch()
    with pytest.raises(VotesError, match=r"o\.txt: is empty; export it again"):
        read(tmp_path / "o.txt")
    folder = made(tmp_path / "a", [])
    with pytest.raises(VotesError, match=r"meta\.xml: is no archive but a description of one; name the folder"):
        read(folder / "meta.xml")


def test_archives_are_recognised(tmp_path: Path) -> None:
    folder = made(tmp_path / "a", [])
    assert DarwinCore.recognises(Sample.of(folder))
    assert DarwinCore.recognises(Sample.of(zipped(folder, tmp_path / "a.zip", "in/")))
    (tmp_path / "gbif.csv").write_text("gbifID\tscientificName\n")
    assert DarwinCore.recognises(Sample.of(tmp_path / "gbif.csv"))
    (tmp_path / "votes.csv").write_text("observation_id,user_id,label\n")
    assert not DarwinCore.recognises(Sample.of(tmp_path / "votes.csv"))
