"""``run.json``: what was run, on what, and what came out."""

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..consensus import Consensus
from .tables import Output


def manifest(
    *,
    run_id: str,
    version: str,
    consensus: Consensus,
    settings: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    rows: Mapping[str, Any],
    outputs: Sequence[Output],
    seconds: Mapping[str, float],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """Everything run.json holds. ``rows`` accounts for the rows read; ``seconds`` are per phase."""
    trace = consensus.trace
    return {
        "run_id": run_id,
        "version": version,
        "strategy": consensus.strategy,
        "parameters": {**consensus.parameters, "ambiguous_below": consensus.ambiguous_below},
        "settings": dict(settings),
        "inputs": list(inputs),
        "counts": {"votes": dict(rows), **consensus.counts},
        "trace": [asdict(iteration) for iteration in trace.iterations],
        "converged": trace.converged,
        "cycle_length": trace.cycle_length,
        "seconds": {phase: round(spent, 4) for phase, spent in seconds.items()},
        "peak_memory_bytes": peak_memory(),
        "warnings": list(warnings),
        "outputs": {
            output.name: {"rows": output.rows, "bytes": output.bytes, "sha256": output.sha256} for output in outputs
        },
    }


def peak_memory() -> int:
    """The most memory this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def write_manifest(contents: Mapping[str, Any], folder: Path) -> None:
    """Write ``run.json``."""
    (folder / "run.json").write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
