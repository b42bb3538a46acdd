"""plant-aggregate against the same algorithm in DuckDB and Polars, and against two packages of the field.

    python -m benchmarks.against_peers --scales 0.01 0.1 1 --repeat 5 --output results
    python -m benchmarks.against_peers --scales 11 --contenders plant-aggregate --output large
    python -m benchmarks.against_peers --merge results/against_peers.json large/against_peers.json --output all

Every contender runs as a whole process from the log to a table of labels, in turns with the others, so that what
else happens on the machine happens to all. Writes ``against_peers.json``, ``.md`` and ``.svg`` into the output folder.
The exit code is 1 if an exact contender failed or its labels differ.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.results import Measurement, Session, load, markdown, packages_of, save, total_memory
from benchmarks.simulated_logs import LOGS, simulated


def main() -> None:
    """Measure or merge, then write."""
    options = parsed()
    if options.merge:
        sessions = [session for path in options.merge for session in load(path)]
        faults = []
    else:
        session, faults = measure(options)
        sessions = [session]
    options.output.mkdir(parents=True, exist_ok=True)
    save(sessions, options.output / "against_peers.json")
    text = markdown(sessions)
    (options.output / "against_peers.md").write_text(text)
    print(text)
    from benchmarks.plot import draw

    draw(sessions, options.output / "against_peers.svg")
    sys.exit("\n".join(faults) or None)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compare plant-aggregate with its peers.")
    parser.add_argument("--scales", type=float, nargs="*", default=[], help="simulated logs; 1 is 9 million votes")
    parser.add_argument("--votes", type=Path, nargs="*", default=[], help="further logs, Parquet files")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each contender on each log (default 5)")
    parser.add_argument("--time-limit", type=float, default=600, help="seconds of one run (default 600)")
    parser.add_argument("--memory-limit", type=float, default=0.75 * total_memory() / GIB, help="GiB of one run")
    parser.add_argument("--merge", type=Path, nargs="+", help="measure nothing: put results of earlier calls together")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> tuple[Session, list[str]]:
    """All contenders that are installed on all logs, and what is wrong with the exact ones."""
    LOGS.mkdir(exist_ok=True)
    missing = [name for name in options.contenders if not CONTENDERS[name].is_installed]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}", file=sys.stderr)
    names = [name for name in options.contenders if name not in missing]
    logs = {f"scale {scale:g}": simulated(scale, "int") for scale in options.scales}
    logs |= {path.name: path for path in options.votes}
    limits = Limits(options.time_limit, options.memory_limit * GIB)
    session = Session.begin(packages_of(names))
    with tempfile.TemporaryDirectory(dir=LOGS) as outputs:
        race = Race(session, [CONTENDERS[name] for name in names], limits, Path(outputs))
        race.warm_up()
        for log, votes in sorted(logs.items(), key=lambda item: item[1].stat().st_size):
            race.run(log, votes, options.repeat)
        return session, race.faults(logs)


class Race:
    """Contenders taking turns."""

    def __init__(self, session: Session, contenders: list[Contender], limits: Limits, outputs: Path) -> None:
        self.session = session
        self.contenders = contenders
        self.limits = limits
        self.outputs = outputs

    def warm_up(self) -> None:
        """One run of each that does not count: brings libraries into the file cache, compiles and keeps kernels."""
        votes = simulated(0.0005, "int")
        for contender in self.contenders:
            run_measured(contender.command(votes, self.folder("warm-up", contender)), self.limits)

    def run(self, log: str, votes: Path, repeat: int) -> None:
        """Each contender ``repeat`` times, in turns; one that does not finish is left out, for larger logs too."""
        read_through(votes)
        measured = {contender.name: Measurement(contender.name, log) for contender in self.contenders}
        self.session.measurements += measured.values()
        for _ in range(repeat):
            for contender in list(self.contenders):
                run = run_measured(contender.command(votes, self.folder(log, contender)), self.limits)
                print(f"{log:<16}{contender.name:<20}{run.seconds:8.2f} s  {run.ending}", file=sys.stderr, flush=True)
                measured[contender.name].runs.append(run)
                if run.ending:
                    self.contenders.remove(contender)

    def faults(self, logs: dict[str, Path]) -> list[str]:
        """Compare the labels of exact contenders, and count the votes of logs; returns what is wrong."""
        import pyarrow.parquet as pq

        from benchmarks.agreement import difference

        self.session.votes = {log: pq.read_metadata(votes).num_rows for log, votes in logs.items()}
        faults = []
        expected: dict[str, Path] = {}
        for each in self.session.measurements:
            contender = CONTENDERS[each.contender]
            if each.ending.startswith("failed") and contender.exact:
                faults.append(f"{each.contender} on {each.log} {each.ending}")
            if each.ending:
                continue
            table = contender.output(self.folder(each.log, contender))
            differs = difference(expected.setdefault(each.log, table), table) if contender.exact else ""
            each.labels = ("differ" if differs else "same") if contender.exact else "another definition"
            if differs:
                faults.append(f"{each.contender} on {each.log} differs: {differs}")
        return faults

    def folder(self, log: str, contender: Contender) -> Path:
        """Where a contender puts its table of a log."""
        folder = self.outputs / log / contender.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def read_through(path: Path) -> None:
    """Bring a file into the file cache."""
    with path.open("rb") as file:
        while file.read(2**24):
            pass


if __name__ == "__main__":
    main()
