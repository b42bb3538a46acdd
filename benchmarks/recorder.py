"""What recording scores adds to a training step, and what copying all of them does.

    python -m benchmarks.recorder

On a GPU, if PyTorch finds one, a ViT-B/16 under bfloat16 autocast with 50,000 labels; otherwise a small convolutional
network with 1,000 labels on the CPU. Steps of the kinds take turns, each for some steps at a time, so that what else
the machine does meets all alike:

- ``plain``: forward pass, loss, backward pass, optimiser.
- ``recorder``: and the top 10 labels recorded, with targets.
- ``attached``: and the last layer computed again in float32, which is recorded.
- ``all scores``: the softmax of all labels copied to the host at each step, and its top 10 taken there.

On a GPU a turn is timed until the device has finished; on the CPU, processor time of one thread counts, in which other
programs do not. The median over the turns is printed, with median and quartiles of what each turn takes more than the
plain one of its round, and how long the calls took that record, which is not lost in the noise of a busy machine. (The
layer that is attached is computed before, in the forward pass; on a GPU calls only start what it is to do.)
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import Any

import numpy as np
import torch

from plant_aggregate.recorders.torch import ScoreRecorder

KINDS = ("plain", "recorder", "attached", "all scores")
TOP = 10


def convolutions(n_labels: int) -> tuple[Any, Any]:
    """A small network for pictures of 64 x 64 pixels, and its last layer."""
    widths = (3, 32, 64, 128, 256)
    layers: list[Any] = []
    for before, after in pairwise(widths):
        layers += [torch.nn.Conv2d(before, after, 3, stride=2, padding=1), torch.nn.BatchNorm2d(after), torch.nn.ReLU()]
    last = torch.nn.Linear(256, n_labels)
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), last), last


class VisionTransformer(torch.nn.Module):
    """ViT-B/16 for pictures of 224 x 224 pixels (Dosovitskiy et al. 2021)."""

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        width = 768
        self.patches = torch.nn.Conv2d(3, width, 16, stride=16)
        self.token = torch.nn.Parameter(torch.zeros(1, 1, width))
        self.places = torch.nn.Parameter(0.02 * torch.randn(1, 14 * 14 + 1, width))
        layer = torch.nn.TransformerEncoderLayer(
            width, 12, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = torch.nn.TransformerEncoder(layer, 12, torch.nn.LayerNorm(width), enable_nested_tensor=False)
        self.last = torch.nn.Linear(width, n_labels)

    def forward(self, pictures: Any) -> Any:
        """Logits of each picture."""
        patches = self.patches(pictures).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(pictures), -1, -1), patches], dim=1)
        return self.last(self.encoder(tokens + self.places)[:, 0])


@dataclass
class Training:
    """A model in training, on one batch again and again."""

    device: str
    n_labels: int
    batch: int

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        on_gpu = self.device == "cuda"
        model, last = convolutions(self.n_labels) if not on_gpu else _with_last(VisionTransformer(self.n_labels))
        self.model, self.last = model.to(self.device), last
        self.optimiser = torch.optim.AdamW(self.model.parameters())
        pixels = 224 if on_gpu else 64
        self.pictures = torch.randn(self.batch, 3, pixels, pixels, device=self.device)
        self.targets = torch.randint(self.n_labels, (self.batch,), device=self.device)
        self.autocast = torch.autocast("cuda", dtype=torch.bfloat16) if on_gpu else nullcontext()
        self.clock = time.perf_counter if on_gpu else time.process_time
        self.recording = 0.0  # seconds so far in the calls that record

    def step(self, record: Callable[[Any], None]) -> None:
        """One step; ``record`` gets the logits."""
        with self.autocast:
            logits = self.model(self.pictures)
            loss = torch.nn.functional.cross_entropy(logits, self.targets)
        start = self.clock()
        record(logits)
        self.recording += self.clock() - start
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad()

    def wait(self) -> None:
        """Until the device has finished."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def _with_last(model: VisionTransformer) -> tuple[Any, Any]:
    return model, model.last


def top_on_host(logits: Any) -> None:
    """All scores to the host, as is done without a recorder."""
    scores = torch.softmax(logits.detach().float(), dim=1).cpu().numpy()
    top = np.argpartition(scores, -TOP, axis=1)[:, -TOP:]
    np.take_along_axis(scores, top, axis=1)


def turns(training: Training, kind: str, steps: int, rounds: int) -> Iterator[tuple[float, float]]:
    """Seconds of a step, and of the call in it that records, means of a turn's, whenever they are asked for."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        recorder = ScoreRecorder(folder, range(training.n_labels), TOP)
        ids = (torch.arange(start, start + training.batch) for start in range(0, 1 << 62, training.batch))
        record: Callable[[Any], None] = {
            "plain": lambda logits: None,
            "recorder": lambda logits: recorder(next(ids), logits, training.targets),
            "attached": lambda logits: recorder(next(ids), targets=training.targets),
            "all scores": top_on_host,
        }[kind]
        ending.enter_context(recorder.epoch(0))
        for _ in range(rounds):
            handle = recorder.attach(training.last) if kind == "attached" else None
            training.wait()
            start, before = training.clock(), training.recording
            for _ in range(steps):
                training.step(record)
            training.wait()
            yield (training.clock() - start) / steps, (training.recording - before) / steps
            if handle is not None:
                handle.remove()


def main() -> None:
    """Parse, measure, print."""
    on_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description="What recording scores adds to a training step.")
    parser.add_argument("--labels", type=int, default=50_000 if on_gpu else 1_000)
    parser.add_argument("--batch", type=int, default=128 if on_gpu else 64)
    parser.add_argument("--steps", type=int, default=20, help="steps of a turn (default 20)")
    parser.add_argument("--rounds", type=int, default=20, help="turns of each kind (default 20)")
    options = parser.parse_args()
    if not on_gpu:
        torch.set_num_threads(1)
    training = Training("cuda" if on_gpu else "cpu", options.labels, options.batch)
    kinds = {kind: turns(training, kind, options.steps, options.rounds + 1) for kind in KINDS}
    for each in kinds.values():  # what is compiled or allocated at first
        next(each)
    seconds = [{kind: next(each) for kind, each in kinds.items()} for _ in range(options.rounds)]
    device = torch.cuda.get_device_name() if on_gpu else "CPU, one thread"
    model = "ViT-B/16, bfloat16 autocast" if on_gpu else "four convolutions, float32"
    print(f"{device}; PyTorch {torch.__version__}; {model}; {options.labels:,} labels, {options.batch} pictures a step")
    for kind in KINDS:
        more = [100 * (each[kind][0] / each["plain"][0] - 1) for each in seconds]
        low, _, high = quantiles(more, n=4) if len(more) > 1 else (more[0],) * 3
        whole, calls = (1000 * median(each[kind][part] for each in seconds) for part in (0, 1))
        spread = f"  {median(more):+5.1f} % ({low:+.1f} to {high:+.1f})  {calls:.2f} ms in the calls"
        print(f"{kind:10} {whole:8.2f} ms{spread if kind != 'plain' else ''}")


if __name__ == "__main__":
    main()
