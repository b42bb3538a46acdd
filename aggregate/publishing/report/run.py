"""A run, and the runs of an output, as blocks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...blocks import Block, Table, count
from ...consensus import status_table
from ...errors import quoted
from ...trace import in_words
from ..tables import LABELS_FILE

if TYPE_CHECKING:
    from ...names import NameFindings
    from ...taxon_names.report import LabelCounts
    from ..record import AiCounts, ConversionFacts, ExpertCounts, RunChanges, VoteCounts
    from ..releases import ListedRun
    from ..run import Run

SHOWN = 3  # names shown of those that may be mistakes

ALIKE = {"white_space": "white space", "unicode_form": "Unicode form", "case": "case"}
"""Differences between names that look alike, in words."""


def run_blocks(run: "Run", ending: Sequence[str] = ()) -> list[Block]:
    """How many observations are valid, contested or in need of votes; users; changes; and what else is to be said."""
    record, counts, choice = run.record, run.record.counts, run.record.strategy_choice
    if counts is None or counts.votes is None:
        return [Block(repr(run), ending)]
    votes = counts.votes
    records = record.conversion.records if record.conversion else None
    n_rejected = votes.rejected + (counts.ai.rejected if counts.ai else 0)
    n_rejected += sum(records.rejected.values()) if records else 0
    ended = in_words(len(record.trace), record.converged, record.cycle_length, record.start)
    content: list[Table | str] = [
        status_table(vars(counts)),
        *(_conversion_lines(record.conversion) if record.conversion else []),
        *(_ai_lines(counts.ai) if counts.ai else []),
        *(_expert_lines(counts.experts) if counts.experts else []),
        *([f"{count(n_rejected, 'rejected row')}: rejected.parquet says which and why"] if n_rejected else []),
        *(_cleaned_labels(record.cleaned_labels) if record.cleaned_labels else []),
        f"{count(counts.users, 'user')}, {counts.self_validating_users:,} self-validating "
        "(one vote of theirs makes a label valid)",
        *_suspicious_names(record.names),
        *([] if choice is None else [f"{choice.asked} took {record.strategy}: {choice.reason}"]),
        f"{ended}; {sum(run.seconds.values()):.1f} s in all",
        *_changes(record.changes),
        *ending,
    ]
    title = f"{count(counts.observations, 'observation')}, {count(votes.used, 'vote')}, {count(counts.labels, 'label')}"
    return [Block(f"{title}{_dropped(votes)}", content)]


def _conversion_lines(conversion: "ConversionFacts") -> list[str]:
    """What was read from another format, and what was not used."""
    records = conversion.records
    if records is None:
        return []
    left_out = [f"{n:,} {reason}" for reason, n in records.left_out.items()]
    return [
        f"{count(records.read, 'record')} of {conversion.format}, {count(records.rows, 'row')} of votes",
        *([f"  left out: {', '.join(left_out)}"] if left_out else []),
    ]


def one_line(run: "Run") -> str:
    """The result of a run as a line of a log."""
    counts, changes = run.record.counts, run.record.changes
    assert counts is not None
    return f"{counts.valid:,} of {count(counts.observations, 'observation')} valid" + (
        f", {count(changes.counts.label_changed, 'label')} changed" if changes and changes.counts else ""
    )


def switch_blocks(run: "Run", output: str) -> list[Block]:
    """What ``latest`` of an output names now, and the command that restores the run it named before."""
    from ..command_lines import command

    notes = [published_as(run)]
    if run.replaced not in (None, run.run_id):
        back = command(f"publish {run.replaced}", output)
        notes.append(f"before that it named {run.replaced}: {back} takes this back")
    return [Block(content=notes)]


def published_as(run: "Run") -> str:
    """The link that names the published run, and its folder."""
    return f"published as {run.latest} -> {run.folder}"


def listing(runs: Sequence["ListedRun"]) -> list[dict[str, Any]]:
    """The runs of an output as plain values; None where a run.json does not have them."""
    from ..record import UNKNOWN

    found = []
    for run in runs:
        record = run.record or UNKNOWN
        counts, changes = record.counts, record.changes and record.changes.counts
        found.append(
            {
                "run_id": run.run_id,
                "state": run.state if run.record else f"{run.state}, damaged",
                "name": run.name,
                "strategy": record.strategy,
                "observations": counts and counts.observations,
                "valid": counts and counts.valid,
                "label_changed": changes and changes.label_changed,
                "held": list(record.held) if run.state == "held" else [],
            }
        )
    return found


def listing_rows(runs: Sequence["ListedRun"]) -> list[dict[str, Any]]:
    """As :func:`listing`, with the columns of ``schema.RUNS``."""
    return [{**each, "held": "; ".join(each["held"]) or None} for each in listing(runs)]


def listing_blocks(runs: Sequence["ListedRun"]) -> list[Block]:
    """The runs of an output in a table, and why some are held back."""
    if not runs:
        return [Block("no runs")]
    facts = listing(runs)
    table = Table(
        header=("run", "state", "name", "strategy", "observations", "valid", "labels changed"),
        rows=[[value for name, value in each.items() if name != "held"] for each in facts],
        formats=("", "", "", "", ",", ",", ","),
        left=(0, 1, 2, 3),
        least=(3, 6),
    )
    reasons = [f"{each['run_id']} was held back: {'; '.join(each['held'])}" for each in facts if each["held"]]
    return [Block(content=[table, *reasons])]


def _dropped(votes: "VoteCounts") -> str:
    """Rows that are not votes in use, by the reason, in brackets."""
    reasons = {
        "superseded": votes.superseded,
        "without opinion": votes.no_opinion,
        "after the time limit": votes.after_as_of,
        "rejected": votes.rejected,
    }
    dropped = [f"{number:,} {words}" for words, number in reasons.items() if number]
    return f" ({', '.join(dropped)})" if dropped else ""


def _ai_lines(counts: "AiCounts") -> list[str]:
    rejected = f" ({count(counts.rejected, 'row')} rejected)" if counts.rejected else ""
    lines = [
        f"the AI named {count(counts.observations, 'observation')}{rejected}, and validated "
        f"{counts.validated:,}, invalidated {counts.invalidated:,}, relabelled {counts.relabelled:,}:",
        f"  {100 * counts.share_of_valid:.2f} % of the valid labels would not be valid without it",
    ]
    if counts.further:
        further = count(counts.further, "further row")
        lines.append(f"  {further} of AI votes left out: one counts for each observation")
    return lines


def _expert_lines(counts: "ExpertCounts") -> list[str]:
    """The experts' labels that were used, and those that were not."""
    unvoted = f", {counts.unvoted:,} of them without a vote for it" if counts.unvoted else ""
    unused = {
        f"{counts.unknown:,} of observations without votes": counts.unknown,
        f"{counts.refused:,} refused as names": counts.refused,
        f"{count(counts.unlabelled, 'row')} without a label": counts.unlabelled,
    }
    left_out = [text for text, n in unused.items() if n]
    return [
        f"experts gave {count(counts.used, 'observation')} the label{unvoted}",
        *([f"  not used: {', '.join(left_out)}"] if left_out else []),
    ]


