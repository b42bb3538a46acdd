"""Labels that are cleaned as scientific names on the way in, if settings say so."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from ..arrow import strings
from ..errors import VotesError, on_one_line, quoted, warn
from ..frames import check_type
from ..taxon_names.settings import NameSettings
from ..truth import Truth

if TYPE_CHECKING:
    from ..taxon_names.cleaner import Decision, NameCleaner


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


def cleaned_experts(cleaner: "NameCleaner", truth: Truth) -> Truth:
    """Experts' labels, cleaned as those of votes: labels that count as no opinion are left out.

    Warns of these, and of labels that are the same now. Raises VotesError if none is left, or labels are no texts.
    """
    from ..taxon_names.cleaner import check_texts

    check_texts(truth.labels.type, truth.origin)
    every = sorted(set(truth.labels.to_pylist()))
    found = dict(zip(every, cleaner.decide(every), strict=True))
    return with_decisions(truth, found, "those of the votes", refused=("counts as no opinion", "count as no opinion"))


def with_decisions(truth: Truth, found: "Mapping[str, Decision]", others: str, *, refused: tuple[str, str]) -> Truth:
    """Experts' labels as decisions say; those that are refused are left out.

    ``others``: the labels that they are cleaned as, in words; ``refused``: what those are that are left out, one and
    several. Warns of these, and of labels that are the same now. Raises VotesError if none is left.
    """
    labels = [found[label].label for label in truth.labels.to_pylist()]
    _warn(truth, found, others, refused)
    kept = pa.array([label is not None for label in labels])
    n_left_out = labels.count(None)
    if n_left_out == len(labels):
        raise VotesError("no expert label names a species", where=truth.origin, remedy="see the rules of --names")
    return replace(
        truth,
        observation_ids=truth.observation_ids.filter(kept),
        labels=strings([label for label in labels if label is not None]).cast(truth.labels.type),
        n_unlabelled=truth.n_unlabelled + n_left_out,
    )


def _warn(truth: Truth, found: "Mapping[str, Decision]", others: str, refused: tuple[str, str]) -> None:
    """Warn of labels that are left out, and of those that are the same now."""
    without = [label for label, decision in found.items() if decision.label is None]
    times = Counter(decision.label for decision in found.values())
    same = [label for label, decision in found.items() if decision.label is not None and times[decision.label] > 1]
    faults = []
    if without:
        first = f"{quoted(without[0])}: {found[without[0]].reason or 'refused in the run'}"
        does = f"{refused[0]} and is" if len(without) == 1 else f"{refused[1]} and are"
        faults.append(f"{len(without):,} {does} left out (first {first})")
    if same:
        alike = [label for label in same if found[label].label == found[same[0]].label]
        faults.append(f"{len(same):,} count as the same as another (first {quoted(alike[0])} and {quoted(alike[1])})")
    if faults:
        warn(f"{on_one_line(truth.origin)}: of the experts' labels, cleaned as {others}, {'; '.join(faults)}")
