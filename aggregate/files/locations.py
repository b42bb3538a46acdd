"""Files in object stores and elsewhere: whatever ``pyarrow.fs`` opens, and else what fsspec opens.

A location is named by a URI such as ``s3://bucket/votes`` or ``s3://bucket/votes?endpoint_override=host:9000&scheme=http``;
everything without a scheme, and ``file:///path``, is a local path.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, unquote_plus

from ..errors import AggregateError, ParameterError, VotesError
from .requests import Requests, Store, time_limit

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
URI_IN_TEXT = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}:/[^\s'\"]+")
"""A URI in a text, well-formed or not."""

MISSPELT = re.compile(r"(s3a?|gs|gcs|abfss?|hdfs|https?|file):/?(?!/)", re.IGNORECASE)
"""The beginning of a URI that lacks a slash; a path in a folder of such a name can be written as ./s3:/..."""

SECRETS = re.compile(r"key|secret|token|pass|pwd|credential|signature|sig$|sas|auth|code", re.IGNORECASE)
"""Names of secret parameters of a URI's query."""

PASSWORD = re.compile(r"^([^:]+:/{0,2})[^/?#@:]*:(?:[^/?#@]*|(?!\d+[/?#])[^?]*)@")
"""The beginning of a URI, well-formed or not, with a user and a password, which may wrongly have slashes in it."""

HIDDEN = "hidden"  # replacement for a secret

GCS_RETRY_LIMIT = "retry_limit_seconds"
"""Parameter in the query of a Google Cloud Storage URI: the seconds for which pyarrow retries."""

CHUNK = 1 << 23  # bytes copied at a time


class StoreLocation(NamedTuple):
    """A file or folder in a store."""

    filesystem: Store
    path: str  # path inside the file system
    uri: str  # the URI as given, secrets included

    @property
    def name(self) -> str:
        """The URI for messages, without secrets."""
        return redacted(self.uri)

    @property
    def identity(self) -> str:
        """A key that is equal for all spellings of the same location."""
        server = dict(parse_qsl(self.uri.partition("?")[2])).get("endpoint_override", "")
        return f"{self.filesystem.type_name} {server} {self.path.strip('/')}"

    def child(self, *names: str) -> "StoreLocation":
        """The location of a file or folder below."""
        return StoreLocation(self.filesystem, "/".join([self.path.rstrip("/"), *names]), child(self.uri, *names))

    def read(self) -> bytes:
        """The content of a small file."""
        with self.filesystem.open_input_stream(self.path) as stream:
            return b"".join(iter(lambda: stream.read(CHUNK), b""))

    def write(self, content: bytes) -> None:
        """Write a small file, or replace it."""
        with self.filesystem.open_output_stream(self.path) as stream:
            stream.write(content)


def is_uri(path: str) -> bool:
    """Whether a name is a URI of something that is not a local file.

    >>> is_uri("s3://bucket/votes"), is_uri("votes.parquet"), is_uri("file:///data/votes")
    (True, False, False)
    """
    return URI.match(path) is not None and not path.lower().startswith("file://")


def path_text(path: object) -> str:
    """A path as text. Raises TypeError for what is no path."""
    if not isinstance(path, str | os.PathLike):
        from ..frames import wrong_type  # which loads numpy

        raise wrong_type("a path", path, "the name of a file or folder")
    return os.fspath(path)


def local_path(path: str | os.PathLike[str]) -> str:
    """The local path of a plain path or ``file:///path``. Raises ParameterError for a malformed URI.

    >>> local_path("file:///data/my%20votes")
    '/data/my votes'
    """
    path = path_text(path)
    if "\0" in path:
        raise ParameterError(f"{path!r} holds a NUL character, which no path may")
    if MISSPELT.match(path):
        scheme = path.partition(":")[0]
        remedy = f"write {scheme}://..., or ./{scheme}:... for a local path"
        raise ParameterError(f"{redacted(path)!r} is not a URI: {remedy}")
    if not path.lower().startswith("file://"):
        return path
    host, slash, rest = path[len("file://") :].partition("/")
    if host not in ("", "localhost"):
        raise ParameterError(
            f"a file of the machine {host.rpartition('@')[2]!r} is none of this one: write file:///..."
        )
    from urllib.request import url2pathname  # loads the modules for HTTP

    return url2pathname(slash + rest)


def check_local(path: str | os.PathLike[str]) -> str:
    """The local path of a file to write. Raises ParameterError for a URI: only runs are written to stores."""
    if is_uri(path_text(path)):
        raise ParameterError(f"{redacted(os.fspath(path))} must be a local path: only runs are written to other stores")
    return local_path(path)


def redacted(uri: str) -> str:
    """A path or URI for messages: without user, password and secrets of its query.

    >>> redacted("s3://me:secret@bucket/votes?region=eu&secret_key=x")
    's3://bucket/votes?region=eu&secret_key=hidden'
    """
    if not URI.match(uri) and not MISSPELT.match(uri):
        return uri
    place, mark, query = PASSWORD.sub(r"\1", uri).partition("?")
    shown = [key + equals + (HIDDEN if SECRETS.search(key) else value) for key, equals, value in _parts(query)]
    return place + mark + "&".join(shown)


def without_secrets(text: str) -> str:
    """A text with the secrets of every URI in it removed.

    >>> without_secrets("cannot parse 's3://me:secret@bucket'; see --help")
    "cannot parse 's3://bucket'; see --help"
    """
    return URI_IN_TEXT.sub(lambda found: redacted(found[0]), text)


