"""The process that reads the files, many in a row: a crash or a hang ends it and not the one that asked.

Takes a job a line on stdin, as JSON; answers each on the descriptor it was given, with what a caller would see.
"""

import ctypes
import gc
import json
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # as the command has it

import pyarrow.parquet as pq

from plant_aggregate.cli.main import run_command


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(int(sys.argv[1]), "w")
    noise = Path(sys.argv[2])
    trim = ctypes.CDLL(None).malloc_trim
    for line in sys.stdin:
        job = json.loads(line)
        gc.collect()
        trim(0)
        _forget_peak()
        answer = _answer(job, noise)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if job.get("warm"):
            gc.freeze()  # what the compiler made need not be looked through again and again


def _answer(job: dict[str, Any], noise: Path) -> dict[str, Any]:
    os.truncate(noise, 0)
    before = _memory("VmHWM")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        try:
            exit_code: int | str = run_command(job["arguments"])
        except BaseException as error:
            exit_code = repr(error)
    sys.stdout.flush()
    sys.stderr.flush()
    peak = _memory("VmHWM")
    output = Path(job["output"]) if job["output"] else None
    wrong = None
    if output is not None and not job.get("keep"):
        wrong = _look_through(output, exit_code == 0)
        shutil.rmtree(output, ignore_errors=True)
    said = noise.read_bytes().decode(errors="replace")
    return {"exit_code": exit_code, "said": said, "before": before, "peak": peak, "wrong": wrong}


def _look_through(output: Path, published: bool) -> str | None:
    """What is wrong with what a run left behind."""
    runs = sorted((output / "runs").glob("*")) if output.exists() else []
    hidden = sorted((output / "runs").glob(".*")) if output.exists() else []
    if hidden:
        return f"leftovers: {hidden}"
    if not published:
        return f"published: {runs}" if runs or (output / "latest").exists() else None
    try:
        json.loads((output / "latest" / "run.json").read_text(encoding="utf-8"))
        for name in ("consensus", "users", "rejected"):
            pq.read_table(output / "latest" / f"{name}.parquet").validate(full=True)
    except Exception as error:
        return f"unreadable: {error!r}"
    return None


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _memory(name: str) -> int:
    """In bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


if __name__ == "__main__":
    main()
