"""Find how a series drifts from frame to frame: DRIFT.h5.

The table drift has one row per frame: frame, x_A, y_A (position in the frame = position in the
reference + drift; empty where not used), columns (found in the frame), matched (of them, found in
the other frames too) and used. The reference is the first frame that is used. A frame is not used
if it has no column, or if its columns do not find the others, as after a jump larger than the field
of view; a warning names it, and the frames after it are followed on.

Settings, all optional: site_radius_A, min_matched, memory_frames; further keys of the section
are for follow_sites.py.

Example:
    python correct_drift.py maps.h5 atoms.h5 drift.h5 --settings '{"min_matched": 0.4}'
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.analysis import DynamicsSettings
from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.files.records import ClassMaps

if TYPE_CHECKING:
    import pandas as pd

    from atomsight.analysis.dynamics.drift import Columns


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Register the frames one by one and write their drift."""
    given = parse(argv)
    from atomsight.analysis.dynamics.drift import follow_drift, read_columns, write_drift
    from atomsight.files import layout, sealed

    chosen = DynamicsSettings.parse(given.settings, "dynamics")
    columns = read_columns(given.atoms)
    with layout.open_maps(given.maps) as maps:
        check_together(maps, columns, given)
        drift = follow_drift(lambda frame: 1 - maps.maps[frame][..., 0], columns, chosen)
    report(drift)
    made_by = provenance.made_by("correct_drift.py", given.settings, atoms=Path(given.atoms).name)
    with sealed.create(given.drift, made_by) as file:
        write_drift(file, drift, columns)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("maps", metavar="MAPS.h5", help="the class maps of a series")
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the columns found in them")
    arguments.add_argument("drift", metavar="DRIFT.h5", help="the table of drift")
    command_line.add_settings(arguments, "dynamics", DynamicsSettings)
    return arguments.parse_args(argv)


def check_together(maps: ClassMaps, columns: "Columns", given: argparse.Namespace) -> None:
    """See that maps and columns are of one series."""
    shape = tuple(maps.maps.shape[:3])
    if shape != columns.frame_shape:
        raise InputError(
            f"{given.atoms}: the columns are of {columns.frame_shape} frames, rows and columns of "
            f"pixels, {given.maps} has {shape}; find the columns in these maps"
        )


def report(drift: "pd.DataFrame") -> None:
    """Warn of every frame that is not used, and log what was found."""
    for row in drift[~drift["used"]].itertuples():
        if row.columns == 0:
            logging.warning("frame %d has no columns and is not used", row.frame)
        else:
            logging.warning(
                "frame %d is not used: %d of its %d columns are where other frames have theirs, "
                "as after a jump out of the field of view",
                row.frame,
                row.matched,
                row.columns,
            )
    path_A = drift.loc[drift["used"], ["x_A", "y_A"]].to_numpy()
    logging.info(
        "%d of %d frames are used; the drift reaches %.1f Å, with steps of up to %.1f Å",
        len(path_A),
        len(drift),
        np.hypot(*path_A.T).max(),
        np.hypot(*np.diff(path_A, axis=0).T).max(initial=0),
    )


if __name__ == "__main__":
    sys.exit(main())
