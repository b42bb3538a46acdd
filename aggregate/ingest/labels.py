"""Labels that are cleaned as scientific names on the way in, if settings say so."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from ..errors import VotesError
from ..frames import check_type
from ..taxon_names.settings import NameSettings

if TYPE_CHECKING:
    from ..taxon_names.cleaner import NameCleaner


def cleaner_of(settings: NameSettings | None) -> "NameCleaner | None":
    """What cleans labels as settings say; None if they say nothing. Raises VotesError, ParameterError, TypeError."""
    check_type("names", settings, (NameSettings, type(None)), "NameSettings(names=True)")
    if settings is None or not settings.cleans_labels:
        return None
    from ..taxon_names.cleaner import NameCleaner

    return NameCleaner(settings)


def check_cleanable(cleaner: "NameCleaner | None", types: Mapping[str, pa.DataType], origin: str) -> None:
    """Raise VotesError if labels are to be cleaned, but are no texts; ``origin`` names their file."""
    if cleaner is not None:
        from ..taxon_names.cleaner import check_texts

        check_texts(types["label"], origin)


@contextmanager
def explaining_refusals(cleaner: "NameCleaner | None") -> Iterator[None]:
    """Adds to an error that nothing is left why labels count as no opinion, if many do."""
    try:
        yield
    except VotesError as error:
        if cleaner is None:
            raise
        from ..taxon_names.report import label_counts, warning_of

        reason = warning_of(label_counts(cleaner))
        if reason is None:
            raise
        remedy = "see the rules of --names, and whether the checklist has the labels"
        if not cleaner.settings.names:
            remedy = "labels are compared with the checklist as they stand; --names compares them as names"
        raise VotesError(f"{error.what}: {reason}", where=error.where, remedy=remedy) from error