def _parts(query: str) -> list[tuple[str, str, str]]:
    """Key, equals sign and value of each parameter of a query, undecoded."""
    return [part.partition("=") for part in query.split("&")]


def child(uri: str, *names: str) -> str:
    """The path or URI of a file below a folder.

    >>> child("s3://bucket/out/?region=eu", "runs", "run.json")
    's3://bucket/out/runs/run.json?region=eu'
    """
    if not is_uri(uri):
        return os.path.join(uri, *names)
    path, mark, query = uri.partition("?")
    return "/".join([path.rstrip("/"), *names]) + mark + query


def beside(path: str, name: str) -> str:
    """The path or URI of another file in the folder of one.

    >>> beside("s3://bucket/runs/1/consensus.parquet?region=eu", "run.json")
    's3://bucket/runs/1/run.json?region=eu'
    """
    if not is_uri(path):
        return os.path.join(os.path.dirname(path), name)
    before, mark, query = path.partition("?")
    return before.rpartition("/")[0] + "/" + name + mark + query


def above(place: str) -> str:
    """The path or URI of the folder that a file or folder is in.

    >>> above("s3://bucket/runs/1/run.json?region=eu"), above("runs/1"), above("run.json")
    ('s3://bucket/runs/1?region=eu', 'runs', '')
    """
    if not is_uri(place):
        return os.path.dirname(place)
    path, mark, query = place.partition("?")
    return path.rpartition("/")[0] + mark + query


def last_name(place: str) -> str:
    """The name of a file or folder in its path or URI.

    >>> last_name("s3://bucket/runs/1?region=eu"), last_name("runs/1")
    ('1', '1')
    """
    path = place.partition("?")[0] if is_uri(place) else place
    return path.rpartition("/")[2]


def locate(uri: str) -> StoreLocation:
    """The location that a URI names. Raises VotesError if neither pyarrow nor fsspec can open it."""
    import pyarrow as pa
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    retry_limit = _option(uri, GCS_RETRY_LIMIT)
    seconds = max(time_limit(), retry_limit or 0)
    requests = Requests(seconds, retries=False)
    asked = uri
    if uri.lower().startswith(("gs://", "gcs://")) and retry_limit is None:  # pyarrow's default is 15 minutes
        asked += f"{'&' if '?' in uri else '?'}{GCS_RETRY_LIMIT}={max(1, int(seconds / 2))}"
    try:
        filesystem, path = requests.ask(lambda: FileSystem.from_uri(asked))
        return StoreLocation(Store(filesystem, requests), path, uri)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if "nrecognized filesystem type" not in str(error) and not isinstance(error, pa.ArrowNotImplementedError):
            raise _unusable(error, uri) from _cause(error, uri)
        unknown = _reason(error, uri)
    try:
        import fsspec
    except ImportError as error:
        raise VotesError(
            f"cannot be opened by pyarrow ({unknown})",
            where=redacted(uri),
            remedy="see how it is spelled, or pip install 'plant-aggregate[remote]' for what fsspec opens",
        ) from error
    requests = Requests(seconds, retries=True)
    open_store = partial(fsspec.core.url_to_fs, uri, use_listings_cache=False, skip_instance_cache=True)
    try:
        other, path = requests.ask(open_store, again=True)
    except Exception as error:
        raise _unusable(error, uri) from _cause(error, uri)
    return StoreLocation(Store(PyFileSystem(FSSpecHandler(other)), requests), path, uri)


def _option(uri: str, name: str) -> float | None:
    """A number in the query of a URI; None if it has none."""
    try:
        return float(dict(parse_qsl(uri.partition("?")[2]))[name])
    except (KeyError, ValueError):
        return None


@contextmanager
def reaching(
    uri: str, kind: type[AggregateError] = VotesError, remedy: str = "see that it is there and may be read"
) -> Iterator[None]:
    """Turns whatever a store raises into ``kind``: file systems of fsspec may raise anything."""
    try:
        yield
    except AggregateError:
        raise
    except Exception as error:
        raise kind(f"cannot be reached ({_reason(error, uri)})", where=redacted(uri), remedy=remedy) from _cause(
            error, uri
        )


def _unusable(error: Exception, uri: str) -> VotesError:
    return VotesError(
        f"cannot be opened ({_reason(error, uri)})",
        where=redacted(uri),
        remedy="see how it is spelled, and that the store can be reached",
    )


def _reason(error: Exception, uri: str) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return _without_secrets((str(error).splitlines() or [type(error).__name__])[0], uri)


def _cause(error: Exception, uri: str) -> Exception | None:
    """The error as the cause for a traceback; None if the URI has secrets that it might contain."""
    return error if redacted(uri) == uri else None


def _without_secrets(text: str, uri: str) -> str:
    """A store's message without the URI's secrets, in any encoding."""
    text = without_secrets(text.replace(uri, redacted(uri)))
    secrets = [value for key, _, value in _parts(uri.partition("?")[2]) if SECRETS.search(key)]
    if PASSWORD.match(uri):
        secrets.append(uri.partition("?")[0].partition("://")[2].rpartition("@")[0].partition(":")[2])
    for secret in filter(None, secrets):
        for spelling in (secret, unquote(secret), unquote_plus(secret)):
            text = text.replace(spelling, HIDDEN)
    return text
