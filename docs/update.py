"""Fill what README.md, docs/ and docstrings have from the program, and draw; with ``--check``, only compare.

``python docs/update.py`` makes all of them, ``python docs/update.py "columns of votes"`` those that are named. A part
stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``. Numbers that differ from run to run (seconds, run ids)
are not compared.
"""

import argparse
import ast
import dataclasses
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from itertools import takewhile
from pathlib import Path
from statistics import median
from types import NoneType
from typing import Any, get_args, get_origin

import docstrings
import format_examples
import name_examples
import picture
import public_names
import pyarrow as pa
import pyarrow.parquet as pq
import set_examples

import plant_aggregate
from plant_aggregate import schema
from plant_aggregate.assessment.conformal.registry import RULES, SCORES
from plant_aggregate.cli.group import COMMANDS
from plant_aggregate.exports.registry import EXPORTS, SUMMARIES
from plant_aggregate.formats.registry import FORMATS
from plant_aggregate.formats.registry import SUMMARIES as OF_FORMATS
from plant_aggregate.parameters import declared
from plant_aggregate.publishing.record import ChangeCounts, RunChanges, RunRecord
from plant_aggregate.strategies.plantnet.strategy import PlantNet
from plant_aggregate.strategies.registry import STRATEGIES

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # for benchmarks/
MEASURED = ROOT / "docs" / "measured" / "against_peers.json"
STRATEGIES_MEASURED = ROOT / "docs" / "measured" / "strategies.json"
GOLD_MEASURED = ROOT / "docs" / "measured" / "gold.json"
CONFIDENCE_MEASURED = ROOT / "docs" / "measured" / "confidence.json"
FIT_PREDICT_MEASURED = ROOT / "docs" / "measured" / "fit_predict.json"
SIMULATED_SETS_MEASURED = ROOT / "docs" / "measured" / "conformal_study.json"
CONFORMAL_MEASURED = ROOT / "docs" / "measured" / "conformal.json"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MANY_VOTES = 5_000_000
VOLATILE = re.compile(r"\b\d+\.\d+ s\b|\b\d{8}T\d{6}Z(?:-\d+)?\b")
WORK = tempfile.TemporaryDirectory()
"""Where commands write, each part in a folder of its own (see :func:`folder`); it goes when this program ends."""
LISTS = {"labels": "list of strings or integers", "shares": "list of floats", "indices": "list of integers"}
"""Types in words, as far as they are not Arrow's."""
SHOWN = ["observation_id", "label", "status", "confidence", "agreement", "aum", "n_votes", "runner_up"]

EXPORTED = {
    "csv": ["--suffix", ".csv.gz"],
    "crowd-kit": ["--truth", "sample_votes/truth.parquet"],
    "darwin-core": [],
    "peerannot": ["--truth", "sample_votes/truth.parquet"],
    "huggingface": [],
    "imagefolder": ["--images", "images.parquet", "--how", "index"],
    "webdataset": ["--images", "images.parquet", "--how", "index"],
    "croissant": ["--license", "CC-BY-4.0"],
}
"""Export -> the options of the command that its section shows."""

JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", Any: "value"}
OF_OWN_FORM = {"like_missing": "array of objects (name, votes)", "first_alike": "array of pairs of strings"}
"""Fields of records whose form in JSON is not that of their type."""


def columns(table: schema.Table) -> str:
    """A Markdown table of a table's columns."""
    lines = ["| column | type | |", "|---|---|---|"]
    for column in table:
        kind = {"id": "integer or string", "label": "string or integer", "name": "string", **LISTS}.get(
            column.type, column.type
        )
        optional = "optional: " if column.optional else ""
        lines.append(f"| `{column.name}` | {kind} | {optional}{column.meaning} |")
    return "\n".join(lines)


def as_measures(table: schema.Table) -> str:
    """The same, of columns that are measures."""
    return columns(table).replace("| column |", "| measure |")


def run_json() -> str:
    """A Markdown table of the keys of run.json: the fields of RunRecord, and the texts below them."""
    lines = ["| key | type | |", "|---|---|---|"]
    lines += [f"| `{key}` | {kind} | {meaning} |" for key, kind, meaning in keys_of(RunRecord)]
    return "\n".join(lines)


