"""``plant-aggregate ambiguity``: areas under the margin of a classifier's training scores."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from plant_aggregate.errors import on_one_line

from . import console
from .command import Command, SeveralValues, option
from .options import (
    FloatRange,
    LocalPath,
    column_mapping,
    column_name,
    debug_option,
    quiet_option,
    score_column_name,
    store_timeout_option,
    threads_option,
    timestamp,
)
from .summary import count

if TYPE_CHECKING:
    from plant_aggregate import Ambiguity

FILE = "ambiguity.parquet"


@click.command(cls=Command, short_help="Find observations that a classifier in training finds ambiguous.")
@click.argument("votes", cls=SeveralValues, nargs=-1, required=True, metavar="VOTES...")
@option(
    "--scores",
    metavar="SCORES",
    required=True,
    multiple=True,
    help="the classifier's scores at every epoch: Parquet files, folders or globs with observation_id, epoch, and "
    "labels and probabilities (lists), or label and probability (a row each); repeatable",
    group="Scores and calibration",
)
@option(
    "-o",
    "--output",
    type=LocalPath(FILE),
    default=FILE,
    show_default=True,
    metavar="DIR|FILE",
    help=f".parquet file, or folder for {FILE}",
    group="Output and publishing",
)
@option(
    "--strategy",
    metavar="NAME",
    default="plantnet",
    show_default=True,
    help="how to find consensus labels and users' weights, with its defaults; any of run --strategy",
    group="Strategy",
)
@option(
    "--trust",
    type=click.Choice(["auto", "confusion", "weight"]),
    default="auto",
    show_default=True,
    help="what weighs the voters in waum: how well the last scores go with the labels they recognise (confusions of "
    "dawid-skene), or their weight; auto: confusion up to 50 million users x labels",
    group="Scores and calibration",
)
@option(
    "--margin",
    type=click.Choice(["second", "other"]),
    default="second",
    show_default=True,
    help="which waum decides about pruning: over the second largest probability, or the largest of another label",
    group="Scores and calibration",
)
@option(
    "--alpha",
    type=FloatRange(0, 1, max_open=True),
    default=0.01,
    show_default=True,
    help="share of the scored observations to prune, at most",
    group="Scores and calibration",
)
@option(
    "--by-label",
    is_flag=True,
    help="prune that share of the observations of each consensus label",
    group="Scores and calibration",
)
@option("--normalise", is_flag=True, help="divide each score list by its sum", group="Scores and calibration")
@option(
    "--column",
    "columns",
    type=column_name,
    metavar="COLUMN=NAME",
    multiple=True,
    help="the votes files' own name of a column, such as observation_id=obs; repeatable",
    group="Votes",
)
@option(
    "--score-column",
    "score_columns",
    type=score_column_name,
    metavar="COLUMN=NAME",
    multiple=True,
    help="the score files' own name of a column, such as labels=top_labels; repeatable",
    group="Scores and calibration",
)
@option(
    "--as-of",
    type=timestamp,
    metavar="TIMESTAMP",
    help="leave out votes cast later; a time without zone is UTC",
    group="Votes",
)
@option(
    "--max-rejected",
    type=FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="share of the rows of votes, and of the score lists, that may be unusable",
    group="Votes",
)
@threads_option
@option(
    "--json", "as_json", is_flag=True, help="print JSON on stdout instead of the summary", group="Output and publishing"
)
@store_timeout_option()
@quiet_option
@debug_option
def ambiguity(
    votes: tuple[str, ...],
    scores: tuple[str, ...],
    output: str,
    strategy: str,
    trust: Literal["auto", "confusion", "weight"],
    margin: Literal["second", "other"],
    alpha: float,
    by_label: bool,
    normalise: bool,
    columns: tuple[tuple[str, str], ...],
    score_columns: tuple[tuple[str, str], ...],
    as_of: datetime | None,
    max_rejected: float,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compare the scores a classifier gave the observations of VOTES while it was trained with the labels voted.

    Writes areas under the margin of every observation, and which to leave out of the next training.
    """
    import plant_aggregate
    from plant_aggregate.ingest import read
    from plant_aggregate.kernels.threads import available_cores, set_threads
    from plant_aggregate.publishing.tables import write_rows
    from plant_aggregate.strategies import registry

    settings = plant_aggregate.AmbiguitySettings(trust, margin, alpha, by_label, normalise, max_rejected)
    chosen = registry.get(strategy)()
    names = column_mapping(score_columns, "--score-column")
    set_threads(threads or available_cores())
    with console.progress() as listener:
        log = read(
            votes, columns=column_mapping(columns), as_of=as_of, max_rejected=max_rejected, progress=listener
        ).votes
        consensus = chosen.fit(log, progress=listener)
        found = plant_aggregate.ambiguity_of(consensus, scores, settings, columns=names, progress=listener)
        listener.phase("write", total=found.n_observations, unit="observations")
        path = Path(output) if output.endswith(".parquet") else Path(output) / FILE
        written = write_rows(found, path, listener)
    report: dict[str, Any] = {
        "output": {"path": str(path), "rows": written.rows, "bytes": written.bytes, "sha256": written.sha256},
        "strategy": consensus.strategy,
        "settings": vars(settings),
        "trust": found.trust,
        "counts": found.counts,
    }
    if as_json:
        console.result_json(report)
    else:
        console.result(summary(found, str(path)))


def summary(found: "Ambiguity", output: str) -> str:
    """How many observations were scored and pruned, what became of the lists, and where the table lies."""
    counts, lists = found.counts, found.counts["lists"]
    settings = found.settings
    which = "of its label" if settings.by_label else "of all"
    trust = {"confusion": "the confusions of dawid-skene", "weight": "the users' weights"}[found.trust]
    rows = [
        ("scored", counts["scored"], f"at {count(counts['epochs'], 'epoch')}"),
        ("exact", counts["exact"], "no label left out of a list could change score_aum or aumc"),
        ("missing epochs", counts["missing_epochs"], "scored at fewer epochs: the mean is over those"),
        ("pruned", counts["pruned"], f"waum ({settings.margin}) below its {settings.alpha:g} quantile {which}"),
    ]
    whole = counts["observations"]
    lines = [f"{count(whole, 'observation')}, {count(lists['read'], 'score list')}"]
    lines += [f"  {name:<16}{number:>13,}  {100 * number / whole:5.1f} %   {remark}" for name, number, remark in rows]
    lines.append(f"voters weighed by {trust}")
    for number, what in (
        (lists["above_one"], "add up to more than 1" + (": divided by their sum" if settings.normalise else "")),
        (lists["below_one"], "add up to less than 1" + (": divided by their sum" if settings.normalise else "")),
        (lists["unknown"], "are of observations nobody voted on: ignored"),
    ):
        if number:
            lines.append(f"{number:,} of the lists {what}")
    for reason, number in lists["rejected_by_reason"].items():
        lines.append(f"{number:,} of the lists cannot be used: {reason} (first: {lists['first_rejected'][reason]})")
    return "\n".join([*lines, f"written to {on_one_line(output)}"])
