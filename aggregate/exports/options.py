"""Options of exports, given by their names."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..errors import ParameterError


def with_options(kind: Any, called: str, options: Mapping[str, Any]) -> Any:
    """An object of a dataclass, by the names of its fields. Raises ParameterError for one that it does not have."""
    own = [item.name for item in fields(kind)]
    for name in options:
        if name not in own:
            known = f"it has {', '.join(own)}" if own else "it has none"
            raise ParameterError(f"{called} has no option {name!r}", remedy=known)
    return kind(**options)
