"""The example goes from logits to an answer, with sets that cover as they promise."""

import json
import re
import subprocess
import sys

import pytest

from tests.paths import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_sets_cover_and_an_answer_is_printed(seed: int) -> None:
    command = [sys.executable, str(ROOT / "examples" / "logits_to_sets.py"), "--seed", str(seed)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text, _, answer = printed.partition("{")
    found = re.search(r"([\d.]+)% of the sets have the true species", text)
    assert found is not None
    assert 88 < float(found[1]) < 92
    record = json.loads("{" + answer)
    assert record["size"] == len(record["labels"]) == 2
    assert record["common_taxon"] == record["labels"][0]["label"].split()[0]
