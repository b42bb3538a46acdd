"""Slow, obvious versions of the algorithms, written apart from the engine, to hold it against."""
