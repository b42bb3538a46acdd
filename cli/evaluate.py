"""``plant-aggregate evaluate``: a consensus held against expert labels."""

import json

import click

from . import console
from .options import column_mapping, truth_column_name


@click.command(short_help="Hold a consensus against expert labels.")
@click.argument("consensus", metavar="CONSENSUS")
@click.option("--truth", metavar="FILE", required=True, help="Parquet file of expert labels: observation_id and label")
@click.option(
    "--column",
    "columns",
    type=truth_column_name,
    metavar="COLUMN=NAME",
    multiple=True,
    help="the truth file's own name of a column, such as label=species; repeatable",
)
@click.option("--worst", type=int, default=10, show_default=True, help="confusions of species to list")
@click.option(
    "--resamples", type=int, default=1000, show_default=True, help="bootstrap resamples for the intervals, 0 for none"
)
@click.option("--seed", type=int, default=0, show_default=True, help="of the resamples")
@click.option("--json", "as_json", is_flag=True, help="print JSON on stdout instead of tables")
@click.option("-q", "--quiet", is_flag=True, help="no warnings on stderr")
@click.option("--debug", is_flag=True, help="show a traceback when something fails")
def evaluate(
    consensus: str,
    truth: str,
    columns: tuple[tuple[str, str], ...],
    worst: int,
    resamples: int,
    seed: int,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> None:
    """Hold CONSENSUS (consensus.parquet, a run's folder, or an output folder with latest) against expert labels.

    Measures with 95 % intervals, by number of votes, and the worst confusions go to stdout.
    """
    import aggregate

    from .evaluation import report

    experts = aggregate.read_truth(truth, columns=column_mapping(columns))
    published = aggregate.read_evidence(consensus, experts)
    evaluation = aggregate.evaluate(published.evidence, experts, resamples=resamples, seed=seed, worst=worst)
    if as_json:
        run = {name: (published.manifest or {}).get(name) for name in ("run_id", "strategy", "parameters")}
        head = {"consensus": str(published.path), "truth": truth, **run}
        console.result(json.dumps({**head, **evaluation.to_dict()}, indent=2, ensure_ascii=False))
    else:
        console.result(report(evaluation))