def keys_of(record: Any, above: str = "") -> Iterator[tuple[str, str, str]]:
    """The keys of a dataclass in JSON, below the key ``above``, each with its type and meaning."""
    meanings = texts_below_fields(record)
    for item in dataclasses.fields(record):
        if (record, item.name) == (RunChanges, "counts"):  # its fields are keys of the object itself
            yield from keys_of(ChangeCounts, above)
        elif (record, item.name) not in ((RunRecord, "further"), (RunRecord, "contents")):
            kind, path, below = json_type(item.type)
            key, meaning = f"{above}{item.name}", meanings[item.name].splitlines()[0].rstrip(".")
            begins = meaning[0] if meaning[1].isupper() else meaning[0].lower()
            yield key, OF_OWN_FORM.get(item.name, kind), f"{begins}{meaning[1:]}"
            yield from keys_of(below, f"{key}{path}.") if below else ()


def json_type(kind: Any) -> tuple[str, str, Any]:
    """A type in words, what leads from an object or array to its items, and the dataclass that they, or it, are."""
    if kind in JSON_TYPES:
        return JSON_TYPES[kind], "", None
    if dataclasses.is_dataclass(kind):
        return "object", "", kind
    name, of_items = get_origin(kind), [each for each in get_args(kind) if each not in (NoneType, ...)]
    if name not in (tuple, Mapping):  # a union; the first kind has all fields of the others
        return json_type(of_items[0])
    items, _, below = json_type(of_items[-1])
    several = f" of {items}s" if items != "value" else ""
    return (f"array{several}", "[]", below) if name is tuple else (f"object{several}", ".NAME", below)


