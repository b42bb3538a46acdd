"""The output folder: ``runs/RUN_ID/`` holds runs, the symlink ``latest`` names the published one.

A run is written to a hidden folder, flushed to disk, renamed to its id, and published by replacing the symlink,
which is one atomic step: a reader of ``latest`` sees the old run or the new one, whole, through any crash.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from ..errors import PublishError

UNFINISHED = ".partial"


class RunFolder:
    """An output folder. Every failure of the disk is a PublishError that leaves ``latest`` as it was."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.runs = self.path / "runs"
        self.latest = self.path / "latest"

    def prepare(self) -> None:
        """Create the folder and see that it can be published to, before any work is done."""
        with writing(self.path):
            self.runs.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.runs):
                pass
        if self.latest.exists() and not self.latest.is_symlink():
            raise PublishError(
                "is in the way: it should be the link to the published run",
                where=str(self.latest),
                remedy="move it, or choose another output folder",
            )

    @contextmanager
    def new_run(self, started: datetime) -> Iterator["NewRun"]:
        """A run to write files into; what is not published when the block ends is removed."""
        run = self._reserve(started.strftime("%Y%m%dT%H%M%SZ"))
        try:
            with writing(run.folder):
                yield run
        finally:
            shutil.rmtree(run.folder, ignore_errors=True)

    def _reserve(self, moment: str) -> "NewRun":
        """The first free run id of a moment; the hidden folder, made here, keeps others from taking it."""
        suffix = 1
        while True:
            run_id = moment if suffix == 1 else f"{moment}-{suffix}"
            folder = self.runs / f".{run_id}{UNFINISHED}"
            with writing(self.runs):
                if not (self.runs / run_id).exists():
                    with suppress(FileExistsError):
                        folder.mkdir()
                        return NewRun(self, run_id, folder)
            suffix += 1

    def prune(self, keep: int) -> None:
        """Remove all but the ``keep`` newest runs beside the published one."""
        with writing(self.runs):
            published = self.latest.resolve().name
            older = sorted(
                (run for run in self.runs.iterdir() if not run.name.startswith(".") and run.name != published),
                key=_age_key,
                reverse=True,
            )
            for run in older[keep:]:
                shutil.rmtree(run, ignore_errors=True)


class NewRun:
    """A run that is being written."""

    def __init__(self, output: RunFolder, run_id: str, folder: Path) -> None:
        self.output = output
        self.run_id = run_id
        self.folder = folder

    def publish(self) -> Path:
        """Flush to disk, give the run its name, and switch ``latest`` to it; the run's final folder."""
        final = self.output.runs / self.run_id
        with writing(self.output.path):
            for file in self.folder.iterdir():
                _flush(file)
            _flush(self.folder)
            os.rename(self.folder, final)
            _flush(self.output.runs)
            link = self.output.path / f".latest-{self.run_id}"
            link.unlink(missing_ok=True)
            link.symlink_to(Path("runs") / self.run_id, target_is_directory=True)
            try:
                os.replace(link, self.output.latest)
            finally:
                link.unlink(missing_ok=True)
            _flush(self.output.path)
        return final


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turn what the operating system raises while writing into a PublishError."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error).splitlines()[0]
        raise PublishError(
            f"cannot be written ({reason})",
            where=error.filename if isinstance(error.filename, str) else str(where),
            remedy="nothing was published; what was published before is untouched",
        ) from error


def _age_key(run: Path) -> tuple[str, int]:
    """Run ids sort by time, then by the number of their suffix."""
    moment, _, suffix = run.name.partition("-")
    return moment, int(suffix) if suffix.isdigit() else 1


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
