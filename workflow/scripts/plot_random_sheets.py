"""Draw how a random graphene-like sheet is made, and the statistics of all sheets of a model.

The first sheet with a hole is drawn. Seed and settings of the stages before it are read from the
files of structures themselves.

Example:
    python plot_random_sheets.py sheets.png structures/0.h5 structures/1.h5
"""

import argparse
import json
import sys

import numpy as np

from atomsight import command_line
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.figures import random_sheets, style
from atomsight.files import layout, sealed
from atomsight.materials import graphene

#: A sheet has a hole if rings leave this share of its area free.
MIN_HOLE = 0.02


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read all structures, count, draw."""
    given = parse(argv)
    style.check_output(given.output)
    sheets = read_sheets(given.structures)
    holes = {n: random_sheets.hole_share(sheet) for n, sheet in sheets.items()}
    chosen = next((n for n, share in holes.items() if share > MIN_HOLE), min(sheets))
    section, seed = read_making(given.structures[0])
    # As make_structures.py deals out the seeds, sheet by sheet.
    own_seed = np.random.SeedSequence(seed).spawn(chosen + 1)[chosen]
    construction = random_sheets.construct(section, own_seed, sheets[chosen])
    statistics = random_sheets.gather_statistics(sheets.values())
    style.save(random_sheets.draw(construction, statistics), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument(
        "structures", metavar="STRUCTURES.h5", nargs="+", help="all shards of structures"
    )
    return arguments.parse_args(argv)


def read_sheets(paths: list[str]) -> dict[int, random_sheets.Sheet]:
    """Read all sheets and find their bonds and rings.

    Parameters
    ----------
    paths : list of paths
        Shards of structures.

    Returns
    -------
    dict of int to Sheet
        The sheets by their number, in order.

    Raises
    ------
    InputError
        If a file is missing or of another kind, or holds no sheets of graphene.
    """
    sheets = {}
    for path in paths:
        for number, structure in layout.read_structures(path):
            if not np.isclose(*structure.cell_A[:2]) or not (structure.numbers == 6).all():
                raise InputError(f"{path}: structure {number} is no square sheet of carbon")
            sheets[number] = random_sheets.connect(structure.sites, float(structure.cell_A[0]))
    if not sheets:
        raise InputError(f"{', '.join(paths)}: there are no structures; make them again")
    return dict(sorted(sheets.items()))


def read_making(path: str) -> tuple[graphene.Settings, int]:
    """Read what the sheets were made with.

    Parameters
    ----------
    path : path
        A shard of structures.

    Returns
    -------
    settings : graphene.Settings
        The settings.
    seed : int
        The seed of the whole collection.

    Raises
    ------
    InputError
        If the file does not say.
    """
    with sealed.open_to_read(path) as file:
        section, seed = json.loads(file.attrs["settings"]), int(file.attrs["seed"])
    return settings.load(section, "graphene", graphene.Settings), seed


if __name__ == "__main__":
    sys.exit(main())