def texts_below_fields(kind: type) -> dict[str, str]:
    """The text below each field of a class, those that are inherited included."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__[:-1]):
        (tree,) = ast.parse(inspect.getsource(each)).body
        assert isinstance(tree, ast.ClassDef)
        for field, text in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                found[ast.unparse(field.target)] = inspect.cleandoc(ast.literal_eval(text.value))
    return found


def strategies() -> str:
    """A section per strategy from its docstring, and its parameters."""
    sections = []
    for name, strategy in STRATEGIES.items():
        if name == PlantNet.name:
            continue
        text = inspect.cleandoc(strategy.__doc__ or "").split(docstrings.HEADING)[0].rstrip()
        shown = [
            f"`--{item.name.replace('_', '-')}` {item.default:.4g}"
            for item in dataclasses.fields(strategy)
            if item.default is not None
        ]
        sections.append(f"## {name}\n\n{text}\n\nDefaults: {', '.join(shown)}.")
    return "\n\n".join(sections)


def described(registry: Mapping[str, Any]) -> str:
    """A section for each implementation from its docstring, and its options."""
    sections = []
    for name, implementation in registry.items():
        text = inspect.cleandoc(implementation.__doc__ or "").split(docstrings.HEADING)[0].rstrip()
        options = docstrings.parameters_in_words(implementation)
        lines = [f"- `--{field.replace('_', '-')}`: {words}" for field, words in options.items()]
        sections.append("\n\n".join(filter(None, [f"### {name}", text, "\n".join(lines)])))
    return "\n\n".join(sections)


def exports() -> str:
    """A Markdown table of the exports and their options."""
    lines = ["| format | writes | options, beside `-o` and `--overwrite` |", "|---|---|---|"]
    for name, summary in SUMMARIES.items():
        options = " ".join(f"`--{field.replace('_', '-')}`" for field in declared(EXPORTS[name]))
        lines.append(f"| [{name}](#{name}) | {summary} | {options} |")
    return "\n".join(lines)


def exported(name: str) -> str:
    """The command that exports a run on the sample, and what it prints."""
    here, made = folder(f"export {name}"), folder("exports")
    consensus, images = f"{made}/consensus", f"{made}/images.parquet"
    if not os.path.exists(images):
        output_of("run", VOTES, "-q", "-o", consensus)
        pq.write_table(pa.table(pictures(consensus)), images)
    options = EXPORTED[name]
    given = [images if option == "images.parquet" else option for option in options]
    said = output_of("export", consensus, name, "-o", f"{here}/{name}", "-q", *given)
    command = " ".join(["plant-aggregate export latest", name, "-o", name, *options])
    return f"```console\n$ {command}\n{without_sizes(said).replace(f'{here}/', '')}```"


def converted_archive() -> str:
    """The command that reads the Darwin Core archive of a run on the sample, and what it prints."""
    here, archive = folder("convert darwin-core"), f"{folder('export darwin-core')}/darwin-core"
    if not os.path.exists(archive):
        exported("darwin-core")
    said = output_of("convert", "darwin-core", archive, "-o", f"{here}/votes", "-q")
    command = "plant-aggregate convert darwin-core darwin-core -o votes"
    return f"```console\n$ {command}\n{said.replace(f'{here}/', '')}```"


def converted_example(name: str) -> str:
    """The command that converts the example of a format, and what it prints."""
    return format_examples.example(name, Path(folder(f"convert {name}")), output_of)


@cache
def tutorial(step: str) -> str:
    """What a step of the tutorial on CrowdSWE prints, after those before it."""
    here = folder("convert crowdswe")
    votes, consensus = f"{here}/votes", f"{here}/consensus"
    steps: dict[str, Callable[[], str]] = {
        "convert": lambda: converted_example("crowdswe"),
        "run": lambda: in_console(output_of("run", f"{votes}/votes.parquet", "-q", "-o", consensus)),
        "export": lambda: in_console(output_of("export", consensus, "training", "-q", "-o", f"{here}/training")),
        "evaluate": lambda: in_console(output_of("evaluate", consensus, "--truth", f"{votes}/truth.parquet", "-q")),
    }
    for before in takewhile(lambda name: name != step, steps):
        tutorial(before)
    return steps[step]().replace(f"{here}/", "")


def pictures(consensus: str) -> dict[str, list[Any]]:
    """A table of a picture of each observation."""
    ids = plant_aggregate.open_run(consensus).read_table(columns=["observation_id"])["observation_id"]
    return {"observation_id": ids.to_pylist(), "image": [f"https://example.org/{each}.jpg" for each in ids.to_pylist()]}


def formats() -> str:
    """A Markdown table of the formats."""
    lines = ["| format | reads |", "|---|---|"]
    for name, summary in OF_FORMATS.items():
        page = f"formats/{name}.md"
        shown = f"[{name}]({page})" if (ROOT / "docs" / page).exists() else name
        lines.append(f"| {shown} | {summary} |")
    return "\n".join(lines)


CONVERTED = {
    "csv": (
        "log.csv",
        "obs,user_id,label,voted_at\n007,ana,Acer campestre,2026-11-23\n007,bo,NA,\n007,,Acer opalus,\n",
        ["--column", "observation_id=obs", "--max-rejected", "0.5"],
    ),
    "jsonl": (
        "log.jsonl",
        '{"observation_id": 7, "user": {"id": "ana"}, "label": "Acer campestre", "is_author": true}\n'
        '{"observation_id": 7, "user": {"id": "bo"}, "label": "Acer opalus"}\n',
        ["--column", "user_id=user.id"],
    ),
    "wide": (
        "matrix.csv",
        "image,ana,bo,cy,expert\n1.jpg,Acer campestre,NA,,Acer campestre\n2.jpg,,Acer opalus,Acer opalus,\n",
        ["--truth", "expert", "--blank", "NA"],
    ),
    "crowd-kit": ("crowd_labels.csv", "task,worker,label\n1,ana,Acer campestre\n1,bo,Acer opalus\n", []),
}
"""Format -> the name of a small file, what is in it, and options."""


def converted(name: str) -> str:
    """A small file in a format, the command that converts it, and what that prints."""
    here = folder(f"convert {name}")
    file, content, options = CONVERTED[name]
    Path(here, file).write_text(content, encoding="utf-8")
    said = output_of("convert", name, f"{here}/{file}", "-o", f"{here}/votes", "-q", *options)
    command = shlex.join(["plant-aggregate", "convert", name, file, "-o", "votes", *options])
    return f"```console\n$ cat {file}\n{content}$ {command}\n{said.replace(f'{here}/', '')}```"


def options_of_format(name: str) -> str:
    """The options that a format has beside those of the command."""
    shown = output_of("convert", name, "--help")
    found = re.search(r"^Format:\n(.*?)(?:\n\n|\Z)", shown, re.M | re.S)
    return f"```text\n{textwrap.dedent(found[1])}\n```" if found else "It has no options of its own."


def folder(part: str) -> str:
    """The folder of a part: what another leaves behind must not show in it."""
    path = Path(WORK.name, part)
    path.mkdir(exist_ok=True)
    return str(path)


def output_of(*arguments: str, exit_code: int = 0) -> str:
    """What a command of ours prints, as a console block."""
    command = [sys.executable, "-m", "plant_aggregate.cli.start", *arguments]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode != exit_code:
        raise RuntimeError(f"{' '.join(arguments)}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def metrics() -> str:
    """The metrics of two runs, name by name."""
    file = Path(folder("metrics"), "metrics.prom")
    for _ in range(2):
        output_of("run", VOTES, *AI, *EXPERTS, "-q", "-o", f"{folder('metrics')}/consensus", "--metrics", str(file))
    return metrics_in(file)


def metrics_of_checks() -> str:
    """The metrics of a check of prediction sets, name by name."""
    checked_months()
    return metrics_in(Path(folder("months"), "sets.prom"))


@cache
def fitted_months() -> str:
    """What ``conformal fit`` says of a simulated month; the lists of the next are there for those that follow."""
    place = folder("months")
    for seed, month in enumerate(MONTHS):
        options = ["--scores", "--scale", "0.01", "--experts", "0.03", "--seed", str(seed)]
        output_of("simulate", f"{place}/{month}", *options)
    return in_console(output_of("conformal", "fit", *known_of(MONTHS[0]), "-o", f"{place}/sets.json"))


def predicted_months() -> str:
    """What ``conformal predict`` says of the next month."""
    fitted_months()
    place = folder("months")
    lists, *_ = known_of(MONTHS[1])
    options = ["--sets", f"{place}/sets.json", "--genus", "-q", "-o", f"{place}/sets.parquet"]
    return in_console(output_of("conformal", "predict", lists, *options))


@cache
def checked_months() -> str:
    """What ``conformal check`` says of the next month."""
    fitted_months()
    place = folder("months")
    options = ["--sets", f"{place}/sets.json", "--metrics", f"{place}/sets.prom"]
    return in_console(output_of("conformal", "check", *known_of(MONTHS[1]), *options))


def known_of(month: str) -> tuple[str, ...]:
    """The lists of a simulated month, and the option that names its experts' labels."""
    place = f"{folder('months')}/{month}"
    return f"{place}/scores.parquet", "--truth", f"{place}/truth.parquet"


