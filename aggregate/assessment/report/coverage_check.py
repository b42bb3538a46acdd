"""A check of the coverage of prediction sets as blocks."""

from typing import TYPE_CHECKING, Any

from ...blocks import Block, Table, count

if TYPE_CHECKING:
    from ..conformal.monitoring import Compatibility, CoverageCheck


def check_blocks(check: "CoverageCheck") -> list[Block]:
    """What was checked, how many are covered at each level beside how many may be, and what else has changed."""
    about = check.fitted_on
    head = f"{count(check.observations, 'observation')} with a true label, from {check.truth}"
    whose = f"{check.method}, fitted on {count(about['rows'], 'calibration row')} from {about['truth']}"
    table = Table(
        header=("alpha", "covered", "of", "share", "compatible", "p (so few)", "verdict"),
        rows=[
            [
                str(level.alpha),
                level.coverage.covered,
                level.coverage.observations,
                100 * level.coverage.share,
                _interval(level.coverage),
                level.coverage.p_low,
                _verdict(level.coverage),
            ]
            for level in check.levels
        ],
        formats=("", ",", ",", ".2f %", "", ".3g", ""),
        left=(0, 6),
    )
    return [Block(head, [whose]), Block(content=[table]), Block(content=_notes(check))]


def _interval(found: "Compatibility") -> str:
    lowest, highest = (100 * n / found.observations for n in (found.fewest, found.most))
    return f"{lowest:.2f} to {highest:.2f} %"


def _verdict(found: "Compatibility") -> str:
    return "too few" if found.too_low else "more than expected" if found.too_high else "compatible"


def _notes(check: "CoverageCheck") -> list[str]:
    about, moved = check.fitted_on, check.sizes_moved
    shares = (100 * check.not_listed / check.observations, 100 * about["not_listed"] / about["rows"])
    more = f": more than chance explains (p = {check.p_not_listed:.2g})" if check.more_not_listed else ""
    notes = [f"lists lack the true label of {shares[0]:.2f} %, and of {shares[1]:.2f} % of the calibration rows{more}"]
    for level in check.levels:
        if level.fitted_mean_size is not None:
            other = f": other sizes than before (p = {level.p_size:.2g})" if level.alpha in moved else ""
            fitted = f"{level.fitted_mean_size:,.2f} of those of the calibration rows"
            notes.append(f"alpha {level.alpha}: sets of {level.mean_size:,.2f} labels in the mean, {fitted}{other}")
        if level.coverage.unchecked:
            n = count(level.coverage.unchecked, "observation")
            notes.append(f"alpha {level.alpha}: {n} left out, of labels without a threshold of their own")
    notes.extend(check.notes)
    return notes


def verdict(check: "CoverageCheck", *, fail_if_high: bool = False) -> str | None:
    """Why sets are not compatible with their levels, in a line; None if they are."""
    found = []
    for level in check.levels:
        coverage = level.coverage
        covered = f"alpha {level.alpha}: {coverage.covered:,} of {count(coverage.observations, 'observation')} covered"
        if coverage.too_low:
            found.append(f"{covered} ({100 * coverage.share:.2f} %), and at least {coverage.fewest:,} are compatible")
        elif fail_if_high and coverage.too_high:
            found.append(f"{covered} ({100 * coverage.share:.2f} %), and at most {coverage.most:,} are compatible")
    return f"{'; '.join(found)}; fit anew on recent observations" if found else None


def check_facts(check: "CoverageCheck") -> dict[str, Any]:
    """The same as plain values for JSON."""
    return {
        "method": check.method,
        "compatible": not check.too_low,
        "significance": check.significance,
        "observations": check.observations,
        "truth": check.truth,
        "not_listed": check.not_listed,
        "p_not_listed": check.p_not_listed,
        "levels": [
            {
                "alpha": float(level.alpha),
                "observations": level.coverage.observations,
                "unchecked": level.coverage.unchecked,
                "calibration_rows": level.coverage.calibration_rows,
                "covered": level.coverage.covered,
                "coverage": level.coverage.share,
                "expected": level.coverage.expected,
                "fewest": level.coverage.fewest,
                "most": level.coverage.most,
                "p_low": level.coverage.p_low,
                "p_high": level.coverage.p_high,
                "too_low": level.coverage.too_low,
                "too_high": level.coverage.too_high,
                "mean_size": level.mean_size,
                "fitted_mean_size": level.fitted_mean_size,
                "p_size": level.p_size,
            }
            for level in check.levels
        ],
        "notes": list(check.notes),
        "fitted_on": dict(check.fitted_on),
    }
