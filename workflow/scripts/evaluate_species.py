"""Measure how well models name the species in simulated monolayers, against the dose.

The monolayers are of the material of the models. They come from another generator than those of
the training, their images from abTEM's own microscope. A model gets as many images as it reads
together, at the focus it has learned; they share the dose. SUMMARY.csv has one row per model and
dose: model, frames, dose_e_per_A2 (of all images together), sites, accuracy (share of the true
sites found with the right species) and its
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

from atomsight import command_line, materials
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.evaluation import species
from atomsight.evaluation.readers import atom_reader
from atomsight.evaluation.species import SpeciesEvaluationSettings, SpeciesReader
from atomsight.files import tables
from atomsight.learning import models
from atomsight.materials.building.sublattices import Honeycomb

NAME = "species_evaluation"


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the sheets, read the images, score them."""
    given = parse(argv)
    section = settings.complete(given.settings, NAME, NAME)
    reading = settings.complete(given.inference, "inference", "inference")
    chosen = settings.build(SpeciesEvaluationSettings, section)
    honeycomb = honeycomb_of(given.models)
    readers = [load_reader(folder, section, reading) for folder in given.models]

    pairs = species.measure(chosen, honeycomb, readers)
    table = species.summarise(pairs, honeycomb.class_names)
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


def honeycomb_of(folders: list[str]) -> Honeycomb:
    """The monolayers that models name the species of; those of all must be the same."""
    cards = {folder: models.read_card(folder) for folder in folders}
    first = next(iter(cards.values()))
    for folder, card in cards.items():
        try:
            honeycomb = materials.honeycomb(card.material)
        except InputError as error:
            raise InputError(f"{folder}: the model {card.name} names no species: {error}") from None
        if card.material != first.material:
            raise InputError(
                f"{folder}: the model {card.name} is for {card.material}, {first.name} for "
                f"{first.material}; evaluate models of one material together"
            )
    return honeycomb


def load_reader(folder: Path | str, section: dict, reading: dict) -> SpeciesReader:
    """Load a model by the sections ``species_evaluation`` and ``inference``."""
    card = models.read_card(folder)
    pixel_size_A = section["acquisition"]["pixel_size_A"]
    where = f"{NAME}.acquisition"
    steps_A = card.focus_steps_A
    read = atom_reader(
        folder, pixel_size_A, reading, section["contrast"], where, frames=len(steps_A)
    )
    return SpeciesReader(card.name, steps_A, read)


if __name__ == "__main__":
    sys.exit(main())
