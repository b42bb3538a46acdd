"""``plant-aggregate subset``: a smaller research set out of a run."""

from typing import Any

import click

from plant_aggregate.exports.subset import SubsetTables

from . import console
from .command import Command
from .completions import runs_in
from .options import column_mapping, common_options, file_option, folder_options, options_of, table_options
from .outputs import open_given, written_to

RECORD = "export.json"


@click.command(cls=Command)
@click.argument("run", metavar="RUN", shell_complete=runs_in("", or_files=True))
@folder_options(RECORD, "an earlier subset")
@options_of(SubsetTables)
@file_option("--plot", "draw Lorenz curves and counts by rank: .svg, .png or .pdf (extra 'plot')")
@table_options("a row for each figure of the populations", "print subset.json on stdout instead of text")
@common_options()
def subset(
    run: str, output: str, overwrite: bool, plot: str | None, as_csv: bool, as_json: bool, **options: Any
) -> None:
    """Write a smaller research set out of RUN: genera sampled with all their species, as for Pl@ntNet-300K.

    RUN is the id of a run or the beginning of it, ``latest`` or ``previous``, in the folder ``consensus`` or that of
    the configuration; or the path of a run's folder, a consensus.parquet, or an output folder.

    Into DIR go the rows of the consensus, the votes, the expert labels if --truth names them, the sets and classes of
    the observations, and why others were left out. The populations before and after sampling go to stdout, beside
    Pl@ntNet-300K.
    """
    import plant_aggregate
    from plant_aggregate.charts import check_installed, lorenz_curves, observations_by_rank, panels
    from plant_aggregate.exports.writing import check_output
    from plant_aggregate.files.results import check_paths, write_plot
    from plant_aggregate.schema import POPULATIONS

    check_paths(None, plot)
    if plot is not None:
        check_installed()
    check_output(output, overwrite=overwrite)
    opened = open_given(run, None)
    options["truth_columns"] = column_mapping(options["truth_columns"])
    with console.progress() as listener:
        done = plant_aggregate.subset(opened, output, overwrite=overwrite, progress=listener, **options)
    if plot is not None:
        figure, axes = panels(2, (5.0, 4.2))
        lorenz_curves(done.populations, ax=axes[0])
        observations_by_rank(done.populations, ax=axes[1])
        write_plot(figure, plot)
    if as_csv:
        console.result_rows(POPULATIONS, done.facts["figures"])
    elif as_json:
        console.result_json(done.facts)
    else:
        console.result_blocks([*done.blocks, *written_to(plot)])
