"""Measure the local strain of the lattice at every atom, the bond lengths and the rings.

A template of the perfect lattice is fitted to the neighbours of every atom; how it must be
stretched and turned is the strain and the rotation there. Atoms without a perfect neighbourhood (at
holes, borders and defects) keep their row, with empty fields.

STRAIN.csv has the columns of the atoms and e_xx, e_yy, e_xy, rotation_rad, planar, rmsd. By default
strain and rotation are relative to the mean lattice of the series, since the pixel size is seldom
known better; {"reference": "absolute"} refers them to the template. STRAIN.h5 holds the tables
strain, bonds and rings, and in its attributes the scale of the lattice (measured over template),
its orientation, and mean and standard deviation of the bond length.

Example:
    python measure_strain.py atoms.h5 strain.csv --hdf5 strain.h5 --material graphene
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.analysis import StrainSettings
from atomsight.errors import InputError
from atomsight.files import provenance

if TYPE_CHECKING:
    import pandas as pd

    from atomsight.analysis.strain import LocalMaps, Template

BOND_COLUMNS = {"frame": int, "atom_1": int, "atom_2": int, "length_A": float}
RING_COLUMNS = {"frame": int, "x_A": float, "y_A": float, "size": int}


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the atoms of a series, measure, write tables."""
    arguments = parse(argv)
    import pandas as pd

    from atomsight import materials
    from atomsight.analysis import strain
    from atomsight.files import sealed, tables

    chosen = StrainSettings.parse(arguments.settings, "strain")
    atoms = read_atoms(arguments.atoms)
    chosen = chosen.but(bond_A=chosen.bond_A or materials.bond_A(arguments.material))
    template = strain.TEMPLATES[chosen.template](chosen.bond_A)

    local, bonds, rings = measure_frames(atoms, template, chosen.max_rmsd)
    reference = strain.REFERENCES[chosen.reference](local.maps, template)
    components = strain.strain_table(local, reference, template.symmetry_rad)
    table = pd.concat([atoms, components], axis=1)
    facts = {
        "scale": strain.mean_scale(local.maps),
        "orientation_rad": strain.typical_orientation(local.maps, template.symmetry_rad),
        "bond_mean_A": bonds["length_A"].mean(),
        "bond_std_A": bonds["length_A"].std(ddof=0),
    }
    report(atoms["frame"].to_numpy(), local.matched, facts)

    tables.write_csv(arguments.strain, table)
    if arguments.bonds:
        tables.write_csv(arguments.bonds, bonds)
    if arguments.hdf5:
        made_by = provenance.made_by(
            "measure_strain.py", chosen.model_dump(), atoms=Path(arguments.atoms).name
        )
        with sealed.create(arguments.hdf5, made_by | facts) as file:
            tables.write_table(file, "strain", table)
            tables.write_table(file, "bonds", bonds)
            tables.write_table(file, "rings", rings)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the atoms of a series")
    arguments.add_argument("strain", metavar="STRAIN.csv", help="the table to write")
    arguments.add_argument("--hdf5", metavar="STRAIN.h5", help="all tables in one file")
    arguments.add_argument("--bonds", metavar="BONDS.csv", help="the table of bonds")
    arguments.add_argument(
        "--material",
        default="graphene",
        metavar="NAME",
        help="the material, whose bond length is that without strain unless the settings name one",
    )
    command_line.add_settings(arguments, "strain", StrainSettings)
    return arguments.parse_args(argv)


def read_atoms(path: str) -> "pd.DataFrame":
    """Read the table of atoms, and see that every atom has a position."""
    from atomsight.files import sealed, tables

    with sealed.open_to_read(path) as file:
        atoms = tables.read_table(file, "atoms", ["frame", "atom", "x_A", "y_A"])
    bad = np.flatnonzero(~np.isfinite(atoms[["x_A", "y_A"]].to_numpy(float)).all(axis=1))
    if len(bad):
        raise InputError(f"{path}: row {bad[0]} of the table 'atoms' has no position; correct it")
    return atoms


def measure_frames(
    atoms: "pd.DataFrame", template: "Template", max_rmsd: float
) -> "tuple[LocalMaps, pd.DataFrame, pd.DataFrame]":
    """Fit the template to the atoms of every frame, and gather bonds and rings.

    ``max_rmsd`` is the largest deviation from the template, in bond lengths.
    """
    import pandas as pd

    from atomsight.analysis import strain
    from atomsight.analysis.bonds import bond_lengths, find_bonds, find_rings

    local = strain.LocalMaps(np.full((len(atoms), 2, 2), np.nan), np.full(len(atoms), np.nan))
    bond_tables, ring_tables = [_empty(BOND_COLUMNS)], [_empty(RING_COLUMNS)]
    for frame, rows in atoms.groupby("frame").indices.items():
        positions = atoms[["x_A", "y_A"]].to_numpy(float)[rows]
        bonds = find_bonds(positions, template.shells[0], template.reach)
        rings = find_rings(positions, bonds)
        fitted = strain.fit_template(positions, bonds, rings, template, max_rmsd)
        local.maps[rows], local.rmsd[rows] = fitted.maps, fitted.rmsd
        numbers = atoms["atom"].to_numpy()[rows][bonds]
        lengths = bond_lengths(positions, bonds)
        bond_tables.append(_columns(BOND_COLUMNS, frame, *numbers.T, lengths))
        ring_tables.append(_columns(RING_COLUMNS, frame, *rings.centres.T, rings.sizes))
    bonds = pd.concat(bond_tables, ignore_index=True).astype(BOND_COLUMNS)
    rings = pd.concat(ring_tables, ignore_index=True).astype(RING_COLUMNS)
    return local, bonds, rings


def _empty(types: dict) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({name: np.empty(0, dtype) for name, dtype in types.items()})


def _columns(names: dict, frame: int, *columns: np.ndarray) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(dict(zip(names, (np.full(len(columns[0]), frame), *columns), strict=True)))


def report(frames: np.ndarray, matched: np.ndarray, facts: dict) -> None:
    """Log what was found, and warn of frames in which nothing matches."""
    if len(frames) == 0:
        logging.warning("no atoms in the series: the tables are empty")
        return
    empty = np.setdiff1d(frames, frames[matched])
    if len(empty):
        logging.warning("no atom matches the template in frame %s", ", ".join(map(str, empty)))
    logging.info(
        "%d atoms, %.1f %% matched, scale %.4f, bond length %.3f ± %.3f Å",
        len(frames),
        100 * matched.mean(),
        facts["scale"],
        facts["bond_mean_A"],
        facts["bond_std_A"],
    )


if __name__ == "__main__":
    sys.exit(main())
