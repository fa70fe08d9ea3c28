"""Draw occurrence, raw events and hop rates of the sites of series, one row per series.

Every series is given by its name and its files. --title says what is to be written beside a name,
and should say so where the series is simulated. All rows share one scale of rates.

Example:
    python plot_occurrence_events.py events.png --series vacuum sites.h5 substrate.h5 \\
        --title vacuum='Simulated: gold in vacuum'
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import occurrence_events, series_tables, style
from atomsight.figures.arguments import by_name


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read every series and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    titles = by_name(given.title, [name for name, *_ in given.series], "--title")
    all_series = [
        series_tables.read_series(name, titles.get(name, ""), *files)
        for name, *files in given.series
    ]
    style.save(occurrence_events.draw(all_series), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument(
        "--series",
        nargs=3,
        action="append",
        required=True,
        metavar=("NAME", "SITES.h5", "SUBSTRATE.h5"),
        help="a series; may be given again for the next row",
    )
    arguments.add_argument(
        "--title", action="append", default=[], metavar="NAME=TEXT", help="about a series"
    )
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
