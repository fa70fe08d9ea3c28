"""Count what a model finds in simulated images where nothing is to be found.

The backgrounds are vacuum, films of amorphous carbon, and films of ceria in orientations that show
no columns. OUT.csv has one row per background and dose: views, area_nm2, false_positives, per_nm2,
and per_nm2_low and per_nm2_high, the exact 95 % interval of a Poisson distribution.

Settings: doses_e_per_A2, min_area_nm2, border_A, thickness_A, contrast, seed, acquisition.

Example:
    python evaluate_background.py results/models/gold/model background.csv \\
        --settings '{"doses_e_per_A2": [1000], "min_area_nm2": 100}'
"""

import argparse
import sys

from atomsight import command_line
from atomsight.config import settings
from atomsight.evaluation import backgrounds
from atomsight.evaluation.backgrounds import BackgroundSettings
from atomsight.evaluation.readers import finder
from atomsight.files import tables


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the backgrounds, read the images, count what is found."""
    given = parse(argv)
    name = "background_evaluation"
    section = settings.complete(given.settings, name, name)
    reading = settings.complete(given.inference, "inference", "inference")
    chosen = settings.build(BackgroundSettings, section)
    pixel_size_A = chosen.acquisition.pixel_size_A
    where = f"{name}.acquisition"
    find = finder(given.model, pixel_size_A, reading, section["contrast"], where)
    table = backgrounds.measure(chosen, find)
    tables.write_csv(given.output, table)
    command_line.print_table(table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("output", metavar="OUT.csv", help="the table to write")
    command_line.add_settings(arguments, "background_evaluation", "inference")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
