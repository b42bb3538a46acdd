"""Evaluations, comparisons, calibrations and ambiguities as blocks: titles, tables and notes."""
