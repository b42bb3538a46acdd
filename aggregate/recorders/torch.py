"""Records the scores that a PyTorch model gives observations in training, for ``ambiguity`` and prediction sets.

The top labels are found on the device of the logits, and copied to pinned memory while the training goes on; what one
step copied is taken up in the next, so that no step waits for the device.
"""

import operator
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrow import array
from ..errors import ParameterError, warn
from .epoch_files import EpochFile, ScoreFolder, first_of_each
from .lists import Ids, TopLogits, lists_from, rounded_to
from .ranking import Ranked, top_labels

if TYPE_CHECKING:
    import torch

LAST_EPOCH = (1 << 31) - 1


class ScoreRecorder:
    """Records the top labels of a model's logits, and their probabilities: ``schema.RECORDED_SCORES`` as Parquet.

    Call it with each batch of an epoch::

        recorder = ScoreRecorder("scores", classes)
        for epoch in range(n_epochs):
            with recorder.epoch(epoch):
                for ids, images, targets in loader:
                    logits = model(images)
                    recorder(ids, logits, targets)

    There is a file for each epoch and process of a distributed training. They appear when the epoch is complete, and
    replace those of the same epoch. An observation that is seen twice in an epoch, as samplers repeat some to have as
    many for each process, is recorded once: as seen first, by the process of the lowest rank.

    Probabilities are normalised over all labels, by a logsumexp of the given logits in float32. Labels with equal
    logits are ranked in the order of ``labels``, on every kind of device. Rows with logits that are NaN or infinite are
    left out, with a warning.

    Args:
        folder: where the files are written, made if it is missing; one for each training.
        labels: the label of each class, in the order of the logits: distinct texts or integers, as in the votes.
        k: labels kept for each observation, at least 2.
        distributed: whether all processes of ``torch.distributed``, if that is initialised, record together; all must
            enter and leave each epoch then. False: this process records alone.

    Raises ParameterError, also if PyTorch is not installed, and PublishError if the folder cannot be written.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        labels: Sequence[str] | Sequence[int],
        k: int = 10,
        *,
        distributed: bool = True,
    ) -> None:
        if find_spec("torch") is None:
            raise ParameterError("PyTorch is not installed", remedy="pip install 'plant-aggregate[torch]'")
        self._names = _names_of(labels)
        if isinstance(k, bool) or not isinstance(k, int) or k < 2:
            raise ParameterError(f"k is {k!r} but must be an integer of at least 2")
        self._k = min(k, len(self._names))
        self._folder = ScoreFolder(folder)
        self._distributed = distributed
        self._epoch: int | None = None
        self._file: EpochFile | None = None  # of the epoch that is being recorded
        self._pending: _Pending | None = None
        self._logits: torch.Tensor | None = None  # of the layer that is attached, until they are recorded
        self._has_texts: bool | None = None
        self._unusable = 0
        self._knows_precision = False

    def __call__(self, ids: Any, logits: "torch.Tensor | None" = None, targets: Any = None) -> None:
        """Record a batch of n observations. Does not change the logits, nor wait for them.

        Args:
            ids: of the observations, n integers or texts: a tensor, an array or a list.
            logits: float[n, K], of any precision, on any device; without them, those of the attached layer.
            targets: n integers, the class each observation is trained on; negative for none. The score of a target
                that is not among the top k is kept beside these, so that its margin is exact. Give none for scores
                that prediction sets are fitted on: there a label must be listed for its score alone.

        Raises ParameterError outside an epoch, and for what does not fit.
        """
        import torch

        self._opened()
        kept, self._logits = self._logits, None
        given = kept if logits is None else logits
        if given is None:
            raise ParameterError("there are no logits", remedy="give them, or attach(...) the last layer of the model")
        self._check_logits(given)
        if len(given) == 0 and len(ids) == 0:
            return
        batch = _ids_of(ids, given.device)
        classes = None if targets is None else _targets_of(targets, given.device)
        self._check_batch(batch, classes, len(given))
        ranked = top_labels(given, self._k, None if classes is None else _moved(classes, given.device))
        host = Ranked(*(None if each is None else _to_host(each) for each in ranked))
        batch = batch if isinstance(batch, np.ndarray) else _to_host(batch)
        waiting = _Pending(batch, host, None if classes is None else _to_host(classes), None)
        if given.is_cuda:
            copied = torch.cuda.Event()
            copied.record(torch.cuda.current_stream(given.device))
            waiting = waiting._replace(copied=copied)
        self._take_up()
        self._pending = waiting

    @contextmanager
    def epoch(self, number: int | None = None) -> Iterator[None]:
        """Record what is called inside as the epoch of that number, 0 or more; an exception discards it.

        None: scores without epochs, such as those of a finished model.
        """
        self.begin(number)
        try:
            yield
        except BaseException:
            self.discard()
            raise
        self.end()

    def begin(self, number: int | None = None) -> None:
        """Begin an epoch, where ``with`` does not fit: as :meth:`epoch`, to be followed by ``end`` or ``discard``."""
        if self._file is not None:
            raise ParameterError("an epoch is being recorded already", remedy="end it before the next begins")
        if number is not None:
            number = operator.index(number)
            if not 0 <= number <= LAST_EPOCH:
                raise ParameterError(f"epoch is {number} but must be in [0, {LAST_EPOCH}]")
        self._folder.check_kind(number)
        self._epoch, self._unusable = number, 0
        self._file = EpochFile(self._folder.file(number, self._processes()[0]), self._names, number)

    def end(self) -> None:
        """End the epoch: its file appears. In a distributed training all processes must call it, as they all do."""
        file = self._opened()
        try:
            self._take_up()
            ids = file.close()
            rank, n_processes = self._processes()
            file.publish(first_of_each(_gathered(ids, n_processes))[rank])
            if rank == 0:
                self._folder.remove_others(self._epoch, n_processes)
            _gathered(None, n_processes)  # so that after it all files are there
        finally:
            self.discard()
        if self._unusable:
            where = "" if self._epoch is None else f" of epoch {self._epoch}"
            warn(f"{self._unusable:,} score lists{where} are left out: their logits are NaN or infinite")

    def discard(self) -> None:
        """Forget the epoch that is being recorded, if one is; files of it that are complete stay."""
        if self._file is not None:
            self._file.discard()
        self._file = self._pending = self._logits = None

    @property
    def is_recording(self) -> bool:
        """Whether an epoch has begun that has not ended."""
        return self._file is not None

    def recorded(self) -> list[int]:
        """The epochs that are complete, ascending: to go on after an interruption with the one after the last."""
        return self._folder.epochs()

    def attach(self, layer: "torch.nn.Module") -> "torch.utils.hooks.RemovableHandle":
        """Take the logits from the model's last layer, a ``torch.nn.Linear``, in float32: call with ids alone then.

        Under autocast the layer multiplies in half precision and rounds its output, so that the top labels often tie.
        After each forward pass inside an epoch, a hook computes the layer's output again from the same input and its
        weights, in float32 with autocast off: one more matrix product, outside the graph of gradients. What layers
        before have rounded stays rounded, and the loss sees the logits of the model as ever. Where
        ``torch.backends.cuda.matmul.allow_tf32`` is set, the product has the precision of that.

        Returns the handle, whose ``remove()`` detaches it. Raises ParameterError for another kind of layer.
        """
        import torch

        if not isinstance(layer, torch.nn.Linear):
            raise ParameterError(
                f"a layer of type {type(layer).__name__} cannot be attached: only torch.nn.Linear is computed again",
                remedy="attach the last linear layer, or give float32 logits in the call",
            )
        return layer.register_forward_hook(self._keep_logits)

    def _keep_logits(
        self, layer: "torch.nn.Linear", inputs: "tuple[torch.Tensor, ...]", output: "torch.Tensor"
    ) -> None:
        import torch

        if self._file is None or not inputs:
            return
        with torch.no_grad(), torch.autocast(output.device.type, enabled=False):
            bias = None if layer.bias is None else layer.bias.float()
            self._logits = torch.nn.functional.linear(inputs[0].detach().float(), layer.weight.float(), bias)

    def _opened(self) -> EpochFile:
        if self._file is None:
            raise ParameterError("no epoch is being recorded", remedy="call it inside `with recorder.epoch(number):`")
        return self._file

    def _processes(self) -> tuple[int, int]:
        """The rank of this process, and how many record together."""
        from torch import distributed

        if not self._distributed or not distributed.is_available() or not distributed.is_initialized():
            return 0, 1
        return distributed.get_rank(), distributed.get_world_size()

    def _check_logits(self, logits: "torch.Tensor") -> None:
        import torch

        if not isinstance(logits, torch.Tensor) or not logits.is_floating_point() or logits.ndim != 2:
            what = (
                f"{list(logits.shape)} of {logits.dtype}" if isinstance(logits, torch.Tensor) else type(logits).__name__
            )
            raise ParameterError(f"logits are {what} but must be a tensor of floats, a row for each observation")
        if logits.shape[1] != len(self._names):
            raise ParameterError(f"logits have {logits.shape[1]:,} columns, but there are {len(self._names):,} labels")
        if logits.dtype in (torch.bfloat16, torch.float16) and not self._knows_precision:
            self._warn_of_precision(f"logits are {str(logits.dtype).removeprefix('torch.')}")

    def _check_batch(self, ids: "Ids | torch.Tensor", targets: "torch.Tensor | None", n: int) -> None:
        for what, given in (("ids", ids), ("targets", targets)):
            if given is not None and len(given) != n:
                raise ParameterError(f"there are {len(given):,} {what} but {n:,} rows of logits")
        has_texts = isinstance(ids, np.ndarray)
        if self._has_texts not in (None, has_texts):
            raise ParameterError("ids are texts in one batch, and integers in another", remedy="give one type")
        self._has_texts = has_texts

    def _warn_of_precision(self, what: str) -> None:
        """Say once that margins are not exact."""
        self._knows_precision = True
        warn(
            f"{what}: many labels have equal scores, and margins between the first two are often 0; "
            "recorder.attach(the model's last linear layer) records its output in float32"
        )

    def _take_up(self) -> None:
        """Add what the last call copied to the file."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        if pending.copied is not None:
            pending.copied.synchronize()
        arrays: list[Any] = [None if each is None else each.numpy() for each in (*pending.ranked, pending.targets)]
        top, targets = TopLogits(*arrays[:-1]), arrays[-1]
        if not self._knows_precision:
            rounded = rounded_to(top.logits)
            if rounded:  # as `accelerate` makes float32 of what autocast has rounded
                self._warn_of_precision(f"logits are float32, but were rounded to {rounded} before")
            self._knows_precision = rounded is not None
        ids = pending.ids if isinstance(pending.ids, np.ndarray) else pending.ids.numpy()
        lists = lists_from(ids, top, targets, len(self._names))
        self._unusable += len(ids) - len(lists.ids)
        self._opened().add(lists)


