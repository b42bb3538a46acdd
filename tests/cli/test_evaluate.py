"""``plant-aggregate evaluate``: tables, JSON, and a line for whatever cannot be used."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from tests.command_line import VOTES, Capture, Published, Write, refused
from tests.records import sign

TRUTH = pa.table({"observation_id": [1, 2, 7], "label": ["Acer campestre", "Abies grandis", "Abies alba"]})


def evaluated(capfd: Capture, *arguments: str | Path) -> str:
    assert run_command(["evaluate", *map(str, arguments)]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    return captured.out


def test_tables(capfd: Capture, published: Published, write: Write) -> None:
    printed = evaluated(capfd, published.folder, "--truth", write("truth.parquet", TRUTH))
    assert printed.startswith("2 observations of 2 species known to experts and voted on\n")
    assert "1 more that experts know have no vote" in printed
    assert "1 of the species, on 1 observation, nobody ever voted" in printed
    assert "accuracy of labels, valid or not" in printed
    assert "Abies grandis" in printed
    assert published.is_untouched()


def test_json(capfd: Capture, published: Published, write: Write) -> None:
    path = write("truth.parquet", TRUTH)
    result = json.loads(evaluated(capfd, published.folder, "--truth", path, "--json", "--seed", "3", "--worst", "0"))
    assert result["strategy"] == "plantnet"
    assert result["overlap"]["matched"] == 2
    assert result["subsets"][0]["measures"]["accuracy_of_labels"]["value"] == 0.5
    assert result["confusions"] == []
    assert (result["seed"], result["subsets"][0]["resamples"]) == (3, 1000)


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_runs_are_named_as_everywhere(
    capfd: Capture, write: Write, work: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """By id, beginning, ``latest`` and ``previous``, in the folder named, that of the configuration, or the default."""
    opened: list[str | None] = []
    monkeypatch.setattr(plant_aggregate.Run, "evidence", lambda run, truth: opened.append(run.run_id) or 1 / 0)
    for _ in range(2):
        assert run_command(["run", str(write()), "-q"]) == 0
    older, latest = (run.run_id for run in plant_aggregate.list_runs("consensus"))
    truth = ["--truth", str(write("truth.parquet", TRUTH))]
    names = {"latest": latest, "previous": older, older: older, latest: latest, "consensus": latest}
    beside = {("consensus", name): run_id for name, run_id in names.items() if name != "consensus"}
    for arguments, run_id in [*{(name,): run_id for name, run_id in names.items()}.items(), *beside.items()]:
        assert run_command([command, *arguments, *truth]) == 1
        assert opened.pop() == run_id
    (work / "consensus").rename("elsewhere")
    (work / "c.toml").write_text('[run]\noutput = "elsewhere"\n')
    for arguments in (("previous", "--config", "c.toml"), ("elsewhere", "previous")):
        assert run_command([command, *arguments, *truth]) == 1
        assert opened.pop() == older
    capfd.readouterr()
    assert "consensus: is no output folder" in refused(capfd, command, "previous", *truth)
    begin = refused(capfd, command, "elsewhere", older[:4], *truth)
    assert f"elsewhere: the ids of 2 runs begin with {older[:4]}; name one: {older}, {latest}\n" in begin


def test_other_column_names(capfd: Capture, published: Published, write: Write) -> None:
    path = write("truth.parquet", TRUTH.rename_columns(["obs", "species"]))
    line = refused(capfd, "evaluate", published.folder, "--truth", path)
    assert "column 'observation_id' is missing" in line
    assert "column 'label' is missing" in line
    assert "--column label=NAME" in line
    mapped = ["--column", "observation_id=obs", "--column", "label=species"]
    assert "2 observations" in evaluated(capfd, published.folder, "--truth", path, *mapped)


def test_votes_bring_the_agreement_of_the_voters(capfd: Capture, published: Published, write: Write) -> None:
    truth = write("truth.parquet", TRUTH)
    printed = evaluated(capfd, published.folder, "--truth", truth, "--votes", write("good.parquet"), "-q")
    assert "2 votes on 1 observations with two or more, 1 disputed" in printed
    assert "Krippendorff's alpha" in printed
    result = json.loads(
        evaluated(capfd, published.folder, "--truth", truth, "--votes", write("good.parquet"), "-q", "--json")
    )
    assert result["agreement"]["truth_voted"] == 0.5
    assert result["users"] == {"users": 0, "suspect": 0, "worst": []}


def test_votes_are_read_as_the_run_read_them(capfd: Capture, write: Write) -> None:
    renamed = write("other.parquet", VOTES.rename_columns(["obs", "who", "label", "is_author"]))
    mapping = ["--column", "observation_id=obs", "--column", "user_id=who"]
    assert run_command(["run", str(renamed), "-q", *mapping]) == 0
    capfd.readouterr()
    truth = write("truth.parquet", TRUTH)
    assert "2 votes on 1 obs" in evaluated(capfd, "consensus", "--truth", truth, "--votes", renamed, "-q")


@pytest.mark.filterwarnings("always::plant_aggregate.AggregateWarning")
def test_votes_of_another_consensus_are_noticed(capfd: Capture, published: Published, write: Write) -> None:
    votes = write("less.parquet", VOTES.slice(0, 3))
    arguments = [
        "evaluate",
        str(published.folder),
        "--truth",
        str(write("truth.parquet", TRUTH)),
        "--votes",
        str(votes),
    ]
    assert run_command([*arguments, "-q"]) == 0
    assert "warning: the votes are on 2 observations, the consensus on 3" in capfd.readouterr().err


def test_a_consensus_file_without_run_json(capfd: Capture, published: Published, write: Write, work: Path) -> None:
    consensus = pq.read_table(published.folder / "latest" / "consensus.parquet").drop_columns(["runner_up"])
    pq.write_table(consensus, work / "elsewhere.parquet")
    path = write("truth.parquet", TRUTH)
    result = json.loads(evaluated(capfd, "elsewhere.parquet", "--truth", path, "--json"))
    assert result["strategy"] is None
    assert result["overlap"]["matched"] == 2


@pytest.mark.parametrize(
    ("columns", "saying"),
    [
        ({"observation_id": None}, "column 'observation_id' is missing"),
        ({"label": None}, "column 'label' is missing"),
        ({"observation_id": ["1", "2", "7"]}, "column 'observation_id' has type string, but int64 in "),
        ({"observation_id": [1.0, 2.0, 7.0]}, "column 'observation_id' has type double"),
        ({"label": [1, 2, 3]}, "column 'label' has type int64, but string in "),
        ({"label": [["a"], ["b"], ["c"]]}, "column 'label' has type list"),
        ({"observation_id": [70, 80, 90]}, "none of its 3 observations is in the consensus"),
        ({"observation_id": [1, 7, 7]}, "observations that occur more than once: 7 in rows 1, 2"),
        ({"observation_id": pa.array([1, None, 7])}, "observation_id is null or blank in row 1"),
        ({"label": pa.array([None, None, " "])}, "no row has a label"),
        ({"observation_id": pa.array([], pa.int64()), "label": pa.array([], pa.string())}, "no rows"),
    ],
)
def test_truth_that_cannot_be_used(
    capfd: Capture, published: Published, write: Write, columns: dict[str, Any], saying: str
) -> None:
    kept = {name: TRUTH[name] for name in TRUTH.column_names} | columns
    table = pa.table({name: values for name, values in kept.items() if values is not None})
    line = refused(capfd, "evaluate", published.folder, "--truth", write("truth.parquet", table))
    assert saying in line
    assert "truth.parquet" in line
    assert published.is_untouched()


def test_many_repeated_observations_are_named_in_part(capfd: Capture, published: Published, write: Write) -> None:
    table = pa.table({"observation_id": [*range(50)] * 5, "label": ["x"] * 250})
    line = refused(capfd, "evaluate", published.folder, "--truth", write("truth.parquet", table))
    assert "0 in rows 0, 50, 100, ..., 1 in rows" in line
    assert "and 47 more" in line


def test_files_that_are_no_parquet_or_no_files(capfd: Capture, published: Published, write: Write, work: Path) -> None:
    (work / "truth.csv").write_text("observation_id,label\n1,x\n")
    (work / "empty").mkdir()
    good = write("truth.parquet", TRUTH)
    assert "cannot be read as Parquet" in refused(capfd, "evaluate", published.folder, "--truth", "truth.csv")
    assert "no such file" in refused(capfd, "evaluate", published.folder, "--truth", "gone.parquet")
    assert "no such file" in refused(capfd, "evaluate", "gone", "--truth", good)
    assert "holds neither consensus.parquet nor" in refused(capfd, "evaluate", "empty", "--truth", good)
    assert "cannot be read as Parquet" in refused(capfd, "evaluate", "truth.csv", "--truth", good)
    write("two/a.parquet", TRUTH)
    write("two/b.parquet", TRUTH)
    line = refused(capfd, "evaluate", published.folder, "--truth", "two")
    assert "observations that occur more than once: 1 in row 0 of two/a.parquet, row 0 of two/b.parquet, " in line


def test_a_consensus_that_is_none(capfd: Capture, published: Published, write: Write, work: Path) -> None:
    truth = write("truth.parquet", TRUTH)
    line = refused(capfd, "evaluate", write("votes.parquet", VOTES), "--truth", truth)
    assert "is no consensus: its columns are 'observation_id', 'user_id'" in line
    assert "--column" not in line
    consensus = pq.read_table(published.folder / "latest" / "consensus.parquet")

    def with_column(name: str, values: list[Any]) -> Path:
        place = consensus.column_names.index(name)
        return write("other.parquet", consensus.set_column(place, name, pa.array(values)))

    assert "observation 1 occurs more than once" in refused(
        capfd, "evaluate", with_column("observation_id", [1, 1, 2]), "--truth", truth
    )
    assert "'confidence' holds values outside [0, 1]" in refused(
        capfd, "evaluate", with_column("confidence", [0.5, 7.0, 0.5]), "--truth", truth
    )
    assert "'valid' holds nulls" in refused(
        capfd, "evaluate", with_column("valid", [True, None, True]), "--truth", truth
    )
    assert "'n_votes' has type string" in refused(
        capfd, "evaluate", with_column("n_votes", ["1", "2", "3"]), "--truth", truth
    )


def test_wrong_usage(capfd: Capture, published: Published, write: Write) -> None:
    path = write("truth.parquet", TRUTH)
    said = refused(capfd, "evaluate", published.folder, "--truth", path, "--seed", "-1", exit_code=2)
    assert "'--seed': -1 is not in the range x>=0" in said
    assert run_command(["evaluate", str(published.folder)]) == 2


def test_a_consensus_of_ids_that_are_not_utf8(capfd: Capture, write: Write, work: Path) -> None:
    texts = VOTES.set_column(0, "observation_id", VOTES["observation_id"].cast(pa.string()))
    assert run_command(["run", str(write(table=texts)), "-q"]) == 0
    capfd.readouterr()
    consensus = pq.read_table(work / "consensus" / "latest" / "consensus.parquet")
    ids = pa.StringArray.from_buffers(3, pa.array(["1", "2", "3"]).buffers()[1], pa.py_buffer(b"1\xff\xff"))
    pq.write_table(consensus.set_column(0, "observation_id", ids), work / "broken.parquet")
    truth = write("truth.parquet", pa.table({"observation_id": ids, "label": ["a", "b", "c"]}))
    assert "'observation_id' holds text that is not UTF-8" in refused(capfd, "evaluate", "consensus", "--truth", truth)
    truth = write("truth.parquet", pa.table({"observation_id": ["1", "2"], "label": ["Abies alba", "b"]}))
    evaluated(capfd, "broken.parquet", "--truth", truth)  # those that experts know are well


@pytest.mark.parametrize("column", ["n_votes", "weight"])
def test_a_consensus_of_numbers_too_large(
    capfd: Capture, published: Published, write: Write, work: Path, column: str
) -> None:
    consensus = pq.read_table(published.folder / "latest" / "consensus.parquet")
    place = consensus.column_names.index(column)
    pq.write_table(consensus.set_column(place, column, pa.array([2**63 - 1] * 3)), work / "broken.parquet")
    line = refused(capfd, "evaluate", "broken.parquet", "--truth", write("truth.parquet", TRUTH))
    assert "broken.parquet: cannot be read as a consensus (Integer value 9223372036854775807 " in line


def test_users_that_cannot_be_read(capfd: Capture, published: Published, write: Write) -> None:
    truth, path = write("truth.parquet", TRUTH), published.folder / "latest" / "users.parquet"
    users = pq.read_table(path)
    pq.write_table(users.set_column(0, "user_id", pa.array([1.0, 2.0, 3.0])), path)
    sign(path.parent)
    assert "column 'user_id' has type double" in refused(capfd, "evaluate", published.folder, "--truth", truth)
    broken = pa.StringArray.from_buffers(3, pa.array(["1", "2", "3"]).buffers()[1], pa.py_buffer(b"1\xff\xff"))
    pq.write_table(users.set_column(0, "user_id", broken), path)
    sign(path.parent)
    assert "column 'user_id' holds text that is not UTF-8" in refused(
        capfd, "evaluate", published.folder, "--truth", truth
    )
    place = users.column_names.index("n_shared")
    pq.write_table(users.set_column(place, "n_shared", pa.nulls(3, pa.int32())), path)
    sign(path.parent)
    assert "column 'n_shared' holds nulls" in refused(capfd, "evaluate", published.folder, "--truth", truth)


LABELS = pa.table({"observation_id": [1, 2, 3], "label": ["Acer campestre", "Abies alba", "Abies alba"]})


def test_labels_of_another_program(capfd: Capture, published: Published, write: Write) -> None:
    truth = write("truth.parquet", TRUTH)
    labels = write("labels.parquet", LABELS)
    printed = evaluated(capfd, labels, "--truth", truth)
    assert printed.startswith("2 observations of 2 species known to experts and labelled\n")
    assert "accuracy of labels, valid or not" in printed
    assert "macro" not in printed
    found = json.loads(evaluated(capfd, labels, "--truth", truth, "--json"))
    assert (found["consensus"], found["strategy"]) == (str(labels), None)
    assert list(found["subsets"][0]["measures"]) == ["accuracy_of_labels"]
    assert found["by_votes"] == []
    rows = evaluated(capfd, labels, "--truth", truth, "--csv").splitlines()
    assert len(rows) == 2
    votes = evaluated(capfd, labels, "--truth", truth, "--votes", write("good.parquet"), "-q")
    assert "Krippendorff's alpha" in votes


def test_names_of_columns_of_another_program(capfd: Capture, published: Published, write: Write) -> None:
    truth = write("truth.parquet", TRUTH)
    labels = write("labels.parquet", LABELS.rename_columns(["task", "agg_label"]))
    line = refused(capfd, "evaluate", labels, "--truth", truth)
    assert "labels.parquet: is no consensus: its columns are 'task', 'agg_label'; name a consensus, " in line
    assert "or map its names with --labels-column COLUMN=NAME" in line
    names = ["--labels-column", "observation_id=task", "--labels-column", "label=agg_label"]
    assert "2 observations of 2 species" in evaluated(capfd, labels, "--truth", truth, *names)
    twice = write("twice.parquet", pa.concat_tables([LABELS, LABELS]))
    line = refused(capfd, "evaluate", twice, "--truth", truth)
    assert "twice.parquet: observations that occur more than once: 1 in rows 0, 3" in line
    assert "these labels have no confidence" not in line
    assert "is no consensus" in refused(capfd, "calibrate", write("labels.parquet", LABELS), "--truth", truth)
