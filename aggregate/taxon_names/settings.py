"""How labels are cleaned, as settings of a run and of a conversion."""

import os
from dataclasses import dataclass
from functools import partial

from ..parameters import check_settings, parameter
from ..reprs import changed_repr

PARSERS = ("gbif", "gnparser")
"""Parsers that may confirm names: extras of these names install them."""

_of_names = partial(parameter, group="Names")


@dataclass(frozen=True)
class NameSettings:
    """How labels become names: those of votes, of the AI's votes, and of experts.

    Args:
        names: clean labels: one spelling for each scientific name, and no opinion where no species is certain. Default
            False.
        synonyms: replace synonyms by accepted names: CSV or TSV of the two, JSON of species with synonyms, or a ColDP
            or Darwin Core archive of taxa. Default None.
        checklist: labels that are not in this list count as no opinion: a name a line, a column of CSV or TSV, JSON, or
            an archive of taxa. Default None.
        parser: names must also be read as such by this parser, which is an extra. One of gbif, gnparser, with names,
            default None.
        to_species: subspecies, varieties, forms and cultivars count as their species. With names, default False.
        higher_taxa: keep genera and other taxa above species, which else count as no opinion. With names, default
            False.
    """

    names: bool = _of_names(
        False, "clean labels: one spelling for each scientific name, and no opinion where no species is certain"
    )
    synonyms: str | os.PathLike[str] | None = _of_names(
        None,
        "replace synonyms by accepted names: CSV or TSV of the two, JSON of species with synonyms, or a ColDP or "
        "Darwin Core archive of taxa",
        is_file=True,
        metavar="FILE",
    )
    checklist: str | os.PathLike[str] | None = _of_names(
        None,
        "labels that are not in this list count as no opinion: a name a line, a column of CSV or TSV, JSON, or an "
        "archive of taxa",
        is_file=True,
        metavar="FILE",
    )
    parser: str | None = _of_names(
        None, "names must also be read as such by this parser, which is an extra", choices=PARSERS, needs="names"
    )
    to_species: bool = _of_names(
        False, "subspecies, varieties, forms and cultivars count as their species", needs="names"
    )
    higher_taxa: bool = _of_names(
        False, "keep genera and other taxa above species, which else count as no opinion", needs="names"
    )

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def cleans_labels(self) -> bool:
        """Whether labels may change."""
        return self.names or self.synonyms is not None or self.checklist is not None
