"""Average the frames of a series, drift removed, and mask the substrate: SUBSTRATE.h5.

The file holds mean_image, mask (nonzero on the substrate, which is not analysed) and seen (number
of frames that showed a pixel), on a grid in the coordinates of the reference, the first frame that
is used; corner_A (x, y) is the centre of its first pixel.

FILE says where to analyse, everything else is masked: an image as in the sample sheet, nonzero
where to analyse, or a polygon around what is analysed, in Å in the coordinates of the reference
(.csv with the columns x_A,y_A, or .json with a list of [x, y]). Without it the substrate is
found: what shows structure in the even and in the odd frames alike and is not the particle, the
largest group of columns that are usually seen. One frame alone cannot tell structure from noise;
then nothing is masked.

Settings, all optional: automatic, min_occurrence, link_A, particle_A, rim_A, window_A,
min_correlation, min_area_A2. --dynamics takes the settings of the sites.

Example:
    python mask_substrate.py frames.h5 atoms.h5 drift.h5 substrate.h5 --mask particle.csv
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.analysis import DynamicsSettings, SubstrateSettings
from atomsight.errors import InputError
from atomsight.files import provenance

if TYPE_CHECKING:
    import pandas as pd

    from atomsight.analysis.dynamics.drift import Columns
    from atomsight.analysis.dynamics.substrate import MeanImages


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Average, mask and write."""
    given = parse(argv)
    from atomsight.analysis.dynamics.drift import read_columns, read_drift
    from atomsight.analysis.dynamics.substrate import average_frames, read_analysed, write_substrate
    from atomsight.files import layout, sealed

    chosen = SubstrateSettings.parse(given.settings, "substrate")
    site_settings = DynamicsSettings.parse(given.dynamics, "dynamics")
    columns = read_columns(given.atoms)
    drift = read_drift(given.drift, columns)
    with layout.open_frames(given.frames) as frames:
        if frames.images.shape != columns.frame_shape:
            raise InputError(
                f"{given.frames}: the frames have the shape {frames.images.shape}, those of "
                f"{given.atoms} had {columns.frame_shape}; make both from one series"
            )
        images = average_frames(frames, drift)
        source_pixel_size_A = frames.source_pixel_size_A
    if given.mask:
        shape = columns.frame_shape[1:]
        mask = ~read_analysed(given.mask, images, shape, source_pixel_size_A)
        source = f"file: {Path(given.mask).name}"
    else:
        mask, source = look_for_substrate(images, columns, drift, site_settings, chosen)
    share = mask[images.seen > 0].mean()
    logging.info("%.1f %% of what is seen is masked (%s)", 100 * share, source)
    made_by = provenance.made_by("mask_substrate.py", given.settings, dynamics=given.dynamics)
    with sealed.create(given.substrate, made_by) as file:
        write_substrate(file, images, mask, source)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("frames", metavar="FRAMES.h5", help="the micrographs")
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the columns found in them")
    arguments.add_argument("drift", metavar="DRIFT.h5", help="their drift")
    arguments.add_argument("substrate", metavar="SUBSTRATE.h5", help="mean image and mask")
    arguments.add_argument("--mask", metavar="FILE", help="where to analyse: an image or a polygon")
    command_line.add_settings(arguments, "substrate", SubstrateSettings, dynamics=DynamicsSettings)
    return arguments.parse_args(argv)


def look_for_substrate(
    images: "MeanImages",
    columns: "Columns",
    drift: "pd.DataFrame",
    site_settings: DynamicsSettings,
    chosen: SubstrateSettings,
) -> tuple[np.ndarray, str]:
    """Find the substrate where that is wanted and possible.

    The source is ``automatic``, or ``none`` where it was not looked for; then a warning says why.
    """
    from atomsight.analysis.dynamics.sites import find_sites
    from atomsight.analysis.dynamics.substrate import find_substrate, particle_sites

    nothing = np.zeros(images.seen.shape, bool), "none"
    if not chosen.automatic:
        return nothing
    if np.count_nonzero(drift["used"]) < 2:
        logging.warning(
            "the substrate is not masked: it takes two frames to tell structure from noise; give a "
            "mask where there is a substrate"
        )
        return nothing
    sites = find_sites(columns, drift, site_settings)
    if len(particle_sites(sites, chosen)) == 0:
        logging.warning(
            "the substrate is not masked: no column is seen often enough to be the particle; give "
            "a mask, or lower substrate.min_occurrence"
        )
        return nothing
    return find_substrate(images, sites, chosen), "automatic"


if __name__ == "__main__":
    sys.exit(main())
