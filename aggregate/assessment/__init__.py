"""Assessments of votes, of a consensus, or of its evidence; they touch no file."""
