"""What a conversion did: its record, and what of it is shown."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..blocks import Block, Table, count
from ..errors import ParameterError
from ..formats.base import TABLES, Account
from ..html_blocks import as_html


@dataclass(frozen=True, repr=False)
class Conversion:
    """Votes, and what else the files of a platform or tool hold, as Parquet files in a folder."""

    folder: Path
    """Where they are."""
    record: Mapping[str, Any]
    """The content of its conversion.json: format, options, inputs, files, and the counts of each table's records."""
    blocks: Sequence[Block]
    """The same as titles, tables and notes."""

    @property
    def tables(self) -> list[str]:
        """The names of the tables that were written: ``votes``, ``truth``, ``ai_votes``, ``scores``, ``taxonomy``."""
        return [table for table in TABLES if f"{table}.parquet" in self.record["files"]]

    def path(self, table: str = "votes") -> Path:
        """The file of a table. Raises ParameterError if there is none."""
        if table not in self.tables:
            has = f"it has {', '.join(self.tables)}"
            raise ParameterError(f"there is no table {table!r}", where=str(self.folder), remedy=has)
        return self.folder / f"{table}.parquet"

    def __repr__(self) -> str:
        rows = (
            count(self.record["files"][f"{table}.parquet"]["rows"], "row") + f" of {table}" for table in self.tables
        )
        return f"Conversion({self.folder}: {', '.join(rows)}; {self.record['format']})"

    def _repr_html_(self) -> str:
        return as_html(self.blocks)


def table_facts(account: Account, rows: Mapping[str, int]) -> dict[str, Any]:
    """How many records of each table were used, left out and rejected; ``rows``: those that were written."""
    return {
        table: {
            "read": account.n_read[table],
            "used": account.n_used(table),
            "left_out": dict(account.left_out.get(table, {})),
            "rejected": dict(account.n_rejected.get(table, {})),
            "rows": rows.get(table, 0),
        }
        for table in TABLES
        if account.n_read[table] or rows.get(table)
    }


def conversion_rows(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The counts of each table's records: columns ``schema.CONVERSION``."""
    return [
        {"table": table, "outcome": outcome, "reason": reason, "records": n}
        for table, facts in record["tables"].items()
        for outcome, reason, n in _outcomes(facts)
    ]


def conversion_blocks(record: Mapping[str, Any]) -> list[Block]:
    """The same, a table of counts each, and what else is worth knowing."""
    blocks = []
    for table, facts in record["tables"].items():
        rows = [
            (outcome, n, 100 * n / facts["read"] if facts["read"] else None, reason or "")
            for outcome, reason, n in _outcomes(facts)
            if outcome not in ("read", "rows")
        ]
        title = f"{table}: {count(facts['rows'], 'row')} of {count(facts['read'], 'record')}"
        blocks.append(Block(title, [Table(rows=rows, formats=("", ",", ".1f %", ""), layout="counts")]))
    notes = [f"{n:,} {fact}" for fact, n in record["notes"].items()]
    notes += [f"{name}: {detail}" for name, detail in record["details"].items()]
    return [*blocks, *([Block(content=notes)] if notes else [])]


def written_to(folder: Path, record: Mapping[str, Any]) -> Block:
    """Where the tables are."""
    files = ", ".join(name for name, facts in record["files"].items() if facts["rows"])
    return Block(content=[f"written to {folder}: {files}"])


def _outcomes(facts: Mapping[str, Any]) -> Iterator[tuple[str, str | None, int]]:
    yield "read", None, facts["read"]
    yield "used", None, facts["used"]
    for outcome, reasons in (("left out", facts["left_out"]), ("rejected", facts["rejected"])):
        for reason, n in Counter(reasons).most_common():
            yield outcome, reason, n
    yield "rows", None, facts["rows"]
