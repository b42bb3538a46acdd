"""Prediction sets of likely labels with guaranteed coverage: conformal prediction for the long tail.

[D26] Ding, Fermanian and Salmon 2026, *Conformal Prediction for Long-Tailed Classification*, ICLR (arXiv 2507.06867).

A score (``scores/``) says how well a label fits an observation; a threshold rule (``thresholds/``) finds the score from
which a label is in the set, on calibration rows whose labels are known. A score and a rule that were fitted are a
``SetPredictor``.
"""
