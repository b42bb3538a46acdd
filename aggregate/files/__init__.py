"""All that knows a file: where it is, what is in it, how it is read and written."""
