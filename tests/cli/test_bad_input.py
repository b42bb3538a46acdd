"""Input that cannot be used: one clear line, an exit code, and what was published before untouched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from plant_aggregate.cli.main import run_command
from plant_aggregate.files.sources import Source
from tests.command_line import VOTES, Capture, Disk, Published, Write, as_nobody, refused


def assert_refused(
    capfd: Capture, published: Published, *arguments: str | Path, naming: str, saying: str, exit_code: int = 1
) -> str:
    """Run on ``arguments``; the one line on stderr must name the place and say what is wrong."""
    line = refused(capfd, "run", *arguments, "-q", exit_code=exit_code)
    assert naming in line
    assert saying in line
    assert published.is_untouched()
    return line


def test_a_missing_file(capfd: Capture, published: Published) -> None:
    assert_refused(capfd, published, "gone.parquet", naming="gone.parquet", saying="no such file")


def test_a_glob_that_matches_nothing(capfd: Capture, published: Published) -> None:
    assert_refused(capfd, published, "gone/*.parquet", naming="gone/*.parquet", saying="no such file")


def test_a_folder_without_parquet(capfd: Capture, published: Published, work: Path) -> None:
    (work / "empty").mkdir()
    (work / "empty" / "_metadata.parquet").write_bytes(b"passed over")
    assert_refused(capfd, published, "empty", naming="empty", saying="no Parquet file")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"observation_id,user_id,label\n1,2,x\n" * 9])
def test_a_file_that_is_not_parquet(capfd: Capture, published: Published, work: Path, content: bytes) -> None:
    (work / "votes.csv").write_bytes(content)
    saying = "write it as Parquet with plant-aggregate convert"
    if b"user_id" in content:
        saying = "it looks like csv; read it with --from csv"
    assert_refused(capfd, published, "votes.csv", naming="votes.csv", saying=saying)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off(capfd: Capture, published: Published, write: Write, share: float) -> None:
    path = write("cut.parquet")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert_refused(capfd, published, path, naming="cut.parquet", saying="cannot be read as Parquet")


def test_a_file_whose_pages_are_damaged(capfd: Capture, published: Published, write: Write) -> None:
    path = write("damaged.parquet", pa.concat_tables([VOTES] * 2000))
    content = bytearray(path.read_bytes())
    content[4:400] = os.urandom(396)
    path.write_bytes(content)
    assert_refused(capfd, published, path, naming="damaged.parquet", saying="cannot be read as Parquet")


class Keys(pe.KmsClient):  # type: ignore[misc]
    """Keys that are not secret."""

    def __init__(self, _: Any) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, _: str) -> bytes:
        return key.hex().encode()

    def unwrap_key(self, wrapped: bytes, _: str) -> bytes:
        return bytes.fromhex(wrapped.decode())


def test_an_encrypted_file(capfd: Capture, published: Published, work: Path) -> None:
    configuration = pe.EncryptionConfiguration(footer_key="key", column_keys={"key": VOTES.column_names})
    properties = pe.CryptoFactory(Keys).file_encryption_properties(pe.KmsConnectionConfig(), configuration)
    with pq.ParquetWriter(work / "secret.parquet", VOTES.schema, encryption_properties=properties) as writer:
        writer.write_table(VOTES)
    assert_refused(capfd, published, "secret.parquet", naming="secret.parquet", saying="encrypted")


@pytest.mark.parametrize("column", ["observation_id", "user_id", "label"])
def test_a_missing_column(capfd: Capture, published: Published, write: Write, column: str) -> None:
    path = write(**{column: None})
    line = assert_refused(capfd, published, path, naming="votes.parquet", saying=f"column '{column}' is missing")
    assert f"--column {column}=NAME" in line


def test_all_missing_columns_are_named_at_once(capfd: Capture, published: Published, write: Write) -> None:
    assert run_command(["run", str(write(label=None, user_id=None)), "-q"]) == 1
    error = capfd.readouterr().err
    assert "'label' is missing" in error
    assert "'user_id' is missing" in error


def test_a_column_that_occurs_twice(capfd: Capture, published: Published, work: Path) -> None:
    columns = [*VOTES.columns, VOTES["label"]]
    pq.write_table(pa.Table.from_arrays(columns, names=[*VOTES.column_names, "label"]), work / "twice.parquet")
    assert_refused(capfd, published, "twice.parquet", naming="twice.parquet", saying="'label' occurs 2 times")


@pytest.mark.parametrize(
    ("column", "values", "type_name"),
    [
        ("observation_id", pa.array([1.0, 1.0, 2.0, 3.0]), "double"),
        ("user_id", pa.array([1.0, 2.0, 1.0, 3.0]), "double"),
        ("user_id", pa.array([b"a", b"b", b"a", b"c"], pa.binary(1)), "fixed_size_binary[1]"),
        ("label", pa.array([["x"], ["y"], ["x"], []]), "list"),
        ("label", pa.array([True, False, True, True]), "bool"),
        ("is_author", pa.array(["1", "0", "1", "1"]), "string"),
        ("voted_at", pa.array(["2024-01-01"] * 4), "string"),
    ],
)
def test_a_column_of_the_wrong_type(
    capfd: Capture, published: Published, write: Write, column: str, values: pa.Array, type_name: str
) -> None:
    path = write(**{column: values})
    line = assert_refused(capfd, published, path, naming="votes.parquet", saying=f"column '{column}' has type")
    assert type_name in line


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("observation_id", ["1", "1", "2", "3"]),
        ("observation_id", pa.array([1, 1, 2, 3], pa.int32())),
        ("user_id", [1, 2, 1, 3]),
        ("label", [1, 2, 1, 3]),
    ],
)
def test_files_that_disagree_on_a_type(
    capfd: Capture, published: Published, write: Write, column: str, values: Any
) -> None:
    write("log/a.parquet")
    write("log/b.parquet", **{column: values})
    line = assert_refused(capfd, published, "log", naming="log/b.parquet", saying=f"column '{column}' has type")
    assert "log/a.parquet" in line


def test_zero_rows(capfd: Capture, published: Published, write: Write) -> None:
    assert_refused(capfd, published, write("none.parquet", VOTES.slice(0, 0)), naming="none.parquet", saying="no rows")


def test_no_usable_vote(capfd: Capture, published: Published, write: Write) -> None:
    path = write(label=pa.array([None, "", "  ", None]))
    assert_refused(capfd, published, path, naming="votes.parquet", saying="no usable vote left of 4 rows")


def test_too_many_rejected_rows(capfd: Capture, published: Published, write: Write) -> None:
    path = write(user_id=["ana", None, "ana", ""], observation_id=[1, 1, None, 3])
    line = assert_refused(capfd, published, path, naming="row 1 of", saying="3 of 4 rows cannot be used")
    for part in ("1 null user_id", "1 blank user_id", "1 null observation_id", "votes.parquet", "--max-rejected"):
        assert part in line


@pytest.mark.parametrize("column", ["label", "user_id"])
def test_text_that_is_not_utf8(capfd: Capture, published: Published, write: Write, column: str) -> None:
    offsets = pa.py_buffer(np.arange(5, dtype=np.int32))
    broken = pa.StringArray.from_buffers(4, offsets, pa.py_buffer(b"a\xff\xfeb"))
    assert_refused(capfd, published, write(**{column: broken}), naming="votes.parquet", saying="not UTF-8")


def test_a_time_limit_without_times(capfd: Capture, published: Published, write: Write) -> None:
    arguments = (write(), "--as-of", "2024-01-01")
    assert_refused(capfd, published, *arguments, naming="votes.parquet", saying="--as-of needs a column 'voted_at'")


def test_a_file_that_changes_while_it_is_read(
    capfd: Capture, published: Published, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write()
    check = Source.check_unchanged

    def change_and_check(source: Source) -> None:
        os.utime(path, ns=(1, 1))
        check(source)

    monkeypatch.setattr(Source, "check_unchanged", change_and_check)
    assert_refused(capfd, published, path, naming="votes.parquet", saying="changed while it was read")


def test_a_file_that_disappears(
    capfd: Capture, published: Published, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write()
    monkeypatch.setattr(Source, "fingerprint", lambda _: path.unlink(missing_ok=True) or "")
    check = Source.check_unchanged

    def vanish_and_check(source: Source) -> None:
        path.unlink(missing_ok=True)
        check(source)

    monkeypatch.setattr(Source, "check_unchanged", vanish_and_check)
    assert_refused(capfd, published, path, naming="votes.parquet", saying="no such file")


@pytest.mark.parametrize("closed", ["log", "log/closed", "log/closed/a.parquet"])
def test_a_folder_or_file_that_may_not_be_read(
    capfd: Capture, published: Published, write: Write, open_folder: Path, closed: str
) -> None:
    """Refused by the system itself."""
    shutil.copytree(write("log/closed/a.parquet").parents[1], open_folder / "log")
    (open_folder / closed).chmod(0)
    with as_nobody():
        exit_code = run_command(["run", str(open_folder / "log"), "-q", "-o", str(open_folder / "out")])
    (open_folder / closed).chmod(0o755)
    error = capfd.readouterr().err
    assert exit_code == 1
    assert error.startswith(f"plant-aggregate: error: {open_folder / closed}: cannot be read")
    assert "(permission denied); " in error
    assert error.count("\n") == 1
    assert not (open_folder / "out" / "latest").exists()


def test_an_output_that_may_not_be_written(capfd: Capture, write: Write, open_folder: Path) -> None:
    path = shutil.copy(write(), open_folder / "votes.parquet")
    (open_folder / "out").mkdir(mode=0o555)
    with as_nobody():
        exit_code = run_command(["run", str(path), "-q", "-o", str(open_folder / "out")])
    error = capfd.readouterr().err
    assert exit_code == 1
    assert "out: cannot be written (permission denied); choose another output folder" in error


@pytest.mark.parametrize(
    ("options", "saying"),
    [
        (["--theta-acc", "0"], "'--theta-acc': 0.0 must be in (0, 1]"),
        (["--theta-acc", "1.5"], "--theta-acc"),
        (["--theta-acc", "nan"], "--theta-acc"),
        (["--gamma", "0"], "gamma"),
        (["--gamma", "inf"], "gamma"),
        (["--beta", "0.9"], "beta"),
        (["--max-iter", "0"], "--max-iter"),
        (["--max-rejected", "2"], "--max-rejected"),
        (["--max-rejected", "nan"], "--max-rejected"),
        (["--keep", "-1"], "keep"),
        (["--threads", "0"], "threads"),
        (["--threads", "1000000000"], "threads"),
        (["--output", ""], "output is empty"),
        (["--ambiguous-below", "0.1", "--ambiguous-quantile", "0.1"], "exclude each other"),
    ],
)
def test_parameters_out_of_range_are_usage_errors(
    capfd: Capture, published: Published, write: Write, options: list[str], saying: str
) -> None:
    assert_refused(capfd, published, write(), *options, naming="", saying=saying, exit_code=2)


@pytest.mark.parametrize(
    ("options", "saying"),
    [
        (["--strategy", "oracle"], "oracle"),
        (["--column", "species=name"], "species=name"),
        (["--column", "label"], "COLUMN=NAME"),
        (["--as-of", "yesterday"], "ISO 8601"),
        (["--column", "label=a", "--column", "label=b"], "label is mapped more than once"),
        (["--weight-function", "cubic"], "cubic"),
        (["--alpha", "much"], "much"),
        (["--surprise"], "--surprise"),
    ],
)
def test_words_that_are_no_options_are_usage_errors(
    capfd: Capture, published: Published, write: Write, options: list[str], saying: str
) -> None:
    assert run_command(["run", str(write()), *options]) == 2
    assert saying in capfd.readouterr().err
    assert published.is_untouched()


def test_no_votes_given_is_a_usage_error(capfd: Capture, work: Path) -> None:
    assert run_command(["run"]) == 2
    assert "VOTES" in capfd.readouterr().err


def test_an_output_that_is_a_file(capfd: Capture, published: Published, write: Write, work: Path) -> None:
    (work / "taken").write_text("mine")
    assert_refused(capfd, published, write(), "-o", "taken", naming="taken", saying="cannot be written")
    assert (work / "taken").read_text() == "mine"


def test_a_folder_in_the_place_of_latest(capfd: Capture, published: Published, write: Write, work: Path) -> None:
    (work / "other" / "latest").mkdir(parents=True)
    assert_refused(capfd, published, write(), "-o", "other", naming="other/latest", saying="in the way")


def test_a_disk_that_is_full_while_writing(capfd: Capture, published: Published, write: Write, disk: Disk) -> None:
    disk.limit(100)
    assert run_command(["run", str(write()), "-q", "-o", str(disk.folder)]) == 0
    capfd.readouterr()
    on_disk = Published(disk.folder)
    n = 50_000
    chance = np.random.default_rng(0)
    large = pa.table({"observation_id": chance.permutation(n * 9)[:n], "user_id": np.arange(n), "label": np.arange(n)})
    path = write("large.parquet", large.append_column("is_author", pa.array([True] * n)))
    assert_refused(capfd, published, path, "-o", disk.folder, naming=str(disk.folder), saying="no space left on device")
    assert on_disk.is_untouched()


@pytest.mark.parametrize(
    ("content", "saying"),
    [
        ("user_id,fixed_weight\nana,-1\n", "not in [0, 1e+09]"),
        ("user_id,fixed_weight\nana,1\nana,2\n", "'ana' occurs more than once"),
        ("user_id\nana\n", "neither a column 'fixed_weight' nor 'min_weight'"),
        ("user,fixed_weight\nana,1\n", "'user_id' is missing"),
        ("user_id,fixed_weight\nana,heavy\n", "'heavy' in line 2, which is not a number"),
    ],
)
def test_user_weights_that_cannot_be_used(
    capfd: Capture, published: Published, write: Write, work: Path, content: str, saying: str
) -> None:
    (work / "weights.csv").write_text(content)
    assert_refused(capfd, published, write(), "--user-weights", "weights.csv", naming="weights.csv", saying=saying)


@pytest.mark.parametrize(
    ("votes", "output", "fits"),
    [
        ("votes", "votes", False),
        ("votes", "votes/out", False),
        (".", "out", False),
        ("votes/**", "votes/out/x", False),
        ("votes/**/*.parquet", "votes/new", False),
        ("*", "new", False),
        ("*/*.parquet", "new", True),
        ("*/*/*.parquet", "new", False),
        ("./vo*/", "votes/new", False),
        ("votes/*.parquet", "votes/new", True),
        ("votes/*", "votes/_out", True),
        ("votes", "votes/_out", True),
        ("votes", "out", True),
        ("votes", "votes2", True),
    ],
)
def test_an_output_among_the_votes(
    write: Write, work: Path, capfd: Capture, votes: str, output: str, fits: bool
) -> None:
    """It would be read by the next run."""
    write("votes/a.parquet")
    for _ in range(2):
        assert run_command(["run", votes, "-o", output, "-q"]) == (0 if fits else 2)
    if not fits:
        assert f"the output folder {output} lies among what {votes} names" in capfd.readouterr().err
        assert not (work / output / "runs").exists()


def test_debug_shows_where_it_failed(capfd: Capture, work: Path) -> None:
    assert run_command(["run", "gone.parquet", "--debug"]) == 1
    assert "Traceback" in capfd.readouterr().err


def test_messages_do_not_steer_the_terminal(capfd: Capture, work: Path) -> None:
    assert run_command(["run", "\x1b[31mred\x07.parquet", "-q"]) == 1
    error = capfd.readouterr().err
    assert "\x1b" not in error
    assert "\\x1b[31mred\\x07.parquet" in error


def test_a_reader_that_leaves_is_no_error(write: Write, work: Path) -> None:
    command = f"{sys.executable} -m plant_aggregate.cli.start run {write()} -q | head -c 0"
    done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert (work / "consensus" / "latest" / "consensus.parquet").exists()