def _cleaned_labels(counts: "LabelCounts") -> list[str]:
    """Outcomes of the labels that were cleaned as names, and the labels with most rows."""
    from ...taxon_names.report import examples_in_words, summary

    examples = examples_in_words(counts)
    where = [f"  {LABELS_FILE} says which and why"] if examples else []
    return [summary(counts), *[f"  {example}" for example in examples], *where]


def _suspicious_names(names: Mapping[str, "NameFindings"]) -> list[str]:
    """Labels and user ids that may be mistakes: those that look alike, and those that look like a missing value."""
    lines = []
    for kind, found in names.items():
        pairs = {words: found.pairs_alike[key] for key, words in ALIKE.items()}
        if any(pairs.values()):
            first = [f"{quoted(one)} and {quoted(other)}" for one, other in found.first_alike]
            several, differ = count(sum(pairs.values()), "pair"), "differs" if sum(pairs.values()) == 1 else "differ"
            lines.append(f"{several} of {kind} {differ} only in {_by_kind(pairs)}: {_first_of(first, '; ')}")
        missing = [f"{quoted(name)} ({count(votes, 'vote')})" for name, votes in found.like_missing.items()]
        if missing:
            look = f"1 {kind[:-1]} looks" if len(missing) == 1 else f"{len(missing):,} {kind} look"
            lines.append(f"{look} like a missing value: {_first_of(missing, ', ')}")
    return lines


def _by_kind(counts: Mapping[str, int]) -> str:
    """``case``; ``white space (2), Unicode form (1) or case (3)``."""
    there = [words for words, number in counts.items() if number]
    if len(there) == 1:
        return there[0]
    *others, last = [f"{words} ({counts[words]:,})" for words in there]
    return f"{', '.join(others)} or {last}"


def _first_of(texts: list[str], separator: str) -> str:
    return separator.join([*texts[:SHOWN], *(["..."] if len(texts) > SHOWN else [])])


def _changes(changes: "RunChanges | None") -> list[str]:
    if changes is None:
        return []
    counts = changes.counts
    if counts is None:
        return [f"what changed since {changes.against} is not known"]
    return [
        f"since {changes.against}: {counts.new:,} new, {counts.gone:,} gone, "
        f"{count(counts.label_changed, 'label')} changed ({100 * counts.label_changes_share:.2f} %), "
        f"{counts.became_valid:,} became valid, {counts.no_longer_valid:,} no longer are"
    ]
