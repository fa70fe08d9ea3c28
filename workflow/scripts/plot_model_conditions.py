"""Draw how well a model finds atoms against every condition of the microscope.

CONDITIONS.csv is the first table of "evaluate.py conditions", one row per condition, value and
dose.

Example:
    python plot_model_conditions.py conditions.png conditions.csv --model graphene
"""

import argparse
import sys

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures import model_conditions, style
from atomsight.files import tables


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the scores and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    scores = tables.read_csv(given.conditions, model_conditions.COLUMNS)
    if scores.empty or not (scores["dose_e_per_A2"] > 0).all():
        raise InputError(f"{given.conditions}: there must be rows, and doses above zero in them")
    if missing := {"condition", "unit"} - set(scores):
        raise InputError(
            f"{given.conditions}: the column {min(missing)!r} is missing; make it again"
        )
    style.save(model_conditions.draw(scores, given.model), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("conditions", metavar="CONDITIONS.csv", help="scores by condition")
    arguments.add_argument("--model", default="", metavar="NAME", help="the model, for the title")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
