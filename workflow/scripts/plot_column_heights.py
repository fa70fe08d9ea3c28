"""Draw the counted columns of one particle: images, counts, and their difference from the truth.

With --truth, the truth file of a simulated series, the true heights and the differences are drawn;
without it the probabilities of the counts, and how many columns have which height.

Example:
    python plot_column_heights.py heights.png frames.h5 heights.csv --truth truth.h5
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import column_heights, column_tables, style


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read a particle and draw it."""
    given = parse(argv)
    style.check_output(given.output)
    series = column_tables.read_images(given.frames, given.specimen)
    counted = column_tables.read_heights(given.heights, given.specimen)
    truth, dose, title = None, given.dose, given.title or ""
    if given.truth:
        truth = column_tables.with_heights(column_tables.read_truth(given.truth), given.truth)
        dose, title = truth.dose_e_per_A2, title or "Simulated particle"
    style.save(column_heights.draw(series, counted, truth, dose, title), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("frames", metavar="FRAMES.h5", help="the images")
    arguments.add_argument("heights", metavar="HEIGHTS.csv", help="the counted columns")
    arguments.add_argument("--truth", metavar="TRUTH.h5", help="truth of a simulated series")
    arguments.add_argument("--dose", type=float, help="dose of all images together, if known")
    arguments.add_argument("--specimen", type=int, default=0, help="its number, from 0")
    arguments.add_argument("--title", metavar="TEXT", help="what the particle is")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
