from datetime import UTC, datetime
from pathlib import Path

import pytest

from plant_aggregate import ParameterError, VotesError
from plant_aggregate.formats.csv import Csv, Tsv
from plant_aggregate.formats.reading import read_tables
from plant_aggregate.formats.typed import NO_FLAG, NO_SCORE, NO_TIME


def written(folder: Path, text: str, name: str = "votes.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_votes_with_all_columns(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "user_id,observation_id,label,is_author,voted_at,url\n"
        "ana,007,Acer,TRUE,2026-11-23T02:15:00Z,x\n"
        "bo,1152921504606846977,NA,0,2026-11-23 02:15:00.25+01:00,y\n"
        "NA,8,,,,\n",
    )
    tables, account = read_tables(Csv(), path)
    assert tables["votes"].to_pylist() == [
        dict(zip(tables["votes"].column_names, row, strict=True))
        for row in [
            ("007", "ana", "Acer", True, datetime(2026, 11, 23, 2, 15, tzinfo=UTC)),
            ("1152921504606846977", "bo", "NA", False, datetime(2026, 11, 23, 1, 15, 0, 250_000, UTC)),
            ("8", "NA", "", None, None),
        ]
    ]
    assert tables["votes"].column_names == ["observation_id", "user_id", "label", "is_author", "voted_at"]
    assert (account.n_read["votes"], account.n_used()) == (3, 3)


def test_own_names_of_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "obs\twho\tname\n1\tana\tAcer\n", "votes.tsv")
    columns = {"observation_id": "obs", "user_id": "who", "label": "name"}
    tables, _ = read_tables(Tsv(columns=columns), path)
    assert tables["votes"].to_pylist() == [{"observation_id": "1", "user_id": "ana", "label": "Acer"}]


def test_another_delimiter(tmp_path: Path) -> None:
    path = written(tmp_path, "observation_id;user_id;label\n1;a,b;Acer\n")
    assert read_tables(Csv(delimiter=";"), path).tables["votes"]["user_id"].to_pylist() == ["a,b"]
    with pytest.raises(VotesError, match=r"column 'observation_id' is missing; .*or name the --delimiter"):
        read_tables(Csv(), path)


def test_what_cannot_be_used_is_rejected(tmp_path: Path) -> None:
    lines = [
        "observation_id,user_id,label,is_author,voted_at",
        "1,ana,Acer,maybe,2026-11-23",
        ",bo,Acer,,",
        "3,,Acer,,",
        "4,dee,Acer,yes,yesterday",
        "5,e,Acer,1,20261123",
        "6,f,Acer,1,2026-02-30",
        "7,g,Acer",
        "8,h,Acer,1,2026-11-23",
    ]
    tables, account = read_tables(Csv(), written(tmp_path, "\n".join(lines)))
    assert tables["votes"]["observation_id"].to_pylist() == ["8"]
    assert [(item.number, item.reason) for item in sorted(account.rejected, key=lambda item: item.number)] == [
        (2, NO_FLAG),
        (3, "without an observation"),
        (4, "without a user"),
        (5, NO_FLAG),
        (6, NO_TIME),
        (7, NO_TIME),
        (8, "with fewer fields than the header"),
    ]
    assert account.n_read["votes"] == 8 == account.n_used() + len(account.rejected)
    first = next(item for item in account.rejected if item.number == 2)
    assert (first.observation_id, first.user_id, first.label) == ("1", "ana", "Acer")
    assert first.text == "observation_id=1, user_id=ana, label=Acer, is_author=maybe, voted_at=2026-11-23"


@pytest.mark.parametrize("times", [["2026-11-23", "2026-11-23T02"], ["2026-11-23T02:15Z", "2026-11-23T03:15+0100"]])
def test_times_are_read_alike_alone_and_among_others(tmp_path: Path, times: list[str]) -> None:
    """Columns without gaps take a faster way."""

    def read(*more: str) -> list[object]:
        rows = [f"1,u{number},Acer,{time}" for number, time in enumerate((*times, *more))]
        path = written(tmp_path, "\n".join(["observation_id,user_id,label,voted_at", *rows]))
        found: list[object] = read_tables(Csv(), path).tables["votes"]["voted_at"].to_pylist()
        return found

    assert read() == read("")[:2]


def test_files_may_differ_in_optional_columns(tmp_path: Path) -> None:
    first = written(tmp_path, "observation_id,user_id,label\n1,ana,Acer\n", "1.csv")
    second = written(tmp_path, "observation_id,user_id,label,is_author\n2,bo,Acer,1\n", "2.csv")
    assert read_tables(Csv(), first, second).tables["votes"]["is_author"].to_pylist() == [None, True]


def test_expert_labels_and_ai_votes(tmp_path: Path) -> None:
    truth, _ = read_tables(Csv(table="truth"), written(tmp_path, "observation_id,label\n1,Acer\n"))
    assert truth["truth"].to_pylist() == [{"observation_id": "1", "label": "Acer"}]
    path = written(
        tmp_path, "observation_id,label,score\n1,Acer,0.5\n2,Acer,1e-3\n3,Acer,1.5\n4,Acer,nan\n5,Acer,0x1\n"
    )
    tables, account = read_tables(Csv(table="ai_votes"), path)
    assert tables["ai_votes"]["score"].to_pylist() == [0.5, 1e-3]
    assert account.n_rejected == {"ai_votes": {NO_SCORE: 3}}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": "scores"}, "table is 'scores' but must be one of votes, truth, ai_votes"),
        ({"delimiter": "::"}, "delimiter is '::' but must be one ASCII character"),
    ],
)
def test_wrong_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Csv(**options)


def test_a_column_of_another_table(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="score is no column of votes, which has observation_id"):
        read_tables(Csv(columns={"score": "p"}), written(tmp_path, "observation_id,user_id,label\n"))


def test_an_optional_column_that_is_named_must_be_there(tmp_path: Path) -> None:
    path = written(tmp_path, "observation_id,user_id,label\n1,ana,Acer\n")
    with pytest.raises(VotesError, match="column 'when' is missing"):
        read_tables(Csv(columns={"voted_at": "when"}), path)
