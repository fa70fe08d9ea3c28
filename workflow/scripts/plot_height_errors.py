"""Draw by how much counts of columns are wrong, against dose and tilt, one row per method.

SUMMARY.csv has one row per method, range of tilts and dose: method, tilt_low_deg, tilt_high_deg,
dose_e_per_A2, columns, exact, exact_low, exact_high, off_by_1, off_by_2, off_by_3plus, missed.

Example:
    python plot_height_errors.py errors.png heights_summary.csv
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import height_errors, score_tables, style


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the summary and draw it."""
    given = parse(argv)
    style.check_output(given.output)
    summary = score_tables.read_summary(given.summary)
    style.save(height_errors.draw(summary), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("summary", metavar="SUMMARY.csv", help="scores of counted columns")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
