"""``python -m plant_aggregate.cli``: the command line."""

from .start import main

if __name__ == "__main__":
    main(f"python -m {__package__}")
