"""Measure how well a model finds the columns of simulated particles, against tilt and dose.

The particles come from another generator than those of the training, their images from abTEM's own
microscope. OUT.csv has one row per zone axis, tilt and dose: particles, columns, precision, recall,
f1, rms_error_pm (of the positions along one axis) and the recall of columns of 1, 2, and 3 or more
atoms. The same with classical_ in front is peak finding on the same images, its filter and its
threshold chosen with the truth in hand: the best it can do. --summary pools all tilts.

Settings: particles, zone_axes, tilts_deg, doses_e_per_A2, radius_A, contrast, seed, particle,
acquisition.

Example:
    python evaluate_columns.py results/models/gold/model columns.csv \\
        --settings '{"particles": 4, "tilts_deg": [0, 5], "doses_e_per_A2": [1000]}'
"""

import argparse
import sys

from atomsight import command_line
from atomsight.config import settings
from atomsight.evaluation import columns
from atomsight.evaluation.columns import ColumnEvaluationSettings
from atomsight.evaluation.readers import finder
from atomsight.files import tables

POOLED = ["zone_axis", "dose_e_per_A2"]
SINGLE = ["zone_axis", "tilt_deg", "dose_e_per_A2"]


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the particles, read the images, score them."""
    given = parse(argv)
    name = "column_evaluation"
    section = settings.complete(given.settings, name, name)
    reading = settings.complete(given.inference, "inference", "inference")
    chosen = settings.build(ColumnEvaluationSettings, section)
    pixel_size_A = chosen.acquisition.pixel_size_A
    where = f"{name}.acquisition"
    find = finder(given.model, pixel_size_A, reading, section["contrast"], where)

    counts = columns.measure(chosen, find)
    table = columns.summarise(counts, SINGLE)
    tables.write_csv(given.output, table)
    if given.summary:
        tables.write_csv(given.summary, columns.summarise(counts, POOLED))
    command_line.print_table(table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("output", metavar="OUT.csv", help="the table to write")
    arguments.add_argument(
        "--summary", metavar="SUMMARY.csv", help="a table by zone axis and dose, over all tilts"
    )
    command_line.add_settings(arguments, "column_evaluation", "inference")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
