"""Prediction sets against MAPIE, crepes and puncc in memory, and at scale through the command line.

    python -m benchmarks.conformal peers
    python -m benchmarks.conformal scale

``peers`` gives the same lists to all: as lists, of which the others make a matrix of observations times labels, and as
that matrix, of which ours makes lists. Each contender is a process of its own, which has loaded or compiled what it
needs before its time begins; they take turns, and have two minutes and 8 GiB. Their sets must be the same.

``scale`` fits on 200,000 rows and predicts a million, of 100 labels each out of 50,000, from Parquet to Parquet, as
whole processes. The files are made first, a row group at a time, and kept in ``benchmarks/logs/``.

Each replaces its part of docs/measured/conformal.json, from which ``docs/update.py`` fills docs/conformal.md, and
prints it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.processes import GIB, Limits, Run, run_measured
from benchmarks.results import Session
from benchmarks.simulated_logs import LOGS, PLANT_AGGREGATE
from benchmarks.strategy_results import row, session_line, table

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.score_lists import Lists

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "measured" / "conformal.json"
OURS = "plant-aggregate"
LENGTH, ALPHA = 100, "0.1"
LIMITS = Limits(seconds=120, memory=8 * GIB)

SIZES = ((1_000, 100), (2_000, 1_000), (10_000, 1_000), (20_000, 1_000), (10_000, 10_000), (10_000, 50_000))
"""Calibration rows, as many new ones, and labels."""

METHODS = (
    "softmax/standard",
    "pas/standard",
    "softmax/interp-q",
    "softmax/classwise",
    "softmax/clustered",
    "softmax/fuzzy",
)
MANY = 50_000
"""Labels of ``scale``."""
READING = "(reading the file alone)"
STEPS = ("fit", "predict")
FEW = 2_000

MOST_TURNS, ENOUGH = 5, 20.0
"""Turns of a contender, of which none begins after so many seconds."""


def main() -> None:
    """Parse, measure, write, print."""
    if sys.argv[1:2] in (["--one"], ["--make"], ["--read"]):
        {"--one": measure_one, "--make": make_files, "--read": read_alone}[sys.argv[1]](*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description="Prediction sets against peers, and at scale.")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file (default docs/measured)")
    parser.add_argument("--sizes", nargs="+", metavar="ROWS,LABELS", help="of peers (default all)")
    parser.add_argument("--rows", type=int, nargs=2, default=[200_000, 1_000_000], help="of scale: to fit, to predict")
    parser.add_argument("--repeat", type=int, default=3, help="turns of scale (default 3)")
    options = parser.parse_args()
    LOGS.mkdir(exist_ok=True)
    results = json.loads(options.output.read_text()) if options.output.exists() else {}
    results[options.part] = PARTS[options.part](options)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    for name, part in TABLES.items():
        if name.startswith(options.part):
            print(f"\n### {name}\n\n{part(results)}")


def against_peers(options: argparse.Namespace) -> dict[str, Any]:
    """All contenders on all sizes."""
    sizes = [tuple(map(int, size.split(","))) for size in options.sizes] if options.sizes else SIZES
    session = Session.begin(["mapie", "crepes", "puncc", "scikit-learn", "numba", "numpy"])
    here = {"date": session.date, "machine": session.machine, "versions": session.versions}
    return {**here, "measured": [found for size in sizes for found in on_one_size(*size)]}


def on_one_size(rows: int, labels: int) -> list[dict[str, Any]]:
    """The contenders on one size, in turns."""
    size = {"rows": rows, "labels": labels}
    found = {contender: {"contender": contender, **size, "ending": "", "runs": []} for contender in CONTENDERS}
    with tempfile.TemporaryDirectory(dir=LOGS) as name:
        for turn in range(MOST_TURNS):
            for contender, one in found.items():
                if turn and (one["ending"] or sum(run["whole"] for run in one["runs"]) > ENOUGH):
                    continue
                output = Path(name, f"{contender}.json")
                command = [sys.executable, "-W", "ignore", "-m", "benchmarks.conformal", "--one"]
                run = run_measured([*command, contender, str(rows), str(labels), str(output)], LIMITS)
                one["ending"] = run.ending
                shown = run.ending
                if not run.ending:
                    one["runs"].append({"whole": run.seconds, **json.loads(output.read_text())})
                    shown = one["runs"][-1]
                print(f"{rows:,} rows, {labels:,} labels, {contender}: {shown}", file=sys.stderr, flush=True)
    digests = {run["digest"] for one in found.values() for run in one["runs"]}
    if len(digests) > 1:
        raise SystemExit(f"{rows:,} rows, {labels:,} labels: the sets differ: {found}")
    return list(found.values())


def measure_one(contender: str, rows: str, labels: str, output: str) -> None:
    """Make the inputs, warm up on some, and measure; called as a process of its own."""
    from benchmarks.score_lists import made_lists

    n_labels = int(labels)
    sides = [made_lists(int(rows), min(LENGTH, n_labels), n_labels, seed) for seed in (1, 2)]
    few = [made_lists(200, min(LENGTH, n_labels), n_labels, seed) for seed in (3, 4)]
    CONTENDERS[contender](*few, n_labels)
    found = CONTENDERS[contender](*sides, n_labels)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    made = {"seconds": found.seconds, "peak": int(peak.split()[1]) * 1024, "digest": digest(found.rows, found.labels)}
    Path(output).write_text(json.dumps(made))


class Measured(NamedTuple):
    """Seconds by what a side begins with, and the members of all sets."""

    seconds: dict[str, float]
    rows: "np.ndarray"
    labels: "np.ndarray"


def digest(rows: "np.ndarray", labels: "np.ndarray") -> str:
    """Of the members of all sets, in any order."""
    import hashlib

    import numpy as np

    order = np.lexsort((labels, rows))
    return hashlib.sha256(np.stack([rows[order], labels[order]]).astype(np.int64).tobytes()).hexdigest()[:12]


def ours(begins_with: str) -> Callable[["Lists", "Lists", int], Measured]:
    """From lists, or from a matrix."""

    def side(calibration: "Lists", new: "Lists", n_labels: int) -> Measured:
        import numpy as np
        import pyarrow as pa

        from plant_aggregate import scores_from_matrix
        from plant_aggregate.assessment.conformal.label_space import LabelSpace
        from plant_aggregate.assessment.conformal.predictor import calibration_of, fit_predictor
        from plant_aggregate.assessment.conformal.registry import RULES, SCORES
        from plant_aggregate.classifier_scores import ClassifierScores

        def lists_of(lists: "Lists") -> ClassifierScores:
            n, length = lists.labels.shape
            return ClassifierScores(np.arange(n + 1) * length, lists.labels.ravel(), lists.probabilities.ravel())

        space, score, rule = LabelSpace(pa.array(np.arange(n_labels))), SCORES["softmax"](), RULES["standard"]()
        made: Any = lists_of if begins_with == "lists" else (lambda lists: matrix_of(lists, n_labels))
        given = [made(lists) for lists in (calibration, new)]
        begun = time.perf_counter()
        if begins_with == "matrix":
            given = [scores_from_matrix(matrix, top=LENGTH).lists for matrix in given]
        rows = calibration_of(score, space, given[0], calibration.truth)
        sets = fit_predictor(score, rule, rows, [ALPHA]).predict(given[1], ALPHA)
        seconds = {begins_with: time.perf_counter() - begun}
        return Measured(seconds, np.repeat(np.arange(len(sets)), np.diff(sets.offsets)), sets.labels)

    return side


def matrix_of(lists: "Lists", n_labels: int) -> "np.ndarray":
    """The lists as float64[n, K]."""
    import numpy as np

    matrix = np.zeros((lists.truth.size, n_labels))
    np.put_along_axis(matrix, lists.labels.astype(np.int64), lists.probabilities, axis=1)
    return matrix


def another(function: str, level: float) -> Callable[["Lists", "Lists", int], Measured]:
    """From the lists, of which matrices are made, and from these. ``function``: that of ``set_peers``."""

    def side(calibration: "Lists", new: "Lists", n_labels: int) -> Measured:
        from benchmarks import set_peers

        begun = time.perf_counter()
        matrices = [matrix_of(lists, n_labels) for lists in (calibration, new)]
        made = time.perf_counter()
        sets = getattr(set_peers, function)(matrices[0], calibration.truth, matrices[1], level)
        done = time.perf_counter()
        return Measured({"lists": done - begun, "matrix": done - made}, *sets.nonzero())

    return side


CONTENDERS: dict[str, Callable[["Lists", "Lists", int], Measured]] = {
    f"{OURS}, lists": ours("lists"),
    f"{OURS}, matrix": ours("matrix"),
    "MAPIE": another("mapie_sets", 0.9),
    "crepes": another("crepes_sets", 0.9),
    "puncc": another("puncc_sets", 0.1),
}


def seconds_of(one: dict[str, Any], begins_with: str) -> float | None:
    """The median run, if there is one."""
    found = [run["seconds"][begins_with] for run in one["runs"] if begins_with in run["seconds"]]
    return median(found) if found and not one["ending"] else None


def peers_table(results: dict[str, Any]) -> str:
    """Seconds of each, how many times ours, and peak memory."""
    measured = results["peers"]["measured"]
    lines = table("rows", "labels", "from", f"`{OURS}`", *PEERS)
    for rows, labels in dict.fromkeys((one["rows"], one["labels"]) for one in measured):
        found = {one["contender"]: one for one in measured if (one["rows"], one["labels"]) == (rows, labels)}
        for begins_with in ("lists", "matrix"):
            sides = [found[name] for name in (f"{OURS}, {begins_with}", *PEERS)]
            own = seconds_of(sides[0], begins_with)
            cells = (cell(one, seconds_of(one, begins_with), own) for one in sides)
            lines.append(row(f"2 × {rows:,}", f"{labels:,}", begins_with, *cells))
    return "\n".join(lines)


def cell(one: dict[str, Any], seconds: float | None, own: float | None) -> str:
    """One side's figures."""
    if seconds is None:
        return str(one["ending"])
    number, unit = (seconds, "s") if seconds >= 1 else (1000 * seconds, "ms")
    shown = f"{number:,.{1 if number < 10 else 0}f} {unit}"
    times = f" (× {seconds / own:,.{1 if seconds < 10 * own else 0}f})" if own and one["contender"] in PEERS else ""
    return f"{shown}{times}, {max(run['peak'] for run in one['runs']) / GIB:.1f} GiB"


