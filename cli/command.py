"""Base of all commands: options in named groups, and the checks before a command begins its work."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from . import console, interrupts
from .outputs import check

F = TypeVar("F", bound=Callable[..., Any])

SCORES, OUTPUT = "Scores and calibration", "Output and publishing"
GROUPS = (
    *("Votes", "Strategy", "Strategy parameters", "AI", "Expert labels", SCORES),
    *("Simulation", OUTPUT, "Guards", "Running", "Logging", "Other"),
)
"""Names of groups of options, in the order in which help shows them."""

OTHER = GROUPS[-1]

MANY = 12  # options of a command up to which help shows them in one list


class Option(click.Option):
    """An option in one of GROUPS."""

    def __init__(self, *arguments: Any, group: str, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        if group not in GROUPS:
            raise ValueError(f"{group!r} is no group of options")
        self.group = group


def option(*declarations: str, group: str, **attributes: Any) -> Callable[[F], F]:
    """As click.option, in one of GROUPS; its default, if it has one, is shown."""
    attributes.setdefault("show_default", "default" in attributes)
    return click.option(*declarations, cls=Option, group=group, **attributes)


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

    def invoke(self, ctx: click.Context) -> Any:
        """Begin the work, if there is enough address space and no input would be overwritten."""
        from .limits import check_address_space

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