def evaluated_months() -> str:
    """What ``conformal evaluate`` says of sets that were fitted on one simulated month, in the next."""
    fitted_months()
    place = folder("months")
    may, june = map(known_of, MONTHS)
    levels = [text for alpha in ("0.2", "0.1", "0.05") for text in ("--alpha", alpha)]
    output_of("conformal", "fit", *may, *levels, "-o", f"{place}/levels.json")
    return in_console(output_of("conformal", "evaluate", *june, "--sets", f"{place}/levels.json"))


def compared_on_a_month() -> str:
    """What ``compare-sets`` says of some methods on a simulated month."""
    fitted_months()
    counts = f"{folder('months')}/{MONTHS[0]}/training_counts.parquet"
    methods = ["softmax", "softmax/interp-q:tau=0.9", "pas", "softmax/classwise", "aps"]
    chosen = [text for method in methods for text in ("--method", method)]
    given = [*known_of(MONTHS[0]), "--counts", counts]
    return in_console(output_of("compare-sets", *given, *chosen, "--repeats", "10", "-q"))


def metrics_in(file: Path) -> str:
    """The metrics of a file, name by name."""
    lines = ["| metric | |", "|---|---|"]
    for line in file.read_text().splitlines():
        if line.startswith("# HELP "):
            _, _, name, meaning = line.split(" ", 3)
            lines.append(f"| `{name}` | {meaning} |")
    return "\n".join(lines)


def help_of(command: str) -> str:
    """What a command says of itself."""
    return f"```console\n{output_of(*command.split(), '--help')}```"


@cache
def run_on_samples() -> str:
    """The summary of the README's first command; what it published is there for those that follow to read."""
    return in_console(output_of("run", VOTES, "-q", "-o", f"{folder('run')}/consensus"))


def on_samples(command: str, *options: str) -> str:
    """What a command says of the consensus of the README's first command and the sample's experts."""
    run_on_samples()
    return in_console(output_of(command, f"{folder('run')}/consensus", *TRUTH, *options))


def training_on_samples() -> str:
    """What the training export says of the README's first command."""
    run_on_samples()
    output = f"{folder('training')}/training"
    return in_console(output_of("export", f"{folder('run')}/consensus", "training", "-q", "-o", output))


def subset_on_samples() -> str:
    """The summary of a subset of a third of the genera."""
    run_on_samples()
    options = ["--genera-share", "0.3", *TRUTH, "-q", "-o", f"{folder('subset')}/subset"]
    return in_console(output_of("subset", f"{folder('run')}/consensus", *options))


VOTES = "sample_votes/votes.parquet"
TRUTH = ["--truth", "sample_votes/truth.parquet"]
MONTHS = ("may", "june")
AI = ["--ai-votes", "sample_votes/ai_votes.parquet"]
EXPERTS = ["--experts", "sample_votes/truth.parquet"]


