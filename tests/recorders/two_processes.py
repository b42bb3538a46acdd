"""One of two processes of a distributed training: ``two_processes.py RANK FILE FOLDER IDS``."""

import sys

import torch
from torch.utils.data import DistributedSampler

from plant_aggregate.recorders.torch import ScoreRecorder


def main(rank: int, meeting: str, folder: str, kind: str) -> None:
    """Record two epochs of seven observations, of which the sampler repeats one to give each process four."""
    torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=2)
    ids = [f"obs-{i}" for i in range(7)] if kind == "text" else list(range(7))
    recorder = ScoreRecorder(folder, ["a", "b", "c"], k=2)
    for epoch in range(2):
        sampler = DistributedSampler(ids, num_replicas=2, rank=rank, seed=5)  # type: ignore[var-annotated]
        sampler.set_epoch(epoch)
        with recorder.epoch(epoch):
            places = list(sampler)
            for batch in (places[:3], places[3:]):
                recorder([ids[i] for i in batch], torch.tensor([[float(i), 1.5, -1.5] for i in batch]))
        # When an epoch ends, the files of all processes are there.
        assert recorder.recorded() == list(range(epoch + 1))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
