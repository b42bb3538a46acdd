"""What all commands have in common: options in named groups, and a moment from which there is something to clean up."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from . import console, interrupts

F = TypeVar("F", bound=Callable[..., Any])

GROUPS = (
    "Votes",
    "Strategy",
    "Strategy parameters",
    "AI",
    "Expert labels",
    "Scores and calibration",
    "Simulation",
    "Output and publishing",
    "Guards",
    "Running",
    "Logging",
    "Other",
)
"""Names of groups of options, in the order in which help shows them."""

OTHER = GROUPS[-1]

MANY = 12
"""Options of a command up to which help shows them in one list."""


class Option(click.Option):
    """An option in one of GROUPS."""

    def __init__(self, *arguments: Any, group: str, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        if group not in GROUPS:
            raise ValueError(f"{group!r} is no group of options")
        self.group = group


def option(*declarations: str, group: str, **attributes: Any) -> Callable[[F], F]:
    """As click.option, in one of GROUPS."""
    return click.option(*declarations, cls=Option, group=group, **attributes)


WITHOUT_COMPILER = ("config", "publish", "rollback", "runs", "simulate")
"""Commands that load none of the libraries that take much address space."""


class SeveralValues(click.Argument):
    """An argument that may be given several times, and takes what a configuration says where it is not given."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """The values and where they are from; to click 8.1 none at all would be a value of the command line."""
        given = {name: value for name, value in opts.items() if name != self.name or value != ()}
        return super().consume_value(ctx, given)


class Command(click.Command):
    """A command whose help shows its options in their groups, if they are many."""

    def invoke(self, ctx: click.Context) -> Any:
        """Begin the work, if there is room for it and nothing that is read would be written over."""
        from .limits import check_address_space
        from .outputs import check

        interrupts.begin()
        console.report_library_messages()
        if self.name not in WITHOUT_COMPILER:
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
