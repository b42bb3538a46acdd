"""Options that are made from the engine's own declarations, and types the commands share."""

import math
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from plant_aggregate.errors import ParameterError, did_you_mean, reason_of
from plant_aggregate.files.requests import set_time_limit
from plant_aggregate.parameters import Interval, Parameter, declared, kind_of
from plant_aggregate.registry import Registry, is_path
from plant_aggregate.settings import PublishSettings, ReadSettings, RunningSettings
from plant_aggregate.strategies.registry import ALL, STRATEGIES

from . import console
from .command import OUTPUT, SCORES, Choice, Option, SeveralValues, option
from .completions import PARQUET, runs_in, strategies
from .outputs import InputPath, LocalFolder, LocalPath, OutputFolder, TextParameter

if TYPE_CHECKING:
    NumberParameter = click.ParamType[float]
else:
    NumberParameter = click.ParamType  # older versions cannot be subscripted

F = TypeVar("F", bound=Callable[..., Any])

COUNT = click.IntRange(min=0)

MAX_SECONDS = 1_000_000  # maximum of options in seconds: more is taken for a mistake


class FloatRange(click.FloatRange):
    """A number in a range with two ends, which excludes NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a usage error if it is none, or out of the range."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            below, above = ("<" if is_open else "<=" for is_open in (self.min_open, self.max_open))
            self.fail(f"{number} is not in the range {self.min}{below}x{above}{self.max}", param, ctx)
        return number


class ColumnName(TextParameter):
    """``observation_id=obs``: a column of one of some tables of ``schema``, and the files' own name for it."""

    name = "column_name"

    def __init__(self, tables: Sequence[str]) -> None:
        self._tables = tables

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The two names; a usage error if the first is none of the columns."""
        from plant_aggregate.files.sources import printable

        ours, equals, theirs = value.partition("=")
        known = self._columns
        if printable(value) != value:
            raise click.BadParameter(f"{printable(value)!r} is not UTF-8 text, as every name of a column is")
        if not equals or not theirs or ours not in known:
            question = did_you_mean(ours, known) if ours not in known else None
            message = f"{value!r} is not of the form COLUMN=NAME with COLUMN one of {', '.join(known)}"
            raise click.BadParameter("; ".join(filter(None, [message, question])))
        return ours, theirs

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Our names, before their equals sign."""
        return [CompletionItem(f"{name}=", type="part") for name in self._columns if name.startswith(incomplete)]

    @property
    def _columns(self) -> list[str]:
        from plant_aggregate import schema

        return list(dict.fromkeys(column.name for table in self._tables for column in getattr(schema, table)))


class NameValue(TextParameter):
    """``task=T0``: an option of a format, and its value."""

    name = "name_value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The two; a usage error if there is no name."""
        name, equals, text = value.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE")
        return name, text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The options of the format that was named before, before their equals sign."""
        from plant_aggregate.formats.registry import FORMATS

        with suppress(ParameterError):
            names = [*declared(find_in(FORMATS, ctx.params.get("format") or "")), "ids"]
            return [CompletionItem(f"{name}=", type="part") for name in names if name.startswith(incomplete)]
        return []


def timestamp(text: str) -> datetime:
    """An ISO 8601 time; a date is its midnight."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not an ISO 8601 time such as 2026-11-23 or 2026-11-23T02:15:00Z"
        ) from error


def options_of(settings: type[Any], *names: str, **changed: Mapping[str, Any]) -> Callable[[F], F]:
    """An option for each declared field of a dataclass, or for those of ``names``.

    ``changed``: by the name of a field, attributes of its option that are other ones in this command.
    """

    def decorate(function: F) -> F:
        for name in reversed(names or tuple(declared(settings))):
            declarations, attributes = _declaration(settings, name, changed.get(name, {}))
            function = option(*declarations, **attributes)(function)
        return function

    return decorate


def option_of(settings: type[Any], name: str) -> Option:
    """The option of a declared field of a dataclass; one that is a flag may be set and unset."""
    names, attributes = _declaration(settings, name, {})
    if attributes.get("is_flag"):
        names = [f"{flag(name)}/--no-{flag(name)[2:]}", name]
        attributes |= {"default": getattr(settings, name)}
    return Option(names, **attributes)


