"""One door to a published run: by all its names, and what can be read through it."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.publishing import open_run
from plant_aggregate.publishing.record import UNKNOWN
from tests.object_store import Bucket

AS_OF = datetime(2026, 11, 23, tzinfo=UTC)
VOTES = pa.table(
    {
        "obs": [1, 1, 2, 3, 3, 3, 2],
        "user_id": ["ana", "bo", "bo", "eve", "ana", "eve", "flo"],
        "label": [f"{name} sp." for name in ("Acer", "Acer", "Abies", "Acer", "Abies", "Picea", "Picea")],
        "is_author": [True, False, True, True, False, True, False],
        "voted_at": [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3, 5, 4, 6, 28)],
    }
)
AI = pa.table({"observation_id": [1, 9], "label": ["Acer sp.", "Abies sp."], "score": [0.9, 0.8]})
COLUMNS = {"observation_id": "obs"}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two runs, of two files of votes and one of the AI's, of which the last is published."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").mkdir()
    pq.write_table(VOTES.slice(0, 4), tmp_path / "log" / "a.parquet")
    pq.write_table(VOTES.slice(4), tmp_path / "log" / "b.parquet")
    pq.write_table(AI, tmp_path / "log" / "ai")
    settings = plant_aggregate.Settings(columns=COLUMNS, as_of=AS_OF, ai_votes="log/ai")
    for _ in range(2):
        plant_aggregate.run(["log/a.parquet", "log/b.parquet"], "consensus", settings=settings)
    return tmp_path


def ids() -> list[str]:
    return [run.run_id for run in plant_aggregate.list_runs("consensus")]


def held_run() -> str:
    strict = plant_aggregate.Settings(columns=COLUMNS, max_label_changes=0.0)
    with pytest.raises(plant_aggregate.HeldError) as caught:
        plant_aggregate.run("log/b.parquet", "consensus", settings=strict)
    assert plant_aggregate.open_run("consensus", caught.value.run.run_id) == caught.value.run
    return str(caught.value.run.run_id)


def test_a_run_has_many_names(work: Path) -> None:
    older, latest = ids()
    shutil.copytree(f"consensus/runs/{latest}", "copy")
    folder = f"{work}/consensus/runs/{latest}"
    names: dict[str, list[tuple[str | Path, ...]]] = {
        latest: [
            *((), ("consensus",), ("consensus", "latest"), ("consensus", latest), ("consensus/latest",), (folder,)),
            *((f"{folder}/consensus.parquet",), ("consensus/latest/consensus.parquet",), ("copy/consensus.parquet",)),
            *(((work / "consensus").as_uri(),), (Path("consensus"), "latest"), ("copy",), ("consensus/latest/",)),
        ],
        older: [
            *(("consensus", "previous"), ("consensus", older), (Path("consensus", "runs", older),)),
            (f"consensus/runs/{older}/consensus.parquet",),
        ],
    }
    for run_id, spellings in names.items():
        for name in spellings:
            run = plant_aggregate.open_run(*name)  # type: ignore[arg-type]
            assert (run.run_id, run.record.run_id, run.manifest["run_id"]) == (run_id, run_id, run_id), name
            assert run.read_table(columns=["observation_id"]).num_rows == 4
            assert run.read_table("users.parquet").num_rows == 3
            assert Path(run.path("users.parquet")).exists()
            run.verify()


@pytest.mark.parametrize("name", ["latest", "previous"])
def test_a_run_that_was_removed_after_its_name_was_followed_gives_way_to_the_next(
    work: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = {"latest": ids()[1], "previous": ids()[0]}[name]
    answers = iter(["20200101T000000Z", found])
    monkeypatch.setattr(open_run, "find_run", lambda *_: next(answers))
    assert plant_aggregate.open_run("consensus", name).run_id == found
    monkeypatch.setattr(open_run, "find_run", lambda *_: "20200101T000000Z")
    with pytest.raises(plant_aggregate.PublishError, match="has no run 20200101T000000Z"):
        plant_aggregate.open_run("consensus", name)


def test_a_run_is_named_by_the_beginning_of_its_id(work: Path) -> None:
    """As long as it is that of one run alone, held back or not; a whole id is no beginning."""
    output = Path("consensus")
    (kept, published), held = ids(), held_run()
    renamed = {kept: "20261127T010000Z", published: "20261127T010000Z-2", held: "20261128T010000Z"}
    (output / "latest").unlink()
    for run_id, other in renamed.items():
        folder = output / ("held" if run_id == held else "runs") / run_id
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**record, "run_id": other}))
        folder.rename(folder.parent / other)
    (output / "latest").symlink_to("runs/20261127T010000Z-2")
    for name, found in (
        ("20261127T010000Z", "20261127T010000Z"),
        ("20261127T010000Z-", "20261127T010000Z-2"),
        ("20261128", "20261128T010000Z"),
    ):
        assert plant_aggregate.open_run(output, name).run_id == found
    several = r"^consensus: the ids of 2 runs begin with 20261127T; name one: 20261127T010000Z, 20261127T010000Z-2$"
    with pytest.raises(plant_aggregate.PublishError, match=several):
        plant_aggregate.open_run(output, "20261127T")
    assert plant_aggregate.diff("previous", "20261128", output).found is not None
    Path("20261128").mkdir()  # is a path now
    with pytest.raises(plant_aggregate.VotesError, match=r"^20261128: holds neither"):
        plant_aggregate.diff("previous", "20261128", output)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("20261127T010001Z", r"has no run 20261127T010001Z; did you mean 20261127T010000Z\?$"),
        ("lastest", r"has no run lastest; did you mean latest\?$"),
        ("prev", r"has no run prev; the newest are: 20261127T010000Z$"),
        ("", r"has no run ; the newest are: 20261127T010000Z$"),
        ("../runs", r"has no run \.\./runs; the newest are: 20261127T010000Z$"),
        ("previous", r"there is no run before 20261127T010000Z; see plant-aggregate runs$"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_what_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("consensus/runs/20261127T010000Z").mkdir(parents=True)
    Path("consensus/latest").symlink_to("runs/20261127T010000Z")
    with pytest.raises(plant_aggregate.PublishError, match=f"^consensus: {fault}"):
        plant_aggregate.open_run("consensus", name)


def test_a_name_without_an_output_folder_is_an_error_that_says_what_to_write(work: Path) -> None:
    older, _ = ids()
    for name in ("latest", "previous", older, older[:8]):
        told = re.escape(f"{name}: no such file or folder; for a run of an output folder write open_run('consensus', ")
        with pytest.raises(plant_aggregate.VotesError, match=f"^{told}{name!r}"):
            plant_aggregate.open_run(name)
    for given in (plant_aggregate.open_run(), {"observation_id": [1]}, None):
        with pytest.raises(TypeError, match=r"^an output folder or a run is wanted, not .*write its path: open_run\('"):
            plant_aggregate.open_run(given)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="the id of a run is wanted"):
            plant_aggregate.open_run("consensus", given or 7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a run is wanted, not a dict: write its path"):
        plant_aggregate.diff("consensus", {})  # type: ignore[arg-type]


def test_ids_are_looked_up_in_the_output_that_is_named(work: Path) -> None:
    older, latest = ids()
    (work / "consensus").rename("elsewhere")
    for name, run_id in (("latest", latest), (older, older), ("previous", older)):
        assert plant_aggregate.open_run("elsewhere", name).run_id == run_id
        with pytest.raises(plant_aggregate.PublishError, match="consensus: is no output folder; name one that"):
            plant_aggregate.open_run("consensus", name)
    assert plant_aggregate.diff(older, "latest", "elsewhere").table.num_rows == 0
    assert plant_aggregate.diff(*map(plant_aggregate.open_run, ["elsewhere"] * 2)).table.num_rows == 0


def test_a_run_that_is_held_back_has_an_id(work: Path) -> None:
    held = held_run()
    assert plant_aggregate.open_run("consensus", held).record.held != ()
    assert plant_aggregate.open_run("consensus").run_id != held
    assert plant_aggregate.open_run("consensus", "previous").run_id == ids()[0]


# --- What `run` gives is what is opened later -------------------------------------------------------------------------


def facts(run: plant_aggregate.Run) -> dict[str, Any]:
    """All public attributes, and what is given without arguments."""
    names = [name for name in dir(run) if not name.startswith("_")]
    found = {name: getattr(run, name) for name in names}
    for name in ("path", "read_table", "to_arrow", "users"):
        found[name] = found[name]()
    return {name: value for name, value in found.items() if not callable(value)} | {"repr": repr(run)}


@pytest.mark.parametrize("output", ["consensus", "remote"])
def test_what_run_gives_is_what_is_opened_later(work: Path, bucket: Bucket, output: str) -> None:
    """All but the seconds of publishing, which no file has."""
    output = bucket.uri("out") if output == "remote" else output
    settings = plant_aggregate.Settings(columns=COLUMNS, as_of=AS_OF, ai_votes="log/ai")
    made = [plant_aggregate.run(["log/a.parquet", "log/b.parquet"], output, settings=settings) for _ in range(2)]
    run_ids = [run.run_id for run in made]
    made += [plant_aggregate.rollback(output), plant_aggregate.publish(output, str(run_ids[1]))]
    assert [run.replaced for run in made] == [None, None, run_ids[1], run_ids[0]]
    for run in made:
        for opened in (plant_aggregate.open_run(output, run.run_id), plant_aggregate.open_run(run.folder)):
            assert opened == run
            ours, theirs = facts(run), facts(opened)
            seconds = {phase: round(spent, 4) for phase, spent in ours.pop("seconds").items() if phase != "publish"}
            assert seconds == theirs.pop("seconds")
            assert ours | {"replaced": None} == theirs
            assert sorted(theirs["files"]) == sorted(run.record.outputs)
    assert plant_aggregate.open_run(output) == plant_aggregate.open_latest(output) == made[1]


def test_a_run_is_a_table_of_its_consensus(work: Path) -> None:
    run = plant_aggregate.run("log/a.parquet", "out", settings=plant_aggregate.Settings(columns=COLUMNS))
    table = run.to_arrow()
    assert table.equals(pq.read_table("out/latest/consensus.parquet"))
    assert pa.table(run).equals(table)
    assert run.to_pandas()["label"].tolist() == table["label"].to_pylist()
    assert run.users_to_arrow().equals(pq.read_table("out/latest/users.parquet"))
    assert run.users_to_pandas()["user_id"].tolist() == ["ana", "bo", "eve"]
    assert run.counts["observations"] == run.counts["valid"] + run.counts["contested"] + run.counts["needs_votes"] == 3
    assert repr(run) == (
        f"Run(out/runs/{run.run_id}: 3 observations: {run.counts['valid']} valid, {run.counts['contested']} contested, "
        f"{run.counts['needs_votes']} need votes; plantnet)"
    )
    assert run.latest == Path("out/latest")
    record = json.loads(Path("out/latest/run.json").read_text())
    for lacking in ("names", "trace", "changes", "converged", "counts"):  # as run.json of another version may
        record.pop(lacking)
        Path("out/latest/run.json").write_text(json.dumps(record))
        assert str(run.run_id) in plant_aggregate.open_run("out")._repr_html_()
    shutil.copy("out/latest/consensus.parquet", "mine.parquet")
    alone = plant_aggregate.open_run("mine.parquet")
    assert (repr(alone), alone.counts, alone.latest, alone.folder) == ("Run(mine.parquet)", {}, None, Path())


def test_a_consensus_without_a_run_json_is_read_as_it_is(work: Path) -> None:
    shutil.copy("consensus/latest/consensus.parquet", "mine.parquet")
    run = plant_aggregate.open_run("mine.parquet")
    assert (run.run_id, run.files, run.users(), run.record) == (None, [], None, UNKNOWN)
    assert run.read_table().num_rows == 4
    truth = plant_aggregate.truth_from_table(pa.table({"observation_id": [1], "label": ["Acer sp."]}))
    evidence = run.evidence(truth)
    assert (evidence.path, evidence.n_observations, evidence.manifest) == ("mine.parquet", 4, None)
    with pytest.raises(plant_aggregate.VotesError, match="does not tell which votes the run read; name the files of"):
        run.votes()


def test_a_name_of_no_sound_run_is_refused(work: Path) -> None:
    with pytest.raises(plant_aggregate.VotesError, match=r"log: holds neither consensus\.parquet nor latest"):
        plant_aggregate.open_run("log")
    _, latest = ids()
    record = json.loads(Path(f"consensus/runs/{latest}/run.json").read_text())
    Path(f"consensus/runs/{latest}/run.json").write_text(json.dumps({**record, "run_id": "20200101T000000Z"}))
    for name in ("latest", latest, None):
        with pytest.raises(plant_aggregate.VotesError, match="is that of run '20200101T000000Z'"):
            plant_aggregate.open_run("consensus", name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("nope", r"^nope: no such file or folder; check the path$"),
        ("20261127T205323X", r"^20261127T205323X: no such file or folder; check the path$"),
        ("held/x", r"^held/x: no such file or folder; check the path$"),
        ("copied/consensus.parquet", r"^copied/consensus\.parquet: no such file or folder; check the path$"),
        ("README.md", r"^README\.md: cannot be read as Parquet"),
        ("truth.parquet", r"^truth\.parquet: is no consensus: its columns are 'observation_id', 'label'; name"),
        ("consensus/latest/users.parquet", r"users\.parquet: is no consensus: its columns are 'user_id', 'weight'"),
        ("consensus/runs/*/consensus.parquet", r"matches 2 files; name one file"),
    ],
)
def test_what_is_no_run_is_refused_when_it_is_opened(work: Path, name: str, fault: str) -> None:
    Path("README.md").write_text("# Consensus\n")
    pq.write_table(AI.select(["observation_id", "label"]), "truth.parquet")
    Path("copied").mkdir()
    shutil.copy("consensus/latest/run.json", "copied")
    names = [name] if name.startswith("2026") else [name, (work / name).as_uri()]
    for given in names[: 1 if "*" in name else 2]:
        with pytest.raises(plant_aggregate.VotesError, match=fault if given == name else None):
            plant_aggregate.open_run(given)


def test_a_consensus_without_a_run_json_cannot_be_verified(work: Path) -> None:
    shutil.copy("consensus/latest/consensus.parquet", "mine.parquet")
    run = plant_aggregate.open_run("mine.parquet")
    missing = r"there is no run\.json that lists its tables"
    with pytest.raises(plant_aggregate.VotesError, match=rf"^mine\.parquet: cannot be verified: {missing}; name"):
        run.verify()
    with pytest.raises(plant_aggregate.VotesError, match=rf"users\.parquet: cannot be read; {missing}$"):
        run.open("users.parquet")


@pytest.mark.extras
def test_a_run_is_a_frame_of_polars_and_a_table_of_duckdb(work: Path) -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    run = plant_aggregate.open_run()
    labels = run.to_arrow()["label"].to_pylist()
    assert run.to_polars()["label"].to_list() == polars.DataFrame(run)["label"].to_list() == labels
    assert run.users_to_polars()["user_id"].to_list() == run.users_to_arrow()["user_id"].to_pylist()
    assert [label for (label,) in duckdb.sql("select label from run order by observation_id").fetchall()] == labels


# --- The votes of a run, read again -----------------------------------------------------------------------------------


def test_votes_are_read_again_as_the_run_read_them(work: Path) -> None:
    """By their columns, without what was cast later, and without the AI's."""
    expected = plant_aggregate.read_votes("log/*.parquet", columns=COLUMNS, as_of=AS_OF)
    votes = plant_aggregate.open_run().votes()
    assert votes.observation_ids.equals(expected.observation_ids)
    assert votes.user_ids.equals(expected.user_ids)
    assert (votes.labels.tolist(), votes.users.tolist()) == (expected.labels.tolist(), expected.users.tolist())
    assert votes.n_votes == 5  # without the late one, and the one that a later one replaces


