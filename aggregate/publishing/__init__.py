"""Runs on disk: written aside, then published all at once."""
