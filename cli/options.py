"""Options that are made from the engine's own declarations, and types the commands share."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plant_aggregate.files.requests import TIME_LIMIT, set_time_limit
from plant_aggregate.parameters import Parameter
from plant_aggregate.publishing.stores.lock import LOCK_MODES
from plant_aggregate.strategies.registry import STRATEGIES

from . import console
from .command import option

if TYPE_CHECKING:
    from plant_aggregate.schema import Table

    TextParameter = click.ParamType[str]
    NumberParameter = click.ParamType[float]
    TextChoice = click.Choice[str]
else:
    TextParameter = NumberParameter = click.ParamType  # older versions cannot be subscripted
    TextChoice = click.Choice

F = TypeVar("F", bound=Callable[..., Any])

MAX_SECONDS = 1_000_000
"""More is a slip of the hand."""


class FloatRange(click.FloatRange):
    """A number in a range with two ends, in which there is no place for NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a usage error if it is none, or out of the range."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            below, above = ("<" if is_open else "<=" for is_open in (self.min_open, self.max_open))
            self.fail(f"{number} is not in the range {self.min}{below}x{above}{self.max}", param, ctx)
        return number


class LocalPath(TextParameter):
    """A file to write on a local disk; or, with ``inside``, a folder to write files of these names in.

    Commands do not write over what they read: see ``outputs``.
    """

    name = "text"

    def __init__(self, *inside: str) -> None:
        self._inside = inside

    def files(self, path: str) -> list[str]:
        """The files that are to be written."""
        is_file = not self._inside or (len(self._inside) == 1 and path.endswith(".parquet"))
        return [path] if is_file else [os.path.join(path, name) for name in self._inside]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path; a usage error for a URI."""
        from plant_aggregate.errors import ParameterError
        from plant_aggregate.files.stores import check_local

        try:
            return check_local(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)


class OutputFolder(TextParameter):
    """A folder to publish runs in, or a place in another store."""

    name = "text"

    def local(self, name: str) -> str | None:
        """The path of the folder; None if it is in another store, or not well spelled."""
        from plant_aggregate.errors import ParameterError
        from plant_aggregate.files.stores import is_uri, local_path

        try:
            return None if is_uri(name) or not name else local_path(name)
        except ParameterError:
            return None


output_option = option(
    "-o",
    "--output",
    type=OutputFolder(),
    default="consensus",
    show_default=True,
    help="folder that runs are published in",
    group="Output and publishing",
)
lock_option = option(
    "--lock",
    type=click.Choice(list(LOCK_MODES)),
    default="wait",
    show_default=True,
    help="while another process writes in OUTPUT: wait, or fail at once (exit code 4)",
    group="Output and publishing",
)
max_rejected_option = option(
    "--max-rejected",
    type=FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="share of the rows that may be unusable",
    group="Votes",
)
truth_option = option(
    "--truth",
    metavar="FILE",
    multiple=True,
    required=True,
    help="Parquet file, folder or glob of expert labels: observation_id and label; repeatable",
    group="Expert labels",
)
threads_option = option(
    "--threads", type=click.IntRange(1, 1024), help="threads to run on  [default: all cores]", group="Running"
)
resamples_option = option(
    "--resamples",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="bootstrap resamples for the intervals, 0 for none",
    group="Expert labels",
)
debug_option = option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=lambda _context, _parameter, wanted: console.set_debug(wanted),
    help="show a traceback when something fails",
    group="Logging",
)


def store_timeout_option(*, exposed: bool = False) -> Callable[[F], F]:
    """How long stores may take to answer. ``exposed``: whether the command is told, beside the engine."""
    return option(
        "--store-timeout",
        type=FloatRange(0, MAX_SECONDS, min_open=True),
        metavar="SECONDS",
        default=TIME_LIMIT,
        show_default=True,
        expose_value=exposed,
        callback=_give_stores,
        help="time that an object store has for an answer, retries included",
        group="Running",
    )


def _give_stores(_context: click.Context, _parameter: click.Parameter, seconds: float) -> float:
    set_time_limit(seconds)
    return seconds


quiet_option = option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=lambda _context, _parameter, wanted: console.set_quiet(wanted),
    help="nothing but warnings and errors on stderr",
    group="Logging",
)
metrics_option = option(
    "--metrics",
    type=LocalPath(),
    metavar="FILE",
    help="write metrics for Prometheus to a file, for its textfile collector",
    group="Output and publishing",
)


class StrategyName(TextChoice):
    """The name of a strategy, built in or of another package; help lists those built in."""

    def __init__(self) -> None:
        super().__init__(list(STRATEGIES))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; a usage error if no strategy has it."""
        return value if value in STRATEGIES else super().convert(value, param, ctx)


