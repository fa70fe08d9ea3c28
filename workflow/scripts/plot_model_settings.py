"""Draw how well a model finds atoms under microscopes drawn at random.

SETTINGS.csv is the second table of "evaluate.py conditions", one row per microscope and dose.

Example:
    python plot_model_settings.py settings.png settings.csv --model graphene
"""

import argparse
import sys

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures import model_settings, style
from atomsight.files import tables


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the scores and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    scores = tables.read_csv(given.settings, model_settings.COLUMNS)
    if scores.empty or not (scores["dose_e_per_A2"] > 0).all():
        raise InputError(f"{given.settings}: there must be rows, and doses above zero in them")
    style.save(model_settings.draw(scores, given.model), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("settings", metavar="SETTINGS.csv", help="scores by microscope")
    arguments.add_argument("--model", default="", metavar="NAME", help="the model, for the title")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