class _Pending(NamedTuple):
    """A batch whose results are on their way to the host."""

    ids: "Ids | torch.Tensor"
    ranked: Ranked
    targets: "torch.Tensor | None"
    copied: "torch.cuda.Event | None"  # when they have arrived; None where they have


def _names_of(labels: Sequence[str] | Sequence[int]) -> pa.Array:
    """The labels as Arrow strings or integers. Raises ParameterError unless they are two or more, and distinct."""
    names: list[Any] = [label if isinstance(label, str) else _integer(label) for label in labels]
    if len(names) < 2 or len({type(name) for name in names}) != 1:
        raise ParameterError("labels must be at least two, all texts or all integers")
    if "" in names:
        raise ParameterError(f"the label of class {names.index('')} is empty")
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ParameterError(f"label {twice!r} stands for two classes")
    return array(names)


def _integer(label: object) -> int:
    try:
        return operator.index(label)  # type: ignore[arg-type]  # what is none is the error
    except TypeError:
        raise ParameterError(f"label {label!r} is neither a text nor an integer") from None


def _ids_of(ids: Any, device: "torch.device") -> "Ids | torch.Tensor":
    """Ids as texts, or a tensor int64[n]. Raises ParameterError."""
    import torch

    if isinstance(ids, torch.Tensor):
        return _whole_numbers(ids, "ids", device)
    values = np.asarray(ids)
    if values.ndim == 1 and values.dtype.kind in "UO" and all(isinstance(each, str) for each in ids):
        return values.astype(object)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        what = f"{list(values.shape)} of {values.dtype}"
        raise ParameterError(f"ids are {what} but must be integers or texts, one for each observation")
    return torch.from_numpy(values.astype(np.int64))


