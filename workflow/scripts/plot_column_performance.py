"""Draw how well a model finds the columns of simulated particles, against dose and tilt.

COLUMNS.csv has one row per zone axis, tilt and dose: zone_axis, tilt_deg, dose_e_per_A2, particles,
f1, rms_error_pm (along one axis), and classical_f1, classical_rms_error_pm of peak finding.

Example:
    python plot_column_performance.py performance.png columns.csv
"""

import argparse
import sys

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures import column_performance, style
from atomsight.files import tables


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the scores and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    scores = tables.read_csv(given.columns, column_performance.COLUMNS)
    if scores.empty or not (scores["dose_e_per_A2"] > 0).all():
        raise InputError(f"{given.columns}: there must be rows, and doses above zero in them")
    style.save(column_performance.draw(scores), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("columns", metavar="COLUMNS.csv", help="scores by axis, tilt and dose")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
