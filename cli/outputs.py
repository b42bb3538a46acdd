"""Types of options that name what a command writes; finds them, for ``publishing.output_files`` to compare."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from .completions import files, folders

if TYPE_CHECKING:
    from plant_aggregate import Run, Truth
    from plant_aggregate.blocks import Block

    TextParameter = click.ParamType[str]
    NamedFileParameter = click.ParamType["NamedFile"]
else:
    TextParameter = NamedFileParameter = click.ParamType  # older versions cannot be subscripted


class LocalPath(TextParameter):
    """A file to write on a local disk; or, with ``inside``, a folder to write files of these names in.

    Commands do not write over what they read: see :func:`check`.
    """

    name = "text"

    def __init__(self, *inside: str) -> None:
        self._inside = inside

    def files(self, path: str) -> list[str]:
        """The files that are to be written."""
        return [path] if self.is_file(path) else [os.path.join(path, name) for name in self._inside]

    def check_name(self, path: str) -> None:
        """Raise ParameterError if a folder would have the name of a file."""
        from plant_aggregate.files.destination import check_folder_name

        if not self.is_file(path):
            check_folder_name(path, file=".parquet" if len(self._inside) == 1 else "")

    def is_file(self, path: str) -> bool:
        """Whether a path is that of the file, not of a folder for it."""
        return not self._inside or (len(self._inside) == 1 and path.endswith(".parquet"))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Files, or folders to write in."""
        return (folders if len(self._inside) > 1 else files())(ctx, param, incomplete)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path; a usage error for a URI."""
        from plant_aggregate.errors import ParameterError
        from plant_aggregate.files.locations import check_local

        try:
            return check_local(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)


class LocalFolder(LocalPath):
    """A folder to make on a local disk, with a file of this name in it."""

    def __init__(self, file: str) -> None:
        super().__init__(file)

    def check_name(self, path: str) -> None:
        """Raise ParameterError if the folder would have the name of a file."""
        from plant_aggregate.files.destination import check_folder_name

        check_folder_name(path)

    def is_file(self, path: str) -> bool:
        """No path is that of a file."""
        return False

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Folders."""
        return folders(ctx, param, incomplete)


class InputPath(click.types.StringParamType):
    """A file, folder or glob to read, a URI, or one of some ``words``; the shell completes files of these suffixes."""

    def __init__(self, *suffixes: str, words: Sequence[str] = ()) -> None:
        self._suffixes = suffixes
        self.words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Files and folders, and the words."""
        return files(*self._suffixes, words=self.words)(ctx, param, incomplete)


class OutputFolder(TextParameter):
    """A folder to publish runs in, or a place in another store."""

    name = "text"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Folders."""
        return folders(ctx, param, incomplete)

    def local(self, name: str) -> str | None:
        """The path of the folder; None if it is in another store, or malformed."""
        from plant_aggregate.errors import ParameterError
        from plant_aggregate.files.locations import is_uri, local_path

        try:
            return None if is_uri(name) or not name else local_path(name)
        except ParameterError:
            return None


class NamedFile(NamedTuple):
    """A file to read, and the name of its content in a table."""

    name: str
    file: str


