"""Frames in memory become Arrow tables: those of pandas, Polars, DuckDB, Arrow, and mappings of arrays.

A frame is whatever exports Arrow data (https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html) or
follows the interchange protocol (https://data-apis.org/dataframe-protocol/latest/), a pandas DataFrame, or a mapping of
names to columns. A pandas Series is a table of two columns: its index has the observations, its values the labels. No
package is loaded to find out what a frame is.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, Union

import numpy as np

from .arrow import strings, to_arrow, to_numpy
from .errors import ParameterError, VotesError, quoted, reason_of
from .schema import Table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

ALIASES = {"observation_id": "task", "user_id": "worker"}
"""Column -> its name in crowd-kit, by which it is found in a frame that has none of its own name."""

LIKELY = {
    "observation_id": "observation obs obs_id item item_id task_id image image_id example unit id",
    "user_id": "user worker_id annotator annotator_id rater rater_id labeler labeller voter author",
    "label": "labels species taxon class answer response annotation category truth true_label agg_label",
    "score": "probability confidence prob",
}
"""Column -> names that it has elsewhere. Nothing is read by them; messages propose them."""

METHODS = ("collect", "compute", "to_table", "to_arrow", "toArrow", "toPandas", "to_pandas", "to_frame")
"""Methods of objects that are no frames by which they become one."""

LARGEST_WHOLE = 2**53  # floats below this distinguish all integers

TIME_UNITS = ("s", "ms", "us", "ns")  # of times in Arrow

OF_VOTE = ("observation_id", "user_id", "label")
OF_SERIES = ("observation_id", "label")  # what the index and the values of a Series are

IN_MEMORY = "table in memory"  # names a frame where files are named by their paths

SHOWN = 12  # number of columns that a message names


class ArrowStream(Protocol):
    """Exports its rows as Arrow data."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """A PyCapsule with an ArrowArrayStream."""


class Interchange(Protocol):
    """Follows the data frame interchange protocol."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        """The interchange object."""


Frame: TypeAlias = Union[ArrowStream, Interchange, Mapping[str, Any], "pd.DataFrame", "pd.Series[Any]"]
"""A table in memory, or a pandas Series of labels by observation."""

Series: TypeAlias = "pd.Series[Any]"
"""A pandas Series."""


def is_frame(given: object) -> bool:
    """Whether an object is a frame, by what it can do or by its type.

    >>> is_frame({"observation_id": [7], "label": ["Acer campestre"]}), is_frame("truth.parquet")
    (True, False)
    """
    if isinstance(given, type):
        return False
    exports = any(hasattr(given, name) for name in ("__arrow_c_stream__", "__arrow_c_array__", "__dataframe__"))
    known = isinstance(given, Mapping) or is_pandas(given, "DataFrame", "Series")
    return (exports or known) and type(given).__name__ != "LazyFrame"


def to_table(
    given: Frame, table: Table = (), columns: Mapping[str, str] | None = None, *, reader: str = ""
) -> "pa.Table":
    """A frame as an Arrow table: all of its columns, or those of ``table`` that it has, by their names there.

    ``columns`` maps names of ``table`` to the frame's own; those that are neither among these nor in the frame are
    looked for by their names in ALIASES. Text is never a string view, not even in dictionaries: pyarrow cannot compute
    with these. Ids and labels of pandas and NumPy that are floats become integers if all are whole, because there a
    missing value makes floats of integers. ``reader`` is the function that reads files of ``table``, for messages.

    Raises TypeError for what is no frame; VotesError if a column that is not optional is missing (and there are rows),
    or a column cannot be converted; ParameterError if ``columns`` names a column that is not in ``table``.
    """
    return named_table(given, table, columns, reader=reader)[0]


def named_table(
    given: Frame, table: Table = (), columns: Mapping[str, str] | None = None, *, reader: str = ""
) -> "tuple[pa.Table, dict[str, Any]]":
    """As :func:`to_table`; and the frame's own name of each column."""
    import pyarrow as pa

    if not is_frame(given):
        is_path = reader and isinstance(given, str | PathLike)
        write = f"{reader}({path_in_words(given)})" if is_path else "a data frame, an Arrow table or a dict of arrays"
        raise wrong_type("a frame", given, write)
    source = source_of(given, table)
    places = {str(name): name for name in source.names} if not table else _find(table, source, columns or {})
    arrays = {}
    for ours, theirs in places.items():
        kind = next((column.type for column in table if column.name == ours), "")
        values = source.read(theirs, ours)
        arrays[ours] = whole_numbers(values) if source.is_loose and kind in ("id", "label") else values
    return pa.table(arrays), places


