"""Faults of the public implementation that this one does not have."""

import warnings
from typing import Any

import pandas as pd
import pytest

import plant_aggregate


def fit(rows: list[dict[str, Any]], **parameters: Any) -> plant_aggregate.Consensus:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        return plant_aggregate.PlantNet(**parameters).fit(plant_aggregate.votes_from_table(pd.DataFrame(rows)))


def row(consensus: plant_aggregate.Consensus, observation_id: Any) -> dict[str, Any]:
    return next(r for r in consensus.to_arrow().to_pylist() if r["observation_id"] == observation_id)


def user(consensus: plant_aggregate.Consensus, user_id: Any) -> dict[str, Any]:
    return next(r for r in consensus.users_to_arrow().to_pylist() if r["user_id"] == user_id)


def vote(observation_id: Any, user_id: Any, label: Any, is_author: bool = False) -> dict[str, Any]:
    return {"observation_id": observation_id, "user_id": user_id, "label": label, "is_author": is_author}


def expert_votes(n_species: int, expert: Any = "expert") -> list[dict[str, Any]]:
    """An expert who authored ``n_species`` species, each confirmed by three others."""
    return [
        vote(1000 + species, voter, f"species {species:03d}", voter == expert)
        for species in range(n_species)
        for voter in (expert, f"helper {species} a", f"helper {species} b")
    ]


def test_an_experts_label_is_judged_by_its_own_support_not_the_majoritys() -> None:
    rows = [
        *expert_votes(60),
        vote(1, "expert", "Quercus robur"),
        vote(1, "novice a", "Quercus petraea", True),
        vote(1, "novice b", "Quercus petraea"),
    ]
    found = row(fit(rows), 1)
    assert found["label"] == "Quercus robur"
    assert found["agreement"] == pytest.approx(found["weight"] / (found["weight"] + 2 * 0.7419373447293773))
    assert found["agreement"] >= 0.7
    assert found["valid"]
    assert found["runner_up"] == "Quercus petraea"
    assert found["margin"] > 0


def test_lone_uploads_of_76_species_earn_nothing() -> None:
    rows = [vote(species, "uploader", f"species {species}", True) for species in range(76)]
    consensus = fit(rows)
    assert user(consensus, "uploader")["n_species"] == 0
    assert not consensus.valid.any()
    assert set(consensus.to_pandas()["status"]) == {"needs_votes"}


def test_ids_need_be_neither_contiguous_nor_integers() -> None:
    rows = expert_votes(9)
    plain = fit(rows).to_pandas().drop(columns=["observation_id"])
    spread = fit([{**r, "observation_id": r["observation_id"] ** 5} for r in rows]).to_pandas()
    named = fit([{**r, "observation_id": f"obs-{r['observation_id']}"} for r in rows]).to_pandas()
    pd.testing.assert_frame_equal(plain, spread.drop(columns=["observation_id"]))
    pd.testing.assert_frame_equal(plain, named.drop(columns=["observation_id"]))


def test_label_order_decides_nothing_but_the_last_tie() -> None:
    """Renaming labels so that their order is reversed renames the result, where no last tie-break was needed."""
    rows = [*expert_votes(12), vote(1, "expert", "species 003"), vote(1, "n", "species 009", True), vote(2, "n", "zz")]
    names = sorted({r["label"] for r in rows})
    reversed_names = dict(zip(names, reversed(names), strict=True))
    straight = fit(rows).to_pandas()
    renamed = fit([{**r, "label": reversed_names[r["label"]]} for r in rows]).to_pandas()
    for column in ("label", "runner_up"):
        straight[column] = [reversed_names.get(name) for name in straight[column]]
    pd.testing.assert_frame_equal(straight, renamed)


def test_an_even_tie_without_author_goes_to_the_smallest_label() -> None:
    assert row(fit([vote(1, "a", "b-label"), vote(1, "b", "a-label")]), 1)["label"] == "a-label"
    assert row(fit([vote(1, "a", 10), vote(1, "b", 9)]), 1)["label"] == 9
