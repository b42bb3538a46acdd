"""Kernels are compiled once and kept on disk; a disk that cannot keep them, or keeps them badly, costs no result."""

import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from plant_aggregate.errors import ParameterError
from plant_aggregate.kernels import cache, jit

COMMAND = [sys.executable, "-m", "plant_aggregate.cli.start", "run", "votes.parquet", "-o"]


def double(x: int) -> int:
    return 2 * x


@jit.kernel
def triple(x: int) -> int:
    return 3 * x


def six_times(x: int) -> int:
    return triple(2 * x)


class Process:
    """What a process of its own would do: a store and kernels that are new."""

    def __init__(self) -> None:
        jit.STORE = jit._Store()
        self.double, self.six_times = jit.kernel(double), jit.kernel(six_times)
        self.warnings: list[str] = []
        self.uncached = 0

    def run(self) -> "Process":
        """Call the kernels and check what they say."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert (self.double(4), self.six_times(4), self.double(np.float32(0.5))) == (8, 24, 1)
        self.warnings = [str(item.message) for item in caught]
        return self

    @property
    def loaded(self) -> int:
        """How many compiled functions came from the disk."""
        return sum(sum(each.stats.cache_hits.values()) for each in jit.STORE.dispatchers)

    @property
    def compiled(self) -> int:
        """How many were compiled to be kept."""
        return sum(len(each.signatures) for each in jit.STORE.dispatchers) - self.loaded


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of the user's; the store of before is put back afterwards."""
    monkeypatch.setattr(jit, "STORE", jit.STORE)
    monkeypatch.setattr(jit.numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def files_in(base: Path, kind: str) -> list[Path]:
    return sorted(base.rglob(f"*.{kind}"))


def test_kernels_are_compiled_once(base: Path) -> None:
    first = Process().run()
    assert (first.loaded, first.compiled, first.warnings) == (0, 3, [])
    assert (len(files_in(base, "nbi")), len(files_in(base, "nbc"))) == (2, 3)
    second = Process().run()
    assert (second.loaded, second.compiled, second.warnings) == (3, 0, [])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def of_another_version(path: Path) -> None:
    path.write_bytes(pickle.dumps("0.1.0") + path.read_bytes())


def folder(path: Path) -> None:
    path.unlink()
    (path / "in the way").mkdir(parents=True)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def swap(path: Path) -> None:
    other = next(file for file in files_in(path.parent, path.suffix[1:]) if file != path)
    spare = path.with_suffix(".spare")
    path.rename(spare)
    other.rename(path)
    spare.rename(other)


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "garbage": lambda path: path.write_bytes(b"garbage"),
    "zeros": zero,
    "flip": flip,
    "version": of_another_version,
    "folder": folder,
    "link": link,
}


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize(
    "damage", DAMAGES, ids=["empty", "cut", "garbage", "zeros", "flip", "version", "folder", "link"]
)
def test_a_damaged_file_is_compiled_again(base: Path, kind: str, damage: str) -> None:
    Process().run()
    for path in files_in(base, kind):
        DAMAGES[damage](path)
    mended = Process().run()
    assert [("were not as they had been saved" in warning) for warning in mended.warnings] == [True]
    assert (mended.loaded, mended.compiled) == (0, 3)
    after = Process().run()
    assert (after.loaded, after.compiled, after.warnings) == (3, 0, [])


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_files_that_took_each_others_places_are_compiled_again(base: Path, kind: str) -> None:
    Process().run()
    swap(files_in(base, kind)[0])
    mended = Process().run()
    assert (len(mended.warnings), mended.compiled) == (1, 2 if kind == "nbc" else 3)
    assert Process().run().warnings == []


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"\xff\xfe\n\n"])
def test_without_its_listing_nothing_is_loaded(base: Path, content: bytes) -> None:
    Process().run()
    (listing,) = base.rglob(cache.LISTING)
    listing.write_bytes(content)
    mended = Process().run()
    assert (mended.loaded, mended.compiled, len(mended.warnings)) == (0, 3, 1)
    after = Process().run()
    assert (after.loaded, after.warnings) == (3, [])


def test_a_listing_that_was_cut_goes_on_in_a_line_of_its_own(base: Path) -> None:
    Process().run()
    (listing,) = base.rglob(cache.LISTING)
    cut(listing)
    assert len(Process().run().warnings) == 1
    after = Process().run()
    assert (after.loaded, after.warnings) == (3, [])


