"""The recorder for PyTorch: what it writes, which batches it takes, and when files appear."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate import schema
from plant_aggregate.cli.main import run_command
from plant_aggregate.recorders import ranking
from plant_aggregate.recorders.torch import ScoreRecorder
from tests.paths import ROOT
from tests.reference.recorders import score_list

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.extras

NAMES = ["Acer campestre", "Acer opalus", "Abies alba", "Ulex minor", "Rosa canina", "Vicia sativa"]
HALVES = [torch.bfloat16, torch.float16]


@pytest.fixture
def recorder(tmp_path: Path) -> ScoreRecorder:
    return ScoreRecorder(tmp_path / "scores", NAMES, k=2)


def rows(folder: Path) -> list[dict[str, Any]]:
    """What is recorded, in the order of files and rows."""
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def names_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def logits_of(n: int, n_labels: int = len(NAMES), seed: int = 0) -> Any:
    return torch.randn(n, n_labels, generator=torch.Generator().manual_seed(seed))


def record(recorder: ScoreRecorder, epoch: int | None, ids: Any, logits: Any, targets: Any = None) -> None:
    with recorder.epoch(epoch):
        recorder(ids, logits, targets)


def interrupted(recorder: ScoreRecorder, epoch: int) -> None:
    with recorder.epoch(epoch):
        recorder([1], logits_of(1))
        raise KeyboardInterrupt


# Few distinct values, so that most rows have ties; zeros of both signs are equal.
LOGITS = st.sampled_from([-1.5, -0.0, 0.0, 0.0, 1.0, 1.0, 2.5, 300.0, -300.0, float("-inf")]) | st.floats(
    -9, 9, width=16
)


@given(
    st.lists(st.lists(LOGITS, min_size=6, max_size=6).filter(lambda row: max(row) > -1e9), min_size=1, max_size=5),
    st.integers(2, 8),
    st.sampled_from([torch.float64, torch.float32, *HALVES]),
    st.integers(1, 40),
    st.data(),
)
@settings(max_examples=80)
@pytest.mark.filterwarnings("ignore::plant_aggregate.AggregateWarning")
def test_lists_equal_the_reference(values: Any, k: int, dtype: Any, block: int, data: st.DataObject) -> None:
    logits = torch.tensor(values, dtype=dtype)
    targets = data.draw(st.none() | st.lists(st.integers(-2, 5), min_size=len(values), max_size=len(values)))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "BLOCK", block)  # rows are ranked a few at a time
        record(ScoreRecorder(folder, NAMES, k), 3, list(range(len(values))), logits, targets)
        found = rows(Path(folder))
    for i, row in enumerate(found):
        labels, shares, tail = score_list(logits[i].float().tolist(), k, targets[i] if targets else None)
        assert row["labels"] == [NAMES[label] for label in labels]
        assert row["probabilities"] == pytest.approx(shares, rel=1e-6, abs=1e-44)
        assert row["tail"] == pytest.approx(tail, abs=1e-6)
        assert (row["observation_id"], row["epoch"]) == (i, 3)
    assert len(found) == len(values)


@pytest.mark.parametrize("n_labels", [50, 5000])
def test_equal_logits_are_in_the_order_of_the_labels(n_labels: int) -> None:
    """``torch.topk`` gives them in another order, which depends on the device and on the number of labels."""
    logits = logits_of(64, n_labels).bfloat16().float()
    top = ranking.top_labels(logits, 10)
    expected = torch.sort(logits, dim=1, descending=True, stable=True)
    assert torch.equal(top.labels.long(), expected.indices[:, :10])
    assert torch.equal(top.logits, expected.values[:, :10])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_records_what_the_cpu_does(tmp_path: Path) -> None:
    logits, ids = (8 * logits_of(300, 1000)).round() / 8 + 1 / 3, torch.arange(300)
    for device in ("cpu", "cuda"):
        recorder = ScoreRecorder(tmp_path / device, range(1000))
        with recorder.epoch(0):
            for some in ids.split(100):
                recorder(some.to(device), logits[some].to(device), some.to(device))
    on_cpu, on_gpu = rows(tmp_path / "cpu"), rows(tmp_path / "cuda")
    assert [row["labels"] for row in on_gpu] == [row["labels"] for row in on_cpu]
    for ours, theirs in zip(on_gpu, on_cpu, strict=True):
        assert ours["probabilities"] == pytest.approx(theirs["probabilities"], rel=1e-5)


def test_ambiguity_reads_what_is_recorded(work: Path) -> None:
    logits = torch.tensor([[3.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 2.5, 0.0, 0.0, -9.0]])
    recorder = ScoreRecorder("scores", NAMES, k=2)
    for epoch in range(2):
        record(recorder, epoch, [1, 2], logits, [0, 5])
    votes = {"observation_id": [1, 2], "user_id": [7, 8], "label": [NAMES[0], NAMES[5]]}
    pq.write_table(pa.table(votes), "votes.parquet")
    assert run_command(["ambiguity", "votes.parquet", "--scores", "scores", "-q", "--trust", "weight"]) == 0
    first, second = pq.read_table("ambiguity.parquet").to_pylist()
    shares = torch.softmax(logits.double(), dim=1)
    assert first["score_aum"] == pytest.approx(float(shares[0, 0] - shares[0, 1]), abs=1e-6)
    # The target is not among the top two, and yet its margin is exact.
    assert second["score_aum_other"] == pytest.approx(float(shares[1, 5] - shares[1, 2]), abs=1e-6)
    # On logits it is the difference of those that the model had.
    assert first["score_aum_logits"] == pytest.approx(3.0 - 1.0, abs=1e-6)
    assert second["score_aum_logits"] == pytest.approx(-9.0 - 2.5, abs=1e-6)
    assert (first["n_epochs"], second["n_epochs"]) == (2, 2)
    assert first["exact"] is second["exact"] is True


@pytest.mark.parametrize("epoch", [None, 4])
def test_conformal_sets_read_what_is_recorded(work: Path, epoch: int | None) -> None:
    chance = torch.Generator().manual_seed(1)
    logits, truth = 3 * torch.randn(200, 6, generator=chance), torch.randint(6, (200,), generator=chance)
    logits[torch.arange(200), truth] += 4
    record(ScoreRecorder("scores", NAMES, k=3), epoch, torch.arange(200), logits)
    labels = {"observation_id": list(range(200)), "label": [NAMES[k] for k in truth.tolist()]}
    pq.write_table(pa.table(labels), "truth.parquet")
    fit = ["conformal", "fit", "scores", "--truth", "truth.parquet", "--alpha", "0.2", "-o", "sets.json"]
    assert run_command([*fit, "-q"]) == 0
    assert run_command(["conformal", "predict", "scores", "--sets", "sets.json", "-o", "sets.parquet", "-q"]) == 0
    assert pq.read_table("sets.parquet").num_rows == 200


def test_the_columns_are_those_of_the_schema(recorder: ScoreRecorder, tmp_path: Path) -> None:
    record(recorder, 0, [1], logits_of(1))
    (path,) = (tmp_path / "scores").iterdir()
    found = pq.read_schema(path)
    assert found.names == [column.name for column in schema.RECORDED_SCORES]
    wanted = [pa.int64(), pa.int32(), pa.list_(pa.string()), pa.list_(pa.float32()), pa.float32()]
    assert [str(each).replace("element", "item") for each in found.types] == [
        str(each).replace("element", "item") for each in wanted
    ]
    record(ScoreRecorder(tmp_path / "without", [5, 7]), None, ["a"], logits_of(1, 2))
    without = pq.read_table(tmp_path / "without")
    assert without.column_names == ["observation_id", "labels", "probabilities", "tail"]
    assert without["tail"].to_pylist() == [0.0]
    assert sorted(without["labels"].to_pylist()[0]) == [5, 7]


@pytest.mark.parametrize(
    ("ids", "recorded"),
    [
        (torch.tensor([5, 3, 4], dtype=torch.int32), [5, 3, 4]),
        (np.array([5, 3, 4], np.uint16), [5, 3, 4]),
        ([5, 3, 4], [5, 3, 4]),
        (("b", "a", "ü"), ["b", "a", "ü"]),
        (np.array(["b", "a", "c"]), ["b", "a", "c"]),
    ],
    ids=["tensor", "array", "list", "texts", "array of texts"],
)
def test_ids_of_any_kind(recorder: ScoreRecorder, tmp_path: Path, ids: Any, recorded: list[Any]) -> None:
    record(recorder, 0, ids, logits_of(3))
    assert [row["observation_id"] for row in rows(tmp_path / "scores")] == recorded


def test_what_is_overwritten_after_the_call_is_recorded_as_it_was(recorder: ScoreRecorder, tmp_path: Path) -> None:
    ids, logits, targets = torch.tensor([1, 2]), logits_of(2), torch.tensor([3, 4])
    expected = [score_list(row, 2, target) for row, target in zip(logits.tolist(), (3, 4), strict=True)]
    with recorder.epoch(0):
        recorder(ids, logits, targets)
        for tensor in (ids, logits, targets):
            tensor.zero_()
    found = rows(tmp_path / "scores")
    assert [row["observation_id"] for row in found] == [1, 2]
    assert [row["labels"] for row in found] == [[NAMES[label] for label in labels] for labels, _, _ in expected]


def test_the_training_is_not_touched(tmp_path: Path) -> None:
    """Gradients and random numbers are the same with a recorder, in training and in evaluation."""
    weights = []
    for recording in (False, True):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, len(NAMES)))
        steps = torch.optim.SGD(model.parameters(), 0.1)
        recorder = ScoreRecorder(tmp_path / str(recording), NAMES, k=2)
        recorder.attach(model[2])
        with recorder.epoch(0):
            for step in range(4):
                logits = model(torch.randn(5, 4))
                if recording:
                    recorder(torch.arange(5 * step, 5 * step + 5), targets=torch.arange(5))
                torch.nn.functional.cross_entropy(logits, torch.arange(5)).backward()
                if step % 2:  # gradients of two batches are added up
                    steps.step()
                    steps.zero_grad()
        weights.append(torch.cat([each.detach().flatten() for each in model.parameters()]))
    assert torch.equal(*weights)
    assert len(rows(tmp_path / "True")) == 20


def test_an_observation_seen_again_is_recorded_once(recorder: ScoreRecorder, tmp_path: Path) -> None:
    logits = logits_of(6)
    with recorder.epoch(0):
        recorder([1, 2, 1], logits[:3])
        recorder([3, 2], logits[3:5])
        recorder([4], logits[5:])
    found = rows(tmp_path / "scores")
    assert [row["observation_id"] for row in found] == [1, 2, 3, 4]
    assert found[2]["labels"] == [NAMES[label] for label in score_list(logits[3].tolist(), 2, None)[0]]


def test_row_groups_are_written_as_the_epoch_goes_on(
    recorder: ScoreRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plant_aggregate.recorders.epoch_files.ITEMS", 8)
    logits = logits_of(20)
    with recorder.epoch(0):
        for start in range(0, 20, 3):
            recorder([min(i, 17) for i in range(start, min(start + 3, 20))], logits[start : start + 3])
    (path,) = (tmp_path / "scores").iterdir()
    assert pq.read_metadata(path).num_row_groups > 1
    found = rows(tmp_path / "scores")
    assert [row["observation_id"] for row in found] == list(range(18))
    wanted = [score_list(row, 2, None)[0] for row in logits.tolist()[:18]]
    assert [row["labels"] for row in found] == [[NAMES[label] for label in labels] for labels in wanted]


def test_an_interrupted_epoch_is_recorded_again_and_complete_ones_stay(recorder: ScoreRecorder, tmp_path: Path) -> None:
    folder = tmp_path / "scores"
    for epoch in range(2):
        record(recorder, epoch, [1, 2], logits_of(2, seed=epoch))
    before = rows(folder)
    for number in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            interrupted(recorder, number)
    assert rows(folder) == before
    assert recorder.recorded() == [0, 1]
    # What a killed process leaves is hidden, and goes when the epoch begins again.
    (folder / ".epoch-00002-rank-000.parquet.77.partial").write_text("half")
    again = ScoreRecorder(folder, NAMES, k=2)
    assert again.recorded() == [0, 1]
    record(again, 2, [1, 2], logits_of(2, seed=2))
    record(again, 1, [1, 2], logits_of(2, seed=9))
    assert names_of(folder) == [f"epoch-0000{epoch}-rank-000.parquet" for epoch in range(3)]
    assert rows(folder)[2]["probabilities"] != before[2]["probabilities"]


def test_an_epoch_recorded_by_fewer_processes_replaces_what_more_recorded(
    recorder: ScoreRecorder, tmp_path: Path
) -> None:
    folder = tmp_path / "scores"
    record(recorder, 0, [1, 2], logits_of(2))
    for name in ("epoch-00000-rank-001.parquet", "epoch-00007-rank-001.parquet"):
        (folder / name).write_bytes((folder / "epoch-00000-rank-000.parquet").read_bytes())
    record(recorder, 0, [1, 2], logits_of(2))
    assert names_of(folder) == ["epoch-00000-rank-000.parquet", "epoch-00007-rank-001.parquet"]


@pytest.mark.parametrize("kind", ["integer", "text"])
def test_two_processes_record_each_observation_once(tmp_path: Path, kind: str) -> None:
    program = [sys.executable, "-m", "tests.recorders.two_processes"]
    arguments = [str(tmp_path / "meeting"), str(tmp_path / "scores"), kind]
    processes = [
        subprocess.Popen([*program, str(rank), *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    faults = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], faults
    wanted = sorted([f"obs-{i}" for i in range(7)] if kind == "text" else range(7))
    assert names_of(tmp_path / "scores") == [f"epoch-0000{e}-rank-00{r}.parquet" for e in range(2) for r in range(2)]
    for epoch in range(2):
        found = [row for row in rows(tmp_path / "scores") if row["epoch"] == epoch]
        assert sorted(row["observation_id"] for row in found) == wanted


def test_an_epoch_without_batches_has_no_file(recorder: ScoreRecorder, tmp_path: Path) -> None:
    record(recorder, 0, [1], logits_of(1))
    with recorder.epoch(0):
        recorder([], logits_of(0))
    assert names_of(tmp_path / "scores") == []


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_half_precision_is_a_warning_once(recorder: ScoreRecorder, dtype: Any) -> None:
    with pytest.warns(plant_aggregate.AggregateWarning, match=f"logits are {str(dtype)[6:]}: "):
        record(recorder, 0, [1, 2], logits_of(2).to(dtype))
    record(recorder, 1, [1, 2], logits_of(2).to(dtype))  # a second warning would be an error


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_logits_that_were_rounded_before_are_recognised(recorder: ScoreRecorder, dtype: Any) -> None:
    record(recorder, 0, range(20), torch.zeros(20, len(NAMES)))  # of a model that knows nothing
    with pytest.warns(plant_aggregate.AggregateWarning, match=f"were rounded to {str(dtype)[6:]} before"):
        record(recorder, 1, range(40), logits_of(40).to(dtype).float())


def test_an_attached_layer_is_recorded_before_autocast_rounds_it(tmp_path: Path) -> None:
    """Some rows have their two greatest logits equal in bfloat16; in float32 none has."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(16, 500)
    inputs = torch.randn(200, 16)
    recorder = ScoreRecorder(tmp_path / "scores", range(500), k=2)
    handle = recorder.attach(layer)
    layer(inputs)  # outside an epoch nothing is kept
    with recorder.epoch(0):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = layer(inputs)
            recorder(range(200))
        layer(inputs)
    assert rounded.dtype == torch.bfloat16
    top = rounded.float().topk(2).values
    assert (top[:, 0] == top[:, 1]).any()
    shares = [row["probabilities"] for row in rows(tmp_path / "scores")]
    assert all(first > second for first, second in shares)
    exact = torch.softmax(layer(inputs).double(), dim=1).topk(2).values
    assert np.allclose(shares, exact.detach().numpy(), rtol=1e-5)
    handle.remove()
    recorder.begin(1)
    layer(inputs)
    with pytest.raises(plant_aggregate.ParameterError, match="there are no logits"):
        recorder(range(200))


