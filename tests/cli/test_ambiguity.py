"""``plant-aggregate ambiguity`` and ``run --scores``: what they write, and scores that cannot be used."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate import schema
from plant_aggregate.cli.main import run_command
from plant_aggregate.ids.text_faults import LONGEST
from plant_aggregate.score_lists import FAULTS
from plant_aggregate.settings import Settings
from tests.command_line import Capture, Published, Write, error_line
from tests.paths import SAMPLE
from tests.records import record_of

from ..schemas import as_read

CAMPESTRE, OPALUS, ALBA = "Acer campestre", "Acer opalus", "Abies alba"

SCORES = pa.table(
    {
        "observation_id": [1, 2, 1, 2],
        "epoch": pa.array([0, 0, 1, 1], pa.int8()),
        "labels": [[CAMPESTRE, OPALUS], [OPALUS, ALBA], [OPALUS, CAMPESTRE], [ALBA, "Abies pinsapo"]],
        "probabilities": pa.array([[0.75, 0.25], [0.5, 0.25], [0.5, 0.25], [1.0, 0.0]], pa.list_(pa.float32())),
    }
)
LONG = pa.table(
    {
        "observation_id": [1, 1, 2, 2, 1, 1, 2, 2],
        "epoch": [0, 0, 0, 0, 1, 1, 1, 1],
        "label": [CAMPESTRE, OPALUS, OPALUS, ALBA, OPALUS, CAMPESTRE, ALBA, "Abies pinsapo"],
        "probability": [0.75, 0.25, 0.5, 0.25, 0.5, 0.25, 1.0, 0.0],
    }
)


@pytest.fixture
def command(write: Write, work: Path) -> Callable[..., int]:
    """Run ``ambiguity`` on the votes of conftest."""
    votes = str(write())

    def run(*arguments: str | Path) -> int:
        return run_command(["ambiguity", votes, "--scores", *map(str, arguments), "-q"])

    return run


def rows(path: str = "ambiguity.parquet") -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def assert_refused(capfd: Capture, code: int, *saying: str, exit_code: int = 1) -> None:
    assert code == exit_code
    line = error_line(capfd)
    assert [text for text in saying if text not in line] == []
    assert not list(Path.cwd().glob("*ambiguity*"))
    assert not list(Path.cwd().glob(".*partial"))


@pytest.mark.parametrize("table", [SCORES, LONG])
def test_the_numbers_by_hand(command: Callable[..., int], write: Write, capfd: Capture, table: pa.Table) -> None:
    assert command(write("scores.parquet", table), "--trust", "weight") == 0
    first, second, third = rows()
    # Two votes of equal weight for two labels; campestre is the author's. Margins 0.75 - 0.25, then 0.25 - 0.25.
    assert first["label"] == CAMPESTRE
    assert (first["score_aum"], first["score_aum_other"]) == (0.25, 0.125)
    # The same on logits, whose differences are logarithms of ratios.
    assert first["score_aum_logits"] == pytest.approx((np.log(0.75 / 0.25) + np.log(0.25 / 0.5)) / 2, abs=1e-12)
    assert second["score_aum_logits"] is None  # one of the lists tells of alba that others have 0
    assert first["aumc"] == first["score_aum"]
    # opalus: 0.25 - 0.25, then 0.5 - 0.25; other: 0.25 - 0.75, then 0.5 - 0.25.
    assert first["waum"] == pytest.approx((0.25 + 0.125) / 2, abs=1e-15)
    assert first["waum_other"] == pytest.approx((0.125 - 0.125) / 2, abs=1e-15)
    # alba: 0.25 - 0.25, then 1 - 0; other: 0.25 - 0.5, then 1 - 0.
    assert (second["waum"], second["waum_other"], second["n_epochs"]) == (0.5, 0.375, 2)
    assert first["exact"]
    assert second["waum_exact"]
    assert third["n_epochs"] == 0
    assert not third["pruned"]
    assert all(third[name] is None for name in ("score_aum", "waum_other", "exact", "trust"))
    printed = capfd.readouterr().out
    assert "3 observations, 4 score lists" in printed
    assert "voters weighed by the users' weights" in printed


def test_confusion_weighs_by_the_last_scores(command: Callable[..., int], write: Write) -> None:
    assert command(write("scores.parquet", SCORES), "-o", "folder") == 0
    first = rows("folder/ambiguity.parquet")[0]
    assert first["trust"] == "confusion"
    assert first["waum"] != (0.25 + 0.125) / 2
    assert 0.125 < first["waum"] < 0.25


@pytest.mark.parametrize("trust", ["confusion", "weight"])
def test_the_number_of_threads_changes_no_byte(work: Path, trust: str) -> None:
    votes = SAMPLE
    machine = pq.read_table(votes / "ai_votes.parquet")
    chance = np.random.default_rng(0)
    names = np.array(sorted(set(machine["label"].to_pylist())))
    lists = [[label, *set(chance.choice(names, 3)) - {label}] for label in machine["label"].to_pylist()]
    tables = [
        pa.table(
            {"observation_id": machine["observation_id"], "epoch": [epoch] * len(lists), "labels": lists}
        ).append_column("probabilities", pa.array([chance.random(len(each)) / 4 for each in lists]))
        for epoch in (2, 0, 1)
    ]
    pq.write_table(pa.concat_tables(tables), work / "scores.parquet")
    written = []
    for threads in ("1", "2", "5"):
        options = ["--trust", trust, "--threads", threads, "-q", "-o", f"{threads}.parquet"]
        assert run_command(["ambiguity", str(votes / "votes.parquet"), "--scores", "scores.parquet", *options]) == 0
        written.append(Path(f"{threads}.parquet").read_bytes())
    assert written[0] == written[1] == written[2]


def test_the_table_is_as_declared(command: Callable[..., int], write: Write) -> None:
    assert command(write("scores.parquet", SCORES), "-o", "out.parquet") == 0
    declared = schema.arrow_schema(schema.AMBIGUITY, observation_id=pa.int64(), label=pa.string())
    assert pq.read_schema("out.parquet").equals(as_read(declared))


def test_a_label_left_out_counts_as_0_and_is_flagged(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    lists = pa.table({"observation_id": [1, 2, 3], "epoch": [0, 0, 0]})
    lists = lists.append_column("labels", pa.array([[OPALUS, "x"], [OPALUS, "x"], [ALBA]]))
    lists = lists.append_column("probabilities", pa.array([[0.6, 0.3], [0.6, 0.4], [0.9]]))
    assert command(write("scores.parquet", lists), "--json") == 0
    first, second, third = rows()
    assert (first["score_aum"], first["score_aum_other"]) == pytest.approx((-0.3, -0.6), abs=1e-15)
    assert not first["exact"]
    assert not first["waum_exact"]
    assert second["exact"], "the list adds up to 1: nothing is left for the label"
    assert not third["exact"], "the runner-up is not known"
    counts = json.loads(capfd.readouterr().out)["counts"]
    assert counts["exact"] == 1
    assert counts["lists"]["below_one"] == 2


def test_lists_above_one_are_counted_and_divided_on_demand(
    command: Callable[..., int], write: Write, capfd: Capture
) -> None:
    path = write("scores.parquet", SCORES, probabilities=[[1.0, 0.25], [0.5, 0.25], [0.5, 0.25], [1.0, 0.0]])
    assert command(path, "--trust", "weight") == 0
    assert rows()[0]["score_aum"] == 0.375
    printed = capfd.readouterr().out
    assert "1 of the lists add up to more than 1" in printed
    assert "2 of the lists add up to less than 1" in printed
    assert command(path, "--trust", "weight", "--normalise") == 0
    assert rows()[0]["score_aum"] == pytest.approx((0.6 + (1 / 3 - 1 / 3)) / 2)
    assert "1 of the lists add up to more than 1: divided by their sum" in capfd.readouterr().out


def test_unknown_observations_and_missing_epochs_are_counted(
    command: Callable[..., int], write: Write, capfd: Capture
) -> None:
    path = write("scores.parquet", SCORES, observation_id=[1, 2, 1, 99])
    assert command(path, "--json") == 0
    counts = json.loads(capfd.readouterr().out)["counts"]
    assert counts["missing_epochs"] == 1
    assert counts["lists"]["unknown"] == 1
    assert counts["lists"]["used"] == 3
    assert rows()[1]["n_epochs"] == 1


def test_pruning_by_label_spares_rare_labels(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    assert command(write("scores.parquet", SCORES), "--alpha", "0.5") == 0
    assert [row["pruned"] for row in rows()] == [True, False, False]
    assert command(write("scores.parquet", SCORES), "--alpha", "0.5", "--by-label") == 0
    assert [row["pruned"] for row in rows()] == [False, False, False]
    assert "quantile of its label" in capfd.readouterr().out


def test_run_adds_the_columns(write: Write, work: Path, capfd: Capture) -> None:
    votes, scores = str(write()), str(write("scores.parquet", SCORES))
    assert run_command(["run", votes, "--scores", scores, "-q"]) == 0
    table = pq.read_table("consensus/latest/consensus.parquet")
    assert table.column_names[-5:-1] == [column.name for column in schema.SCORED]
    manifest = record_of()
    assert manifest["settings"]["scores"] == [scores]
    assert manifest["ambiguity"]["scored"] == 2
    assert run_command(["ambiguity", votes, "--scores", scores, "-q"]) == 0
    alone = pq.read_table("ambiguity.parquet")
    assert all(table[name].equals(alone[name]) for name in ("score_aum", "aumc", "waum", "pruned"))


def test_more_epochs_than_can_be_summed(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    n = 1025
    many = pa.table(
        {"observation_id": [1] * n, "epoch": range(n), "labels": [[ALBA]] * n, "probabilities": [[1.0]] * n}
    )
    assert_refused(capfd, command(write("scores.parquet", many)), "more than 1,024 distinct epochs")
    assert command(write("scores.parquet", many[1:])) == 0
    assert rows()[0]["score_aum"] == 0.0
    assert rows()[0]["score_aum_other"] == -1.0


ONE_EPOCH = {"lists": SCORES[:2], "rows": LONG[:4]}
"""Scores of one epoch, in both layouts."""


@pytest.mark.parametrize("layout", ONE_EPOCH)
def test_scores_without_epochs_are_of_one(
    command: Callable[..., int], write: Write, capfd: Capture, layout: str
) -> None:
    one = ONE_EPOCH[layout]
    assert command(write("scores.parquet", one), "--json") == 0
    with_epochs, counts = Path("ambiguity.parquet").read_bytes(), json.loads(capfd.readouterr().out)["counts"]
    assert command(write("scores.parquet", one.drop_columns(["epoch"])), "--json") == 0
    assert Path("ambiguity.parquet").read_bytes() == with_epochs
    assert json.loads(capfd.readouterr().out)["counts"] == counts
    assert counts["epochs"] == 1
    assert counts["missing_epochs"] == 0


def test_the_areas_of_one_epoch_are_margins_by_hand(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    path = write("scores.parquet", ONE_EPOCH["lists"].drop_columns(["epoch"]))
    assert command(path, "--trust", "weight", "--alpha", "0.5") == 0
    first, second, _ = rows()
    assert (first["score_aum"], first["aumc"], first["n_epochs"]) == (0.75 - 0.25, 0.75 - 0.25, 1)
    assert first["waum"] == (0.5 + 0.0) / 2, "campestre 0.75 - 0.25, opalus 0.25 - 0.25, by users of one weight"
    assert first["score_aum_other"] == 0.75 - 0.25
    assert (second["waum"], second["waum_other"]) == (0.25 - 0.25, 0.25 - 0.5)
    assert (first["pruned"], second["pruned"]) == (False, True)
    assert "at 1 epoch" in capfd.readouterr().out


def test_rows_without_epochs_go_on_in_the_next_file(command: Callable[..., int], write: Write, work: Path) -> None:
    long = ONE_EPOCH["rows"].drop_columns(["epoch"])
    assert command(write("scores.parquet", long)) == 0
    wanted = rows()
    write("parts/1.parquet", long[:3])
    write("parts/2.parquet", long[3:])
    assert command("parts") == 0
    assert rows() == wanted


@pytest.mark.parametrize("layout", ONE_EPOCH)
@pytest.mark.parametrize("lacking", ["1", "2"])
def test_epochs_in_some_files_only(
    command: Callable[..., int], write: Write, capfd: Capture, layout: str, lacking: str
) -> None:
    one = ONE_EPOCH[layout]
    for name in ("1", "2"):
        write(f"parts/{name}.parquet", one.drop_columns(["epoch"]) if name == lacking else one)
    has = "1" if lacking == "2" else "2"
    saying = f"parts/{lacking}.parquet: column 'epoch' is missing, but", f"parts/{has}.parquet has it"
    assert_refused(capfd, command("parts"), *saying)


def test_a_file_without_rows_needs_no_epochs(command: Callable[..., int], write: Write) -> None:
    write("parts/1.parquet", SCORES)
    write("parts/2.parquet", SCORES[:0].drop_columns(["epoch"]))
    assert command("parts") == 0
    assert rows()[0]["n_epochs"] == 2


def test_an_epoch_that_is_named_must_be_there(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    path = write("scores.parquet", ONE_EPOCH["lists"])
    code = command(path, "--score-column", "epoch=step")
    assert_refused(capfd, code, "column 'step' (epoch) is missing; it has 'observation_id'")


def test_two_lists_without_epochs(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    path = write("scores.parquet", SCORES.rename_columns(["observation_id", "step", "labels", "probabilities"]))
    assert_refused(
        capfd,
        command(path),
        "2 of 4 score lists cannot be used: 2 observation scored twice, without a column of epochs (first: row 2 of",
        "--score-column epoch=NAME",
    )
    assert command(path, "--max-rejected", "0.5") == 0
    assert rows()[0]["score_aum"] == 0.5, "the first list"


def test_run_takes_scores_without_epochs(write: Write, work: Path) -> None:
    scores = write("scores.parquet", ONE_EPOCH["lists"].drop_columns(["epoch"]))
    assert run_command(["run", str(write()), "--scores", str(scores), "-q"]) == 0
    table = pq.read_table("consensus/latest/consensus.parquet")
    assert table["score_aum"].to_pylist() == [0.5, 0.0, None]
    assert record_of()["ambiguity"]["epochs"] == 1


def test_columns_by_other_names(command: Callable[..., int], write: Write) -> None:
    table = SCORES.rename_columns(["obs", "step", "top", "shares"])
    mapped = ["observation_id=obs", "epoch=step", "labels=top", "probabilities=shares"]
    options = [part for each in mapped for part in ("--score-column", each)]
    assert command(write("scores.parquet", table), *options) == 0
    assert rows()[0]["n_epochs"] == 2


def test_epochs_in_the_names_of_folders(command: Callable[..., int], write: Write, work: Path) -> None:
    assert command(write("scores.parquet", SCORES)) == 0
    wanted = rows()
    for epoch in (0, 1):
        folder = work / "by_epoch" / f"epoch={epoch}"
        folder.mkdir(parents=True)
        pq.write_table(SCORES.slice(2 * epoch, 2).drop_columns(["epoch"]), folder / "part-0.parquet")
    assert command("by_epoch") == 0
    assert rows() == wanted


@pytest.mark.parametrize("layout", ["large lists", "dictionaries", "fixed size", "delta"])
def test_lists_of_every_kind(command: Callable[..., int], write: Write, work: Path, layout: str) -> None:
    assert command(write("scores.parquet", SCORES)) == 0
    wanted = rows()
    labels = SCORES["labels"].combine_chunks()
    kinds: dict[str, Any] = {
        "large lists": labels.cast(pa.large_list(pa.large_string())),
        "dictionaries": pa.ListArray.from_arrays(labels.offsets, labels.values.dictionary_encode()),
        "fixed size": labels.cast(pa.list_(pa.string(), 2)),
        "delta": labels,
    }
    table = SCORES.set_column(2, "labels", kinds[layout])
    encodings = {"labels.list.element": "DELTA_BYTE_ARRAY"} if layout == "delta" else None
    options: dict[str, Any] = {"column_encoding": encodings, "use_dictionary": False} if encodings else {}
    pq.write_table(table, work / "other.parquet", row_group_size=3, **options)
    assert command("other.parquet") == 0
    assert rows() == wanted


def test_integer_labels_and_string_ids(write: Write, work: Path) -> None:
    codes = {CAMPESTRE: 7, OPALUS: 2**40, ALBA: -3, "Abies pinsapo": 12}
    votes = write("votes.parquet", observation_id=["1", "1", "2", "3"], label=[7, 2**40, -3, -3])
    labels = [[codes[label] for label in each] for each in SCORES["labels"].to_pylist()]
    scores = write("scores.parquet", SCORES, observation_id=["1", "2", "1", "2"], labels=labels)
    assert run_command(["ambiguity", str(votes), "--scores", str(scores), "-q"]) == 0
    assert [row["waum"] for row in rows()[1:]] == [0.5, None]


# --- Scores that cannot be used ---------------------------------------------------------------------------------------


def names_of(*lists: list[bytes | None]) -> pa.Array:
    """Lists of strings with whatever bytes."""
    names = pa.array([name for each in lists for name in each], pa.binary()).view(pa.string())
    return pa.ListArray.from_arrays(np.arange(len(lists) + 1, dtype=np.int32) * len(lists[0]), names)


EDITS: dict[str, dict[str, Any]] = {
    "null or blank observation_id": {"observation_id": [1, None, 1, 2]},
    "null epoch": {"epoch": [0, None, 1, 1]},
    "null or empty list": {"labels": [["a"], [], ["a"], ["a"]], "probabilities": [[1.0], [], [1.0], [1.0]]},
    "lists of different lengths": {"probabilities": [[0.5, 0.5], [0.5], [0.5, 0.5], [0.5, 0.5]]},
    "null or blank label": {"labels": [["a", "b"], ["a", None], ["a", "b"], ["a", "b"]]},
    "null probability": {"probabilities": [[0.5, 0.5], [0.5, None], [0.5, 0.5], [0.5, 0.5]]},
    "probability outside [0, 1]": {"probabilities": [[0.5, 0.5], [0.5, 1.5], [0.5, 0.5], [0.5, 0.5]]},
    "label listed twice": {"labels": [["a", "b"], ["z", "z"], ["a", "b"], ["a", "b"]]},
    "observation and epoch scored twice": {"observation_id": [1, 1, 2, 2], "epoch": [0, 0, 0, 1]},
    "label is not UTF-8": {"labels": names_of([b"a", b"b"], [b"Iso\xebtes", b"b"], [b"a", b"b"], [b"a", b"b"])},
    "label longer than 32,768 bytes": {"labels": names_of([b"a", b"b"], [b"x" * 32_769, b"b"], *[[b"a", b"b"]] * 2)},
    "epoch beyond 64 bits": {"epoch": pa.array([0, 2**63, 1, 1], pa.uint64())},
}


@pytest.mark.parametrize("reason", EDITS)
def test_lists_that_cannot_be_used(command: Callable[..., int], write: Write, capfd: Capture, reason: str) -> None:
    path = write("scores.parquet", SCORES, **EDITS[reason])
    assert_refused(capfd, command(path), f"1 of 4 score lists cannot be used: 1 {reason} (first: row 1 of", "0.01")
    assert command(path, "--max-rejected", "0.25") == 0
    assert f"1 of the lists cannot be used: {reason} (first: row 1 of" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("reason", "columns"),
    [
        ("null or blank label", {"labels": [["a", "b"], ["a", " "], ["a", "b"], ["a", "b"]]}),
        ("null or empty list", {"probabilities": [[0.5, 0.5], None, [0.5, 0.5], [0.5, 0.5]]}),
        ("null probability", {"probabilities": [[0.5, 0.5], [0.5, float("nan")], [0.5, 0.5], [0.5, 0.5]]}),
        ("probability outside [0, 1]", {"probabilities": [[0.5, 0.5], [0.5, -0.1], [0.5, 0.5], [0.5, 0.5]]}),
        ("probability outside [0, 1]", {"probabilities": [[0.5, 0.5], [0.5, float("inf")], [0.5, 0.5], [0.5, 0.5]]}),
    ],
)
def test_variants_of_these(
    command: Callable[..., int], write: Write, capfd: Capture, reason: str, columns: dict[str, Any]
) -> None:
    assert_refused(capfd, command(write("scores.parquet", SCORES, **columns)), f"1 {reason} (first: row 1 of")


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("observation_id", b"\xff", "observation_id is not UTF-8"),
        ("observation_id", b"x" * 32_769, "observation_id longer than 32,768 bytes"),
        ("label", b"\xff", "label is not UTF-8"),
        ("label", b"x" * 32_769, "label longer than 32,768 bytes"),
    ],
)
@pytest.mark.parametrize("as_dictionary", [True, False])
def test_text_that_cannot_be_used_in_a_row_of_a_list(
    write: Write, work: Path, capfd: Capture, column: str, text: bytes, reason: str, as_dictionary: bool
) -> None:
    votes = write("votes.parquet", observation_id=["1", "1", "2", "3"])
    long = LONG.set_column(0, "observation_id", LONG["observation_id"].cast(pa.string()))
    values = long[column].combine_chunks().cast(pa.binary()).to_pylist()
    values[2] = text
    bad = long.set_column(long.column_names.index(column), column, pa.array(values, pa.binary()).view(pa.string()))
    pq.write_table(bad, work / "scores.parquet", use_dictionary=as_dictionary)
    assert_refused(
        capfd,
        run_command(["ambiguity", str(votes), "--scores", "scores.parquet", "-q"]),
        f"1 {reason} (first: row 2 of",
    )


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_probabilities_just_outside_of_their_range_are_its_ends(
    command: Callable[..., int], write: Write, kind: pa.DataType
) -> None:
    ends = [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]
    beyond = [[-9e-7, 1 + 9e-7], [1 + 9e-7, -9e-7], [0.5, 0.5], [0.5, 0.5]]
    found = []
    for probabilities in (ends, beyond):
        shares = pa.array(probabilities, pa.list_(kind))
        assert command(write("scores.parquet", SCORES, probabilities=shares), "--max-rejected", "0") == 0
        found.append(rows())
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_sums_and_ties_are_as_exact_as_the_type_of_the_column(
    command: Callable[..., int], write: Write, capfd: Capture, kind: pa.DataType
) -> None:
    """0.7 less 0.3 and 0.6 less 0.2 are alike, and neither observation is below the median of the two."""
    shares = [[0.7, 0.3, 0.0], [0.6, 0.2, 0.2]]
    numbers = pa.array(np.array(shares, kind.to_pandas_dtype()).ravel(), kind)
    lists = pa.ListArray.from_arrays(pa.array([0, 3, 6], pa.int32()), numbers)
    labels = [[OPALUS, "x", "y"], [ALBA, "x", "y"]]
    scores = pa.table({"observation_id": [1, 2], "epoch": [0, 0], "labels": labels, "probabilities": lists})
    write("votes.parquet", observation_id=[1, 1, 2, 2], label=[OPALUS, OPALUS, ALBA, ALBA])
    arguments = [str(write("scores.parquet", scores)), "--alpha", "0.5", "--max-rejected", "0", "-q"]
    assert run_command(["ambiguity", "votes.parquet", "--scores", *arguments]) == 0
    assert [(row["pruned"], row["exact"]) for row in rows()] == [(False, True)] * 2
    assert "add up to" not in capfd.readouterr().out


def test_the_reasons_name_the_limit() -> None:
    assert all(f"{LONGEST:,} bytes" in reason for reason in FAULTS.values() if "longer" in reason)


def test_a_list_of_zeros_cannot_be_normalised(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    path = write("scores.parquet", SCORES, probabilities=[[0.5, 0.5], [0.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    assert command(path) == 0
    Path("ambiguity.parquet").unlink()
    capfd.readouterr()
    assert_refused(capfd, command(path, "--normalise"), "1 probabilities add up to 0")


def test_rows_of_a_list_that_are_not_together_are_a_second_list(
    command: Callable[..., int], write: Write, capfd: Capture
) -> None:
    apart = LONG.take([0, 2, 3, 1, 4, 5, 6, 7])
    assert_refused(
        capfd, command(write("scores.parquet", apart)), "1 observation and epoch scored twice (first: row 3 of"
    )


def test_rows_of_a_list_may_go_on_in_the_next_file(command: Callable[..., int], write: Write) -> None:
    assert command(write("whole.parquet", LONG)) == 0
    wanted = rows()
    write("parts/1.parquet", LONG[:3])
    write("parts/2.parquet", LONG[3:7])
    write("parts/3.parquet", LONG[7:])
    assert command("parts") == 0
    assert rows() == wanted


def test_a_fault_is_placed_in_its_own_file(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    write("parts/1.parquet", LONG[:4], probability=[0.5, 0.5, 0.5, 1.5])
    write("parts/2.parquet", LONG[4:])
    assert_refused(capfd, command("parts"), "probability outside [0, 1] (first: row 2 of parts/1.parquet)")


def test_no_observation_with_votes(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    path = write("scores.parquet", SCORES, observation_id=[5, 6, 7, 8])
    assert_refused(capfd, command(path), "none of 4 score lists is of an observation that was voted on")


def test_an_empty_file(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    assert_refused(capfd, command(write("scores.parquet", SCORES[:0])), "scores.parquet: no rows")
    assert_refused(capfd, command(write("scores.parquet", LONG[:0])), "scores.parquet: no rows")


def test_files_that_are_none(command: Callable[..., int], write: Write, work: Path, capfd: Capture) -> None:
    assert_refused(capfd, command("gone.parquet"), "gone.parquet", "no such file")
    (work / "text.parquet").write_text("observation_id,epoch\n")
    assert_refused(capfd, command("text.parquet"), "text.parquet", "cannot be read as Parquet")
    path = write("cut.parquet", SCORES)
    path.write_bytes(path.read_bytes()[:-50])
    assert_refused(capfd, command(path), "cut.parquet", "cannot be read as Parquet")


def test_columns_of_scores_are_checked_before_votes_are_read(work: Path, write: Write, capfd: Capture) -> None:
    unusable = pa.table({"observation_id": [1], "user_id": ["ana"], "label": [""]})  # which shows when it is read
    arguments = ["ambiguity", str(write("votes.parquet", unusable)), "--scores", str(write("s.parquet", SCORES))]
    assert_refused(capfd, run_command([*arguments, "-q"]), "votes.parquet")
    write("s.parquet", SCORES.drop_columns(["labels"]))
    assert_refused(capfd, run_command([*arguments, "-q"]), "s.parquet: column 'labels' is missing")


@pytest.mark.parametrize("share", [0.02, 0.2, 0.4])
def test_damaged_pages(command: Callable[..., int], work: Path, capfd: Capture, share: float) -> None:
    chance = np.random.default_rng(1)
    n = 20_000
    many = pa.table({"observation_id": chance.permutation(n), "epoch": np.zeros(n, np.int32)})
    many = many.append_column("labels", pa.array([["a", f"b{i % 77}"] for i in range(n)]))
    many = many.append_column("probabilities", pa.array(chance.random((n, 2)).tolist()))
    pq.write_table(many, work / "scores.parquet", write_page_checksum=True)
    content = bytearray((work / "scores.parquet").read_bytes())
    place = int(len(content) * share)
    content[place : place + 200] = bytes(200)
    (work / "scores.parquet").write_bytes(content)
    assert_refused(capfd, command("scores.parquet"), "scores.parquet", "cannot be read as Parquet")


@pytest.mark.parametrize("column", ["observation_id", "labels", "probabilities"])
def test_a_missing_column(command: Callable[..., int], write: Write, capfd: Capture, column: str) -> None:
    code = command(write("scores.parquet", SCORES.drop_columns([column])))
    assert_refused(capfd, code, f"column '{column}' is missing", f"--score-column {column}=NAME")


def test_neither_layout(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    path = write("scores.parquet", SCORES.drop_columns(["labels", "probabilities"]))
    assert_refused(capfd, command(path), "holds neither lists 'labels' and 'probabilities' nor columns 'label'")


@pytest.mark.parametrize(
    ("table", "columns", "saying"),
    [
        (SCORES, {"epoch": [0.0, 0.0, 1.0, 1.0]}, "column 'epoch' has type double; it must be an integer"),
        (SCORES, {"labels": ["a", "b", "c", "d"]}, "'labels' has type string; it must be a list of strings or of"),
        (SCORES, {"labels": [[0.5]] * 4}, "column 'labels' has type list<element: double>"),
        (SCORES, {"probabilities": [["x"]] * 4}, "it must be a list of floats"),
        (SCORES, {"probabilities": [0.5] * 4}, "it must be a list of floats"),
        (SCORES, {"observation_id": ["1", "2", "1", "2"]}, "holds values of type string, but int64 in the votes"),
        (SCORES, {"labels": [[1, 2]] * 4}, "column 'labels' holds values of type int64, but string in the votes"),
        (LONG, {"probability": ["x"] * 8}, "column 'probability' has type string; it must be a float"),
        (LONG, {"label": [1] * 8}, "column 'label' holds values of type int64, but string in the votes"),
    ],
)
def test_a_column_of_the_wrong_type(
    command: Callable[..., int], write: Write, capfd: Capture, table: pa.Table, columns: dict[str, Any], saying: str
) -> None:
    assert_refused(capfd, command(write("scores.parquet", table, **columns)), "scores.parquet", saying)


def test_files_that_disagree(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    write("parts/1.parquet", SCORES)
    write("parts/2.parquet", LONG)
    assert command("parts") == 1
    error = capfd.readouterr().err
    for column in ("labels", "probabilities"):
        assert f"parts/2.parquet: column '{column}' is missing" in error
    write("parts/2.parquet", SCORES, observation_id=["1", "2", "1", "2"])
    assert_refused(capfd, command("parts"), "column 'observation_id' has type string, but int64 in parts/1.parquet")


@pytest.mark.parametrize(
    ("options", "saying"),
    [
        (["--alpha", "1"], "'--alpha': 1.0 is not in the range 0<=x<1"),
        (["--alpha", "nan"], "'--alpha': nan is not in the range"),
        (["--max-rejected", "2"], "'--max-rejected': 2.0 is not in the range 0<=x<=1"),
        (["--strategy", "oracle"], "strategy is 'oracle'"),
    ],
)
def test_options_out_of_range(
    command: Callable[..., int], write: Write, capfd: Capture, options: list[str], saying: str
) -> None:
    assert_refused(capfd, command(write("scores.parquet", SCORES), *options), saying, exit_code=2)


@pytest.mark.parametrize("options", [["--trust", "blind"], ["--margin", "third"], ["--score-column", "user_id=u"]])
def test_words_that_are_no_options(
    command: Callable[..., int], write: Write, capfd: Capture, options: list[str]
) -> None:
    assert command(write("scores.parquet", SCORES), *options) == 2
    assert options[1] in capfd.readouterr().err


def test_an_output_that_cannot_be_written(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    path = write("scores.parquet", SCORES)
    assert_refused(capfd, command(path, "-o", "no/such/folder"), "cannot be written")
    Path("taken").write_text("mine")
    assert_refused(capfd, command(path, "-o", "taken"), "cannot be written")
    assert Path("taken").read_text() == "mine"


def test_what_was_there_stays_when_it_fails(command: Callable[..., int], write: Write, capfd: Capture) -> None:
    assert command(write("scores.parquet", SCORES), "-o", "out.parquet") == 0
    before = Path("out.parquet").read_bytes()
    broken = write("scores.parquet", SCORES, observation_id=[1, None, 1, 2])
    assert command(broken, "-o", "out.parquet") == 1
    assert Path("out.parquet").read_bytes() == before


def test_run_publishes_nothing_when_scores_cannot_be_used(published: Published, write: Write, capfd: Capture) -> None:
    scores = write("scores.parquet", SCORES, observation_id=[1, None, 1, 2])
    assert run_command(["run", str(write()), "--scores", str(scores), "-q"]) == 1
    assert "score lists cannot be used" in capfd.readouterr().err
    assert published.is_untouched()


def test_votes_and_scores_may_be_named_by_anything_that_can_be_gone_through_once(write: Write, work: Path) -> None:
    votes, scores = write(), write("scores.parquet", SCORES)
    done = plant_aggregate.run(iter([votes]), "out", settings=Settings(scores=iter([scores])))
    assert done.manifest["settings"]["scores"] == [str(scores)]
    assert done.manifest["counts"]["observations"] == 3
    assert "waum" in pq.read_schema(work / "out/latest/consensus.parquet").names
