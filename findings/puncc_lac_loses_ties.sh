#!/usr/bin/env bash
# puncc 0.9.3: LAC leaves out the labels whose probability is that of the threshold.
#
# Expected: at least 1 - alpha of exchangeable rows are covered, also where probabilities are rounded, and tie.
# Seen: the threshold is a quantile q of 1 - p, and a label is in the set if p >= 1 - q. 1 - (1 - p) is not p in doubles:
#   1 - (1 - 0.2) is 0.19999999999999996, and 1 - (1 - 0.1) is 0.09999999999999998, but 1 - (1 - 0.3) is
#   0.30000000000000004. Where it is more than p, all ties with the threshold are misses.
# Why it matters here: scores of real classifiers are published rounded; those of Pl@ntNet have five decimals, and one
#   value in six is another. Sets of both are compared only where nothing ties.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check puncc==0.9.3 numpy==1.26.4
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from deel.puncc.classification import LAC


class Given:
    def predict(self, probabilities):
        return probabilities


# Every row has probability 0.3 for its label: whatever alpha is, the threshold is 0.3, and all are covered.
rows = np.tile([0.3, 0.3, 0.2, 0.2], (100, 1))
truth = np.zeros(100, int)
model = LAC(Given(), train=False)
model.fit(X_calib=rows, y_calib=truth)
sets = model.predict(rows, alpha=0.1)[1]
covered = np.mean([0 in labels for labels in sets])
print("the threshold as puncc compares it:", 1 - (1 - 0.3), "- the set of a row like those before:", sets[0])
print("covered:", covered, "where 0.9 are guaranteed")
assert covered == 0, "ties are in now"
PYTHON
