"""Runs and changes as blocks: titles, tables and notes."""
