"""The consensus of panoptes-aggregation beside ours (majority), on the same classification exports of Zooniverse.

    python -m benchmarks.panoptes --command PANOPTES/bin/panoptes_aggregation --task T3 classifications.csv

PANOPTES is an environment with panoptes-aggregation, which needs older versions of pandas and NumPy than we do:
``python3 -m venv PANOPTES && PANOPTES/bin/pip install panoptes_aggregation``. Its consensus is the choice with the
highest ``choice_count`` of its survey reducer, or the answer with the highest count of its question reducer.

It counts each classification of a user who classified a subject again, whatever ``reduce -F`` says, each of several
choices, one that a classification names twice with different answers twice, and the gold standard; a button beside a
survey is another task. So the export is given to it as it is, and a second time with what counts for us alone: the
lines that are votes, each choice once. Of that, the labels must be the same wherever one has most votes, or the command
fails.
"""

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from plant_aggregate import Majority, read_votes
from plant_aggregate.formats.panoptes import SURVEY, answers
from plant_aggregate.formats.reading import read_tables
from plant_aggregate.formats.zooniverse import Zooniverse

FILTERS = ("first", "last", "all")

Counts = Mapping[str, Counter[str]]
"""Subject -> choice -> how often."""


class Comparison(NamedTuple):
    """Both on one export."""

    subjects: int  # with a vote
    untied: int  # where one label has most votes
    same: int  # of these, with the same label when both have the same votes
    same_as_exported: int  # ..., when it has all lines of the export
    filters_differ: bool  # whether reduce -F has an effect
    differing: tuple[str, ...]  # subjects, untied, whose labels are not the same although the votes are


def main() -> None:
    """Compare, print a table."""
    parser = argparse.ArgumentParser(description="panoptes-aggregation's consensus beside ours.")
    parser.add_argument("--command", required=True, help="the command panoptes_aggregation of its environment")
    parser.add_argument("--task", required=True, help="task of the votes, such as T0")
    parser.add_argument("exports", nargs="+", type=Path, help="classification exports (CSV)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| export | subjects | one label has most votes | same label | as exported | `-F` has an effect |")
    print("|---|---:|---:|---:|---:|---|")
    differing: list[str] = []
    for export in options.exports:
        with tempfile.TemporaryDirectory() as folder:
            found = compared(export, options.task, options.command, Path(folder))
        effect = "yes" if found.filters_differ else "no"
        print(f"| {export.name} | {found.subjects:,} | {found.untied:,} | {found.same:,} |", end="")
        print(f" {found.same_as_exported:,} | {effect} |")
        differing += found.differing
    if differing:
        sys.exit(f"other labels on {len(differing):,} subjects: {', '.join(differing[:10])}")


def compared(export: Path, task: str, command: str, folder: Path) -> Comparison:
    """Both on an export; ``folder`` takes files."""
    what_counts = write_what_counts(export, task, folder / "counts.csv")
    as_exported = [reductions(export, task, command, folder / name, name) for name in FILTERS]
    same_votes = reductions(what_counts, task, command, folder / "counts", "first")
    return comparison(labels_of(export, task), same_votes, as_exported)


def comparison(ours: Mapping[str, str], same_votes: Counts, as_exported: list[Counts]) -> Comparison:
    """Our labels beside the most frequent choices of others."""
    untied = {subject: leading[0] for subject, leading in most_frequent(same_votes) if len(leading) == 1}
    exported = dict(most_frequent(as_exported[0]))
    differing = tuple(subject for subject, label in untied.items() if slug(ours.get(subject, "")) != label)
    same = sum(exported.get(subject) == [slug(ours[subject])] for subject in untied if subject in ours)
    differ = any(other != as_exported[0] for other in as_exported)
    return Comparison(len(ours), len(untied), len(untied) - len(differing), same, differ, differing)


