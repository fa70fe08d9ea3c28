"""Draw where the sites of a series are, how often they are occupied, and how they change.

SITES.h5 comes from follow_sites.py, SUBSTRATE.h5 from mask_substrate.py. The mask of the substrate
is always drawn. A title should say so where the series is simulated.

Example:
    python plot_occupancy.py occupancy.png sites.h5 substrate.h5 --title 'Simulated: gold in vacuum'
"""

import argparse
import sys
from pathlib import Path

from atomsight import command_line
from atomsight.figures import occupancy, series_tables, style


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the sites and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    name = Path(given.sites).parent.name
    series = series_tables.read_series(name, given.title, given.sites, given.substrate)
    style.save(occupancy.draw(series), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("sites", metavar="SITES.h5", help="sites of the series")
    arguments.add_argument("substrate", metavar="SUBSTRATE.h5", help="mean image and mask")
    arguments.add_argument("--title", default="", metavar="TEXT", help="what the series is")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
