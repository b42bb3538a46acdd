#!/usr/bin/env bash
# python-dwca-reader 0.17.1: where meta.xml does not say how a file is delimited and enclosed, tabs and nothing are taken.
#
# Expected: by the schema of the Darwin Core text guide (tdwg_dwc_text.xsd) fieldsTerminatedBy is a comma and
#   fieldsEnclosedBy a double quote if they are missing; GBIF's own library has these defaults, too.
# Seen: a valid archive of comma separated text is refused ("The descriptor references a non-existent field").
# Why it matters here: we read such archives, and cannot be compared with it on them. Our exports say both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check python-dwca-reader==0.17.1
cd "$folder"
mkdir archive
cat > archive/meta.xml <<'XML'
<archive xmlns="http://rs.tdwg.org/dwc/text/">
  <core rowType="http://rs.tdwg.org/dwc/terms/Taxon" encoding="UTF-8" ignoreHeaderLines="1">
    <files><location>taxon.csv</location></files>
    <id index="0"/>
    <field index="0" term="http://rs.tdwg.org/dwc/terms/taxonID"/>
    <field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
  </core>
</archive>
XML
printf 'taxonID,scientificName\n1,"Acer campestre L., 1753"\n' > archive/taxon.csv
env/bin/python - <<'PYTHON'
from dwca.exceptions import InvalidArchive
from dwca.read import DwCAReader

try:
    with DwCAReader("archive") as reader:
        print(reader.rows)
except InvalidArchive as error:
    print("refused:", error)
else:
    raise SystemExit("commas and quotes are the defaults now")
PYTHON
