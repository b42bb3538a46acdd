"""``python -m plant_aggregate``, or ``aggregate`` in a checkout: the command line."""

import sys

try:
    from plant_aggregate.cli.start import main  # by its full name: `aggregate` has no modules of its own
except ModuleNotFoundError as error:
    if error.name != "plant_aggregate":
        raise
    sys.exit("plant-aggregate: error: the package is not installed; install it with: python -m pip install -e .")

if __name__ == "__main__":
    main(f"python -m {__package__}")
