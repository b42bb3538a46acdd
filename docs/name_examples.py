"""The examples of docs/names.md: labels, and what the package makes of them."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from plant_aggregate import clean_names
from plant_aggregate.taxon_names import vocabulary

EXAMPLES: Mapping[str, list[str]] = {
    "spelling": [
        "Quercus\u00a0 robur",
        "Quercus_robur",
        "<i>Erinus alpinus</i> L.",
        "QUERCUS ROBUR",
        "quercus robur l.",
        "Quercus Robur",
        "Cæsalpinia pulcherrima",
        "Mentha x piperita",
        "×Aegilotriticum grenieri",
        "Mentha xpiperita",
    ],
    "authorship": [
        "Erinus alpinus L.",
        "× Aegilotriticum grenieri (K.Richt.) P.Fourn.",
        "Campanula kermanica (Rech.f., Aellen & Esfand.) Rech.f.",
        "Orobanche pubescens d'Urv.",
        "× Aegilotriticum langeanum (Amo) van Slageren",
        "Phedimus spurius (M.Bieb.) 't Hart",
        "Phoenix canariensis hort. ex Chabaud",
        "Vulpes vulpes (Linnaeus, 1758)",
        "Poa annua L., non Host",
        "Aster (Symphyotrichum) novi-belgii",
    ],
    "ranks below species": [
        "Quercus robur L. subsp. robur",
        "Quercus robur ssp.petraea",
        "Quercus robur L. f. pendula",
        "Quercus robur L. f.",
        "Brassica oleracea var. capitata L. f. rubra (L.) Thell.",
        "Canis lupus familiaris",
        "Bellis perennis ssp.",
        "Acer palmatum ‘Osakazuki’",
        "Acer palmatum cv. Osakazuki",
        "Brassica oleracea (Capitata Group)",
    ],
    "aggregates and hybrids": [
        "Rubus fruticosus aggr.",
        "Rubus fruticosus species complex",
        "Achillea millefolium sensu lato",
        "Achillea millefolium s.str.",
        "Arum italicum x Arum maculatum",
        "Quercus robur × petraea",
        "Allium commutatum × A. porrum",
        "Quercus × Lithocarpus",
    ],
    "doubts": [
        "Betula pendula/pubescens",
        "Quercus robur or petraea",
        "Quercus cf. robur",
        "Quercus aff. robur",
        "Quercus robur?",
        "Quercus robur (probably)",
        "Quercus robur hybrid",
        "Quercus alba auct. non L.",
        "Quercus alba sensu Mill.",
    ],
    "above species": ["Quercus sp.", "Viola spp.", "Ophrys sp. 1", "Quercus L.", "Taraxacum sect. Taraxacum"],
    "no names": [
        "Nothing here",
        "unknown plant",
        "Q. robur",
        "Chenopodium 40",
        "Quercus robur (English oak)",
        "I don't know",
        "Дуб черешчатый",
    ],
    "synonyms": ["Orobus vernus", "Orobus vernus Linn.", "Orobus vernus Mill.", "Quercus alba L.", "Quercus alba"],
}
"""Name of a table -> its labels."""

SYNONYMS = """\
verbatim,accepted
Orobus vernus L.,Lathyrus vernus (L.) Bernh.
Quercus alba L.,Quercus alba L.
Quercus alba Hort.,Quercus robur L.
"""
"""The file of synonyms of the examples."""

LISTS: Mapping[str, Mapping[str, str]] = {"synonyms": {"synonyms": SYNONYMS}}
"""Name of a table -> option -> text of its file."""


def table_of(name: str) -> str:
    """A Markdown table of labels, what they count as, and why."""
    with tempfile.TemporaryDirectory() as folder:
        files: dict[str, Any] = {}
        for option, text in LISTS.get(name, {}).items():
            files[option] = Path(folder, f"{option}.csv")
            files[option].write_text(text, encoding="utf-8")
        found = clean_names(EXAMPLES[name], **files)
    reasons = {row["verbatim"]: row["reason"] for row in found.table.to_pylist()}
    lines = ["| label | counts as | because of |", "|---|---|---|"]
    for label, cleaned in zip(EXAMPLES[name], found.labels.to_pylist(), strict=True):
        shown = "no opinion" if cleaned is None else f"`{cleaned}`"
        lines.append(f"| `{label}` | {shown} | {reasons.get(label, '')} |".replace("\u00a0", "\\xa0"))
    return "\n".join(lines)


def words_of_rules() -> str:
    """A Markdown table of the words that rules know, and what each is read as."""
    lines = ["| words | where | read as |", "|---|---|---|"]

    def add(words: Iterable[str], where: str, meaning: str) -> None:
        lines.append(f"| {', '.join(f'`{word}`' for word in sorted(words))} | {where} | {meaning} |")

    add(vocabulary.UNKNOWN_SPECIES, "after a genus", "a species of it: above species")
    for written in sorted(set(vocabulary.INFRAGENERIC.values())):
        words = [word for word, marker in vocabulary.INFRAGENERIC.items() if marker == written]
        add(words, "after a genus", f"`{written}`: above species")
    for written in sorted(set(vocabulary.MARKERS.values())):
        words = [word for word, marker in vocabulary.MARKERS.items() if marker == written]
        add(words, "after a species", f"`{written}`, if an epithet follows")
    add(vocabulary.AGGREGATES, "after a species, in lower case", "`agg.`")
    for reason in sorted(set(vocabulary.UNCERTAIN.values())):
        words = [word for word, why in vocabulary.UNCERTAIN.items() if why == reason]
        add(words, "anywhere", f"refused: {reason}")
    add(vocabulary.SEVERAL, "anywhere, in lower case", "refused: several names")
    add(vocabulary.PLACEHOLDERS, "at the beginning", "refused: no name of a taxon")
    return "\n".join(lines)
