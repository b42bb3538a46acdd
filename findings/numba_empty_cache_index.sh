#!/usr/bin/env bash
# numba 0.68.1: an index of the cache that is empty stops every later call of the function, for ever.
#
# Expected: a cache that cannot be read is a miss: the function is compiled again and the file replaced, as happens where
#   the index is missing or of another version.
# Seen: EOFError from the first call, in this process and in every later one. numba writes the index without a sync, so
#   that a power cut soon after can leave it with no content.
# Why it matters here: a nightly job stops each night until somebody finds and removes the file. And click takes an
#   EOFError for the end of typed input, so that a command line says "Aborted!".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check numba==0.68.1 numpy==2.4.6
cd "$folder"
cat >kernel.py <<'PYTHON'
import numba


@numba.njit(cache=True)
def double(x):
    return 2 * x


print(double(21))
PYTHON
export NUMBA_CACHE_DIR=$folder/cache
env/bin/python kernel.py
find cache -name '*.nbi' -exec truncate -s 0 {} +
for attempt in 1 2; do
    if said=$(env/bin/python kernel.py 2>&1); then
        echo "attempt $attempt works now: $said"
        exit 1
    fi
    echo "attempt $attempt: $(tail -n 1 <<<"$said")"
    grep -q EOFError <<<"$said"
done
