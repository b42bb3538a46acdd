"""Frames in memory: the same votes from every kind of frame, and one line for what is none."""

import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.frames import is_frame, to_table
from plant_aggregate.schema import TRUTH, VOTES

LOG: dict[str, list[Any]] = {
    "observation_id": [7, 7, 9, 9, 12],
    "user_id": ["ana", "bo", "ana", "cy", "bo"],
    "label": ["Acer campestre", "Acer opalus", "Ilex", "Ilex", None],
}


Columns = Mapping[str, Sequence[Any]]


def arrow(columns: Columns) -> pa.Table:
    wide = {name for name, values in columns.items() if any(isinstance(v, int) and v >= 2**63 for v in values)}
    return pa.table({name: pa.array(v, pa.uint64() if name in wide else None) for name, v in columns.items()})


class OnlyInterchange:
    """A frame of a program that has the interchange protocol and nothing else."""

    def __init__(self, columns: Columns) -> None:
        self._table = arrow(columns)

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self._table.__dataframe__(nan_as_null, allow_copy)


class OnlyStream:
    """A frame of a program that exports an Arrow stream and nothing else."""

    def __init__(self, columns: Columns) -> None:
        self._table = arrow(columns)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def numpy_arrays(columns: Columns) -> dict[str, Any]:
    """Integers with missing values as floats, as NumPy has nothing else."""
    return {name: values.to_numpy() for name, values in arrow(columns).to_pandas().items()}


def polars_frame(columns: Columns) -> Any:
    return pytest.importorskip("polars").from_arrow(arrow(columns))


def polars_categories(columns: Columns) -> Any:
    pl = pytest.importorskip("polars")
    return polars_frame(columns).with_columns(pl.col(pl.String).cast(pl.Categorical))


def polars_enum(columns: Columns) -> Any:
    pl = pytest.importorskip("polars")
    names = sorted({name for name in columns["label"] if isinstance(name, str)})
    return polars_frame(columns).with_columns(pl.col("label").cast(pl.Enum(names)) if names else pl.col("label"))


def duckdb_relation(columns: Columns) -> Any:
    return pytest.importorskip("duckdb").from_arrow(arrow(columns))


def chunks(columns: Columns) -> pa.Table:
    table = arrow(columns)
    return pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)])


def string_views(columns: Columns) -> pa.Table:
    """Which older versions of pyarrow cannot compute with, but other programs export."""
    table = arrow(columns)
    arrays = [
        pa.array(values.to_pylist(), pa.string_view()) if pa.types.is_string(values.type) else values
        for values in table.columns
    ]
    return pa.table(arrays, names=table.column_names)


def middle(columns: Columns) -> pa.Table:
    """Without a copy, the middle of a longer table."""
    table = arrow(columns)
    return pa.concat_tables([table] * 3).combine_chunks().slice(len(table), len(table))


FRAMES: dict[str, Callable[[Columns], Any]] = {
    "dict of lists": dict,
    "dict of arrays": numpy_arrays,
    "dict of objects": lambda columns: {name: np.array(values, object) for name, values in columns.items()},
    "dict of Series": lambda columns: dict(arrow(columns).to_pandas().items()),
    "pandas": lambda columns: arrow(columns).to_pandas(),
    "pandas, objects": lambda columns: pd.DataFrame(columns, dtype=object),
    "pandas, categories": lambda columns: arrow(columns).to_pandas().astype("category"),
    "pandas, nullable": lambda columns: arrow(columns).to_pandas().convert_dtypes(),
    "pandas, Arrow": lambda columns: arrow(columns).to_pandas(types_mapper=pd.ArrowDtype),
    "Table": arrow,
    "Table, chunks": chunks,
    "Table, string views": string_views,
    "Table, middle of another": middle,
    "RecordBatch": lambda columns: arrow(columns).to_batches()[0],
    "RecordBatchReader": lambda columns: arrow(columns).to_reader(),
    "interchange": OnlyInterchange,
    "stream": OnlyStream,
}
EXTRAS: dict[str, Callable[[Columns], Any]] = {
    "polars": polars_frame,
    "polars, categories": polars_categories,
    "polars, enum": polars_enum,
    "duckdb": duckdb_relation,
}
KINDS = [*FRAMES, *(pytest.param(name, marks=pytest.mark.extras) for name in EXTRAS)]


