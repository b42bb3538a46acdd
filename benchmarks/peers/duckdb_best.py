"""The Pl@ntNet EM in DuckDB, as fast as we know how to make it.

python benchmarks/peers/duckdb_best.py VOTES OUTPUT

What makes it fast:

- Labels are an enum in code-point order: codes are hashed and compared, names are seen at both ends only.
- The window over all rows that finds superseded votes runs only if a cheaper look finds that there are any.
- A weight is at least ln 2.1, so where nobody disagrees three votes are always valid, and two votes or one are valid
  by the weights of one or two users. Whom that makes right, and of how many species, is counted once: per user, for
  the case that one vote of theirs is enough and for the case that it is not.
- An iteration touches the votes on disputed observations, and the pairs of user and label whose credit hangs on a
  second voter or on a disputed observation.
- Labels and validity of disputed observations come from one tally per iteration; ties are settled by a rank that is
  computed once.
"""

import sys

import duckdb

NAMES = "CREATE TABLE names AS SELECT DISTINCT label FROM read_parquet($votes)"

ENUM = """
CREATE TYPE label AS ENUM (SELECT label FROM names WHERE trim(label, E' \\t\\r\\n') <> '' ORDER BY label)
"""

READ = """
CREATE TABLE votes AS
SELECT
    observation_id, user_id, try_cast(label AS label) AS label, coalesce(is_author, false) AS is_author,
    voted_at, file_row_number
FROM read_parquet($votes, file_row_number = true)
"""

SHARED = """
CREATE OR REPLACE TABLE shared AS
SELECT observation_id, count(*)::INTEGER AS n_votes FROM votes GROUP BY observation_id HAVING n_votes > 1
"""

IS_DIRTY = """
SELECT
    EXISTS (FROM votes WHERE label IS NULL)
    OR EXISTS (
        SELECT observation_id FROM votes SEMI JOIN shared USING (observation_id)
        GROUP BY observation_id, user_id HAVING count(*) > 1
    )
"""

CLEAN = """
CREATE OR REPLACE TABLE votes AS
SELECT observation_id, user_id, label, author AS is_author
FROM (
    SELECT *, bool_or(is_author) OVER (PARTITION BY observation_id, user_id) AS author
    FROM votes
    QUALIFY row_number() OVER (
        PARTITION BY observation_id, user_id ORDER BY voted_at DESC NULLS LAST, file_row_number DESC
    ) = 1
)
WHERE label IS NOT NULL
"""

# Votes on their own, the shared observations, and the votes on those.
SPLIT = """
CREATE TABLE lone_votes AS
SELECT observation_id, user_id, label, is_author FROM votes ANTI JOIN shared USING (observation_id);
CREATE TABLE shared_votes AS
SELECT observation_id, user_id, label, is_author, n_votes FROM votes JOIN shared USING (observation_id);
CREATE OR REPLACE TABLE shared AS
SELECT
    observation_id, n_votes, min(label) AS label, max(label) > min(label) AS disputed,
    min(user_id) AS one_user, max(user_id) AS other_user
FROM shared_votes
GROUP BY observation_id, n_votes;
CREATE TABLE disputed_votes AS
SELECT observation_id, user_id, label, is_author
FROM shared_votes SEMI JOIN (FROM shared WHERE disputed) USING (observation_id);
"""

# What speaks for a user knowing a label, as bits: 1 a vote on another's undisputed observation; 2, 4 and 8 a vote on
# an own one with one, two, and more votes; 16 a vote on a disputed one. The credit of uncertain pairs is found anew in
# each iteration; that of all others is counted here, `sure_*`, and where one vote is enough, `alone_*`.
PAIR = """
CREATE TABLE pairs AS
SELECT user_id, label, bit_or(clue) AS evidence, evidence >= 16 OR evidence & 12 = 4 AS uncertain
FROM (
    SELECT user_id, label, CASE WHEN is_author THEN 2 ELSE 1 END::UTINYINT AS clue FROM lone_votes
    UNION ALL
    SELECT
        user_id, v.label,
        CASE WHEN disputed THEN 16 WHEN NOT is_author THEN 1 WHEN v.n_votes = 2 THEN 4 ELSE 8 END::UTINYINT
    FROM shared_votes AS v JOIN shared USING (observation_id)
)
GROUP BY user_id, label;
CREATE TABLE users AS
SELECT
    user_id,
    count(*) FILTER (evidence & 8 > 0 AND NOT uncertain) AS sure_authored,
    count(*) FILTER (evidence & 9 = 1 AND NOT uncertain) AS sure_voted,
    count(*) FILTER (evidence & 14 > 0 AND NOT uncertain) AS alone_authored,
    count(*) FILTER (evidence = 1) AS alone_voted
FROM pairs
GROUP BY user_id;
CREATE TABLE uncertain AS
SELECT row_number() OVER () AS pair, user_id, label, evidence FROM pairs WHERE uncertain;
CREATE TABLE duos AS
SELECT DISTINCT pair, v.user_id, CASE WHEN one_user = v.user_id THEN other_user ELSE one_user END AS other_id
FROM shared_votes AS v JOIN shared USING (observation_id) JOIN uncertain AS p ON p.user_id = v.user_id
    AND p.label = v.label
WHERE v.n_votes = 2 AND is_author AND NOT disputed AND evidence & 8 = 0;
CREATE TABLE candidates AS
SELECT
    row_number() OVER () AS candidate, observation_id, label,
    row_number() OVER (PARTITION BY observation_id ORDER BY bool_or(is_author) DESC, count(*) DESC, label) AS rank
FROM disputed_votes
GROUP BY observation_id, label;
CREATE TABLE ballots AS
SELECT candidate, observation_id, user_id, pair, is_author
FROM disputed_votes JOIN candidates USING (observation_id, label) JOIN uncertain USING (user_id, label);
CREATE TABLE weights AS SELECT user_id, 0::BIGINT AS n, ln(2.1) AS w FROM users;
CREATE TABLE chosen AS SELECT observation_id, candidate, false AS valid FROM candidates WHERE false;
"""

