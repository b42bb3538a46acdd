"""The result of a run as a curator reads it in five seconds."""

from typing import TYPE_CHECKING

from plant_aggregate.errors import on_one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plant_aggregate import Run
    from plant_aggregate.names import NameFindings
    from plant_aggregate.publishing.record import AiCounts, ChangeCounts, RunChanges


SHOWN = 3
"""Strange names that are shown."""

ALIKE = {"white_space": "white space", "unicode_form": "Unicode form", "case": "case"}
"""What names that look alike may differ in, in words."""


def summary(run: "Run") -> str:
    """A few aligned lines: how many observations are valid, contested, in need of votes; users; where it lies."""
    record, counts = run.record, run.record.counts
    assert counts is not None
    assert counts.votes is not None
    votes, observations = counts.votes, counts.observations

    def line(name: str, number: int, whole: int, remark: str) -> str:
        share = f"{100 * number / whole:5.1f} %"
        return f"  {name:<16}{number:>13,}  {share}   {remark}".rstrip()

    dropped = [
        f"{number:,} {words}"
        for number, words in (
            (votes.superseded, "superseded"),
            (votes.no_opinion, "without opinion"),
            (votes.after_as_of, "after the time limit"),
            (votes.rejected, "rejected"),
        )
        if number
    ]
    return "\n".join(
        [
            f"{count(observations, 'observation')}, {count(votes.used, 'vote')}, {count(counts.labels, 'label')}"
            + (f" ({', '.join(dropped)})" if dropped else ""),
            line("valid", counts.valid, observations, "may be used for training"),
            line("contested", counts.contested, observations, "the votes disagree too much"),
            line("needs votes", counts.needs_votes, observations, "agreed, but with too little weight"),
            line("ambiguous", counts.ambiguous, observations, "of any status: the label was hard won or lost"),
            *([_ai_line(counts.ai)] if counts.ai else []),
            *_rejected(votes.rejected + (counts.ai.rejected if counts.ai else 0)),
            f"{count(counts.users, 'user')}, {counts.self_validating_users:,} self-validating "
            "(one vote of theirs makes a label valid)",
            *_strange_names(record.names),
            f"{_ending(run)}; {sum(run.seconds.values()):.1f} s in all",
            *_changes(record.changes),
            *([] if record.held else [where_it_lies(run)]),
        ]
    )


def one_line(run: "Run") -> str:
    """The result of a run as a line of a log."""
    counts, changes = run.record.counts, run.record.changes
    assert counts is not None
    return f"{counts.valid:,} of {count(counts.observations, 'observation')} valid" + (
        f", {count(changes.counts.label_changed, 'label')} changed" if changes and changes.counts else ""
    )


def switched(run: "Run", output: str) -> str:
    """What ``latest`` of an output names now, and how to go back to what it named."""
    from plant_aggregate.publishing.commands import command

    lines = [where_it_lies(run)]
    if run.replaced not in (None, run.run_id):
        back = command(f"publish {run.replaced}", output)
        lines.append(f"before that it named {run.replaced}: {back} takes this back")
    return "\n".join(lines)


def where_it_lies(run: "Run") -> str:
    """What ``latest`` names."""
    return on_one_line(f"published as {run.latest} -> {run.folder}")


def changes_lines(changes: "ChangeCounts") -> list[str]:
    """How two runs differ, in counts."""
    reasons = {
        "votes": "other votes",
        "ai": "another vote of the AI",
        "settings": "other settings",
        "weights": "weights of users moved",
    }
    why = [f"{changes.why[reason]:,} {words}" for reason, words in reasons.items() if changes.why[reason]]
    return [
        f"{count(changes.in_both, 'observation')} in both, {changes.new:,} new, {changes.gone:,} gone",
        f"  label changed   {changes.label_changed:>13,}  {100 * changes.label_changes_share:5.2f} %",
        f"  became valid    {changes.became_valid:>13,}",
        f"  no longer valid {changes.no_longer_valid:>13,}",
        *([f"  why a label or a status is another, or an observation new or gone: {', '.join(why)}"] if why else []),
    ]


def _changes(changes: "RunChanges | None") -> list[str]:
    """What changed since the run before, in a line."""
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


def count(number: int, thing: str) -> str:
    """``1 vote``, ``2,000 votes``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _ai_line(counts: "AiCounts") -> str:
    """What the AI did."""
    further = f"\n  {count(counts.further, 'further row')} of AI votes left out: one counts for each observation"
    rejected = f" ({count(counts.rejected, 'row')} rejected)" if counts.rejected else ""
    return (
        f"the AI named {count(counts.observations, 'observation')}{rejected}, and validated "
        f"{counts.validated:,}, invalidated {counts.invalidated:,}, relabelled {counts.relabelled:,}:\n"
        f"  {100 * counts.share_of_valid:.2f} % of the valid labels would not be valid without it"
        + (further if counts.further else "")
    )


def _rejected(rows: int) -> list[str]:
    """Where to look for the rows that could not be used."""
    return [f"{count(rows, 'rejected row')}: rejected.parquet says which and why"] if rows else []


def _strange_names(names: "Mapping[str, NameFindings]") -> list[str]:
    """Names that may be others by mistake: which look alike, and which look like no name."""
    lines = []
    for kind in ("labels", "users"):
        found = names[kind]
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


def _by_kind(counts: "Mapping[str, int]") -> str:
    """``case``; ``white space (2), Unicode form (1) or case (3)``."""
    there = [words for words, number in counts.items() if number]
    if len(there) == 1:
        return there[0]
    *others, last = [f"{words} ({counts[words]:,})" for words in there]
    return f"{', '.join(others)} or {last}"


def _first_of(texts: list[str], separator: str) -> str:
    return separator.join([*texts[:SHOWN], *(["..."] if len(texts) > SHOWN else [])])


def _ending(run: "Run") -> str:
    iterations = count(len(run.record.trace), "iteration")
    if run.record.converged:
        return f"converged after {iterations}"
    if run.record.cycle_length:
        return f"NOT converged: a cycle of {run.record.cycle_length} after {iterations}"
    return f"NOT converged: stopped after {iterations}"
