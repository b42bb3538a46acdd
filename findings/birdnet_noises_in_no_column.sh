#!/usr/bin/env bash
# birdnet-analyzer 2.4.0: no column of its results says whether a row is a species or a noise.
#
# Expected: labels that are no species (Dog, Engine, Human vocal) differ from species in some column, as by a scientific
#   name that is equal to the common name.
# Seen: the labels of noises have translated common names in some languages and not in others (Dog is Hund in German,
#   and stays Dog in Catalan), and species have their scientific name as common name: Gryllus assimilis in most
#   languages, and in Dutch a dozen birds. Four noises have the form of a species: a capitalized word and another one.
# Why it matters here: the most certain row of a recording is the AI's vote. `convert birdnet` takes names of the form
#   of a species, except these four noises, whatever the common name is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" download -q --disable-pip-version-check --no-deps -d "$folder" birdnet-analyzer==2.4.0
"$folder/env/bin/python" - "$folder"/birdnet_analyzer-2.4.0-*.whl <<'PYTHON'
import re
import sys
import zipfile

SPECIES = re.compile(r"[A-Z][a-z]+ [a-z-]+")
wheel = zipfile.ZipFile(sys.argv[1])
labels = {}
for name in wheel.namelist():
    language = re.search(r"V2\.4_Labels_(\w+)\.txt$", name)
    if language:
        labels[language[1]] = [line.split("_", 1) for line in wheel.read(name).decode().splitlines()]
print("of", len(next(iter(labels.values()))), "labels, of which", end=" ")
scientific = [pair[0] for pair in labels["de"]]
odd = [name for name in scientific if not SPECIES.fullmatch(name)]
print(len(odd), "have not the form of a species:", ", ".join(odd))
equal = {language: [a for a, b in pairs if a == b] for language, pairs in labels.items()}
for language in ("ca", "de", "nl", "pl"):
    names = equal[language]
    n_alike = sum(bool(SPECIES.fullmatch(name)) for name in names)
    print(f"{language}: {len(names)} have one name twice, {n_alike} of the form of a species:", ", ".join(names[:6]))
assert "Dog" in equal["ca"] and "Dog" not in equal["de"], "noises are translated, or not, everywhere now"
assert "Gryllus assimilis" in equal["de"], "species have other common names now"
assert {"Human vocal", "Power tools"} <= set(scientific) - set(odd), "noises have another form now"
assert "Porphyrio melanotus" in equal["nl"], "species have Dutch names now"
PYTHON
