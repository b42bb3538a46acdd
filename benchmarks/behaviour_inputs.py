"""The files that the calls of ``behaviour.py`` read beside the sample votes and simulated logs: always the same."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SMALL = pa.table(
    {
        "observation_id": [1, 1, 2, 3],
        "user_id": ["ana", "bo", "ana", "eve"],
        "label": ["Acer campestre", "Acer opalus", "Abies alba", "Abies alba"],
        "is_author": [True, False, True, True],
    }
)
"""A log that can be read at a glance."""

EPOCHS, LISTED = 3, 4
"""Of the made-up scores: epochs, and labels in a list."""


def write_inputs(root: Path) -> None:
    """Write into ``root/made`` all that is not simulated; ``root/sample`` and ``root/sim`` are there."""
    made = root / "made"
    made.mkdir()
    votes = pq.read_table(root / "sample" / "votes.parquet")
    truth = pq.read_table(root / "sample" / "truth.parquet")
    ai_votes = pq.read_table(root / "sample" / "ai_votes.parquet")
    _write_variants(made, votes, truth, ai_votes)
    _write_weights(made, votes)
    _write_scores(made, ai_votes)
    _write_unusable(made)
    _write_configurations(made)


def _write_variants(made: Path, votes: pa.Table, truth: pa.Table, ai_votes: pa.Table) -> None:
    """The sample votes under other names, in several files, as other types; a log with every kind of bad row."""
    pq.write_table(votes.rename_columns(["obs", "who", "species", "mine", "at"]), made / "renamed.parquet")
    pq.write_table(truth.rename_columns(["obs", "species"]), made / "renamed_truth.parquet")
    parts = made / "parts"
    (parts / "deeper").mkdir(parents=True)
    third = len(votes) // 3
    for place, name in enumerate(["a.parquet", "b.parquet", "deeper/c.parquet"]):
        part = votes.slice(place * third, third if place < 2 else None)
        pq.write_table(part, parts / name, row_group_size=2_000, compression=["zstd", "none", "snappy"][place])
    pq.write_table(votes.drop_columns(["is_author", "voted_at"]), made / "bare.parquet")
    codes = pc.dictionary_encode(votes["label"]).combine_chunks()
    pq.write_table(votes.set_column(2, "label", codes.indices.cast(pa.int64())), made / "integers.parquet")
    names = {"observation_id": votes["observation_id"].cast(pa.string()), "user_id": votes["user_id"].cast(pa.string())}
    text = pa.table({**names, "label": votes["label"].cast(pa.large_string()), "is_author": votes["is_author"]})
    pq.write_table(text, made / "text.parquet")
    pq.write_table(votes.slice(0, 20_000), made / "fewer.parquet")
    score = pc.min_element_wise(ai_votes["score"], pa.scalar(0.5))
    pq.write_table(ai_votes.set_column(2, "score", score), made / "unsure_ai.parquet")
    pq.write_table(ai_votes.slice(0, 3_000), made / "few_ai.parquet")
    pq.write_table(_untidy(), made / "untidy.parquet")


def _untidy() -> pa.Table:
    """Two thousand votes with nulls, blanks, repetitions, names that look alike and times, one in nine unusable."""
    chance = np.random.default_rng(5)
    n = 2_000
    names = ["Acer", "Acer ", "acer", "Caf\xe9", "Cafe\u0301", "nan", "?", "", None, "Abies alba", "Abies\xa0alba"]
    users = ["Ana", "ana", "None", "", None, *(f"user {i}" for i in range(60))]
    ids = [None if i % 50 == 0 else int(i) for i in chance.integers(1, 500, n)]
    times = [None if t % 40 == 0 else int(t) * 1_000_000 for t in chance.integers(1_600_000_000, 1_700_000_000, n)]
    return pa.table(
        {
            "observation_id": pa.array(ids, pa.int64()),
            "user_id": [users[i] for i in chance.integers(0, len(users), n)],
            "label": [names[i] for i in chance.integers(0, len(names), n)],
            "is_author": [[True, False, None][i] for i in chance.integers(0, 3, n)],
            "voted_at": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )


def _write_weights(made: Path, votes: pa.Table) -> None:
    """Weights of users, as Parquet and as CSV."""
    users = sorted(pc.unique(votes["user_id"]).to_pylist())
    fixed = pa.table({"user_id": users[:40], "fixed_weight": [place % 7 / 2 for place in range(40)]})
    floors = pa.table({"user_id": users[30:90], "min_weight": [place % 5 * 0.6 for place in range(60)]})
    pq.write_table(fixed, made / "fixed.parquet")
    lines = [f"{row['user_id']},{row['min_weight']}" for row in floors.to_pylist()]
    (made / "floors.csv").write_text("\n".join(["user_id,min_weight", *lines, ""]))


def _write_scores(made: Path, ai_votes: pa.Table) -> None:
    """Scores of a classifier in training: lists with a part of the probability missing, and a row for each label."""
    chance = np.random.default_rng(6)
    ids, labels = ai_votes["observation_id"].to_numpy(), np.array(ai_votes["label"].to_pylist(), dtype=object)
    species, of_each = np.unique(labels.astype(str), return_inverse=True)
    for epoch in range(EPOCHS):
        known = chance.random(len(ids)) < 0.99
        first = of_each[known]
        steps = chance.integers(1, len(species) // LISTED, (len(first), LISTED - 1))
        listed = np.column_stack([first, (first[:, None] + steps.cumsum(1)) % len(species)])
        shares = chance.random((len(first), LISTED))
        shares[:, 0] += (0.1 + epoch) / EPOCHS
        shares = np.sort(shares, axis=1)[:, ::-1] * 0.98 / shares.sum(1, keepdims=True)
        swapped = chance.random(len(first)) < 0.3
        listed[swapped, :2] = listed[swapped, 1::-1]
        lists = {
            "observation_id": ids[known],
            "epoch": np.full(len(first), epoch, np.int32),
            "labels": pa.array([list(species[row]) for row in listed], pa.list_(pa.string())),
            "probabilities": pa.array([list(row) for row in shares], pa.list_(pa.float64())),
        }
        (made / "scores").mkdir(exist_ok=True)
        pq.write_table(pa.table(lists), made / "scores" / f"epoch_{epoch}.parquet")
        rows = {
            "observation_id": np.repeat(ids[known], LISTED),
            "epoch": np.full(len(first) * LISTED, epoch, np.int32),
            "name": species[listed.ravel()],
            "probability": shares.ravel(),
        }
        (made / "score_rows").mkdir(exist_ok=True)
        pq.write_table(pa.table(rows), made / "score_rows" / f"epoch_{epoch}.parquet")


def _write_unusable(made: Path) -> None:
    """Files that cannot be used, each for one reason."""
    bad = made / "bad"
    bad.mkdir()

    def write(name: str, table: pa.Table = SMALL, **columns: object) -> None:
        for column, values in columns.items():
            place = table.column_names.index(column)
            table = table.remove_column(place) if values is None else table.set_column(place, column, values)
        pq.write_table(table, bad / f"{name}.parquet")

    write("good")
    write("other", label=pa.array(["Acer campestre", "Acer opalus", "Abies alba", "Picea abies"]))
    write("float_ids", observation_id=pa.array([1.0, 1.0, 2.0, 3.0]))
    write("bool_labels", label=pa.array([True, False, True, True]))
    write("list_labels", label=pa.array([["x"], ["y"], ["x"], []]))
    write("text_authors", is_author=pa.array(["1", "0", "1", "1"]))
    write("without_label", label=None)
    write("without_two", label=None, user_id=None)
    write("no_rows", SMALL.slice(0, 0))
    write("no_labels", label=pa.array([None, "", "  ", None]))
    write("rejected", user_id=pa.array(["ana", None, "ana", ""]))
    offsets = pa.py_buffer(np.arange(5, dtype=np.int32))
    write("not_utf8", label=pa.StringArray.from_buffers(4, offsets, pa.py_buffer(b"a\xff\xfeb")))
    twice = pa.Table.from_arrays([*SMALL.columns, SMALL["label"]], names=[*SMALL.column_names, "label"])
    pq.write_table(twice, bad / "twice.parquet")
    content = (bad / "good.parquet").read_bytes()
    (bad / "cut.parquet").write_bytes(content[: len(content) // 2])
    (bad / "empty.parquet").write_bytes(b"")
    (bad / "text.csv").write_text("observation_id,user_id,label\n1,2,x\n")
    (bad / "folder").mkdir()
    (bad / "mixed").mkdir()
    write("mixed/a")
    write("mixed/b", user_id=pa.array([1, 2, 1, 3]))
    ai_votes = pa.table({"observation_id": [1, 2, 3], "label": ["Acer opalus"] * 3, "score": [0.9, 1.5, 0.2]})
    write("ai_scores_beyond", ai_votes)
    write("ai_without_score", ai_votes.drop_columns(["score"]))
    write("truth", pa.table({"observation_id": [1, 2, 3], "label": ["Acer opalus", "Abies alba", "Abies alba"]}))
    write("truth_elsewhere", pa.table({"observation_id": [101, 102], "label": ["Acer opalus", "Abies alba"]}))
    write("truth_of_two_minds", pa.table({"observation_id": [1, 1], "label": ["Acer opalus", "Abies alba"]}))
    write("truth_text_ids", pa.table({"observation_id": ["1", "2"], "label": ["Acer opalus", "Abies alba"]}))
    lists = {"observation_id": [1, 2], "epoch": [0, 0], "labels": [["Acer opalus"], ["Abies alba"]]}
    write("scores_beyond", pa.table({**lists, "probabilities": [[2.0], [0.5]]}))
    (bad / "negative.csv").write_text("user_id,fixed_weight\nana,-1\n")
    (bad / "repeated.csv").write_text("user_id,fixed_weight\nana,1\nana,2\n")
    (bad / "no_weight.csv").write_text("user_id\nana\n")
    (bad / "heavy.csv").write_text("user_id,fixed_weight\nana,heavy\n")
    (bad / "not_json.json").write_text("{")
    (bad / "other.json").write_text('{"format": "something else"}')


def _write_configurations(made: Path) -> None:
    """Configurations, right and wrong."""
    right = (
        '[run]\nvotes = ["sample/votes.parquet"]\nalpha = 0.6\nmax-iter = 7\nsoft = true\nquiet = true\n'
        '[evaluate]\ntruth = "sample/truth.parquet"\nresamples = 0\njson = true\n[diff]\nrows = 3\n'
    )
    wrong = (
        "# a comment\n[run]\nvotes = 5\nthet-acc = 0.7\ntheta-acc = 2\nkeep = 'a'\nmax_rejected = 0.1\nquiet = 1\n"
        "column = ['species=x']\nstrategy = 'oracle'\nas-of = 'yesterday'\nmetrics = 's3://bucket/file'\n[evaluat]\n"
        "[[publish]]\n"
    )
    texts = {
        "right": right,
        "wrong": wrong,
        "not_toml": "[run\n",
        "beta": "[run]\nbeta = 0.9\n",
        "majority": "[run]\nstrategy = 'majority'\nalpha = 0.4\n",
        "twice": "[run]\ncolumn = ['label=a', 'label=b']\n",
    }
    for name, text in texts.items():
        (made / f"{name}.toml").write_text(text)
