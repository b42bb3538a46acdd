"""Labels that are cleaned as scientific names on the way in, if settings say so."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

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