def test_logits_that_are_no_numbers_are_left_out(recorder: ScoreRecorder, tmp_path: Path) -> None:
    logits = logits_of(5)
    logits[1, 2], logits[3, 0] = float("nan"), float("inf")
    logits[4] = float("-inf")
    with pytest.warns(plant_aggregate.AggregateWarning, match="3 score lists of epoch 0 are left out"):
        record(recorder, 0, ["a", "b", "c", "d", "e"], logits, [0, 1, 2, 3, 4])
    assert [row["observation_id"] for row in rows(tmp_path / "scores")] == ["a", "c"]


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "too few ids": (([1], logits_of(2)), "there are 1 ids but 2 rows of logits"),
    "too few targets": (([1, 2], logits_of(2), [1]), "there are 1 targets but 2 rows of logits"),
    "other labels": (([1], logits_of(1, 5)), "logits have 5 columns, but there are 6 labels"),
    "no matrix": (([1], logits_of(1)[0]), "must be a tensor of floats, a row for each observation"),
    "no tensor": (([1], [[0.0] * 6]), "logits are list but must be a tensor"),
    "no floats": (([1], logits_of(1).long()), "must be a tensor of floats"),
    "ids that are floats": (([1.5], logits_of(1)), "ids are .* but must be integers or texts"),
    "a tensor of floats": ((torch.ones(1), logits_of(1)), "ids are .* but must be integers"),
    "a matrix of ids": (([[1]], logits_of(1)), "ids are .* one for each observation"),
    "soft targets": (([1], logits_of(1), torch.ones(1, 6)), "targets are .* but must be integers"),
    "targets that are texts": (
        ([1], logits_of(1), ["Acer campestre"]),
        "targets must be integers, the position of each",
    ),
    "an unknown target": (([1], logits_of(1), [6]), "a target is 6, but there are 6 labels, from 0 on"),
    "no logits": (([1],), "there are no logits"),
}


