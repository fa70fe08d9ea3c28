"""Draw the method on one frame: the micrograph, the output of the network, the columns found.

The first frame is drawn without --frame. The title should say so where the frame is simulated.

Example:
    python plot_method.py method.png frames.h5 maps.h5 atoms.h5 --title 'Simulated: gold'
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import method, series_tables, style


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read a frame and draw it."""
    given = parse(argv)
    style.check_output(given.output)
    recording = series_tables.read_recording(given.frames, given.maps, given.atoms, given.frame)
    style.save(method.draw(recording, given.title), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("frames", metavar="FRAMES.h5", help="micrographs")
    arguments.add_argument("maps", metavar="MAPS.h5", help="output of the network")
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="columns found")
    arguments.add_argument("--title", default="Simulated image", metavar="TEXT", help="what it is")
    arguments.add_argument("--frame", type=int, default=0, help="number of the frame, from 0")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
