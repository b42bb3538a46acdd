"""The format of stderr, text or JSON lines: one state for all modules that write there."""

FORMATS = ("text", "json")  # formats of stderr


class _State:
    format: str | None = None


def set_format(name: str | None) -> None:
    """Write stderr in one of FORMATS from now on; None: not chosen yet, which is text."""
    _State.format = name


def has_format() -> bool:
    """Whether a format was chosen."""
    return _State.format is not None


def is_json() -> bool:
    """Whether stderr is JSON lines."""
    return _State.format == "json"


def format_in(arguments: list[str]) -> str | None:
    """The log format that a command line names, before its options are parsed; None if it does not.

    >>> format_in(["run", "--log-format", "json"]), format_in(["--log-format=text"]), format_in(["run"])
    ('json', 'text', None)
    """
    return value_in(arguments, "--log-format")


def value_in(arguments: list[str], option: str) -> str | None:
    """The value of an option in a command line; None if it is not given."""
    for place, argument in enumerate(arguments):
        if argument == option:
            return "".join(arguments[place + 1 : place + 2]) or None
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
    return None
