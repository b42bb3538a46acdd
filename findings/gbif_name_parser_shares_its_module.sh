#!/usr/bin/env bash
# gbif-name-parser 0.4.0 and nameparser (names of persons), both of PyPI, install the same module, nameparser.
#
# Expected: an error, or two packages that can be used side by side.
# Seen: pip installs both without a word, one overwrites files of the other, and `import nameparser` is that of the last. After
#   the last is uninstalled, pip lists the first as installed, and `import nameparser` is an empty module.
# Why it matters here: with --parser gbif it is checked which of the two the module is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
pip=("$folder/env/bin/pip" --disable-pip-version-check)
what() { "$folder/env/bin/python" -c 'import nameparser; print(*(n for n in ("parse_all", "HumanName") if hasattr(nameparser, n)))'; }

"${pip[@]}" install -q gbif-name-parser==0.4.0
echo "gbif-name-parser alone: nameparser has $(what)"
[ "$(what)" = parse_all ]
"${pip[@]}" install -q nameparser==1.1.3
"${pip[@]}" check
echo "and nameparser: it has $(what)"
[ "$(what)" = HumanName ] || { echo "the two do not share a module any more"; exit 1; }
"${pip[@]}" uninstall -q -y nameparser
"${pip[@]}" list 2>/dev/null | grep gbif-name-parser
echo "without nameparser: it has $(what)"
[ -z "$(what)" ] || { echo "gbif-name-parser is whole again"; exit 1; }
