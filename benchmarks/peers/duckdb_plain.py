"""The Pl@ntNet EM in DuckDB, written straight from its definition: every iteration joins and groups all votes anew.

python -m benchmarks.peers.duckdb_plain VOTES OUTPUT
"""

import sys

import duckdb

CLEAN = """
CREATE TABLE votes AS
SELECT observation_id, user_id, label, author AS is_author
FROM (
    SELECT *, coalesce(bool_or(is_author) OVER (PARTITION BY observation_id, user_id), false) AS author
    FROM read_parquet($votes, file_row_number = true)
    QUALIFY row_number() OVER (
        PARTITION BY observation_id, user_id ORDER BY voted_at DESC NULLS LAST, file_row_number DESC
    ) = 1
)
WHERE trim(label, E' \t\r\n') <> ''
"""

START = """
CREATE TABLE weights AS SELECT DISTINCT user_id, 0 AS n, ln(2.1) AS w FROM votes;
CREATE TABLE labels AS SELECT observation_id, label FROM votes WHERE false;
"""

LABEL = """
CREATE OR REPLACE TABLE labels AS
SELECT observation_id, label
FROM (
    SELECT
        observation_id, v.label, sum(w) AS weight, count(*) AS n_votes, bool_or(is_author) AS by_author,
        v.label IS NOT DISTINCT FROM any_value(held.label) AS is_held
    FROM votes AS v JOIN weights USING (user_id) LEFT JOIN labels AS held USING (observation_id)
    GROUP BY observation_id, v.label
    QUALIFY weight >= max(weight) OVER (PARTITION BY observation_id) * (1 - 1e-9)
)
QUALIFY row_number() OVER (
    PARTITION BY observation_id ORDER BY is_held DESC, by_author DESC, n_votes DESC, label
) = 1
"""

JUDGE = """
CREATE OR REPLACE TABLE judged AS
SELECT
    observation_id, l.label, sum(w) FILTER (v.label = l.label) AS conf, conf / sum(w) AS acc,
    acc >= 0.7 - 1e-9 AND conf >= 2.0 - 1e-9 AS valid
FROM votes AS v JOIN weights USING (user_id) JOIN labels AS l USING (observation_id)
GROUP BY observation_id, l.label
"""

WEIGH = """
CREATE OR REPLACE TABLE weights AS
WITH species AS (
    SELECT user_id, label, bool_or(is_author) AS authored
    FROM votes JOIN judged USING (observation_id, label)
    WHERE valid OR NOT is_author
    GROUP BY user_id, label
),
counts AS (
    SELECT user_id, count(*) FILTER (authored) + (count(*) FILTER (NOT authored) + 5) // 10 AS n
    FROM species
    GROUP BY user_id
)
SELECT *, n ** 0.5 - n ** 0.2 + ln(2.1) AS w
FROM (SELECT user_id, coalesce(counts.n, 0) AS n FROM weights LEFT JOIN counts USING (user_id))
"""

STATE = """
SELECT
    (SELECT sum(hash(observation_id, label)) FROM labels),
    (SELECT sum(hash(user_id, n)) FROM weights)
"""

WRITE = "COPY (SELECT observation_id, label, valid FROM judged ORDER BY observation_id) TO $output (FORMAT parquet)"


def aggregate_votes(votes: str, output: str) -> None:
    """Read the log, estimate labels and weights in turns until a state returns, write the labels."""
    with duckdb.connect() as db:
        db.execute(CLEAN, {"votes": votes})
        db.execute(START)
        db.execute(LABEL)
        seen: set[tuple[int, ...]] = set()
        for _ in range(100):
            db.execute(JUDGE)
            db.execute(WEIGH)
            db.execute(LABEL)
            state = db.execute(STATE).fetchone()
            if state in seen:
                break
            seen.add(state)
        db.execute(JUDGE)
        db.execute(WRITE, {"output": output})


if __name__ == "__main__":
    aggregate_votes(*sys.argv[1:])
