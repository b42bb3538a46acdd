#!/usr/bin/env bash
# crowd-kit 1.4.2 with scikit-learn 1.9.1: two of its most used strategies fail on any votes.
#
# Expected: Wawa().fit_predict(votes) and ZeroBasedSkill().fit_predict(votes) label them, as their documentation shows. pip
#   installs both packages together: crowd-kit sets no upper limit.
# Seen: AttributeError, "'Wawa' object has no attribute '__sklearn_tags__'": predict asks scikit-learn whether the strategy
#   is fitted, which since 1.7 takes only estimators of its own. fit works, and so do the other strategies.
# Why it matters here: they are what our strategies of the same names are compared with. The benchmarks take the last vote
#   from MajorityVote().fit(votes, skills=strategy.skills_), which is what predict does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check crowd-kit==1.4.2 scikit-learn==1.9.1 pandas==3.1.1
"$folder/env/bin/python" -W ignore - <<'PYTHON'
import pandas as pd
from crowdkit.aggregation import MajorityVote, Wawa, ZeroBasedSkill

votes = pd.DataFrame(
    [("t1", "ana", "Acer"), ("t1", "bo", "Acer"), ("t1", "cy", "Ilex"), ("t2", "ana", "Ilex")],
    columns=["task", "worker", "label"],
)
print("MajorityVote:", MajorityVote().fit_predict(votes).to_dict())
for strategy in (Wawa, ZeroBasedSkill):
    skills = strategy().fit(votes).skills_
    print(f"{strategy.__name__}: by hand", MajorityVote().fit_predict(votes, skills=skills).to_dict())
    try:
        print("it works now:", strategy().fit_predict(votes).to_dict())
    except AttributeError as error:
        print(f"{strategy.__name__}: {error}"[:120])
        assert "__sklearn_tags__" in str(error)
    else:
        raise SystemExit(1)
PYTHON
