"""``plant-aggregate diff``: what changed between two runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregate.errors import on_one_line

from . import console
from .options import LocalPath, debug_option, output_option
from .summary import changes_lines

if TYPE_CHECKING:
    from aggregate import Changes


@click.command(short_help="Show what changed between two runs, and why.")
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@output_option
@click.option("--rows", type=click.IntRange(min=0), default=10, show_default=True, help="observations to list")
@click.option(
    "--table",
    type=LocalPath(),
    metavar="FILE",
    help="write all observations that differ to a Parquet file, as changes.parquet",
)
@click.option("--json", "as_json", is_flag=True, help="print the counts as JSON on stdout instead")
@debug_option
def diff(run_a: str, run_b: str, output: str, rows: int, table: str | None, as_json: bool) -> None:
    """Hold the consensus of RUN_B against that of RUN_A: labels and statuses that differ, and why.

    A run is named by its id or ``latest`` in OUTPUT, or by the path of its folder or of a consensus.parquet.
    """
    import aggregate

    changes = aggregate.diff(_path_of(run_a, output), _path_of(run_b, output))
    if table is not None:
        from aggregate.publishing.tables import write_file

        write_file(changes.table, Path(table))
    if as_json:
        console.result_json(changes.summary)
    else:
        console.result(_report(changes, rows, f"{run_a} -> {run_b}"))


def _path_of(run: str, output: str) -> str:
    """The consensus of a run that is named by its id or ``latest``, or the path itself."""
    from aggregate.errors import VotesError
    from aggregate.publishing.releases import open_output
    from aggregate.publishing.run_ids import is_run_id
    from aggregate.publishing.tables import CONSENSUS_FILE
    from aggregate.storage import redacted

    if not is_run_id(run) and run != "latest":
        return run
    store = open_output(output)
    run_id = store.published_id if run == "latest" else run
    if run_id is None:
        raise VotesError("has no published run", where=redacted(store.where), remedy="see plant-aggregate runs")
    return store.file(run_id, CONSENSUS_FILE)


def _report(changes: "Changes", rows: int, title: str) -> str:
    """The counts, and some observations: those whose label changed first."""
    from .evaluation import aligned

    summary = changes.summary or {}
    lines = [on_one_line(title), *changes_lines(summary)]
    listed = [[_shown(value) for value in row.values()] for row in changes.first(rows).to_pylist()]
    if listed:
        header = ["observation", "label before", "label now", "status before", "status now", "why"]
        lines += ["", aligned([header, *listed])]
        more = changes.table.num_rows - len(listed)
        if more:
            lines.append(f"and {more:,} more: --table FILE writes all")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)