def test_what_is_listed_and_cannot_be_loaded_is_compiled_again(base: Path) -> None:
    Process().run()
    for path in files_in(base, "nbc"):
        path.write_bytes(b"garbage")
    (listing,) = base.rglob(cache.LISTING)
    digest = cache.hashlib.sha256(b"garbage").hexdigest()
    names = [f"{path.parent.name}/{path.name}" for path in files_in(base, "nbc")]
    listing.write_text(listing.read_text() + "".join(f"{digest} {name}\n" for name in names))
    mended = Process().run()
    assert [("could not be loaded" in warning) for warning in mended.warnings] == [True]
    after = Process().run()
    assert (after.loaded, after.warnings) == (3, [])


class Payload:
    """A pickle that leaves a trace where it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_nothing_is_loaded_from_where_others_may_write(base: Path, level: int, mode: int) -> None:
    Process().run()
    for path in files_in(base, "nbi"):
        path.write_bytes(pickle.dumps(Payload(base / "trace")))
    place = [base / "plant-aggregate", base / "plant-aggregate" / "kernels", files_in(base, "nbi")[0].parents[1]][level]
    place.chmod(mode)
    done = Process().run()
    assert [
        (f"others may write in {place}" in warning and "NUMBA_CACHE_DIR" in warning) for warning in done.warnings
    ] == [True]
    assert not jit.STORE.dispatchers
    assert not (base / "trace").exists()


def test_what_is_made_is_private_where_files_of_a_user_may_be_written_by_the_group() -> None:
    before = os.umask(0o002)
    try:
        with tempfile.TemporaryDirectory() as top:  # pytest's own folders are closed
            Path(top).chmod(0o755)
            made = cache.KernelCache(f"{top}/home/.cache", ("1",))
            assert os.stat(f"{top}/home/.cache").st_mode & 0o777 == os.stat(made.path).st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="somebody else has to be made up")
@pytest.mark.parametrize("place", ["plant-aggregate", "."])
def test_nothing_is_loaded_from_somebody_elses_folder(base: Path, place: str) -> None:
    Process().run()
    os.chown(base / place, 65534, 65534)
    done = Process().run()
    assert [("belongs to another user" in warning) for warning in done.warnings] == [True]
    assert not jit.STORE.dispatchers


@pytest.mark.skipif(os.geteuid() != 0, reason="somebody else has to be made up")
@pytest.mark.parametrize("kind", ["nbi", "nbc", "listing"])
def test_files_of_somebody_else_are_not_loaded(base: Path, kind: str) -> None:
    Process().run()
    for path in files_in(base, kind) if kind != "listing" else base.rglob(cache.LISTING):
        os.chown(path, 65534, 65534)
    done = Process().run()
    assert (done.loaded, len(done.warnings)) == (0, 1)


def test_who_may_write_above_does_not_matter_below_a_folder_that_is_closed() -> None:
    with tempfile.TemporaryDirectory() as top:  # pytest's own folders are closed
        shared = Path(top) / "shared"
        own = shared / "a" / "b" / "c"
        own.mkdir(parents=True)
        shared.chmod(0o777)
        Path(top).chmod(0o700)
        cache._check_private(str(own))
        Path(top).chmod(0o755)
        with pytest.raises(cache.UntrustedError, match=f"others may write in {os.path.realpath(shared)},"):
            cache._check_private(str(own))
        shared.chmod(0o1777)
        cache._check_private(str(own))


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME", "NUMBA_CACHE_DIR"])
def test_without_a_folder_kernels_still_work_and_a_warning_says_so(
    base: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    (base / "file").write_text("no folder")
    monkeypatch.delenv("XDG_CACHE_HOME")
    if variable == "NUMBA_CACHE_DIR":
        monkeypatch.setattr(jit.numba.config, "CACHE_DIR", str(base / "file"))
    else:
        monkeypatch.setenv(variable, str(base / "file"))
    done = Process().run()
    assert [("cannot be kept on disk" in warning) for warning in done.warnings] == [True]
    assert not files_in(Path(__file__).parent, "nbi")


def test_a_relative_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/of")
    assert cache.user_cache() == "/home/of/.cache"
    monkeypatch.setenv("HOME", "relative")
    assert cache.user_cache() == ""
    assert ["there is no home folder" in warning for warning in Process().run().warnings] == [True]


def test_a_cache_that_cannot_be_saved_is_a_warning(base: Path) -> None:
    """No file may have a byte: as on a full disk, whoever runs the test."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        done = Process().run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ["cannot be kept on disk (file too large)" in warning for warning in done.warnings] == [True]
    assert Process().run().compiled == 3


