"""The rows that a format gives, checked, and with the ids and labels that are asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import AggregateError, ParameterError, VotesError, quoted, reason_of
from ..files.sources import printable
from ..formats import base
from ..formats.base import TABLES, Account, Format, Part
from ..formats.delimited import NOT_UTF_8
from ..formats.options import TEXT, TYPES_OF_IDS, name_of
from ..formats.recognition import formats_like
from ..frames import check_type
from ..shares import count_of
from .cleaning import CleanedLabels

BUILT_IN = f"{base.__package__}."  # how the names of modules of formats begin
IDS = ("observation_id", "user_id")


@dataclass
class Reader:
    """Reads files in a format."""

    layout: Format
    paths: Sequence[Path]
    account: Account
    ids: str | None = None  # one of TYPES_OF_IDS; None for those that the format gives
    labels: CleanedLabels | None = None

    def parts(self) -> Iterator[Part]:
        """The batches of all tables, none of them empty. Raises VotesError, which says what wrong files look like."""
        columns: dict[str, pa.Schema] = {}
        try:
            for table, batch in self.layout.read(self.paths, self.account):
                if not batch.num_rows:
                    continue
                if columns.setdefault(table, batch.schema) != batch.schema:
                    what = f"format {self.layout.name} gives rows of {table} with different columns"
                    raise ParameterError(what, remedy="mend it: all batches of a table have the same schema")
                yield table, self._asked(table, batch)
        except VotesError as error:
            raise self.with_hint(error) from error
        except OSError as error:
            where = error.filename if isinstance(error.filename, str) else None
            what = f"cannot be read ({reason_of(error)})"
            raise VotesError(what, where=where, remedy="see that it is there and may be read") from error
        except (AggregateError, MemoryError):
            raise
        except Exception as error:
            if type(self.layout).__module__.startswith(BUILT_IN):
                raise
            what = f"format {name_of(self.layout)} failed ({type(error).__name__}: {reason_of(error)})"
            raise VotesError(what, remedy="mend the format; --debug shows where") from error

    def check(self, max_rejected: float, is_wanted: Callable[[str], object]) -> None:
        """Raise VotesError if more than a share of the records of a table that is wanted were rejected."""
        for table, reasons in self.account.n_rejected.items():
            if not is_wanted(table):
                continue
            n_read, n = self.account.n_read[table], reasons.total()
            if n > count_of(max_rejected, n_read):
                listed = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
                first = next((item for item in self.account.rejected if item.table == table), None)
                place = "" if first is None else f"; first: {first.unit} {first.number:,} of {first.file}"
                what = (
                    f"{n:,} of {n_read:,} records of {table} cannot be used ({listed}{place}), more than the allowed "
                    f"share of {max_rejected:g}"
                )
                mend = "save it in UTF-8" if reasons.most_common(1)[0][0] == NOT_UTF_8 else "mend the input"
                raise self.with_hint(VotesError(what, remedy=f"{mend}, or raise --max-rejected"))

    def _asked(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        known = TABLES.get(table)
        if known is None:
            what = f"format {self.layout.name} gives a table {table!r}"
            raise ParameterError(what, remedy=f"mend it: tables are {', '.join(TABLES)}")
        missing = [column.name for column in known if not column.optional and column.name not in batch.schema.names]
        if missing:
            raise ParameterError(f"format {self.layout.name} gives rows of {table} without {missing[0]}")
        if self.ids is not None:
            for name in IDS:
                if name in batch.schema.names:
                    place = batch.schema.get_field_index(name)
                    batch = batch.set_column(place, name, _ids(batch.column(place), name, self.ids))
        return batch if self.labels is None else self.labels.apply(table, batch)

    def with_hint(self, error: VotesError) -> VotesError:
        """An error, and what a file looks like instead."""
        if "it looks like" in error.what:
            return error
        for path in self.paths:
            if error.where not in (None, "", printable(str(path))):
                continue  # a fault of another file, such as one within the folder
            found = formats_like(path)
            if found and self.layout.name not in found:
                what = f"{error.what}; it looks like {' or '.join(found)}"
                return VotesError(what, where=error.where, remedy=f"name that format instead of {self.layout.name}")
        return error


def check_ids(ids: object) -> None:
    """Raise ParameterError for an unknown type of ids."""
    if ids is not None and ids not in TYPES_OF_IDS:
        raise ParameterError(f"ids is {ids!r} but must be one of {', '.join(TYPES_OF_IDS)}")


def check_share(max_rejected: object) -> None:
    """Raise ParameterError if a share is none, and TypeError for what is no number."""
    check_type("a share", max_rejected, Real, "max_rejected=0.01")
    if not 0 <= max_rejected <= 1:  # type: ignore[operator]
        raise ParameterError(f"max_rejected is {max_rejected!r} but must be in [0, 1]")


def _ids(values: pa.Array, name: str, wanted: str) -> pa.Array:
    """Ids as texts, or as integers. Raises VotesError for one that is not written as an integer."""
    if wanted == TEXT:
        return values.cast(pa.string())
    if pa.types.is_integer(values.type):
        return values
    try:
        numbers = values.cast(pa.int64())
        same = pc.equal(numbers.cast(pa.string()), values)
    except pa.ArrowInvalid:
        same = pc.match_substring_regex(values, r"^(0|-?[1-9][0-9]{0,17})$")
        numbers = None
    if numbers is None or not pc.all(same).as_py():
        wrong = values.filter(pc.invert(same))
        text = quoted(wrong[0].as_py()) if len(wrong) else "one beyond 2^63"
        raise VotesError(f"{name} {text} is no integer", remedy="leave the ids as they are, without the option ids")
    return numbers
