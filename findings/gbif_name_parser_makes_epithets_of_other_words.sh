#!/usr/bin/env bash
# gbif-name-parser 0.4.0: words that are no epithets become epithets, in names that are not said to be doubtful.
#
# Expected: "aggr." is an aggregate, as "agg." is; "cv." begins a cultivar, as quotes do; "l." in lower case is an author, or
#   the name is doubtful; "or" separates two names, or the name is doubtful.
# Seen: infraspecific names "aggr", "cv", "l" and "petraea", of type SCIENTIFIC, complete, doubtful = False; for the last with
#   the warnings "Removed: or" and "name was quadrinomial". With "agg." and with quotes it is as expected.
# Why it matters here: these notes are read before any parser, which confirms names that are spelled out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check gbif-name-parser==0.4.0
"$folder/env/bin/python" - <<'PYTHON'
import nameparser

for label, rank in [("Rubus fruticosus agg.", "SPECIES_AGGREGATE"), ("Acer palmatum 'Osakazuki'", "CULTIVAR")]:
    print(f"{label}: {nameparser.parse(label).rank}")
    assert nameparser.parse(label).rank == rank
SEEN = {
    "Rubus fruticosus aggr.": "aggr",
    "Acer palmatum cv. Osakazuki": "cv",
    "quercus robur l.": "l",
    "Quercus robur or petraea": "petraea",
}
for label, epithet in SEEN.items():
    name = nameparser.parse(label)
    print(f"{label}: {name.rank}, epithet {name.infraspecific_epithet!r}, doubtful={name.doubtful}, {name.warnings}")
    assert (name.type, name.state, name.doubtful) == ("SCIENTIFIC", "COMPLETE", False), "it is doubtful now"
    assert name.infraspecific_epithet == epithet, "it is no epithet now"
PYTHON
