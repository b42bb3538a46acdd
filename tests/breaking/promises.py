"""What an output folder promises, whoever was killed while writing into it."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from plant_aggregate.publishing.stores.run_ids import age_key, in_order, is_run_id
from tests.records import record_of

MAY_STAY = {".lock"}
"""What is hidden in an output folder also when nobody writes."""


@dataclass
class Watch:
    """Looks at an output folder after every command, and remembers which runs ``latest`` has named."""

    output: Path
    seen: set[str] = field(default_factory=set)

    def broken(self) -> list[str]:
        """The promises that do not hold at this moment; they must at any, also just after a kill."""
        found = [fault for parent in ("runs", "held") for fault in _incomplete(self.output / parent)]
        latest = latest_of(self.output)
        if latest is None:
            return [*found, "latest has gone"] if self.seen else found
        if not is_run_id(latest) or os.readlink(self.output / "latest") != f"runs/{latest}":
            found.append(f"latest is {os.readlink(self.output / 'latest')}")
        if latest not in runs_in(self.output / "runs"):
            found.append(f"latest names {latest}, which is not there")
        self.seen.add(latest)
        return found

    def broken_after_a_run(self, known_before: set[str]) -> list[str]:
        """The promises that do not hold after a run that nobody disturbed; ``known_before``: runs and held ones."""
        found = self.broken()
        runs, held, latest = runs_in(self.output / "runs"), runs_in(self.output / "held"), latest_of(self.output)
        later = [run_id for run_id in known_before if latest is None or age_key(run_id) >= age_key(latest)]
        if later:
            found.append(f"latest is {latest}, no later than {later}")
        if leftovers(self.output):
            found.append(f"left over: {leftovers(self.output)}")
        if not runs <= self.seen:
            found.append(f"among the runs but never published: {runs - self.seen}")
        if held & self.seen:
            found.append(f"held but published before: {held & self.seen}")
        return found


def latest_of(output: Path) -> str | None:
    """The name of the run that ``latest`` names; None if there is no such link."""
    latest = output / "latest"
    return os.path.basename(os.readlink(latest)) if latest.is_symlink() else None


def runs_in(folder: Path) -> set[str]:
    """The runs in ``runs`` or ``held``."""
    return set(in_order(os.listdir(folder))) if folder.is_dir() else set()


def known_runs(output: Path) -> set[str]:
    """All runs, published, kept or held."""
    return runs_in(output / "runs") | runs_in(output / "held")


def leftovers(output: Path) -> list[str]:
    """What is hidden in an output folder and should not be there when nobody writes."""
    folders = [folder for folder in (output, output / "runs", output / "held") if folder.is_dir()]
    hidden = {path.name for folder in folders for path in folder.glob(".*")}
    return sorted(hidden - MAY_STAY)


MARKS = {
    ".partial": "a partial run",
    ".latest-": "the mark of a run",
    ".release-": "the mark of a release",
    ".switch-": "the mark of a switch",
    ".lock-holder": "the holder's note",
}
"""What leftovers are, by how their names begin or end."""


def what_is_left(output: Path) -> str:
    """What a kill left, in words."""
    found = leftovers(output)
    kinds = [
        what for part, what in MARKS.items() if any(name.startswith(part) or _is_partial(name, part) for name in found)
    ]
    return " and ".join(kinds) or "nothing"


def _is_partial(name: str, part: str) -> bool:
    return name.endswith(part) and is_run_id(name.removesuffix(part).removeprefix("."))


def _incomplete(folder: Path) -> list[str]:
    """What in ``runs`` or ``held`` is visible and no complete run."""
    names = [path.name for path in folder.glob("*") if not path.name.startswith(".")]
    faults = {f"{folder.name}/{name}": _fault(folder / name) for name in names}
    return [f"{name} {fault}" for name, fault in faults.items() if fault]


def _fault(run: Path) -> str | None:
    """What is wrong with a run."""
    if not is_run_id(run.name):
        return "is no run"
    try:
        manifest = record_of(run)
        digests = {name: facts["sha256"] for name, facts in manifest["outputs"].items()}
        if manifest["run_id"] != run.name:
            return f"has the run.json of {manifest['run_id']}"
    except (OSError, ValueError, KeyError) as error:
        return f"has no run.json that can be read ({error!r})"
    there = {path.name for path in run.iterdir()}
    if there != {*digests, "run.json"} or "consensus.parquet" not in there:
        return f"holds {sorted(there)}"
    wrong = [name for name, digest in digests.items() if _sha256(run / name) != digest]
    return f"has files that run.json does not describe: {wrong}" if wrong else None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