def run_with_ai() -> str:
    """The summary of a run in which the AI takes part, the night after one in which it did not."""
    output = ["-o", f"{folder('run with AI')}/consensus"]
    output_of("run", VOTES, "-q", *output)
    return in_console(output_of("run", VOTES, *AI, "-q", *output))


def runs_listed() -> str:
    """The list of a run, one that was published after it, and one that a guard held back."""
    output = ["-q", "-o", f"{folder('runs')}/consensus"]
    output_of("run", VOTES, *output)
    time.sleep(1)  # a second run of one second has a longer id
    output_of("run", VOTES, "--theta-acc", "0.75", *output)
    time.sleep(1)
    output_of("run", VOTES, *AI, "--max-label-changes", "0.02", *output, exit_code=3)
    return in_console(output_of("runs", *output))


def calibrated_ai() -> str:
    """What ``calibrate-ai`` says of the sample."""
    saved = ["-o", f"{folder('calibrate-ai')}/ai_calibration.json"]
    return in_console(output_of("calibrate-ai", AI[1], *TRUTH, "--votes", VOTES, *saved))


def compared_on_samples() -> str:
    """What ``compare`` says of the sample."""
    return in_console(output_of("compare", VOTES, *TRUTH, "-q"))


def ambiguity_on_samples() -> str:
    """The summary on scores that are made up of the sample's AI votes: each grows surer of its first label."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    votes = pq.read_table(ROOT / "sample_votes" / "ai_votes.parquet")
    first, score = votes["label"].to_pylist(), votes["score"].to_numpy()
    labels = [[label, "Acer campestre" if label != "Acer campestre" else "Acer opalus"] for label in first]
    tables = []
    for epoch in range(4):
        surer = score * (epoch + 1) / 4
        lists = pa.array([[a, b] for a, b in zip(surer, (1 - surer) / 2, strict=True)])
        columns = {"observation_id": votes["observation_id"], "epoch": [epoch] * votes.num_rows}
        tables.append(pa.table({**columns, "labels": labels, "probabilities": lists}))
    scores, output = (f"{folder('ambiguity')}/{name}.parquet" for name in ("scores", "ambiguity"))
    pq.write_table(pa.concat_tables(tables), scores)
    return in_console(output_of("ambiguity", VOTES, "--scores", scores, "-o", output, "--alpha", "0.05", "-q"))


def in_console(printed: str) -> str:
    """A console block, as if everything had happened in the current folder."""
    printed = re.sub(f"{re.escape(WORK.name)}/[^/]+/", "", without_sizes(printed))
    return f"```console\n{printed}```"


def without_sizes(printed: str) -> str:
    """A text without the size of what was written, which differs between versions of the libraries that write it."""
    return re.sub(r"^(written to .*\d+ files?) of [\d.,]+ \w?B$", r"\1", printed, flags=re.MULTILINE)


@cache
def zooniverse_export() -> Path:
    """The folder of the exports that the tutorial on Zooniverse begins with, and of what is made of them."""
    work = Path(folder("zooniverse"))
    subprocess.run([sys.executable, ROOT / "examples" / "zooniverse_export.py", work / "wildlife"], check=True)
    return work


@cache
def zooniverse_converted() -> str:
    """What ``convert`` says of the classification export."""
    work = zooniverse_export()
    options = ["--task", "T0", "--workflows", f"{work}/wildlife/workflows.csv", "-q", "-o", f"{work}/votes"]
    return in_console(output_of("convert", "zooniverse", f"{work}/wildlife/classifications.csv", *options))


def zooniverse_compared() -> str:
    """The first table of what ``compare`` says of its votes."""
    zooniverse_converted()
    files = [f"{zooniverse_export()}/votes/{name}.parquet" for name in ("votes", "truth")]
    options = ["--truth", files[1], "--strategies", "majority,plantnet,one-coin,dawid-skene", "-q"]
    first, *_ = output_of("compare", files[0], *options).split("\n\n")
    return in_console(f"{first}\n")


@cache
def zooniverse_run() -> str:
    """The summary of a run on these votes."""
    zooniverse_converted()
    work = zooniverse_export()
    options = ["--strategy", "one-coin", "-q", "-o", f"{work}/consensus"]
    return in_console(output_of("run", f"{work}/votes/votes.parquet", *options))


def zooniverse_evaluated() -> str:
    """The beginning of its evaluation."""
    zooniverse_run()
    work = zooniverse_export()
    shown = output_of("evaluate", f"{work}/consensus", "--truth", f"{work}/votes/truth.parquet", "-q")
    return in_console("\n".join(shown.splitlines()[:8]) + "\n")


def sample_rows() -> str:
    """Some rows of the consensus on sample_votes: a few of each status."""
    consensus = plant_aggregate.PlantNet().fit(plant_aggregate.read_votes(ROOT / "sample_votes" / "votes.parquet"))
    frame = consensus.to_pandas()
    disputed = frame[frame["n_labels"] > 1]
    picked = [
        frame[frame["status"] == "valid"].nlargest(1, "n_votes"),
        disputed[disputed["status"] == "valid"].nsmallest(1, "aum"),
        frame[frame["status"] == "needs_votes"].head(1),
        disputed[disputed["status"] == "contested"].nlargest(1, "n_votes"),
    ]
    lines = ["| " + " | ".join(f"`{name}`" for name in SHOWN) + " |", "|" + "---|" * len(SHOWN)]
    for rows in picked:
        for row in rows[SHOWN].itertuples(index=False):
            cells = ["" if cell is None or cell != cell else cell for cell in row]
            lines.append("| " + " | ".join(f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells) + " |")
    return "\n".join(lines)


def memory_account() -> str:
    """What is alive at the peak, a line an array."""
    from benchmarks.memory import ACCOUNT, PROGRAM, ROW_GROUP, WRITER

    lines = ["| bytes | for each | |", "|---:|---|---|"]
    lines += [f"| {item.bytes} | {item.per} | {item.what} |" for item in ACCOUNT]
    lines.append(
        f"| {WRITER} | of {ROW_GROUP:,} observations at a time | derived columns and digests, encoded and compressed |"
    )
    lines.append(f"| {PROGRAM >> 20} MiB | program | interpreter, libraries, compiled kernels |")
    return "\n".join(lines)


def measured_against_peers() -> str:
    """All contenders of the last comparison, in one table."""
    from benchmarks.results import load, overview

    return overview(load(MEASURED))


def measured_strategies() -> dict[str, Callable[[], str]]:
    """The tables of the last measurement of the strategies, each a part."""
    from benchmarks.strategy_results import TABLES, rendered

    results = json.loads(STRATEGIES_MEASURED.read_text(encoding="utf-8"))
    return {f"strategies {name}": partial(rendered, name, results) for name in TABLES}


def near_eight() -> str:
    """The function that the benchmark of experts' labels asks by, as a recipe."""
    from benchmarks.gold import near_eight as function

    return f"```python\nfrom typing import Any\n\nimport pandas as pd\n\n\n{inspect.getsource(function)}```"


