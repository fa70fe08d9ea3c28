"""Draw random nanoparticles of the training, and the statistics of all of them.

The metal is the heaviest element of a structure. The gallery runs from the smallest to the largest
particle.

Example:
    python plot_rough_particles.py particles.png structures/0.h5 structures/1.h5
"""

import argparse
import sys

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures import rough_particles, style
from atomsight.files import layout
from atomsight.files.records import Structure


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read all structures, count, draw."""
    given = parse(argv)
    style.check_output(given.output)
    structures = read_particles(given.structures)
    shown = rough_particles.choose(structures)
    style.save(rough_particles.draw(shown, rough_particles.gather(structures)), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument(
        "structures", metavar="STRUCTURES.h5", nargs="+", help="all shards of structures"
    )
    return arguments.parse_args(argv)


def read_particles(paths: list[str]) -> list[Structure]:
    """Read all particles.

    Parameters
    ----------
    paths : list of paths
        Shards of structures.

    Returns
    -------
    list of Structure
        The structures by their number.

    Raises
    ------
    InputError
        If a file is missing or of another kind, or there are no columns to draw.
    """
    numbered = {}
    for path in paths:
        for number, structure in layout.read_structures(path):
            if len(structure.numbers) == 0 or len(structure.sites) < 2:
                raise InputError(
                    f"{path}: structure {number} has fewer than two columns; make larger particles"
                )
            numbered[number] = structure
    if not numbered:
        raise InputError(f"{', '.join(paths)}: there are no structures; make them again")
    return [numbered[number] for number in sorted(numbered)]


if __name__ == "__main__":
    sys.exit(main())
