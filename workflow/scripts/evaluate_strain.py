"""Measure how well bond lengths and strain of simulated graphene come out, against the dose.

Two sheets of which the training has none, a pristine one and one under a smooth known strain with a
hole, are imaged by abTEM's own microscope. STRAIN.csv has one row per specimen, dose and method
(network, and peaks: classical peak finding, its filter and its threshold chosen with the truth in
hand): bonds, bond_mean_A and bond_std_A over all bonds found, true_bond_mean_A, true_bond_std_A,
strained_atoms (at which strain is measured), planar_rms and planar_bias (errors of the planar
strain), with 95 % intervals as _low and _high; in_range, whether the model was trained on such
images; bond_bound_A and planar_bound, the least standard deviation of a bond length and of the
planar strain that the electrons allow a method that knows nothing of graphene (Cramér–Rao).

Settings: pristine, strained, doses_e_per_A2, patch_A, resamples, seed, acquisition.

Example:
    python evaluate_strain.py data/models/graphene strain.csv \\
        --settings '{"doses_e_per_A2": [1000, 10000]}'
"""

import argparse
import sys

from atomsight import command_line
from atomsight.analysis.strain import StrainSettings
from atomsight.config import settings
from atomsight.evaluation import lattice
from atomsight.evaluation.lattice import StrainEvaluationSettings
from atomsight.evaluation.readers import finder
from atomsight.files import tables
from atomsight.learning import models

NAME = "strain_evaluation"


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the sheets, read the images, measure bonds and strain."""
    given = parse(argv)
    section = settings.complete(given.settings, NAME, NAME)
    reading = settings.complete(given.inference, "inference", "inference")
    measured = settings.load(given.strain, "strain", StrainSettings)
    chosen = settings.build(StrainEvaluationSettings, section)
    pixel_size_A = chosen.acquisition.pixel_size_A
    find = finder(given.model, pixel_size_A, reading, "auto", f"{NAME}.acquisition")
    table = lattice.measure(chosen, measured, find, models.read_card(given.model).microscope)
    tables.write_csv(given.output, table)
    command_line.print_table(table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("output", metavar="STRAIN.csv", help="the table to write")
    command_line.add_settings(arguments, NAME, "inference", "strain")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
