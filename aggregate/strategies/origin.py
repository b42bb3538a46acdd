"""What run.json says of a strategy, so that the run can be repeated, and compared with others."""

import json
import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ..errors import ParameterError, quoted
from ..frames import in_words
from .base import Strategy, is_built_in


class Origin(NamedTuple):
    """A class of another package."""

    path: str  # module:Class
    package: str | None  # the distribution that its module is of; None if it is of none
    version: str | None  # of the distribution
    sha256: str | None  # of the file of its module; None if it has none


def origin_of(strategy: Strategy) -> Origin | None:
    """Where the class of a strategy comes from; None if it is built in."""
    if is_built_in(strategy):
        return None
    from importlib.metadata import packages_distributions, version

    kind = type(strategy)
    packages = packages_distributions().get(kind.__module__.partition(".")[0], [])
    package = packages[0] if packages else None
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    try:
        digest = None if file is None else sha256(Path(file).read_bytes()).hexdigest()
    except OSError:  # in an archive, or gone
        digest = None
    return Origin(
        f"{kind.__module__}:{kind.__qualname__}", package, None if package is None else version(package), digest
    )


def check_plain(strategy: Strategy) -> None:
    """Raise ParameterError if a parameter has a value that run.json cannot hold."""
    for name, value in asdict(strategy).items():  # type: ignore[call-overload]
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            fault = f"parameter {name} is {in_words(value)}, which run.json cannot hold"
            remedy = "make parameters of numbers, texts and flags, or lists of these"
            raise ParameterError(fault, where=f"strategy {quoted(strategy.name)}", remedy=remedy) from error