@pytest.mark.parametrize(("batch", "saying"), REFUSED.values(), ids=REFUSED)
def test_batches_that_do_not_fit_are_refused(
    recorder: ScoreRecorder, tmp_path: Path, batch: tuple[Any, ...], saying: str
) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match=saying), recorder.epoch(0):
        recorder(*batch)
    assert names_of(tmp_path / "scores") == []


def test_ids_are_of_one_type(recorder: ScoreRecorder) -> None:
    record(recorder, 0, [1], logits_of(1))
    with pytest.raises(plant_aggregate.ParameterError, match="ids are texts in one batch, and integers in another"):
        record(recorder, 1, ["1"], logits_of(1))


def test_epochs_begin_and_end(recorder: ScoreRecorder) -> None:
    for call in (recorder.end, lambda: recorder([1], logits_of(1))):
        with pytest.raises(plant_aggregate.ParameterError, match="no epoch is being recorded"):
            call()
    recorder.discard()
    with pytest.raises(plant_aggregate.ParameterError, match="an epoch is being recorded already"), recorder.epoch(0):
        recorder.begin(1)
    with pytest.raises(plant_aggregate.ParameterError, match="epoch is -1 but must be in"):
        recorder.begin(-1)


def test_a_folder_has_scores_with_epochs_or_without(recorder: ScoreRecorder, tmp_path: Path) -> None:
    record(recorder, None, [1], logits_of(1))
    with pytest.raises(plant_aggregate.ParameterError, match="has scores without epochs") as refused:
        recorder.begin(0)
    assert str(refused.value).endswith("; record in another folder")
    assert recorder.recorded() == []


@pytest.mark.parametrize(
    ("labels", "k", "saying"),
    [
        (["a", "b"], 1, "k is 1 but must be an integer of at least 2"),
        (["a"], 2, "labels must be at least two"),
        (["a", 1], 2, "all texts or all integers"),
        (["a", "b", "a"], 2, "label 'a' stands for two classes"),
        (["a", ""], 2, "the label of class 1 is empty"),
        (["a", 1.5], 2, "label 1.5 is neither a text nor an integer"),
    ],
)
def test_a_recorder_that_cannot_be(tmp_path: Path, labels: Any, k: int, saying: str) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match=saying):
        ScoreRecorder(tmp_path / "scores", labels, k)
    assert not (tmp_path / "scores").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "scores").write_text("a file")
    with pytest.raises(plant_aggregate.PublishError, match="scores: cannot be written"):
        ScoreRecorder(tmp_path / "scores", NAMES)


def test_only_a_linear_layer_is_attached(recorder: ScoreRecorder) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match="a layer of type ReLU cannot be attached"):
        recorder.attach(torch.nn.ReLU())
