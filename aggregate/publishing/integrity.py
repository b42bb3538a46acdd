"""Whether a run is as it was written: the tables that its run.json lists, by their SHA-256."""

import os

from ..errors import VotesError, reason_of
from ..files.destination import RECORD_FILE, is_run_id
from ..files.locations import beside, child, is_uri, locate, reaching, redacted
from ..files.parquet import open_parquet
from ..files.sources import Source, find_sources
from .command_lines import DEFAULT_OUTPUT, command
from .record import UNKNOWN, OutputFacts, RunRecord, read_record
from .tables import CONSENSUS_FILE

REMEDY = "name a consensus, the folder of a run, or the output folder of plant-aggregate run"

DAMAGED = "is damaged: "  # begins the message about a damaged table
NO_CONSENSUS = "is no consensus"  # begins that about another table


def record_in(folder: str) -> RunRecord:
    """The run.json in the folder of a run, a path or a URI.

    Raises VotesError if it cannot be read, is that of another run, or lists a table that is not there. Other files in
    the folder are ignored: they may be derived from the run.
    """
    record = read_record(child(folder, RECORD_FILE))
    name = _name_of(folder)
    if record.run_id != name:
        raise VotesError(
            f"is that of run {record.run_id!r}: the folder was renamed, or the file copied",
            where=redacted(child(folder, RECORD_FILE)),
            remedy=_remedy(folder),
        )
    lacking = sorted({*record.outputs}.difference(_names_in(folder)))
    if lacking:
        names = ", ".join(map(repr, lacking))
        raise VotesError(f"lacks {names}, which {RECORD_FILE} lists", where=redacted(folder), remedy=_remedy(folder))
    return record


def record_beside(file: str) -> RunRecord:
    """The run.json in the folder of a table; UNKNOWN if there is none.

    In a folder that has the name of a run it must be as :func:`record_in` requires, or there is a VotesError; in
    another one, which may hold copies of some files of a run, a file that is no record of a run is ignored.
    """
    path = beside(file, RECORD_FILE)
    if not exists(path):
        return UNKNOWN
    folder = beside(file, "").rstrip("/") if is_uri(file) else os.path.dirname(os.path.abspath(file))
    if is_run_id(_name_of(folder)):
        return record_in(folder)
    try:
        return read_record(path)
    except VotesError:
        return UNKNOWN


def sound_table(file: str, record: RunRecord) -> Source:
    """A table as a file that was found and has the SHA-256 in run.json, if that lists it.

    Raises VotesError if the file has another SHA-256, or is not there.
    """
    source = _found(file)
    facts = record.outputs.get(_file_name(file))
    if facts is not None:
        check_digest(source.fingerprint(), facts, source.path)
    return source


def check_consensus(file: str, record: RunRecord) -> None:
    """Raise VotesError if a file is not there, or is not a consensus.

    The one that run.json lists is a consensus, and :func:`sound_table` says whether it is damaged. Of others the
    columns show it: it has a status, or a confidence, beside the labels.
    """
    if _file_name(file) == CONSENSUS_FILE and CONSENSUS_FILE in record.outputs and exists(file):
        return
    source = _found(file)
    with open_parquet(source, ("observation_id", "label")) as table:
        names = table.schema_arrow.names
    if not {"observation_id", "label"} <= set(names) or not {"status", "confidence"} & set(names):
        few = ", ".join(map(repr, names[:12]))
        raise VotesError(f"{NO_CONSENSUS}: its columns are {few}", where=source.path, remedy=REMEDY)


def check_digest(digest: str, facts: OutputFacts, where: str) -> None:
    """Raise VotesError if a table's SHA-256 is not the one of ``facts`` in run.json."""
    if digest != facts.sha256:
        what = f"{DAMAGED}it has another SHA-256 than {RECORD_FILE} says"
        raise VotesError(what, where=where, remedy=_remedy(beside(where, "")))


def check_tables(folder: str, record: RunRecord) -> None:
    """Raise VotesError if a table of the run in a folder has another SHA-256 than run.json says, or is not there."""
    for name in record.outputs:
        sound_table(child(folder, os.path.basename(name)), record)


def _found(file: str) -> Source:
    sources = find_sources([file])
    if len(sources) > 1:
        raise VotesError(f"matches {len(sources)} files", where=redacted(file), remedy="name one file")
    return sources[0]


def _file_name(file: str) -> str:
    return os.path.basename(redacted(file).partition("?")[0])


def exists(path: str) -> bool:
    """Whether a file exists, at a path or a URI. Raises VotesError if the store cannot be reached."""
    if not is_uri(path):
        return os.path.isfile(path)
    from pyarrow.fs import FileType

    place = locate(path)
    with reaching(path):
        found: bool = place.filesystem.get_file_info(place.path).type == FileType.File
    return found


def _remedy(run: str) -> str:
    """What to do about a damaged run; names the output folder if the run is in one.

    >>> _remedy("out/runs/20261123T021500Z"), _remedy("consensus/latest/")
    ('publish another run, see plant-aggregate runs -o out', 'publish another run, see plant-aggregate runs')
    """
    path, mark, query = run.partition("?") if is_uri(run) else (run, "", "")
    parent, _, name = path.rstrip("/").rpartition("/")
    place, _, kind = parent.rpartition("/")
    output = parent if name == "latest" else place if kind in ("runs", "held") else DEFAULT_OUTPUT
    return f"publish another run, see {command('runs', (output or '.') + mark + query)}"


def _name_of(folder: str) -> str:
    """The folder's own name, whatever links lead to it."""
    if is_uri(folder):
        return folder.partition("?")[0].rstrip("/").rpartition("/")[2]
    return os.path.basename(os.path.realpath(folder))


def _names_in(folder: str) -> list[str]:
    if not is_uri(folder):
        try:
            return os.listdir(folder)
        except OSError as error:
            raise VotesError(f"cannot be read ({reason_of(error)})", where=folder, remedy=_remedy(folder)) from error
    from pyarrow.fs import FileSelector

    place = locate(folder)
    with reaching(folder):
        return [info.base_name for info in place.filesystem.get_file_info(FileSelector(place.path))]
