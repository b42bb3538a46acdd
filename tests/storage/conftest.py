"""A real S3-compatible server on loopback, and a bucket in it for each test."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

NAMES = (f"bucket-{number}" for number in itertools.count())


@dataclass
class Bucket:
    """A bucket, and how to name what lies in it."""

    name: str
    port: int
    filesystem: Any

    def uri(self, path: str, **query: str) -> str:
        query = {"endpoint_override": f"127.0.0.1:{self.port}", "scheme": "http", "region": "us-east-1", **query}
        return f"s3://{self.name}/{path}?" + "&".join(f"{key}={value}" for key, value in query.items())

    def put(self, path: str, file: Path) -> str:
        with self.filesystem.open_output_stream(f"{self.name}/{path}") as stream:
            stream.write(file.read_bytes())
        return self.uri(path)

    def files(self, path: str) -> list[str]:
        """The names of all objects below a folder, from there."""
        from pyarrow.fs import FileSelector, FileType

        root = f"{self.name}/{path}".rstrip("/")
        found = self.filesystem.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
        return sorted(info.path[len(root) + 1 :] for info in found if info.type == FileType.File)


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def bucket(port: int, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    from pyarrow.fs import S3FileSystem

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    endpoint = f"127.0.0.1:{port}"
    filesystem = S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1", allow_bucket_creation=True)
    name = next(NAMES)
    filesystem.create_dir(name)
    return Bucket(name, port, filesystem)
