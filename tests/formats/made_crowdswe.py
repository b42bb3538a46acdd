"""Folders in the layouts of Pl@ntNet-CrowdSWE, from the votes, the truth and the AI's votes of any folder.

    python -m tests.formats.made_crowdswe sample_votes CrowdSWE

writes the first release's layout (https://zenodo.org/records/10782465), and with `--release 2` the second's
(https://zenodo.org/records/17913995), file by file, with numbers, order and indentation as in extracts of the first. In
the second, numbers of classes are texts, as in its unified_classes.json; that ai_scores_all.json has an object of
classes and scores for each observation was seen in a program that reads it
(https://github.com/Mouss1O/Projet_PlantNet_M1_SSD).
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Rows = list[dict[str, Any]]


def write_release(folder: Path, votes: Rows, truth: Rows, ai_votes: Rows, release: int = 1) -> None:
    """Write a release: votes with ``is_author``, experts' labels, and the AI's votes."""
    observations = list(dict.fromkeys(str(row["observation_id"]) for row in votes))
    names = list(dict.fromkeys(row["label"] for row in votes))
    ai_names = list(dict.fromkeys([*names, *(row["label"] for row in ai_votes)]))
    authors = {str(row["observation_id"]): str(row["user_id"]) for row in votes if row["is_author"]}
    experts = {str(row["observation_id"]): row["label"] for row in truth}
    write = _write_first if release == 1 else _write_second
    write(folder, votes, observations, names, ai_names, authors, experts, ai_votes)


def _write_first(
    folder: Path,
    votes: Rows,
    observations: list[str],
    names: list[str],
    ai_names: list[str],
    authors: Mapping[str, str],
    experts: Mapping[str, str],
    ai_votes: Rows,
) -> None:
    tasks, classes, ai_classes = numbered(observations), numbered(names), numbered(ai_names)
    answers: dict[str, dict[str, int]] = {}
    for row in votes:
        task = str(tasks[str(row["observation_id"])])
        answers.setdefault(task, {})[str(row["user_id"])] = classes[row["label"]]
    _dump(folder / "answers/answers.json", answers)
    _dump_lines(folder / "answers/ground_truth.txt", (classes.get(experts.get(key, ""), -1) for key in observations))
    _dump(folder / "converters/tasks.json", tasks)
    _dump(folder / "converters/classes.json", classes)
    _dump_lines(folder / "aggregation/authors.txt", (authors.get(key, -1) for key in observations))
    seen = [row for row in ai_votes if str(row["observation_id"]) in tasks]
    task_of = {row["observation_id"]: str(tasks[str(row["observation_id"])]) for row in seen}
    ai_answers = {task_of[row["observation_id"]]: ai_classes[row["label"]] for row in seen}
    _dump(folder / "aggregation/ai_answers.json", ai_answers)
    scores = {task_of[row["observation_id"]]: round(row["score"], 5) for row in seen}
    _dump(folder / "aggregation/ai_scores.json", scores)
    _dump(folder / "aggregation/ai_classes.json", ai_classes)
    flora = [{"species": name, "synonyms": []} for name in sorted(names)]
    _dump(folder / "aggregation/k-southwestern-europe.json", flora)


def _write_second(
    folder: Path,
    votes: Rows,
    observations: list[str],
    names: list[str],
    ai_names: list[str],
    authors: Mapping[str, str],
    experts: Mapping[str, str],
    ai_votes: Rows,
) -> None:
    classes = {name: str(number) for name, number in numbered(sorted(ai_names)).items()}
    answers: dict[str, dict[str, str]] = {}
    for row in votes:
        answers.setdefault(str(row["observation_id"]), {})[str(row["user_id"])] = classes[row["label"]]
    _dump(folder / "votes/human_votes.json", answers)
    _dump(folder / "votes/ground_truth.json", {key: classes.get(experts.get(key, ""), -1) for key in observations})
    _dump(folder / "votes/ai_votes.json", {str(row["observation_id"]): classes[row["label"]] for row in ai_votes})
    scores = {str(row["observation_id"]): round(row["score"], 5) for row in ai_votes}
    _dump(folder / "ai_scores/ai_scores.json", scores)
    lists = {str(row["observation_id"]): {classes[row["label"]]: round(row["score"], 5)} for row in ai_votes}
    _dump(folder / "ai_scores/ai_scores_all.json", lists)
    _dump(folder / "converters/authors.json", authors)
    _dump(folder / "converters/unified_classes.json", classes)
    _dump(folder / "converters/reverse_unified_classes.json", {number: name for name, number in classes.items()})


def numbered(texts: Iterable[str]) -> dict[str, int]:
    """Numbers from 0, in the order of the texts."""
    return {text: number for number, text in enumerate(texts)}


def _dump(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=3, ensure_ascii=False), encoding="utf-8")


def _dump_lines(path: Path, values: Iterable[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{value}\n" for value in values), encoding="utf-8")


def main() -> None:
    """Write what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("votes", type=Path, help="folder with votes.parquet, truth.parquet and ai_votes.parquet")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--release", type=int, default=1, choices=(1, 2))
    given = parser.parse_args()
    tables = (pq.read_table(given.votes / f"{name}.parquet").to_pylist() for name in ("votes", "truth", "ai_votes"))
    write_release(given.folder, *tables, given.release)


if __name__ == "__main__":
    main()
