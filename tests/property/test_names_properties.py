"""Cleaning labels: idempotent, the same in any order, and clean names stay what they are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate import NameSettings
from plant_aggregate.taxon_names.cleaner import NameCleaner
from plant_aggregate.taxon_names.rules import Name, read_name

GENERA = st.sampled_from(["Quercus", "Mentha", "Acer", "Crepi-hieracium", "Isoëtes"])
EPITHETS = st.sampled_from(["robur", "petraea", "novi-belgii", "alba", "piperita", "o'brienii"])
AUTHORS = st.sampled_from(
    [
        "L.",
        "(L.) Mill.",
        "d'Urv.",
        "'t Hart",
        "Hook.f.",
        "van Slageren",
        "Linnaeus, 1758",
        "hort. ex Chabaud",
        "l.",
        "De",
    ]
)
MARKS = (
    "× x X + subsp. ssp. var. f. cv. 'Peace' agg. s.l. s.str. sp. spp. sect. cf. aff. or / ? ex & et in 2 1758 auct. "
    "(Quercus) (Sub) Group group complex non nom. nud. ROBUR Robur nothosubsp. Q. _ <i> </i> &nbsp; † \" ' - . , ; "
    "\xa0 \u200b \u00ad е́ ü Ü ß ﬁ ç Æ"
)
WORDS = st.one_of(GENERA, EPITHETS, AUTHORS, st.sampled_from(MARKS.split(" ")), st.text(max_size=4))
LABELS = st.lists(WORDS, max_size=7).map(" ".join) | st.text(max_size=12)


@st.composite
def clean_labels(draw: st.DrawFn) -> str:
    """A name as the rules write it."""
    name = f"{draw(st.sampled_from(['', '× ', '+ ']))}{draw(GENERA)}"
    name += f" {draw(st.sampled_from(['', '× ']))}{draw(EPITHETS)}"
    below = st.sampled_from(
        ["", " subsp. robur", " var. alba", " f. pendula", " familiaris", " 'Peace'", " agg.", " s.l."]
    )
    return name + draw(below)


@pytest.fixture(scope="module", params=["rules", "lists"])
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NameSettings:
    if request.param == "rules":
        return NameSettings(names=True, higher_taxa=True)
    folder: Path = tmp_path_factory.mktemp("lists")
    synonyms = folder / "synonyms.tsv"
    synonyms.write_text(
        "verbatim\taccepted\nQuercus alba L.\tQuercus alba L.\nQuercus alba Hook.f.\tQuercus robur L.\n"
        "Acer robur\tAcer alba\nAcer alba\tMentha × piperita L.\nMentha petraea Mill.\tMentha alba\n"
        "ROBUR\tQuercus robur\n"
    )
    checklist = folder / "checklist.txt"
    checklist.write_text("Quercus alba L.\nQuercus robur\nMentha x piperita\nAcer robur\nMentha alba\nIsoetes alba\n")
    return NameSettings(names=True, synonyms=synonyms, checklist=checklist, to_species=True)


@given(labels=st.lists(LABELS, max_size=8))
def test_cleaning_twice_is_cleaning_once(settings: NameSettings, labels: list[str]) -> None:
    cleaned = [decision.label for decision in NameCleaner(settings).decide(labels)]
    kept = [label for label in cleaned if label is not None]
    assert [decision.label for decision in NameCleaner(settings).decide(kept)] == kept


@given(labels=st.lists(LABELS, max_size=8), seed=st.randoms(use_true_random=False))
def test_the_order_and_the_others_do_not_matter(settings: NameSettings, labels: list[str], seed: object) -> None:
    shuffled = sorted(labels, key=lambda _: seed.random())  # type: ignore[attr-defined]
    together = dict(zip(shuffled, NameCleaner(settings).decide(shuffled), strict=True))
    for label in labels:
        assert NameCleaner(settings).decide([label]) == [together[label]]


@given(label=clean_labels())
def test_clean_names_stay_what_they_are(label: str) -> None:
    name = read_name(label)
    assert isinstance(name, Name)
    assert (name.label, name.rules) == (label, ())


@given(label=LABELS)
def test_a_changed_label_has_a_rule_and_an_unchanged_one_has_none(label: str) -> None:
    name = read_name(label)
    if isinstance(name, Name):
        assert (name.label != label) is bool(name.rules)


@given(label=clean_labels(), author=AUTHORS)
def test_authors_do_not_make_another_name(label: str, author: str) -> None:
    name, plain = read_name(f"{label} {author}"), read_name(label)
    if not label.endswith("'"):  # authors do not follow a cultivar
        assert isinstance(name, Name)
        assert isinstance(plain, Name)
        assert (name.label, name.rank) == (plain.label, plain.rank)


@given(label=LABELS)
def test_what_has_a_mark_of_doubt_is_no_name(label: str) -> None:
    for doubtful in (f"{label} ?", f"cf. {label}", f"{label} / {label}", f"{label} or {label}", f"{label} cf."):
        assert not isinstance(read_name(doubtful), Name)
