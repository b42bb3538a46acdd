"""What all commands have in common: options in named groups, and a moment from which there is something to clean up."""

from typing import Any

import click

from . import interrupts

VOTES = "Votes"
STRATEGY = "Strategy"
PARAMETERS = "Strategy parameters"
USERS = "Users"
AI = "AI"
LABELS = "Expert labels"
SCORES = "Scores"
CALIBRATION = "Calibration"
SIMULATED = "What is simulated"
OUTPUT = "Output"
PUBLISHING = "Publishing"
GUARDS = "Guards"
STORES = "Object stores"
LOGGING = "Logging"
OTHER = "Options"

GROUPS = (
    VOTES,
    STRATEGY,
    PARAMETERS,
    USERS,
    AI,
    LABELS,
    SCORES,
    CALIBRATION,
    SIMULATED,
    OUTPUT,
    PUBLISHING,
    GUARDS,
    STORES,
    LOGGING,
    OTHER,
)
"""Names of groups of options, in the order in which help shows them."""


class Option(click.Option):
    """An option in one of GROUPS."""

    def __init__(self, *arguments: Any, group: str = OTHER, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.group = group


class Command(click.Command):
    """A command whose help shows its options in their groups."""

    def invoke(self, ctx: click.Context) -> Any:
        """Begin the work, if nothing that is read would be written over."""
        interrupts.begin()
        from .outputs import check

        check(self, ctx)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        records: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                records[getattr(parameter, "group", OTHER)].append(record)
        for group, shown in records.items():
            if shown:
                with formatter.section(group):
                    formatter.write_dl(shown)
