"""Every exact contender of the comparison with peers computes what the reference computes."""

import datetime
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from tests.reference import plantnet

pytestmark = pytest.mark.extras

EXACT = ["duckdb_plain", "duckdb_best", "polars_plain", "polars_best"]
SCHEMA = pa.schema(
    {
        "observation_id": pa.int64(),
        "user_id": pa.int64(),
        "label": pa.string(),
        "is_author": pa.bool_(),
        "voted_at": pa.timestamp("ms", "UTC"),
    }
)

Vote = tuple[int, int, str | None] | tuple[int, int, str | None, bool | None] | tuple[Any, ...]


def at(second: int) -> datetime.datetime:
    return datetime.datetime(2024, 5, 1, 12, 0, second, tzinfo=datetime.UTC)


def rivals() -> list[Vote]:
    """Two authors are confirmed by others and dispute each other: heavy, light, heavy again."""
    votes: list[Vote] = []
    rows = [("b", "a"), ("a", "10"), ("10", None)]
    for label, disputed_as in rows:
        for author, rival in ((1, 2), (2, 1)):
            i = len({vote[0] for vote in votes})
            votes += [(i, author, label, True), (i, 3, label, False), (i, 4, label, False)]
            if disputed_as:
                votes.append((i, rival, disputed_as, False))
    return votes


def ladder() -> list[Vote]:
    """A user becomes self-validating by confirmed pictures, and then validates with one vote, and with another user."""
    votes: list[Vote] = []
    for k in range(10):
        votes += [(k, 1, f"species {k}", True), (k, 2, f"species {k}", False), (k, 3, f"species {k}", False)]
    for k in range(10):
        votes.append((100 + k, 1, f"other species {k}", True))
        votes += [(200 + k, 4, f"other species {k}", True), (200 + k, 1, f"other species {k}", False)]
        votes += [(300 + k, 4, f"species {k}", True), (300 + k, 5 + k, "species 3", False), (300 + k, 2, "species 3")]
    return votes


LOGS: dict[str, list[Vote]] = {
    "one vote": [(1, 1, "a")],
    "a tie goes to the first label in code-point order": [
        (1, 1, "a"),
        (1, 2, "B"),
        (2, 1, "\U0001f33f"),
        (2, 2, "\uff21"),
    ],
    "a tie goes to the author": [(1, 1, "a", False), (1, 2, "b", True)],
    "a tie of weights goes to more votes": [*ladder(), (1, 4, "x"), (1, 5, "x"), (1, 6, "y")],
    "seven of ten reach the threshold": [(1, u, "a" if u < 7 else "b") for u in range(10)],
    "six of ten do not": [(1, u, "a" if u < 6 else "b") for u in range(10)],
    "the latest vote stands": [
        (1, 1, "a", False, at(2)),
        (1, 1, "b", False, at(1)),
        (2, 1, "b"),
        (2, 2, "b"),
        (2, 3, "a"),
    ],
    "of equal times the last row stands": [
        (1, 1, "a", False, at(1)),
        (1, 1, "b", False, at(1)),
        (2, 1, "c"),
        (2, 1, "a"),
    ],
    "a row without time is older": [(1, 1, "b", False, at(1)), (1, 1, "a", False, None)],
    "any row makes its user an author": [(1, 1, "b", True, at(1)), (1, 1, "b", False, at(2)), (1, 2, "a", None, at(3))],
    "a null withdraws": [(1, 1, "a", False, at(1)), (1, 1, None, False, at(2)), (1, 2, "b"), (2, 3, None), (3, 3, "c")],
    "a blank withdraws": [(1, 1, "a", False, at(1)), (1, 1, " \t", False, at(2)), (1, 2, "b"), (1, 3, "b")],
    "a withdrawal can be withdrawn": [(1, 1, None, False, at(2)), (1, 1, "a", False, at(3)), (1, 2, "b", True, at(1))],
    "self-validating": ladder(),
    "a cycle": rivals(),
}


@pytest.fixture(scope="module", params=EXACT)
def peer(request: pytest.FixtureRequest) -> ModuleType:
    pytest.importorskip(request.param.split("_")[0])
    return import_module(f"benchmarks.peers.{request.param}")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    assert run_command(["simulate", str(folder), "--scale", "0.0005", "--ids", "int", "-q"]) == 0
    return folder / "votes.parquet"


@pytest.fixture
def labels_of(tmp_path: Path) -> Callable[[ModuleType, Path], list[dict[str, Any]]]:
    def run(peer: ModuleType, votes: Path) -> list[dict[str, Any]]:
        output = tmp_path / "consensus.parquet"
        peer.aggregate_votes(str(votes), str(output))
        return pq.read_table(output).to_pylist()

    return run


def expected_of(votes: Path) -> list[dict[str, Any]]:
    cleaned, _ = plantnet.clean(pq.read_table(votes).to_pylist())
    observations = plantnet.fit(cleaned)["observations"]
    return [{name: row[name] for name in ("observation_id", "label", "valid")} for row in observations]


@pytest.mark.parametrize("name", LOGS)
def test_a_small_log(name: str, peer: ModuleType, labels_of: Callable[..., Any], tmp_path: Path) -> None:
    rows = [dict(zip(SCHEMA.names, (*vote, None, None)[:5], strict=True)) for vote in LOGS[name]]
    votes = tmp_path / "votes.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), votes)
    assert labels_of(peer, votes) == expected_of(votes)


def test_a_simulated_log(peer: ModuleType, labels_of: Callable[..., Any], simulated: Path) -> None:
    assert labels_of(peer, simulated) == expected_of(simulated)
