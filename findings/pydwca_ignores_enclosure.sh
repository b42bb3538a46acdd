#!/usr/bin/env bash
# pydwca 0.5.1: fieldsEnclosedBy and default in meta.xml have no effect: a comma in a name begins the next column.
#
# Expected: by the Darwin Core text guide (https://dwc.tdwg.org/text/) a field in the character of fieldsEnclosedBy may
#   have delimiters in it, and a default is the value where a row has none.
# Seen: lines are split at every delimiter, quotes stay, and the rest of a name is taken for the next term:
#   'Acer campestre L.' becomes '"Acer campestre L.', and taxonomicStatus is ' 1753"'. What is empty stays empty.
# Why it matters here: names with authors and years are what most archives hold. It is no reference for our reader.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check pydwca==0.5.1 pandas==3.0.1
cd "$folder"
cat > meta.xml <<'XML'
<archive xmlns="http://rs.tdwg.org/dwc/text/">
  <core rowType="http://rs.tdwg.org/dwc/terms/Taxon" encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\n"
      fieldsEnclosedBy="&quot;" ignoreHeaderLines="1">
    <files><location>taxon.csv</location></files>
    <id index="0"/>
    <field index="0" term="http://rs.tdwg.org/dwc/terms/taxonID"/>
    <field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
    <field index="2" term="http://rs.tdwg.org/dwc/terms/taxonomicStatus" default="accepted"/>
  </core>
</archive>
XML
printf 'taxonID,scientificName,taxonomicStatus\n1,"Acer campestre L., 1753",synonym\n2,Acer opalus,\n' > taxon.csv
env/bin/python - <<'PYTHON'
import warnings
import zipfile

from dwca import DarwinCoreArchive

warnings.simplefilter("ignore")
with zipfile.ZipFile("archive.zip", "w") as archive:
    for name in ("meta.xml", "taxon.csv"):
        archive.write(name)
rows = DarwinCoreArchive.from_file("archive.zip", _no_interaction=True).core.as_pandas(_no_interaction=True)
print(*rows.to_dict("records"), sep="\n")
assert rows["scientificName"].tolist() == ['"Acer campestre L.', "Acer opalus"], "enclosed fields are read now"
assert rows["taxonomicStatus"].fillna("").tolist() == [' 1753"', ""], "defaults are used now"
PYTHON
