"""Each rule, on labels that platforms have."""

import pytest

from plant_aggregate.taxon_names.rules import (
    ABOVE,
    AGGREGATE,
    BELOW,
    CULTIVAR,
    FORMULA,
    SPECIES,
    Name,
    Refused,
    read_name,
)

KEPT_AS = {
    # What a rule writes otherwise.
    "Quercus robur": ("Quercus robur", SPECIES, ()),
    "  Quercus \xa0robur\t": ("Quercus robur", SPECIES, ("white space",)),
    "Quercus\u200b robur\ufeff": ("Quercus robur", SPECIES, ("Unicode form",)),
    "Quercus_robur": ("Quercus robur", SPECIES, ("underscores",)),
    "Homo_sapiens_L": ("Homo sapiens", SPECIES, ("underscores", "authorship")),
    "<i>Quercus robur</i> L.": ("Quercus robur", SPECIES, ("markup", "authorship")),
    "Erinus alpinus&nbsp;L.": ("Erinus alpinus", SPECIES, ("white space", "markup", "authorship")),
    "Isoe\u0308tes lacustris": ("Isoëtes lacustris", SPECIES, ("Unicode form",)),
    "Cæsalpinia pulcherrima": ("Caesalpinia pulcherrima", SPECIES, ("Unicode form",)),
    "Aster novae–angliae": ("Aster novae-angliae", SPECIES, ("Unicode form",)),
    '"Quercus robur"': ("Quercus robur", SPECIES, ("marks around it",)),
    "†Megaloceros giganteus": ("Megaloceros giganteus", SPECIES, ("marks around it",)),
    "Quercus robur.": ("Quercus robur", SPECIES, ("marks around it",)),
    "quercus robur": ("Quercus robur", SPECIES, ("case",)),
    "QUERCUS ROBUR": ("Quercus robur", SPECIES, ("case",)),
    "Quercus Robur": ("Quercus robur", SPECIES, ("case",)),
    "Aster Novi-Belgii": ("Aster novi-belgii", SPECIES, ("case",)),
    "quercus robur l.": ("Quercus robur", SPECIES, ("case", "authorship")),
    "Papaver Rhoeas L.": ("Papaver rhoeas", SPECIES, ("case", "authorship")),
    "Mentha x piperita": ("Mentha × piperita", SPECIES, ("hybrid sign",)),
    "Mentha X piperita": ("Mentha × piperita", SPECIES, ("hybrid sign",)),
    "Mentha ×piperita": ("Mentha × piperita", SPECIES, ("hybrid sign",)),
    "Mentha ✕ piperita": ("Mentha × piperita", SPECIES, ("Unicode form",)),
    "Mentha xpiperita": ("Mentha xpiperita", SPECIES, ()),
    "x Aegilotriticum grenieri": ("× Aegilotriticum grenieri", SPECIES, ("hybrid sign",)),
    "+ Laburnocytisus adamii": ("+ Laburnocytisus adamii", SPECIES, ()),
    "Erinus alpinus L.": ("Erinus alpinus", SPECIES, ("authorship",)),
    "× Aegilotriticum langeanum (Amo) van Slageren": ("× Aegilotriticum langeanum", SPECIES, ("authorship",)),
    "Campanula kermanica (Rech.f., Aellen & Esfand.) Rech.f.": ("Campanula kermanica", SPECIES, ("authorship",)),
    "Orobanche pubescens d'Urv.": ("Orobanche pubescens", SPECIES, ("authorship",)),
    "Orobanche pubescens d’Urv.": ("Orobanche pubescens", SPECIES, ("Unicode form", "authorship")),
    "Phedimus spurius (M.Bieb.) 't Hart": ("Phedimus spurius", SPECIES, ("authorship",)),
    "Phoenix canariensis hort. ex Chabaud": ("Phoenix canariensis", SPECIES, ("authorship",)),
    "Roemeria sicula (Guss.) ined.": ("Roemeria sicula", SPECIES, ("authorship",)),
    "Agrostis nobilis De Not. ex Parl.": ("Agrostis nobilis", SPECIES, ("authorship",)),
    "Agrostis kronokensis Prob.": ("Agrostis kronokensis", SPECIES, ("authorship",)),
    "Vulpes vulpes (Linnaeus, 1758)": ("Vulpes vulpes", SPECIES, ("authorship",)),
    "Hookeria lucens Hook. f. ex Benth.": ("Hookeria lucens", SPECIES, ("authorship",)),
    "Poa annua L., non Host": ("Poa annua", SPECIES, ("authorship",)),
    "Aster (Symphyotrichum) novi-belgii": ("Aster novi-belgii", SPECIES, ("subgenus",)),
    "Achillea millefolium s.str.": ("Achillea millefolium", SPECIES, ("s.str.",)),
    "Achillea millefolium sensu stricto": ("Achillea millefolium", SPECIES, ("s.str.",)),
    "Bellis perennis ssp.": ("Bellis perennis", SPECIES, ("rank without a name",)),
    # Ranks below species.
    "Quercus robur L. subsp. robur": ("Quercus robur subsp. robur", BELOW, ("authorship",)),
    "Quercus robur ssp.petraea": ("Quercus robur subsp. petraea", BELOW, ("rank written as",)),
    "Quercus robur L. f. pendula": ("Quercus robur f. pendula", BELOW, ("authorship",)),
    "Brassica oleracea var. capitata L. f. rubra (L.) Thell.": (
        "Brassica oleracea f. rubra",
        BELOW,
        ("authorship", "one rank below species"),
    ),
    "Canis lupus familiaris": ("Canis lupus familiaris", BELOW, ()),
    "Acer palmatum ‘Osakazuki’": ("Acer palmatum 'Osakazuki'", CULTIVAR, ("Unicode form",)),
    "Acer palmatum cv. Osakazuki": ("Acer palmatum 'Osakazuki'", CULTIVAR, ("rank written as",)),
    "Rosa 'Peace'": ("Rosa 'Peace'", CULTIVAR, ()),
    "Brassica oleracea (Capitata Group)": ("Brassica oleracea Capitata Group", CULTIVAR, ("rank written as",)),
    # More than a species.
    "Rubus fruticosus aggr.": ("Rubus fruticosus agg.", AGGREGATE, ("agg.",)),
    "Rubus fruticosus L. agg.": ("Rubus fruticosus agg.", AGGREGATE, ("authorship",)),
    "Rosa canina species complex": ("Rosa canina agg.", AGGREGATE, ("agg.",)),
    "Achillea millefolium sensu lato": ("Achillea millefolium s.l.", AGGREGATE, ("s.l.",)),
    "Arum italicum x Arum maculatum": ("Arum italicum × Arum maculatum", FORMULA, ("hybrid sign",)),
    "Quercus robur × petraea": ("Quercus petraea × Quercus robur", FORMULA, ("parents in full", "order of parents")),
    "Allium commutatum × A. porrum": ("Allium commutatum × Allium porrum", FORMULA, ("parents in full",)),
    "Mentha × piperita × Mentha spicata": ("Mentha spicata × Mentha × piperita", FORMULA, ("order of parents",)),
    "Quercus sp.": ("Quercus", ABOVE, ("sp.",)),
    "Ophrys sp. 1": ("Ophrys", ABOVE, ("sp.",)),
    "Quercus L.": ("Quercus", ABOVE, ("authorship",)),
    "Salix Linnaeus": ("Salix", ABOVE, ("authorship",)),
    "GIRAFFE": ("Giraffe", ABOVE, ("case",)),
    "Taraxacum sect. Taraxacum F.H.Wigg.": ("Taraxacum sect. Taraxacum", ABOVE, ("authorship",)),
    "Rubus section Rubus": ("Rubus sect. Rubus", ABOVE, ("rank written as",)),
}
"""Label -> what it is kept as, its rank, and the rules that changed it."""

