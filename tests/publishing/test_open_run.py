"""One door to a published run: by all its names, and what can be read through it."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.publishing.record import UNKNOWN

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


def test_a_run_has_many_names(work: Path) -> None:
    older, latest = ids()
    shutil.copytree(f"consensus/runs/{latest}", "copy")
    folder = f"{work}/consensus/runs/{latest}"
    names = {
        latest: [
            *("latest", latest, "consensus", "consensus/latest", folder, "copy"),
            *(f"{folder}/consensus.parquet", "consensus/latest/consensus.parquet", "copy/consensus.parquet"),
            *((work / "consensus").as_uri(), Path("consensus")),
        ],
        older: [older, Path("consensus", "runs", older), f"consensus/runs/{older}/consensus.parquet"],
    }
    for run_id, spellings in names.items():
        for name in spellings:
            run = plant_aggregate.open_run(name)
            assert (run.run_id, run.record.run_id, run.manifest["run_id"]) == (run_id, run_id, run_id), name
            assert run.read_table(columns=["observation_id"]).num_rows == 4
            assert run.read_table("users.parquet").num_rows == 3
            assert Path(run.path("users.parquet")).exists()
            run.verify()


def test_ids_are_looked_up_in_the_output_that_is_named(work: Path) -> None:
    older, latest = ids()
    (work / "consensus").rename("elsewhere")
    for name, run_id in (("latest", latest), (older, older)):
        assert plant_aggregate.open_run(name, "elsewhere").run_id == run_id
        with pytest.raises(plant_aggregate.AggregateError, match=r"consensus: has no (run|published run)"):
            plant_aggregate.open_run(name)
        with pytest.raises(plant_aggregate.VotesError, match=r"no such file or folder; check the path$"):
            plant_aggregate.open_run(name, None)
    assert plant_aggregate.diff(older, "latest", "elsewhere").table.num_rows == 0


def test_a_run_that_is_held_back_has_an_id(work: Path) -> None:
    strict = plant_aggregate.Settings(columns=COLUMNS, max_label_changes=0.0)
    with pytest.raises(plant_aggregate.HeldError) as caught:
        plant_aggregate.run("log/b.parquet", "consensus", settings=strict)
    held = caught.value.run.run_id
    assert plant_aggregate.open_run(held).record.held == caught.value.run.record.held != ()
    assert plant_aggregate.open_run("latest").run_id != held


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
    for name in ("latest", latest, "consensus"):
        with pytest.raises(plant_aggregate.VotesError, match="is that of run '20200101T000000Z'"):
            plant_aggregate.open_run(name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("nope", r"^nope: no such file or folder; check the path, or the id of the run \(see plant-aggregate runs\)$"),
        ("20261127T205323X", r"no such file or folder; .* \(see plant-aggregate runs\)$"),
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


# --- The votes of a run, read again -----------------------------------------------------------------------------------


def test_votes_are_read_again_as_the_run_read_them(work: Path) -> None:
    """By their columns, without what was cast later, and without the AI's."""
    expected = plant_aggregate.read_votes("log/*.parquet", columns=COLUMNS, as_of=AS_OF)
    votes = plant_aggregate.open_run("latest").votes()
    assert votes.observation_ids.equals(expected.observation_ids)
    assert votes.user_ids.equals(expected.user_ids)
    assert (votes.labels.tolist(), votes.users.tolist()) == (expected.labels.tolist(), expected.users.tolist())
    assert votes.n_votes == 5  # without the late one, and the one that a later one replaces


@pytest.mark.parametrize("only", [[3], [3, 77], pa.array([3], pa.int8()), range(3, 4)])
def test_votes_on_some_observations_only(work: Path, only: object) -> None:
    votes = plant_aggregate.open_run("latest").votes(only)  # type: ignore[arg-type]
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
            plant_aggregate.open_run("latest").votes(only)


def test_votes_that_are_gone_or_others_are_an_error(work: Path) -> None:
    run = plant_aggregate.open_run("latest")
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
