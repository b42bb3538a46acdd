"""Both releases of Pl@ntNet-CrowdSWE: made ones, and the real extract of the first."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.errors import VotesError
from plant_aggregate.formats.crowdswe import CrowdSwe
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import Sample

from ..paths import ROOT, SAMPLE
from .made_crowdswe import write_release

EXTRACT = ROOT.parent / "shared/data/crowdswe_v1_extract"

VOTES = [
    {"observation_id": 1018, "user_id": 7, "label": "Erinus alpinus L.", "is_author": True},
    {"observation_id": 1018, "user_id": 9, "label": "Mentha × piperita L.", "is_author": False},
    {"observation_id": 1005, "user_id": 9, "label": "Sedum sexangulare L.", "is_author": True},
    {"observation_id": 1007, "user_id": 8, "label": "Erinus alpinus L.", "is_author": False},
]
TRUTH = [{"observation_id": 1005, "label": "Mentha × piperita L."}]
AI_VOTES = [
    {"observation_id": 1018, "label": "Erinus alpinus L.", "score": 0.9},
    {"observation_id": 1005, "label": "Buddleja japonica Hemsl.", "score": 0.25},
]


@pytest.fixture(params=[1, 2], ids=["first", "second"])
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_release(tmp_path, VOTES, TRUTH, AI_VOTES, request.param)
    return tmp_path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    write_release(tmp_path, VOTES, TRUTH, AI_VOTES)
    return tmp_path


@pytest.fixture
def second(tmp_path: Path) -> Path:
    write_release(tmp_path, VOTES, TRUTH, AI_VOTES, 2)
    return tmp_path


def rows(tables: Tables, name: str) -> list[dict[str, Any]]:
    return tables.tables[name].to_pylist() if name in tables.tables else []


def as_text(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = ("observation_id", "user_id")
    return [{key: str(value) if key in ids else value for key, value in row.items()} for row in given]


def is_balanced(tables: Tables) -> bool:
    return all(tables.account.n_used(name) == len(rows(tables, name)) for name in tables.account.n_read)


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_votes_have_the_observations_ids_names_and_authors(release: Path) -> None:
    tables = read_tables(CrowdSwe(), release)
    expected = as_text(VOTES)
    expected[3]["is_author"] = None  # nobody who voted there is the author, and none is given
    assert sorted(map(repr, rows(tables, "votes"))) == sorted(
        repr({key: row[key] for key in ("observation_id", "label", "user_id", "is_author")}) for row in expected
    )
    assert tables.account.facts["votes on observations whose author is unknown"] == 1
    assert is_balanced(tables)


def test_truth_has_what_experts_have_seen(release: Path) -> None:
    tables = read_tables(CrowdSwe(), release)
    assert rows(tables, "truth") == as_text(TRUTH)
    assert tables.account.n_read["truth"] == 3
    assert tables.account.left_out["truth"] == {"that no expert has seen": 2}


def test_ai_votes_may_name_species_that_nobody_voted(release: Path) -> None:
    tables = read_tables(CrowdSwe(), release)
    assert rows(tables, "ai_votes") == as_text(AI_VOTES)


def test_the_sample_comes_back_from_both_releases(tmp_path: Path) -> None:
    votes, truth, ai_votes = (pq.read_table(SAMPLE / f"{name}.parquet") for name in ("votes", "truth", "ai_votes"))
    latest = {}  # a folder has one vote of a user on an observation
    for row in votes.drop_columns(["voted_at"]).to_pylist():
        latest[row["observation_id"], row["user_id"]] = row
    voted = {row["observation_id"] for row in latest.values()}
    for number in (1, 2):
        folder = tmp_path / str(number)
        write_release(folder, list(latest.values()), truth.to_pylist(), ai_votes.to_pylist(), number)
        tables = read_tables(CrowdSwe(), folder)
        found = {(row["observation_id"], row["user_id"], row["label"]) for row in rows(tables, "votes")}
        assert found == {(str(o), str(u), row["label"]) for (o, u), row in latest.items()}
        in_classes = {row["label"] for row in latest.values()} | {row["label"] for row in ai_votes.to_pylist()}
        experts = [row for row in truth.to_pylist() if row["observation_id"] in voted and row["label"] in in_classes]
        assert sorted(map(repr, rows(tables, "truth"))) == sorted(map(repr, as_text(experts)))
        assert len(rows(tables, "ai_votes")) == len([r for r in ai_votes.to_pylist() if r["observation_id"] in voted])
        assert is_balanced(tables)


@pytest.mark.skipif(not EXTRACT.exists(), reason="real data are not here")
def test_all_of_the_real_extract_is_accounted_for() -> None:
    def load(name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((EXTRACT / name).read_text())
        return loaded

    answers, tasks = load("answers/answers.json"), load("converters/tasks.json")
    names = {number: name for name, number in load("converters/classes.json").items()}
    ai_names = {number: name for name, number in load("aggregation/ai_classes.json").items()}
    observation_of = {str(task): key for key, task in tasks.items()}
    authors = (EXTRACT / "aggregation/authors.txt").read_text().split()
    experts = (EXTRACT / "answers/ground_truth.txt").read_text().split()
    tables = read_tables(CrowdSwe(), EXTRACT)
    assert rows(tables, "votes") == [
        {
            "observation_id": observation_of[task],
            "label": names[number],
            "user_id": user,
            "is_author": authors[int(task)] == user,
        }
        for task, votes in answers.items()
        for user, number in votes.items()
    ]
    assert rows(tables, "truth") == [
        {"observation_id": observation_of[str(task)], "label": names[int(number)]}
        for task, number in enumerate(experts)
        if number != "-1"
    ]
    ai_answers, scores = load("aggregation/ai_answers.json"), load("aggregation/ai_scores.json")
    assert rows(tables, "ai_votes") == [
        {"observation_id": observation_of[task], "label": ai_names[number], "score": scores[task]}
        for task, number in ai_answers.items()
        if number in ai_names
    ]
    n_nameless = sum(number not in ai_names for number in ai_answers.values())
    account = tables.account
    assert account.n_read == {"votes": 1749, "truth": 5000, "ai_votes": 4999}
    assert account.n_rejected == {"ai_votes": {"of a class that ai_classes.json does not have": n_nameless}}
    assert account.left_out == {"truth": {"that no expert has seen": 4997}}
    assert account.facts == {"observations in tasks.json without votes": len(tasks) - len(answers)}
    assert is_balanced(tables)


CLASSES = {f"Species {number}": number for number in range(4)}


@given(
    st.dictionaries(
        st.integers(0, 7).map(str), st.dictionaries(st.integers(0, 3).map(str), st.integers(-1, 5), max_size=3)
    ),
    st.dictionaries(st.integers(100, 109).map(str), st.none(), max_size=8),
    st.lists(st.integers(-1, 3).map(str), max_size=8),
)
def test_a_vote_is_used_or_rejected_by_an_obvious_rule(
    tmp_path_factory: pytest.TempPathFactory,
    answers: dict[str, dict[str, int]],
    observations: dict[str, None],
    authors: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("release")
    tasks = {key: number for number, key in enumerate(observations)}
    for name, value in (("answers", answers), ("tasks", tasks), ("classes", CLASSES)):
        (folder / f"{name}.json").write_text(json.dumps(value))  # all files may be in one folder
    (folder / "authors.txt").write_text("".join(f"{author}\n" for author in authors))
    tables = read_tables(CrowdSwe(), folder)
    expected, rejected = [], Counter[str]()
    names, keys = list(CLASSES), list(tasks)
    for task, votes in answers.items():
        author = authors[int(task)] if int(task) < len(authors) and authors[int(task)] != "-1" else None
        for user, number in votes.items():
            if int(task) >= len(keys):
                rejected["of a task that tasks.json does not have"] += 1
            elif not 0 <= number < len(names):
                rejected["of a class that classes.json does not have"] += 1
            else:
                is_author = None if author is None else author == user
                expected.append((keys[int(task)], user, names[number], is_author))
    columns = ("observation_id", "user_id", "label", "is_author")
    assert [tuple(row[column] for column in columns) for row in rows(tables, "votes")] == expected
    assert tables.account.n_rejected.get("votes", {}) == rejected
    assert tables.account.n_read["votes"] == len(expected) + rejected.total()
    n_without = sum(str(number) not in answers for number in range(len(keys)))
    assert tables.account.facts["observations in tasks.json without votes"] == n_without
    assert tables.account.facts["observations without votes in answers.json"] == sum(not v for v in answers.values())


def test_what_is_rejected_has_its_file_record_and_ids(first: Path) -> None:
    edited(first / "answers/answers.json", '"8": 0', '"8": 77')
    edited(first / "aggregation/ai_scores.json", "0.25", "1.25")
    edited(first / "answers/ground_truth.txt", "1\n-1\n", "1\n9\n")
    tables = read_tables(CrowdSwe(), first)
    assert [
        (r.table, Path(r.file).name, r.unit, r.number, r.observation_id, r.user_id, r.label, r.reason)
        for r in tables.account.rejected
    ] == [
        ("votes", "answers.json", "record", 3, "1007", "8", "77", "of a class that classes.json does not have"),
        ("truth", "ground_truth.txt", "line", 3, "1007", None, "9", "of a class that classes.json does not have"),
        ("ai_votes", "ai_answers.json", "record", 2, "1005", None, "3", "with a score that is not in [0, 1]"),
    ]
    assert is_balanced(tables)


def test_an_answer_without_a_score_is_rejected_and_a_score_without_an_answer_noted(first: Path) -> None:
    edited(first / "aggregation/ai_scores.json", '"1": 0.25', '"2": 0.25')
    tables = read_tables(CrowdSwe(), first)
    assert tables.account.n_rejected["ai_votes"] == {"without a score": 1}
    assert tables.account.facts["scores in ai_scores.json without a vote of the AI"] == 1


def test_a_user_who_is_twice_in_an_observation_votes_once(second: Path) -> None:
    edited(second / "votes/human_votes.json", '"9": "2"\n', '"9": "2",\n"9": "1"\n')
    tables = read_tables(CrowdSwe(), second)
    votes = [row["label"] for row in rows(tables, "votes") if row["observation_id"] == "1018"]
    assert votes == ["Erinus alpinus L.", "Erinus alpinus L."]
    assert tables.account.left_out["votes"] == {
        "of a user who is twice in an observation, where the last one counts": 1
    }
    assert is_balanced(tables)


def test_an_observation_that_is_twice_there_is_noted(release: Path) -> None:
    path = next(
        path for path in (release / "answers/answers.json", release / "votes/human_votes.json") if path.exists()
    )
    key = "0" if path.name == "answers.json" else "1018"
    path.write_text(path.read_text().rstrip().removesuffix("}") + f', "{key}": {{"5": 0}}}}')
    tables = read_tables(CrowdSwe(), release)
    assert tables.account.n_used() == 5
    assert tables.account.facts[f"observations twice in {path.name}"] == 1


@pytest.mark.parametrize("value", ["true", "null", "[1]", '"x"', "1.0", '{"a": 1}'])
def test_what_is_no_class_is_rejected(first: Path, value: str) -> None:
    edited(first / "answers/answers.json", '"8": 0', f'"8": {value}')
    tables = read_tables(CrowdSwe(), first)
    assert tables.account.n_rejected == {"votes": {"of a class that classes.json does not have": 1}}


def test_what_is_no_object_of_votes_is_rejected(first: Path) -> None:
    edited(first / "answers/answers.json", '{\n      "8": 0\n   }', "[8, 0]")
    tables = read_tables(CrowdSwe(), first)
    assert tables.account.n_rejected == {"votes": {"without an object of users and classes": 1}}
    assert tables.account.rejected[0].text == "[8, 0]"


def test_missing_optional_files_are_recorded(release: Path) -> None:
    optional = [
        path
        for path in release.rglob("*.*")
        if path.stem not in ("answers", "human_votes", "tasks", "classes", "unified_classes", "ai_scores_all")
    ]
    for path in optional:
        path.unlink()
    tables = read_tables(CrowdSwe(), release)
    assert set(tables.tables) == {"votes"}
    assert rows(tables, "votes")[0]["is_author"] is None
    missing = set(tables.account.details["missing"].split(", "))
    known = {path.relative_to(release).as_posix() for path in optional} - {"converters/reverse_unified_classes.json"}
    assert missing == known


def test_files_may_be_packed_and_in_one_folder(release: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    flat = tmp_path_factory.mktemp("flat")
    for path in release.rglob("*.*"):
        (flat / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    packed, plain = read_tables(CrowdSwe(score_lists=True), flat), read_tables(CrowdSwe(score_lists=True), release)
    assert packed.tables == plain.tables
    assert packed.account.n_read == plain.account.n_read


def test_score_lists_of_the_second_release(second: Path) -> None:
    path = second / "ai_scores/ai_scores_all.json"
    path.write_text('{"1018": {"1": 0.7, "0": 0.01}, "1005": {"99": 0.5}, "1007": {"1": 1.5}, "1": 5, "2": {}}')
    tables = read_tables(CrowdSwe(score_lists=True), second)
    assert rows(tables, "scores") == [
        {
            "observation_id": "1018",
            "labels": ["Erinus alpinus L.", "Buddleja japonica Hemsl."],
            "probabilities": [0.7, 0.01],
        },
        {"observation_id": "2", "labels": [], "probabilities": []},
    ]
    assert tables.account.n_rejected["scores"] == {
        "of a class that unified_classes.json does not have": 1,
        "with a score that is not in [0, 1]": 1,
        "without an object of classes and scores": 1,
    }
    assert "scores" not in read_tables(CrowdSwe(), second).tables
    assert is_balanced(tables)


def test_scores_may_be_objects_of_several_classes(second: Path) -> None:
    (second / "ai_scores/ai_scores.json").write_text('{"1018": {"1": 0.7, "0": 0.01}, "1005": {"1": 0.5}}')
    tables = read_tables(CrowdSwe(), second)
    assert [row["score"] for row in rows(tables, "ai_votes")] == [0.7]
    assert tables.account.n_rejected["ai_votes"] == {"without a score": 1}


def test_classes_may_be_there_one_way_only(second: Path) -> None:
    expected = read_tables(CrowdSwe(), second).tables
    (second / "converters/unified_classes.json").unlink()
    assert read_tables(CrowdSwe(), second).tables == expected


def test_the_file_of_synonyms_is_named(first: Path) -> None:
    details = read_tables(CrowdSwe(), first).account.details
    assert details == {"release": "1", "synonyms": f"{first}/aggregation/k-southwestern-europe.json"}


def test_ids_that_are_no_numbers_stay_as_they_are(second: Path) -> None:
    for path in second.rglob("*.json"):
        path.write_text(path.read_text().replace('"1018"', '"007-é"'))
    tables = read_tables(CrowdSwe(), second)
    assert [row["observation_id"] for row in rows(tables, "votes")][:2] == ["007-é"] * 2
    assert [row["is_author"] for row in rows(tables, "votes")] == [True, False, True, None]
    assert rows(tables, "ai_votes")[0]["observation_id"] == "007-é"


def fault_of(*paths: Path) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(CrowdSwe(), *paths)
    return str(caught.value)


def test_a_converter_that_is_not_unique_is_refused(first: Path) -> None:
    edited(first / "converters/tasks.json", '"1007": 2', '"1007": 1')
    assert "tasks.json: gives the number 1 to several observations" in fault_of(first)
    edited(first / "converters/tasks.json", '"1007": 1', '"1007": 200000')
    assert "has 3 tasks with numbers up to 200,000" in fault_of(first)
    edited(first / "converters/tasks.json", '"1007": 200000', '"1007": -5')
    assert "record 3 is no observation with the number of a task" in fault_of(first)
    edited(first / "converters/tasks.json", '"1007": -5', '"1007": 2')
    edited(first / "converters/classes.json", ": 1", ": 0")
    assert "class 0 is both 'Erinus alpinus L.' and 'Mentha × piperita L.'" in fault_of(first)
    edited(first / "converters/classes.json", '"Erinus alpinus L.": 0', '"Erinus alpinus L.": null')
    assert "record 1 is no class with a number" in fault_of(first)


def test_classes_that_differ_both_ways_are_refused(second: Path) -> None:
    edited(second / "converters/reverse_unified_classes.json", '"1": "Erinus', '"1": "Erinas')
    assert "unified_classes.json and reverse_unified_classes.json do not have the same classes" in fault_of(second)


def test_what_is_no_release_is_refused(first: Path, second: Path) -> None:
    assert "holds both releases" in fault_of(first)  # the fixtures write into one folder
    (first / "answers/answers.json").unlink()
    (first / "votes/human_votes.json").unlink()
    assert "has neither answers/answers.json nor votes/human_votes.json" in fault_of(first)
    assert "is no folder" in fault_of(first / "converters/tasks.json")
    assert "2 paths where one folder is expected" in fault_of(first, first)


def test_missing_converters_are_refused(first: Path) -> None:
    (first / "converters/classes.json").unlink()
    assert "has no converters/classes.json; add it" in fault_of(first)


def test_cut_votes_are_refused_with_file_and_record(release: Path) -> None:
    path = next(
        path for path in (release / "answers/answers.json", release / "votes/human_votes.json") if path.exists()
    )
    path.write_bytes(path.read_bytes()[:-30])
    assert f"{path}: ends too early, in record" in fault_of(release)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2])
def test_a_release_becomes_labels_as_right_as_those_of_the_votes_in_it(work: Path, number: int) -> None:
    votes, truth, ai_votes = (pq.read_table(SAMPLE / f"{name}.parquet") for name in ("votes", "truth", "ai_votes"))
    write_release(work / "release", votes.to_pylist(), truth.to_pylist(), ai_votes.to_pylist(), number)
    plant_aggregate.convert("crowdswe", "release", "tables")
    run = plant_aggregate.run("tables/votes.parquet", "consensus")
    given = plant_aggregate.run(SAMPLE / "votes.parquet", "given")
    measured = plant_aggregate.evaluate(run, plant_aggregate.read_truth("tables/truth.parquet")).to_arrow()
    assert measured.equals(
        plant_aggregate.evaluate(given, plant_aggregate.read_truth(SAMPLE / "truth.parquet")).to_arrow()
    )
    assert len(plant_aggregate.read_ai_votes("tables/ai_votes.parquet")) == ai_votes.num_rows


def test_only_what_is_read_is_an_input(release: Path) -> None:
    (release / "readme.md").touch()
    read = {path.relative_to(release).as_posix() for path in CrowdSwe().files([release])}
    others = {"readme.md", "ai_scores/ai_scores_all.json", "aggregation/k-southwestern-europe.json"}
    assert read == {path.relative_to(release).as_posix() for path in release.rglob("*.*")} - others
    with_lists = set(CrowdSwe(score_lists=True).files([release])) - set(CrowdSwe().files([release]))
    assert {path.name for path in with_lists} <= {"ai_scores_all.json"}


def test_releases_are_recognised(release: Path) -> None:
    assert CrowdSwe.recognises(Sample.of(release))
    assert not CrowdSwe.recognises(Sample.of(release / "converters"))
