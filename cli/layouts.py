"""Commands an argument of which names a format or an export, whose parameters are further options."""

import copy
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from inspect import cleandoc
from typing import Any

import click
from click.shell_completion import CompletionItem

from plant_aggregate.errors import ParameterError, quoted
from plant_aggregate.parameters import declared
from plant_aggregate.registry import Registry

from .command import Command, Option
from .options import column_mapping, find_in, option_of
from .outputs import TextParameter, with_flags
from .own_strategies import with_parameters_of


class LayoutName(TextParameter):
    """The name of a format or an export, built in or of another package."""

    name = "text"

    def __init__(self, registry: Registry[Any], summaries: Mapping[str, str]) -> None:
        self.registry = registry
        self.summaries = summaries

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; a usage error if there is none, or that of another package cannot be used."""
        if value not in tuple(self.registry):
            try:
                find_in(self.registry, value)
            except ParameterError as error:
                is_there = os.path.exists(value)
                what = f"{quoted(value)} is a file or folder, not one of {', '.join(self.registry)}"
                self.fail(what if is_there else str(error), param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """All names; those of other packages last."""
        names = [name for name in self.registry.names if name.startswith(incomplete)]
        return [CompletionItem(name, help=self.summaries.get(name)) for name in names]


class LayoutCommand(Command):
    """A command whose argument ``format`` names one of some classes; the parameters of that are options, too.

    ``layouts``: the classes by name. ``summaries``: what each is, in a line: help lists them without loading any.
    """

    def __init__(
        self, *arguments: Any, layouts: Registry[Any], summaries: Mapping[str, str], title: str, **attributes: Any
    ) -> None:
        super().__init__(*arguments, **attributes)
        self._layouts = layouts
        self._summaries = summaries
        self._title = title
        self._layout: Any = None

    def with_options_of(self, name: object) -> "LayoutCommand":
        """The command with the parameters of the class of a name among its options.

        It is unchanged if ``name`` is none. Raises ParameterError if there is no such class, or it cannot be used.
        """
        if not isinstance(name, str):
            return self
        extended = copy.copy(self)
        extended._layout = layout = find_in(self._layouts, name)
        taken = {parameter.name for parameter in self.params}
        own = [option_of(layout, parameter) for parameter in declared(layout) if parameter not in taken]
        place = next(place for place, parameter in enumerate(self.params) if isinstance(parameter, Option))
        extended.params = [*self.params[:place], *own, *self.params[place:]]
        extended.help = cleandoc(layout.__doc__ or self._summaries.get(name, name))
        return extended

    def meant_by(self, arguments: list[str], configured: object) -> "LayoutCommand":
        """As :func:`with_options_of`, by the name in a command line, or else the ``configured`` one.

        What is wrong with the name is found when the command line is parsed.
        """
        words = [argument for argument in arguments if not argument.startswith("-")]
        built_in = tuple(self._layouts)
        candidates = [word for word in words if word in built_in] or [word for word in words if word in self._layouts]
        with suppress(ParameterError):
            extended = {name: self.with_options_of(name) for name in candidates}
            fitting = (each for name, each in extended.items() if each._named_in(arguments) == name)
            return next(fitting, None) or next(iter(extended.values()), None) or self.with_options_of(configured)
        return self

    def _named_in(self, arguments: list[str]) -> object:
        """What stands in the place of the name, with these options."""
        # A copy, because the command keeps the option --help as this context has it.
        context = click.Context(self, resilient_parsing=True, ignore_unknown_options=True)
        with suppress(click.UsageError):
            return copy.copy(self).make_parser(context).parse_args(list(arguments))[0].get("format")
        return None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options; those of a name that is wrong are unknown because of the name."""
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption:
            named = next(parameter for parameter in self.params if parameter.name == "format")
            if self._layout is None and not str(name := self._named_in(args) or "-").startswith("-"):
                named.type.convert(name, named, ctx)
            raise

    def made(self, values: Mapping[str, Any]) -> Any:
        """The object of the class that was named, of the values of the options. Raises ParameterError."""
        given: dict[str, Any] = {}
        for name, known in declared(self._layout).items():
            if known.columns_of:
                given[name] = column_mapping(values[name], known.option or "--column")
            elif name in values and values[name] != ():  # several values, none of which was given
                given[name] = values[name]
        return self._layout(**given)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors name its options as they are on the command line."""
        try:
            return super().invoke(ctx)
        except ParameterError as error:
            raise ParameterError(with_flags(str(error), self)) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options; and the names, until one is given."""
        super().format_options(ctx, formatter)
        if self._layout is None:
            with formatter.section(self._title):
                formatter.write_dl(list(self._rows()))

    def _rows(self) -> Iterator[tuple[str, str]]:
        for name in self._layouts.names:
            yield name, self._summaries.get(name, "of another package")


def completed(command: click.Command, table: Mapping[str, Any]) -> click.Command:
    """A command with the options of the strategy or layout that its table in a configuration names.

    Raises ParameterError if there is none of that name, or it cannot be used.
    """
    if isinstance(command, LayoutCommand):
        return command.with_options_of(table.get("format"))
    return with_parameters_of(table.get("strategy"), command)
