"""Scores become probabilities of being right, measured against experts."""
