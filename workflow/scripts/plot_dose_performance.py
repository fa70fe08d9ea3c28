"""Draw how well a model finds the atoms of simulated polycrystalline graphene, against the dose.

EVALUATION.csv has one row per dose: dose_e_per_A2, true_positives, false_positives,
false_negatives, precision, recall, f1, rms_error_A (along one axis), and recall_<region> if it is
to be drawn too.

Example:
    python plot_dose_performance.py performance.png evaluation.csv
"""

import argparse
import sys

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures import dose_performance, style
from atomsight.files import tables


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the scores and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    scores = tables.read_csv(given.evaluation, dose_performance.COLUMNS)
    if scores.empty or not (scores["dose_e_per_A2"] > 0).all():
        raise InputError(f"{given.evaluation}: there must be rows, and doses above zero in them")
    style.save(dose_performance.draw(scores), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("evaluation", metavar="EVALUATION.csv", help="scores by dose")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
