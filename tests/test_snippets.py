"""The code in docs and notebooks, as the type checker gets it."""

import importlib.util
import json

from tests.paths import ROOT

spec = importlib.util.spec_from_file_location("snippets", ROOT / ".ci" / "snippets.py")
assert spec is not None
assert spec.loader is not None
snippets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(snippets)


def test_code_keeps_its_place_in_its_page() -> None:
    page = "Text\n\n```python\na = 1\n```\n\n```sh\nb=2\n```\n```python\nc = 3\n```\n"
    assert snippets.code_of_page(page).split("\n") == ["", "", "", "a = 1", "", "", "", "", "", "", "c = 3", "", ""]


def test_what_only_ipython_reads_is_left_out_of_a_notebook() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "a = 1"]},
        {"cell_type": "code", "source": "b = 2"},
    ]
    assert snippets.code_of_notebook(json.dumps({"cells": cells})) == "\na = 1\nb = 2\n"