def compared_with_experts() -> str:
    """What ``compare --experts`` says of the sample."""
    options = ["--experts", TRUTH[1], "--strategies", "plantnet,dawid-skene,majority", "-q"]
    return in_console(output_of("compare", VOTES, *options))


def measured_gold() -> dict[str, Callable[[], str]]:
    """The tables of the last measurement of experts' labels, each a part."""
    from benchmarks.gold_results import TABLES

    results = json.loads(GOLD_MEASURED.read_text(encoding="utf-8"))
    return {f"gold {name}": partial(table, results) for name, table in TABLES.items()}


def measured_confidence() -> dict[str, Callable[[], str]]:
    """The tables of the last measurement of confidence and probability, each a part."""
    from benchmarks.confidence import TABLES, rendered

    results = json.loads(CONFIDENCE_MEASURED.read_text(encoding="utf-8"))
    return {f"confidence {name}": partial(rendered, name, results) for name in TABLES}


def measured_fit_predict() -> dict[str, Callable[[], str]]:
    """The tables of the last measurement of fit_predict, each a part."""
    from benchmarks.fit_predict import TABLES

    results = json.loads(FIT_PREDICT_MEASURED.read_text(encoding="utf-8"))
    return {f"fit_predict {name}": partial(table, results) for name, table in TABLES.items()}


def measured_conformal() -> dict[str, Callable[[], str]]:
    """The tables of the last measurement of prediction sets, each a part."""
    from benchmarks.conformal import TABLES

    results = json.loads(CONFORMAL_MEASURED.read_text(encoding="utf-8"))
    return {f"conformal {name}": partial(table, results) for name, table in TABLES.items()}


