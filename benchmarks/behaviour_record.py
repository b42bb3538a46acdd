"""One scenario of ``behaviour.py`` as it happens: commands in turn, what each says, and which files it leaves.

What differs from one call to the next though nothing has changed is masked, and nothing else is:

- the temporary folder (all paths are relative to it), as ``<root>``;
- ids of runs, numbered in their order within a scenario, ``<run 1>``; so it shows which one is meant;
- times: of the lines of progress, ``started`` in run.json, and those in metrics;
- seconds: of phases, of fits and in all; a table's column ``seconds`` is left out, and so is the table's own SHA-256;
- ``peak_memory_bytes`` and ``threads``, which are of the machine; fingerprints of inputs, which hold their times;
- that kernels are compiled, which is said where the cache has none yet: these lines are left out;
- ``version`` in JSON and progress; ``--version`` has an entry of its own.

Parquet files hold none of these elsewhere (the ids of runs are not in them), so they count byte by byte; of their
columns there is a digest each beside it, to show which of them differs.
"""

import csv
import fcntl
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

RUN_ID = re.compile(r"\d{8}T\d{6}Z")

MASKED = "(masked)"

MASKED_KEYS = re.compile(
    r"(^|\.)(version|settings\.started|settings\.threads|fingerprint|seconds(\..*)?|peak_memory_bytes)$"
)
"""Paths of keys of JSON whose values are masked; that they are there, and of which type, still counts."""

MASKED_TEXT = [
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000 "), "<time> "),
    (re.compile(r'^\{"time": "[^"]*"'), '{"time": "<time>"'),
    (re.compile(r'"version": "[^"]*"'), '"version": "<version>"'),
    (re.compile(r'"seconds": \{[^}]*\}'), '"seconds": <seconds>'),
    (re.compile(r"plant-aggregate \d+\.\d+\S*: "), "plant-aggregate <version>: "),
    (re.compile(r"; \d+\.\d s in all"), "; <seconds> s in all"),
    (re.compile(r" +\d+\.\d\d s$"), " <seconds> s"),
    (re.compile(r" +fit$"), " fit"),
    (re.compile(r"^(plant_aggregate_\w*(?:_seconds|_bytes)\{.*\}) .*"), r"\1 <number>"),
]
"""In lines of text, what is masked and how."""

OF_THE_CACHE = "compiling kernels that this version has not run here yet"
"""Lines with these words are left out."""

TIMEOUT = 900
"""Seconds that one command has."""


