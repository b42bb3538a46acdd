#!/usr/bin/env bash
# peerannot 0.0.1.post43: the Pl@ntNet strategy never learns from the labels that it corrects.
#
# Expected: Algorithm 1 of Lefort et al. (2025), whose authors publish this package: users' weights, labels and validity
#   are estimated in turns, so that in the end the weights are those of the labels that are returned.
# Seen: run() estimates labels anew in every iteration, but counts species and takes validity by those of the first, plain
#   majority (init_yhat). Below, a user with many species corrects four labels: the user is never credited with these
#   species, and the four observations are returned as not valid, as the labels that were given up.
# Why it matters here: it is the public implementation of the algorithm that plant-aggregate runs, and what its labels are
#   compared with.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 tqdm==4.70.1
"$folder/env/bin/pip" install -q --disable-pip-version-check --no-deps peerannot==0.0.1.post43
cd "$folder"
# Only the strategy: the package as a whole imports PyTorch.
installed=$(env/bin/python -c "import importlib.util as u; print(u.find_spec('peerannot').submodule_search_locations[0])")
mkdir -p peerannot/models
cp -r "$installed/models/aggregation" "$installed/models/template.py" peerannot/models/
touch peerannot/__init__.py peerannot/models/__init__.py
env/bin/python -W ignore - 2>/dev/null <<'PYTHON'
import numpy as np
from peerannot.models.aggregation.plantnet import PlantNet

EXPERT, WRONG = 0, 40  # a user, and the label that two others give by mistake
answers = {i: {EXPERT: i, 1: i, 2: i} for i in range(30)}  # the expert's pictures, each of another species
answers |= {i: {EXPERT: i, 3: WRONG, 4: WRONG} for i in range(30, 34)}
np.savetxt("authors.txt", [EXPERT] * len(answers), fmt="%d")
model = PlantNet(answers, n_classes=WRONG + 1, n_workers=5, authors="authors.txt")
model.run()
labels, last = model.labels_hat, slice(30, 34)
print("labels of the last four:", labels[last].astype(int).tolist(), "where the majority said", [WRONG] * 4)
assert labels[last].tolist() == [30, 31, 32, 33], "nothing is corrected now"

used = int(model.n_j[EXPERT])
acc, conf = model.get_conf_acc(labels, model.weights)
valid = model.get_valid_tasks(acc, conf)
model.get_n(valid, labels)
print("species of the expert:  ", used, "as used,", int(model.n_j[EXPERT]), "by these labels")
print("valid of the last four: ", int(model.valid[last].sum()), "as returned,", int(valid[last].sum()), "by these labels")
assert (used, int(model.n_j[EXPERT])) == (30, 34), "the weights follow the labels now"
assert (model.valid[last].sum(), valid[last].sum()) == (0, 4), "the validity follows the labels now"
PYTHON
