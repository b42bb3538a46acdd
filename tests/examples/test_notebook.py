"""The notebook runs, shows what it says, and is small enough for a page of a forge."""

import json
import re
import runpy
from typing import Any

import pytest

from tests.paths import ROOT

NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
OURS = re.compile(r"^[A-Z]\w+\(.*\)$")
VOLATILE = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
STEPS = ("Read", "Fit", "Look", "Evaluate", "Compare", "Calibrate", "Publish")


def text_of(cell: Any) -> str:
    return "".join(cell["source"])


def shown_by(cells: Any) -> list[str]:
    """The reprs of our results among the outputs; those of other libraries may differ from version to version."""
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    texts = ["".join(output.get("data", {}).get("text/plain", "")) for output in outputs]
    return [VOLATILE.sub("", text) for text in texts if OURS.match(text)]


def test_the_notebook_goes_through_all_steps_in_short_cells() -> None:
    headings = re.findall(r"^## (\w+)", "\n".join(map(text_of, CELLS)), re.MULTILINE)
    assert headings == list(STEPS)
    assert max(len(text_of(cell).splitlines()) for cell in CELLS) <= 8
    assert max(len(line) for cell in CELLS for line in text_of(cell).splitlines()) <= 120


def test_the_notebook_is_small_and_has_its_outputs() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert len(shown_by(CELLS)) >= 6
    assert text.count("image/png") >= 5
    assert [output for cell in CODE for output in cell["outputs"] if output["output_type"] in ("error", "stream")] == []
    assert {cell["execution_count"] for cell in CODE} == {None}
    assert not re.search(r'"/(home|root|tmp|work)/', text)
    rows = [json.dumps(output).count("<tr") for cell in CODE for output in cell["outputs"]]
    assert max(rows) <= 35


@pytest.mark.slow
@pytest.mark.extras
def test_the_notebook_runs_and_shows_the_same() -> None:
    for module in ("nbclient", "ipykernel", "matplotlib", "PIL"):
        pytest.importorskip(module)
    executed = runpy.run_path(str(ROOT / "docs" / "run_notebook.py"))["executed"]()
    assert shown_by(executed.cells) == shown_by(CELLS)
    assert [
        output for cell in executed.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    ] == []
