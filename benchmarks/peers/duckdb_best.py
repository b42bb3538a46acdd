"""The Pl@ntNet EM in DuckDB, as fast as we know how to make it.

python -m benchmarks.peers.duckdb_best VOTES OUTPUT

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

# The shared observations, the votes on them, and the votes alone on theirs.
SPLIT = """
CREATE OR REPLACE TABLE shared AS
SELECT observation_id, count(*)::INTEGER AS n_votes FROM votes GROUP BY observation_id HAVING n_votes > 1;
CREATE OR REPLACE TABLE shared_votes AS
SELECT observation_id, user_id, label, is_author, n_votes FROM votes JOIN shared USING (observation_id);
CREATE OR REPLACE TABLE shared AS
SELECT
    observation_id, n_votes, min(label) AS label, max(label) > min(label) AS disputed,
    min(user_id) AS one_user, max(user_id) AS other_user
FROM shared_votes
GROUP BY observation_id, n_votes;
CREATE OR REPLACE TABLE lone_votes AS
SELECT observation_id, user_id, label, is_author FROM votes ANTI JOIN shared USING (observation_id);
"""

IS_DIRTY = """
SELECT
    EXISTS (FROM votes WHERE label IS NULL)
    OR EXISTS (
        SELECT observation_id
        FROM shared_votes SEMI JOIN (FROM shared WHERE n_votes > 2 OR one_user = other_user) USING (observation_id)
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

# What speaks for a user knowing a label, as bits: 1 a vote on another's undisputed observation; 2, 4 and 8 a vote on
# an own one with one, two, and more votes; 16 a vote on a disputed one. The credit of uncertain pairs is found anew in
# each iteration. That of the others is counted here: for a user whose vote alone makes an observation valid, and for
# all other users.
PAIRS = """
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
    (row_number() OVER ())::INTEGER AS user, user_id,
    count(*) FILTER (evidence & 8 > 0 AND NOT uncertain) AS sure_authored,
    count(*) FILTER (evidence & 9 = 1 AND NOT uncertain) AS sure_voted,
    count(*) FILTER (evidence & 14 > 0 AND NOT uncertain) AS alone_authored,
    count(*) FILTER (evidence = 1) AS alone_voted,
    0::BIGINT AS n, ln(2.1) AS w
FROM pairs
GROUP BY user_id;
CREATE TABLE uncertain AS
SELECT (row_number() OVER ())::INTEGER AS pair, user, user_id, label, evidence
FROM pairs JOIN users USING (user_id)
WHERE uncertain;
"""

# Own observations confirmed by one other user. Where that is all that is uncertain about the pair, only the number of
# such pairs matters, by the two users.
DUOS = """
CREATE TABLE all_duos AS
SELECT DISTINCT pair, p.user, other.user AS other, evidence
FROM shared_votes AS v JOIN shared USING (observation_id)
    JOIN uncertain AS p ON p.user_id = v.user_id AND p.label = v.label
    JOIN users AS other ON other.user_id = if(one_user = v.user_id, other_user, one_user)
WHERE v.n_votes = 2 AND is_author AND NOT disputed AND evidence & 8 = 0;
CREATE TABLE lone_duos AS
SELECT pair, any_value(user) AS user, any_value(other) AS other, any_value(evidence) AS evidence
FROM all_duos
WHERE evidence < 16
GROUP BY pair HAVING count(*) = 1;
CREATE TABLE duos AS SELECT pair, user, other FROM all_duos ANTI JOIN lone_duos USING (pair);
CREATE OR REPLACE TABLE uncertain AS FROM uncertain ANTI JOIN lone_duos USING (pair);
CREATE TABLE confirmed AS
SELECT user, other, count(*) AS authored, count(*) FILTER (evidence & 1 > 0) AS voted
FROM lone_duos
GROUP BY user, other;
"""

# The labels voted on disputed observations, ranked for ties, and the votes on them.
CANDIDATES = """
CREATE TABLE disputed_votes AS
SELECT observation_id, user_id, label, is_author
FROM shared_votes SEMI JOIN (FROM shared WHERE disputed) USING (observation_id);
CREATE TABLE candidates AS
SELECT
    (row_number() OVER ())::INTEGER AS candidate, observation_id, label,
    row_number() OVER (PARTITION BY observation_id ORDER BY bool_or(is_author) DESC, count(*) DESC, label) AS rank
FROM disputed_votes
GROUP BY observation_id, label;
CREATE TABLE ballots AS
SELECT candidate, user, pair, is_author
FROM disputed_votes JOIN candidates USING (observation_id, label) JOIN uncertain USING (user_id, label);
CREATE TABLE chosen AS SELECT candidate, false AS valid FROM candidates WHERE false;
"""

CHOOSE = """
CREATE OR REPLACE TABLE chosen AS
WITH tallied AS (
    SELECT candidate, sum(w) AS weight FROM ballots JOIN users USING (user) GROUP BY candidate
),
of_observation AS (
    SELECT observation_id, max(weight) AS heaviest, sum(weight) AS total
    FROM tallied JOIN candidates USING (candidate)
    GROUP BY observation_id
),
tied AS (
    SELECT
        observation_id, candidate, if(held.candidate IS NULL, rank, 0) AS rank,
        weight / total >= 0.7 - 1e-9 AND weight >= 2.0 - 1e-9 AS valid
    FROM tallied JOIN candidates USING (candidate) JOIN of_observation USING (observation_id)
        LEFT JOIN chosen AS held USING (candidate)
    WHERE weight >= heaviest * (1 - 1e-9)
)
SELECT arg_min(candidate, rank) AS candidate, arg_min(valid, rank) AS valid FROM tied GROUP BY observation_id
"""

WEIGH = """
CREATE OR REPLACE TABLE users AS
WITH earned AS (
    SELECT pair, user, is_author AS authored
    FROM ballots JOIN chosen USING (candidate)
    WHERE valid OR NOT is_author
    UNION ALL
    SELECT pair, user, true
    FROM duos JOIN users AS one USING (user) JOIN users AS other ON other.user = duos.other
    WHERE one.w + other.w >= 2.0 - 1e-9
    UNION ALL
    SELECT pair, user, evidence & 8 > 0 OR (evidence & 6 > 0 AND w >= 2.0 - 1e-9) AS authored
    FROM uncertain JOIN users USING (user)
    WHERE evidence & 1 > 0 OR authored
),
known AS (SELECT user, bool_or(authored) AS authored FROM earned GROUP BY user, pair),
counts AS (
    SELECT user, sum(authored) AS authored, sum(voted) AS voted
    FROM (
        SELECT user, authored::INTEGER AS authored, (NOT authored)::INTEGER AS voted FROM known
        UNION ALL
        SELECT
            user,
            if(one.w + other.w >= 2.0 - 1e-9, confirmed.authored, 0),
            if(one.w + other.w >= 2.0 - 1e-9, 0, confirmed.voted)
        FROM confirmed JOIN users AS one USING (user) JOIN users AS other ON other.user = confirmed.other
    )
    GROUP BY user
),
species AS (
    SELECT
        coalesce(counts.authored, 0) + if(w >= 2.0 - 1e-9, alone_authored, sure_authored) AS n_authored,
        coalesce(counts.voted, 0) + if(w >= 2.0 - 1e-9, alone_voted, sure_voted) AS n_voted,
        (n_authored + (n_voted + 5) // 10)::BIGINT AS n_species,
        users.*
    FROM users LEFT JOIN counts USING (user)
)
SELECT * EXCLUDE (n_authored, n_voted, n_species)
    REPLACE (n_species AS n, n_species ** 0.5 - n_species ** 0.2 + ln(2.1) AS w)
FROM species
"""

STATE = "SELECT (SELECT sum(hash(candidate)) FROM chosen), (SELECT sum(hash(user, n)) FROM users)"

# The cast is for safety: DuckDB 2.0 with several threads writes a few values of an enum to Parquet as empty text.
WRITE = """
COPY (
    SELECT observation_id, label::VARCHAR AS label, valid
    FROM (
        SELECT observation_id, label, user_id IN (SELECT user_id FROM users WHERE w >= 2.0 - 1e-9) AS valid
        FROM lone_votes
        UNION ALL
        SELECT observation_id, label, n_votes > 2 OR one.w + other.w >= 2.0 - 1e-9
        FROM shared JOIN users AS one ON one.user_id = one_user JOIN users AS other ON other.user_id = other_user
        WHERE NOT disputed
        UNION ALL
        SELECT observation_id, label, valid FROM chosen JOIN candidates USING (candidate)
        ORDER BY observation_id
    )
) TO $output (FORMAT parquet)
"""


def aggregate_votes(votes: str, output: str) -> None:
    """Read the log, estimate labels and weights in turns until a state returns, write the labels."""
    with duckdb.connect() as db:
        db.execute(NAMES, {"votes": votes})
        db.execute(ENUM)
        db.execute(READ, {"votes": votes})
        db.execute(SPLIT)
        if db.execute(IS_DIRTY).fetchone() == (True,):
            db.execute(CLEAN)
            db.execute(SPLIT)
        db.execute(PAIRS)
        db.execute(DUOS)
        db.execute(CANDIDATES)
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
