"""Fill the parts of README.md and docs/ that are made from the program; with ``--check``, only compare.

A part stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``. Numbers that differ from run to run (seconds,
run ids) are not compared.
"""

import dataclasses
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import aggregate
from aggregate import schema
from aggregate.strategies.plantnet import PlantNet
from aggregate.strategies.registry import STRATEGIES
from aggregate_cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
MEASURED = ROOT / "docs" / "measured" / "against_peers.json"
STRATEGIES_MEASURED = ROOT / "docs" / "measured" / "strategies.json"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VOLATILE = re.compile(r"\b\d+\.\d+ s\b|\b\d{8}T\d{6}Z\b")
WORK = tempfile.TemporaryDirectory()
"""Where commands write; it goes when this program ends."""
LISTS = {"labels": "list of strings or integers", "shares": "list of floats"}
"""Types in words, as far as they are not Arrow's."""
SHOWN = ["observation_id", "label", "status", "confidence", "agreement", "aum", "n_votes", "runner_up"]

SHORTLIST = "majority,two-thirds,wawa,dawid-skene,glad,plantnet"
"""Strategies that the README shows."""


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


def strategies() -> str:
    """A section per strategy from its docstring, and its parameters."""
    sections = []
    for name, strategy in STRATEGIES.items():
        if name == PlantNet.name:
            continue
        text = inspect.cleandoc(strategy.__doc__ or "").split(">>>")[0].rstrip()
        shown = [
            f"`--{item.name.replace('_', '-')}` {item.default:.4g}"
            for item in dataclasses.fields(strategy)
            if item.default is not None
        ]
        sections.append(f"## {name}\n\n{text}\n\nDefaults: {', '.join(shown)}.")
    return "\n\n".join(sections)


def output_of(*arguments: str) -> str:
    """What a command of ours prints, as a console block."""
    command = [sys.executable, "-m", "aggregate_cli.main", *arguments]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def metrics() -> str:
    """The metrics of two runs, name by name."""
    file = Path(WORK.name) / "metrics.prom"
    for _ in range(2):
        output_of("run", "sample_votes/votes.parquet", *AI, "-q", "-o", f"{WORK.name}/nights", "--metrics", str(file))
    lines = ["| metric | |", "|---|---|"]
    for line in file.read_text().splitlines():
        if line.startswith("# HELP "):
            _, _, name, meaning = line.split(" ", 3)
            lines.append(f"| `{name}` | {meaning} |")
    return "\n".join(lines)


def help_of(command: str) -> str:
    """What a command says of itself."""
    return f"```console\n{output_of(command, '--help')}```"


@cache
def run_on_samples() -> str:
    """The summary of the README's first command; its output stays for those that follow."""
    return in_console(output_of("run", "sample_votes/votes.parquet", "-q", "-o", f"{WORK.name}/consensus"))


def on_samples(command: str, *options: str) -> str:
    """What a command says of the consensus of the README's first command and the sample's experts."""
    run_on_samples()
    return in_console(output_of(command, f"{WORK.name}/consensus", "--truth", "sample_votes/truth.parquet", *options))


AI = ["--ai-votes", "sample_votes/ai_votes.parquet"]


def run_with_ai() -> str:
    """The summary of a run in which the AI takes part."""
    return in_console(output_of("run", "sample_votes/votes.parquet", *AI, "-q", "-o", f"{WORK.name}/consensus"))


def calibrated_ai() -> str:
    """What ``calibrate-ai`` says of the sample."""
    experts = ["--truth", "sample_votes/truth.parquet", "--votes", "sample_votes/votes.parquet"]
    saved = ["-o", f"{WORK.name}/ai_calibration.json"]
    return in_console(output_of("calibrate-ai", "sample_votes/ai_votes.parquet", *experts, *saved))


def compared_on_samples(*options: str) -> str:
    """What ``compare`` says of the sample."""
    return in_console(
        output_of("compare", "sample_votes/votes.parquet", "--truth", "sample_votes/truth.parquet", "-q", *options)
    )


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
    pq.write_table(pa.concat_tables(tables), f"{WORK.name}/scores.parquet")
    output = ["-o", f"{WORK.name}/ambiguity.parquet"]
    command = ["ambiguity", "sample_votes/votes.parquet", "--scores", f"{WORK.name}/scores.parquet"]
    return in_console(output_of(*command, *output, "--alpha", "0.05", "-q"))


def in_console(printed: str) -> str:
    """A console block, as if everything had happened in the current folder."""
    return f"```console\n{printed.replace(f'{WORK.name}/', '')}```"


def sample_rows() -> str:
    """Some rows of the consensus on sample_votes: a few of each status."""
    consensus = aggregate.PlantNet().fit(aggregate.read_votes(ROOT / "sample_votes" / "votes.parquet"))
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
    from memory import ACCOUNT, PROGRAM, ROW_GROUP, WRITER

    lines = ["| bytes | for each | |", "|---:|---|---|"]
    lines += [f"| {item.bytes} | {item.per} | {item.what} |" for item in ACCOUNT]
    lines.append(
        f"| {WRITER} | of {ROW_GROUP:,} observations at a time | derived columns and digests, encoded and compressed |"
    )
    lines.append(f"| {PROGRAM >> 20} MiB | program | interpreter, libraries, compiled kernels |")
    return "\n".join(lines)


