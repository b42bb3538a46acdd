"""Expert labels beside a run whose labels were cleaned as scientific names: cleaned in the same way."""

import os
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from ..errors import AggregateError, VotesError, warn
from ..ingest.labels import with_decisions
from ..taxon_names.checklists import NOT_LISTED
from ..taxon_names.cleaner import Decision, NameCleaner
from ..taxon_names.files import fingerprint_of
from ..taxon_names.settings import NameSettings
from ..truth import Truth
from .record import RunRecord

OF_NAMES = ("names", "synonyms", "checklist", "to_species", "higher_taxa")
"""Settings that count for experts: a parser only refuses labels."""


def cleaned_as_in(record: RunRecord, recorded: Mapping[str, str | None], truth: Truth) -> Truth:
    """Expert labels, cleaned as the labels of a run were; ``recorded`` has the cleaned ones by those of the input.

    A label that names no species for certain is left out; one that is not in the checklist stays, as the run cannot be
    right there. Warns of what is left out, of labels that are the same now, and if files of the run are gone or have
    changed: then only labels that were voted are cleaned.
    """
    if pa.types.is_integer(truth.labels.type):
        return truth
    every = sorted(set(truth.labels.to_pylist()))
    found = dict(zip(every, _decisions(record, recorded, every), strict=True))
    species = ("names no species for certain", "name no species for certain")
    return with_decisions(truth, found, "those of the run", refused=species)


def _decisions(record: RunRecord, recorded: Mapping[str, str | None], labels: list[str]) -> list[Decision]:
    """The decision on each of the experts' labels."""
    try:
        cleaner, without_list = _cleaners(record)
    except AggregateError as error:
        warn(f"expert labels that nobody voted are not cleaned as those of run {record.run_id}: {error}")
        return [Decision(recorded.get(label, label)) for label in labels]
    cleaned = zip(labels, cleaner.decide(labels), without_list.decide(labels), strict=True)
    of_run = {label: Decision(found) for label, found in recorded.items() if found is not None}
    return [
        of_run.get(label) or (plain if decision.reason == NOT_LISTED else decision)
        for label, decision, plain in cleaned
    ]


def _cleaners(record: RunRecord) -> tuple[NameCleaner, NameCleaner]:
    """What cleans labels as a run did, and the same without its checklist. Raises VotesError, ParameterError."""
    given = {name: record.settings[name] for name in OF_NAMES if record.settings.get(name)}
    for name in ("synonyms", "checklist"):
        if name in given and fingerprint_of(given[name]) != record.files[name].sha256:
            remedy = "its SHA-256 is not that in run.json"
            raise VotesError("has changed since", where=os.fspath(given[name]), remedy=remedy)
    settings = NameSettings(**given)
    return NameCleaner(settings), NameCleaner(replace(settings, checklist=None))
