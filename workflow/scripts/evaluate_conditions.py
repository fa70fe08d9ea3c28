"""Measure how well a model finds atoms under other conditions of the microscope.

The specimen is one of make_specimen.py, of a sort that no training sees; its images come from
abTEM's own microscope. CONDITIONS.csv varies one condition at a time: defocus, Cs, astigmatism,
vibration, size of the pixels, tilt of the sheet. SETTINGS.csv draws microscopes at random from all
ranges of one; the dose is not drawn. Both tell of every image what the model finds and what peak
finding does, with 95 % intervals; whether the model was trained on such images (in_range); and what
the microscope passes: the information limit, where focal spread and vibration leave exp(-2), and
whether it reaches the 1.42 Å between neighbours (resolves_bond).

Images whose pixels the model has not learned are resampled, as the workflow does.

Settings: acquisition (the microscope from which conditions are varied), conditions, settings.

Example:
    python evaluate_conditions.py results/models/graphene/model polycrystal.h5 conditions.csv \\
        settings.csv --settings '{"settings": {"count": 10}}'
"""

import argparse
import dataclasses
import sys

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.config import settings
from atomsight.evaluation import imaging_conditions
from atomsight.evaluation.imaging_conditions import RandomSettings, SweepSettings
from atomsight.evaluation.readers import find_in_any_pixels
from atomsight.files import tables
from atomsight.learning import models
from atomsight.phantoms import specimens
from atomsight.phantoms.acquisition import AcquisitionSettings


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the specimen under all conditions, read the images, score them."""
    given = parse(argv)
    section = settings.complete_evaluation(given.settings)
    reading = settings.complete(given.inference, "inference", "inference")
    optics = settings.load(section["acquisition"], "acquisition", AcquisitionSettings)
    sweeps = settings.build(SweepSettings, section["conditions"])
    drawn = settings.build(RandomSettings, section["settings"])
    structure, known = specimens.read_specimen(given.specimen)
    network, card = models.load_network(given.model)

    def find(image: np.ndarray, pixel_size_A: float) -> np.ndarray:
        return find_in_any_pixels(network, card, image, pixel_size_A, reading)

    specimen = imaging_conditions.make_specimen(structure, known, optics)
    trained = card.microscope
    table = imaging_conditions.measure_sweeps(sweeps, optics, specimen, find, trained)
    tables.write_csv(given.conditions, table)
    tell(table, ["condition", "value", "unit"])
    if drawn.microscope.energy_eV != optics.energy_eV:
        other = dataclasses.replace(optics, energy_eV=drawn.microscope.energy_eV)
        specimen = imaging_conditions.make_specimen(structure, known, other)
    table = imaging_conditions.measure_settings(drawn, optics, specimen, find, trained)
    tables.write_csv(given.random, table)
    tell(table, ["setting", "information_limit_A"])


def tell(table: pd.DataFrame, keys: list[str]) -> None:
    """Print the scores of a table."""
    shown = [*keys, "dose_e_per_A2", "in_range", "f1", "rms_error_A", "peaks_f1"]
    command_line.print_table(table[shown])


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("specimen", metavar="SPECIMEN.h5", help="the simulated specimen")
    arguments.add_argument("conditions", metavar="CONDITIONS.csv", help="conditions one by one")
    arguments.add_argument("random", metavar="SETTINGS.csv", help="microscopes at random")
    command_line.add_settings(arguments, "evaluation", "inference")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
