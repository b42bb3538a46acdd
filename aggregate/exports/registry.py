"""The exports by name: a line each."""

from ..registry import Registry
from .base import Export

EXPORTS: Registry[type[Export]] = Registry(
    "export", group="plant_aggregate.exports", package=__package__, built_in={"training": ".training:Training"}
)
"""Name -> class; other packages may add theirs."""

SUMMARIES: dict[str, str] = {
    "training": "tables for a training script: classes, training, validation and test sets, weights, soft labels"
}
"""Name -> what it writes, in a line: help lists exports without loading them."""
