"""Fit the calibration that comes with the program, on simulated votes, and measure it on other simulations.

python -m benchmarks.simulated_calibration            measures
python -m benchmarks.simulated_calibration --write    also fits it anew
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

import plant_aggregate
from plant_aggregate.assessment.evaluation import match, measure
from plant_aggregate.evidence import Evidence
from plant_aggregate.saved_models import SIMULATED, SIMULATED_FILE
from plant_aggregate.schema import MEASURES

FILE = Path(plant_aggregate.__file__).parent / "assessment" / "calibration" / SIMULATED_FILE
FITTED = {"scale": 0.1, "seed": 1}
MEASURED = ({"scale": 0.003, "seed": 2}, {"scale": 0.03, "seed": 3}, {"scale": 0.1, "seed": 4}, {"scale": 1, "seed": 5})


def simulated(scale: float, seed: int) -> tuple[plant_aggregate.Consensus, plant_aggregate.Truth]:
    """A consensus of simulated votes, and the truth of all observations."""
    tables = plant_aggregate.simulate(scale, seed=seed).tables
    consensus = plant_aggregate.PlantNet().fit(plant_aggregate.votes_from_table(tables.votes))
    return consensus, plant_aggregate.truth_from_table(tables.truth)


def main() -> None:
    """Parse, fit, measure, print."""
    parser = argparse.ArgumentParser(description="The calibration that comes with plant-aggregate.")
    parser.add_argument("--write", action="store_true", help=f"fit it anew, into {FILE}")
    if parser.parse_args().write:
        consensus, truth = simulated(**FITTED)
        fitted_on = {"truth": "plant-aggregate simulate", "simulated": FITTED}
        plant_aggregate.save_calibration(plant_aggregate.calibrate(consensus, truth, fitted_on=fitted_on), FILE)
    calibration = plant_aggregate.load_calibration(SIMULATED)
    names = [column.name for column in MEASURES]
    for place in MEASURED:
        consensus, truth = simulated(**place)
        matched, _, _ = match(consensus, truth)
        probability = calibration.probability(vars(Evidence.of(consensus)))
        everything = vars(matched) | {"probability": probability}
        several = matched.n_votes >= 2
        disputed = several & (matched.n_labels >= 2)
        for set_name, chosen in (("all", several | True), ("two votes or more", several), ("disputed", disputed)):
            part = type(matched)(**everything).only(chosen)
            found = dict(zip(names, measure(part, np.ones(len(part))).tolist(), strict=True))
            print(
                f"scale {place['scale']:<6} {set_name:<18}{len(part):>10,} observations, "
                f"{100 * found['accuracy_of_labels']:.1f} % right; calibration error of confidence "
                f"{found['calibration_error']:.3f}, of probability {found['probability_calibration_error']:.3f}"
            )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