def wrong_type(wanted: str, given: object, write: str) -> TypeError:
    """The error for an object of a wrong type: what is wanted, what it is, and what to write instead.

    For an object that can become a frame it says how, in place of ``write``.

    >>> print(wrong_type("a frame", None, "a data frame"))
    a frame is wanted, not None: write a data frame
    """
    verb = "is" if wanted.startswith(("a ", "an ", "the ")) else "are"
    method = next((method for method in METHODS if callable(getattr(given, method, None))), None)
    if method is not None and not isinstance(given, type) and not is_frame(given):
        write = f".{method}() after it"
    return TypeError(f"{wanted} {verb} wanted, not {in_words(given)}: write {write}")


def check_type(wanted: str, given: object, kinds: type | tuple[type, ...], write: str) -> None:
    """Raise TypeError, as :func:`wrong_type` says, unless an object is of one of the ``kinds``."""
    if not isinstance(given, kinds):
        raise wrong_type(wanted, given, write)


def in_words(given: object) -> str:
    """What an object is, for messages.

    >>> in_words("votes.parquet"), in_words([]), in_words(dict)
    ("the text 'votes.parquet'", 'a list', 'the class dict')
    """
    if given is None:
        return "None"
    if isinstance(given, str):
        return f"the text {quoted(given)}"
    if isinstance(given, type):
        return f"the class {given.__name__}"
    kind = type(given)
    package = kind.__module__.partition(".")[0].lstrip("_")
    name = kind.__name__ if package in ("builtins", "pathlib", __package__) else f"{package}.{kind.__name__}"
    return f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}"


def path_in_words(given: object) -> str:
    """A path as it is written in a call, ``path`` for an object that is none."""
    return repr(str(given)) if isinstance(given, str | PathLike) else "path"


def to_polars(table: "pa.Table") -> "pl.DataFrame":
    """An Arrow table as a data frame of Polars. Raises ParameterError if that is not installed."""
    if find_spec("polars") is None:
        raise ParameterError("to_polars needs Polars: pip install polars")
    import polars

    frame: pl.DataFrame = polars.from_arrow(table)
    return frame


class Source(NamedTuple):
    """The columns of a frame."""

    kind: str  # what it is, in words
    names: Sequence[Any]
    n_rows: int
    columns: Any  # what `read` reads from
    is_loose: bool = False  # whether columns are of pandas or NumPy, not of Arrow
    index_names: Sequence[Any] = ()

    def read(self, name: Any, ours: str) -> "pa.Array | pa.ChunkedArray":
        """The values of a column, ``ours`` in messages. Raises VotesError."""
        if not self.is_loose:
            return without_views(self.columns.column(self.names.index(name)))
        values = self.columns[name]
        try:
            return without_views(_checked(to_array(values)))
        except (ValueError, TypeError, OverflowError, NotImplementedError) as error:  # Arrow's errors are ValueErrors
            called = quoted(ours) if str(name) == ours else f"{quoted(str(name))} ({ours})"
            raise VotesError(
                f"column {called} cannot be read ({reason_of(error)})",
                remedy="give all of its values one type, such as with .astype(str)",
            ) from error


def source_of(given: Any, table: Table = ()) -> Source:
    """The columns of a frame. Raises TypeError, and VotesError if the lists of a dict differ in length."""
    import pyarrow as pa

    kind = in_words(given)
    if is_pandas(given, "Series"):
        others = [column.name for column in table if not column.optional and column.name not in OF_SERIES]
        if others or given.index.nlevels > 1:
            lacks = f"no {others[0]}" if others else f"{given.index.nlevels} levels in its index"
            raise TypeError(f"{kind} has {lacks}: write a data frame, with .reset_index() if its index holds ids")
        columns = dict(zip(OF_SERIES, (given.index, given), strict=True))
        return Source(kind, OF_SERIES, len(given), columns, is_loose=True)
    if is_pandas(given, "DataFrame"):
        return Source(kind, list(given.columns), len(given), given, is_loose=True, index_names=list(given.index.names))
    if isinstance(given, Mapping):
        scalars = [name for name, values in given.items() if not _is_column(values)]
        if scalars:
            required = {column.name for column in table if not column.optional}
            is_labels = required == {*OF_SERIES} and not required.intersection(given)
            write = "pandas.Series(labels) for labels by observation" if is_labels else "lists or arrays, an item a row"
            raise TypeError(f"{quoted(str(scalars[0]))} of the dict is {in_words(given[scalars[0]])}: write {write}")
        lengths: dict[int, Any] = {}
        for name, values in given.items():
            lengths.setdefault(len(values), name)
        if len(lengths) > 1:
            differ = ", ".join(f"{length:,} in {quoted(str(name))}" for length, name in lengths.items())
            raise VotesError(f"the columns have different lengths: {differ}")
        return Source(kind, list(given), next(iter(lengths), 0), given, is_loose=True)
    try:
        exported = given if isinstance(given, pa.Table) else _exported(given)
    except (TypeError, ValueError, RuntimeError) as error:  # a single column, say, is exported, too
        fault = f"{kind} cannot be read as a table of Arrow ({reason_of(error)})"
        raise TypeError(f"{fault}: write a frame of named columns, which hold numbers or text") from error
    return Source(kind, exported.column_names, exported.num_rows, exported)


