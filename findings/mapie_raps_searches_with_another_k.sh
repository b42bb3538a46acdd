#!/usr/bin/env bash
# MAPIE 1.6.0: the search for the lambda of RAPS penalises from rank lambda on, not from rank k_reg.
#
# Expected: lambda is the one of five values whose sets are smallest on a part of the calibration rows, with the k_reg that
#   was found before, and with which sets are made after (Angelopoulos et al. 2021, and MAPIE's documentation).
# Seen: RAPSConformityScore._add_regularization sets k_star to lambda_ while it searches. The threshold is of scores that
#   are penalised beyond k_reg, the sets of scores that are penalised beyond rank lambda, which is less than one: these
#   get smaller the larger lambda is, and 0.5, the largest, wins. And the part is a tenth of the rows whatever size_raps
#   says, as set_external_attributes makes it None before the rows are split.
# Why it matters here: raps of plant-aggregate takes lambda and k_reg as options, and people bring them along from MAPIE.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check mapie==1.6.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores.sets.raps import RAPSConformityScore

LABELS = 50


class Given:
    classes_ = np.arange(LABELS)

    def fit(self, probabilities, labels):
        return self

    def predict(self, probabilities):
        return probabilities.argmax(axis=1)

    def predict_proba(self, probabilities):
        return probabilities


class WithK(RAPSConformityScore):
    """The same, with k_reg where it searches, too."""

    def _add_regularization(self, sums, lambda_=None, k_star=None, prediction_phase=False, **others):
        if prediction_phase:
            lambda_, k_star = self.lambda_star, self.k_star
        return sums + lambda_ * np.maximum(0, np.arange(1, LABELS + 1)[:, None] - k_star)


found, parts = {RAPSConformityScore: [], WithK: []}, set()
for seed in range(8):
    chance = np.random.default_rng(seed)
    shares = chance.dirichlet(np.full(LABELS, 0.3), 2000)
    truth = np.array([chance.choice(LABELS, p=each) for each in shares])
    for kind, lambdas in found.items():
        score = kind(size_raps=0.5)
        model = SplitConformalClassifier(
            Given(), confidence_level=0.9, conformity_score=score, prefit=True, random_state=0
        ).conformalize(shares, truth)
        model.predict_set(shares[:10])
        lambdas.append(score.lambda_star)
        parts.add(len(score.X_raps))
print("of 2000 rows, with size_raps 0.5, it searches on", *parts)
print("lambda as found:         ", found[RAPSConformityScore])
print("with k_reg in the search:", found[WithK])
assert set(found[RAPSConformityScore]) == {0.5}, "the search is another now"
assert set(found[WithK]) != {0.5}
assert parts == {200}, "size_raps has an effect now"
PYTHON