@pytest.mark.parametrize("only", [[3], [3, 77], pa.array([3], pa.int8()), range(3, 4)])
def test_votes_on_some_observations_only(work: Path, only: object) -> None:
    votes = plant_aggregate.open_run().votes(only)  # type: ignore[arg-type]
    assert votes.observation_ids.to_pylist() == [3]
    assert votes.user_ids.to_pylist() == ["ana", "eve"]
    labels = [votes.label_names[int(code)].as_py() for code in votes.labels]
    assert dict(zip(votes.users.tolist(), labels, strict=True)) == {0: "Abies sp.", 1: "Picea sp."}
    assert votes.is_author.tolist() == [False, True]


def test_rows_that_the_run_could_reject_are_no_error_for_one_observation(work: Path) -> None:
    rows = [{"obs": n, "user_id": "ana", "label": "Abies alba"} for n in range(200)]
    rows[7]["user_id"] = ""
    rows.append({"obs": 7, "user_id": "bo", "label": "Abies alba"})
    pq.write_table(pa.Table.from_pylist(rows), "log/c.parquet")
    with pytest.warns(plant_aggregate.AggregateWarning):
        plant_aggregate.run("log/c.parquet", "out", settings=plant_aggregate.Settings(columns=COLUMNS))
    assert plant_aggregate.open_run("out").votes([7]).n_votes == 1


def test_an_observation_without_votes_is_an_error(work: Path) -> None:
    for only in ([9], []):
        with pytest.raises(plant_aggregate.VotesError, match="holds no vote on the observations asked for"):
            plant_aggregate.open_run().votes(only)


def test_votes_that_are_gone_or_others_are_an_error(work: Path) -> None:
    run = plant_aggregate.open_run()
    kept = Path("log/b.parquet").read_bytes()
    pq.write_table(VOTES.slice(4, 2), "log/b.parquet")
    remedy = "; name the files of the votes as the run read them"
    with pytest.raises(
        plant_aggregate.VotesError,
        match=rf"^log/b.parquet: has another SHA-256 by now \(votes of run {run.run_id}\){remedy}",
    ):
        run.votes([1])
    Path("log/b.parquet").rename("log/moved.parquet")
    with pytest.raises(
        plant_aggregate.VotesError, match=rf"^log/b.parquet: no such file.* \(votes of run {run.run_id}\){remedy}"
    ):
        run.votes([1])
    Path("log/moved.parquet").write_bytes(kept)
    assert run.votes([3], paths="log/*.parquet").n_votes == 2
