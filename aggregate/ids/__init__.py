"""Ids to codes, and codes to ids."""
