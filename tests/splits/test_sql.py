"""SQL on the published tables gives the same splits: nothing of ours is needed to check them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.exports.training import TrainingSettings, training_table
from tests.paths import SAMPLE

VOTES = SAMPLE / "votes.parquet"

MACROS = """
CREATE MACRO u(text) AS ('0x' || left(sha256(text), 15))::BIGINT::HUGEINT;
CREATE MACRO below(u, percent) AS 100 * u < percent * (1::HUGEINT << 60);
"""

SPLITS_IN_SQL = """
WITH authors AS (SELECT DISTINCT observation_id, 'a|' || user_id AS unit FROM votes WHERE is_author),
     units AS (SELECT observation_id, u('split|{seed}|' || coalesce(unit, 'o|' || observation_id)) AS u
               FROM consensus LEFT JOIN authors USING (observation_id)),
     sets AS (SELECT observation_id, list(DISTINCT CASE WHEN below(u, {test}) THEN 'test'
                              WHEN below(u, {test} + {val}) THEN 'validation' ELSE 'train' END) sets
              FROM units GROUP BY observation_id),
     named AS (SELECT *, regexp_replace(label, '^([xX×] +)*×?', '') AS name FROM consensus),
     genera AS (SELECT *, upper(name[1]) || lower(split_part(name, ' ', 1)[2:]) AS genus FROM named
                WHERE name <> '' AND NOT regexp_matches(name, '^[^ ]*aceae$')),
     usable AS (SELECT observation_id, label, sets[1] AS split FROM genera JOIN sets USING (observation_id)
                WHERE valid AND len(sets) = 1 AND below(u('genus|{seed}|' || genus), {genera})),
     classes AS (SELECT label FROM usable GROUP BY label
                 HAVING count(*) >= 4 AND count(*) FILTER (split = 'train') >= 1)
SELECT observation_id, split FROM usable SEMI JOIN classes USING (label) ORDER BY observation_id
"""
"""Shares in percent."""


@pytest.mark.extras
@pytest.mark.parametrize(
    ("seed", "test", "val", "genera"), [(0, 10, 10, 100), (3, 29, 7, 50)], ids=["defaults", "half the genera"]
)
def test_duckdb_gives_the_same_splits(tmp_path: Path, seed: int, test: int, val: int, genera: int) -> None:
    duckdb = pytest.importorskip("duckdb")
    run = plant_aggregate.run(VOTES, tmp_path / "consensus")
    settings = TrainingSettings(
        seed=seed, test=test / 100, val=val / 100, genera_share=None if genera == 100 else genera / 100, hard=True
    )
    found = training_table(run, settings).table.select(["observation_id", "split"])
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        connection.register("consensus", run.to_arrow())
        connection.register("votes", pq.read_table(VOTES))
        query = SPLITS_IN_SQL.format(seed=seed, test=test, val=val, genera=genera)
        expected = connection.execute(query).fetchall()
    assert [tuple(row.values()) for row in found.to_pylist()] == expected
