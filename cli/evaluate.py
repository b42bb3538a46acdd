"""``plant-aggregate evaluate``: a consensus evaluated against expert labels."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from plant_aggregate.errors import warn

from . import console
from .command import Command, option
from .completions import PARQUET, runs_in
from .options import (
    column_mapping,
    common_options,
    labels_columns_option,
    listed_option,
    resamples_option,
    run_argument,
    seed_option,
    table_options,
    truth_options,
)
from .outputs import InputPath, labels_in

if TYPE_CHECKING:
    from plant_aggregate import Run, Truth
    from plant_aggregate.assessment.agreement import CrowdAgreement
    from plant_aggregate.progress import Progress


@click.command(cls=Command)
@click.argument("consensus", metavar="CONSENSUS", shell_complete=runs_in("", or_files=True))
@run_argument
@truth_options()
@labels_columns_option
@option(
    "--votes",
    metavar="VOTES",
    multiple=True,
    type=InputPath(*PARQUET),
    help="the votes of the consensus, for the agreement of the voters; read as its run did; repeatable",
    group="Votes",
)
@listed_option("--worst", "confusions of species, and suspect users, to list")
@resamples_option
@seed_option("of the resamples", "Expert labels")
@table_options("a row for each measure on each set of expert observations")
@common_options()
def evaluate(
    consensus: str,
    run: str | None,
    truth: tuple[str, ...],
    columns: tuple[tuple[str, str], ...],
    labels_columns: tuple[tuple[str, str], ...],
    votes: tuple[str, ...],
    worst: int,
    resamples: int,
    seed: int,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Evaluate CONSENSUS (consensus.parquet, a run's folder, or an output folder) against expert labels.

    It may also be a Parquet file of observation_id and label that another program wrote; measures that need more are
    left out.

    RUN is the run in an output folder: its id or the beginning of it, ``latest`` (the default) or ``previous``. By such
    a name alone the run is looked for in the folder ``consensus``, or that of the configuration.

    Labels that the run has used, with run --experts, are left out. Measures with 95 % intervals, by number of votes,
    and the worst confusions go to stdout.
    """
    import plant_aggregate
    from plant_aggregate.assessment.agreement import find_suspects
    from plant_aggregate.assessment.report.evaluation import evaluation_blocks
    from plant_aggregate.files.locations import redacted

    opened = labels_in(consensus, run, column_mapping(labels_columns, "--labels-column"))
    with console.progress(in_logs=False) as listener:
        listener.phase("read expert labels")
        experts = plant_aggregate.read_truth(truth, columns=column_mapping(columns))
        if isinstance(opened, plant_aggregate.Run):
            experts = opened.experts(experts)
        listener.phase("find them in the consensus")
        published = opened.evidence(experts) if isinstance(opened, plant_aggregate.Run) else None
        labels = opened if published is None else published.evidence
        listener.phase("evaluate")
        evaluation = plant_aggregate.evaluate(labels, experts, resamples=resamples, seed=seed, worst=worst)
        listener.phase("look for suspect users")
        users = opened.users() if isinstance(opened, plant_aggregate.Run) else None
        suspects = None if users is None else find_suspects(users, worst)
    n_observations = None if published is None else published.n_observations
    with console.progress() as listener:
        agreement = voters_agreement(opened, votes, n_observations, experts, listener) if votes else None
    if as_csv:
        console.result_table(evaluation.to_arrow())
    elif as_json:
        record = getattr(opened, "record", None)
        facts = {name: getattr(record, name, None) for name in ("run_id", "strategy", "parameters")}
        path = getattr(opened, "consensus", consensus)
        head = {"consensus": redacted(path), "truth": truth[0] if len(truth) == 1 else list(truth), **facts}
        crowd = {
            "agreement": None if agreement is None else without_nan(vars(agreement)),
            "users": None if suspects is None else asdict(suspects),
        }
        found = {**head, **evaluation.to_dict(), **crowd}
        console.result_json(found)
    else:
        console.result_blocks(evaluation_blocks(evaluation, agreement, suspects))


def voters_agreement(
    opened: "Run | Truth", votes: tuple[str, ...], n_observations: int | None, experts: "Truth", listener: "Progress"
) -> "CrowdAgreement":
    """The agreement of the voters; warns if the votes are not those of the consensus, as far as that is known."""
    from plant_aggregate import Run, read_votes
    from plant_aggregate.assessment.agreement import crowd_agreement

    log = opened.votes(paths=votes, progress=listener) if isinstance(opened, Run) else read_votes(votes)
    if n_observations is not None and log.n_observations != n_observations:
        warn(
            f"the votes are on {log.n_observations:,} observations, the consensus on {n_observations:,}: "
            "they do not belong together"
        )
    return crowd_agreement(log, experts)


def without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """For JSON: null for NaN."""
    return {name: None if value != value else value for name, value in values.items()}
