"""Some prediction sets of simulated lists, as a curator sees them, and how often their common taxa are right."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from plant_aggregate import NamedScores, SetPredictor, evaluate_sets, fit_sets, scores_from_table, simulate

SCALE, SEED, ALPHA = 0.005, 0, "0.1"
METHODS = {"softmax": "softmax/standard", "pas": "pas/standard", "softmax, interp-q": "softmax/interp-q"}
LONGEST = 4  # labels of the sets that are shown
RARE, LOW, HIGH = 20, 0.2, 0.5  # training images of a rare species; probabilities that are low, and high

Record = Mapping[str, Any]


class Example(NamedTuple):
    """New observations, and predictors that were fitted on others."""

    lists: NamedScores
    truth: Sequence[str]
    counts: Mapping[str, int]  # training images of each species
    predictors: Mapping[str, SetPredictor]


@cache
def example() -> Example:
    """Observations with an odd id, and predictors that were fitted on those with an even one."""
    tables = simulate(SCALE, seed=SEED, scores=True).tables
    assert tables.scores is not None
    assert tables.training_counts is not None
    scores, counts = tables.scores, dict(zip(*map(_listed, tables.training_counts.columns), strict=True))
    is_odd = pc.equal(pc.bit_wise_and(tables.truth["observation_id"], 1), 1)
    known, new = tables.truth.filter(pc.invert(is_odd)), tables.truth.filter(is_odd)
    given: dict[str, Any] = {"counts": counts, "alpha": ALPHA}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of species without training images, which no list can have
        predictors = {
            name: fit_sets(
                scores_from_table(scores), known, score=method.split("/")[0], threshold=method.split("/")[1], **given
            )
            for name, method in METHODS.items()
        }
    of_new = pc.is_in(scores["observation_id"], value_set=new["observation_id"].combine_chunks())
    lists, truth = scores_from_table(scores.filter(of_new)), dict(zip(*map(_listed, new.columns), strict=True))
    return Example(lists, [truth[value] for value in lists.observation_ids.to_pylist()], counts, predictors)


def _listed(column: pa.ChunkedArray) -> list[Any]:
    return column.to_pylist()


def sets_shown() -> str:
    """The first observation of each kind: what the classifier lists, its sets, and what it is."""
    lists, truth, counts, predictors = example()
    softmax, pas = (predictors[name].predict(lists).with_taxa().records() for name in ("softmax", "pas"))

    def is_rare(label: Record) -> bool:
        return counts.get(label["label"], 0) < RARE and label["probability"] < LOW

    kinds: dict[str, Callable[[Record, Record, str], bool]] = {
        "one species": lambda s, p, t: s["size"] == p["size"] == 1 and p["labels"][0]["probability"] > HIGH,
        "two of a genus": lambda s, p, t: s["size"] == p["size"] == 2 and p["common_rank"] == "genus",
        "a rare species, rightly": lambda s, p, t: (
            p["size"] > 1
            and t not in _names(s)
            and any(is_rare(label) and label["label"] == t for label in p["labels"])
        ),
        "a rare species, in vain": lambda s, p, t: p["size"] > 1 and t in _names(s) and is_rare(p["labels"][0]),
        "an empty set": lambda s, p, t: s["empty"],
    }
    rows = sorted(zip(softmax, pas, truth, strict=True), key=lambda row: row[1]["size"])  # the smallest sets first
    lines = ["| | set by `softmax` | set by `pas` | in common | it is |", "|---|---|---|---|---|"]
    for kind, holds in kinds.items():
        s, p, t = next(row for row in rows if holds(*row))
        cells = [kind, _cell(s, counts), _cell(p, counts), p["common_name"] or "-", f"{t} ({counts.get(t, 0):,})"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def answer_shown() -> str:
    """What a page shows of a set of two species of a genus, as JSON; numbers are shortened."""
    lists, _, _, predictors = example()
    answers = predictors["softmax"].predict(lists).with_taxa().records()
    answer = next(each for each in answers if each["size"] == 2 and each["common_rank"] == "genus")
    for label in answer["labels"]:
        label |= {name: round(label[name], 3) for name in ("probability", "score")}
    lines = [f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in answer.items()]
    return "```json\n{\n" + ",\n".join(lines) + "\n}\n```"


def _names(record: Record) -> list[str]:
    return [label["label"] for label in record["labels"]]


def _cell(record: Record, counts: Mapping[str, int]) -> str:
    """The first labels of a set, each with its probability and its training images."""
    labels = record["labels"]
    lines = [
        f"{each['label']} {each['probability']:.1%} ({counts.get(each['label'], 0):,})" for each in labels[:LONGEST]
    ]
    more = [f"and {len(labels) - LONGEST} more"] if len(labels) > LONGEST else []
    return "<br>".join([*lines, *more]) or "-"


MEASURES = {
    "marginal_coverage": "has the species",
    "genus_coverage": "has its genus",
    "mean_size": "species in a set",
    "mean_genera": "genera in a set",
    "common_taxon": "has a common taxon",
    "common_taxon_coverage": "which is right",
}


def taxa_measured() -> str:
    """How often sets have the species and its genus, and how often the common taxon is right, by method."""
    return "\n".join(_taxa_measured())


def _taxa_measured() -> Iterator[str]:
    lists, truth, _, predictors = example()
    experts = {"observation_id": lists.observation_ids, "label": truth}
    yield f"| | {' | '.join(MEASURES.values())} |"
    yield "|---|" + "---:|" * len(MEASURES)
    for name, predictor in predictors.items():
        (level,) = evaluate_sets(predictor, lists, experts, genus=True, resamples=0).levels
        values = {measure: level.measures[measure].value for measure in MEASURES}
        shown = [f"{value:.2f}" if each.startswith("mean") else f"{value:.1%}" for each, value in values.items()]
        yield f"| `{name}` | {' | '.join(shown)} |"