def check_columns(columns: object) -> None:
    """Raise TypeError unless ``columns`` map names to names, or are None."""
    if columns is not None:
        check_type("columns", columns, Mapping, "columns={'observation_id': 'obs'}")


def _exported(given: Any) -> "pa.Table":
    """What an object exports, as a table; a stream without ``pyarrow.table``, which loads pandas."""
    import pyarrow as pa

    if hasattr(given, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(given).read_all()
    if hasattr(given, "__arrow_c_array__"):
        return pa.table(given)
    from pyarrow.interchange import from_dataframe

    return from_dataframe(given)


def _find(table: Table, source: Source, columns: Mapping[str, str]) -> dict[str, Any]:
    """Column of ``table`` -> its name in the frame, for those that it has."""
    check_columns(columns)
    ours = [column.name for column in table]
    unknown = [name for name in columns if name not in ours]
    if unknown:
        turned = {mine: theirs for theirs, mine in columns.items() if mine in ours}
        remedy = f"write columns={turned}" if turned else f"its names are {', '.join(map(repr, ours))}"
        raise ParameterError(f"columns names {unknown[0]!r}, which is none of ours", remedy=remedy)
    found, missing = {}, []
    for column in table:
        name = column.name
        names = [columns[name]] if name in columns else [name, ALIASES.get(name, name)]
        theirs = next((candidate for candidate in names if candidate in source.names), None)
        if theirs is not None:
            found[name] = theirs
        elif name in columns or not column.optional:
            missing.append(name)
    if missing and source.n_rows:
        raise _missing(missing, found, source, columns)
    twice = [name for name in found.values() if source.names.count(name) > 1]
    if twice:
        times = source.names.count(twice[0])
        raise VotesError(f"column {quoted(str(twice[0]))} occurs {times} times", remedy="leave one")
    return found


def _missing(
    missing: Sequence[str], found: Mapping[str, Any], source: Source, columns: Mapping[str, str]
) -> VotesError:
    """Says which columns are missing, which there are, and what to write."""
    called = [repr(columns[name]) + f" ({name})" if name in columns else repr(name) for name in missing]
    which = f"columns {', '.join(called)} are" if len(called) > 1 else f"column {called[0]} is"
    fault = f"{which} missing; {source.kind} has {names_in_words(source.names)}"
    free = [name for name in source.names if name not in found.values()]
    proposal, is_likely = _proposal(missing, found, free)
    is_wide = not is_likely and tuple(missing) == OF_VOTE
    hint = " (a table with a column for each user goes to votes_from_matrix)" if is_wide else ""
    in_index = [name for name in source.index_names if name is not None and name in _spellings(missing, columns)]
    if in_index:
        held = " and ".join(map(repr, in_index))
        write = ".reset_index()"
        if {"label", "share"} <= {*missing} and "label" not in in_index:  # a column a label, as crowd-kit's probas_
            write = ".stack().rename('share').rename_axis(['observation_id', 'label']).reset_index()"
        return VotesError(f"{fault}, and {held} in its index", remedy=f"write {write} after it{hint}")
    if len(free) < len(missing):
        return VotesError(fault, remedy="add it" if len(missing) == 1 else "add them")
    return VotesError(fault, remedy=f"write columns={proposal}{hint}")


def names_in_words(names: Sequence[Any]) -> str:
    """The names of columns, for messages, or the first of them."""
    return (", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")) or "none"


def _spellings(missing: Sequence[str], columns: Mapping[str, str]) -> set[str]:
    """All names by which missing columns are known."""
    likely = chain.from_iterable(LIKELY.get(name, "").split() for name in missing)
    return {*missing, *likely, *columns.values(), *(ALIASES[name] for name in missing if name in ALIASES)}


def _proposal(missing: Sequence[str], found: Mapping[str, Any], free: Sequence[Any]) -> tuple[dict[str, Any], bool]:
    """The ``columns`` that the caller may have meant, by likely names or by being left over; whether any is likely."""
    proposed = {name: theirs for name, theirs in found.items() if name != theirs}
    rest, n_known = list(free), len(proposed)
    for name in missing:
        likely = [name, *LIKELY.get(name, "").split()]
        alike = [theirs for spelling in likely for theirs in rest if str(theirs).lower().strip() == spelling]
        if alike:
            proposed[name] = alike[0]
            rest.remove(alike[0])
    is_likely = len(proposed) > n_known
    unnamed = [name for name in missing if name not in proposed]
    by_order = rest if len(rest) == len(unnamed) else ["NAME"] * len(unnamed)
    proposed |= zip(unnamed, by_order, strict=True)
    return {name: proposed[name] for name in sorted(proposed, key=[*found, *missing].index)}, is_likely


