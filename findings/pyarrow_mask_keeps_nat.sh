#!/usr/bin/env bash
# pyarrow 26.0.1 with numpy 2.4.6: with a mask, "not a time" becomes a time.
#
# Expected: pa.array(times) makes NaT null; so does pa.array(times, mask=mask), which adds nulls where the mask says so.
# Seen: with a mask, NaT where the mask is false is a valid value, the smallest that 64 bits hold, which no calendar has.
# Why it matters here: votes without a time are counted by their nulls, and rejected where a time limit is set. Such a vote
#   has a time instead, and is kept as the oldest of all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import numpy as np
import pyarrow as pa

times = np.array(["2026-01-01", "NaT", "2026-01-03"], "datetime64[us]")
plain, masked = pa.array(times), pa.array(times, mask=np.array([False, False, True]))
print("nulls without a mask:", plain.is_null().to_pylist())
print("nulls with a mask:   ", masked.is_null().to_pylist(), "second value:", masked.cast(pa.int64())[1])
assert plain.is_null().to_pylist() == [False, True, False]
assert masked.is_null().to_pylist() == [False, False, True], "NaT is null now"
PYTHON
