"""A bucket of an S3-compatible server on loopback, and how to name what lies in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
