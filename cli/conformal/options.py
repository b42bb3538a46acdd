"""Options that several commands of prediction sets have."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import click

from plant_aggregate.assessment.conformal.registry import RULES, SCORES
from plant_aggregate.errors import ParameterError
from plant_aggregate.parameters import declared

from ..command import SCORES as SCORES_GROUP
from ..command import SeveralValues, option
from ..completions import PARQUET, runs_in
from ..options import ColumnName, FloatRange, column_mapping, find_in, flag, seed_option, strategy_options
from ..outputs import InputPath, TextParameter, open_given

F = TypeVar("F", bound=Callable[..., Any])
SETS = "Prediction sets"
SEED = "of what is drawn at random: random scores, and the split of the calibration rows for some threshold rules"
LABELS = (*PARQUET, ".csv", ".tsv", ".txt")

scores_argument = click.argument(
    "scores", cls=SeveralValues, nargs=-1, required=True, metavar="SCORES...", type=InputPath(*PARQUET)
)

score_columns_option = option(
    "--score-column",
    "score_columns",
    type=ColumnName(("SCORE_LISTS", "SCORE_ROWS")),
    metavar="COLUMN=NAME",
    multiple=True,
    help="the scores files' own name of a column, such as labels=species; repeatable",
    group=SCORES_GROUP,
)

sets_option = option(
    "--sets",
    type=InputPath(".json"),
    required=True,
    metavar="FILE",
    help="the file that conformal fit saved",
    group=SETS,
)

LABEL_OPTIONS = (
    option(
        "--counts",
        type=InputPath(*LABELS),
        metavar="FILE",
        help="how often each label is in the classifier's training set: label and count, Parquet or text "
        "[default: counts of the calibration rows]",
        group=SETS,
    ),
    option(
        "--prior-run",
        metavar="RUN",
        shell_complete=runs_in("", or_files=True),
        help="count the valid labels of this run instead",
        group=SETS,
    ),
    option(
        "--prior-at-least",
        type=FloatRange(0, 1e9),
        default=1.0,
        help="a label that was never counted counts as counted so often; 0 is the paper's",
        group=SETS,
    ),
    option(
        "--at-risk",
        type=InputPath(*LABELS),
        metavar="FILE",
        help="labels that must not be missed, a line each, or a column label: for score wpas, and evaluations",
        group=SETS,
    ),
    option(
        "--gamma",
        type=FloatRange(0, 1e9, min_open=True),
        default=10.0,
        help="how much more each of these weighs than another label",
        group=SETS,
        needs="at_risk",
    ),
    option(
        "--class-weights",
        type=InputPath(*LABELS),
        metavar="FILE",
        help="label and weight, Parquet or text: for score wpas, and evaluations",
        group=SETS,
    ),
)


class Named(TextParameter):
    """The name of a score or a threshold rule, built in or of another package."""

    name = "text"

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; a usage error if there is none."""
        try:
            find_in(self._registry, value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        """All names."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self._registry.names if name.startswith(incomplete)]


class MethodText(TextParameter):
    """A score and a threshold rule with their options, ``pas/interp-q:tau=0.9``."""

    name = "method"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text; a usage error if there is no such score or rule, or an option has a wrong value."""
        from plant_aggregate.assessment.conformal.methods import Method

        try:
            Method.of(str(value))
        except ParameterError as error:
            self.fail(str(error), param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        """What is compared by default, and every other score with every rule."""
        from click.shell_completion import CompletionItem

        from plant_aggregate.assessment.conformal.methods import COMPARED

        every = [f"{score}/{rule}" for score in SCORES.names for rule in RULES.names]
        return [CompletionItem(name) for name in dict.fromkeys([*COMPARED, *every]) if name.startswith(incomplete)]


class Level(TextParameter):
    """A level alpha, as its text: it is exact."""

    name = "alpha"
    number = click.FLOAT  # as configurations write it

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text; a usage error if it is no number in (0, 1)."""
        from plant_aggregate.assessment.conformal.order import Alpha

        try:
            Alpha.of(str(value))
        except ParameterError as error:
            self.fail(str(error).removeprefix("alpha is "), param, ctx)
        return str(value)


def method_options(function: F) -> F:
    """``--score``, ``--threshold``, and the options that these have."""
    kinds: dict[str, Any] = {**dict(SCORES.items()), **dict(RULES.items())}
    for name, registry, help in (
        ("--threshold", RULES, "threshold rule: how the least score of a label follows from the calibration rows"),
        ("--score", SCORES, "conformity score: how well a label fits an observation"),
    ):
        default = next(iter(registry))
        text = f"{help}; one of {', '.join(registry)}"
        function = option(name, type=Named(registry), metavar="NAME", default=default, help=text, group=SETS)(function)
    return strategy_options(kinds, without=("seed",))(seed_option(SEED, SETS)(function))


def made_method(score: str, threshold: str, given: Mapping[str, Any], seed: int = 0) -> tuple[Any, Any]:
    """The score and the threshold rule with the options that were given. Raises UsageError, ParameterError."""
    kinds = find_in(SCORES, score), find_in(RULES, threshold)
    known = [{item.name for item in fields(kind)} & set(declared(kind)) for kind in kinds]
    options = {name: value for name, value in given.items() if value is not None}
    for name in options:
        if name not in known[0] | known[1]:
            owners = [owner for owner, kind in (*SCORES.items(), *RULES.items()) if name in declared(kind)]
            raise click.UsageError(f"{flag(name)} is an option of {', '.join(owners)}, not of {score} and {threshold}")
    options["seed"] = seed
    return tuple(
        kind(**{name: value for name, value in options.items() if name in own})
        for kind, own in zip(kinds, known, strict=True)
    )


def alpha_option(help: str) -> Callable[[F], F]:
    """One or several levels."""
    return option("--alpha", "alphas", type=Level(), metavar="ALPHA", multiple=True, help=help, group=SETS)


def known_labels_options(of_run: str) -> Callable[[F], F]:
    """``--truth`` and its columns, or ``--run`` instead of what ``of_run`` says, and its least probability."""
    decorators = (
        option(
            "--truth",
            metavar="FILE",
            multiple=True,
            type=InputPath(*PARQUET),
            help="Parquet file, folder or glob of expert labels: observation_id and label; repeatable",
            group="Expert labels",
        ),
        option(
            "--truth-column",
            "truth_columns",
            type=ColumnName(("TRUTH",)),
            metavar="COLUMN=NAME",
            multiple=True,
            help="the truth file's own name of a column, such as label=species; repeatable",
            group="Expert labels",
        ),
        option(
            "--run",
            metavar="RUN",
            shell_complete=runs_in("", or_files=True),
            help=f"take the valid labels of this run instead of {of_run}",
            group="Expert labels",
        ),
        option(
            "--min-probability",
            type=FloatRange(0, 1),
            help="of the run's labels, only those that are right with at least this probability",
            group="Expert labels",
            needs="run",
        ),
    )

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def known_labels_given(
    truth: tuple[str, ...], columns: tuple[tuple[str, str], ...], run: str | None, min_probability: float | None
) -> dict[str, Any]:
    """The keywords of the library for what these options name. Raises UsageError if not exactly one of them does."""
    from plant_aggregate.ingest.truth import MAP_TRUTH_NAMES, truth_of_files

    if bool(truth) == (run is not None):
        raise click.UsageError(
            "give the labels of experts (--truth), or of a run (--run)" + " and not both" * bool(truth)
        )
    if columns and not truth:
        raise click.UsageError("--truth-column is given without --truth")
    if run is not None:
        return {"run": open_given(run, None), "min_probability": min_probability}
    names = column_mapping(columns, "--truth-column")
    return {"truth": truth_of_files(truth, names, remedy=MAP_TRUTH_NAMES)}


def label_options(function: F) -> F:
    """What is known of the labels: how common they are, and which must not be missed."""
    for add in reversed(LABEL_OPTIONS):
        function = add(function)
    return function


def taxonomy_options(what: str) -> Callable[[F], F]:
    """``--taxonomy`` and ``--genus``; ``what`` is made of either."""
    of_genera = option("--genus", is_flag=True, help="the same with the genera that the labels begin with", group=SETS)
    of_file = option(
        "--taxonomy",
        type=InputPath(*PARQUET),
        metavar="FILE",
        help=f"{what}: Parquet with label, parent and rank, as convert writes it, or label and genus",
        group=SETS,
    )
    return lambda function: of_file(of_genera(function))


def check_taxonomy(taxonomy: str | None, genus: bool) -> None:
    """Raise UsageError if both are given."""
    if genus and taxonomy is not None:
        raise click.UsageError("--taxonomy and --genus exclude each other")