def _targets_of(targets: Any, device: "torch.device") -> "torch.Tensor":
    """Targets as a tensor int64[n]. Raises ParameterError."""
    import torch

    try:
        values = torch.as_tensor(targets)
    except (TypeError, ValueError, RuntimeError):
        raise ParameterError("targets must be integers, the position of each class among the labels") from None
    return _whole_numbers(values, "targets", device)


def _whole_numbers(values: "torch.Tensor", what: str, device: "torch.device") -> "torch.Tensor":
    """A copy int64[n], on the host or on the device of the logits. Raises ParameterError."""
    import torch

    if values.ndim != 1 or values.is_floating_point() or values.is_complex() or values.dtype == torch.bool:
        raise ParameterError(
            f"{what} are {list(values.shape)} of {values.dtype} but must be integers, one for each observation"
        )
    there = values.detach() if values.device.type == "cpu" else values.detach().to(device)
    return there.to(torch.int64, copy=True)


def _moved(values: "torch.Tensor", device: "torch.device") -> "torch.Tensor":
    """A tensor on a device, without a wait: what is copied there is pinned."""
    if device.type == "cuda" and not values.is_cuda:
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


def _to_host(values: "torch.Tensor") -> "torch.Tensor":
    """A tensor in memory of the host; that of a CUDA device arrives there later, in the order of its stream."""
    import torch

    if not values.is_cuda:
        return values.cpu()
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return host.copy_(values, non_blocking=True)


def _gathered(value: Any, n_processes: int) -> list[Any]:
    """The value of each process, by rank; all of them must call this."""
    if n_processes == 1:
        return [value]
    from torch import distributed

    values: list[Any] = [None] * n_processes
    distributed.all_gather_object(values, value)
    return values
