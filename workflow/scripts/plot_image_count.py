"""Draw how well columns are counted from one, two, three or five images of the same total dose.

Every model is given by a name and the summary of its counts; of other methods in it nothing is
drawn.

Example:
    python plot_image_count.py images.png --summary '1 image' one/heights_summary.csv \\
        --summary '3 images' three/heights_summary.csv
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import image_count, score_tables, style


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the summaries and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    summaries = {
        name: score_tables.of_network(score_tables.read_summary(path), path)
        for name, path in given.summary
    }
    style.save(image_count.draw(summaries), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument(
        "--summary",
        nargs=2,
        action="append",
        required=True,
        metavar=("NAME", "SUMMARY.csv"),
        help="scores of a model; may be given again for the next curve",
    )
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
