"""Measure how well a model counts the atoms of columns, against tilt and total dose.

The particles come from another generator than those of the training, their focal series from
abTEM's own microscope, with as many images as the model reads. SUMMARY.csv has one row per method,
range of tilts and total dose: the shares of the columns that are counted exactly and wrong by 1, 2,
3 or more, what is missed and invented, and how far the stated probabilities are from what comes
true. The methods are the network, which finds the columns itself, and two that are told where they
are: a mixture model of integrated intensities and the most similar of simulated columns, both as
well tuned as the truth allows.

--confusion counts how often a height is taken for which (0: missed, or nothing there);
--reliability compares stated probabilities with the share that is right; --abstention tells what is
bought by leaving the least certain columns out.

Settings: methods, particles, tilts_deg, doses_e_per_A2, defocus_A, registration_error_A, radius_A,
bins, contrast, seed, particle, library, acquisition.

Example:
    python evaluate_heights.py results/models/gold_heights/model summary.csv \\
        --settings '{"particles": 4, "doses_e_per_A2": [1000], "methods": ["network"]}'
"""

import argparse
import sys

from atomsight import command_line
from atomsight.analysis.heights import height_columns
from atomsight.config import settings
from atomsight.evaluation.counting import benchmark
from atomsight.evaluation.counting.benchmark import Counter, HeightEvaluationSettings
from atomsight.evaluation.counting.tables import abstention, confusion, reliability, summarise
from atomsight.evaluation.readers import atom_reader
from atomsight.files import tables
from atomsight.learning import models

NAME = "height_evaluation"


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the particles, count their columns, say how well."""
    given = parse(argv)
    section = settings.complete(given.settings, NAME, NAME)
    reading = settings.complete(given.inference, "inference", "inference")
    chosen = settings.build(HeightEvaluationSettings, section)
    counter = load_counter(given.model, chosen, section["contrast"], reading)

    answers = benchmark.measure(chosen, counter)
    summary = summarise(answers, chosen.bins)
    tables.write_csv(given.output, summary)
    if given.confusion:
        tables.write_csv(given.confusion, confusion(answers))
    if given.reliability:
        tables.write_csv(given.reliability, reliability(answers, chosen.bins))
    if given.abstention:
        tables.write_csv(given.abstention, abstention(answers))
    command_line.print_table(summary)


def load_counter(
    folder: str, chosen: HeightEvaluationSettings, contrast: str, reading: dict
) -> Counter:
    """Load a model that counts; refuse one that does not."""
    card = models.read_card(folder)
    heights = height_columns([f"p_{name}" for name in card.class_names[1:]], folder)
    steps_A = card.focus_steps_A
    pixel_size_A = chosen.acquisition.pixel_size_A
    read = atom_reader(
        folder, pixel_size_A, reading, contrast, f"{NAME}.acquisition", frames=len(steps_A)
    )
    return Counter(read, steps_A, len(heights))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model that counts")
    arguments.add_argument("output", metavar="SUMMARY.csv", help="the table to write")
    arguments.add_argument("--confusion", metavar="CONFUSION.csv", help="heights against answers")
    arguments.add_argument(
        "--reliability", metavar="RELIABILITY.csv", help="stated probabilities against the truth"
    )
    arguments.add_argument(
        "--abstention", metavar="ABSTENTION.csv", help="errors against the share answered"
    )
    command_line.add_settings(arguments, NAME, "inference")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
