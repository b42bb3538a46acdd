"""Layouts that platforms and tools publish votes in: a file each."""
