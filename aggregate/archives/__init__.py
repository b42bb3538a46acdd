"""Folders and zip files of delimited text that a descriptor describes, or the names and headers of its files."""
