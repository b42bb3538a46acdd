"""The command line: parse, call the engine, print. The folder ``cli`` is imported as ``plant_aggregate.cli``."""
