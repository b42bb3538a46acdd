"""In which form stderr is written: lines to read, or a JSON object a line. One state for all who write there."""

FORMATS = ("text", "json")
"""Forms that stderr takes."""


class _Asked:
    format: str | None = None


def set_format(name: str | None) -> None:
    """Write stderr in one of FORMATS from now on; None: nobody has said in which."""
    _Asked.format = name


def has_format() -> bool:
    """Whether anybody has said in which format stderr is to be."""
    return _Asked.format is not None


def is_json() -> bool:
    """Whether stderr is for collectors of logs."""
    return _Asked.format == "json"


def format_in(arguments: list[str]) -> str | None:
    """The log format that a command line asks for, before its options are read; None if it does not.

    >>> format_in(["run", "--log-format", "json"]), format_in(["--log-format=text"]), format_in(["run"])
    ('json', 'text', None)
    """
    return value_in(arguments, "--log-format")


def value_in(arguments: list[str], option: str) -> str | None:
    """What a command line gives an option; None if it does not."""
    for place, argument in enumerate(arguments):
        if argument == option:
            return "".join(arguments[place + 1 : place + 2]) or None
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
    return None