CHOOSE = """
CREATE OR REPLACE TABLE chosen AS
WITH tallied AS (
    SELECT candidate, sum(w) AS weight FROM ballots JOIN weights USING (user_id) GROUP BY candidate
),
of_observation AS (
    SELECT observation_id, max(weight) AS heaviest, sum(weight) AS total
    FROM tallied JOIN candidates USING (candidate) GROUP BY observation_id
)
SELECT
    observation_id,
    arg_min(candidate, if(held.candidate IS NULL, rank, 0)) AS candidate,
    arg_min(
        weight / total >= 0.7 - 1e-9 AND weight >= 2.0 - 1e-9, if(held.candidate IS NULL, rank, 0)
    ) AS valid
FROM tallied JOIN candidates USING (candidate) JOIN of_observation USING (observation_id)
    LEFT JOIN (SELECT candidate FROM chosen) AS held USING (candidate)
WHERE weight >= heaviest * (1 - 1e-9)
GROUP BY observation_id
"""

WEIGH = """
CREATE OR REPLACE TABLE weights AS
WITH earned AS (
    SELECT pair, is_author AS authored
    FROM ballots JOIN chosen USING (observation_id, candidate) WHERE valid OR NOT is_author
    UNION ALL
    SELECT pair, true
    FROM duos JOIN weights AS one USING (user_id) JOIN weights AS other ON other.user_id = other_id
    WHERE one.w + other.w >= 2.0 - 1e-9
    UNION ALL
    SELECT pair, evidence & 8 > 0 OR (evidence & 6 > 0 AND w >= 2.0 - 1e-9) AS authored
    FROM uncertain JOIN weights USING (user_id) WHERE evidence & 1 > 0 OR authored
),
known AS (SELECT pair, bool_or(authored) AS authored FROM earned GROUP BY pair),
counts AS (
    SELECT user_id, count(*) FILTER (authored) AS authored, count(*) FILTER (NOT authored) AS voted
    FROM known JOIN uncertain USING (pair) GROUP BY user_id
),
species AS (
    SELECT
        user_id,
        coalesce(authored, 0) + if(w >= 2.0 - 1e-9, alone_authored, sure_authored) AS n_authored,
        coalesce(voted, 0) + if(w >= 2.0 - 1e-9, alone_voted, sure_voted) AS n_voted,
        n_authored + (n_voted + 5) // 10 AS n
    FROM users JOIN weights USING (user_id) LEFT JOIN counts USING (user_id)
)
SELECT user_id, n, n ** 0.5 - n ** 0.2 + ln(2.1) AS w FROM species
"""

STATE = "SELECT (SELECT bit_xor(hash(candidate)) FROM chosen), (SELECT bit_xor(hash(user_id, n)) FROM weights)"

WRITE = """
COPY (
    SELECT observation_id, label, w >= 2.0 - 1e-9 AS valid FROM lone_votes JOIN weights USING (user_id)
    UNION ALL
    SELECT observation_id, label, n_votes > 2 OR one.w + other.w >= 2.0 - 1e-9
    FROM shared JOIN weights AS one ON one.user_id = one_user JOIN weights AS other ON other.user_id = other_user
    WHERE NOT disputed
    UNION ALL
    SELECT observation_id, label, valid FROM chosen JOIN candidates USING (observation_id, candidate)
    ORDER BY observation_id
) TO $output (FORMAT parquet)
"""


def aggregate_votes(votes: str, output: str) -> None:
    """Read the log, estimate labels and weights in turns until a state returns, write the labels."""
    with duckdb.connect() as db:
        db.execute(NAMES, {"votes": votes})
        db.execute(ENUM)
        db.execute(READ, {"votes": votes})
        db.execute(SHARED)
        if db.execute(IS_DIRTY).fetchone() == (True,):
            db.execute(CLEAN)
            db.execute(SHARED)
        db.execute(SPLIT)
        db.execute(PAIR)
        db.execute(CHOOSE)
        seen: set[tuple[int, ...]] = set()
        for _ in range(100):
            db.execute(WEIGH)
            db.execute(CHOOSE)
            state = db.execute(STATE).fetchone()
            if state in seen:
                break
            seen.add(state)
        db.execute(WRITE, {"output": output})


if __name__ == "__main__":
    aggregate_votes(*sys.argv[1:])
