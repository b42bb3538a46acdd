"""An evaluation against expert labels as blocks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...blocks import Block, Cell, Interval, Label, Place, Table, count
from ...errors import quoted

if TYPE_CHECKING:
    from ..agreement import CrowdAgreement, Suspects
    from ..evaluation import Confusion, Estimate, Evaluation, Group, Overlap

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


def evaluation_blocks(
    evaluation: "Evaluation", agreement: "CrowdAgreement | None" = None, suspects: "Suspects | None" = None
) -> list[Block]:
    """Matched observations, measures on the three sets and by number of votes, the worst confusions, and the users."""
    blocks = [_overlap(evaluation.overlap, has_votes=bool(evaluation.by_votes)), _measures(evaluation.subsets)]
    if evaluation.by_votes:
        blocks.append(_by_votes(evaluation.by_votes))
    if evaluation.confusions:
        blocks.append(_confusions(evaluation.confusions))
    if agreement is not None:
        blocks.append(_agreement(agreement))
    if suspects is not None and suspects.users:
        blocks.append(_suspects(suspects))
    return blocks


def _overlap(overlap: "Overlap", *, has_votes: bool) -> Block:
    """The counts of the overlap with a consensus, or with labels whose votes are not known."""
    notes = []
    if overlap.used:
        notes.append(f"  {overlap.used:,} more have a label that the estimate has used: left out")
    if overlap.unknown:
        lack = "vote" if has_votes else "label"
        notes.append(f"  {overlap.unknown:,} more that experts know have no {lack}: ignored")
    if overlap.without_label:
        n = overlap.without_label
        notes.append(f"  {n:,} of them {'has' if n == 1 else 'have'} no label here: counted as wrong")
    if overlap.unlabelled:
        notes.append(f"  {count(overlap.unlabelled, 'row')} without a label: ignored")
    if overlap.species_never_voted:
        notes.append(
            f"  {overlap.species_never_voted:,} of the species, on "
            f"{count(overlap.observations_never_voted, 'observation')}, "
            f"{'nobody ever voted: they cannot be retrieved' if has_votes else 'are no label of any observation here'}"
        )
    done = "voted on" if has_votes else "labelled"
    known = f"{count(overlap.matched, 'observation')} of {overlap.species:,} species known to experts and {done}"
    return Block(known, notes)


def _measures(groups: Sequence["Group"]) -> Block:
    shares, errors = ([name for name in names if name in groups[0].measures] for names in (SHARES, ERRORS))
    resamples = max(group.resamples for group in groups)
    table = Table(
        header=("", "expert observations", *(SHARES[name] for name in shares), *(ERRORS[name] for name in errors)),
        rows=[
            [
                group.name,
                group.observations,
                *(percent(group.measures[name]) for name in shares),
                *(interval(group.measures[name]) for name in errors),
            ]
            for group in groups
        ],
        formats=("", ",", *[".1f %"] * len(shares), *[".3f"] * len(errors)),
        layout="sideways",
        intervals=f"95 % intervals, of {resamples:,} resamples of the observations" if resamples else "",
    )
    return Block(content=[table])


def _by_votes(groups: Sequence["Group"]) -> Block:
    names = [name for name in SHOWN_BY_VOTES if name in groups[0].measures]
    table = Table(
        header=("votes", "observations", *(SHOWN_BY_VOTES[name] for name in names)),
        rows=[
            [group.name, group.observations, *(percent(group.measures[name]) for name in names)]
            for group in groups
            if group.observations
        ],
        formats=("", ",", *[".1f %"] * len(names)),
    )
    return Block(content=[table])


def _confusions(confusions: Sequence["Confusion"]) -> Block:
    known = [] if confusions[0].valid is None else ["valid"]
    table = Table(
        header=("times", *known, "experts say", "label"),
        rows=[
            (pair.observations, *[pair.valid] * len(known), *_distinct(pair.truth, pair.label)) for pair in confusions
        ],
        formats=(",", *[","] * len(known), "", ""),
        left=(1 + len(known), 2 + len(known)),
        complete_with="--json",
    )
    return Block(content=[table])


def _distinct(one: str | int, other: str | int) -> list[Cell]:
    """Two labels as cells, in quotes that show invisible characters if they look alike."""
    from ...names import normal_forms

    alike = isinstance(one, str) and isinstance(other, str) and normal_forms(one)[1] == normal_forms(other)[1]
    return [quoted(name) if alike else Label(name) for name in (one, other)]


def _agreement(agreement: "CrowdAgreement") -> Block:
    table = Table(
        header=(
            "Krippendorff's alpha of the voters",
            "mean entropy of the votes' labels (nats)",
            "votes that name the experts' label",
            "observations where a vote does",
        ),
        rows=[
            (
                agreement.krippendorff_alpha,
                agreement.mean_entropy,
                100 * agreement.votes_right,
                100 * agreement.truth_voted,
            )
        ],
        formats=(".3f", ".3f", ".1f %", ".1f %"),
        layout="sideways",
        complete_with="--json",
    )
    head = f"{count(agreement.votes, 'vote')} on {agreement.observations:,} observations with two or more, "
    return Block(f"{head}{agreement.disputed:,} disputed", [table])


def _suspects(suspects: "Suspects") -> Block:
    from ..agreement import ENOUGH_SHARED, SPAM

    head = (
        f"{count(suspects.users, 'user')} with {ENOUGH_SHARED} votes or more where others voted too; "
        f"{suspects.suspect:,} with a spam score of {SPAM} or more"
    )
    table = Table(
        header=("user", "shared votes", "agreement", "spam score", "label entropy"),
        rows=[
            (Place(user.user_id), user.n_shared, 100 * user.agreement_rate, user.spam_score, user.label_entropy)
            for user in suspects.worst
        ],
        formats=("", ",", ".1f %", ".3f", ".3f"),
        complete_with="--json",
    )
    return Block(head, [table] if suspects.worst else [])


def percent(estimate: "Estimate") -> Interval:
    """A share and its interval in percent."""
    return Interval(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)


def interval(estimate: "Estimate") -> Interval:
    """An estimate and its interval."""
    return Interval(estimate.value, estimate.low, estimate.high)
