#!/usr/bin/env bash
# crepes 0.9.1: whether a label whose p-value is the significance is in the set depends on how 1 - confidence is rounded.
#
# Expected: one rule for all levels. A conformal set has the labels whose p-value exceeds alpha; the documentation says
#   of what is left out that its "p-value is less than 1-confidence".
# Seen: with p >= 1 - confidence in doubles, 1 - 0.9 is 0.09999999999999998, so that a p-value of 0.1 is in: one rank more
#   than needed wherever alpha (n + 1) is an integer. 1 - 0.95 is 0.050000000000000044, so that a p-value of 0.05 is out.
# Why it matters here: sets of both are compared at the usual levels, and differ at 0.9 and 0.8 by a rank, but not at 0.95,
#   the default, nor at 0.99 or 0.7.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check crepes==0.9.1 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from crepes import ConformalClassifier

N = 99
model = ConformalClassifier().fit(np.arange(1.0, N + 1))  # nonconformity 1 to 99
ranks = {}
for confidence in (0.7, 0.75, 0.8, 0.9, 0.95, 0.99):
    of_all = np.arange(1.0, N + 1)[:, None]
    ranks[confidence] = int(model.predict_set(of_all, confidence=confidence, smoothing=False).sum())
    p = model.predict_p(of_all[[ranks[confidence] - 1]], smoothing=False)[0, 0]
    print(f"confidence {confidence}: the {ranks[confidence]} least nonconforming of {N} are in, the last with p-value {p:.2f}")
needed = {confidence: round((N + 1) * confidence) for confidence in ranks}
more = [confidence for confidence in ranks if ranks[confidence] == needed[confidence] + 1]
exact = [confidence for confidence in ranks if ranks[confidence] == needed[confidence]]
print("one rank more than needed at", more, "- as many as needed at", exact)
assert (more, exact) == ([0.75, 0.8, 0.9], [0.7, 0.95, 0.99]), "all levels have one rule now"
PYTHON
