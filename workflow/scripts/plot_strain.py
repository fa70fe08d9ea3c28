"""Draw micrographs, network output, planar strain and bond lengths, one row per series.

Every series is given by its name and its files; one frame of each is drawn, the first without
--frame. --title says what is to be written beside a name. With --scores a row says that it is
simulated, and how well its atoms and strain agree with the truth. All rows share one scale of
strain.

Example:
    python plot_strain.py strain.png --series boundary frames.h5 maps.h5 strain.h5 \\
        --title boundary='graphene, 80 kV'
"""

import argparse
import sys

import h5py
import pandas as pd

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures import strain_rows, style
from atomsight.figures.arguments import by_name
from atomsight.files import layout, sealed, tables

ATOM_COLUMNS = ["frame", "x_A", "y_A", "planar"]
BOND_COLUMNS = ["frame", "length_A"]
RING_COLUMNS = ["frame", "x_A", "y_A", "size"]
SCORES = ["f1", "rms_error_A", "planar_rms"]


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read a frame of every series and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    names = [name for name, *_ in given.series]
    titles = by_name(given.title, names, "--title")
    scores = by_name(given.scores, names, "--scores")
    rows = [
        read_row(name, files, given.frame, titles.get(name, ""), scores.get(name))
        for name, *files in given.series
    ]
    style.save(strain_rows.draw(rows), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument(
        "--series",
        nargs=4,
        action="append",
        required=True,
        metavar=("NAME", "FRAMES.h5", "MAPS.h5", "STRAIN.h5"),
        help="a series; may be given again for the next row",
    )
    arguments.add_argument(
        "--title", action="append", default=[], metavar="NAME=TEXT", help="about a series"
    )
    arguments.add_argument(
        "--scores",
        action="append",
        default=[],
        metavar="NAME=SCORES.csv",
        help="scores of a simulated series",
    )
    arguments.add_argument("--frame", type=int, default=0, help="number of the frame, from 0")
    return arguments.parse_args(argv)


def read_row(
    name: str, files: list[str], frame: int, notes: str, scores: str | None
) -> strain_rows.SeriesRow:
    """Read one frame of a series.

    Parameters
    ----------
    name : str
        Name of the series.
    files : list of 3 str
        Paths of frames, maps and strain.
    frame : int
        Number of the frame.
    notes : str
        What is to be written beside the name.
    scores : str, optional
        Path of the scores.

    Returns
    -------
    SeriesRow
        What is drawn.

    Raises
    ------
    InputError
        If a file is missing or of another kind, has no such frame, or does not fit the others.
    """
    frames_path, maps_path, strain_path = files
    with layout.open_frames(frames_path) as frames:
        count = frames.images.shape[0]
        if not 0 <= frame < count:
            raise InputError(f"{frames_path}: there is no frame {frame}; they run to {count - 1}")
        image, usable = frames.images[frame], frames.usable[frame]
        pixel_size_A, shape = frames.pixel_size_A, frames.images.shape
    with layout.open_maps(maps_path) as maps:
        if maps.maps.shape[:3] != shape:
            raise InputError(f"{maps_path}: not the maps of {frames_path}; make them again")
        foreground = 1 - maps.maps[frame, ..., 0]
    with sealed.open_to_read(strain_path) as file:
        atoms = read_rows(file, "strain", ATOM_COLUMNS, frame)
        bonds = read_rows(file, "bonds", BOND_COLUMNS, frame)
        rings = read_rows(file, "rings", RING_COLUMNS, frame)
    return strain_rows.SeriesRow(
        name=name,
        notes=notes,
        image=image,
        usable=usable,
        foreground=foreground,
        pixel_size_A=pixel_size_A,
        atoms=atoms,
        bond_lengths_A=bonds["length_A"].to_numpy(),
        rings=rings,
        frame=frame,
        frame_count=count,
        scores=read_scores(scores, frame) if scores else None,
    )


def read_rows(file: h5py.File, name: str, columns: list[str], frame: int) -> pd.DataFrame:
    """Read the rows of a table that belong to a frame.

    Parameters
    ----------
    file : h5py.File
        A file of ``measure_strain.py``.
    name : str
        Name of the table.
    columns : list of str
        Columns needed.
    frame : int
        Number of the frame.

    Returns
    -------
    DataFrame
        The rows.
    """
    table = tables.read_table(file, name, columns)
    return table[table["frame"] == frame].reset_index(drop=True)


def read_scores(path: str, frame: int) -> dict[str, float]:
    """Read the scores of a frame.

    Parameters
    ----------
    path : path
        A table of ``score.py atoms``.
    frame : int
        Number of the frame.

    Returns
    -------
    dict of str to float
        ``f1, rms_error_A, planar_rms``; NaN where it was not measured.

    Raises
    ------
    InputError
        If the file is missing or no such table, or does not have the frame.
    """
    table = tables.read_csv(path, ["frame", "f1", "rms_error_A"])
    rows = table[table["frame"] == frame]
    if rows.empty:
        raise InputError(f"{path}: there is no frame {frame}; score the series again")
    return rows.iloc[0].reindex(SCORES).astype(float).to_dict()


if __name__ == "__main__":
    sys.exit(main())