def at_scale(options: argparse.Namespace) -> dict[str, Any]:
    """Fit and predict through the command line, method by method, and how long it takes to read the file alone."""
    fitted_on, new = (score_files(rows, seed) for seed, rows in enumerate(options.rows))
    session = Session.begin(["numba", "numpy", "pyarrow"])
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(dir=LOGS) as name:
        model, sets = f"{name}/sets.json", f"{name}/sets.parquet"
        few = score_files(FEW, 2)
        for _ in range(options.repeat + 1):
            for method in METHODS:
                score, rule = method.split("/")
                chosen = ["--truth", str(fitted_on / "truth.parquet"), "--score", score, "--threshold", rule]
                fit = [
                    *PLANT_AGGREGATE,
                    "conformal",
                    "fit",
                    str(fitted_on / "scores.parquet"),
                    *chosen,
                    "-o",
                    model,
                    "-q",
                ]
                rows = (few if method not in runs else new) / "scores.parquet"  # the first turn compiles
                predict = [*PLANT_AGGREGATE, "conformal", "predict", str(rows), "--sets", model, "-o", sets, "-q"]
                took = {"fit": finished(fit), "predict": finished(predict)}
                shown = {step: (round(run.seconds, 2), round(run.peak_memory / GIB, 2)) for step, run in took.items()}
                print(f"{method}: {shown}", file=sys.stderr, flush=True)
                found = runs.setdefault(method, [])
                if rows.parent == new:
                    made = {step: asdict(run) for step, run in took.items()}
                    found.append({**made, "bytes": Path(sets).stat().st_size})
            read = [sys.executable, "-m", "benchmarks.conformal", "--read", str(new / "scores.parquet")]
            runs.setdefault(READING, []).append({"predict": asdict(finished(read))})
    size = {"rows": options.rows, "labels": MANY, "length": LENGTH, "bytes": (new / "scores.parquet").stat().st_size}
    here = {"date": session.date, "machine": session.machine, "versions": session.versions}
    return {**here, **size, "measured": runs}


