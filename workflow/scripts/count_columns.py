"""Count the atoms in columns: HEIGHTS.csv from the columns that a model with classes 1, 2, … found.

One row per column: frame (the number of the focal series), column, x_A, y_A, p_exists, p_1 … p_N
(probability of every height), height (the most likely one), p_height (its probability),
expected_height, reliable, and reason: why the count is not to be relied on. A reason is one of
"unusable pixels", "edge of the image", "above the model's range" (its last class holds all greater
heights too) and "uncertain". Unusable pixels are known only with --frames.

Settings: min_probability, border_A, clear_A.

Example:
    python count_columns.py atoms.h5 heights.csv --frames frames.h5 \\
        --settings '{"min_probability": 0.8}'
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.analysis import HeightSettings
from atomsight.errors import InputError
from atomsight.files import provenance

if TYPE_CHECKING:
    import pandas as pd


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the columns, count, write tables."""
    given = parse(argv)
    from atomsight.analysis.heights import count_columns
    from atomsight.files import sealed, tables

    chosen = HeightSettings.parse(given.settings, "heights")
    atoms, shape, pixel_size_A = read_atoms(given.atoms)
    is_clear = np.ones(len(atoms), bool)
    if given.frames:
        is_clear = mark_clear(atoms, given.frames, shape, pixel_size_A, chosen.clear_A)
    table = count_columns(atoms, is_clear, shape[1:], pixel_size_A, chosen, given.atoms)
    report(table)
    tables.write_csv(given.heights, table)
    if given.hdf5:
        made_by = provenance.made_by(
            "count_columns.py", chosen.model_dump(), atoms=Path(given.atoms).name
        )
        facts = {"pixel_size_A": pixel_size_A, "frame_shape": shape}
        with sealed.create(given.hdf5, made_by | facts) as file:
            tables.write_table(file, "heights", table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the columns of a series")
    arguments.add_argument("heights", metavar="HEIGHTS.csv", help="the table to write")
    arguments.add_argument("--frames", metavar="FRAMES.h5", help="the images, for unusable pixels")
    arguments.add_argument("--hdf5", metavar="HEIGHTS.h5", help="the same table as HDF5")
    command_line.add_settings(arguments, "heights", HeightSettings)
    return arguments.parse_args(argv)


def read_atoms(path: str) -> "tuple[pd.DataFrame, tuple[int, int, int], float]":
    """Read the columns of a series, and the shape and the pixel size of its class maps."""
    from atomsight.analysis.heights import height_columns
    from atomsight.files import sealed, tables

    with sealed.open_to_read(path) as file:
        atoms = tables.read_table(file, "atoms", ["frame", "atom", "x_A", "y_A", "p_exists"])
        shape = tuple(int(edge) for edge in file.attrs["frame_shape"])
        pixel_size_A = float(file.attrs["pixel_size_A"])
    height_columns(atoms.columns, path)
    return atoms, shape, pixel_size_A


def mark_clear(
    atoms: "pd.DataFrame",
    path: str,
    shape: tuple[int, int, int],
    pixel_size_A: float,
    clear_A: float,
) -> np.ndarray:
    """Tell the columns around which the pixels of all images are usable.

    Successive images show one specimen.
    """
    from atomsight.analysis.heights import clear_of_unusable
    from atomsight.files import layout

    is_clear = np.ones(len(atoms), bool)
    points = atoms[["x_A", "y_A"]].to_numpy(float)
    with layout.open_frames(path) as frames:
        images, more = divmod(frames.images.shape[0], max(shape[0], 1))
        if more or images == 0 or frames.images.shape[1:] != shape[1:]:
            raise InputError(
                f"{path}: the columns are of other images; give those they were found in"
            )
        for specimen, rows in atoms.groupby("frame").indices.items():
            group = slice(specimen * images, (specimen + 1) * images)
            usable = frames.usable[group].all(axis=0)
            is_clear[rows] = clear_of_unusable(points[rows], usable, pixel_size_A, clear_A)
    return is_clear


def report(table: "pd.DataFrame") -> None:
    """Log how many columns were counted, and why others are not reliable."""
    reasons = table.loc[~table["reliable"], "reason"].value_counts()
    said = "".join(f", {count} {reason}" for reason, count in reasons.items())
    logging.info("%d columns, %d reliable%s", len(table), table["reliable"].sum(), said)


if __name__ == "__main__":
    sys.exit(main())
