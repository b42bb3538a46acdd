"""What may complete the values of options and arguments: files, folders, runs, strategies. Loads nothing heavy."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem

Completer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

PARQUET = (".parquet", ".parq", ".pq")
TABLES = (*PARQUET, ".csv")
TOML = (".toml",)


def files(*suffixes: str, words: Sequence[str] = ()) -> Completer:
    """Files with one of some suffixes, all without any, and folders; and some words that stand for others.

    The shell looks for them: see the scripts in ``completion``.
    """

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = [CompletionItem(word) for word in words if word.startswith(incomplete)]
        return [*found, CompletionItem(" ".join(suffixes), type="files")]

    return complete


def folders(_context: click.Context, _parameter: click.Parameter, _incomplete: str) -> list[CompletionItem]:
    """Folders."""
    return [CompletionItem("", type="folders")]


def runs_in(parameter: str, *, or_files: bool = False) -> Completer:
    """Names of the runs in the local folder that a parameter names: latest and previous, then ids, the newest first.

    Without such a parameter they are those in the folder of the configuration, or the default one.
    ``or_files``: a consensus or a run may also be named by its path.
    """

    def complete(context: click.Context, known: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = _run_names(context.params.get(parameter) or _configured_output(context))
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return [*found, *files(*PARQUET)(context, known, incomplete)] if or_files else found

    return complete


def _run_names(output: str) -> list[str]:
    from plant_aggregate.files.destination import LATEST
    from plant_aggregate.publishing.stores.folder import RunFolder
    from plant_aggregate.publishing.stores.run_ids import in_order
    from plant_aggregate.publishing.stores.store import PREVIOUS

    if "://" in output:  # an object store takes longer to answer than a person waits
        return []
    store = RunFolder(output)
    ids = in_order([*store.run_ids, *store.held_ids])
    return [*([LATEST, PREVIOUS] if ids else []), *reversed(ids)]


def _configured_output(context: click.Context) -> str:
    from plant_aggregate.publishing.command_lines import DEFAULT_OUTPUT

    configuration = context.meta.get("configuration")
    configured = {} if configuration is None else configuration.of("runs")
    return str(configured.get("output", DEFAULT_OUTPUT))


def strategies(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of strategies, those of other packages last."""
    from plant_aggregate.strategies.registry import STRATEGIES

    return [CompletionItem(name) for name in STRATEGIES.names if name.startswith(incomplete)]


def several_strategies(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The last of some names of strategies with commas between them."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    names = (item.value for item in strategies(context, parameter, last))
    found = [CompletionItem(f"{before}{comma}{name}") for name in names if name not in given]
    return found if comma else [*found, *([CompletionItem("all")] if "all".startswith(incomplete) else [])]
