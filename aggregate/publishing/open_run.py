"""Opens a run, by any of its names, in a folder or in an object store."""

import os
import re
from collections.abc import Callable
from difflib import get_close_matches

from ..errors import AggregateError, VotesError
from ..files.destination import LATEST, POINTER, RUNS, is_run_id
from ..files.locations import above, child, is_uri, local_path, redacted
from ..frames import Frame, wrong_type
from ..truth import Truth
from .command_lines import DEFAULT_OUTPUT, command
from .integrity import REMEDY, check_consensus, exists, record_beside, record_in
from .reading import PublishedEvidence
from .releases import open_output, published_in
from .run import Run
from .stores.run_names import WORDS, find_run
from .stores.store import CLOSE, RunStore
from .tables import CONSENSUS_FILE

ATTEMPTS = 3  # how often a name is followed, if the run that it named has been removed meanwhile

BEGINNING = re.compile(r"[0-9]{1,8}(?:T[0-9]{0,6}Z?(?:-[0-9]*)?)?")
"""What looks like the beginning of a run id, or a whole one."""


def open_run(output: str | os.PathLike[str] = DEFAULT_OUTPUT, run_id: str | None = None) -> Run:
    """Open a run: what :func:`run` gave, with its tables, its run.json and its votes.

    ``output`` is an output folder, and ``run_id`` the run there: ``latest``, the published one (default); ``previous``,
    the one that :func:`rollback` would publish; an id, or the beginning of one, also of a run that is held back.
    Without ``run_id``, ``output`` may also be the run's own folder, or a consensus.parquet. Each is a path or a URI.

    The names are looked up once: all files read are those of one run, as long as that run is kept (``--keep``). Raises
    VotesError if there is no such file, it is no consensus, its run.json is that of another run, or lists a table that
    is not there; PublishError if ``output`` has no such run, or several whose ids begin so; TypeError for what is
    neither a path nor a URI.
    """
    if not isinstance(output, str | os.PathLike):
        raise wrong_type("an output folder or a run", output, "its path: open_run('consensus')")
    if run_id is None:
        try:
            return _followed(lambda: consensus_path(output), _run_at)
        except VotesError as error:
            if not is_run_name(output):
                raise
            remedy = f"for a run of an output folder write open_run({DEFAULT_OUTPUT!r}, {os.fspath(output)!r})"
            raise VotesError(error.what, where=error.where, remedy=remedy) from error
    if not isinstance(run_id, str):
        raise wrong_type("the id of a run", run_id, "open_run('consensus', 'latest')")
    store = open_output(output)
    return _followed(lambda: find_run(store, run_id), lambda found: _run_at(store.file(found, CONSENSUS_FILE)))


def open_latest(output: str | os.PathLike[str]) -> Run:
    """Open the published run of an output folder, a path or a URI; it has a run.json.

    Raises VotesError if there is none, and PublishError if the folder cannot be read.

    The run is looked up once: all files read are those of one run, as long as that run is kept (``--keep``).
    """
    store = open_output(output)
    return _followed(lambda: published_in(store), lambda found: run_in(store, found))


def open_named(name: str | os.PathLike[str] | Run, output: str | os.PathLike[str] | None = DEFAULT_OUTPUT) -> Run:
    """Open a run as the command line names it: by a name in ``output``, if there is one, or as a path or URI.

    That is ``latest``, ``previous``, an id, or the beginning of one if there is no file of that name. An open run is
    given back. Raises as :func:`open_run`.
    """
    if isinstance(name, Run):
        return name
    if output is None:
        return open_run(name)
    text = os.fspath(name)
    if text in WORDS or is_run_id(text) or is_run_name(text):
        return open_run(output, text)
    try:
        return open_run(name)
    except VotesError as error:
        if os.path.dirname(text) or os.path.lexists(text):
            raise
        close = get_close_matches(text, WORDS, cutoff=CLOSE)
        meant = f"did you mean {close[0]}? Else " if close else ""
        remedy = f"{meant}{error.remedy}, or the id of the run (see {command('runs', os.fspath(output))})"
        raise VotesError(error.what, where=error.where, remedy=remedy) from error


def is_run_name(name: str | os.PathLike[str]) -> bool:
    """Whether a name means a run of an output folder, and no file."""
    text = os.fspath(name)
    return (text in WORDS or BEGINNING.fullmatch(text) is not None) and not os.path.lexists(text)


def read_evidence(path: str | os.PathLike[str], truth: "Truth | Frame") -> PublishedEvidence:
    """The evidence in the consensus at a path or URI on the observations of ``truth``.

    As :meth:`Run.evidence` of ``open_run(path)``.
    """
    return open_run(path).evidence(truth)


def run_in(store: RunStore, run_id: str) -> Run:
    """A run in a store. Raises VotesError if it has no sound run.json, and PublishError if it is not there."""
    consensus = store.file(run_id, CONSENSUS_FILE)
    record = record_in(above(consensus))
    return Run(record.run_id, record, consensus, record.seconds)


def consensus_path(name: str | os.PathLike[str]) -> str:
    """The consensus.parquet that a name stands for: a file, a run's folder, or an output folder (its published run).

    All three may be URIs. Raises VotesError if there is none.
    """
    path = local_path(name)
    if is_uri(path):
        return _remote_consensus(path)
    if not os.path.isdir(path):
        return os.path.join(_without_links(os.path.dirname(path)), os.path.basename(path))
    for folder in (path, os.path.join(path, LATEST)):
        if os.path.isfile(os.path.join(folder, CONSENSUS_FILE)):
            return os.path.join(_without_links(folder), CONSENSUS_FILE)
    raise VotesError(f"holds neither {CONSENSUS_FILE} nor latest/{CONSENSUS_FILE}", where=path, remedy=REMEDY)


def _without_links(folder: str) -> str:
    """The folder that a link such as ``latest`` leads to now: it may lead elsewhere before the next file is read."""
    while os.path.islink(folder.rstrip("/")):
        link = folder.rstrip("/")
        folder = os.path.join(os.path.dirname(link), os.readlink(link))
    return folder


def _remote_consensus(uri: str) -> str:
    if exists(uri):
        return uri
    if exists(child(uri, CONSENSUS_FILE)):
        return child(uri, CONSENSUS_FILE)
    published = open_output(uri).published_id
    if published is None:
        raise VotesError(f"holds neither {CONSENSUS_FILE} nor {POINTER}", where=redacted(uri), remedy=REMEDY)
    return child(uri, RUNS, published, CONSENSUS_FILE)


def _followed(find: Callable[[], str], opened: Callable[[str], Run]) -> Run:
    """The run ``opened`` by what ``find`` finds, an id or a consensus; another, if that has been removed meanwhile."""
    found = find()
    for _ in range(ATTEMPTS - 1):
        try:
            return opened(found)
        except AggregateError:
            before, found = found, find()
            if found == before:
                raise
    return opened(found)


def _run_at(consensus: str) -> Run:
    """The run with a consensus in a file, whether it has a run.json or not. Raises VotesError if there is none."""
    record = record_beside(consensus)
    check_consensus(consensus, record)
    return Run(record.run_id, record, consensus, record.seconds)
