"""Names of species, the commonest first: real names, followed by composed ones."""

from functools import cache
from importlib.resources import files
from zlib import crc32

from .published import SPECIES

ADJECTIVES = (
    "alpestris alpestris alpestre, alpinus alpina alpinum, angustifolius angustifolia angustifolium, "
    "aquaticus aquatica aquaticum, arenarius arenaria arenarium, arvensis arvensis arvense, "
    "atlanticus atlantica atlanticum, austriacus austriaca austriacum, balcanicus balcanica balcanicum, "
    "bicolor bicolor bicolor, borealis borealis boreale, calcareus calcarea calcareum, "
    "campestris campestris campestre, corsicus corsica corsicum, creticus cretica creticum, "
    "dalmaticus dalmatica dalmaticum, decumbens decumbens decumbens, elegans elegans elegans, "
    "erectus erecta erectum, gallicus gallica gallicum, glaber glabra glabrum, gracilis gracilis gracile, "
    "graecus graeca graecum, grandiflorus grandiflora grandiflorum, hirsutus hirsuta hirsutum, "
    "hispanicus hispanica hispanicum, humilis humilis humile, illyricus illyrica illyricum, "
    "intermedius intermedia intermedium, italicus italica italicum, latifolius latifolia latifolium, "
    "littoralis littoralis littorale, lusitanicus lusitanica lusitanicum, luteus lutea luteum, "
    "macrophyllus macrophylla macrophyllum, maritimus maritima maritimum, microphyllus microphylla microphyllum, "
    "minor minor minus, montanus montana montanum, nemoralis nemoralis nemorale, orientalis orientalis orientale, "
    "palustris palustris palustre, parviflorus parviflora parviflorum, procumbens procumbens procumbens, "
    "pubescens pubescens pubescens, purpureus purpurea purpureum, pyrenaicus pyrenaica pyrenaicum, "
    "repens repens repens, rupestris rupestris rupestre, saxatilis saxatilis saxatile, "
    "sylvaticus sylvatica sylvaticum, tenuifolius tenuifolia tenuifolium, tomentosus tomentosa tomentosum, "
    "vulgaris vulgaris vulgare"
)
"""Epithets in masculine, feminine and neuter, from which further names are composed."""

LISTED_PER_ROUND = 3  # real names of a genus per round of composed names: large genera have most of the rare species


@cache
def species_names() -> tuple[str, ...]:
    """The names of SPECIES species, all different, the commonest first.

    First come the names of ``binomials.tsv`` (one line a genus: name, gender, epithets): those marked ``**`` are
    everyday plants, those marked ``*`` are well known. Composed names come last.
    """
    genera = _listed()
    ranked = [
        (-epithet.count("*"), place, crc32(f"{genus} {epithet}".encode()), f"{genus} {epithet.rstrip('*')}")
        for genus, (_, epithets) in genera.items()
        for place, epithet in enumerate(epithets)
    ]
    names = [name for *_, name in sorted(ranked)]
    return (*names, *_composed(genera, SPECIES - len(names)))


def n_listed() -> int:
    """How many of the names are real."""
    return sum(len(epithets) for _, epithets in _listed().values())


@cache
def _listed() -> dict[str, tuple[str, list[str]]]:
    """Gender (m, f or n) and epithets of each genus."""
    text = (files(__package__) / "binomials.tsv").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in text.splitlines())
    return {genus: (gender, epithets.split()) for genus, gender, epithets in lines}


def _composed(genera: dict[str, tuple[str, list[str]]], n_names: int) -> list[str]:
    """Names of a real genus and a real epithet that agree in gender, but (as far as listed) of no real species."""
    forms = [dict(zip("mfn", forms.split(), strict=True)) for forms in ADJECTIVES.split(", ")]
    names: list[str] = []
    for turn in range(1, len(forms) + 1):
        for genus, (gender, epithets) in genera.items():
            if len(names) == n_names:
                return names
            if len(epithets) >= LISTED_PER_ROUND * turn:
                epithet = forms[(crc32(genus.encode()) + turn) % len(forms)][gender]
                if epithet not in {known.rstrip("*") for known in epithets}:
                    names.append(f"{genus} {epithet}")
    raise AssertionError("too few genera to compose names from")
