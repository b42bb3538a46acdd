#!/usr/bin/env bash
# python-dwca-reader 0.17.1: pd_read gives other values than the rows of the same archive, without a word.
#
# Expected: by the Darwin Core text guide (https://dwc.tdwg.org/text/) a field of meta.xml has the index of its column, so
#   columns may be left undeclared, and its default is the value where a row has none. Iterating over rows does both.
# Seen: pd_read names the columns in the order in which meta.xml declares them, so that an undeclared one takes the name
#   of the next and the first becomes the index; and a default is written into every row, over the values there are:
#   "synonym" becomes "accepted".
# Why it matters here: archives are read by column index by a reader of our own, and the archives that are exported declare
#   every column once, without defaults.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check python-dwca-reader==0.17.1 pandas==3.0.1
cd "$folder"
mkdir archive
cat > archive/meta.xml <<'XML'
<archive xmlns="http://rs.tdwg.org/dwc/text/">
  <core rowType="http://rs.tdwg.org/dwc/terms/Taxon" encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\n"
      fieldsEnclosedBy="&quot;" ignoreHeaderLines="1">
    <files><location>taxon.csv</location></files>
    <id index="0"/>
    <field index="2" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
    <field index="3" term="http://rs.tdwg.org/dwc/terms/taxonomicStatus" default="accepted"/>
  </core>
</archive>
XML
printf 'id,internal,scientificName,taxonomicStatus\n1,x7,Acer molle,synonym\n2,x8,Acer opalus,\n' > archive/taxon.csv
env/bin/python - <<'PYTHON'
from dwca.read import DwCAReader

with DwCAReader("archive") as reader:
    rows = [[row.id, *row.data.values()] for row in reader]
    frame = reader.pd_read("taxon.csv", dtype=str)
print("rows: ", rows)
print("frame:", list(frame.columns), frame.reset_index(drop=True).values.tolist(), sep="\n")
assert rows == [["1", "Acer molle", "synonym"], ["2", "Acer opalus", "accepted"]]
assert frame["id"].tolist() == ["x7", "x8"], "an undeclared column is left out now"
assert frame["taxonomicStatus"].tolist() == ["accepted", "accepted"], "a default fills empty values only now"
PYTHON