def simulated_sets() -> dict[str, Callable[[], str]]:
    """The tables of the last simulation of prediction sets, each a part."""
    from benchmarks.conformal_study import TABLES

    results = json.loads(SIMULATED_SETS_MEASURED.read_text(encoding="utf-8"))
    return {f"simulated sets {name}": partial(table, results) for name, table in TABLES.items()}


def speed() -> str:
    """How long the job took on large logs, in a sentence: the median of the sessions."""
    from benchmarks.contenders import OURS
    from benchmarks.results import load

    seconds: dict[int, list[float]] = {}
    for session in load(MEASURED):
        for each in session.measurements:
            if each.contender == OURS and session.votes[each.log] >= MANY_VOTES:
                seconds.setdefault(session.votes[each.log], []).append(each.median("seconds"))
    (votes, took), *larger = [
        (f"{n / 1e6:.0f} million", f"{median(each):.0f} s") for n, each in sorted(seconds.items())
    ]
    rest = "".join(f", {votes} {took}" for votes, took in larger)
    return f"Everything is computed anew: {votes} votes take {took} on two cores{rest} ([more](docs/performance.md))."


PARTS: dict[str, Callable[[], str]] = {
    "run on sample_votes": run_on_samples,
    "sample rows": sample_rows,
    "evaluate on sample_votes": lambda: on_samples("evaluate", "--votes", VOTES, "-q"),
    "calibrate on sample_votes": lambda: on_samples("calibrate", "-o", f"{folder('calibrate')}/calibration.json"),
    "compare on sample_votes": compared_on_samples,
    "columns of runs": lambda: columns(schema.RUNS),
    "columns of evaluation": lambda: columns(schema.EVALUATION),
    "columns of calibration": lambda: columns(schema.CALIBRATION),
    "columns of AI calibration": lambda: columns(schema.AI_CALIBRATION),
    "columns of ambiguity counts": lambda: columns(schema.AMBIGUITY_COUNTS),
    "columns of paths": lambda: columns(schema.PATHS),
    "columns of settings": lambda: columns(schema.SHOWN_SETTINGS),
    "training on sample_votes": training_on_samples,
    "subset on sample_votes": subset_on_samples,
    "columns of training": lambda: columns(schema.TRAINING),
    "columns of populations": lambda: columns(schema.POPULATIONS),
    "columns of marginals": lambda: columns(schema.MARGINALS),
    "columns of comparison": lambda: columns(schema.COMPARISON),
    "columns of expert comparison": lambda: columns(schema.EXPERT_COMPARISON[:12]),
    "run with AI on sample_votes": run_with_ai,
    "calibrate-ai on sample_votes": calibrated_ai,
    "noisy labels": lambda: (MEASURED.parent / "noisy_labels.md").read_text(encoding="utf-8").strip(),
    "cost of AI votes": lambda: (MEASURED.parent / "ai_votes.md").read_text(encoding="utf-8").strip(),
    "columns of AI votes": lambda: columns(schema.AI_VOTES),
    "columns of AI findings": lambda: columns(schema.AI_FINDINGS),
    "columns of users and AI": lambda: columns(schema.USER_AI),
    "columns of votes": lambda: columns(schema.VOTES),
    "columns of consensus": lambda: columns(
        schema.CONSENSUS + schema.BY_EXPERT + schema.PROBABILITY + schema.SCORED + schema.DIGEST
    ),
    "columns of changes": lambda: columns(schema.CHANGES),
    "metrics": metrics,
    "metrics of checks": metrics_of_checks,
    "conformal fit on simulated months": fitted_months,
    "conformal predict on simulated months": predicted_months,
    "conformal check on simulated months": checked_months,
    "conformal evaluate on simulated months": evaluated_months,
    "compare-sets on a simulated month": compared_on_a_month,
    "measures of sets": lambda: columns(schema.SET_MEASURES + schema.TAXON_MEASURES).replace(
        "| column |", "| measure |"
    ),
    "columns of set evaluation": lambda: columns(schema.SET_EVALUATION),
    "columns of label coverage": lambda: columns(schema.LABEL_COVERAGE),
    "columns of set comparison": lambda: columns(schema.SET_COMPARISON[: -3 * len(schema.SET_MEASURES)]),
    "runs on sample_votes": runs_listed,
    "columns of users": lambda: columns(schema.USERS + schema.USER_AGREEMENT),
    "columns of truth": lambda: columns(schema.TRUTH),
    "measures": lambda: as_measures(schema.MEASURES),
    "columns of rejected": lambda: columns(schema.REJECTED),
    "columns of records among rejected": lambda: columns(schema.REJECTED_OF_FORMAT[len(schema.REJECTED) :]),
    "columns of user weights": lambda: columns(schema.USER_WEIGHTS),
    "keys of run.json": run_json,
    "columns of posteriors": lambda: columns(schema.POSTERIORS),
    "columns of prediction sets": lambda: columns(schema.PREDICTION_SETS),
    "columns of score lists": lambda: columns(schema.SCORE_LISTS),
    "columns of score rows": lambda: columns(schema.SCORE_ROWS),
    "columns of ambiguity": lambda: columns(schema.AMBIGUITY),
    "columns of recorded scores": lambda: columns(schema.RECORDED_SCORES),
    "ambiguity on sample_votes": ambiguity_on_samples,
    "strategies": strategies,
    "conformity scores": lambda: described(SCORES),
    "threshold rules": lambda: described(RULES),
    **measured_strategies(),
    **measured_confidence(),
    **measured_gold(),
    "recipe near eight": near_eight,
    "compare with experts on sample_votes": compared_with_experts,
    **measured_fit_predict(),
    **simulated_sets(),
    **measured_conformal(),
    "sets shown": set_examples.sets_shown,
    "common taxa measured": set_examples.taxa_measured,
    "answer of an app": set_examples.answer_shown,
    "columns of common taxa": lambda: columns(schema.COMMON_TAXA),
    "memory account": memory_account,
    "measured against peers": measured_against_peers,
    "speed": speed,
    **{f"names for {group}": partial(public_names.names_of, group) for group in public_names.GROUPS},
    "help": lambda: f"```console\n{output_of('--help')}```",
    "exports": exports,
    **{f"export to {name}": partial(exported, name) for name in EXPORTED},
    "convert darwin-core": converted_archive,
    **{f"convert {name}": partial(converted_example, name) for name in format_examples.EXAMPLES if name != "crowdswe"},
    "convert crowdswe": partial(tutorial, "convert"),
    **{f"tutorial {step}": partial(tutorial, step) for step in ("run", "export", "evaluate")},
    "formats": formats,
    "zooniverse convert": zooniverse_converted,
    "zooniverse compare": zooniverse_compared,
    "zooniverse run": zooniverse_run,
    "zooniverse evaluate": zooniverse_evaluated,
    **{f"example of {name}": partial(converted, name) for name in CONVERTED},
    **{f"options of {name}": partial(options_of_format, name) for name in FORMATS},
    "columns of rejected records": lambda: columns(schema.REJECTED_RECORDS),
    "columns of conversions": lambda: columns(schema.CONVERSION),
    "columns of cleaned labels": lambda: columns(schema.CLEANED_LABELS),
    **{f"cleaned {name}": partial(name_examples.table_of, name) for name in name_examples.EXAMPLES},
    "words of names": name_examples.words_of_rules,
    "file of synonyms": lambda: f"```csv\n{name_examples.SYNONYMS}```",
    **{f"help {name}": partial(help_of, name) for name in COMMANDS},
}