def is_pandas(given: object, *names: str) -> bool:
    """Whether an object is of one of pandas' types, which is not loaded for it."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, tuple(getattr(pandas, name) for name in names))


def _is_column(values: Any) -> bool:
    is_scalar = getattr(values, "ndim", 1) == 0 or isinstance(values, str | bytes | Mapping)
    return hasattr(values, "__len__") and not is_scalar


def to_array(values: Any) -> "pa.Array | pa.ChunkedArray":
    """A column of pandas, NumPy, Arrow or Python values as an Arrow array, NaN among objects as null.

    Lists and arrays are converted here, because pyarrow would load pandas.
    """
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if is_pandas(values, "Series", "Index", "Categorical"):
        try:
            return pa.array(values, from_pandas=True)
        except OverflowError:
            return pa.array(values, pa.uint64(), from_pandas=True)
    if hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values)
    if not isinstance(values, list | tuple):
        null = np.ma.getmaskarray(values) if np.ma.isMaskedArray(values) else None
        values = values if null is not None else np.asarray(values)
        if values.ndim != 1:
            raise ValueError(f"it has {values.ndim} dimensions")
        if values.dtype.kind == "M" and np.datetime_data(values.dtype)[0] not in TIME_UNITS:
            values = values.astype("datetime64[s]")
        if values.dtype.kind in "biufM":
            return to_arrow(np.ma.getdata(values), null)
        values = values.tolist()
    items = [None if _is_missing(value) else value for value in values]
    kinds = {type(item) for item in items} - {type(None)}
    if kinds == {str}:
        return strings(items)
    if kinds in ({int}, {float}, {int, float}) or kinds == {bool}:
        first = next(item for item in items if item is not None)
        null = np.array([item is None for item in items], np.bool_)
        filled = np.array([first if item is None else item for item in items])
        if filled.dtype.kind in "biuf":
            return to_arrow(filled, null)
    return pa.array(items)


def _checked(values: "pa.Array | pa.ChunkedArray") -> "pa.Array | pa.ChunkedArray":
    """Values as they are. Raises ValueError for types of pandas alone, whose numbers would count as ids."""
    if getattr(values.type, "extension_name", "").startswith("pandas."):
        raise ValueError(f"its type is {values.type.extension_name}")
    return values


def _is_missing(value: Any) -> bool:
    """Whether a Python value stands for no value: None, NaN, NaT, or pandas' NA."""
    return value != value if isinstance(value, float) else type(value).__name__ in ("NoneType", "NAType", "NaTType")


def without_views(values: "pa.Array | pa.ChunkedArray") -> "pa.Array | pa.ChunkedArray":
    """String views as large strings, also in dictionaries and lists."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        chunks = [without_views(chunk) for chunk in values.chunks]
        return pa.chunked_array(chunks) if chunks else values
    if pa.types.is_dictionary(values.type) and pa.types.is_string_view(values.type.value_type):
        return pa.DictionaryArray.from_arrays(values.indices, without_views(values.dictionary))
    if pa.types.is_large_list(values.type) and pa.types.is_string_view(values.type.value_type):  # of Polars
        null = values.is_null() if values.null_count else None
        return pa.LargeListArray.from_arrays(values.offsets, without_views(values.values), mask=null)
    if not pa.types.is_string_view(values.type):
        return values
    try:
        return values.cast(pa.large_string())
    except pa.ArrowNotImplementedError:  # of pyarrow 17
        return pa.array(values.to_pylist(), pa.large_string())


def whole_numbers(values: "pa.Array | pa.ChunkedArray") -> "pa.Array | pa.ChunkedArray":
    """Floats as integers if all are whole, NaN as null; otherwise the values as they are."""
    import pyarrow as pa

    if pa.types.is_dictionary(values.type) and pa.types.is_floating(values.type.value_type):
        values = values.cast(values.type.value_type)
    if not pa.types.is_floating(values.type):
        return values
    numbers = to_numpy(values, null=np.nan).astype(np.float64)
    null = np.isnan(numbers)
    filled = np.where(null, 0.0, numbers)
    if null.all() or not np.all((np.abs(filled) < LARGEST_WHOLE) & (filled == np.floor(filled))):
        return values
    return to_arrow(filled.astype(np.int64), null)
