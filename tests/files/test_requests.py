"""Stores that fail now and then, or do not answer at all."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from plant_aggregate.files import locations
from plant_aggregate.files import requests as store_requests
from plant_aggregate.files.requests import TIME_LIMIT, Requests, set_time_limit, time_limit
from tests.command_line import Capture, Write

fsspec = pytest.importorskip("fsspec")
memory = pytest.importorskip("fsspec.implementations.memory")


@pytest.fixture(autouse=True)
def default_limit() -> Iterator[None]:
    yield
    set_time_limit(TIME_LIMIT)


class Unreliable(memory.MemoryFileSystem):  # type: ignore[misc]
    """A store that fails as often as it is set to, each kind of request, and stalls where it is set to."""

    protocol = "unreliable"
    store: dict[str, Any] = {}  # noqa: RUF012 - all of a process have the same
    pseudo_dirs = [""]  # noqa: RUF012
    error: Exception = ConnectionError("connection reset by peer")
    fails = 0
    asked: dict[str, int] = {}  # noqa: RUF012
    stalls_at = "nothing"
    goes_on = threading.Event()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped: str = super()._strip_protocol(path.replace("unreliable://", "memory://"))
        return stripped

    def _ask(self, kind: str) -> None:
        asked = Unreliable.asked
        asked[kind] = asked.get(kind, 0) + 1
        if asked[kind] <= Unreliable.fails:
            raise Unreliable.error

    def info(self, path: str, **more: Any) -> Any:
        self._ask("info")
        return super().info(path, **more)

    def mv(self, path: str, target: str, **more: Any) -> None:
        if Unreliable.stalls_at in target:
            Unreliable.goes_on.wait()
        super().mv(path, target, **more)

    def _open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        if mode != "rb":
            return super()._open(path, mode, **more)
        self._ask("open")
        file = super()._open(path, mode, **more)
        read = file.read

        def read_sometimes(*arguments: Any) -> bytes:
            self._ask("read")
            content: bytes = read(*arguments)
            return content

        file.read = read_sometimes
        return file


@pytest.fixture
def unreliable(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Unreliable]]:
    fsspec.register_implementation("unreliable", Unreliable, clobber=True)
    monkeypatch.setattr(store_requests, "FIRST_WAIT", 0)
    for name, value in {"store": {}, "pseudo_dirs": [""], "asked": {}, "fails": 0, "stalls_at": "nothing"}.items():
        monkeypatch.setattr(Unreliable, name, value)
    monkeypatch.setattr(Unreliable, "goes_on", threading.Event())
    yield Unreliable
    Unreliable.goes_on.set()


def put(file: Path, path: str) -> str:
    fsspec.filesystem("unreliable").pipe_file(path, file.read_bytes())
    Unreliable.asked.clear()
    return f"unreliable:/{path}"


def test_what_fails_now_and_then_is_asked_again(unreliable: type[Unreliable], write: Write, work: Path) -> None:
    pytest.importorskip("tenacity")
    path = write()
    uri = put(path, "/log/votes.parquet")
    unreliable.fails = store_requests.ATTEMPTS - 1
    assert run_command(["run", uri, "-q"]) == 0
    assert run_command(["run", str(path), "-q", "-o", "local"]) == 0
    assert min(unreliable.asked[kind] for kind in ("info", "open", "read")) >= store_requests.ATTEMPTS
    found = pq.read_table("consensus/latest/consensus.parquet")
    assert found.equals(pq.read_table("local/latest/consensus.parquet"))


def test_what_goes_on_failing_is_an_error(
    unreliable: type[Unreliable], write: Write, work: Path, capfd: Capture
) -> None:
    pytest.importorskip("tenacity")
    uri = put(write(), "/log/votes.parquet")
    unreliable.fails = 100
    assert run_command(["run", uri, "-q"]) == 1
    assert capfd.readouterr().err == (
        f"plant-aggregate: error: {uri}: cannot be reached (connection reset by peer); "
        "see that it is there and may be read\n"
    )
    assert unreliable.asked == {"info": store_requests.ATTEMPTS}


@pytest.mark.parametrize("error", [PermissionError("no"), ValueError("no"), KeyError("no")])
def test_what_no_attempt_would_help_against_is_asked_once(
    unreliable: type[Unreliable], write: Write, work: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    uri = put(write(), "/log/votes.parquet")
    monkeypatch.setattr(unreliable, "error", error)
    unreliable.fails = 1
    assert run_command(["run", uri, "-q"]) == 1
    assert unreliable.asked == {"info": 1}


def test_without_tenacity_nothing_is_asked_again(
    unreliable: type[Unreliable], write: Write, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tenacity", None)
    uri = put(write(), "/log/votes.parquet")
    assert run_command(["run", uri, "-q"]) == 0
    unreliable.asked.clear()
    unreliable.fails = 1
    assert run_command(["run", uri, "-q"]) == 1
    assert unreliable.asked == {"info": 1}


def test_a_store_that_stalls_when_it_is_to_publish_is_left_to_the_next_run(
    unreliable: type[Unreliable], write: Write, work: Path, capfd: Capture
) -> None:
    """Whether the request that was given up is answered after all, or not: readers see one run, and it is whole."""
    path, output = str(write()), "unreliable://out"
    assert run_command(["run", path, "-q", "-o", output]) == 0
    before = plant_aggregate.open_latest(output).run_id
    for is_late in (False, True):
        unreliable.goes_on.clear()
        unreliable.stalls_at = "latest.json"
        capfd.readouterr()
        assert run_command(["run", path, "-q", "-o", output, "--store-timeout", "0.5"]) == 1
        said = capfd.readouterr().err
        assert "unreliable://out: cannot be reached (no answer within 0.5 s, see --store-timeout); nothing was" in said
        assert plant_aggregate.open_latest(output).run_id == before
        unreliable.stalls_at = "nothing"
        if is_late:
            unreliable.goes_on.set()
            stuck = [thread for thread in threading.enumerate() if thread.name == "store"]
            for thread in stuck:
                thread.join()
            assert plant_aggregate.open_latest(output).run_id > before
        assert run_command(["run", path, "-o", output, "--store-timeout", "60"]) == 0
        assert ("cleared away what a killed run left" in capfd.readouterr().err) == (not is_late)
        plant_aggregate.open_latest(output).verify()
        before = plant_aggregate.open_latest(output).run_id
    names = [name.rpartition("/")[2] for name in unreliable.store]
    assert [name for name in names if name.startswith(".")] == []


# --- Requests by themselves -------------------------------------------------------------------------------------------


def test_an_answer_or_an_error_comes_as_it_is() -> None:
    requests = Requests(60, retries=False)
    assert requests.ask(lambda: 42) == 42
    with pytest.raises(KeyError, match="no"):
        requests.ask(lambda: {}["no"])
    assert not requests.is_stuck


def test_what_was_given_up_is_stuck_until_it_ends() -> None:
    requests, goes_on = Requests(0.05, retries=False), threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s, see --store-timeout"):
        requests.ask(goes_on.wait)
    assert requests.is_stuck
    goes_on.set()
    for thread in threading.enumerate():
        if thread.name == "store":
            thread.join()
    assert not requests.is_stuck


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_limit_is_a_positive_number(seconds: float, work: Path) -> None:
    with pytest.raises(
        plant_aggregate.ParameterError, match=r"store_timeout is .* but must be a positive number of seconds"
    ):
        plant_aggregate.Settings(store_timeout=seconds)
    assert run_command(["runs", "--store-timeout", str(seconds)]) == 2


def test_settings_and_the_file_of_options_give_the_limit(work: Path, write: Write) -> None:
    plant_aggregate.run(write(), "consensus", settings=plant_aggregate.Settings(store_timeout=7))
    assert time_limit() == 7
    (work / "c.toml").write_text("[run]\nstore-timeout = 5\n")
    assert run_command(["runs", "--config", "c.toml"]) == 0
    assert time_limit() == 5


@pytest.mark.parametrize(
    ("uri", "asked", "seconds"),
    [
        ("gs://b/x", "gs://b/x?retry_limit_seconds=60", 120),
        ("gs://b/x?scheme=http", "gs://b/x?scheme=http&retry_limit_seconds=60", 120),
        ("gs://b/x?retry_limit_seconds=7", "gs://b/x?retry_limit_seconds=7", 120),
        ("gs://b/x?retry_limit_seconds=700", "gs://b/x?retry_limit_seconds=700", 700),
        ("s3://b/x?region=eu", "s3://b/x?region=eu", 120),
    ],
)
def test_what_a_uri_says_of_retries_wins(monkeypatch: pytest.MonkeyPatch, uri: str, asked: str, seconds: float) -> None:
    seen = []

    class Pyarrow:
        @staticmethod
        def from_uri(uri: str) -> tuple[str, str]:
            seen.append(uri)
            return "a file system", "b/x"

    limits = []

    class Noted(Requests):
        def __init__(self, seconds: float, *, retries: bool) -> None:
            limits.append(seconds)
            super().__init__(seconds, retries=retries)

    monkeypatch.setattr("pyarrow.fs.FileSystem", Pyarrow)
    monkeypatch.setattr(locations, "Requests", Noted)
    assert locations.locate(uri).uri == uri
    assert (seen, limits) == ([asked], [seconds])
