"""``run.json``: what was run, on what, and what came out."""

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ..consensus import Consensus
from ..errors import VotesError
from ..files.destination import MANIFEST_FILE
from ..files.sources import read_text
from ..files.stores import redacted
from ..files.writing import writing
from .tables import Output

REMEDY = "name a run of plant-aggregate run"

KINDS: Mapping[str, type | tuple[type, ...]] = {
    "run_id": str,
    "strategy": str,
    "parameters": dict,
    "settings": dict,
    "files": dict,
    "seconds": dict,
    "counts": dict,
    "changes": (dict, type(None)),
    "held": list,
    "outputs": dict,
}
"""What is read of a run.json, and what it must be if it is there: anybody may have written to the file."""


def manifest(
    *,
    run_id: str,
    version: str,
    consensus: Consensus,
    settings: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    rows: Mapping[str, Any],
    outputs: Sequence[Output],
    files: Mapping[str, Any],
) -> dict[str, Any]:
    """What run.json holds before the run is compared with another.

    ``rows`` accounts for the rows read; ``files`` are those that settings name.
    """
    trace = consensus.trace
    return {
        "run_id": run_id,
        "version": version,
        "strategy": consensus.strategy,
        "parameters": {**consensus.parameters, "ambiguous_below": consensus.ambiguous_below},
        "settings": dict(settings),
        "files": dict(files),
        "inputs": list(inputs),
        "counts": {"votes": dict(rows), **consensus.counts},
        "trace": [asdict(iteration) for iteration in trace.iterations],
        "converged": trace.converged,
        "cycle_length": trace.cycle_length,
        "outputs": {output.name: _facts(output) for output in outputs},
    }


def with_changes(
    contents: Mapping[str, Any],
    changes: Mapping[str, Any] | None,
    held: Sequence[str],
    output: Output,
    seconds: Mapping[str, float],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """Everything run.json holds: also what differs from the run before, and why this run is not to be published.

    ``changes`` is None if there was no run before; ``output`` is the table of them; ``seconds`` are per phase, up to
    here; ``warnings`` are those of the whole run.
    """
    return {
        **contents,
        "changes": changes,
        "held": list(held),
        "seconds": {phase: round(spent, 4) for phase, spent in seconds.items()},
        "peak_memory_bytes": peak_memory(),
        "warnings": list(warnings),
        "outputs": {**contents["outputs"], output.name: _facts(output)},
    }


def _facts(output: Output) -> dict[str, Any]:
    return {"rows": output.rows, "bytes": output.bytes, "sha256": output.sha256}


def peak_memory() -> int:
    """The most memory this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def write_manifest(contents: Mapping[str, Any], folder: Path) -> None:
    """Write ``run.json``. Raises PublishError."""
    path = folder / MANIFEST_FILE
    with writing(path):
        path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_manifest(path: str) -> dict[str, Any]:
    """The content of a run.json. Raises VotesError."""
    text = read_text(path, REMEDY)
    try:
        contents = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise VotesError("is not JSON", where=redacted(path), remedy=REMEDY) from error
    if not _is_record(contents):
        raise VotesError("is not the record of a run", where=redacted(path), remedy=REMEDY)
    found: dict[str, Any] = contents
    return found


def _is_record(contents: Any) -> bool:
    """Whether all that is read of a run.json can be."""
    if not isinstance(contents, dict) or "outputs" not in contents:
        return False
    if not all(isinstance(contents[name], kind) for name, kind in KINDS.items() if name in contents):
        return False
    counted = {**contents.get("counts", {}), **(contents.get("changes") or {})}
    numbers = [counted.get(name) or 0 for name in ("observations", "valid", "label_changed")]
    return (
        all(isinstance(number, int) for number in numbers)
        and all(isinstance(facts, dict) for facts in contents.get("files", {}).values())
        and all(isinstance(reason, str) for reason in contents.get("held", []))
        and _tells_reading(contents.get("settings", {}))
    )


def _tells_reading(settings: Mapping[str, Any]) -> bool:
    """Whether the settings that votes were read with can be used again."""
    columns, as_of = settings.get("columns", {}), settings.get("as_of")
    if not isinstance(columns, dict) or not all(isinstance(name, str) for name in columns.values()):
        return False
    try:
        if as_of is not None:
            datetime.fromisoformat(as_of)
        return bool(0 <= settings.get("max_rejected", 0) <= 1)
    except (TypeError, ValueError):
        return False
