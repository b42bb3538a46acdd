"""What changed from one run to the next, and why, equals the slow reference and is what it says."""

import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.publishing.changes import Incomparable, find_changes, no_changes
from plant_aggregate.publishing.digests import Digests
from plant_aggregate.publishing.record import UNKNOWN, RunRecord
from plant_aggregate.publishing.tables import write_consensus
from plant_aggregate.schema import CHANGES, arrow_schema
from plant_aggregate.settings import Settings
from tests.property.test_ai_properties import ai_votes, logs_with_ai
from tests.records import sign
from tests.reference import changes as reference
from tests.rows import votes_of

Rows = list[dict[str, Any]]
Scored = dict[Any, tuple[Any, float]]
Log = tuple[Rows, Scored]

AI_MODES = (None, "ignore", "user", "fixed", "invalidating", "confident")


# --- Against the reference --------------------------------------------------------------------------------------------


@st.composite
def pairs_of_logs(draw: st.DrawFn) -> tuple[Log, Log]:
    """A log, and what became of it: votes are gone, others or new, and so is what the AI says."""
    rows, scored = draw(logs_with_ai())
    labels = sorted({row["label"] for row in rows})
    observations = sorted({row["observation_id"] for row in rows})
    what = st.sampled_from(["kept"] * 8 + ["gone", "another label", "another author", "elsewhere"])
    changed = []
    for row in rows:
        fate = draw(what)
        if fate == "another label":
            changed.append({**row, "label": draw(st.sampled_from(labels))})
        elif fate == "another author" and "is_author" in row:
            changed.append({**row, "is_author": not row["is_author"]})
        elif fate == "elsewhere":
            new = f"{observations[0]}x" if isinstance(observations[0], str) else observations[0] - 1
            changed.append({**row, "observation_id": new})
        elif fate != "gone":
            changed.append(row)
    assume(changed)
    unique = {(row["observation_id"], row["user_id"]): row for row in changed}
    said = {i: vote for i, vote in scored.items() if draw(st.sampled_from([True, True, False]))}
    for i in sorted(draw(st.sets(st.sampled_from(sorted(scored))))):
        said[i] = draw(st.sampled_from(labels)), draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    assume(said)
    return (rows, scored), (list(unique.values()), said)


def write(log: Log, ai_mode: str | None, path: Path, labels: dict[Any, Any] | None = None) -> dict[Any, reference.Row]:
    """Write the consensus of a log, with experts' ``labels``; what it says, and the votes it says it of."""
    rows, scored = log
    voted_on = {row["observation_id"] for row in rows} | (scored.keys() if ai_mode else set())
    known = {i: label for i, label in (labels or {}).items() if i in voted_on}
    experts = None
    if known:
        experts = plant_aggregate.truth_from_table({"observation_id": list(known), "label": list(known.values())})
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        votes = votes_of(rows)
        if ai_mode is None:
            consensus = plant_aggregate.PlantNet().fit(votes, experts=experts)
        else:
            strategy = plant_aggregate.PlantNet(ai_mode=ai_mode)
            consensus = strategy.fit(votes, ai_votes=ai_votes(scored), experts=experts)
    path.mkdir()
    write_consensus(consensus, path, [Digests(consensus.votes)])
    cast: dict[Any, set[tuple[Any, ...]]] = {}
    for row in rows:
        vote = row["user_id"], row["label"], bool(row.get("is_author"))
        cast.setdefault(row["observation_id"], set()).add(vote)
    if ai_mode == "user":  # then the AI's are votes as any other's
        for i, (label, _) in scored.items():
            cast.setdefault(i, set()).add(("AI", label, False))
    return {
        row["observation_id"]: {
            "label": row["label"],
            "status": row["status"],
            "votes": frozenset(cast.get(row["observation_id"], ())),
            "expert": known.get(row["observation_id"]),
            "ai": None if row.get("ai_label") is None else (row["ai_label"], row["ai_score"]),
        }
        for row in consensus.to_arrow().to_pylist()
    }


