"""``plant-aggregate diff``: what changed between two runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plant_aggregate.errors import on_one_line

from . import console
from .command import Command
from .options import (
    debug_option,
    file_option,
    json_option,
    listed_option,
    output_option,
    quiet_option,
    store_timeout_option,
)
from .summary import changes_lines

if TYPE_CHECKING:
    from plant_aggregate import Changes

MOST_FREQUENT = 5
"""Changes of one label to another that are counted for themselves."""


@click.command(cls=Command, short_help="Show what changed between two runs, and why.")
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@output_option
@listed_option("--rows", "observations to list, those with another label first")
@file_option("--table", "write all observations that differ to a Parquet file, as changes.parquet")
@json_option("print the counts as JSON on stdout instead")
@store_timeout_option()
@quiet_option
@debug_option
def diff(run_a: str, run_b: str, output: str, rows: int, table: str | None, as_json: bool) -> None:
    """Compare the consensus of RUN_B with that of RUN_A: labels and statuses that differ, and why.

    A run is named by its id or ``latest`` in OUTPUT, or by the path of its folder or of a consensus.parquet.
    """
    import plant_aggregate
    from plant_aggregate.files.stores import redacted

    changes = plant_aggregate.diff(run_a, run_b, output)
    if table is not None:
        from plant_aggregate.publishing.tables import write_file

        write_file(changes.encoded, Path(table), declared=changes.schema)
    if as_json:
        console.result_json(changes.summary)
    else:
        console.result(_report(changes, rows, f"{redacted(run_a)} -> {redacted(run_b)}"))


def _report(changes: "Changes", rows: int, title: str) -> str:
    """The counts, and some observations: those whose label changed first."""
    from .evaluation import aligned, shortened

    assert changes.found is not None
    assert changes.found.counts is not None
    lines = [on_one_line(title), *changes_lines(changes.found.counts)]
    frequent = changes.most_frequent(MOST_FREQUENT).to_pylist()
    if frequent:
        counts = [
            [f"{row['observations']:,}", shortened(row["old_label"]), shortened(row["new_label"])] for row in frequent
        ]
        lines += ["", aligned([["times", "label before", "label now"], *counts])]
    listed = [[shortened(value) for value in row.values()] for row in changes.first(rows).to_pylist()]
    if listed:
        header = ["observation", "label before", "label now", "status before", "status now", "why"]
        lines += ["", aligned([header, *listed])]
        more = changes.encoded.num_rows - len(listed)
        if more:
            lines.append(f"and {more:,} more: --table FILE writes all")
    return "\n".join(lines)
