"""Base of all commands: options in named groups, and the checks before a command begins its work."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from plant_aggregate.errors import did_you_mean

from . import console, interrupts
from .outputs import check, flag_of

if TYPE_CHECKING:
    TextChoice = click.Choice[str]
else:
    TextChoice = click.Choice  # older versions cannot be subscripted

F = TypeVar("F", bound=Callable[..., Any])

SCORES, OUTPUT = "Scores and calibration", "Output and publishing"
FORMAT, EXPORT = "Format", "Export"
GROUPS = (
    *(FORMAT, EXPORT, "Votes", "Names", "Strategy", "Strategy parameters", "AI", "Expert labels", SCORES),
    *("Prediction sets", "Score", "Threshold rule", "Splits", "Simulation"),
    *(OUTPUT, "Guards", "Running", "Logging", "Other"),
)
"""Names of groups of options, in the order in which help shows them."""

OTHER = GROUPS[-1]

MANY = 12  # options of a command up to which help shows them in one list


class Option(click.Option):
    """An option in one of GROUPS.

    ``needs``: name of the parameter without which this one means nothing.
    """

    def __init__(self, *arguments: Any, group: str, needs: str = "", **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        if group not in GROUPS:
            raise ValueError(f"{group!r} is no group of options")
        self.group = group
        self.needs = needs


def option(*declarations: str, group: str, **attributes: Any) -> Callable[[F], F]:
    """As click.option, in one of GROUPS; its default, if it has one, is shown."""
    attributes.setdefault("show_default", "default" in attributes)
    return click.option(*declarations, cls=Option, group=group, **attributes)


class Choice(TextChoice):
    """One of some words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word; a usage error for another one, which suggests the one that was meant."""
        try:
            return str(super().convert(value, param, ctx))
        except click.BadParameter as error:
            question = did_you_mean(str(value), map(str, self.choices))
            raise click.BadParameter(
                "; ".join(filter(None, [error.message.rstrip("."), question])), ctx, param
            ) from error


class SeveralValues(click.Argument):
    """An argument of one or more values, which a configuration may give if the command line does not."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """The values and their source; click 8.1 would take no values for a value of the command line."""
        given = {name: value for name, value in opts.items() if name != self.name or value != ()}
        return super().consume_value(ctx, given)


class Command(click.Command):
    """A command whose help shows its options in their groups, if there are more than MANY.

    ``loads_compiler``: whether it loads the compiler and other libraries that reserve much address space.
    """

    def __init__(self, *arguments: Any, loads_compiler: bool = True, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self._loads_compiler = loads_compiler

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse the command line; this prints help."""
        with console.printing():
            return super().make_context(*arguments, **options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options; click does not say of which command one without its value is."""
        try:
            return super().parse_args(ctx, args)
        except click.BadOptionUsage as error:
            error.ctx = error.ctx or ctx
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Begin the work, if options fit each other, address space suffices, and no input would be overwritten."""
        from .limits import check_address_space

        check_needs(self, ctx)
        _choose_form(ctx)
        interrupts.begin()
        console.report_library_messages()
        if self._loads_compiler:
            check_address_space(ctx.params.get("threads"))
        check(self, ctx)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        records: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                records[getattr(parameter, "group", OTHER)].append(record)
        if sum(map(len, records.values())) <= MANY:
            super().format_options(ctx, formatter)
            return
        for group, shown in records.items():
            if shown:
                with formatter.section(group):
                    formatter.write_dl(shown)


def check_needs(command: click.Command, context: click.Context) -> None:
    """Raise UsageError for an option that was given without the one it needs."""
    by_name = {parameter.name: parameter for parameter in command.params}
    for parameter in command.params:
        needed = getattr(parameter, "needs", "")
        if needed and _source_of(parameter.name, context) is not None and not context.params.get(needed):
            raise click.UsageError(f"{flag_of(parameter)} is given without {flag_of(by_name[needed])}", context)


def _choose_form(context: click.Context) -> None:
    """Leave one of --csv and --json: that of the command line, before that of a file. Raises UsageError for both."""
    csv, json = (_source_of(name, context) for name in ("as_csv", "as_json"))
    if csv is None or json is None:
        return
    if csv == json:
        raise click.UsageError("--csv and --json exclude each other", context)
    context.params["as_json" if csv is ParameterSource.COMMANDLINE else "as_csv"] = False


def _source_of(name: str | None, context: click.Context) -> ParameterSource | None:
    """Where a parameter was given; None if it was not, or says no."""
    source = context.get_parameter_source(name or "")
    given = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)
    return source if source in given and context.params.get(name or "") else None
