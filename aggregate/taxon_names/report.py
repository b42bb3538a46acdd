"""Outcomes of labels: a table of all that are not as they stand, counts, and a summary."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..arrow import table_of_rows
from ..blocks import Block, Label, Table, count
from ..errors import quoted
from ..schema import CLEANED_LABELS, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from .cleaner import Decision, NameCleaner

CHANGED, MERGED, REFUSED, KEPT = "changed", "merged", "refused", "kept"
"""Outcomes of labels that are in the table."""

SHOWN = 3  # examples of each outcome in a summary
MANY = 0.1  # share of the rows with a label from which on refusals are a warning


@dataclass(frozen=True)
class Example:
    """One of the labels with most rows."""

    verbatim: str
    """The label as it stands in the input."""
    label: str | None
    """What it counts as; null for no opinion."""
    outcome: str
    """`changed`, `merged`, `refused` or `kept`, as in `labels.parquet`."""
    reason: str
    """The rules that changed it, or why it was refused or kept."""
    rows: int
    """Rows of votes, and of the AI's votes, with it."""


@dataclass(frozen=True, kw_only=True)
class LabelCounts:
    """Numbers of distinct labels, and of the rows with them, votes of users and of the AI."""

    labels: int
    """Distinct labels in the input."""
    changed: int
    """Labels that were changed, those that are `merged` among them."""
    merged: int
    """Labels that were changed, and count as the same as others."""
    refused: int
    """Labels that count as no opinion."""
    kept: int
    """Homonyms, of which the synonyms have several accepted names."""
    rows: int
    """Rows with a label."""
    rows_changed: int
    """Rows with a label that was changed."""
    rows_refused: int
    """Rows with a label that was refused."""
    refused_by_reason: Mapping[str, int]
    """The rows with a label that was refused, by the reason."""
    parser: str | None = None
    """The parser that confirmed names, with its version; null if none did."""
    examples: tuple[Example, ...] = ()
    """Of each outcome the labels with most rows."""


def label_table(
    cleaner: "NameCleaner", truth: Mapping[str, int] | None = None, of_experts: "NameCleaner | None" = None
) -> "pa.Table":
    """The labels that a cleaner has counted and that are not as they stand: table CLEANED_LABELS of ``schema``.

    ``truth``: the rows of experts' labels with each, and ``of_experts`` what cleaned these.
    """
    columns = [column for column in CLEANED_LABELS if not column.optional or truth is not None]
    return table_of_rows(_rows(cleaner, truth or {}, of_experts), arrow_schema(tuple(columns)))


def label_counts(cleaner: "NameCleaner") -> LabelCounts:
    """Numbers of the labels that a cleaner has counted."""
    rows = _rows(cleaner)
    n_rows = dict.fromkeys((CHANGED, MERGED, REFUSED, KEPT), 0)
    n_labels = dict(n_rows)
    by_reason: dict[str, int] = {}
    for row in rows:
        n_labels[row["outcome"]] += 1
        n_rows[row["outcome"]] += row["votes"] + row["ai_votes"]
        if row["outcome"] == REFUSED:
            by_reason[row["reason"]] = by_reason.get(row["reason"], 0) + row["votes"] + row["ai_votes"]
    every = [label for label in {*cleaner.votes, *cleaner.ai_votes} if label.strip()]
    return LabelCounts(
        labels=len(every),
        changed=n_labels[CHANGED] + n_labels[MERGED],
        merged=n_labels[MERGED],
        refused=n_labels[REFUSED],
        kept=n_labels[KEPT],
        rows=sum(cleaner.votes[label] + cleaner.ai_votes[label] for label in every),
        rows_changed=n_rows[CHANGED] + n_rows[MERGED],
        rows_refused=n_rows[REFUSED],
        refused_by_reason=dict(sorted(by_reason.items())),
        parser=None if cleaner.parser is None else f"{cleaner.parser.name}: {cleaner.parser.version}",
        examples=tuple(_examples(rows)),
    )


