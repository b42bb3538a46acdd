"""Defences: what they learn of the users from a first consensus, as factors on the users' weights in the next."""
