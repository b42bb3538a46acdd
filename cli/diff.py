"""``plant-aggregate diff``: what changed between two runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import console
from .command import Command
from .completions import runs_in
from .options import common_options, file_option, listed_option, output_option, table_options
from .outputs import written_to

if TYPE_CHECKING:
    from plant_aggregate import Run


@click.command(cls=Command)
@click.argument("run_a", metavar="[RUN_A]", required=False, shell_complete=runs_in("output", or_files=True))
@click.argument("run_b", metavar="[RUN_B]", required=False, shell_complete=runs_in("output", or_files=True))
@output_option
@listed_option("--rows", "observations to list, those with another label first")
@file_option("--table", "write all observations that differ to a Parquet file, as changes.parquet")
@table_options("all observations that differ", "print the counts as JSON on stdout instead")
@common_options()
def diff(
    run_a: str | None, run_b: str | None, output: str, rows: int, table: str | None, as_csv: bool, as_json: bool
) -> None:
    """Compare the consensus of RUN_B with that of RUN_A: labels and statuses that differ, and why.

    A run is named by its id in OUTPUT or the beginning of it, by ``latest`` (the published one) or ``previous`` (the
    one that rollback would publish), or by the path of its folder or of a consensus.parquet. Without a name, or with
    that of an output folder or of latest alone, latest is compared with previous; another single run is compared with
    latest, the older one of both being RUN_A.
    """
    import plant_aggregate
    from plant_aggregate.publishing.report.changes import changes_blocks

    pair = _named([name for name in (run_a, run_b) if name is not None], output)
    (_, old), (_, new) = pair
    changes = plant_aggregate.diff(old, new)
    if table is not None:
        from plant_aggregate.publishing.tables import write_file

        write_file(changes.encoded, Path(table), declared=changes.schema)
    if as_csv:
        console.result_table(changes.encoded)
    elif as_json:
        console.result_json({"run_id": new.run_id, **(changes.summary or {})})
    else:
        title = " -> ".join(_called(name, run) for name, run in pair)
        blocks = changes_blocks(changes, rows, title, "" if table else ": --table FILE writes all")
        console.result_blocks([*blocks, *written_to(table)])


def _named(names: list[str], output: str) -> list[tuple[str, "Run"]]:
    """The two runs to compare, each with the name that it was given."""
    from plant_aggregate.publishing.open_run import is_run_name, open_named
    from plant_aggregate.publishing.releases import open_output
    from plant_aggregate.publishing.stores.run_ids import age_key

    if len(names) == 1 and names[0] and not is_run_name(names[0]) and open_output(names[0]).exists:
        names, output = [], names[0]
    wanted = {0: ["previous", "latest"], 1: [*names, "latest"]}.get(len(names), names)
    pair = [(name, open_named(name, output)) for name in wanted]
    given, latest = (run.run_id for _, run in pair)
    if len(names) == 1 and given is not None and latest is not None:
        if given == latest:
            return [("previous", open_named("previous", output)), pair[0]]
        if age_key(given) > age_key(latest):
            pair.reverse()
    return pair


def _called(name: str, run: "Run") -> str:
    """A run in the title: by its id, and by the name it was given if that is another."""
    from plant_aggregate.files.locations import redacted

    if run.run_id is None:
        return redacted(name)
    return run.run_id if run.run_id.startswith(name) else f"{run.run_id} ({redacted(name)})"