@given(pairs_of_logs(), st.sampled_from(AI_MODES), st.sampled_from(AI_MODES), st.booleans(), st.data())
@settings(max_examples=80)
def test_changes_equal_the_reference(
    logs: tuple[Log, Log], mode_before: str | None, mode_now: str | None, tells_votes: bool, data: st.DataObject
) -> None:
    observations, labels = ({row[name] for row in logs[0][0]} for name in ("observation_id", "label"))
    some = st.dictionaries(st.sampled_from(sorted(observations)), st.sampled_from(sorted(labels)))
    known = data.draw(some), data.draw(some)
    with TemporaryDirectory() as name:
        folders = Path(name) / "old", Path(name) / "new"
        modes = mode_before, mode_now
        each = zip(logs, modes, folders, known, strict=True)
        old, new = (write(log, mode, folder, labels) for log, mode, folder, labels in each)
        paths = [folder / "consensus.parquet" for folder in folders]
        if not tells_votes:
            pq.write_table(pq.read_table(paths[0]).drop_columns(["votes_digest"]), paths[0])
        records = [RunRecord(run_id=f"of {mode}", parameters={"ai_mode": mode, "ai_threshold": 0.7}) for mode in modes]
        found = find_changes(str(paths[0]), str(paths[1]), *records)
    rows, summary = reference.changes(
        old, new, other_settings=mode_before != mode_now, ai_mode=mode_now or mode_before, tells_votes=tells_votes
    )
    assert found.table.to_pylist() == rows
    assert found.summary == {"against": f"of {mode_before}", **summary}


@pytest.mark.slow
@given(pairs_of_logs(), st.sampled_from([mode for mode in AI_MODES if mode not in (None, "user")]))
@settings(max_examples=100)
def test_the_ai_is_a_reason_where_and_only_where_another_vote_of_it_would_count(
    logs: tuple[Log, Log], mode: str
) -> None:
    """The new consensus is made again, with the AI's vote of before on one of the observations."""
    (_, said_before), (rows, said) = logs
    before, now = (consensus_of(log, mode) for log in logs)
    with TemporaryDirectory() as name:
        why = reasons(before, now, mode, Path(name))
    found = {row["observation_id"]: row for row in now.to_arrow().to_pylist()}
    for i in sorted(why.keys() & found.keys() & said_before.keys()):
        if said_before[i] == said.get(i) or why[i] == "votes":
            continue
        again = consensus_of((rows, {**said, i: said_before[i]}), mode).to_arrow().to_pylist()
        replaced = next(row for row in again if row["observation_id"] == i)
        same = all(replaced[name] == found[i][name] for name in RESULT)
        if why[i] != "ai":
            assert same
        elif replaced["ai_label"] == found[i]["ai_label"] or mode == "invalidating":
            assert not same


RESULT = ("label", "status", "weight", "agreement", "confidence")


def consensus_of(log: Log, ai_mode: str) -> plant_aggregate.Consensus:
    rows, scored = log
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        votes = votes_of(rows)
        return plant_aggregate.PlantNet(ai_mode=ai_mode).fit(votes, ai_votes=ai_votes(scored))


def reasons(
    before: plant_aggregate.Consensus, now: plant_aggregate.Consensus, ai_mode: str, folder: Path
) -> dict[Any, str | None]:
    """By observation that changed."""
    paths = []
    for name, consensus in (("old", before), ("new", now)):
        (folder / name).mkdir()
        write_consensus(consensus, folder / name, [Digests(consensus.votes)])
        paths.append(str(folder / name / "consensus.parquet"))
    record = RunRecord(parameters={"ai_mode": ai_mode, "ai_threshold": 0.7})
    rows = find_changes(*paths, record, record).table.to_pylist()
    return {row["observation_id"]: row["why"] for row in rows}


# --- As a curator sees it ---------------------------------------------------------------------------------------------


