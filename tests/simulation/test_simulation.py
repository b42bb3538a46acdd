import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.errors import ParameterError, PublishError
from plant_aggregate.schema import AI_VOTES, TRUTH, VOTES
from plant_aggregate.simulation import published, simulate
from plant_aggregate.simulation.marginals import published_at


@pytest.fixture(scope="module")
def tenth():
    """A tenth of the published size: three blocks."""
    return simulate(0.1, seed=3, ai=True).tables


@pytest.fixture(scope="module")
def votes(tenth):
    """Votes of the tenth, beside the true label."""
    truth = tenth.truth.to_pandas().set_index("observation_id")["label"]
    frame = tenth.votes.to_pandas()
    return frame.assign(right=frame["label"].to_numpy() == truth.loc[frame["observation_id"]].to_numpy())


def test_counts_are_exact_by_construction(votes, tenth):
    target = published_at(0.1)
    assert votes["observation_id"].nunique() == target.observations == 669_959
    assert len(votes) == target.votes == 900_511
    assert votes["user_id"].nunique() == target.users == 82_325
    assert votes["label"].nunique() == target.species == tenth.truth.column("label").to_pandas().nunique()


def test_shares_are_the_published_ones(votes, tenth):
    grouped = votes.groupby("observation_id")["label"]
    assert (grouped.size() > 1).mean() == pytest.approx(published.MULTI_VOTE_SHARE, rel=0.02)
    assert (grouped.nunique() > 1).mean() == pytest.approx(published.DISAGREED_SHARE, rel=0.02)
    assert (votes["user_id"].value_counts() == 1).mean() == pytest.approx(published.ONE_VOTE_USER_SHARE, rel=0.02)
    by_species = np.sort(tenth.truth.column("label").to_pandas().value_counts().to_numpy())
    assert by_species[: int(0.8 * len(by_species))].sum() / by_species.sum() == pytest.approx(0.11, abs=0.01)


def test_the_marginals_reported_are_those_of_the_tables(votes, tenth):
    reached = tenth.marginals
    assert reached.observations == votes["observation_id"].nunique()
    assert reached.votes == len(votes)
    assert reached.users == votes["user_id"].nunique()
    assert reached.species == votes["label"].nunique()
    assert reached.disagreed_share == (votes.groupby("observation_id")["label"].nunique() > 1).mean()
    assert reached.one_vote_user_share == (votes["user_id"].value_counts() == 1).mean()


def test_the_full_scale_has_exactly_the_published_counts():
    totals = simulate(1).totals
    assert (totals.observations, totals.votes, totals.users) == (6_699_593, 9_005_108, 823_251)
    assert published_at(1).species == 11_425


def test_nobody_votes_twice_and_nobody_else_is_author(votes):
    assert not votes.duplicated(["observation_id", "user_id"]).any()
    authored = votes[votes["is_author"]]
    assert not authored["observation_id"].duplicated().any()
    assert len(authored) == pytest.approx(0.98 * 669_959, abs=1)


def test_rows_are_ordered_by_time_and_authors_vote_first(votes):
    assert votes["voted_at"].is_monotonic_increasing
    first = votes.groupby("observation_id")["voted_at"].min()
    authored = votes[votes["is_author"]]
    assert (first.loc[authored["observation_id"]].to_numpy() == authored["voted_at"].to_numpy()).all()


def test_observation_ids_ascend_with_the_upload_and_have_gaps(votes):
    uploads = votes[votes["is_author"]]["observation_id"].to_numpy()
    assert (np.diff(uploads) >= 0).mean() > 0.999  # two in the same millisecond may stand in either order
    assert uploads.min() >= 1_000_000_000
    assert 4.5 < np.ptp(uploads) / 669_959 < 5.5


def test_skill_grows_with_activity(votes):
    of_user = votes.groupby("user_id")["right"].agg(["size", "mean"])
    skill = of_user.groupby(pd.cut(of_user["size"], [0, 1, 10, 100, 1e9]), observed=True)["mean"].mean()
    assert (np.diff(skill) > 0).all()
    assert skill.iloc[-1] > 0.9


def test_active_users_review_and_know_many_species(votes):
    of_user = votes.groupby("user_id").agg(
        size=("label", "size"), species=("label", "nunique"), authored=("is_author", "mean")
    )
    active = of_user[of_user["size"] > 1000]
    assert active["species"].min() > 100
    assert active["authored"].mean() < 0.75
    assert of_user[of_user["size"] == 1]["authored"].mean() > 0.95


def test_mistakes_stay_mostly_inside_the_genus(votes, tenth):
    truth = tenth.truth.to_pandas().set_index("observation_id")["label"]
    wrong = votes[~votes["right"]]
    named = wrong["label"].str.split().str[0].to_numpy()
    true = truth.loc[wrong["observation_id"]].str.split().str[0].to_numpy()
    assert (named == true).mean() == pytest.approx(0.8, abs=0.03)


def test_reviewers_mostly_confirm(votes):
    contested = (votes.groupby("observation_id")["label"].transform("nunique") > 1) & ~votes["is_author"]
    assert contested.sum() < 0.15 * (~votes["is_author"]).sum()


def test_the_ai_is_right_more_often_where_its_score_is_high(tenth):
    assert tenth.ai_votes.num_rows == 669_959
    ai = tenth.ai_votes.to_pandas()
    right = (ai["label"] == tenth.truth.to_pandas()["label"]).to_numpy()
    assert ai["score"].between(0, 1).all()
    assert right[ai["score"] > 0.7].mean() > right.mean() > right[ai["score"] < 0.4].mean()