def most_frequent(counts: Counts) -> Iterator[tuple[str, list[str]]]:
    """The choices of each subject that are the most frequent, more than one where they tie."""
    for subject, choices in counts.items():
        most = max(choices.values())
        yield subject, sorted(choice for choice, n in choices.items() if n == most)


def slug(label: str) -> str:
    """A label as panoptes-aggregation writes it."""
    return re.sub("[^a-z0-9]+", "-", label.lower()).strip("-")


def all_votes(task: str) -> Zooniverse:
    """What counts for panoptes-aggregation, too: classifications of tests, and nothing here."""
    return Zooniverse(task=task, nothing_here=True, test_classifications=True)


def labels_of(export: Path, task: str) -> dict[str, str]:
    """Our labels: subject -> label with most votes."""
    votes = read_tables(all_votes(task), export).tables["votes"]
    consensus = Majority().fit(read_votes(votes.select(["observation_id", "user_id", "label"]))).to_arrow()
    return dict(zip(*(consensus.column(name).to_pylist() for name in ("observation_id", "label")), strict=True))


def write_what_counts(export: Path, task: str, path: Path) -> Path:
    """An export of the lines that are votes of ours alone, each choice once."""
    votes = read_tables(all_votes(task), export).tables["votes"]
    counted = dict(zip(*(votes.column(name).to_pylist() for name in ("classification_id", "label")), strict=True))
    rows = lines(export)
    of_survey = is_survey(rows, task)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            label = counted.get(row["classification_id"])
            if label is not None:
                value = [{"choice": label, "answers": {}}] if of_survey else label
                writer.writerow({**row, "annotations": json.dumps([{"task": task, "value": value}])})
    return path


def lines(export: Path) -> list[dict[str, str]]:
    """The classifications of an export."""
    with export.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def is_survey(rows: Iterable[Mapping[str, str]], task: str) -> bool:
    """Whether the task of some classifications is a survey, not a question."""
    given = (answer for row in rows for answer in answers(json.loads(row["annotations"])))
    return any(answer.task == task and answer.kind == SURVEY for answer in given)


def reductions(export: Path, task: str, command: str, folder: Path, only: str) -> Counts:
    """How often each choice is counted by panoptes-aggregation on each subject."""
    folder.mkdir()
    rows = lines(export)
    kind = "survey" if is_survey(rows, task) else "question"
    ((workflow, _),) = Counter(row["workflow_id"] for row in rows if f'"{task}"' in row["annotations"]).most_common(1)
    (folder / "extractor.yaml").write_text(
        f"workflow_id: {workflow}\nworkflow_version: {{min: '0.1', max: '999999.0'}}\n"
        f"extractor_config: {{{kind}_extractor: [{{task: {task}}}]}}\n"
    )
    (folder / "reducer.yaml").write_text(f"reducer_config: {{{kind}_reducer: {{}}}}\n")
    extracted, out = folder / f"{kind}_extractor_votes.csv", ["-d", str(folder), "-o", "votes", "-hb"]
    for step in (
        ["extract", str(export.resolve()), str(folder / "extractor.yaml"), *out],
        ["reduce", str(extracted), str(folder / "reducer.yaml"), "-F", only, *out],
    ):
        done = subprocess.run([command, *step], capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            sys.exit(f"panoptes-aggregation {step[0]} failed on {export.name}: {done.stderr.strip()[-2000:]}")
    return counts_in(folder / f"{kind}_reducer_votes.csv")


def counts_in(path: Path) -> Counts:
    """The counts in reductions: a row for each choice of a survey, a column for each answer to a question."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if "data.choice" in row:
                counts[row["subject_id"]][row["data.choice"]] += int(float(row["data.choice_count"]))
                continue
            for column, value in row.items():
                name = column.removeprefix("data.")
                if name != column and name not in ("aggregation_version", "None") and value:
                    counts[row["subject_id"]][name] += int(float(value))
    return counts


if __name__ == "__main__":
    main()