def test_a_folder_that_is_removed_meanwhile_costs_no_result(base: Path) -> None:
    process = Process()
    assert process.double(4) == 8
    cache._remove(str(base / "plant-aggregate"))
    assert len(process.run().warnings) <= 1
    assert Process().run().warnings == []


def test_who_has_to_wait_too_long_keeps_nothing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Process().run()
    (listing,) = base.rglob(cache.LISTING)
    monkeypatch.setattr(cache, "LOCK_PATIENCE", 0.01)
    for path in files_in(base, "nbi"):
        path.unlink()
    with FileLock(listing.with_name(cache.LOCK)):
        done = Process().run()
    assert ["could not be acquired" in warning for warning in done.warnings] == [True]


def test_kernels_of_versions_that_nobody_uses_are_removed(base: Path) -> None:
    kernels = base / "plant-aggregate" / "kernels"
    for name in ("old", "used"):
        (kernels / name).mkdir(parents=True)
    old = time.time() - 2 * cache.UNUSED
    os.utime(kernels / "old", (old, old))
    Process().run()
    assert {"used"} < {path.name for path in kernels.iterdir()}
    assert not (kernels / "old").exists()


def test_another_version_has_another_folder() -> None:
    assert cache._digest(("0.60.0", "2.0.0")) != cache._digest(("0.60.1", "2.0.0"))


TOGETHER = """
import sys
import numpy as np
from plant_aggregate.kernels import jit, sorting

print("ready", flush=True)
sys.stdin.readline()
keys = np.arange(5, dtype=np.uint64)
gathered, rows = keys.copy(), np.arange(5, dtype=np.int32)[::-1].copy()
sorting.gather_keys(0, 5, keys, rows, gathered)
sorting.varying_bits(0, 5, keys, gathered[:1])
print(sum(sum(each.stats.cache_hits.values()) for each in jit.STORE.dispatchers), gathered.tolist())
"""


def test_processes_that_begin_together_compile_each_kernel_once() -> None:
    command = [sys.executable, "-c", TOGETHER]
    jobs = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for job in jobs:
        assert job.stdout is not None
        assert job.stdout.readline() == "ready\n"
    for job in jobs:
        assert job.stdin is not None
        job.stdin.write("\n")
        job.stdin.flush()
    said = [job.communicate(timeout=300) for job in jobs]
    assert [errors for _, errors in said] == ["", ""]
    assert [answer.split(maxsplit=1)[1] for answer, _ in said] == ["[7, 3, 2, 1, 0]\n"] * 2
    assert sum(int(answer.split()[0]) for answer, _ in said) == 2


@pytest.mark.parametrize("setting", ["NUMBA_DISABLE_JIT=1", "NUMBA_NUM_THREADS=0", "NUMBA_NUM_THREADS=-1"])
def test_settings_under_which_nothing_is_compiled_are_refused(base: Path, setting: str) -> None:
    write_votes(base)
    name, _, value = setting.partition("=")
    done = subprocess.run(
        [*COMMAND, "out", "-q"], cwd=base, env={**os.environ, name: value}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("plant-aggregate: error: ")
    assert name in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_library_refuses_to_run_kernels_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit.numba.config, "DISABLE_JIT", 1)
    with pytest.raises(ParameterError, match="NUMBA_DISABLE_JIT is set"):
        jit.kernel(double)(4)


def write_votes(folder: Path) -> None:
    pq.write_table(
        pa.table({"observation_id": [1, 1], "user_id": [1, 2], "label": ["x", "y"], "is_author": [True, False]}),
        folder / "votes.parquet",
    )


@pytest.mark.slow
def test_the_first_run_says_that_it_compiles_and_the_second_does_not(tmp_path: Path) -> None:
    write_votes(tmp_path)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first, second = (
        subprocess.run([*COMMAND, name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        for name in ("one", "two")  # a run that finds another is compared with it, with a kernel of its own
    )
    assert first.stderr.count("compiling kernels") == 1
    assert "compiling" not in second.stderr
    assert first.stdout.splitlines()[:6] == second.stdout.splitlines()[:6]


def test_compiled_kernels_are_kept_apart_from_the_installed_files(tmp_path: Path) -> None:
    """Numba would put them beside the sources, where they outlive an uninstallation."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["XDG_CACHE_HOME"] = str(tmp_path)
    load = "from plant_aggregate.kernels.jit import load_compiler; load_compiler()"
    code = f"import numba; {load}; print(numba.config.CACHE_DIR)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"  # what others compile goes where it went before
    assert list((tmp_path / "plant-aggregate" / "kernels").rglob("*.nbi"))