def _rows(
    cleaner: "NameCleaner", truth: Mapping[str, int] = MappingProxyType({}), of_experts: "NameCleaner | None" = None
) -> list[dict[str, Any]]:
    """The rows of the table, sorted by ``verbatim``."""
    voted = {*cleaner.votes, *cleaner.ai_votes}
    counted = sorted({*voted, *truth})
    decisions = [
        (cleaner if verbatim in voted or of_experts is None else of_experts).decide([verbatim])[0]
        for verbatim in counted
    ]
    times: dict[str | None, int] = {}
    for decision in decisions:
        times[decision.label] = times.get(decision.label, 0) + 1
    return [
        {
            "verbatim": verbatim,
            "label": decision.label,
            "outcome": outcome,
            "reason": decision.reason or ", ".join(decision.rules),
            "votes": cleaner.votes[verbatim],
            "ai_votes": cleaner.ai_votes[verbatim],
            "truth": truth.get(verbatim, 0),
        }
        for verbatim, decision in zip(counted, decisions, strict=True)
        if (outcome := _outcome(verbatim, decision, times)) is not None
    ]


def _outcome(verbatim: str, decision: "Decision", times: Mapping[str | None, int]) -> str | None:
    if decision.label is None:
        return REFUSED
    if decision.label == verbatim or decision.reason:
        return KEPT if decision.reason else None
    return MERGED if times[decision.label] > 1 else CHANGED


def _examples(rows: Iterable[Mapping[str, Any]]) -> list[Example]:
    found = []
    for outcome in (REFUSED, MERGED, CHANGED, KEPT):
        some = [
            Example(row["verbatim"], row["label"], outcome, row["reason"], row["votes"] + row["ai_votes"])
            for row in rows
            if row["outcome"] == outcome
        ]
        found += sorted(some, key=lambda example: (-example.rows, example.verbatim))[:SHOWN]
    return found


def summary(counts: LabelCounts) -> str:
    """How many labels were changed or refused, in a line."""
    changed = f"{counts.changed:,} changed ({count(counts.rows_changed, 'row')}), {counts.merged:,} of them merged"
    refused = f"{counts.refused:,} refused ({count(counts.rows_refused, 'row')} without opinion)"
    kept = f"; {count(counts.kept, 'homonym')} kept" if counts.kept else ""
    return f"of {count(counts.labels, 'label')} {changed}; {refused}{kept}"


def examples_in_words(counts: LabelCounts) -> list[str]:
    """Labels with most rows, refused ones first, a line each; those that were only changed if there are no others."""
    return [
        f"{quoted(example.verbatim)} counts as "
        f"{'no opinion' if example.label is None else quoted(example.label)} ({example.reason}; "
        f"{count(example.rows, 'row')})"
        for example in [each for each in counts.examples if each.outcome != CHANGED] or counts.examples
    ]


def report_blocks(counts: LabelCounts) -> list[Block]:
    """The summary, and the labels with most rows."""
    examples = [
        (Label(example.verbatim), Label(example.label), example.reason, example.rows) for example in counts.examples
    ]
    table = Table(
        header=("label as it stands", "counts as", "why", "rows"),
        rows=examples,
        formats=("", "", "", ","),
        left=(0, 1, 2),
    )
    return [Block(summary(counts), [table] if examples else [])]


def warning_of(counts: LabelCounts) -> str | None:
    """A warning if much was refused; None if it was not."""
    if counts.rows_refused <= MANY * counts.rows:
        return None
    reason, rows = max(counts.refused_by_reason.items(), key=lambda item: (item[1], item[0]))
    first = next(example for example in counts.examples if example.label is None)
    return (
        f"{counts.rows_refused:,} of {count(counts.rows, 'row')} with a label count as no opinion, most often for the "
        f"reason {reason!r} ({rows:,}); the most frequent label is {quoted(first.verbatim)}"
    )
