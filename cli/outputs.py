"""Checks that a command overwrites none of its inputs."""

import click

from .options import LocalPath, OutputFolder


def check(command: click.Command, context: click.Context) -> None:
    """Raise ParameterError, before any work is done, if a command would overwrite an input, or write into a run.

    Every option whose type is LocalPath names files to write; whatever else is text may name files to read.
    """
    outputs: dict[str, list[str]] = {}
    inputs: dict[str, list[str]] = {}
    folder = None
    for parameter in command.params:
        value = context.params.get(parameter.name or "")
        values = [part for part in (value if isinstance(value, tuple) else [value]) if isinstance(part, str)]
        if not values:
            continue
        if isinstance(parameter.type, LocalPath):
            outputs[_name_of(parameter)] = [file for part in values for file in parameter.type.files(part)]
        elif isinstance(parameter.type, OutputFolder):
            folder = parameter.type.local(values[0])
        elif isinstance(parameter.type, click.types.StringParamType):
            inputs[_name_of(parameter)] = values
    configuration = context.meta.get("configuration")
    if configuration is not None:
        inputs["--config"] = [configuration.path]
    if outputs:
        from plant_aggregate.publishing.output_files import check_output_files

        check_output_files(outputs, inputs, folder)


def _name_of(parameter: click.Parameter) -> str:
    """The name of a parameter on the command line."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.metavar or parameter.name or "").rstrip(".")