PICTURES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "overview.svg": picture.overview,
    ROOT / "docs" / "sets.svg": picture.sets,
}
"""Made whole, with the parts unless only some of these are named."""


def updated(page: str, parts: Collection[str]) -> str:
    """A page with its ``parts`` made anew; one that differs only in volatile numbers stays as it is."""

    def fill(match: re.Match[str]) -> str:
        name, old = match[1], match[2]
        if name not in parts:
            return match[0]
        new = PARTS[name]()
        same = VOLATILE.sub("", old.strip()) == VOLATILE.sub("", new.strip())
        return match[0] if same else f"<!-- begin {name} -->\n{new}\n<!-- end {name} -->"

    return re.sub(r"<!-- begin ([\w. -]+?) -->\n(.*?)<!-- end \1 -->", fill, page, flags=re.DOTALL)


def main() -> int:
    """Update the pages, or with --check report those that would change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to make [default: all]")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if a page would change")
    given = parser.parse_args()
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part is named {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    stale = []
    made = {path: partial(updated, path.read_text(encoding="utf-8"), given.parts or PARTS) for path in PAGES}
    sources = {path: partial(str, text) for path, text in docstrings.updated_sources()}
    for path, make in {**made, **({} if given.parts else {**PICTURES, **sources})}.items():
        new = make()
        if not path.exists() or new != path.read_text(encoding="utf-8"):
            stale.append(path.name)
            if not given.check:
                path.write_text(new, encoding="utf-8")
    if stale:
        print(("stale: " if given.check else "updated: ") + ", ".join(stale))
    return 1 if stale and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
