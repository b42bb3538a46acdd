#!/usr/bin/env bash
# gnparser 0.1.3 (the Python package): the memory of every answer is kept until the process ends.
#
# Expected: parsing the same name again and again takes no more memory.
# Seen: it grows by about the length of the answer with every call: the wrapper makes Python's text of it, and the line that
#   would free it is commented out. A million names with details are about a gigabyte.
# Why it matters here: each distinct name is parsed once only, and without details.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check gnparser==0.1.3
"$folder/env/bin/python" - <<'PYTHON'
import gnparser

NAME, CALLS = "Campanula kermanica (Rech.f., Aellen & Esfand.) Rech.f.", 20_000


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


for details in (True, False):
    answer = gnparser.parse_to_string(NAME, "compact", None, details, False)
    for _ in range(2_000):  # until the memory of the library itself is there
        gnparser.parse_to_string(NAME, "compact", None, details, False)
    before = resident()
    for _ in range(CALLS):
        gnparser.parse_to_string(NAME, "compact", None, details, False)
    grown = (resident() - before) / CALLS
    print(f"details={details}: {grown:,.0f} bytes a call, of an answer of {len(answer.encode()):,}")
    assert 0.5 * len(answer) < grown < 3 * len(answer), "the memory is freed now"
PYTHON
