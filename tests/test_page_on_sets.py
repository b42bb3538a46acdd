"""The commands and the Python of the page on prediction sets run from top to bottom, on simulated files."""

from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import plant_aggregate
from plant_aggregate.cli.group import cli
from tests.pages import commands, run_blocks

PAGE = "conformal.md"
NEEDS_MORE = ("coldp", "taxonomy.parquet", "torch")
"""What marks commands and blocks that need a checklist or PyTorch, which have tests of their own."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::plant_aggregate.AggregateWarning")
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for arguments in commands(PAGE):
        if any(text in argument for text in NEEDS_MORE for argument in arguments):
            continue
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, f"{' '.join(arguments)}: {done.output}"
        ran += 1
        if arguments[:2] == ["simulate", "june"]:
            provide_files()
    assert ran >= 9
    made = run_blocks(PAGE, without=NEEDS_MORE)
    assert isinstance(made["sets"], plant_aggregate.SetPredictor)


def provide_files() -> None:
    """The files that later commands name, made of the simulated months; and a run that knows probabilities."""
    Path("scores").mkdir()
    Path("may/scores.parquet").rename("scores/lists.parquet")
    Path("may/scores.parquet").symlink_to("../scores/lists.parquet")
    for name, source in {"experts": "may/truth", "tonight": "june/scores", "scores": "june/scores"}.items():
        Path(f"{name}.parquet").symlink_to(f"{source}.parquet")
    counts = pq.read_table("may/training_counts.parquet")
    pa_csv.write_csv(counts, "training_counts.csv")
    Path("red_list.txt").write_text("\n".join(counts["label"][:5].to_pylist()) + "\n", encoding="utf-8")
    with pytest.warns(plant_aggregate.AggregateWarning, match="calibrated on simulated votes"):
        done = CliRunner().invoke(cli, ["run", "may/votes.parquet", "--calibration", "simulated", "-q"])
    assert done.exit_code == 0, done.output
