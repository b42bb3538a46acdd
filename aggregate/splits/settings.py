"""The options of splits, classes and genus sampling."""

from dataclasses import dataclass
from functools import partial

from ..errors import ParameterError
from ..parameters import setting
from ..reprs import changed_repr
from ..settings import check_settings
from ..shares import exact

GROUPS = ("author", "observation")
REQUIRE = ("train", "all", "none")

_split = partial(setting, group="Splits")


@dataclass(frozen=True)
class SplitSettings:
    """How observations are split into training, validation and test sets, and which labels become classes."""

    test: float = _split(0.1, "share of the authors in the test set", "in [0, 1)", unit="share")
    val: float = _split(0.1, "share of the authors in the validation set", "in [0, 1)", unit="share")
    seed: int = _split(0, "another seed, another split; the same seed and shares, the same split", "at least 0")
    group: str = _split(
        "author", "what stays together in one set: all observations of an author, or each on its own", choices=GROUPS
    )
    min_per_class: int = _split(4, "usable observations from which on a label is a class", "at least 1")
    require: str = _split(
        "train", "the sets in which a class must have an observation: train, all of them, or none", choices=REQUIRE
    )
    n_genera: int | None = _split(
        None, "sample so many genera, with all their species", "at least 1", option="--genera"
    )
    genera_share: float | None = _split(
        None, "sample this share of the genera; more genera later move none", "in (0, 1]", unit="share"
    )

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_settings(self)
        faults = []
        if exact(self.test) + exact(self.val) >= 1:
            faults.append(f"test ({self.test}) and val ({self.val}) leave nothing to train on")
        if self.n_genera is not None and self.genera_share is not None:
            faults.append(f"n_genera ({self.n_genera}) and genera_share ({self.genera_share}) exclude each other")
        if faults:
            raise ParameterError("; ".join(faults))
