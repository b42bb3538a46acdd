"""Conformity scores: how well a label fits an observation, a file each."""
