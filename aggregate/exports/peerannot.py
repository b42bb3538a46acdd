"""The votes as peerannot reads them: answers.json and metadata.json, in which everything has a number from 0."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..arrays import LabelCodes, UserCodes
from ..blocks import Block, Table, count
from ..files.writing import writing
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..settings import check_settings
from .crowd import consensus_codes, truth_codes, truth_of, truth_parameter, votes_of, votes_parameter

if TYPE_CHECKING:
    from ..files.sources import Paths
    from ..frames import Frame
    from ..votes import Votes

AT_A_TIME = 1 << 14  # observations


@dataclass(frozen=True)
class Peerannot:
    """The cleaned votes as a dataset of peerannot: answers.json, {task: {worker: class}}, and metadata.json.

    Tasks, workers and classes are numbers from 0; converters/ has the observation, user and label of each, in the
    layout of Pl@ntNet-CrowdSWE. authors.txt and consensus.txt have the author and the consensus of each task, a line
    each, with --truth ground_truth.txt the experts' label; -1 where there is none.
    """

    name: ClassVar[str] = "peerannot"

    votes: "Paths | Frame | None" = votes_parameter()
    truth: "Paths | Frame | None" = truth_parameter()

    def __post_init__(self) -> None:
        check_settings(self)

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write the files. Raises VotesError if the votes of the run are gone, PublishError."""
        truth = truth_of(run, self.truth)
        votes = votes_of(run, self.votes, progress)
        progress.phase("write", total=votes.n_observations, unit="observations")
        lines: dict[str, LabelCodes | UserCodes] = {
            "authors.txt": _authors(votes),
            "consensus.txt": consensus_codes(run, votes),
        }
        if truth is not None:
            lines["ground_truth.txt"] = truth_codes(truth, votes)
        converters = {"tasks": votes.observation_ids, "workers": votes.user_ids, "classes": votes.label_names}
        with writing(folder, "folder"):
            (folder / "converters").mkdir()
            for name, ids in converters.items():
                numbers = {str(each): number for number, each in enumerate(ids.to_pylist())}
                _write_json(numbers, folder / "converters" / f"{name}.json")
            for name, codes in lines.items():
                (folder / name).write_text("".join(f"{code}\n" for code in codes.tolist()), encoding="ascii")
            _write_json(
                {
                    "name": run.run_id or "consensus",
                    "n_task": votes.n_observations,
                    "n_workers": votes.n_users,
                    "n_classes": votes.n_labels,
                    "n_votes": votes.n_votes,
                },
                folder / "metadata.json",
            )
            with (folder / "answers.json").open("w", encoding="ascii") as file:
                file.writelines(_answers(votes, progress))
        names = {"authors.txt": "with a known author", "consensus.txt": "with a consensus"}
        rows = [(names.get(name, "with an expert label"), int((codes >= 0).sum())) for name, codes in lines.items()]
        title = f"{count(votes.n_observations, 'task')}, {count(votes.n_votes, 'vote')} of {votes.n_users:,} workers"
        return [Block(f"{title} on {votes.n_labels:,} classes", [Table(rows=rows, formats=("", ","))])]


def _answers(votes: "Votes", progress: Progress) -> Iterator[str]:
    """The parts of answers.json, some tasks at a time."""
    separator = "{"
    for first in range(0, votes.n_observations, AT_A_TIME):
        offsets = votes.offsets[first : first + AT_A_TIME + 1]
        chosen = slice(int(offsets[0]), int(offsets[-1]))
        pairs = [f'"{user}": {label}' for user, label in _pairs(votes, chosen)]
        ends = (offsets - offsets[0]).tolist()
        for number, (start, end) in enumerate(pairwise(ends), start=first):
            yield f'{separator}"{number}": {{{", ".join(pairs[start:end])}}}'
            separator = ",\n"
        progress.advance(len(ends) - 1)
    yield "}\n" if separator != "{" else "{}\n"


def _pairs(votes: "Votes", chosen: slice) -> Iterator[tuple[int, int]]:
    return zip(votes.users[chosen].tolist(), votes.labels[chosen].tolist(), strict=True)


def _authors(votes: "Votes") -> UserCodes:
    """int32[n_observations]; the author among the voters on each observation, -1 where none is known."""
    authors = np.full(votes.n_observations, -1, np.int32)
    rows = np.flatnonzero(votes.is_author)
    authors[np.searchsorted(votes.offsets, rows, side="right") - 1] = votes.users[rows]
    return authors


def _write_json(value: Any | Sequence[Any], path: Path) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
