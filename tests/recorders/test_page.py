"""The code of the page on recorders runs, from the top to the bottom, and records what the page says."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.paths import ROOT

pytest.importorskip("torch")
pytestmark = [pytest.mark.extras, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PAGE = (ROOT / "docs" / "recording_scores.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```py(?:thon)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    installed = {name for name in ("lightning", "transformers") if find_spec(name)}
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS:
        if set(re.findall(r"^(?:from|import) (lightning|transformers)\b", block, re.MULTILINE)) <= installed:
            exec(compile(block, "recording_scores.md", "exec"), names)
    epochs = {"scores": 5, "half": 1} | {f"{name}_scores": 5 for name in installed}
    for folder, n_epochs in epochs.items():
        table = pq.read_table(folder)
        assert (table.num_rows, len(set(table["epoch"].to_pylist()))) == (60 * n_epochs, n_epochs)
    assert pq.read_table("final_scores").column_names[:2] == ["observation_id", "labels"]
