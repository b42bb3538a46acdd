"""Command lines in messages, ready to be pasted."""

import shlex

from ..errors import on_one_line
from ..files.locations import redacted

DEFAULT_OUTPUT = "consensus"  # the default output folder of the command line


def command(words: str, output: str) -> str:
    """A command line for an output folder, which it names unless it is the default; without secrets.

    >>> command("publish RUN_ID", "consensus")
    'plant-aggregate publish RUN_ID'
    >>> command("runs", "my votes/out")
    "plant-aggregate runs -o 'my votes/out'"
    >>> command("runs", "s3://me:secret@bucket/out?secret_key=x")
    "plant-aggregate runs -o 's3://bucket/out?secret_key=hidden'"
    """
    option = "" if output == DEFAULT_OUTPUT else f" -o {shlex.quote(on_one_line(redacted(output)))}"
    return f"plant-aggregate {words}{option}"