REFUSED = {
    "Betula pendula/pubescens": "several names",
    "Betula pendula / Betula pubescens": "several names",
    "Quercus robur or petraea": "several names",
    "Quercus robur + Quercus petraea": "several names",
    "Quercus cf. robur": "cf.",
    "CF. QUERCUS ROBUR": "cf.",
    "Quercus aff.robur": "aff.",
    "Quercus robur?": "a question mark",
    "Quercus robur (probably)": "a doubt in words",
    "Quercus robur hybrid": "a hybrid without a name",
    "Quercus × Lithocarpus": "a hybrid of genera",
    "Quercus robur x": "a hybrid formula that is not complete",
    "Quercus alba auct. non L.": "a name in another sense",
    "Quercus alba sensu Mill.": "a name in another sense",
    "Quercus robur p.p.": "a name in another sense",
    "Nothing here": "no name of a taxon",
    "unknown plant": "no name of a taxon",
    "NTHNGHR": "no name of a taxon",
    "Chenopodium 40": "a number",
    "Coccinella 7-punctata": "a number",
    "Q. robur": "an abbreviated genus",
    "Quercus robuг": "letters that are not Latin",
    "Quercus robur (English oak)": "not read as a name",
    "I don't know": "not read as a name",
    "Quercus robur, Quercus petraea": "not read as a name",
    "Quercus robur indet.": "not read as a name",
    "\u200b": "blank",
}
"""Label -> why it is no opinion."""


@pytest.mark.parametrize("label", KEPT_AS)
def test_a_label_is_kept_as_its_name(label: str) -> None:
    name = read_name(label)
    assert isinstance(name, Name)
    assert (name.label, name.rank, tuple(sorted(name.rules))) == (
        KEPT_AS[label][0],
        KEPT_AS[label][1],
        tuple(sorted(KEPT_AS[label][2])),
    )


@pytest.mark.parametrize("label", REFUSED)
def test_a_label_that_names_no_species_for_certain_is_refused(label: str) -> None:
    assert read_name(label) == Refused(REFUSED[label])


@pytest.mark.parametrize("label", KEPT_AS)
def test_what_a_label_is_kept_as_stays_as_it_is(label: str) -> None:
    once = read_name(label)
    assert isinstance(once, Name)
    again = read_name(once.label)
    assert isinstance(again, Name)
    assert (again.label, again.rank, again.species, again.rules) == (once.label, once.rank, once.species, ())


def test_names_below_species_know_their_species() -> None:
    found = {label: read_name(label) for label in KEPT_AS}
    of = {label: name.species for label, name in found.items() if isinstance(name, Name)}
    assert of["Quercus robur L. f. pendula"] == "Quercus robur"
    assert of["Acer palmatum cv. Osakazuki"] == "Acer palmatum"
    assert of["Rosa 'Peace'"] is None
    assert {of[label] for label, (_, rank, _) in KEPT_AS.items() if rank in (ABOVE, AGGREGATE, FORMULA)} == {None}
