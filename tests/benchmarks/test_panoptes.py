"""The consensus of panoptes-aggregation beside ours, from counts of its that were recorded, and by its command."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.panoptes import Counts, compared, comparison, labels_of, lines, reductions, slug, write_what_counts
from tests.formats.made_zooniverse import drawn_survey

RECORDED = Path(__file__).parent / "panoptes_counts.json"
"""What version 5.3.1 counts on ``drawn_survey``: see :func:`record`."""

COMMAND = os.environ.get("PANOPTES_AGGREGATION") or shutil.which("panoptes_aggregation")


def record(command: str, folder: Path) -> None:
    """Record the counts anew."""
    export = drawn_survey(folder / "export.csv")
    counts = {
        "as exported": reductions(export, "T0", command, folder / "all", "first"),
        "same votes": reductions(
            write_what_counts(export, "T0", folder / "counts.csv"), "T0", command, folder / "x", "first"
        ),
    }
    RECORDED.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n")


def recorded(what: str) -> Counts:
    return {subject: Counter(counts) for subject, counts in json.loads(RECORDED.read_text())[what].items()}


def test_labels_are_the_same_wherever_one_has_most_votes(tmp_path: Path) -> None:
    export = drawn_survey(tmp_path / "export.csv")
    found = comparison(labels_of(export, "T0"), recorded("same votes"), [recorded("as exported")])
    assert found.differing == ()
    assert (found.subjects, found.untied, found.same) == (25, 23, 23)
    assert found.same_as_exported < found.same


def test_what_counts_was_counted(tmp_path: Path) -> None:
    export = drawn_survey(tmp_path / "export.csv")
    ours: dict[str, Counter[str]] = {}
    for row in lines(write_what_counts(export, "T0", tmp_path / "counts.csv")):
        ((chosen,),) = (annotation["value"] for annotation in json.loads(row["annotations"]))
        ours.setdefault(row["subject_ids"], Counter())[slug(chosen["choice"])] += 1
    assert ours == recorded("same votes")


def test_it_counts_repeats_several_choices_and_the_gold_standard(tmp_path: Path) -> None:
    every: dict[str, Counter[str]] = {}
    for row in lines(drawn_survey(tmp_path / "export.csv")):
        chosen = {slug(one["choice"]) for annotation in json.loads(row["annotations"]) for one in annotation["value"]}
        if chosen:
            every.setdefault(row["subject_ids"], Counter()).update(chosen)
    assert every == recorded("as exported")


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.skipif(COMMAND is None, reason="panoptes_aggregation is not installed, or PANOPTES_AGGREGATION not set")
def test_its_command_gives_the_same(tmp_path: Path) -> None:
    found = compared(drawn_survey(tmp_path / "export.csv"), "T0", str(COMMAND), tmp_path)
    assert (found.differing, found.filters_differ) == ((), False)