def made(kind: str, columns: Columns) -> Any:
    return (FRAMES | EXTRAS)[kind](columns)


def plain(votes: plant_aggregate.Votes) -> dict[str, list[Any]]:
    arrays = {name: getattr(votes, name) for name in ARRAYS}
    return {
        name: values.tolist() if isinstance(values, np.ndarray) else values.to_pylist()
        for name, values in arrays.items()
    }


ARRAYS = ("offsets", "users", "labels", "is_author", "observation_ids", "user_ids", "label_names")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_votes_from_every_frame(kind: str) -> None:
    expected = plain(plant_aggregate.votes_from_table(pa.table(LOG)))
    assert is_frame(made(kind, LOG))
    assert plain(plant_aggregate.votes_from_table(made(kind, LOG))) == expected
    as_in_crowd_kit = {name: LOG[ours] for name, ours in zip(("task", "worker", "label"), LOG, strict=True)}
    assert plain(plant_aggregate.votes_from_table(made(kind, as_in_crowd_kit))) == expected
    own = {"obs": LOG["observation_id"], "who": LOG["user_id"], "label": LOG["label"], "page": [1, 2, 3, 4, 5]}
    columns = {"observation_id": "obs", "user_id": "who"}
    assert plain(plant_aggregate.votes_from_table(made(kind, own), columns=columns)) == expected


def test_a_series_is_labels_by_observation() -> None:
    truth = pd.Series(["Ilex", "Acer opalus"], index=pd.Index([9, 7], name="task"), name="true_label")
    assert to_table(truth, TRUTH).to_pydict() == {"observation_id": [9, 7], "label": ["Ilex", "Acer opalus"]}
    votes = plant_aggregate.votes_from_table(LOG)
    consensus = plant_aggregate.Majority().fit(votes)
    of_table = plant_aggregate.evaluate(consensus, truth.rename_axis("observation_id").rename("label").reset_index())
    assert plant_aggregate.evaluate(consensus, truth).to_dict() == of_table.to_dict()  # NaN is not equal to NaN
    compared = plant_aggregate.compare(LOG, truth, {"majority": plant_aggregate.Majority()})
    assert compared.compared[0].evaluation.to_dict() == of_table.to_dict()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([3.0, None, 5.0, 3.0, None], [3, 5]),
        (np.array([3.0, np.nan, 5.0, 3.0, 5.0]), [3, 5]),
        (pd.array([3, None, 5, 3, 5], dtype="Float64"), [3, 5]),
    ],
    ids=["objects", "numpy", "pandas"],
)
def test_integers_that_a_missing_value_made_floats(labels: Any, names: list[int]) -> None:
    for frame in (pd.DataFrame({**LOG, "label": labels}), {**LOG, "label": labels}):
        assert plant_aggregate.votes_from_table(frame).label_names.to_pylist() == names
    for floats in ([0.5, 1, 2, 3, 4], [2**53 + 1, 1.0, 2, 3, 4]):  # the second loses a digit
        with pytest.raises(VotesError, match="column 'label' has type double; it must be an integer or a string"):
            plant_aggregate.votes_from_table({**LOG, "label": floats})


def test_arrays_of_numpy() -> None:
    votes = {
        "task": np.ma.masked_array([7, 7, 9], [False, False, False]),
        "worker": np.array(["ana", "bo", "bo"]),
        "label": np.ma.masked_array([3, 4, 5], [False, True, False]),
        "is_author": np.array([True, False, False]),
        "voted_at": np.array(["2026-11-01", "2026-11-02", "NaT"], "datetime64[D]"),
    }
    read = plant_aggregate.read_votes(votes, as_of=datetime(2026, 11, 1, 12), max_rejected=0.5)
    assert (read.observation_ids.to_pylist(), read.label_names.to_pylist()) == ([7], [3])
    for unit in ("D", "M", "h", "s", "ns"):
        timed = {**votes, "voted_at": np.array([1, 2, 3], f"datetime64[{unit}]")}
        assert plant_aggregate.read_votes(timed, as_of=datetime(1970, 2, 1, 12)).n_votes >= 1
    with pytest.raises(VotesError, match=r"column 'task' .observation_id. cannot be read .it has 2 dimensions"):
        plant_aggregate.read_votes({**votes, "task": np.zeros((3, 2))})


