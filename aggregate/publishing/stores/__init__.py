"""Stores of runs: a local folder, or a location in an object store."""
