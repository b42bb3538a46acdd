"""Answers of iNaturalist's API: which identifications are votes, and on which taxon."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.formats.inaturalist import INaturalist
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like
from tests.paths import ROOT

from .made_inaturalist import (
    ACER,
    CAMPESTRE,
    DROP,
    OBTUSATUM,
    OPALUS,
    PLANTS,
    Json,
    identification,
    observation,
    page,
    taxon,
    write,
    write_lines,
)

EXPORTS = ROOT.parent / "shared" / "data" / "raw_exports"
needs_exports = pytest.mark.skipif(not EXPORTS.exists(), reason="the answers are not ours to ship")
ABOVE = "as a taxon above species"
APART = "as a taxon above species, which are coarse votes"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "observations.json"


def read(path: Path, *observations: Json, **options: Any) -> Tables:
    return read_tables(INaturalist(**options), write(path, page(*observations)))


def rows_of(found: Tables, table: str = "votes") -> list[dict[str, Any]]:
    return found.tables[table].to_pylist() if table in found.tables else []


def votes(found: Tables, table: str = "votes") -> list[tuple[int, int, int]]:
    return [(row["observation_id"], row["user_id"], row["label"]) for row in rows_of(found, table)]


def left_out(found: Tables) -> dict[str, int]:
    """What was left out by reason; every identification is accounted for."""
    for table in ("votes", "coarse_votes", "taxonomy"):
        assert found.account.n_used(table) == len(rows_of(found, table))
    return dict(found.account.left_out.get("votes", {}))


def fault(path: Path, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(INaturalist(**options), path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_current_identification_is_a_vote(path: Path) -> None:
    given = identification(155554373, 2115051, OPALUS, category="improving", vision=True)
    found = read(path, observation(30814579, 7, given))
    assert rows_of(found) == [
        {
            "observation_id": 30814579,
            "user_id": 2115051,
            "label": 11,
            "is_author": False,
            "voted_at": datetime(2021, 2, 19, 2, 31, 53, tzinfo=UTC),
            "name": "Acer opalus",
            "rank": "species",
            "taxon_id": 11,
            "identification_id": 155554373,
            "category": "improving",
            "disagreement": False,
            "vision": True,
        }
    ]
    types = found.tables["votes"].schema.types[:5]
    assert types == [pa.int64(), pa.int64(), pa.int64(), pa.bool_(), pa.timestamp("us", "UTC")]
    assert (found.account.n_read["votes"], left_out(found), found.account.facts) == (1, {}, {})


def test_only_current_decides_not_the_date(path: Path) -> None:
    withdrawn = identification(2, 7, CAMPESTRE, created_at="2021-11-02T14:05:18-05:00", current=False)
    kept = identification(1, 7, OPALUS, created_at="2021-03-10T15:49:01-06:00")
    found = read(path, observation(1, 7, kept, withdrawn))
    assert (votes(found), left_out(found)) == ([(1, 7, 11)], {"that their users have withdrawn or replaced": 1})


def test_what_is_hidden_or_spam_is_left_out(path: Path) -> None:
    given = [
        identification(1, 1, OPALUS, hidden=True),
        identification(2, 2, OPALUS, spam=True),
        identification(3, 3, OPALUS, hidden=DROP, spam=None),
    ]
    found = read(path, observation(1, 7, *given))
    assert votes(found) == [(1, 3, 11)]
    assert left_out(found) == {"that moderators have hidden": 1, "marked as spam": 1}


def test_a_genus_is_never_among_the_votes_unless_asked(path: Path) -> None:
    given = observation(1, 7, identification(1, 1, ACER), identification(2, 2, OPALUS), identification(3, 3, PLANTS))
    apart = read(path, given)
    assert (votes(apart), votes(apart, "coarse_votes")) == ([(1, 2, 11)], [(1, 1, 10), (1, 3, 1)])
    assert left_out(apart) == {APART: 2}
    assert [(row["name"], row["rank"]) for row in rows_of(apart, "coarse_votes")] == [
        ("Acer", "genus"),
        ("Plantae", "kingdom"),
    ]
    assert apart.tables["votes"].schema == apart.tables["coarse_votes"].schema
    drop = read(path, given, coarse="drop")
    assert (votes(drop), left_out(drop)) == ([(1, 2, 11)], {ABOVE: 2})
    keep = read(path, given, coarse="keep")
    assert (votes(keep), left_out(keep)) == ([(1, 1, 10), (1, 2, 11), (1, 3, 1)], {})


def test_a_complex_is_above_species_and_a_hybrid_is_not(path: Path) -> None:
    given = [
        identification(1, 1, taxon(20, "Acer opalus complex", "complex", (1, 10))),
        identification(2, 2, taxon(21, "Acer × zoeschense", "hybrid", (1, 10))),
    ]
    found = read(path, observation(1, 7, *given))
    assert (votes(found), votes(found, "coarse_votes")) == ([(1, 2, 21)], [(1, 1, 20)])


def test_a_rank_may_be_known_by_its_name_alone(path: Path) -> None:
    named = [{"id": 10, "name": "Acer", "rank": "genus"}, {"id": 11, "name": "Acer opalus", "rank": "species"}]
    given = [identification(n, n, each) for n, each in enumerate(named, 1)]
    found = read(path, observation(1, 7, *given))
    assert (votes(found), votes(found, "coarse_votes")) == ([(1, 2, 11)], [(1, 1, 10)])


def test_a_taxon_without_a_rank_is_not_taken_for_a_species(path: Path) -> None:
    found = read(path, observation(1, 7, identification(1, 1, {"id": 99})))
    assert (votes(found), votes(found, "coarse_votes")) == ([], [(1, 1, 99)])
    fact = "identifications as a taxon whose rank is not in the files, taken as above species"
    assert found.account.facts == {fact: 1}


@pytest.mark.parametrize("species", ["before", "after", "ancestors", "min_species_taxon_id"])
def test_a_subspecies_is_a_vote_for_its_species(path: Path, species: str) -> None:
    below = {
        **OBTUSATUM,
        **({"ancestors": [ACER, OPALUS]} if species == "ancestors" else {}),
        **({"min_species_taxon_id": 11} if species == "min_species_taxon_id" else {}),
    }
    given = [identification(2, 2, below)]
    if species in ("before", "after"):
        given.insert(0 if species == "before" else 1, identification(1, 1, OPALUS))
    found = read(path, observation(1, 7, *given))
    (vote,) = [row for row in rows_of(found) if row["user_id"] == 2]
    assert (vote["label"], vote["taxon_id"]) == (11, 13)
    assert (vote["name"], vote["rank"]) == (
        ("Acer opalus", "species") if species != "min_species_taxon_id" else (None, None)
    )
    assert found.account.facts == {"identifications as a taxon below species: the votes have its species": 1}


def test_a_subspecies_whose_species_is_unknown_stays_what_it_is(path: Path) -> None:
    found = read(path, observation(1, 7, identification(1, 1, {**OBTUSATUM, "ancestor_ids": [10], "parent_id": 10})))
    assert votes(found) == [(1, 1, 13)]
    how = "the votes have that taxon, as its species is not in the files"
    assert found.account.facts == {f"identifications as a taxon below species: {how}": 1}


def test_a_name_may_be_elsewhere(path: Path) -> None:
    """As where identifications are asked for: their taxon has no name, that of their observation has."""
    bare = {"id": 11, "rank": "species", "rank_level": 10, "ancestor_ids": [1, 10, 11]}
    whole = observation(1, 7)
    del whole["identifications"]
    asked_for = {**identification(1, 1, bare), "observation": {**whole, "taxon": OPALUS}}
    found = read(path, asked_for)
    assert (votes(found), rows_of(found)[0]["name"]) == ([(1, 1, 11)], "Acer opalus")
    later = read(
        path, observation(1, 7, identification(1, 1, {"id": 11})), observation(2, 7, identification(2, 1, OPALUS))
    )
    assert sorted((row["observation_id"], row["label"], row["name"]) for row in rows_of(later)) == [
        (1, 11, "Acer opalus"),
        (2, 11, "Acer opalus"),
    ]


def test_who_took_the_pictures(path: Path) -> None:
    given = [
        identification(1, 7, OPALUS, own_observation=True),
        identification(2, 8, OPALUS, own_observation=False),
        identification(3, 7, OPALUS, own_observation=DROP),
        identification(4, 8, OPALUS, own_observation=DROP),
    ]
    found = read(path, observation(1, 7, *given), {**observation(2, 7, {**given[3], "id": 5}), "user": None})
    assert [row["is_author"] for row in rows_of(found)] == [True, False, True, False, None]


def test_disagreement_and_vision_have_three_values(path: Path) -> None:
    given = [
        identification(n, n, OPALUS, disagreement=value, vision=value) for n, value in enumerate([None, False, True])
    ]
    found = read(path, observation(1, 7, *given))
    for column in ("disagreement", "vision"):
        assert [row[column] for row in rows_of(found)] == [None, False, True]


def test_a_missing_time_is_missing(path: Path) -> None:
    times = ["2021-06-27T13:35:50+02:00", "2021-06-27 11:35:50+00:00", None, DROP, "", "2021-06-27"]
    given = [identification(n, n, OPALUS, created_at=time) for n, time in enumerate(times)]
    found = read(path, observation(1, 7, *given))
    assert [row["voted_at"] for row in rows_of(found)] == [datetime(2021, 6, 27, 11, 35, 50, tzinfo=UTC)] * 2 + [
        None
    ] * 4
    assert found.account.facts == {"identifications without a time": 4}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"current": DROP}, "that do not say whether they are current"),
        ({"user": None}, "without the id of a user"),
        ({"user": {"id": "7"}}, "without the id of a user"),
        ({"user": {"id": 2**63}}, "without the id of a user"),
        ({"taxon_id": None}, "without the id of a taxon"),
        ({"taxon_id": True}, "without the id of a taxon"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_record(path: Path, changes: Json, reason: str) -> None:
    given = {key: value for key, value in (identification(2, 2, OPALUS) | changes).items() if value is not DROP}
    found = read(path, observation(1, 7, identification(1, 1, OPALUS)), observation(2, 7, given))
    (rejected,) = found.account.rejected
    assert (rejected.file, rejected.unit, rejected.number) == (str(path), "record", 2)
    assert (rejected.reason, rejected.observation_id) == (reason, "2")
    assert rejected.text is not None
    assert '"id": 2' in rejected.text
    assert votes(found) == [(1, 1, 11)]
    left_out(found)


def test_an_observation_without_an_id(path: Path) -> None:
    found = read(path, {**observation(1, 7, identification(1, 1, OPALUS), "no object"), "id": None})
    assert [item.reason for item in found.account.rejected] == [
        "without the id of an observation",
        "that are no objects",
    ]


def test_an_identification_that_is_on_two_pages_counts_once(path: Path, tmp_path: Path) -> None:
    """New observations move the others to later pages while these are fetched."""
    one, two = observation(1, 7, identification(1, 1, OPALUS)), observation(2, 7, identification(2, 1, OPALUS))
    first, second = write(path, page(one, two)), write(tmp_path / "page2.json", page(two, number=2))
    found = read_tables(INaturalist(), first, second)
    assert (len(votes(found)), left_out(found)) == (2, {"that are in the files before": 1})


LAYOUTS = {
    "page": lambda path, given: write(path, page(*given)),
    "list of pages": lambda path, given: write(path, [page(each) for each in given]),
    "list": lambda path, given: write(path, given),
    "lines": lambda path, given: write_lines(path, *given),
    "pages in lines": lambda path, given: write_lines(path, *map(page, given)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(path: Path, layout: str) -> None:
    given = [observation(n, 7, identification(n, 1, OPALUS)) for n in (1, 2)]
    LAYOUTS[layout](path, given)
    assert votes(read_tables(INaturalist(), path)) == [(1, 1, 11), (2, 1, 11)]
    assert formats_like(path) == ["inaturalist"]


def test_one_observation(path: Path) -> None:
    write(path, observation(1, 7, identification(1, 1, OPALUS)))
    assert votes(read_tables(INaturalist(), path)) == [(1, 1, 11)]


def test_a_line_that_is_no_json_is_rejected(path: Path) -> None:
    lines = [json.dumps(observation(n, 7, identification(n, 1, OPALUS))) for n in (1, 2)]
    path.write_text(f"{lines[0]}\n{lines[1][:50]}\n\n{lines[1]}\n")
    found = read_tables(INaturalist(), path)
    (rejected,) = found.account.rejected
    assert (rejected.unit, rejected.number) == ("line", 2)
    assert (len(votes(found)), left_out(found)) == (2, {})


def test_the_taxa_are_a_tree(path: Path) -> None:
    found = read(path, observation(1, 7, identification(1, 1, OBTUSATUM), taxon=taxon(12, None, None, (1, 10))))
    assert [tuple(row.values()) for row in rows_of(found, "taxonomy")] == [
        (1, None, None, None),
        (10, 1, None, None),
        (11, 10, None, None),
        (12, 10, None, None),
        (13, 11, "subspecies", "Acer opalus obtusatum"),
    ]
    assert found.tables["taxonomy"].schema.types == [pa.int64(), pa.int64(), pa.string(), pa.string()]
    found = read(path, observation(1, 7, identification(1, 1, {"id": 11, "ancestry": "1/10", "rank": "species"})))
    assert [(row["label"], row["parent"]) for row in rows_of(found, "taxonomy")] == [(1, None), (10, 1), (11, 10)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ('{"results": [{"id": 1, "identifications": [', "ends too early, in record 1; fetch or export it again"),
        ('{"results": [{"id": 11, "rank": "species"}]}', "record 1 is no observation or identification of iNaturalist"),
        ('[{"task": 1}]', "record 1 is no observation or identification of iNaturalist; fetch the observations from"),
        ('{"results": {"2020": 5}}', "'results' is an object where a list is expected"),
        (
            "id,quality_grade,species_guess\n1,research,Acer\n",
            "is an export of observations as CSV, which has no ident",
        ),
        (
            "id;name\n1;Acer\n",
            "is no JSON list or object; fetch the observations from https://api.inaturalist.org/v1/obs",
        ),
    ],
)
def test_other_files(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    assert fault(path).startswith(message)


def test_a_file_of_another_format_is_named(path: Path) -> None:
    path.write_text("classification_id,annotations,subject_ids\n1,[],2\n")
    looks = "is no JSON list or object; it looks like zooniverse; name that format instead of inaturalist"
    assert fault(path) == looks


def test_observations_without_identifications(path: Path) -> None:
    bare = observation(1, 7)
    del bare["identifications"]
    write(path, page(bare))
    assert fault(path).startswith("none of 1 observations has identifications; fetch the observations from https://api")
    found = read(path, bare, observation(2, 7, identification(1, 1, OPALUS)))
    assert found.account.facts == {"observations without the key 'identifications'": 1}


def test_a_folder(tmp_path: Path) -> None:
    assert fault(tmp_path) == "is a folder; name the files in it"


def test_options_are_checked() -> None:
    with pytest.raises(ParameterError, match="coarse is 'rank' but must be one of apart, keep, drop"):
        INaturalist(coarse="rank")


TAXA = [PLANTS, ACER, OPALUS, CAMPESTRE, OBTUSATUM, {"id": 11}]
IDENTIFICATIONS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(range(len(TAXA))), st.booleans(), st.booleans(), st.booleans()),
    max_size=5,
)


@given(st.lists(IDENTIFICATIONS, max_size=4), st.sampled_from(["apart", "keep", "drop"]))
def test_the_rules_one_after_the_other_give_the_same(
    tmp_path_factory: pytest.TempPathFactory, made: list[Any], coarse: str
) -> None:
    path = tmp_path_factory.mktemp("answers") / "observations.json"
    given, expected, above, numbers = [], [], [], iter(range(100))
    seen = {11 if place == 5 else TAXA[place]["id"] for each in made for _, place, *_ in each}
    ranked = {TAXA[place]["id"] for each in made for _, place, *_ in each if place != 5}
    for number, each in enumerate(made):
        listed = []
        for user, place, current, hidden, spam in each:
            named = TAXA[place]
            listed.append(identification(next(numbers), user, named, current=current, hidden=hidden, spam=spam))
            if not current or hidden or spam:
                continue
            rank = "species" if named["id"] == 11 and 11 in ranked else named.get("rank")
            label = 11 if rank == "subspecies" and 11 in ranked else named["id"]
            to = expected if rank in ("species", "subspecies") or coarse == "keep" else above
            to.append((number, user, label))
        given.append(observation(number, 7, *listed))
    found = read(path, *given, coarse=coarse)
    assert sorted(votes(found)) == sorted(expected)
    assert sorted(votes(found, "coarse_votes")) == sorted(above if coarse == "apart" else [])
    left_out(found)
    assert found.account.n_read["votes"] == sum(map(len, made))
    assert {row["label"] for row in rows_of(found, "taxonomy")} >= seen


JSON = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 11, 2**63, 0.5, "", "11", "species", "\U0001f992", "2021-06-27T13:35:50Z", "\ud800"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["id", "rank", "name", "ancestor_ids", "ancestors"]), inner, max_size=3),
    ),
    max_leaves=5,
)
KEYS = [*sorted(identification(1, 1, OPALUS)), "previous_observation_taxon", "observation"]


@given(
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=3),
    st.dictionaries(st.sampled_from(sorted(OPALUS)), JSON),
    JSON,
)
def test_whatever_the_json_is_the_identification_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, changes: Json, taxon_changes: Json, strange: Any
) -> None:
    path = tmp_path_factory.mktemp("answers") / "observations.json"
    given = {**identification(1, 1, {**OPALUS, **taxon_changes}), **changes}
    whole = observation(1, 7, given, strange, identification(3, 3, CAMPESTRE)) | {"user": strange, "taxon": strange}
    found = read(path, whole, {**whole, "id": strange})
    assert (1, 3, 12) in votes(found)
    assert found.account.n_read["votes"] == 6
    left_out(found)


@needs_exports
def test_a_real_page() -> None:
    found = read_tables(INaturalist(), EXPORTS / "inaturalist_observations.json")
    assert left_out(found) == {APART: 2, "that their users have withdrawn or replaced": 1}
    assert (found.account.n_read["votes"], len(votes(found)), len(rows_of(found, "taxonomy"))) == (13, 10, 47)
    assert votes(found, "coarse_votes") == [(10000001, 2991704, 71157), (10000004, 2811894, 129763)]
    assert {row["name"] for row in rows_of(found)} == {
        "Lixus bardanae",
        "Danaus plexippus",
        "Pipistrellus pipistrellus",
    }
    assert sum(row["vision"] for row in rows_of(found)) == 2
    parents = {row["label"]: row["parent"] for row in rows_of(found, "taxonomy")}
    assert {parent for parent in parents.values() if parent is not None} <= parents.keys()
    assert [label for label, parent in parents.items() if parent is None] == [48460]


@needs_exports
def test_the_real_csv_export_is_refused() -> None:
    path = EXPORTS / "inaturalist_export_header.csv"
    assert fault(path) == (
        "is an export of observations as CSV, which has no identifications, so no votes; "
        "fetch the observations from https://api.inaturalist.org/v1/observations"
    )
    assert formats_like(path) == ["inaturalist"]
