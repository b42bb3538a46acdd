"""The commands and the Python of the page on experts' labels run from top to bottom on the sample."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from plant_aggregate.cli.group import cli
from tests.pages import commands, run_blocks, work_on_sample

PAGE = "experts.md"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::plant_aggregate.AggregateWarning")
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work_on_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    pq.write_table(pq.read_table("sample_votes/truth.parquet").slice(0, 300), "experts.parquet")
    printed = {}
    for arguments in commands(PAGE):
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, f"{' '.join(arguments)}: {done.output}"
        printed[arguments[0]] = done.output
    assert set(printed) == {"run", "compare", "evaluate"}
    assert "300 expert labels in 5 folds" in printed["compare"]
    assert "4,725 observations" in printed["evaluate"]  # without those that the run has used

    made = run_blocks(PAGE)
    consensus, ask = made["consensus"].set_index("observation_id"), made["ask"]
    assert consensus["by_expert"].sum() == 300
    assert len(ask) > 10
    assert set(consensus.loc[ask, "status"]) == {"needs_votes"}
