"""Draw frames, sites, occurrence and hop rates of series of particles, one row per series.

Every series is given by its name and its files; one frame of each is drawn as recorded, the first
one used without --frame. --title says what is to be written beside a name. With --table a row says
that it is simulated, and its hop rates are drawn against the truth. --comparison says how two of
the series differ. All rows share one scale of rates.

Example:
    python plot_gold_dynamics.py dynamics.png \\
        --series vacuum frames.h5 maps.h5 atoms.h5 sites.h5 substrate.h5 \\
        --title vacuum='Simulated: gold in vacuum' --table vacuum=dynamics.csv
"""

import argparse
import sys
from dataclasses import replace

import numpy as np

from atomsight import command_line
from atomsight.errors import InputError
from atomsight.figures import gold_dynamics, series_tables, style
from atomsight.figures.arguments import by_name


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read every series and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    names = [name for name, *_ in given.series]
    titles = by_name(given.title, names, "--title")
    truths = by_name(given.table, names, "--table")
    rows = [
        read_row(name, files, given.frame, titles.get(name, ""), truths.get(name))
        for name, *files in given.series
    ]
    comparison = series_tables.read_comparison(given.comparison) if given.comparison else None
    style.save(gold_dynamics.draw(rows, comparison), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument(
        "--series",
        nargs=6,
        action="append",
        required=True,
        metavar=("NAME", "FRAMES.h5", "MAPS.h5", "ATOMS.h5", "SITES.h5", "SUBSTRATE.h5"),
        help="a series; may be given again for the next row",
    )
    arguments.add_argument(
        "--title", action="append", default=[], metavar="NAME=TEXT", help="about a series"
    )
    arguments.add_argument(
        "--table",
        action="append",
        default=[],
        metavar="NAME=TABLE.csv",
        help="sites of a simulated series, matched with the truth",
    )
    arguments.add_argument(
        "--comparison", metavar="COMPARISON.csv", help="tests of the difference of two series"
    )
    arguments.add_argument("--frame", type=int, help="number of the frame, from 0")
    return arguments.parse_args(argv)


def read_row(
    name: str, files: list[str], frame: int | None, notes: str, truth: str | None
) -> gold_dynamics.GoldRow:
    """Read a series.

    Parameters
    ----------
    name : str
        Name of the series.
    files : list of 5 str
        Paths of frames, maps, atoms, sites and substrate.
    frame : int, optional
        Number of the frame to draw; the first one used without it.
    notes : str
        What is to be written beside the name.
    truth : str, optional
        Path of the sites matched with the truth.

    Returns
    -------
    GoldRow
        What is drawn.

    Raises
    ------
    InputError
        If a file is missing or of another kind, has no such frame, or does not fit the others.
    """
    series = series_tables.read_series(name, notes, *files[3:])
    if frame is None:
        frame = int(series.used_frames[0])
    return gold_dynamics.GoldRow(
        series=series,
        recording=read_recording(files[:3], frame, series),
        truth=series_tables.read_truth(truth) if truth else None,
    )


def read_recording(
    files: list[str], frame: int, series: series_tables.SiteSeries
) -> series_tables.Recording:
    """Read one frame of a series, and where the drift has taken it.

    Parameters
    ----------
    files : list of 3 str
        Paths of frames, maps and atoms.
    frame : int
        Number of the frame.
    series : SiteSeries
        The series.

    Returns
    -------
    Recording
        What is drawn of it.

    Raises
    ------
    InputError
        If a file is missing or of another kind, has no such frame, or does not fit the others.
    """
    recording = series_tables.read_recording(*files, frame)
    drift = series.drift[series.drift["frame"] == frame]
    if drift.empty:
        raise InputError(f"{files[0]}: its frame {frame} is not among those of the sites")
    x_A, y_A = np.nan_to_num(drift[["x_A", "y_A"]].to_numpy(float)[0])
    return replace(recording, drift_A=(float(x_A), float(y_A)))


if __name__ == "__main__":
    sys.exit(main())
