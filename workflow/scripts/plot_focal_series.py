"""Draw a focal series, the class map a network reads from it, the species found and the true ones.

Shown is the part of the specimen that holds most sites of the model's last class, such as
vacancies. With --truth, the truth file of a simulated series, the true sites are drawn too, and
what is missed or named wrongly is ringed.

Example:
    python plot_focal_series.py series.png frames.h5 maps.h5 atoms.h5 --truth truth.h5
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import column_tables, focal_series, style


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read a specimen and draw it."""
    given = parse(argv)
    style.check_output(given.output)
    series = column_tables.read_images(given.frames, given.specimen)
    maps, names = column_tables.read_map(given.maps, series)
    found = column_tables.read_sites(given.atoms, given.specimen)
    truth = column_tables.read_truth(given.truth) if given.truth else None
    title = given.title or ("Simulated specimen" if given.truth else "")
    style.save(focal_series.draw(series, maps, names[1:], found, truth, title), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("frames", metavar="FRAMES.h5", help="the images")
    arguments.add_argument("maps", metavar="MAPS.h5", help="the class maps")
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the sites")
    arguments.add_argument("--truth", metavar="TRUTH.h5", help="truth of a simulated series")
    arguments.add_argument("--specimen", type=int, default=0, help="its number, from 0")
    arguments.add_argument("--title", metavar="TEXT", help="what the specimen is")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
