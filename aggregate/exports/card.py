"""The dataset card: README.md with the YAML that says which file is which split."""

import json
from typing import TYPE_CHECKING, Any

from ..version import VERSION

if TYPE_CHECKING:
    from ..publishing.run import Run
    from .samples import Samples
    from .training import TrainingData

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
SIZES_ABOVE = ((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"))
LARGEST = "100M<n<1B"

BY_AUTHOR = "All observations of a known author are in one split; those without one are split one by one."
BY_OBSERVATION = "Observations are split one by one: those of one author may be in several splits."

CARD = """---
{yaml}
---

# {title}

{n}, labelled by the votes of a crowd: run {run} of plant-aggregate {version}, strategy {strategy}.

| split | {what}s |
|---|---|
{rows}

The `label` is a class, by its index; `sample_weight` is the {weight} of the label.{experts} {together}
`export.json` has the options, `training.json` what was reached and left out.

```python
from datasets import load_dataset

dataset = load_dataset("FOLDER")  # the folder of this file
dataset["train"].features["label"].int2str(0)
```
"""


def card(run: "Run", options: Any, data: "TrainingData", samples: "Samples", digest: str) -> str:
    """The text of README.md; strings in YAML are written as JSON, which it includes.

    ``digest`` is one of all files. It is in the configuration because datasets 5.2 knows a folder by its name and its
    configuration alone, if it has one: its cache would give what was in the folder before.
    """
    title = options.title or "Species labels from the votes of a crowd"
    head = [f"pretty_name: {_text(title)}"]
    if options.license:
        head.append(f"license: {_text(options.license)}")
    if samples.has_images:
        head += ["task_categories:", "- image-classification"]
    head += ["tags:", "- biology", "- crowdsourcing", "size_categories:", f"- {_text(size_category(samples.n))}"]
    head += ["configs:", "- config_name: default", "  data_files:"]
    for name in samples.splits:
        head += [f"  - split: {name}", f"    path: data/{name}.parquet"]
    head.append(f"  description: {_text(f'SHA-256 of the files: {digest}')}")
    what = "picture" if samples.has_images else "observation"
    rows = [f"| {name} | {table.num_rows:,} |" for name, table in samples.splits.items()]
    together = BY_AUTHOR if options.group == "author" else BY_OBSERVATION
    return CARD.format(
        yaml="\n".join(head),
        title=title,
        n=f"{samples.n:,} {what}s of {samples.n_classes:,} species",
        run=run.run_id or "without an id",
        version=VERSION,
        strategy=run.record.strategy or "unknown",
        what=what,
        rows="\n".join(rows),
        together=together,
        weight=data.weight_from,
        experts=_experts(data),
    )


def size_category(n: int) -> str:
    """The category of a number of rows, as on the Hub.

    >>> size_category(999), size_category(20_000), size_category(5_000_000)
    ('n<1K', '10K<n<100K', '1M<n<10M')
    """
    return next((name for limit, name in (*SIZES, *SIZES_ABOVE) if n < limit), LARGEST)


def _experts(data: "TrainingData") -> str:
    """How many labels are those of experts, as a sentence; empty if none are."""
    if "by_expert" not in data.table.column_names:
        return ""
    n = data.table.column("by_expert").to_pylist().count(True)
    return f" {n:,} of the labels are those of experts (`by_expert`)."


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
