"""Files in object stores and elsewhere: whatever ``pyarrow.fs`` opens, and else what fsspec opens.

A place is named by a URI such as ``s3://bucket/votes`` or ``s3://bucket/votes?endpoint_override=host:9000&scheme=http``;
everything without a scheme, and ``file:///path``, is a local path.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import url2pathname

from .errors import AggregateError, ParameterError, VotesError

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
MISSPELT = re.compile(r"(s3a?|gs|gcs|abfss?|hdfs|https?|file):/?(?!/)", re.IGNORECASE)
"""What a person begins a URI with who leaves out a slash; a path in such a folder can be spelled ./s3:/..."""

SECRETS = re.compile(r"key|secret|token|passw|credential|signature|sig$|sas", re.IGNORECASE)
"""Names of what must not be shown in a URI's query."""

HIDDEN = "hidden"
"""What is shown instead."""

CHUNK = 1 << 23
"""Bytes copied at a time."""


@dataclass(frozen=True)
class Place:
    """A file or folder in a store."""

    filesystem: Any
    """pyarrow.fs.FileSystem"""
    path: str
    """Inside it."""
    uri: str
    """As given, with its secrets."""

    @property
    def name(self) -> str:
        """The URI for messages, without secrets."""
        return redacted(self.uri)

    @property
    def identity(self) -> str:
        """The same for all spellings of a URI."""
        server = dict(parse_qsl(urlsplit(self.uri).query)).get("endpoint_override", "")
        return f"{self.filesystem.type_name} {server} {self.path.strip('/')}"

    def child(self, *names: str) -> "Place":
        """A file or folder below."""
        return Place(self.filesystem, "/".join([self.path.rstrip("/"), *names]), child(self.uri, *names))

    def read(self) -> bytes:
        """The content of a small file."""
        with self.filesystem.open_input_stream(self.path) as stream:
            content: bytes = stream.read()
        return content

    def write(self, content: bytes) -> None:
        """Write a small file; one that is there is replaced."""
        with self.filesystem.open_output_stream(self.path) as stream:
            stream.write(content)


def is_uri(path: str) -> bool:
    """Whether a name is a URI of something that is not a local file.

    >>> is_uri("s3://bucket/votes"), is_uri("votes.parquet"), is_uri("file:///data/votes")
    (True, False, False)
    """
    return URI.match(path) is not None and not path.lower().startswith("file://")


def local_path(path: str | os.PathLike[str]) -> str:
    """The path that a name without URI, or ``file:///path``, stands for. Raises ParameterError for half a URI.

    >>> local_path("file:///data/my%20votes")
    '/data/my votes'
    """
    path = os.fspath(path)
    if MISSPELT.match(path):
        scheme = path.partition(":")[0]
        raise ParameterError(f"{path!r} is no URI: write {scheme}://..., or ./{scheme}:... for a local path")
    return url2pathname(urlsplit(path).path) if path.lower().startswith("file://") else path


def check_local(path: str | os.PathLike[str]) -> str:
    """The local path of a file to write. Raises ParameterError for a URI: only runs are written to stores."""
    if is_uri(os.fspath(path)):
        raise ParameterError(f"{redacted(os.fspath(path))} must be a local path: only runs are written to other stores")
    return local_path(path)


def redacted(uri: str) -> str:
    """A name as it may be shown: a URI without user, password and secrets of its query.

    >>> redacted("s3://me:secret@bucket/votes?region=eu&secret_key=x")
    's3://bucket/votes?region=eu&secret_key=hidden'
    """
    if not is_uri(uri):
        return uri
    try:
        parts = urlsplit(uri)
        query = [(key, HIDDEN if SECRETS.search(key) else value) for key, value in parse_qsl(parts.query, True)]
    except ValueError:
        return uri.split("://")[0] + "://" + HIDDEN
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe="/:"), ""))


def child(uri: str, *names: str) -> str:
    """The URI of a file below a folder.

    >>> child("s3://bucket/out/?region=eu", "runs", "run.json")
    's3://bucket/out/runs/run.json?region=eu'
    """
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


def locate(uri: str) -> Place:
    """The place of a URI. Raises VotesError if nothing can open it."""
    import pyarrow as pa
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    try:
        filesystem, path = FileSystem.from_uri(uri)
        return Place(filesystem, path, uri)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if "nrecognized filesystem type" not in str(error) and not isinstance(error, pa.ArrowNotImplementedError):
            raise _unusable(error, uri) from error
        unknown = _reason(error, uri)
    try:
        import fsspec
    except ImportError as error:
        raise VotesError(
            f"cannot be opened by pyarrow ({unknown})",
            where=redacted(uri),
            remedy="see how it is spelled, or pip install 'plant-aggregate[remote]' for what fsspec opens",
        ) from error
    try:
        other, path = fsspec.core.url_to_fs(uri, use_listings_cache=False, skip_instance_cache=True)
    except Exception as error:
        raise _unusable(error, uri) from error
    return Place(PyFileSystem(FSSpecHandler(other)), path, uri)


@contextmanager
def reaching(
    uri: str, kind: type[AggregateError] = VotesError, remedy: str = "see that it is there and may be read"
) -> Iterator[None]:
    """Turn whatever a store raises into one error of ours: what fsspec opens may raise anything."""
    try:
        yield
    except AggregateError:
        raise
    except Exception as error:
        raise kind(f"cannot be reached ({_reason(error, uri)})", where=redacted(uri), remedy=remedy) from error


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


def _without_secrets(text: str, uri: str) -> str:
    """What a store says, without the URI's secrets."""
    text = text.replace(uri, redacted(uri))
    parts = urlsplit(uri)
    secrets = [value for key, value in parse_qsl(parts.query) if SECRETS.search(key)]
    secrets += [part for part in parts.netloc.rpartition("@")[0].split(":") if part]
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
