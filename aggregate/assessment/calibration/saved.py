"""The header of saved models, and how a model is read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ...errors import AggregateError, VotesError

Model = TypeVar("Model")


@dataclass(frozen=True)
class Header:
    """The first line of a saved model: its kind, and the version of its layout."""

    kind: str
    version: int
    noun: str  # the name of this kind of model in messages
    command: str  # the command that makes one

    @property
    def format(self) -> str:
        """The header as in the file."""
        return f"plant-aggregate {self.kind} {self.version}"

    def read(self, text: str, origin: str, model_of: Callable[[Mapping[str, Any]], Model]) -> Model:
        """The model that a file holds; ``origin`` is where the file is.

        ``model_of`` may raise ValueError, KeyError, IndexError, TypeError or AttributeError for invalid contents, or an
        error of ours. Raises VotesError.
        """
        try:
            saved = json.loads(text)
            if saved["format"] != self.format:
                raise ValueError(f"format is {saved['format']!r}, not {self.format!r}")
            return model_of(saved)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AggregateError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]
            raise VotesError(
                f"is not {self.noun} ({reason})", where=origin, remedy=f"make one with plant-aggregate {self.command}"
            ) from error


def as_json(contents: Mapping[str, Any]) -> str:
    """The text of a saved model."""
    return json.dumps(contents, indent=2, ensure_ascii=False)