class NamedFileType(NamedFileParameter):
    """``NAME=FILE``."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> NamedFile:
        """The two; a usage error if one is empty."""
        name, _, file = value.partition("=")
        if not name or not file:
            self.fail(f"{value!r} is not of the form NAME=FILE", param, ctx)
        return NamedFile(name, file)


def given_output(argument: str | None, option: str) -> str:
    """The output folder, which may be an argument or the option. A usage error if they are different ones."""
    source = click.get_current_context().get_parameter_source("output")
    if argument is not None and source is ParameterSource.COMMANDLINE and argument != option:
        raise click.UsageError(f"the output folder is given twice, as {argument} and with -o as {option}")
    return option if argument is None else argument


def open_given(consensus: str, run: str | None) -> "Run":
    """The run that an argument names, or ``run`` in the output folder that it names.

    A name such as ``latest`` or an id means one in the output folder of the configuration, or the default one.
    """
    from plant_aggregate.publishing.command_lines import DEFAULT_OUTPUT
    from plant_aggregate.publishing.open_run import open_named, open_run

    if run is not None:
        return open_run(consensus, run)
    configuration = click.get_current_context().meta.get("configuration")
    configured = {} if configuration is None else configuration.of("runs")
    return open_named(consensus, configured.get("output", DEFAULT_OUTPUT))


def labels_in(path: str, run: str | None, names: Mapping[str, str]) -> "Run | Truth":
    """Labels to evaluate: a run, as :func:`open_given`, or a file of observation_id and label, by its own ``names``."""
    from plant_aggregate import VotesError, read_truth
    from plant_aggregate.publishing.integrity import NO_CONSENSUS

    if names:
        return read_truth(path, columns=names)
    try:
        return open_given(path, run)
    except VotesError as no_consensus:
        if not no_consensus.what.startswith(NO_CONSENSUS) or "'user_id'" in no_consensus.what:
            raise
        try:
            return read_truth(path)
        except VotesError as error:
            if "is missing" not in error.what:
                raise
            remedy = f"{no_consensus.remedy}; or map its names with --labels-column COLUMN=NAME"
            raise VotesError(no_consensus.what, where=no_consensus.where, remedy=remedy) from error


def written_to(*paths: str | None) -> "list[Block]":
    """Says which files were written; None for those that were not asked for."""
    from plant_aggregate.blocks import Block

    notes = [f"written to {path}" for path in paths if path is not None]
    return [Block(content=notes)] if notes else []


def check(command: click.Command, context: click.Context) -> None:
    """Raise ParameterError, before any work is done, if a command would overwrite an input, or write into a run.

    Every option whose type is LocalPath names files to write; whatever else is text may name files to read.
    """
    outputs: dict[str, list[str]] = {}
    named: list[tuple[LocalPath, str]] = []
    inputs: dict[str, list[str]] = {}
    folder = None
    for parameter in command.params:
        value = context.params.get(parameter.name or "")
        several = value if isinstance(value, tuple) else (value,)
        values = [each.file if isinstance(each, NamedFile) else each for each in several]
        values = [each for each in values if isinstance(each, str)]
        if not values:
            continue
        if isinstance(parameter.type, LocalPath):
            outputs[flag_of(parameter)] = [file for part in values for file in parameter.type.files(part)]
            named += [(parameter.type, part) for part in values]
        elif isinstance(parameter.type, OutputFolder):
            folder = parameter.type.local(values[0])
        elif isinstance(parameter.type, click.types.StringParamType | NamedFileType):
            inputs[flag_of(parameter)] = values
    configuration = context.meta.get("configuration")
    if configuration is not None:
        inputs["--config"] = [configuration.path]
    if outputs:
        from plant_aggregate.publishing.output_files import check_output_files

        check_output_files(outputs, inputs, folder)
    for kind, path in named:
        kind.check_name(path)


def flag_of(parameter: click.Parameter) -> str:
    """The name of an option as on the command line; that of an argument as in the line of usage."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.metavar or parameter.name or "").strip("[].")


def with_flags(message: str, command: click.Command) -> str:
    """A message of the engine with the options of a command in place of settings: of names that are no words.

    >>> option = click.Option(["--ai-votes"])
    >>> with_flags("ai_votes are for plantnet; see ai_votes/1.parquet", click.Command("run", params=[option]))
    '--ai-votes are for plantnet; see ai_votes/1.parquet'
    """
    flags = {parameter.name: flag_of(parameter) for parameter in command.params}
    named = r"(?<![\w./'\"=-])(?:[a-z]+(?:_[a-z]+)+(?![\w./'\"=])|[a-z]+(?= is \S+ but must ))"
    return re.sub(named, lambda match: flags.get(match[0], match[0]), message)
