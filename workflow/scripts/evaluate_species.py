"""Measure how well models name the species in simulated monolayers of MoS2, against the dose.

The sheets come from another generator than those of the training, their images from abTEM's own
microscope. A model gets as many images as it reads together, at the focus it has learned; they
share the dose. SUMMARY.csv has one row per model and dose: model, frames, dose_e_per_A2 (of all
images together), sites, accuracy (share of the true sites found with the right species) and its
95 % interval, missed, invented, position_error_pm, calibration_error, accuracy_<region>, and
precision, recall and f1 of every species. CONFUSION.csv counts the answers: model, frames,
dose_e_per_A2, true_class, found_class ("missed"; in truth "none" for inventions), columns.

Settings: sheets, doses_e_per_A2, defocus_A, registration_error_A, radius_A, contrast, seed,
monolayer, acquisition.

Example:
    python evaluate_species.py data/models/mos2 data/models/mos2_single summary.csv confusion.csv \\
        --settings '{"sheets": 2, "doses_e_per_A2": [1000, 10000]}'
"""

import argparse
import sys
from pathlib import Path

from atomsight import command_line
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.evaluation import species
from atomsight.evaluation.readers import atom_reader
from atomsight.evaluation.species import SpeciesEvaluationSettings, SpeciesReader
from atomsight.files import tables
from atomsight.learning import models
from atomsight.phantoms.monolayers import SPECIES

NAME = "species_evaluation"


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the sheets, read the images, score them."""
    given = parse(argv)
    section = settings.complete(given.settings, NAME, NAME)
    reading = settings.complete(given.inference, "inference", "inference")
    chosen = settings.build(SpeciesEvaluationSettings, section)
    readers = [load_reader(folder, section, reading) for folder in given.models]

    pairs = species.measure(chosen, readers)
    table = species.summarise(pairs)
    tables.write_csv(given.summary, table)
    tables.write_csv(given.confusion, species.confusion(pairs))
    command_line.print_table(table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("models", metavar="MODEL", nargs="+", help="folders of trained models")
    arguments.add_argument("summary", metavar="SUMMARY.csv", help="the table of scores to write")
    arguments.add_argument("confusion", metavar="CONFUSION.csv", help="the counts to write")
    command_line.add_settings(arguments, NAME, "inference")
    return arguments.parse_args(argv)


def load_reader(folder: Path | str, section: dict, reading: dict) -> SpeciesReader:
    """Load a model that names species.

    Parameters
    ----------
    folder : path
        Its folder.
    section : dict
        The section ``species_evaluation``, complete.
    reading : dict
        The section ``inference``, complete.

    Returns
    -------
    SpeciesReader
        The model.

    Raises
    ------
    InputError
        If there is no such model, it finds other classes, or it does not read such pixels.
    """
    card = models.read_card(folder)
    if set(card.class_names[1:]) != set(SPECIES):
        raise InputError(
            f"{folder}: the model {card.name} finds {', '.join(card.class_names[1:])}, not "
            f"{', '.join(SPECIES)}; take a model that names the species of MoS2"
        )
    pixel_size_A = section["acquisition"]["pixel_size_A"]
    where = f"{NAME}.acquisition"
    steps_A = card.focus_steps_A
    read = atom_reader(
        folder, pixel_size_A, reading, section["contrast"], where, frames=len(steps_A)
    )
    return SpeciesReader(card.name, steps_A, read)


if __name__ == "__main__":
    sys.exit(main())
