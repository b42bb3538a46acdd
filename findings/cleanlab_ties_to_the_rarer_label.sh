#!/usr/bin/env bash
# cleanlab 2.9.0: ties go to the label that is voted least often, the documentation says to the most frequent one.
#
# Expected: get_majority_vote_label says of ties (without pred_probs): "using the empirical class frequencies and selecting
#   the class with highest frequency".
# Seen: the class with the lowest frequency is selected. A comment in the source says that this is meant, against class
#   imbalance; the documentation says the opposite.
# Why it matters here: a fifth of the items of some real crowds tie. Labels of both are compared only where nothing ties.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check cleanlab==2.9.0 pandas==3.1.1
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from cleanlab.multiannotator import get_majority_vote_label

votes = np.array([[0, 1], [0, 0], [0, 0], [0, 0]], float)  # of the first item, one vote for each label
print("label 0 has", int((votes == 0).sum()), "votes, label 1 has", int((votes == 1).sum()))
chosen = int(get_majority_vote_label(votes)[0])
print("the tie goes to label", chosen)
assert "selecting the class with highest frequency" in get_majority_vote_label.__doc__
assert chosen == 1, "the tie goes to the frequent label now"
PYTHON
