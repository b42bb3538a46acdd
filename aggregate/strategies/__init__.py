"""From votes to a consensus: one file per strategy."""
