"""Where runs are kept: a folder, or a place in an object store."""