def _declaration(settings: type[Any], name: str, changed: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Names and attributes of the option of a field."""
    known, default = declared(settings)[name], getattr(settings, name)
    repeatable = known.several or bool(known.columns_of) or known.is_mapping
    attributes: dict[str, Any] = {"group": known.group, "metavar": known.metavar or known.unit.upper() or None}
    attributes["needs"] = known.needs
    if kind_of(settings, name) is bool:
        attributes["is_flag"] = True
    else:
        attributes |= {"type": _type_of(known, kind_of(settings, name)), "multiple": repeatable}
        if default is not None:
            attributes |= {"default": default, "show_default": True}
    text = changed.get("help", known.help) + ("; repeatable" if repeatable else "")
    if known.side_input and "help" not in changed:  # to say which, strategies are loaded
        text += f" {taken_by(known.side_input)}"
    names = [known.option, name] if known.option else [flag(name)]
    return names, {**attributes, **changed, "help": text}


def _type_of(known: Parameter, kind: type) -> Any:
    """What click makes of the text of an option."""
    if known.choices:
        return Choice(known.choices)
    if known.columns_of:
        return ColumnName(known.columns_of)
    if known.is_mapping:
        return NameValue()
    if known.is_format:
        from plant_aggregate.formats.registry import FORMATS, SUMMARIES

        from .layouts import LayoutName

        return LayoutName(FORMATS, SUMMARIES)
    if known.names_files:
        return InputPath(*(PARQUET if known.is_table else ()), words=known.words)
    if kind is datetime:
        return timestamp
    interval = Interval.of(known.range)
    if interval is None:
        return click.STRING
    ends: list[Any] = [None if math.isinf(end) else end for end in (interval.low, interval.high)]
    if kind is int:
        return click.IntRange(*ends)
    return FloatRange(ends[0], ends[1], min_open=interval.without_low, max_open=interval.without_high)


def taken_by(side_input: str) -> str:
    """For the help of an option that names a side input: which strategies take it."""
    from plant_aggregate.strategies.registry import takers

    return f"[{_owners(takers(side_input), list(STRATEGIES))}]"


def flag(name: str) -> str:
    """The option of a parameter or setting.

    >>> flag("theta_acc")
    '--theta-acc'
    """
    return f"--{name.replace('_', '-')}"


votes_argument = click.argument(
    "votes", cls=SeveralValues, nargs=-1, type=InputPath(*PARQUET), required=True, metavar="VOTES..."
)
OF_VOTES = {"help": "the votes files' own name of a column, such as observation_id=obs"}
"""How the option ``--column`` differs where there are columns of other tables, too."""

votes_options = options_of(ReadSettings, columns=OF_VOTES)
lock_option = options_of(PublishSettings, "lock")
threads_option = options_of(RunningSettings, "threads")
running_options = options_of(RunningSettings, *(name for name in declared(RunningSettings) if name != "store_timeout"))
OF_TRUTH = "Parquet file, folder or glob of expert labels: observation_id and label"


def labels_option(name: str, help: str, *, required: bool = False) -> Callable[[F], F]:
    """Files of expert labels."""
    return option(
        name,
        metavar="FILE",
        multiple=True,
        required=required,
        type=InputPath(*PARQUET),
        help=f"{help}; repeatable",
        group="Expert labels",
    )


truth_option = labels_option("--truth", OF_TRUTH, required=True)


def truth_options(flag_of_columns: str = "--column", name: str = "columns") -> Callable[[F], F]:
    """Files of expert labels, and their own names of columns."""
    columns = option(
        flag_of_columns,
        name,
        type=ColumnName(("TRUTH",)),
        metavar="COLUMN=NAME",
        multiple=True,
        help="the truth file's own name of a column, such as label=species; repeatable",
        group="Expert labels",
    )
    return lambda function: truth_option(columns(function))


labels_columns_option = option(
    "--labels-column",
    "labels_columns",
    type=ColumnName(("TRUTH",)),
    metavar="COLUMN=NAME",
    multiple=True,
    help="own name of a column in files of labels that other programs found, such as label=agg_label; repeatable",
    group="Expert labels",
)


resamples_option = option(
    "--resamples",
    type=COUNT,
    default=1000,
    help="bootstrap resamples for the intervals, 0 for none",
    group="Expert labels",
)


def seed_option(help: str, group: str) -> Callable[[F], F]:
    """The seed of what is drawn at random."""
    return option("--seed", type=COUNT, default=0, help=help, group=group)


def method_option(*methods: str, help: str) -> Callable[[F], F]:
    """How a calibration is fitted; the first is the default."""
    return option("--method", type=Choice(methods), default=methods[0], help=help, group=SCORES)


output_option = option(
    "-o", "--output", type=OutputFolder(), default="consensus", help="folder that runs are published in", group=OUTPUT
)

output_argument = click.argument("place", type=OutputFolder(), metavar="[OUTPUT]", required=False)
"""The same folder as an argument; ``outputs.given_output`` has the one that counts."""

run_argument = click.argument("run", metavar="[RUN]", required=False, shell_complete=runs_in("consensus"))
"""Which run, if the argument before it is an output folder."""


def saved_option(default: str) -> Callable[[F], F]:
    """The file that a model is saved in."""
    return option(
        "-o", "--output", type=LocalPath(), default=default, metavar="FILE", help="file to save it in", group=OUTPUT
    )


def folder_options(record: str, earlier: str) -> Callable[[F], F]:
    """``-o`` and ``--overwrite`` of a command that makes a folder, with a file ``record`` in it that lists its files.

    ``earlier``: what may be replaced, such as "an earlier export".
    """
    folder = option(
        "-o",
        "--output",
        type=LocalFolder(record),
        required=True,
        metavar="DIR",
        help=f"folder to write, which is complete once it is there; its {record} lists the files",
        group=OUTPUT,
    )
    overwrite = option("--overwrite", is_flag=True, help=f"replace {earlier} in DIR", group=OUTPUT)
    return lambda function: folder(overwrite(function))


def file_option(name: str, help: str) -> Callable[[F], F]:
    """A further file to write."""
    names = ("-o", name) if name == "--output" else (name,)
    return option(*names, type=LocalPath(), metavar="FILE", help=help, group=OUTPUT)


def listed_option(name: str, help: str) -> Callable[[F], F]:
    """The length of a list of the first, or worst, cases."""
    return option(name, type=COUNT, default=10, help=help, group=OUTPUT)


def json_option(help: str) -> Callable[[F], F]:
    """JSON on stdout."""
    return option("--json", "as_json", is_flag=True, help=help, group=OUTPUT)


def table_options(csv: str, json: str = "print JSON on stdout instead of text") -> Callable[[F], F]:
    """CSV or JSON on stdout, the parameters ``as_csv`` and ``as_json``; ``csv`` says what the rows are."""
    of_csv = option("--csv", "as_csv", is_flag=True, help=f"print a CSV table on stdout: {csv}", group=OUTPUT)
    of_json = json_option(json)
    return lambda function: of_csv(of_json(function))


metrics_option = file_option("--metrics", "write metrics for Prometheus to a file, for its textfile collector")


def store_timeout_option(*, exposed: bool = False) -> Callable[[F], F]:
    """How long stores may take to answer. ``exposed``: whether the command gets the value, beside the engine."""
    changed = {"type": FloatRange(0, MAX_SECONDS, min_open=True), "expose_value": exposed, "callback": _give_stores}
    return options_of(RunningSettings, "store_timeout", store_timeout=changed)


def common_options(*, exposed: bool = False) -> Callable[[F], F]:
    """The options that nearly all commands have, for stores and for logs; ``exposed``: see above."""
    timeout = store_timeout_option(exposed=exposed)
    return lambda function: timeout(quiet_option(debug_option(function)))


def _give_stores(_context: click.Context, _parameter: click.Parameter, seconds: float) -> float:
    set_time_limit(seconds)
    return seconds


def _logging_option(*names: str, switch: Callable[[bool], None], help: str) -> Callable[[F], F]:
    def call(_context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
        switch(wanted)

    return option(*names, is_flag=True, expose_value=False, callback=call, help=help, group="Logging")


debug_option = _logging_option("--debug", switch=console.set_debug, help="show a traceback when something fails")
quiet_option = _logging_option(
    "-q", "--quiet", switch=console.set_quiet, help="nothing but warnings and errors on stderr"
)


class StrategyName(Choice):
    """The name of a strategy, built in or of another package; help lists those built in."""

    def __init__(self) -> None:
        super().__init__(list(STRATEGIES))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; a usage error if no strategy has it, or that of another package cannot be used."""
        if value not in tuple(STRATEGIES):
            try:
                find_strategy(value)
            except ParameterError as error:
                self.fail(str(error), param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Those of other packages, too."""
        return strategies(ctx, param, incomplete)


def find_strategy(name: str) -> type[Any]:
    """The class of a strategy. Raises ParameterError."""
    kind: type[Any] = find_in(STRATEGIES, name)
    return kind


def find_in(registry: Registry[Any], name: str) -> Any:
    """What a registry has by a name. A module is looked for in the current folder first, as by ``python -m``.

    Raises ParameterError.
    """
    if is_path(name):
        with suppress(OSError):  # the folder may be gone
            if not {os.getcwd(), ""} & set(sys.path):
                sys.path.insert(0, os.getcwd())
    return registry.find(name)


class Within(NumberParameter):
    """A number in the range of a parameter, which is in the help of its option."""

    def __init__(self, known: Parameter, kind: type) -> None:
        self.number = click.INT if kind is int else click.FLOAT
        self._known = known
        self.name = self.number.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a usage error that names the option if it is none, or out of its range."""
        number = self.number.convert(value, param, ctx)
        if not self._known.holds(number):
            self.fail(f"{number} must be {self._known.range}", param, ctx)
        return number


def parameter_type(known: Parameter, kind: type) -> Any:
    """What click makes of the text of a parameter of a strategy."""
    if known.choices:
        return Choice(known.choices)
    return click.STRING if kind is str else Within(known, kind)


def strategy_options(strategies: Mapping[str, type[Any]], without: Collection[str] = ()) -> Callable[[F], F]:
    """One option for each parameter that any of the strategies has, with the ranges and defaults declared there.

    ``without``: parameters whose option the command has itself.
    """
    holders: dict[str, dict[str, type[Any]]] = {}
    for name, strategy in strategies.items():
        for parameter in declared(strategy):
            if parameter not in without:
                holders.setdefault(parameter, {})[name] = strategy

    def decorate(function: F) -> F:
        for name, holding in reversed(holders.items()):
            strategy = next(iter(holding.values()))
            known = declared(strategy)[name]
            owners = _owners(list(holding), list(strategies))
            function = option(
                flag(name),
                type=parameter_type(known, kind_of(strategy, name)),
                help=f"{known.help} ({known.range}{_defaults(name, holding)}) [{owners}]",
                group=known.group,
            )(function)
        return function

    return decorate


def make_strategy(strategy: type[Any], parameters: Mapping[str, Any], strategies: Mapping[str, type[Any]]) -> Any:
    """The strategy with the parameters that were given; a usage error if it does not have one of them."""
    given = {name: value for name, value in parameters.items() if value is not None}
    own = {item.name for item in fields(strategy)}  # that of another package may declare none
    for parameter in given:
        if parameter not in own:
            owners = [name for name, other in strategies.items() if parameter in declared(other)]
            raise click.UsageError(
                f"{flag(parameter)} is not an option of --strategy {strategy.name}, but of " + ", ".join(owners)
            )
    try:
        return strategy(**given)
    except (ValueError, TypeError) as error:  # the checks of another package
        raise click.UsageError(f"strategy {strategy.name}: {reason_of(error)}") from error


def column_mapping(columns: tuple[tuple[str, str], ...], option: str = "--column") -> dict[str, str]:
    """Our column -> the files' own name; each may be given once."""
    twice = {ours for ours, _ in columns if [name for name, _ in columns].count(ours) > 1}
    if twice:
        raise click.BadParameter(f"{', '.join(sorted(twice))} is mapped more than once", param_hint=option)
    return dict(columns)


def option_mapping(options: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Name -> value of the options of a format; one that is given several times has a list."""
    named: dict[str, list[str]] = {}
    for name, value in options:
        named.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in named.items()}


def given_value(known: Parameter, value: Any) -> Any:
    """The value of a declared field, of what click makes of its option."""
    if known.columns_of:
        return column_mapping(value, known.option or "--column")
    return option_mapping(value) if known.is_mapping else value


def _defaults(parameter: str, strategies: Mapping[str, type[Any]]) -> str:
    """The default; where strategies have different ones, each with those that have it."""
    named: dict[Any, list[str]] = {}
    for name, strategy in strategies.items():
        named.setdefault(getattr(strategy, parameter), []).append(name)
    known = {default: names for default, names in named.items() if default is not None}
    if len(named) == 1:
        return "".join(f"; default {_short(default)}" for default in known)
    common = max(known, key=lambda default: len(known[default]))
    others = [f"{_short(default)} {', '.join(names)}" for default, names in known.items() if default != common]
    own = [f"{name}: {declared(strategies[name])[parameter].unset}" for name in named.get(None, ())]
    return f"; default {_short(common)}; " + "; ".join(others + own)


def _owners(names: list[str], everyone: list[str]) -> str:
    missing = [name for name in everyone if name not in names]
    if not missing:
        return "all strategies"
    return ", ".join(names) if len(names) <= len(missing) + 1 else f"all but {', '.join(missing)}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def strategy_names(text: str) -> tuple[str, ...]:
    """Names of strategies with commas between them, or ``all``, which are those built in without ``auto``."""
    names = ALL if text == "all" else tuple(name.strip() for name in text.split(","))
    for name in names:
        try:
            find_strategy(name)
        except ParameterError as error:
            raise click.BadParameter(str(error)) from error
    if len(set(names)) < len(names):
        raise click.BadParameter("a strategy is named more than once")
    return names


def shares(text: str) -> tuple[float, ...]:
    """Numbers from 0 to 1 with commas between them."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a list of numbers such as 0.5,0.7") from error
    if not all(0 <= number <= 1 for number in numbers) or len(set(numbers)) < len(numbers):
        raise click.BadParameter(f"{text!r} holds a number that is not in [0, 1], or the same number twice")
    return numbers
