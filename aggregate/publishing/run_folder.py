"""The output folder: ``runs/RUN_ID/`` holds runs, the symlink ``latest`` names the published one.

A run is written to a hidden folder, flushed to disk, renamed to its id, and published by replacing the symlink,
which is one atomic step: a reader of ``latest`` sees the old run or the new one, whole, through any crash.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from ..errors import PublishError

UNFINISHED = ".partial"

RUN_ID = re.compile(r"(\d{8}T\d{6}Z)(?:-(\d+))?")
"""UTC start time, and a number if it was taken."""

REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EROFS: "choose another output folder",
    errno.EACCES: "choose another output folder",
    errno.EPERM: "choose another output folder",
    errno.ENOTDIR: "choose another output folder",
    errno.EEXIST: "choose another output folder",
}
"""What helps against an error of the operating system."""

NOTHING_HAPPENED = "nothing was published; what was published before is untouched"


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
            with writing(self.path):
                yield run
        finally:
            shutil.rmtree(run.folder, ignore_errors=True)

    def _reserve(self, moment: str) -> "NewRun":
        """The first free run id of a moment; the hidden folder, made here, keeps others from taking it."""
        suffix = 1
        while True:
            run_id = moment if suffix == 1 else f"{moment}-{suffix}"
            folder = self.runs / f".{run_id}{UNFINISHED}"
            with writing(self.runs), suppress(FileExistsError):
                folder.mkdir()
                # Looked for afterwards: another process may have given its run this name a moment ago.
                if not os.path.lexists(self.runs / run_id):
                    return NewRun(self, run_id, folder)
                folder.rmdir()
            suffix += 1

    def prune(self, keep: int) -> None:
        """Remove all but the ``keep`` newest runs beside the published one, and nothing that is not a run.

        Called when a run is published: what cannot be removed now is left for the next time.
        """
        with suppress(OSError):
            published = self.latest.resolve().name
            older = (run for run in self.runs.iterdir() if RUN_ID.fullmatch(run.name) and run.name != published)
            for run in sorted(older, key=_age_key, reverse=True)[keep:]:
                if run.name != self.latest.resolve().name:  # another process may publish meanwhile
                    shutil.rmtree(run, ignore_errors=True)


class NewRun:
    """A run that is being written."""

    def __init__(self, output: RunFolder, run_id: str, folder: Path) -> None:
        self.output = output
        self.run_id = run_id
        self.folder = folder

    def publish(self) -> Path:
        """Flush to disk, give the run its name, and switch ``latest`` to it; the run's final folder.

        If ``latest`` cannot be switched, the run is taken away again.
        """
        final = self.output.runs / self.run_id
        link = self.output.path / f".latest-{self.run_id}"
        with writing(self.output.path):
            for file in self.folder.iterdir():
                _flush(file)
            _flush(self.folder)
            try:
                os.rename(self.folder, final)
                _flush(self.output.runs)
                link.unlink(missing_ok=True)
                link.symlink_to(Path("runs") / self.run_id, target_is_directory=True)
                os.replace(link, self.output.latest)
            except BaseException:
                self._take_away(final, link)
                raise
            with suppress(OSError):  # readers see the run already
                _flush(self.output.path)
        return final

    def _take_away(self, final: Path, link: Path) -> None:
        """Undo a publication that failed, unless ``latest`` names the run after all."""
        if self.output.latest.resolve() == final.resolve():
            return
        with suppress(OSError):
            link.unlink(missing_ok=True)
        shutil.rmtree(final, ignore_errors=True)


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
            remedy="; ".join(filter(None, [REMEDIES.get(error.errno or 0), NOTHING_HAPPENED])),
        ) from error


def _age_key(run: Path) -> tuple[str, int]:
    """Run ids sort by time, then by the number of their suffix."""
    moment, _, suffix = run.name.partition("-")
    return moment, int(suffix or 1)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
