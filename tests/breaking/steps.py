"""Kills at every step of the worker: the process dies just before the first one, then before the second, and so on."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.paths import ROOT

from .promises import Watch, known_runs, latest_of, runs_in, what_is_left

VOTES = {
    "observation_id": [1, 1, 2, 3],
    "user_id": ["ana", "bo", "ana", "eve"],
    "label": ["Acer campestre", "Acer opalus", "Abies alba", "Abies alba"],
    "is_author": [True, False, True, True],
}
OTHER_LABELS = ["Acer opalus", "Acer opalus", "Abies alba", "Picea abies"]

RUN, OTHER_RUN = ["run", "votes.parquet", "-q"], ["run", "others.parquet", "-q"]
GUARD = ["--max-label-changes", "0"]

KILLED = -9
"""The exit code of a process that was."""

MOST_STEPS = 500
"""Far more than any command takes."""


@dataclass(frozen=True)
class Scene:
    """What lies in the output folder, and the command that is killed."""

    name: str
    before: tuple[list[str], ...]
    command: list[str]
    exit_code: int = 0
    prunes: bool = False
    stranded: bool = False
    """The last command of ``before`` is killed when its run has its place, and ``latest`` does not name it."""


SCENES = (
    Scene("a first run", (), RUN),
    Scene("a later run", (RUN,), OTHER_RUN),
    Scene("a run that prunes", (RUN, [*OTHER_RUN, *GUARD], OTHER_RUN), [*RUN, "--keep", "0"], prunes=True),
    Scene("a run that is held", (RUN,), [*OTHER_RUN, *GUARD], exit_code=3),
    Scene(
        "a run that is held and prunes",
        (RUN, RUN, [*OTHER_RUN, *GUARD]),
        [*OTHER_RUN, *GUARD, "--keep", "0"],
        exit_code=3,
        prunes=True,
    ),
    Scene("publish of a held run", (RUN, [*OTHER_RUN, *GUARD]), ["publish", "HELD"]),
    Scene("publish of an older run", (RUN, OTHER_RUN), ["publish", "OLDEST"]),
    Scene("rollback", (RUN, OTHER_RUN), ["rollback"]),
    Scene("a run after a killed run", (RUN, OTHER_RUN), OTHER_RUN, stranded=True),
    Scene("a run after a killed publish", (RUN, [*OTHER_RUN, *GUARD], ["publish", "HELD"]), RUN, stranded=True),
)


@dataclass(frozen=True)
class Kill:
    """What a kill left, and which promises it broke."""

    scene: str
    step: int
    left: str
    broken: list[str]


class Bench:
    """A folder with votes and an output folder, and the process that works there; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._output, self._kept = folder / "consensus", folder / "kept"
        self._said = ""
        write_votes(folder)

    def __enter__(self) -> "Bench":
        self._worker = subprocess.Popen(
            # Python warns of a fork where there are threads: those of pyarrow are idle, and it starts others.
            [sys.executable, "-W", "ignore", "-m", "tests.breaking.worker", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        for command in (RUN, OTHER_RUN, ["rollback"]):  # the second run is compared with the first
            self._ask(command, warm_up=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.communicate()

    def kills(self, scene: Scene) -> Iterator[Kill]:
        """Kill the command of a scene at each of its steps, and have an undisturbed run clear up each time."""
        seen = self._set(scene)
        known = known_runs(self._output) & seen | runs_in(self._output / "held")
        for step in range(1, MOST_STEPS):
            self._put_back()
            before = latest_of(self._output)
            watch = Watch(self._output, set(seen))
            exit_code = self._ask(scene.command, dies_at=step)
            broken, left = watch.broken(), what_is_left(self._output)
            switched = latest_of(self._output) != before
            if exit_code not in (KILLED, scene.exit_code):
                broken.append(f"exit code {exit_code}: {self._said}")
            if self._ask(RUN) != 0:
                broken.append(f"the next run failed: {self._said}")
            broken += watch.broken_after_a_run(known | watch.seen)
            lost = (known | watch.seen) - known_runs(self._output)
            if lost and not scene.prunes:
                broken.append(f"lost: {lost}")
            if exit_code != KILLED:
                yield Kill(scene.name, step, "not killed: its steps are through", broken)
                return
            yield Kill(scene.name, step, f"{left}; latest {'switched' if switched else 'as before'}", broken)
        raise AssertionError(f"{scene.name} does not end")

    def published(self) -> Watch:
        """The output folder with one run in it."""
        return Watch(self._output, self._set(Scene("a run", (RUN,), RUN)))

    def _set(self, scene: Scene) -> set[str]:
        """Have the output folder be as the scene wants it, and keep a copy; the runs that were published."""
        shutil.rmtree(self._output, ignore_errors=True)
        watch = Watch(self._output)
        *before, last = scene.before or [None]
        for command in before:
            self._ask(command)
            watch.broken()
        self._keep()
        if last is not None and not scene.stranded:
            self._ask(last)
        elif last is not None:
            for step in range(1, MOST_STEPS):
                self._put_back()
                self._ask(last, dies_at=step)
                if runs_in(self._output / "runs") - watch.seen and watch.broken() == []:
                    break
        watch.broken()
        self._keep()
        return watch.seen

    def _keep(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)
        if self._output.exists():
            shutil.copytree(self._output, self._kept, symlinks=True)

    def _put_back(self) -> None:
        shutil.rmtree(self._output, ignore_errors=True)
        if self._kept.exists():
            shutil.copytree(self._kept, self._output, symlinks=True)

    def _ask(self, command: list[str], dies_at: int | None = None, warm_up: bool = False) -> int:
        """The exit code of a command in the output folder."""
        job = {
            "arguments": [*named(command, self._output), "-o", str(self._output)],
            "output": str(self._output),
            "dies_at": dies_at,
            "warm_up": warm_up,
        }
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(json.dumps(job) + "\n")
        self._worker.stdin.flush()
        answer = json.loads(self._worker.stdout.readline())
        self._said = answer["said"]
        return int(answer["exit_code"])


def named(command: list[str], output: Path) -> list[str]:
    """A command with the id of a run for OLDEST or HELD, if there is one."""
    ids = {"OLDEST": runs_in(output / "runs"), "HELD": runs_in(output / "held")}
    return [min(ids[word]) if ids.get(word) else word for word in command]


def write_votes(folder: Path) -> None:
    """Write ``votes.parquet`` and ``others.parquet``, of which no label is that of the other."""
    pq.write_table(pa.table(VOTES), folder / "votes.parquet")
    pq.write_table(pa.table(VOTES | {"label": OTHER_LABELS}), folder / "others.parquet")
