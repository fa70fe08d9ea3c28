"""Measure how often a model errs at the surface of simulated particles on which nothing moves.

ERRORS.csv has one row per dose: miss_rate, the share of frames in which a surface column is not
found, and miss_alpha, miss_beta, the Beta distribution of it over the columns; false_rate,
false_alpha, false_beta likewise for something found at an empty lattice site beside the surface;
occupied_sites, empty_sites and frames. follow_sites.py tells hops from these errors.

Settings: doses_e_per_A2, particles, frames, radius_A, contrast, seed, particle, acquisition.

Example:
    python measure_detection_errors.py results/models/gold/model errors.csv \\
        --settings '{"doses_e_per_A2": [300], "particles": 2, "frames": 12}'
"""

import argparse
import sys

from atomsight import command_line
from atomsight.config import settings
from atomsight.evaluation import detection_errors
from atomsight.evaluation.detection_errors import ErrorSettings
from atomsight.evaluation.readers import finder
from atomsight.files import tables


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image static particles, read the images, fit the errors."""
    given = parse(argv)
    name = "detection_errors"
    section = settings.complete(given.settings, name, name)
    reading = settings.complete(given.inference, "inference", "inference")
    chosen = settings.build(ErrorSettings, section)
    pixel_size_A = chosen.acquisition.pixel_size_A
    where = f"{name}.acquisition"
    find = finder(given.model, pixel_size_A, reading, section["contrast"], where)
    table = detection_errors.measure(chosen, find)
    tables.write_csv(given.errors, table)
    command_line.print_table(table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("errors", metavar="ERRORS.csv", help="the table to write")
    command_line.add_settings(arguments, "detection_errors", "inference")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
