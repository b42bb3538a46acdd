"""Run examples/notebook.ipynb and keep what it shows: ``python docs/run_notebook.py``. Needs the extra ``extras``.

It runs in a folder of its own, so that what it publishes goes with that; ``test_notebook`` runs it the same way.
"""

import base64
import shutil
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
COLOURS = 48
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def executed() -> Any:
    """The notebook with the outputs of its cells. Raises CellExecutionError if one fails."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        shutil.copytree(ROOT / "sample_votes", work / "sample_votes")
        (work / "examples").mkdir()
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": work / "examples"}})
        return client.execute()


def of_few_colours(png: str) -> str:
    """A chart in a third of the bytes; it has few colours."""
    small = BytesIO()
    Image.open(BytesIO(base64.b64decode(png))).convert("RGB").quantize(COLOURS).save(small, "png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def main() -> None:
    """Write the notebook, without when and in which order its cells ran."""
    notebook = executed()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [
                output for output in cell.outputs if output.get("data") != {"text/html": "", "text/plain": ""}
            ]
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = None
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = of_few_colours(output.data["image/png"])
                output.metadata = {}
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    nbformat.write(notebook, NOTEBOOK)
    print(f"{NOTEBOOK}: {NOTEBOOK.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
