"""An evaluation as tables that fit a terminal."""

import math
from typing import TYPE_CHECKING, Any

from plant_aggregate.errors import on_one_line, quoted

from .summary import count

if TYPE_CHECKING:
    from plant_aggregate.assessment.agreement import CrowdAgreement, Suspects
    from plant_aggregate.assessment.evaluation import Confusion, Estimate, Evaluation, Group, Overlap

WIDEST = 40
"""Characters of a cell that holds a label or an id."""

SHARES = {
    "accuracy": "accuracy (not valid = wrong)",
    "accuracy_of_valid": "accuracy of valid labels",
    "accuracy_of_labels": "accuracy of labels, valid or not",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "species_retrieved": "species retrieved",
    "kept": "observations kept (valid)",
}
"""Measures shown in percent, and their names in the table."""

ERRORS = {
    "calibration_error": "calibration error of confidence",
    "risk_coverage_area": "area under risk-coverage curve",
    "probability_calibration_error": "calibration error of probability",
    "probability_risk_coverage_area": "risk-coverage area by probability",
}
"""Measures that are best at 0."""

SHOWN_BY_VOTES = {"kept": "kept", "accuracy_of_valid": "accuracy of valid", "accuracy_of_labels": "accuracy of all"}


def report(evaluation: "Evaluation", agreement: "CrowdAgreement | None", suspects: "Suspects | None") -> str:
    """Who was met, the measures on the three sets, by number of votes, the worst confusions, and the people."""
    parts = [_meeting(evaluation.overlap), _measures(evaluation.subsets), _by_votes(evaluation.by_votes)]
    resamples = max(group.resamples for group in evaluation.subsets)
    if resamples:
        parts.append(f"[in brackets: 95 % intervals, of {resamples:,} resamples of the observations]")
    if evaluation.confusions:
        parts.append(_confusions(evaluation.confusions))
    if agreement is not None:
        parts.append(_agreement(agreement))
    if suspects is not None and suspects.users:
        parts.append(_suspects(suspects))
    return "\n\n".join(parts)


def _meeting(overlap: "Overlap") -> str:
    lines = [f"{count(overlap.matched, 'observation')} of {overlap.species:,} species known to experts and voted on"]
    if overlap.unknown:
        lines.append(f"  {overlap.unknown:,} more that experts know have no vote: ignored")
    if overlap.unlabelled:
        lines.append(f"  {count(overlap.unlabelled, 'row')} without a label: ignored")
    if overlap.species_never_voted:
        lines.append(
            f"  {overlap.species_never_voted:,} of the species, on "
            f"{count(overlap.observations_never_voted, 'observation')}, nobody ever voted: they cannot be retrieved"
        )
    return "\n".join(lines)


def _measures(groups: "tuple[Group, ...]") -> str:
    rows = [["", *(group.name for group in groups)], ["expert observations", *(f"{g.observations:,}" for g in groups)]]
    for names, cell in ((SHARES, percent), (ERRORS, number)):
        rows += [
            [title, *(cell(group.measures[name]) for group in groups)]
            for name, title in names.items()
            if name in groups[0].measures
        ]
    return aligned(rows)


def _by_votes(groups: "tuple[Group, ...]") -> str:
    rows = [["votes", "observations", *SHOWN_BY_VOTES.values()]]
    rows += [
        [group.name, f"{group.observations:,}", *(percent(group.measures[name]) for name in SHOWN_BY_VOTES)]
        for group in groups
        if group.observations
    ]
    return aligned(rows)


def _confusions(confusions: "tuple[Confusion, ...]") -> str:
    rows = [["times", "valid", "experts say", "label"]]
    rows += [[f"{pair.observations:,}", f"{pair.valid:,}", *_told_apart(pair.truth, pair.label)] for pair in confusions]
    return aligned(rows, left=(2, 3))


def _told_apart(one: str | int, other: str | int) -> list[str]:
    """Two names as cells, quoted where they differ in what may not be seen."""
    from plant_aggregate.names import normal_forms

    alike = isinstance(one, str) and isinstance(other, str) and normal_forms(one)[1] == normal_forms(other)[1]
    return [(quoted if alike else shortened)(name) for name in (one, other)]


def _agreement(agreement: "CrowdAgreement") -> str:
    rows = [
        ["Krippendorff's alpha of the voters", _plain(agreement.krippendorff_alpha)],
        ["mean entropy of the votes' labels (nats)", _plain(agreement.mean_entropy)],
        ["votes that name the experts' label", _plain_percent(agreement.votes_right)],
        ["observations where a vote does", _plain_percent(agreement.truth_voted)],
    ]
    head = f"{count(agreement.votes, 'vote')} on {agreement.observations:,} observations with two or more, "
    return f"{head}{agreement.disputed:,} disputed\n{aligned(rows)}"


def _suspects(suspects: "Suspects") -> str:
    from plant_aggregate.assessment.agreement import ENOUGH_SHARED, SPAM

    head = (
        f"{count(suspects.users, 'user')} with {ENOUGH_SHARED} votes or more where others voted too; "
        f"{suspects.suspect:,} with a spam score of {SPAM} or more"
    )
    if not suspects.worst:
        return head
    rows = [["user", "shared votes", "agreement", "spam score", "label entropy"]]
    rows += [
        [
            shortened(user.user_id),
            f"{user.n_shared:,}",
            _plain_percent(user.agreement_rate),
            _plain(user.spam_score),
            _plain(user.label_entropy),
        ]
        for user in suspects.worst
    ]
    return f"{head}\n{aligned(rows)}"


def _plain(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _plain_percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def percent(estimate: "Estimate") -> str:
    """``87.3 % [86.1, 88.2]``, or ``-`` where there is nothing to measure."""
    if math.isnan(estimate.value):
        return "-"
    if math.isnan(estimate.low):
        return f"{100 * estimate.value:.1f} %"
    return f"{100 * estimate.value:.1f} % [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def number(estimate: "Estimate") -> str:
    """``0.031 [0.027, 0.040]``, or ``-``."""
    if math.isnan(estimate.value):
        return "-"
    if math.isnan(estimate.low):
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def shortened(value: Any) -> str:
    """A cell, cut where it would push the others off the screen."""
    text = "-" if value is None else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def aligned(rows: list[list[str]], left: tuple[int, ...] = (0,)) -> str:
    """Rows of cells as columns; those ``left`` begin together, the others end together.

    Cells may hold labels and ids: they stay on their line.
    """
    rows = [[on_one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if p in left else c.rjust(w) for p, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