def finished(command: list[str]) -> Run:
    """A command as a whole process. Ends this one if it fails."""
    run = run_measured(command, Limits(seconds=600, memory=8 * GIB))
    if run.ending:
        raise SystemExit(f"{' '.join(command)}: {run.ending}")
    return run


def score_files(rows: int, seed: int) -> Path:
    """A folder with made-up scores and their true labels, made by a process of its own if it is not there."""
    folder = LOGS / f"score-lists-{rows}-{LENGTH}-{MANY}-{seed}"
    if not (folder / "truth.parquet").exists():
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.conformal", "--make", str(folder), str(rows), str(seed)]
        subprocess.run(command, check=True)
    return folder


def make_files(folder: str, rows: str, seed: str) -> None:
    """Write scores and truth."""
    from benchmarks.score_lists import write_lists

    files = Path(folder, "scores.parquet"), Path(folder, "truth.parquet")
    write_lists(*files, int(rows), LENGTH, MANY, int(seed))


def read_alone(path: str) -> None:
    """Decode the lists a row group at a time, labels as codes, and do nothing with them."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, read_dictionary=["labels.list.element"]) as file:
        for _ in file.iter_batches(batch_size=20_000, use_threads=True):
            pass


def scale_table(results: dict[str, Any]) -> str:
    """Seconds, those of processors in brackets, and memory of each method."""
    lines = table("score / threshold", "fit", "predict", "both", "peak GiB", "sets, MB")
    for method, runs in results["scale"]["measured"].items():
        cells = []
        for steps in (["fit"], ["predict"], ["fit", "predict"]):
            known = all(step in runs[0] for step in steps)
            wall, cpu = (
                median(sum(run[step][name] for step in steps) for run in runs) if known else 0
                for name in ("seconds", "cpu_seconds")
            )
            cells.append(f"{wall:.1f} s ({cpu:.1f})" if known else "")
        peak = max(run[step]["peak_memory"] for run in runs for step in run if step in STEPS) / GIB
        size = f"{runs[0]['bytes'] / 1e6:,.0f}" if "bytes" in runs[0] else ""
        lines.append(row(method if method == READING else f"`{method}`", *cells, f"{peak:.2f}", size))
    return "\n".join(lines)


def session_of(part: str) -> Callable[[dict[str, Any]], str]:
    """The date, machine and versions of a part."""
    return lambda results: session_line(results[part])


PEERS = ("MAPIE", "crepes", "puncc")
PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"peers": against_peers, "scale": at_scale}
TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "peers": peers_table,
    "peers session": session_of("peers"),
    "scale": scale_table,
    "scale session": session_of("scale"),
}
"""Each part of docs/conformal.md that is made from the results, by name."""


if __name__ == "__main__":
    main()
