import re
import shlex

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from plant_aggregate.cli.main import run_command
from plant_aggregate.cli.simulate import simulate
from plant_aggregate.errors import ParameterError
from tests.paths import SAMPLE


def called(*arguments):
    return CliRunner().invoke(simulate, [str(argument) for argument in arguments], catch_exceptions=False)


def test_it_prints_the_marginals_reached_beside_the_published_ones(tmp_path, capfd):
    assert run_command(["simulate", str(tmp_path / "log"), "--scale", "0.001", "--quiet"]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0].split() == ["published", "reached"]
    assert re.fullmatch(r"observations \(x 0.001\) +6,700 +6,700", lines[1])
    assert re.fullmatch(r"observations with a disagreement +1.00 % +1.00 %", lines[6])
    assert len({len(line) for line in lines}) == 1
    assert sorted(path.name for path in (tmp_path / "log").iterdir()) == ["truth.parquet", "votes.parquet"]


def test_progress_goes_to_stderr(tmp_path, capfd):
    assert run_command(["simulate", str(tmp_path), "--scale", "0.0001"]) == 0
    said = capfd.readouterr()
    assert "voting: 670 observations" in said.err
    assert "voting" not in said.out


def test_options_reach_the_simulation(tmp_path):
    called(tmp_path, "--scale", "0.0001", "--ai", "--experts", "0.5", "--ids", "string", "-q")
    assert pq.read_table(tmp_path / "ai_votes.parquet").num_rows == 670
    assert pq.read_table(tmp_path / "truth.parquet").num_rows == 335
    assert str(pq.read_schema(tmp_path / "votes.parquet").field("observation_id").type) == "string"


def test_an_earlier_simulation_stays_unless_overwrite(tmp_path):
    called(tmp_path, "--scale", "0.0001", "-q")
    with pytest.raises(ParameterError, match="--overwrite"):
        called(tmp_path, "--scale", "0.0001", "-q")
    assert called(tmp_path, "--scale", "0.0001", "-q", "--overwrite").exit_code == 0


def test_votes_that_no_simulation_made_stay(tmp_path, capfd):
    pq.write_table(pq.read_table(SAMPLE / "votes.parquet"), tmp_path / "votes.parquet")
    before = (tmp_path / "votes.parquet").read_bytes()
    assert run_command(["simulate", str(tmp_path), "--scale", "0.0001", "-q", "--overwrite"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "votes.parquet: has no mark of a simulation, so it is not overwritten" in line
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("place", [".", "runs", "runs/20261123T021500Z", "link"])
def test_an_output_folder_is_no_place_for_votes(tmp_path, capfd, place, overwrite):
    run = tmp_path / "consensus" / "runs" / "20261123T021500Z"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (tmp_path / "consensus" / "link").symlink_to("../consensus")
    folder = tmp_path / "consensus" / place
    before = sorted(tmp_path.rglob("*"))
    assert run_command(["simulate", str(folder), "--scale", "0.0001", "-q", *overwrite]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "output folder" in line or "which stays as it is" in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "1000"])
def test_a_scale_out_of_range_is_an_error_before_anything_is_written(tmp_path, scale):
    done = called(tmp_path / "log", "--scale", scale)
    assert done.exit_code == 2
    assert "scale" in done.output
    assert not (tmp_path / "log").exists()


def test_the_sample_is_what_its_command_makes(tmp_path):
    command = re.search(r"plant-aggregate simulate sample_votes (.*)", (SAMPLE / "README.md").read_text())
    assert called(tmp_path, *shlex.split(command[1]), "-q").exit_code == 0
    made = sorted(tmp_path.iterdir())
    assert [path.name for path in made] == sorted(path.name for path in SAMPLE.glob("*.parquet"))
    for path in made:
        assert pq.read_table(path).equals(pq.read_table(SAMPLE / path.name))
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 1_000_000