class Within(NumberParameter):
    """A number in the range that the strategies which have the parameter agree on."""

    def __init__(self, items: Mapping[str, Field[Any]]) -> None:
        defaults = [item.default for item in items.values() if item.default is not None]
        self.number = click.INT if defaults and isinstance(defaults[0], int) else click.FLOAT
        self._known: Parameter = next(iter(items.values())).metadata["parameter"]
        self.name = self.number.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a usage error that names the option if it is none, or out of its range."""
        number = self.number.convert(value, param, ctx)
        if not self._known.holds(number):
            self.fail(f"{number} must be {self._known.range}", param, ctx)
        return number


def strategy_options(strategies: Mapping[str, type[Any]]) -> Callable[[F], F]:
    """One option for each parameter that any of the strategies has, with the ranges and defaults declared there."""
    holders: dict[str, dict[str, Field[Any]]] = {}
    for name, strategy in strategies.items():
        for item in fields(strategy):
            holders.setdefault(item.name, {})[name] = item

    def decorate(function: F) -> F:
        for parameter, items in reversed(holders.items()):
            known = next(iter(items.values())).metadata["parameter"]
            function = option(
                flag(parameter),
                type=click.Choice(known.choices) if known.choices else Within(items),
                help=f"{known.help} ({known.range}{_defaults(items)}) [{_owners(list(items), list(strategies))}]",
                group=known.group,
            )(function)
        return function

    return decorate


def flag(name: str) -> str:
    """The option of a parameter or setting.

    >>> flag("theta_acc")
    '--theta-acc'
    """
    return f"--{name.replace('_', '-')}"


def make_strategy(strategy: type[Any], parameters: Mapping[str, Any], strategies: Mapping[str, type[Any]]) -> Any:
    """The strategy with the parameters that were given; a usage error if it does not have one of them."""
    given = {name: value for name, value in parameters.items() if value is not None}
    own = {item.name for item in fields(strategy)}
    for parameter in given:
        if parameter not in own:
            owners = [name for name, other in strategies.items() if parameter in {f.name for f in fields(other)}]
            raise click.UsageError(
                f"{flag(parameter)} is not an option of --strategy {strategy.name}, but of " + ", ".join(owners)
            )
    return strategy(**given)


def column_name(text: str) -> tuple[str, str]:
    """``observation_id=obs``: a column of the votes and the files' own name for it."""
    from plant_aggregate.schema import VOTES

    return _name_in(text, VOTES)


def truth_column_name(text: str) -> tuple[str, str]:
    """``observation_id=obs``: a column of the expert labels and the file's own name for it."""
    from plant_aggregate.schema import TRUTH

    return _name_in(text, TRUTH)


def score_column_name(text: str) -> tuple[str, str]:
    """``labels=top_labels``: a column of the scores, in either layout, and the files' own name for it."""
    from plant_aggregate.schema import SCORE_LISTS, SCORE_ROWS

    return _name_in(text, tuple(dict.fromkeys(SCORE_LISTS + SCORE_ROWS)))


def column_mapping(columns: tuple[tuple[str, str], ...], option: str = "--column") -> dict[str, str]:
    """Our column -> the files' own name; each may be given once."""
    twice = {ours for ours, _ in columns if [name for name, _ in columns].count(ours) > 1}
    if twice:
        raise click.BadParameter(f"{', '.join(sorted(twice))} is mapped more than once", param_hint=option)
    return dict(columns)


def _name_in(text: str, table: "Table") -> tuple[str, str]:
    from plant_aggregate.files.sources import printable

    ours, equals, theirs = text.partition("=")
    known = [column.name for column in table]
    if printable(text) != text:
        raise click.BadParameter(f"{printable(text)!r} is not UTF-8 text, as every name of a column is")
    if not equals or not theirs or ours not in known:
        raise click.BadParameter(f"{text!r} is not of the form COLUMN=NAME with COLUMN one of {', '.join(known)}")
    return ours, theirs


def timestamp(text: str) -> datetime:
    """An ISO 8601 time; a date is its midnight."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not an ISO 8601 time such as 2026-11-23 or 2026-11-23T02:15:00Z"
        ) from error


def _defaults(items: Mapping[str, Field[Any]]) -> str:
    """The default; where strategies have different ones, each with those that have it."""
    named: dict[Any, list[str]] = {}
    for name, item in items.items():
        named.setdefault(item.default, []).append(name)
    known = {default: names for default, names in named.items() if default is not None}
    if len(named) == 1:
        return "".join(f"; default {_short(default)}" for default in known)
    common = max(known, key=lambda default: len(known[default]))
    others = [f"{_short(default)} {', '.join(names)}" for default, names in known.items() if default != common]
    own = [f"{name}: {items[name].metadata['parameter'].unset}" for name in named.get(None, ())]
    return f"; default {_short(common)}; " + "; ".join(others + own)


def taken_by(side_input: str) -> str:
    """For the help of an option that names a side input: which strategies take it."""
    from plant_aggregate.strategies.registry import STRATEGIES, takers

    return f"[{_owners(takers(side_input), list(STRATEGIES))}]"


def _owners(names: list[str], everyone: list[str]) -> str:
    """Whose option it is."""
    missing = [name for name in everyone if name not in names]
    if not missing:
        return "all strategies"
    return ", ".join(names) if len(names) <= len(missing) + 1 else f"all but {', '.join(missing)}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def strategy_names(text: str) -> tuple[str, ...]:
    """Names of strategies with commas between them, or ``all``, which are those built in."""
    names = tuple(STRATEGIES) if text == "all" else tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in STRATEGIES]
    if unknown:
        raise click.BadParameter(f"{', '.join(map(repr, unknown))} not among {', '.join(STRATEGIES)}")
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
        raise click.BadParameter(f"{text!r} holds a number that is not in [0, 1], or twice the same")
    return numbers