def test_columns_are_those_of_the_contract(tenth):
    for table, contract in ((tenth.votes, VOTES), (tenth.truth, TRUTH), (tenth.ai_votes, AI_VOTES)):
        assert table.column_names == [column.name for column in contract]
        assert not any(column.null_count for column in table.columns)
    assert [str(field.type) for field in tenth.votes.schema] == [
        "int64",
        "int64",
        "string",
        "bool",
        "timestamp[us, tz=UTC]",
    ]


def test_the_same_seed_gives_the_same_log_and_another_seed_another():
    one, same, other = (simulate(0.001, seed=seed, ai=True).tables for seed in (5, 5, 6))
    assert one.votes.equals(same.votes)
    assert one.truth.equals(same.truth)
    assert one.ai_votes.equals(same.ai_votes)
    assert not one.votes.equals(other.votes)


def test_ai_votes_and_experts_leave_the_votes_as_they_are():
    plain = simulate(0.001, seed=5).tables
    assert plain.ai_votes is None
    assert plain.votes.equals(simulate(0.001, seed=5, ai=True, experts=0.3).tables.votes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1e-9, 1.5e-7, 3e-7, 5e-7, 1e-6, 2e-6, 5e-6, 1e-5, 3e-5, 1e-4])
def test_a_handful_of_observations_is_possible(scale, seed):
    simulation = simulate(scale, seed=seed, ai=True)
    frame = simulation.tables.votes.to_pandas()
    assert frame["observation_id"].nunique() == simulation.totals.observations
    assert len(frame) == simulation.totals.votes
    assert not frame.duplicated(["observation_id", "user_id"]).any()
    assert simulation.tables.truth.num_rows == simulation.totals.observations


def test_experts_see_a_share_and_prefer_observations_with_several_votes():
    tables = simulate(0.01, experts=0.1).tables
    assert tables.truth.num_rows == round(0.1 * 66_996)
    sizes = tables.votes.to_pandas()["observation_id"].value_counts()
    seen = sizes.loc[tables.truth.column("observation_id").to_pylist()]
    assert (seen > 1).mean() > 0.5 > (sizes > 1).mean()
    assert simulate(0.0001, experts=0).tables.truth.num_rows == 0


def test_string_ids_stand_for_the_integers_one_to_one():
    texts = simulate(0.001, ids="string").tables.votes.to_pandas()
    numbers = simulate(0.001).tables.votes.to_pandas()
    for column, pattern in (
        ("observation_id", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("user_id", r"user-\d{10}"),
    ):
        assert texts[column].str.fullmatch(pattern).all()
        assert (pd.factorize(texts[column])[0] == pd.factorize(numbers[column])[0]).all()
    assert texts["user_id"].iloc[0] == f"user-{numbers['user_id'].iloc[0]:010d}"


def test_files_hold_the_tables(tmp_path):
    simulation = simulate(0.001, ai=True, ids="string")
    assert simulation.write(tmp_path / "new" / "folder") == simulation.tables.marginals
    for name in ("votes", "truth", "ai_votes"):
        assert pq.read_table(tmp_path / f"new/folder/{name}.parquet").equals(getattr(simulation.tables, name))
    assert len(list((tmp_path / "new/folder").iterdir())) == 3


def test_an_earlier_simulation_is_replaced_only_when_asked(tmp_path):
    simulate(1e-5, seed=1, ai=True).write(tmp_path)
    with pytest.raises(ParameterError, match=r"votes\.parquet: exists already"):
        simulate(1e-5).write(tmp_path)
    simulate(1e-5, seed=2).write(tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["truth.parquet", "votes.parquet"]
    assert pq.read_table(tmp_path / "votes.parquet").equals(simulate(1e-5, seed=2).tables.votes)


@pytest.mark.parametrize("name", ["votes.parquet", "truth.parquet", "ai_votes.parquet"])
@pytest.mark.parametrize("contents", ["a table", "no table"])
def test_files_that_no_simulation_made_are_never_replaced(tmp_path, name, contents):
    simulate(1e-5, seed=1, ai=True).write(tmp_path)
    path = tmp_path / name
    if contents == "a table":
        pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    else:
        path.write_bytes(b"PAR1 notes PAR1")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(ParameterError, match=rf"{name}: has no mark of a simulation.* remove the file by hand"):
        simulate(1e-5, seed=2).write(tmp_path, overwrite=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    simulate(1e-5, seed=1).write(tmp_path)
    before = (tmp_path / "votes.parquet").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    with pytest.raises(PublishError, match="no space left"):
        simulate(1e-5, seed=2).write(tmp_path, overwrite=True)
    assert (tmp_path / "votes.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["truth.parquet", "votes.parquet"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="is a file"):
        simulate(1e-5).write(tmp_path / "file")


@pytest.mark.parametrize(
    "parameters",
    [
        {"scale": 0},
        {"scale": -1},
        {"scale": float("nan")},
        {"scale": float("inf")},
        {"scale": 61},
        {"seed": -1},
        {"experts": 1.5},
        {"experts": float("nan")},
        {"ids": "uuid"},
    ],
)
def test_parameters_out_of_range_are_refused_at_once(parameters):
    with pytest.raises(ParameterError):
        simulate(**parameters)


def test_labels_are_dictionary_pages_in_the_file(tmp_path):
    simulate(0.001).write(tmp_path)
    column = pq.ParquetFile(tmp_path / "votes.parquet").metadata.row_group(0).column(2)
    assert "RLE_DICTIONARY" in column.encodings
    assert pq.read_schema(tmp_path / "votes.parquet").field("label").type == pa.string()
