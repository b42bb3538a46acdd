"""What was measured, as JSON and as a Markdown table."""

import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import CONTENDERS, OURS
from benchmarks.processes import GIB, Run

HEADING = """\
| contender | runs | seconds (least to most) | times ours | processor seconds | peak GiB | times ours | labels |
|---|--:|--:|--:|--:|--:|--:|---|"""


@dataclass
class Measurement:
    """All runs of one contender on one log."""

    contender: str
    log: str
    runs: list[Run] = field(default_factory=list)
    labels: str = ""
    """How its labels compare with those of the first exact contender."""

    @property
    def ending(self) -> str:
        """Empty if all runs finished, else why the last did not."""
        return self.runs[-1].ending

    def median(self, quantity: str) -> float:
        """The median run's seconds, cpu_seconds or peak_memory."""
        return median(getattr(run, quantity) for run in self.runs)


@dataclass
class Session:
    """What was measured in turns on one machine; only within a session are times compared."""

    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    votes: dict[str, int] = field(default_factory=dict)
    """Number of rows of each log."""
    measurements: list[Measurement] = field(default_factory=list)

    @classmethod
    def begin(cls, packages: Iterable[str]) -> "Session":
        """A session of here and now."""
        versions = {package: version(package) for package in sorted(set(packages))}
        return cls(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", machine(), {"python": platform.python_version(), **versions}
        )


def machine() -> dict[str, Any]:
    """Cores, processor, memory and system of this machine."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": models[0].split(":", 1)[1].strip() if models else platform.machine(),
        "memory_gib": round(total_memory() / GIB, 1),
        "system": platform.platform(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def total_memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def save(sessions: list[Session], path: Path) -> None:
    """Write sessions as JSON."""
    path.write_text(json.dumps([asdict(session) for session in sessions], indent=2) + "\n")


def load(path: Path) -> list[Session]:
    """The sessions of a JSON file."""
    sessions = []
    for content in json.loads(path.read_text()):
        session = Session(**content)
        session.measurements = [
            Measurement(**{**each, "runs": [Run(**run) for run in each["runs"]]}) for each in content["measurements"]
        ]
        sessions.append(session)
    return sessions


def markdown(sessions: list[Session]) -> str:
    """All sessions, a table for each log of each."""
    return "\n".join(line for session in sessions for line in lines_of(session))


def lines_of(session: Session) -> Iterator[str]:
    """The heading of a session and its tables."""
    here = session.machine
    yield f"## {session.date}"
    yield ""
    yield f"{here['cores']} cores, {here['processor']}, {here['memory_gib']} GiB, load {here['load_at_start']} before;"
    yield f"{here['system']}; " + ", ".join(f"{package} {number}" for package, number in session.versions.items())
    for log, votes in sorted(session.votes.items(), key=lambda item: item[1]):
        yield from ["", f"### {log}: {votes:,} votes", ""]
        yield HEADING
        measured = [each for each in session.measurements if each.log == log]
        ours = next((each for each in measured if each.contender == OURS and not each.ending), None)
        yield from (row(each, ours) for each in measured)
    yield ""


def row(measurement: Measurement, ours: Measurement | None) -> str:
    """One contender's line of the table."""
    name = f"`{measurement.contender}`"
    if measurement.ending:
        return f"| {name} | | {measurement.ending} | | | | | |"
    seconds = sorted(run.seconds for run in measurement.runs)

    def times_ours(quantity: str) -> str:
        return f"{measurement.median(quantity) / ours.median(quantity):.2f}" if ours else ""

    cells = [
        name,
        str(len(seconds)),
        f"{median(seconds):.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f})",
        times_ours("seconds"),
        f"{measurement.median('cpu_seconds'):.2f}",
        f"{measurement.median('peak_memory') / GIB:.2f}",
        times_ours("peak_memory"),
        measurement.labels,
    ]
    return f"| {' | '.join(cells)} |"


def overview(sessions: list[Session]) -> str:
    """One table of all sessions: each contender on each log, beside ours of the same session."""
    lines = [
        "| votes | contender | runs | seconds | ours beside it | times ours | peak GiB | times ours | labels |",
        "|--:|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    rows = []
    for session in sessions:
        for log, votes in session.votes.items():
            measured = {each.contender: each for each in session.measurements if each.log == log and not each.ending}
            ours = measured.pop(OURS)
            rows += [(votes, *_beside(each, ours)) for each in measured.values() or [ours]]
    for votes, *cells in sorted(rows, key=lambda row: row[0]):
        lines.append(f"| {votes:,} | {' | '.join(cells)} |")
    return "\n".join([*_machines(sessions), "", *lines])


def _beside(each: Measurement, ours: Measurement) -> tuple[str, ...]:
    seconds, peak = each.median("seconds"), each.median("peak_memory") / GIB
    own_seconds, own_peak = ours.median("seconds"), ours.median("peak_memory") / GIB
    return (
        f"`{each.contender}`",
        str(len(each.runs)),
        f"{seconds:.2f}",
        f"{own_seconds:.2f}",
        f"{seconds / own_seconds:.2f}",
        f"{peak:.2f}",
        f"{peak / own_peak:.2f}",
        each.labels,
    )


def _machines(sessions: list[Session]) -> Iterator[str]:
    """The machines, days and versions of the sessions, a line for each combination."""
    versions: dict[tuple[str, str], dict[str, str]] = {}
    for session in sessions:
        here = session.machine
        machine = f"{here['cores']} cores, {here['processor']}, {here['memory_gib']} GiB"
        versions.setdefault((session.date.split()[0], machine), {}).update(session.versions)
    for (day, machine), numbers in versions.items():
        yield f"{day}, {machine}; " + ", ".join(f"{name} {number}" for name, number in sorted(numbers.items())) + "."


def packages_of(names: Iterable[str]) -> set[str]:
    """The packages that contenders come from."""
    return {CONTENDERS[name].package for name in names}
