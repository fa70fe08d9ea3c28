"""Find the atoms or columns in class maps: ATOMS.h5, and the same table as CSV.

One row per atom: frame, atom, x_A, y_A (from the centre of the first pixel, y along the rows),
class, p_class (probability of that class, given that there is an atom), p_exists, and p_<class> for
every class.

Settings: background_limit, min_existence; the model's own where they are not given.

Example:
    python locate_atoms.py maps.h5 atoms.h5 --csv atoms.csv --settings '{"min_existence": 0.6}'
"""

import argparse
import logging
import sys

from atomsight import command_line
from atomsight.config.reading import SegmentationSettings
from atomsight.files import provenance


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Find the atoms of one frame after another."""
    given = parse(argv)
    import pandas as pd

    from atomsight.files import layout, sealed, tables
    from atomsight.reading.segmentation import locate_atoms

    with layout.open_maps(given.maps) as maps:
        section = dict(maps.thresholds) | given.settings
        chosen = SegmentationSettings.parse(section, "segmentation")
        found = []
        for frame in range(maps.maps.shape[0]):
            atoms = locate_atoms(
                maps.maps[frame], maps.pixel_size_A, maps.class_names, maps.site_sigma_A, chosen
            )
            atoms.insert(0, "frame", frame)
            found.append(atoms)
        facts = {"pixel_size_A": maps.pixel_size_A, "frame_shape": maps.maps.shape[:3]}
    atoms = pd.concat(found, ignore_index=True)
    made_by = provenance.made_by("locate_atoms.py", section)
    with sealed.create(given.atoms, made_by | facts) as file:
        tables.write_table(file, "atoms", atoms)
    if given.csv:
        tables.write_csv(given.csv, atoms)
    logging.info("%d atoms in %d frames", len(atoms), len(found))


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("maps", metavar="MAPS.h5", help="the class maps")
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the table of atoms")
    arguments.add_argument("--csv", metavar="ATOMS.csv", help="the same table as text")
    command_line.add_settings(arguments, "segmentation", SegmentationSettings)
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
