"""A callback for the Trainer of Hugging Face that records the scores of a training."""

from importlib.util import find_spec
from typing import Any

from ..errors import ParameterError
from .torch import ScoreRecorder

DIGITS = 6  # of an epoch's number, which the trainer counts in steps


def score_callback(
    recorder: ScoreRecorder,
    ids: str = "observation_id",
    *,
    logits: str | None = "logits",
    targets: str | None = "labels",
) -> Any:
    """A callback for the ``Trainer`` of Hugging Face (``transformers``) that records every epoch of ``train``.

    Trainers show neither batches nor outputs to callbacks. So this one hooks the model: it takes the ids out of what
    ``forward`` is called with, in training and evaluation, and records what it returns in training. The trainer must
    leave the ids in the batches: ``TrainingArguments(remove_unused_columns=False)``.

    Args:
        recorder: what to record with.
        ids: the column of the observations' ids.
        logits: their name in what the model returns. None: those of the layer that is attached to the recorder.
        targets: the column of the targets; None to record none. With label smoothing or a loss of your own the trainer
            does not show them to the model, and none are recorded.

    Raises ParameterError if ``transformers`` is not installed.
    """
    if find_spec("transformers") is None:
        raise ParameterError("transformers is not installed", remedy="pip install transformers accelerate")
    from transformers import TrainerCallback

    class ScoreCallback(TrainerCallback):  # type: ignore[misc]  # a class of transformers
        """Begins and ends epochs, and records the batches between."""

        def __init__(self) -> None:
            self._model: Any = None
            self._ids: Any = None

        def on_init_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            self._hook(given.get("model"))

        def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            if args.remove_unused_columns:
                raise ParameterError(
                    f"the trainer removes the column {ids!r} from its batches",
                    remedy="give TrainingArguments(remove_unused_columns=False)",
                )
            if args.n_gpu > 1:
                raise ParameterError(
                    "one process with several GPUs runs copies of the model, which are not recorded",
                    remedy="start the training with torchrun or accelerate launch, a process for each GPU",
                )
            self._hook(given["model"])

        def on_epoch_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            recorder.discard()  # an epoch that an exception ended, of which trainers tell nobody
            recorder.begin(int(round(state.epoch or 0.0, DIGITS)))

        def on_epoch_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            recorder.end()

        def _hook(self, model: Any) -> None:
            """Hook a model, once."""
            if model is not None and model is not self._model:
                self._model = model
                model.register_forward_pre_hook(self._take_ids, with_kwargs=True)
                model.register_forward_hook(self._record, with_kwargs=True)

        def _take_ids(self, model: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
            self._ids = named.get(ids)
            return given, {name: value for name, value in named.items() if name != ids}

        def _record(self, model: Any, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            taken, self._ids = self._ids, None
            if not model.training or not recorder.is_recording:
                return
            if taken is None:
                raise ParameterError(
                    f"a batch has no {ids!r}",
                    remedy="have the data set return it, as an integer, or as a text if your collator keeps texts",
                )
            recorder(taken, None if logits is None else output[logits], named.get(targets) if targets else None)

    return ScoreCallback()