def measured_against_peers() -> str:
    """The tables of the last comparison, under the page's own headings."""
    from results import load, markdown

    return re.sub("^##", "###", markdown(load(MEASURED)).strip(), flags=re.MULTILINE)


def measured_strategies() -> dict[str, Callable[[], str]]:
    """The tables of the last measurement of the strategies, each a part."""
    from strategy_results import TABLES, rendered

    results = json.loads(STRATEGIES_MEASURED.read_text(encoding="utf-8"))
    return {f"strategies {name}": partial(rendered, name, results) for name in TABLES}


def headline() -> str:
    """Each contender on 9 million votes, beside ours of the same session."""
    from contenders import OURS
    from processes import GIB
    from results import load

    lines = ["| | seconds | ours beside it | times ours | peak GiB |", "|---|---:|---:|---:|---:|"]
    for session in load(MEASURED):
        on_log = {each.contender: each for each in session.measurements if each.log == "scale 1" and not each.ending}
        for name, each in on_log.items():
            if name != OURS:
                seconds, ours = each.median("seconds"), on_log[OURS].median("seconds")
                peak = each.median("peak_memory") / GIB
                lines.append(f"| `{name}` | {seconds:.1f} | {ours:.1f} | {seconds / ours:.1f} | {peak:.2f} |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {
    "run on sample_votes": run_on_samples,
    "sample rows": sample_rows,
    "evaluate on sample_votes": lambda: on_samples("evaluate", "--votes", "sample_votes/votes.parquet", "-q"),
    "calibrate on sample_votes": lambda: on_samples("calibrate", "-o", f"{WORK.name}/calibration.json"),
    "evaluate in short": lambda: on_samples("evaluate", "--worst", "3"),
    "compare on sample_votes": compared_on_samples,
    "compare in short": lambda: compared_on_samples("--strategies", SHORTLIST),
    "columns of comparison": lambda: columns(schema.COMPARISON),
    "run with AI on sample_votes": run_with_ai,
    "calibrate-ai on sample_votes": calibrated_ai,
    "cost of AI votes": lambda: (MEASURED.parent / "ai_votes.md").read_text(encoding="utf-8").strip(),
    "columns of AI votes": lambda: columns(schema.AI_VOTES),
    "columns of AI findings": lambda: columns(schema.AI_FINDINGS),
    "columns of users and AI": lambda: columns(schema.USER_AI),
    "columns of votes": lambda: columns(schema.VOTES),
    "columns of consensus": lambda: columns(schema.CONSENSUS + schema.PROBABILITY + schema.SCORED + schema.DIGEST),
    "columns of changes": lambda: columns(schema.CHANGES),
    "metrics": metrics,
    "columns of users": lambda: columns(schema.USERS + schema.USER_AGREEMENT),
    "columns of truth": lambda: columns(schema.TRUTH),
    "measures": lambda: columns(schema.MEASURES).replace("| column |", "| measure |"),
    "columns of rejected": lambda: columns(schema.REJECTED),
    "columns of user weights": lambda: columns(schema.USER_WEIGHTS),
    "columns of posteriors": lambda: columns(schema.POSTERIORS),
    "columns of score lists": lambda: columns(schema.SCORE_LISTS),
    "columns of score rows": lambda: columns(schema.SCORE_ROWS),
    "columns of ambiguity": lambda: columns(schema.AMBIGUITY),
    "ambiguity on sample_votes": ambiguity_on_samples,
    "strategies": strategies,
    **measured_strategies(),
    "memory account": memory_account,
    "measured against peers": measured_against_peers,
    "peers on 9 million votes": headline,
    "help": lambda: f"```console\n{output_of('--help')}```",
    **{f"help {name}": partial(help_of, name) for name in COMMANDS},
}


def updated(page: str) -> str:
    """A page with its parts made anew; a part that differs only in volatile numbers stays as it is."""

    def fill(match: re.Match[str]) -> str:
        name, old = match[1], match[2]
        new = PARTS[name]()
        same = VOLATILE.sub("", old.strip()) == VOLATILE.sub("", new.strip())
        return match[0] if same else f"<!-- begin {name} -->\n{new}\n<!-- end {name} -->"

    return re.sub(r"<!-- begin ([\w -]+?) -->\n(.*?)<!-- end \1 -->", fill, page, flags=re.DOTALL)


def main() -> int:
    """Update the pages, or with --check report those that would change."""
    stale = []
    for path in PAGES:
        old = path.read_text(encoding="utf-8")
        new = updated(old)
        if new != old:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(new, encoding="utf-8")
    if stale:
        print(("stale: " if "--check" in sys.argv else "updated: ") + ", ".join(stale))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
