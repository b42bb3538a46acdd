#!/usr/bin/env bash
# ijson 3.6.0: names that were cut within a character become equal, in silence, with the backend that it prefers.
#
# Expected: two different texts of a JSON file are different in Python, or an error. RFC 8259 (section 8.2) allows half
#   of a surrogate pair, \ud83c, in a text; JavaScript writes it for a name that was cut to a number of UTF-16 units
#   within a character such as an emoji.
# Seen: yajl2_c, the default, makes a question mark of it, so that "Ada \ud83c" and "Ada \ud83d" are both "Ada ?", and
#   keys of an object are lost. The Python backend keeps the half, as the json module does, which cannot be encoded.
# Why it matters here: names and ids are keys of votes, {observation: {user: class}}, and users must not become one.
#   Formats read JSON with ijson; json_records.py gives the parser such a half as the text that it is written as.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check ijson==3.6.0
"$folder/env/bin/python" - <<'PYTHON'
import io
import json

import ijson

votes = rb'{"Ada \ud83c": 1, "Ada \ud83d": 2}'
found = {}
for backend in ("yajl2_c", "python"):
    parser = ijson.get_backend(backend)
    found[backend] = dict(parser.kvitems(io.BytesIO(votes), ""))
    print(f"{backend:8s}", ascii(found[backend]))
print("json    ", ascii(json.loads(votes)))
assert ijson.backend == "yajl2_c", "another backend is the default now"
assert found["yajl2_c"] == {"Ada ?": 2}, "the names stay different now"
assert found["python"] == json.loads(votes), "the backends agree now"
PYTHON
