"""The formats by name: a line each."""

from ..registry import Registry
from .base import Format

FORMATS: Registry[type[Format]] = Registry(
    "format",
    group="plant_aggregate.formats",
    package=__package__,
    built_in={"label-studio": ".label_studio:LabelStudio"},
)
"""Name -> class; other packages may add theirs."""

SUMMARIES: dict[str, str] = {"label-studio": "annotations of choices or taxonomies, exported from Label Studio as JSON"}
"""Name -> what it reads, in a line: help lists formats without loading them."""