class Record:
    """What the commands of one scenario did, as entries by name."""

    def __init__(self, name: str, command: str, root: Path) -> None:
        self.entries: dict[str, Any] = {}
        self._name = name
        self._command = command
        self._root = root
        self._out = f"out/{name}"
        self._run_ids: list[str] = []
        (root / self._out).parent.mkdir(parents=True, exist_ok=True)

    def do(self, line: str) -> None:
        """Do what a line says, and record it.

        That is a command of plant-aggregate, and a run gets the scenario's output folder unless it names one. ``{out}``
        is that folder, ``{1}`` the id of the scenario's first run. ``LOCKED`` before it has somebody else write in the
        folder meanwhile; ``REMOVE FILE`` removes a file of it.
        """
        first, _, rest = line.partition(" ")
        if first == "REMOVE":
            (self._root / self._filled(rest)).unlink()
        elif first == "LOCKED":
            with (self._root / self._out / ".lock").open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._call(line, rest)
        else:
            self._call(line, line)

    def _call(self, name: str, line: str) -> None:
        arguments = shlex.split(self._filled(line))
        if arguments[:1] == ["run"] and not {"-o", "--output", "--help", "-h", "--config"} & set(arguments):
            arguments[1:1] = ["-o", self._out]
        while self._run_ids and self._run_ids[-1] >= f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}":
            time.sleep(0.01)  # two runs of one second have ids of different widths
        before = self._files()
        done = subprocess.run(
            [self._command, *arguments],
            cwd=self._root,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        after = self._files()
        new = sorted(path for path, state in after.items() if state != before.get(path))
        for found in RUN_ID.findall(" ".join(new)):
            if found not in self._run_ids:
                self._run_ids.append(found)
        value: dict[str, Any] = {"exit code": done.returncode}
        value |= {"stdout": self._said(done.stdout), "stderr": self._text(done.stderr)}
        value["files gone"] = sorted(self._masked(path) for path in before.keys() - after.keys())
        name = self._add(f"{self._name}: {name}", value)
        for path in new:
            self._add(f"{name} -> {self._masked(path)}", self._file(self._root / self._out / path))

    def _add(self, name: str, value: Any) -> str:
        times = 1
        unique = name
        while unique in self.entries:
            times += 1
            unique = f"{name} ({times})"
        self.entries[unique] = value
        return unique

    def _filled(self, line: str) -> str:
        line = line.replace("{out}", self._out)
        return re.sub(r"\{(\d)\}", lambda found: self._run_ids[int(found[1]) - 1], line)

    def _files(self) -> dict[str, tuple[int, ...] | str]:
        """Files and links beneath the output folder, and their states, which differ if they were replaced."""
        found: dict[str, tuple[int, ...] | str] = {}
        out = self._root / self._out
        for folder, folders, files in os.walk(out):
            for name in [*folders, *files]:
                path = Path(folder, name)
                if path.is_symlink():
                    found[str(path.relative_to(out))] = str(path.readlink())
                elif name in files:
                    state = path.stat()
                    found[str(path.relative_to(out))] = (state.st_ino, state.st_mtime_ns, state.st_size)
        return found

    # --- What is recorded of text, JSON and tables --------------------------------------------------------------------

    def _said(self, output: bytes) -> Any:
        """What a command printed: JSON by its keys, anything else by its lines."""
        if output[:1] in (b"{", b"["):
            try:
                return self._json(json.loads(output))
            except ValueError:
                pass
        return self._text(output)

    def _text(self, output: bytes) -> list[str]:
        lines = output.decode(errors="backslashreplace").splitlines()
        return [self._masked(line) for line in lines if OF_THE_CACHE not in line]

    def _masked(self, text: str) -> str:
        text = text.replace(str(self._root), "<root>")
        text = RUN_ID.sub(self._run_number, text)
        for pattern, instead in MASKED_TEXT:
            text = pattern.sub(instead, text)
        return text

    def _run_number(self, found: re.Match[str]) -> str:
        return f"<run {self._run_ids.index(found[0]) + 1}>" if found[0] in self._run_ids else found[0]

    def _json(self, value: Any) -> dict[str, Any]:
        """Every path of keys with its type, and the value unless it is masked."""
        flat: dict[str, Any] = {}

        def visit(path: str, value: Any) -> None:
            if isinstance(value, dict | list):
                flat[f"{path or '.'}: {kind(value)}"] = len(value)
                for key, inside in value.items() if isinstance(value, dict) else enumerate(value):
                    place = f"[{key}]" if isinstance(value, list) else f".{self._masked(key)}"
                    visit((path + place).removeprefix("."), inside)
            else:
                shown = self._masked(value) if isinstance(value, str) else value
                flat[f"{path}: {kind(value)}"] = MASKED if MASKED_KEYS.search(path) else shown

        visit("", value)
        return flat

    def _file(self, path: Path) -> Any:
        if path.is_symlink():
            return f"link to {self._masked(str(path.readlink()))}"
        content = path.read_bytes()
        if path.suffix == ".parquet":
            return table_entry(content)
        if path.suffix == ".json":
            return self._json(json.loads(content))
        if path.suffix == ".csv":
            rows = list(csv.DictReader(io.StringIO(content.decode())))
            return [{key: MASKED if key == "seconds" else value for key, value in row.items()} for row in rows]
        try:
            return self._text(content) if b"\0" not in content else f"SHA-256 {sha256(content)}"
        except UnicodeDecodeError:
            return f"SHA-256 {sha256(content)}"


def kind(value: Any) -> str:
    """What JSON calls the type of a value; integers are a type of their own."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return kinds.get(type(value), "null")


def table_entry(content: bytes) -> dict[str, Any]:
    """The digests of a Parquet file and of its columns, with its schema, metadata included."""
    table = pq.read_table(io.BytesIO(content))
    entry: dict[str, Any] = {"rows": len(table)}
    if "seconds" not in table.column_names:
        entry["bytes"] = sha256(content)
    entry["schema"] = table.schema.to_string(truncate_metadata=False, show_field_metadata=True).splitlines()
    kept = [name for name in table.column_names if name != "seconds"]
    entry["columns"] = {name: column_digest(table.select([name])) for name in kept}
    return entry


def column_digest(column: pa.Table) -> str:
    """A digest of the values of the one column of a table: those it has as a Parquet file of its own."""
    written = io.BytesIO()
    pq.write_table(column, written, compression="none", store_schema=False)
    return sha256(written.getvalue())[:16]


def sha256(content: bytes) -> str:
    """The SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def environment() -> dict[str, str]:
    """That of all commands: ours, with lines of one length, no colours, one time zone, and no path to other code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return kept | {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
