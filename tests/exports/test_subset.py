"""A subset has all that a researcher expects of it, and each file agrees with the others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from tests.paths import SAMPLE

VOTES, TRUTH = SAMPLE / "votes.parquet", SAMPLE / "truth.parquet"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> plant_aggregate.Run:
    return plant_aggregate.run(VOTES, tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def subset(run: plant_aggregate.Run, tmp_path_factory: pytest.TempPathFactory) -> plant_aggregate.Subset:
    """A third of the genera."""
    folder = tmp_path_factory.mktemp("subset") / "third"
    return plant_aggregate.subset(run, folder, genera_share=0.3, truth=TRUTH)


def rows(subset: plant_aggregate.Subset, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(subset.folder / name).to_pylist()
    return found


def test_it_has_the_rows_of_the_observations_used(run: plant_aggregate.Run, subset: plant_aggregate.Subset) -> None:
    splits = rows(subset, "splits.parquet")
    ids = [row["observation_id"] for row in splits]
    consensus = pq.read_table(subset.folder / "consensus.parquet")
    used = pc.is_in(run.to_arrow().column("observation_id"), pa.array(ids))
    assert consensus.equals(run.to_arrow().filter(used))
    assert consensus.schema.equals(run.to_arrow().schema, check_metadata=True)
    wanted = set(ids)
    for name, source in (("votes.parquet", VOTES), ("truth.parquet", TRUTH)):
        found, of_all = rows(subset, name), pq.read_table(source).to_pylist()
        for row in (*found, *of_all):
            row |= {"voted_at": row["voted_at"].replace(tzinfo=None)} if "voted_at" in row else {}
        assert list(found[0]) == list(of_all[0])
        expected = [row for row in of_all if row["observation_id"] in wanted]
        assert sorted(found, key=str) == sorted(expected, key=str)


def test_all_species_of_a_genus_are_in_it_or_none(run: plant_aggregate.Run, subset: plant_aggregate.Subset) -> None:
    counts = subset.label_counts.to_pylist()
    sampled = {row["genus"] for row in counts if row["after"]}
    assert sampled
    for row in counts:
        if row["genus"] in sampled:
            assert row["after"] == row["eligible"]
        else:
            assert row["after"] == 0


def test_each_valid_observation_is_used_or_has_a_reason(
    run: plant_aggregate.Run, subset: plant_aggregate.Subset
) -> None:
    ids = [row["observation_id"] for name in ("splits.parquet", "excluded.parquet") for row in rows(subset, name)]
    assert sorted(ids) == run.to_arrow().column("observation_id").to_pylist()


def test_populations_are_what_subset_json_says(subset: plant_aggregate.Subset) -> None:
    for name, counts in subset.populations.items():
        assert (counts.size, counts.sum()) == (subset.facts[name]["species"], subset.facts[name]["observations"])
    assert subset.populations["after"].sum() == len(rows(subset, "splits.parquet"))
    assert np.all(np.diff(subset.populations["before"]) >= 0)
    figures = {row["figure"]: row for row in subset.facts["figures"]}
    assert figures["species"] == {
        "figure": "species",
        **{name: counts.size for name, counts in subset.populations.items()},
        "plantnet_300k": 1081,
    }


def test_classes_and_splits_agree(subset: plant_aggregate.Subset) -> None:
    splits, classes = rows(subset, "splits.parquet"), rows(subset, "classes.parquet")
    for row in splits:
        known = classes[row["class_index"]]
        assert (known["label"], known["genus"]) == (row["label"], row["genus"])
    for name in ("train", "validation", "test"):
        assert sum(row["split"] == name for row in splits) == sum(row[f"n_{name}"] for row in classes)


def test_it_can_have_the_observations_that_are_not_valid(run: plant_aggregate.Run, tmp_path: Path) -> None:
    found = plant_aggregate.subset(run, tmp_path / "all", genera_share=0.3, observations="classes")
    consensus, labels = rows(found, "consensus.parquet"), {row["label"] for row in rows(found, "classes.parquet")}
    expected = [row for row in run.to_arrow().to_pylist() if row["label"] in labels]
    assert consensus == expected
    assert {row["valid"] for row in consensus} == {True, False}
    voted = {row["observation_id"] for row in rows(found, "votes.parquet")}
    assert voted == {row["observation_id"] for row in expected}
    assert not (found.folder / "truth.parquet").exists()


def test_two_subsets_agree_on_what_they_share(run: plant_aggregate.Run, tmp_path: Path) -> None:
    def sets(name: str, **options: Any) -> dict[int, str]:
        found = plant_aggregate.subset(run, tmp_path / name, **options)
        return {row["observation_id"]: row["split"] for row in rows(found, "splits.parquet")}

    one, other = sets("share", genera_share=0.3), sets("number", n_genera=700, min_per_class=2)
    shared = one.keys() & other.keys()
    assert shared
    assert {i: one[i] for i in shared} == {i: other[i] for i in shared}


def test_integers_need_a_table_of_genera_to_be_sampled(tmp_path: Path) -> None:
    votes = pq.read_table(VOTES)
    names = votes.column("label").unique().sort()
    coded = votes.set_column(votes.column_names.index("label"), "label", pc.index_in(votes.column("label"), names))
    run = plant_aggregate.run(coded, tmp_path / "consensus")
    with pytest.raises(plant_aggregate.VotesError, match=r"labels are integers, .*--taxonomy"):
        plant_aggregate.subset(run, tmp_path / "none", n_genera=100, votes=coded)
    taxa = tmp_path / "taxa.parquet"
    pq.write_table(pa.table({"label": pa.array(range(len(names)), pa.int32()), "name": names}), taxa)
    by_code = plant_aggregate.subset(run, tmp_path / "coded", n_genera=300, votes=coded, taxonomy=taxa)
    by_name = plant_aggregate.subset(plant_aggregate.run(VOTES, tmp_path / "plain"), tmp_path / "named", n_genera=300)
    assert by_code.facts == by_name.facts
    assert [row["name"] for row in rows(by_code, "classes.parquet")] == [
        row["label"] for row in rows(by_name, "classes.parquet")
    ]


def test_votes_that_are_gone(write: Any, work: Path) -> None:
    run = plant_aggregate.run(write("votes.parquet"), work / "consensus", plant_aggregate.PlantNet(theta_conf=0.5))
    (work / "votes.parquet").unlink()
    with pytest.raises(plant_aggregate.VotesError, match=r"--votes, or split by observation \(--group observation\)"):
        plant_aggregate.subset(run, work / "subset", min_per_class=1)
    assert not (work / "subset").exists()
    found = plant_aggregate.subset(run, work / "subset", group="observation", min_per_class=1, require="none")
    assert sorted(found.record["files"]) == [
        *("classes.parquet", "consensus.parquet", "excluded.parquet", "label_counts.parquet"),
        *("splits.parquet", "subset.json"),
    ]
    assert "no votes.parquet: the votes of the run are gone" in str(found.blocks[3].content)


def test_json_of_the_folder(subset: plant_aggregate.Subset) -> None:
    record = json.loads((subset.folder / "export.json").read_text(encoding="utf-8"))
    assert record["export"] == "subset"
    assert record["options"]["genera_share"] == 0.3
    assert record["files"]["votes.parquet"]["rows"] == len(rows(subset, "votes.parquet"))


def test_an_option_that_there_is_not(run: plant_aggregate.Run, tmp_path: Path) -> None:
    with pytest.raises(plant_aggregate.ParameterError, match=r"a subset has no option 'share'; it has test, val, seed"):
        plant_aggregate.subset(run, tmp_path / "out", share=0.5)
