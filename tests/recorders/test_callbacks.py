"""Callbacks for trainers: every observation once an epoch, in training only, with the epoch that the trainer counts."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.recorders import lightning as for_lightning
from plant_aggregate.recorders import transformers as for_transformers
from plant_aggregate.recorders.torch import ScoreRecorder

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.extras,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of the trainers, in every version others
    pytest.mark.filterwarnings("error::plant_aggregate.AggregateWarning"),
]

N, CLASSES = 21, 5
IDS = [1000 + i for i in range(N)]


class Observations(torch.utils.data.Dataset):  # type: ignore[misc]
    """Pictures of observations, with the names of columns that a model of transformers has."""

    def __init__(self) -> None:
        self.features = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {"observation_id": IDS[i], "features": self.features[i], "labels": i % CLASSES}


def assert_complete(folder: Path, epochs: range) -> None:
    """Each observation once an epoch, with the target in its list, and epochs that differ."""
    found = {}
    for row in pq.read_table(folder).to_pylist():
        assert f"class {row['observation_id'] % 1000 % CLASSES}" in row["labels"]
        found[row["observation_id"], row["epoch"]] = row["probabilities"]
    assert sorted(found) == sorted((i, epoch) for i in IDS for epoch in epochs)
    assert found[IDS[0], 0] != found[IDS[0], 1]


@pytest.fixture
def recorder(tmp_path: Path) -> ScoreRecorder:
    return ScoreRecorder(tmp_path / "scores", [f"class {k}" for k in range(CLASSES)], k=2)


class StopTraining(Exception):  # noqa: N818
    """What ends a training in its third epoch."""


@pytest.mark.parametrize("package", for_lightning.PACKAGES)
@pytest.mark.parametrize("attached", [False, True], ids=["returned", "attached"])
def test_lightning_records_every_epoch(
    recorder: ScoreRecorder, tmp_path: Path, package: str, attached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl = pytest.importorskip(package)
    monkeypatch.setattr(for_lightning, "PACKAGES", (package,))

    class Module(pl.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, CLASSES)

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            if self.current_epoch == 2 and batch_idx == 1:
                raise StopTraining
            logits = self.layer(batch["features"])
            loss = torch.nn.functional.cross_entropy(logits, batch["labels"])
            return loss if attached else {"loss": loss, "logits": logits}

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.layer(batch["features"])

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    module = Module()
    if attached:
        recorder.attach(module.layer)
    callback = for_lightning.score_callback(
        recorder, ids="observation_id", logits=None if attached else "logits", targets="labels"
    )
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=4,
        callbacks=[callback],
        accumulate_grad_batches=2,
        val_check_interval=2,
        default_root_dir=tmp_path,
        **quiet,
    )
    loader = torch.utils.data.DataLoader(Observations(), batch_size=4, shuffle=True)
    with pytest.raises(StopTraining):
        trainer.fit(module, loader, torch.utils.data.DataLoader(Observations(), batch_size=4))
    assert recorder.recorded() == [0, 1]
    assert not recorder.is_recording
    assert_complete(tmp_path / "scores", range(2))


def test_a_step_of_lightning_without_logits_is_an_error(recorder: ScoreRecorder) -> None:
    pytest.importorskip("lightning")
    callback = for_lightning.score_callback(recorder, ids=0)
    with pytest.raises(plant_aggregate.ParameterError, match="training_step returns no 'logits'; return"):
        callback.on_train_batch_end(None, None, torch.tensor(1.0), ([1], 2), 0)


@pytest.fixture
def trainer_of(recorder: ScoreRecorder, tmp_path: Path) -> Any:
    """A trainer of transformers with the callback, and a model of ours."""
    transformers = pytest.importorskip("transformers")
    outputs = pytest.importorskip("transformers.modeling_outputs")

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, CLASSES)

        def forward(self, features: Any, labels: Any = None) -> Any:
            logits = self.layer(features)
            return outputs.SequenceClassifierOutput(
                loss=None if labels is None else torch.nn.functional.cross_entropy(logits, labels), logits=logits
            )

    def make(attached: bool = False, **settings: Any) -> Any:
        model = Model()
        if attached:
            recorder.attach(model.layer)
        arguments = transformers.TrainingArguments(
            **{
                "output_dir": str(tmp_path / "out"),
                "num_train_epochs": 2,
                "per_device_train_batch_size": 4,
                "gradient_accumulation_steps": 2,
                "eval_strategy": "steps",
                "eval_steps": 2,
                "save_strategy": "no",
                "report_to": [],
                "disable_tqdm": True,
                "use_cpu": True,
                "remove_unused_columns": False,
                **settings,
            }
        )
        callback = for_transformers.score_callback(recorder, logits=None if attached else "logits")
        data = Observations()
        return transformers.Trainer(model, arguments, train_dataset=data, eval_dataset=data, callbacks=[callback])

    return make


@pytest.mark.parametrize("attached", [False, True], ids=["returned", "attached"])
def test_the_trainer_of_transformers_records_every_epoch(trainer_of: Any, tmp_path: Path, attached: bool) -> None:
    trainer = trainer_of(attached)
    trainer.evaluate()  # takes batches with ids before the training, and after it
    trainer.train()
    trainer.evaluate()
    assert_complete(tmp_path / "scores", range(2))


def test_a_training_of_transformers_goes_on_where_it_was_saved(
    trainer_of: Any, recorder: ScoreRecorder, tmp_path: Path
) -> None:
    trainer_of(save_strategy="epoch", num_train_epochs=1).train()
    assert recorder.recorded() == [0]
    trainer_of(save_strategy="epoch", num_train_epochs=2).train(resume_from_checkpoint=True)
    assert_complete(tmp_path / "scores", range(2))


def test_autocast_of_accelerate_is_recognised(trainer_of: Any) -> None:
    """It makes float32 of the rounded logits."""
    with pytest.warns(plant_aggregate.AggregateWarning, match="were rounded to bfloat16 before"):
        trainer_of(bf16=True, per_device_train_batch_size=N).train()


def test_a_trainer_that_removes_the_ids_is_an_error(trainer_of: Any, recorder: ScoreRecorder) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match="give TrainingArguments\\(remove_unused_columns=False\\)"):
        trainer_of(remove_unused_columns=True).train()
    trainer = trainer_of()
    trainer.train_dataset = [{"features": torch.zeros(4), "labels": 0}] * N
    with pytest.raises(plant_aggregate.ParameterError, match="a batch has no 'observation_id'"):
        trainer.train()


@pytest.mark.parametrize(
    ("make", "saying"),
    [
        (lambda recorder: for_lightning.score_callback(recorder, 0), "Lightning is not installed; pip install"),
        (for_transformers.score_callback, "transformers is not installed; pip install"),
    ],
    ids=["lightning", "transformers"],
)
def test_without_the_trainer_it_says_what_to_install(
    recorder: ScoreRecorder, make: Any, saying: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(for_lightning, "PACKAGES", ("not_there.pytorch", "not_there_either"))
    monkeypatch.setattr(for_transformers, "find_spec", lambda _: None)
    with pytest.raises(plant_aggregate.ParameterError, match=saying):
        make(recorder)
