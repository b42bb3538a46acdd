"""Labels that callers have, cleaned as scientific names."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ..arrow import strings
from ..frames import wrong_type
from ..html_blocks import as_html
from .cleaner import NameCleaner
from .report import LabelCounts, label_counts, label_table, report_blocks, summary
from .settings import NameSettings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class CleanedLabels(NamedTuple):
    """Labels that were cleaned, and the outcome of each.

    :func:`clean_names` makes it.
    """

    labels: "pa.Array"
    """The cleaned labels, an item for each that was given, null for no opinion."""
    table: "pa.Table"
    """The labels that are not as they stand: table CLEANED_LABELS of ``schema``, sorted by ``verbatim``."""
    counts: LabelCounts
    """Numbers of labels and rows by outcome."""

    def to_pandas(self) -> "pd.DataFrame":
        """The table as a data frame."""
        return self.table.to_pandas()

    def __repr__(self) -> str:
        return f"CleanedLabels({summary(self.counts)})"

    def _repr_html_(self) -> str:
        return as_html(report_blocks(self.counts))


def clean_names(
    labels: Iterable[str | None],
    *,
    synonyms: "str | os.PathLike[str] | None" = None,
    checklist: "str | os.PathLike[str] | None" = None,
    parser: str | None = None,
    to_species: bool = False,
    higher_taxa: bool = False,
) -> CleanedLabels:
    """Clean labels as scientific names, as ``plant-aggregate run --names`` does.

    Args:
        labels: texts, with None for no opinion: a list, a pandas or Polars Series, or an Arrow array.
        synonyms: file of synonyms with their accepted names: CSV or TSV of the two, JSON of species with synonyms, or a
            ColDP or Darwin Core archive of taxa.
        checklist: file of names; all others count as no opinion.
        parser: ``gbif`` or ``gnparser``, extras of the package: each name must also be read as such by it.
        to_species: subspecies, varieties, forms and cultivars count as their species.
        higher_taxa: keep genera and other taxa above species, which else count as no opinion.

    Raises VotesError if a file cannot be used, ParameterError if a parser is unknown or not installed, and TypeError
    for what is no text.

    >>> found = clean_names(["QUERCUS ROBUR L.", "Quercus robur", "Quercus sp.", None])
    >>> found.labels.to_pylist()
    ['Quercus robur', 'Quercus robur', None, None]
    >>> found
    CleanedLabels(of 3 labels 1 changed (1 row), 1 of them merged; 1 refused (1 row without opinion))
    """
    settings = NameSettings(True, synonyms, checklist, parser, to_species, higher_taxa)
    cleaner = NameCleaner(settings)
    cleaned = cleaner.clean(_texts(labels), cleaner.votes)
    return CleanedLabels(cleaned, label_table(cleaner), label_counts(cleaner))


def _texts(labels: Iterable[str | None]) -> "pa.Array":
    """Labels as an Arrow array of strings. Raises TypeError."""
    import pyarrow as pa

    if isinstance(labels, str):
        raise wrong_type("labels", labels, "a list of them, clean_names([LABEL])")
    if isinstance(labels, pa.ChunkedArray):
        labels = labels.combine_chunks()
    if isinstance(labels, pa.Array):
        return labels
    texts = [None if text is None or text != text else text for text in labels]
    for text in texts:
        if text is not None and not isinstance(text, str):
            raise wrong_type("a label", text, "a text")
    return strings(texts)
