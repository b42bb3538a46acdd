"""Threshold rules: the score from which a label is in the set, a file each."""
