"""Who is compared: plant-aggregate, the same algorithm in two query engines, and two packages of the field."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.simulated_logs import PLANT_AGGREGATE


@dataclass(frozen=True)
class Contender:
    """One program that turns votes into labels."""

    name: str
    package: str
    """On PyPI; its version goes into the results."""
    module: str
    """Has to be there for the contender to run."""
    exact: bool
    """Whether it computes what plant-aggregate computes, so that the labels must be the same."""

    @property
    def is_installed(self) -> bool:
        """Whether its module can be found."""
        return find_spec(self.module) is not None

    def command(self, votes: Path, folder: Path) -> list[str]:
        """The command that reads votes and writes into a folder."""
        if self.name == OURS:
            return [*PLANT_AGGREGATE, "run", str(votes), "-q", "-o", str(folder)]
        return [sys.executable, "-m", f"benchmarks.peers.{self.name}", str(votes), str(self.output(folder))]

    def output(self, folder: Path) -> Path:
        """The table that the command leaves in the folder."""
        return folder / ("latest/consensus.parquet" if self.name == OURS else "consensus.parquet")


OURS = "plant-aggregate"
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender(OURS, "plant-aggregate", "plant_aggregate", exact=True),
        Contender("duckdb_best", "duckdb", "duckdb", exact=True),
        Contender("duckdb_plain", "duckdb", "duckdb", exact=True),
        Contender("polars_best", "polars", "polars", exact=True),
        Contender("polars_plain", "polars", "polars", exact=True),
        Contender("peerannot_plantnet", "peerannot", "peerannot", exact=False),
        Contender("crowdkit_majority", "crowd-kit", "crowdkit", exact=False),
    )
}