class Nights:
    """One run after the other in an output folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "consensus"

    def run(
        self, votes: Rows, strategy: plant_aggregate.PlantNet | None = None, **given_settings: Any
    ) -> plant_aggregate.Run:
        pq.write_table(pa.Table.from_pylist(votes), self.folder / "votes.parquet")
        return plant_aggregate.run(self.folder / "votes.parquet", self.output, strategy, Settings(**given_settings))

    def ai_votes(self, label: str, score: float = 0.9) -> Path:
        path = self.folder / "ai.parquet"
        pq.write_table(pa.table({"observation_id": [1], "label": [label], "score": [score]}), path)
        return path

    def changes(self) -> Rows:
        return list(pq.read_table(self.output / "latest" / "changes.parquet").to_pylist())


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def vote(observation: int | str, user: str, label: str, author: bool = False) -> dict[str, Any]:
    return {"observation_id": observation, "user_id": user, "label": label, "is_author": author}


LONE = [vote(1, "ana", "Abies alba", author=True), vote(2, "bo", "Acer opalus", author=True)]


def test_there_is_nothing_before_a_first_run(nights: Nights) -> None:
    assert nights.run(LONE).manifest["changes"] is None
    assert nights.changes() == []


def test_the_same_votes_again_change_nothing(nights: Nights) -> None:
    first = nights.run(LONE)
    counts = nights.run(LONE).manifest["changes"]
    assert nights.changes() == []
    assert (counts["against"], counts["in_both"]) == (first.run_id, 2)
    assert not any(counts["why"].values())


def test_another_vote_is_a_reason(nights: Nights) -> None:
    nights.run(LONE)
    counts = nights.run([*LONE[:1], vote(2, "bo", "Acer campestre", author=True)]).manifest["changes"]
    assert nights.changes() == [
        {
            "observation_id": 2,
            "old_label": "Acer opalus",
            "new_label": "Acer campestre",
            "old_status": "needs_votes",
            "new_status": "needs_votes",
            "why": "votes",
        }
    ]
    assert (counts["label_changed"], counts["label_changes_share"], counts["why"]["votes"]) == (1, 0.5, 1)


def test_an_observation_that_comes_or_goes_does_so_by_its_votes(nights: Nights) -> None:
    nights.run(LONE[:1])
    nights.run(LONE[1:])
    assert [(row["observation_id"], row["old_label"], row["new_label"], row["why"]) for row in nights.changes()] == [
        (1, "Abies alba", None, "votes"),
        (2, None, "Acer opalus", "votes"),
    ]


def test_another_word_of_the_ai_is_a_reason(nights: Nights) -> None:
    strategy = plant_aggregate.PlantNet(ai_mode="fixed")
    nights.run(LONE, strategy, ai_votes=nights.ai_votes("Abies alba"))
    counts = nights.run(LONE, strategy, ai_votes=nights.ai_votes("Abies grandis")).manifest["changes"]
    assert [(row["observation_id"], row["new_label"], row["why"]) for row in nights.changes()] == [
        (1, "Abies grandis", "ai")
    ]
    assert counts["why"] == {"votes": 0, "experts": 0, "ai": 1, "settings": 0, "weights": 0}


def test_another_label_of_experts_is_a_reason_and_moves_weights(nights: Nights) -> None:
    """The file of experts changes every night: it explains its own observations, not all that follows."""
    path = nights.folder / "experts.parquet"
    nights.run(LONE)
    pq.write_table(pa.table({"observation_id": [1], "label": ["Acer opalus"]}), path)
    counts = nights.run(LONE, experts=path).manifest["changes"]
    assert [(row["observation_id"], row["new_label"], row["why"]) for row in nights.changes()] == [
        (1, "Acer opalus", "experts")
    ]
    assert counts["why"]["experts"] == 1
    votes = [*DISPUTED, *(vote(10 + number, "ana", f"species {number}", author=True) for number in range(9))]
    nights.run(votes)
    pq.write_table(pa.table({"observation_id": range(10, 19), "label": [f"species {k}" for k in range(9)]}), path)
    nights.run(votes, experts=path)
    found = {row["observation_id"]: (row["new_label"], row["why"]) for row in nights.changes()}
    assert found.pop(1) == ("Abies alba", "weights")
    assert {why for _, why in found.values()} == {"experts"}


DISPUTED = [vote(1, "ana", "Abies alba", author=True), vote(1, "bo", "Acer opalus"), vote(1, "eve", "Acer opalus")]
NINE_SPECIES_OF_ANA = [
    vote(10 + number, user, f"species {number}", author=user == "ana")
    for number in range(9)
    for user in ("ana", "gil", "flo")
]


@pytest.mark.parametrize(
    ("mode", "before", "now", "why"),
    [
        ("ignore", ("Abies alba", 0.5), ("Acer opalus", 0.9), "weights"),
        ("user", ("Abies alba", 0.5), ("Abies alba", 0.9), "weights"),
        ("user", ("Acer opalus", 0.9), ("Abies alba", 0.9), "votes"),
        ("fixed", ("Abies alba", 0.5), ("Abies alba", 0.9), "weights"),
        ("fixed", ("Acer opalus", 0.9), ("Abies alba", 0.9), "ai"),
        ("confident", ("Abies alba", 0.1), ("Abies alba", 0.6), "weights"),
        ("confident", ("Acer opalus", 0.1), ("Abies alba", 0.6), "weights"),
        ("confident", ("Abies alba", 0.7), ("Abies alba", 0.9), "weights"),
        ("confident", ("Abies alba", 0.6), ("Abies alba", 0.7), "ai"),
        ("confident", ("Acer opalus", 0.7), ("Abies alba", 0.7), "ai"),
        ("invalidating", ("Abies alba", 0.5), ("Abies alba", 0.9), "weights"),
        ("invalidating", ("Acer opalus", 0.5), ("Ilex aquifolium", 0.5), "weights"),
        ("invalidating", ("Acer opalus", 0.5), ("Abies alba", 0.5), "ai"),
    ],
)
def test_the_ai_is_a_reason_only_where_what_counts_of_its_vote_is_other(
    nights: Nights, mode: str, before: tuple[str, float], now: tuple[str, float], why: str
) -> None:
    """Ana gains weight, so that her label wins or is valid; meanwhile the AI says something else, or is surer of it."""
    strategy = plant_aggregate.PlantNet(ai_mode=mode, ai_weight=0.9)
    votes = DISPUTED if before[0] != now[0] else DISPUTED[:2]
    nights.run(votes, strategy, ai_votes=nights.ai_votes(*before))
    nights.run([*votes, *NINE_SPECIES_OF_ANA], strategy, ai_votes=nights.ai_votes(*now))
    (row,) = (row for row in nights.changes() if row["observation_id"] == 1)
    assert (row["new_label"], row["why"]) == ("Abies alba", why)


def test_another_threshold_is_a_setting_and_no_vote_of_the_ai(nights: Nights) -> None:
    for threshold in (0.95, 0.5):
        nights.run(LONE, plant_aggregate.PlantNet(ai_threshold=threshold), ai_votes=nights.ai_votes("Abies grandis"))
    assert [(row["observation_id"], row["why"]) for row in nights.changes()] == [(1, "settings")]


def test_what_the_ai_alone_names_is_there_for_the_ai(nights: Nights) -> None:
    strategy = plant_aggregate.PlantNet(ai_mode="ignore")
    nights.run(LONE[1:], strategy, ai_votes=nights.ai_votes("Abies grandis"))
    path = nights.folder / "ai.parquet"
    pq.write_table(pa.table({"observation_id": [7], "label": ["Abies alba"], "score": [0.5]}), path)
    nights.run(LONE[1:], strategy, ai_votes=path)
    assert [(row["observation_id"], row["why"]) for row in nights.changes()] == [(1, "ai"), (7, "ai")]


def test_other_settings_are_a_reason(nights: Nights) -> None:
    nights.run(LONE)
    counts = nights.run(LONE, plant_aggregate.PlantNet(theta_conf=0.5)).manifest["changes"]
    assert [(row["observation_id"], row["old_status"], row["new_status"], row["why"]) for row in nights.changes()] == [
        (1, "needs_votes", "valid", "settings"),
        (2, "needs_votes", "valid", "settings"),
    ]
    assert counts["became_valid"] == counts["why"]["settings"] == 2


@pytest.mark.parametrize("flags", [{}, {"ambiguous_below": 0.1}, {"ambiguous_quantile": 0.1}])
def test_weights_that_moved_are_a_reason(nights: Nights, flags: dict[str, float]) -> None:
    """Ana's lone observation gets valid, since others confirm nine further species of hers; no flag has a part in it.

    Where a run tells nothing of its settings, they might have.
    """
    before = nights.run(LONE)
    confirmed = [
        vote(10 + number, user, f"species {number}", author=user == "ana")
        for number in range(9)
        for user in ("ana", "eve", "flo")
    ]
    done = nights.run([*LONE, *confirmed], plant_aggregate.PlantNet(**flags))
    counts = done.manifest["changes"]
    moved = [row for row in nights.changes() if row["observation_id"] < 10]
    assert [(row["observation_id"], row["old_status"], row["new_status"], row["why"]) for row in moved] == [
        (1, "needs_votes", "valid", "weights")
    ]
    assert counts["why"] == {"votes": 9, "experts": 0, "ai": 0, "settings": 0, "weights": 1}
    assert (counts["new"], counts["gone"]) == (9, 0)
    for folder in (before.folder, done.folder):
        Path(folder, "run.json").unlink()
        assert plant_aggregate.diff(before.folder, done.folder).table["why"].to_pylist() == [None, *["votes"] * 9]


def test_a_run_that_kept_no_digests_gives_no_reason(nights: Nights) -> None:
    before = nights.run(LONE)
    path = before.folder / "consensus.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["votes_digest"]), path)
    sign(before.folder)
    counts = nights.run([vote(1, "ana", "Abies grandis", author=True), vote(3, "eve", "Acer opalus")]).manifest[
        "changes"
    ]
    assert [(row["observation_id"], row["why"]) for row in nights.changes()] == [(1, None), (2, "votes"), (3, "votes")]
    assert counts["label_changed"] == 1


def test_digests_of_another_hash_are_not_compared(nights: Nights) -> None:
    """Those of a version before the present hash: the night after an upgrade says no wrong reason."""
    before = nights.run(LONE)
    path = before.folder / "consensus.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("votes_digest")
    of_old = pa.array([1, 2], pa.uint32())
    pq.write_table(table.set_column(place, pa.field("votes_digest", pa.uint32()), of_old), path)
    sign(before.folder)
    nights.run([vote(1, "ana", "Abies grandis", author=True), *LONE[1:]], plant_aggregate.PlantNet(theta_conf=0.5))
    assert [(row["observation_id"], row["why"]) for row in nights.changes()] == [(1, None), (2, None)]


def test_user_0_is_heard_who_votes_label_0(nights: Nights) -> None:
    three = {"observation_id": 7, "user_id": 1, "label": 3, "is_author": True}
    nights.run([three])
    nights.run([three, {**three, "user_id": 0, "label": 0, "is_author": False}])
    assert [(row["new_status"], row["why"]) for row in nights.changes()] == [("contested", "votes")]


TEXT_IDS = [vote("1", "ana", "Abies alba", author=True)]


def no_consensus(run: Path) -> None:
    (run / "consensus.parquet").unlink()


def half_a_consensus(run: Path) -> None:
    content = (run / "consensus.parquet").read_bytes()
    (run / "consensus.parquet").write_bytes(content[: len(content) // 2])


def a_strange_status(run: Path) -> None:
    rows = pq.read_table(run / "consensus.parquet")
    place = rows.column_names.index("status")
    pq.write_table(rows.set_column(place, "status", pa.array(["well"] * len(rows))), run / "consensus.parquet")
    sign(run)


def no_run_json(run: Path) -> None:
    (run / "run.json").unlink()


def half_a_run_json(run: Path) -> None:
    (run / "run.json").write_text('{"run_id": ')


def a_strange_run_json(run: Path) -> None:
    (run / "run.json").write_text("[]")


@pytest.mark.parametrize(
    "damage", [no_consensus, half_a_consensus, a_strange_status, no_run_json, half_a_run_json, a_strange_run_json]
)
def test_against_a_damaged_run_nothing_is_known(nights: Nights, damage: Callable[[Path], None]) -> None:
    """A warning, and the run is published; but where a guard asks, it is held."""
    before = nights.run(LONE)
    damage(before.folder)
    not_known = pytest.warns(
        plant_aggregate.AggregateWarning, match=f"what changed since run {before.run_id} is not known: "
    )
    held = pytest.raises(plant_aggregate.HeldError, match=f"it cannot be compared with run {before.run_id} ")
    with not_known, held as caught:
        nights.run(LONE, max_label_changes=1.0)
    assert (nights.output / "latest").resolve() == before.folder.resolve()
    assert caught.value.run.manifest["held"] != []
    with pytest.warns(plant_aggregate.AggregateWarning, match="is not known"):
        done = nights.run(LONE)
    changes = done.manifest["changes"]
    assert set(changes) == {"against", "incomparable"}
    assert changes["against"] == before.run_id
    assert nights.changes() == []
    assert nights.run(LONE).manifest["changes"]["in_both"] == 2


def test_ids_of_another_kind_cannot_be_compared(nights: Nights) -> None:
    before = nights.run(LONE)
    with pytest.warns(plant_aggregate.AggregateWarning, match="observation_id is string and was int64"):
        done = nights.run(TEXT_IDS)
    assert done.manifest["changes"] == {
        "against": before.run_id,
        "incomparable": "observation_id is string and was int64",
    }
    with pytest.raises(plant_aggregate.VotesError, match=r"cannot be compared with .* \(observation_id is string"):
        plant_aggregate.diff(before.folder, done.folder)


@pytest.mark.parametrize(("old", "new", "fits"), [(2**40, 1, False), (-1, 1, False), (100, 1, True)])
def test_ids_of_another_width_are_compared_if_they_fit(nights: Nights, old: int, new: int, fits: bool) -> None:
    """What is gone must fit the type of the new ids, in which it is listed."""
    folders = []
    for kind, observation in ((pa.int64(), old), (pa.uint16(), new)):
        columns = {"observation_id": pa.array([observation]).cast(kind), "user_id": ["ana"], "label": ["Abies alba"]}
        path = nights.folder / f"{observation}-{kind}"
        path.mkdir()
        with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
            consensus = plant_aggregate.PlantNet().fit(plant_aggregate.votes_from_table(pa.table(columns)))
        write_consensus(consensus, path, [Digests(consensus.votes)])
        folders.append(str(path / "consensus.parquet"))
    if fits:
        assert find_changes(*folders, UNKNOWN, UNKNOWN).table["observation_id"].to_pylist() == [new, old]
    else:
        with pytest.raises(Incomparable, match="do not fit uint16 and string"):
            find_changes(*folders, UNKNOWN, UNKNOWN)


def test_changes_have_the_same_schema_with_and_without_a_run_before(tmp_path: Path) -> None:
    paths = []
    for label in ("Acer", "Abies"):
        votes = plant_aggregate.votes_from_table(
            pa.table({"observation_id": [7, 8], "user_id": [1, 1], "label": [label] * 2})
        )
        paths.append(tmp_path / f"{label}.parquet")
        pq.write_table(plant_aggregate.Majority().fit(votes).to_arrow(), paths[-1])
    found = find_changes(str(paths[0]), str(paths[1]), UNKNOWN, UNKNOWN)
    assert no_changes(paths[1]).schema == found.encoded.schema
    assert (
        found.table.schema
        == found.schema
        == arrow_schema(CHANGES, observation_id=pa.int64(), old_label=pa.string(), new_label=pa.string())
    )
    assert found.encoded["old_label"].combine_chunks().dictionary.to_pylist() == ["Abies", "Acer"]
