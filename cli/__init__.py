"""The command line: parse, call the engine, print. Folder ``cli``, imported as ``aggregate_cli``."""
