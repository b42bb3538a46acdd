"""``plant-aggregate diff``: what changed between two runs."""

from pathlib import Path

import click

from . import console
from .command import Command
from .options import common_options, file_option, listed_option, output_option, table_options


@click.command(cls=Command)
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@output_option
@listed_option("--rows", "observations to list, those with another label first")
@file_option("--table", "write all observations that differ to a Parquet file, as changes.parquet")
@table_options("all observations that differ", "print the counts as JSON on stdout instead")
@common_options()
def diff(run_a: str, run_b: str, output: str, rows: int, table: str | None, as_csv: bool, as_json: bool) -> None:
    """Compare the consensus of RUN_B with that of RUN_A: labels and statuses that differ, and why.

    A run is named by its id or ``latest`` in OUTPUT, or by the path of its folder or of a consensus.parquet.
    """
    import plant_aggregate
    from plant_aggregate.files.locations import redacted
    from plant_aggregate.publishing.report.changes import changes_blocks

    changes = plant_aggregate.diff(run_a, run_b, output)
    if table is not None:
        from plant_aggregate.publishing.tables import write_file

        write_file(changes.encoded, Path(table), declared=changes.schema)
    if as_csv:
        console.result_table(changes.encoded)
    elif as_json:
        console.result_json(changes.summary)
    else:
        title = f"{redacted(run_a)} -> {redacted(run_b)}"
        console.result_blocks(changes_blocks(changes, rows, title, ": --table FILE writes all"))