OTHER = pd.DataFrame({"obs": [1], "annotator": ["ana"], "species": ["Ilex"]})


@pytest.mark.parametrize(
    ("frame", "columns", "error", "message"),
    [
        (None, None, TypeError, "a frame is wanted, not None: write a data frame, an Arrow table or a dict of arrays"),
        ("votes.parquet", None, TypeError, "a frame is wanted, not the text 'votes.parquet': write read_votes"),
        ([{"label": "Ilex"}], None, TypeError, "a frame is wanted, not a list"),
        (np.zeros((2, 2)), None, TypeError, "a frame is wanted, not a numpy.ndarray"),
        ({"task": 7}, None, TypeError, "'task' of the dict is an int: write lists or arrays, an item a row"),
        ({"task": np.array(7)}, None, TypeError, "'task' of the dict is a numpy.ndarray: write lists or arrays"),
        (pa.chunked_array([[1]]), None, TypeError, "a pyarrow.ChunkedArray cannot be read as a table of Arrow"),
        (pd.Series(["Ilex"]), None, TypeError, "a pandas.Series has no user_id: write a data frame"),
        (
            OTHER,
            None,
            VotesError,
            "columns 'observation_id', 'user_id', 'label' are missing; a pandas.DataFrame has 'obs', 'annotator', "
            "'species'; write columns=.'observation_id': 'obs', 'user_id': 'annotator', 'label': 'species'.",
        ),
        (
            OTHER.assign(task=[1], worker=["a"]),
            {"label": "taxon"},
            VotesError,
            "column 'taxon' .label. is missing; a pandas.D",
        ),
        ({"task": [7], "label": ["Ilex"]}, None, VotesError, "a dict has 'task', 'label'; add it"),
        (OTHER, {"obs": "observation_id"}, ParameterError, r"write columns=\{'observation_id': 'obs'\}"),
        (OTHER.set_index("obs"), {"observation_id": "obs"}, VotesError, r"and 'obs' in its index; write .reset_index"),
        (
            pd.DataFrame({"task": [7], "worker": ["ana"], "label": ["Ilex"]}).set_index(["task", "worker"]),
            None,
            VotesError,
            r"has 'label', and 'task' and 'worker' in its index; write \.reset_index\(\) after it$",
        ),
        (
            pd.DataFrame({"ana": ["Ilex"], "bo": ["Acer"]}, index=pd.Index([7], name="task")),
            None,
            VotesError,
            r"\(a table with a column for each user goes to votes_from_matrix\)",
        ),
        (
            {**LOG, "label": ["Ilex"]},
            None,
            VotesError,
            "the columns have different lengths: 5 in 'observation_id', 1 in 'label'",
        ),
        ({**LOG, "label": [1, "Ilex", 2, 3, 4]}, None, VotesError, "column 'label' cannot be read"),
        (
            pd.DataFrame([[1, 1, "a", "b"]], columns=["task", "task", "worker", "label"]),
            None,
            VotesError,
            "occurs 2 times; leave",
        ),
        (pd.DataFrame(), None, VotesError, "no rows"),
        (pd.DataFrame({"task": [], "worker": [], "label": []}), None, VotesError, "no rows"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_says_what_to_write(
    frame: Any, columns: dict[str, str] | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        plant_aggregate.votes_from_table(frame, columns=columns)
    assert len(str(raised.value).splitlines()) == 1


def test_unusable_rows_of_a_frame_are_allowed_if_the_caller_says_so() -> None:
    """As in files; votes_from_table is for rows that are known to be sound."""
    many = {name: values * 50 for name, values in LOG.items()}
    many["user_id"] = [f"user {n}" if n else None for n in range(250)]
    assert plant_aggregate.read_votes(many).n_votes == 199
    assert plant_aggregate.votes_from_table(many, max_rejected=0.01).n_votes == 199
    with pytest.raises(
        VotesError, match=r"1 of 250 rows cannot be used \(1 null user_id; first: row 0 of table in mem"
    ):
        plant_aggregate.votes_from_table(many)


def test_what_is_neither_a_path_nor_a_frame(work: Path) -> None:
    """Every reader says so, in one line."""
    readers: list[Callable[[Any], Any]] = [
        plant_aggregate.read_votes,
        plant_aggregate.read_truth,
        plant_aggregate.read_ai_votes,
        plant_aggregate.read_user_weights,
        plant_aggregate.run,
    ]
    for read in readers:
        with pytest.raises(
            TypeError, match=r"^a path or a frame is wanted, not None: write the name of a file, folder"
        ):
            read(None)
        with pytest.raises(TypeError, match=r"^a path is wanted, not a dict: .* data frame \(pandas.DataFrame\(rows\)"):
            read([{"observation_id": 7}])
    assert list(work.iterdir()) == []
    of_tables = {
        "read_votes": plant_aggregate.votes_from_table,
        "read_truth": plant_aggregate.truth_from_table,
        "read_ai_votes": plant_aggregate.ai_votes_from_table,
    }
    for reader, read in of_tables.items():
        with pytest.raises(TypeError, match=f"^a frame is wanted, not the text 'a.parquet': write {reader}..a.parquet"):
            read("a.parquet")


# --- Side inputs and runs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "enum" not in str(kind)])
def test_side_inputs_of_frames(kind: str) -> None:
    truth = plant_aggregate.read_truth(
        made(kind, {"obs": [7, 9], "label": ["Ilex", "Acer"]}), columns={"observation_id": "obs"}
    )
    assert dict(zip(truth.observation_ids.to_pylist(), truth.labels.to_pylist(), strict=True)) == {7: "Ilex", 9: "Acer"}
    ai = plant_aggregate.read_ai_votes(made(kind, {"task": [7, 9], "label": ["Ilex", "Acer"], "score": [0.5, 0.75]}))
    assert (ai.observation_ids.to_pylist(), ai.labels.tolist(), ai.scores.tolist()) == ([7, 9], [1, 0], [0.5, 0.75])
    weights = plant_aggregate.read_user_weights(made(kind, {"worker": ["ana", "bo"], "fixed_weight": [0.0, 3.0]}))
    assert (weights.user_ids.to_pylist(), weights.fixed.tolist()) == (["ana", "bo"], [0.0, 3.0])


def test_a_run_of_a_frame(work: Path) -> None:
    """It is published as that of a file; the same content is known again, from whatever frame."""
    pq.write_table(pa.table(LOG), "votes.parquet")
    of_file = plant_aggregate.run("votes.parquet", "of_file", plant_aggregate.Majority())
    runs = [plant_aggregate.run(made(kind, LOG), "of_frames", plant_aggregate.Majority()) for kind in FRAMES]
    for run in runs:
        assert run.record.outputs["consensus.parquet"] == of_file.record.outputs["consensus.parquet"]
    assert len({run.record.inputs[0].fingerprint for run in runs}) == 1
    assert {(run.record.inputs[0].path, run.record.inputs[0].rows) for run in runs} == {("table in memory", 5)}
    more = {name: [*values, values[0]] for name, values in LOG.items()}
    last = plant_aggregate.run(
        {**more, "label": [*LOG["label"], "Acer opalus"]}, "of_frames", plant_aggregate.Majority()
    )
    assert last.record.inputs[0].fingerprint != runs[0].record.inputs[0].fingerprint
    assert last.record.changes is not None
    assert last.record.changes.counts is not None
    assert last.record.changes.counts.why["votes"] == 1


def test_the_votes_of_a_run_of_a_frame_are_given_again(work: Path) -> None:
    columns = {"observation_id": "obs"}
    frame = pd.DataFrame({"obs": LOG["observation_id"], "worker": LOG["user_id"], "label": LOG["label"]})
    own = plant_aggregate.Settings(columns=columns)
    plant_aggregate.run(frame.to_dict("list"), "out", plant_aggregate.Majority(), own)
    run = plant_aggregate.open_latest("out")
    with pytest.raises(
        VotesError, match=r"^run \S+ was given its votes in memory; give them again: .votes.paths=FRAME.$"
    ):
        run.votes()
    assert plain(run.votes(paths=frame)) == plain(plant_aggregate.read_votes(frame, columns=columns))
    assert run.votes([9], paths=frame).user_ids.to_pylist() == ["ana", "cy"]


def test_calibrations_from_frames(work: Path) -> None:
    tables = plant_aggregate.simulate(0.0005, seed=3, ai=True).tables
    votes, truth = plant_aggregate.read_votes(tables.votes), plant_aggregate.read_truth(tables.truth)
    consensus, run = (
        plant_aggregate.Majority().fit(votes),
        plant_aggregate.run(votes, "out", plant_aggregate.Majority()),
    )
    expected = plant_aggregate.calibrate(consensus, truth)
    as_series = tables.truth.to_pandas().set_index("observation_id")["label"]
    for labels in (tables.truth, tables.truth.to_pandas(), as_series):
        found = plant_aggregate.calibrate(consensus, labels)
        assert (found.map, found.cross_validated) == (expected.map, expected.cross_validated)
    of_run = plant_aggregate.calibrate(run, truth)
    assert of_run.map == expected.map
    assert of_run.fits(consensus)
    assert not of_run.fits(plant_aggregate.Wawa().fit(votes))
    ai = plant_aggregate.read_ai_votes(tables.ai_votes)
    expected_of_ai = plant_aggregate.calibrate_ai(ai, truth, votes=votes)
    of_frames = plant_aggregate.calibrate_ai(tables.ai_votes.to_pandas(), as_series, votes=tables.votes)
    assert of_frames.map == expected_of_ai.map
    assert len(of_frames.comparisons) == len(expected_of_ai.comparisons) == 2


# --- What the frames of a program make of values ----------------------------------------------------------------------

TIMES = [datetime(2026, 11, day) for day in range(1, 4)]
IDS = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(2**63, 2**64 - 1),
    "text": st.sampled_from(["7", "x", "é", "Acer opalus", "nan", "0.5"]),
}


@st.composite
def logs(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Columns of votes; ids and labels are of one type each, and null here and there in what may be null."""
    n = draw(st.integers(1, 12))

    def some(values: st.SearchStrategy[Any], *, nulls: bool = True) -> list[Any]:
        items = draw(st.lists(st.one_of(values, st.none()) if nulls else values, min_size=n, max_size=n))
        return items if any(item is not None for item in items) else [draw(values), *items[1:]]

    columns = {
        "observation_id": some(
            st.sampled_from(some(IDS[draw(st.sampled_from(sorted(IDS)))], nulls=False)), nulls=False
        ),
        "user_id": some(st.sampled_from(some(IDS[draw(st.sampled_from(sorted(IDS)))], nulls=False)), nulls=False),
        "label": some(
            st.one_of(st.sampled_from(["Acer", "Ilex", "", "é"])) if draw(st.booleans()) else st.integers(-9, 9)
        ),
    }
    if draw(st.booleans()):
        columns["is_author"] = some(st.booleans())
    if draw(st.booleans()):
        columns["voted_at"] = some(st.sampled_from(TIMES))
    return columns


def outcome(read: Callable[[], plant_aggregate.Votes]) -> Any:
    """The votes, or why there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(read())
        except VotesError as error:
            return error.what


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(columns=logs())
def test_the_same_votes_as_from_a_file(kind: str, columns: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(arrow(columns), f"{folder}/votes.parquet")
        expected = outcome(lambda: plant_aggregate.read_votes(f"{folder}/votes.parquet"))
    assert outcome(lambda: plant_aggregate.read_votes(made(kind, columns))) == expected


# --- From here to other programs --------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(columns=logs())
def test_votes_as_a_table_are_the_same_votes(columns: dict[str, list[Any]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            votes = plant_aggregate.read_votes(columns, max_rejected=1)
        except VotesError:  # none is left
            assume(False)
    table = votes.to_arrow()
    assert table.column_names == ["observation_id", "user_id", "label", "is_author"]
    for frame in (table, votes, votes.to_pandas()):
        assert plain(plant_aggregate.votes_from_table(frame)) == plain(votes)
    parts = [votes.to_arrow(first, first + 2) for first in range(0, votes.n_votes, 2)]
    assert pa.concat_tables(parts).equals(table)


@pytest.fixture(scope="module")
def consensus() -> plant_aggregate.Consensus:
    return plant_aggregate.Wawa().fit(plant_aggregate.votes_from_table(LOG))


def test_observations_that_only_the_ai_voted_on_have_no_vote(consensus: plant_aggregate.Consensus) -> None:
    ai = plant_aggregate.read_ai_votes({"task": [1, 9, 99], "label": ["Acer", "Ilex", "Ilex"], "score": [1, 1, 1]})
    votes, _ = ai.join(consensus.votes)
    assert votes.n_observations == 4
    assert votes.to_arrow().equals(consensus.votes.to_arrow())


def test_results_are_tables_of_arrow(consensus: plant_aggregate.Consensus) -> None:
    assert pa.table(consensus).equals(consensus.to_arrow())
    assert pa.table(consensus.votes).equals(consensus.votes.to_arrow())
    if hasattr(pd.DataFrame, "from_arrow"):
        pd.testing.assert_frame_equal(pd.DataFrame.from_arrow(consensus.votes), consensus.votes.to_pandas())


def test_a_reader_may_ask_for_other_types(consensus: plant_aggregate.Consensus) -> None:
    """Of the same columns: the protocol has no other requests, and none that cannot be met."""
    fields = {field.name: field.type for field in consensus.to_arrow().schema}
    wide = pa.schema([*{**fields, "observation_id": pa.int32(), "label": pa.large_string()}.items()])
    assert pa.table(consensus, schema=wide).schema == wide
    with pytest.raises(ValueError, match="schema"):
        pa.table(consensus, schema=pa.schema([("observation_id", pa.int64())]))


@pytest.mark.extras
def test_results_in_polars(consensus: plant_aggregate.Consensus) -> None:
    pl = pytest.importorskip("polars")
    for frame, made_by_us, table in (
        (pl.DataFrame(consensus), consensus.to_polars(), consensus.to_arrow()),
        (pl.DataFrame(consensus.votes), consensus.votes.to_polars(), consensus.votes.to_arrow()),
        (pl.DataFrame(consensus.users_to_arrow()), consensus.users_to_polars(), consensus.users_to_arrow()),
        (
            pl.DataFrame(consensus.posteriors_to_arrow()),
            consensus.posteriors_to_polars(),
            consensus.posteriors_to_arrow(),
        ),
    ):
        assert frame.rows(named=True) == made_by_us.rows(named=True) == table.to_pylist()
        assert frame.schema == made_by_us.schema
    assert plain(plant_aggregate.read_votes(consensus.votes.to_polars())) == plain(consensus.votes)


@pytest.mark.extras
def test_results_in_duckdb(consensus: plant_aggregate.Consensus) -> None:
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.from_arrow(consensus.to_arrow()).fetchall() == [
        tuple(r.values()) for r in consensus.to_arrow().to_pylist()
    ]
    assert duckdb.sql("select count(*), count(distinct label) from consensus").fetchall() == [(2, 2)]
    votes = consensus.votes
    assert duckdb.sql("select label from votes where user_id = 'cy'").fetchall() == [("Ilex",)]
    assert plain(plant_aggregate.read_votes(duckdb.sql("from votes"))) == plain(votes)


def test_without_polars_there_is_a_line_that_says_so(
    consensus: plant_aggregate.Consensus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plant_aggregate.frames.find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"^to_polars needs Polars: pip install polars$"):
        consensus.to_polars()


@pytest.mark.extras
def test_a_lazy_frame_is_to_be_collected() -> None:
    lazy = pytest.importorskip("polars").DataFrame(LOG).lazy()
    with pytest.raises(TypeError, match=r"a frame is wanted, not a polars.LazyFrame: write .collect\(\) after it"):
        to_table(lazy, VOTES)
