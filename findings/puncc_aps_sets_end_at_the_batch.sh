#!/usr/bin/env bash
# puncc 0.9.3: a set of APS or RAPS has no more labels than there are rows in the call of predict.
#
# Expected: the set of a row depends on its probabilities and on the calibration rows; APS covers at least 1 - alpha.
# Seen: raps_set limits the number of labels by the number of rows to be predicted, where the number of labels is meant.
#   Predicted two at a time, rows get two labels at most: of 20 labels, with alpha 0.1, half of the rows are covered.
# Why it matters here: sets are made observation by observation where a platform answers one upload; and our APS and
#   RAPS can be compared with puncc's only in calls of at least as many rows as there are labels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check puncc==0.9.3 numpy==1.26.4
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from deel.puncc.classification import APS

LABELS, ALPHA = 20, 0.1
chance = np.random.default_rng(0)
shares = chance.dirichlet(np.full(LABELS, 0.3), 2000)  # of a perfect classifier
truth = np.array([chance.choice(LABELS, p=each) for each in shares])


class Given:
    def predict(self, probabilities):
        return probabilities


model = APS(Given(), train=False, rand=False)
model.fit(X_calib=shares[:1000], y_calib=truth[:1000])
coverage = {}
for rows in (1000, 5, 2):
    new = [model.predict(shares[i : i + rows], alpha=ALPHA)[1] for i in range(1000, 2000, rows)]
    sets = [labels for part in new for labels in part]
    coverage[rows] = np.mean([label in labels for label, labels in zip(truth[1000:], sets)])
    print(f"{rows:4} rows a call: at most {max(map(len, sets)):2} labels a set, {coverage[rows]:.3f} of the rows covered")
assert coverage[1000] > 1 - ALPHA - 0.02
assert coverage[2] < 0.6, "sets of few rows are as those of many now"
PYTHON
