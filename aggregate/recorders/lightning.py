"""A callback for Lightning that records the scores of a training."""

from importlib import import_module
from typing import Any

from ..errors import ParameterError
from .torch import ScoreRecorder

PACKAGES = ("lightning.pytorch", "pytorch_lightning")


def score_callback(
    recorder: ScoreRecorder, ids: str | int, *, logits: str | None = "logits", targets: str | int | None = None
) -> Any:
    """A callback for the ``Trainer`` of Lightning that records every epoch of ``fit``.

    Args:
        recorder: what to record with.
        ids: the key, or position, of the observations' ids in a batch.
        logits: their key in what ``training_step`` returns: ``return {"loss": loss, "logits": logits}``. None: those of
            the layer that is attached to the recorder.
        targets: key, or position, of the targets in a batch; None to record none.

    An epoch that ends by an exception is discarded. Raises ParameterError if Lightning is not installed.
    """

    class ScoreCallback(_callback_class()):  # type: ignore[misc]  # a class of Lightning
        """Begins and ends epochs, and records the batches between."""

        def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
            recorder.begin(trainer.current_epoch)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            given = None if logits is None else _logits_of(outputs, logits)
            recorder(batch[ids], given, None if targets is None else batch[targets])

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            recorder.end()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            recorder.discard()

    return ScoreCallback()


def _callback_class() -> Any:
    for package in PACKAGES:
        try:
            return import_module(package).Callback
        except ModuleNotFoundError as error:
            if error.name not in (package, package.partition(".")[0]):
                raise
    raise ParameterError("Lightning is not installed", remedy="pip install lightning")


def _logits_of(outputs: Any, key: str) -> Any:
    if not isinstance(outputs, dict) or key not in outputs:
        raise ParameterError(
            f"training_step returns no {key!r}",
            remedy=f'return {{"loss": loss, {key!r}: logits}}, or attach the last layer and give logits=None',
        )
    return outputs[key]
