"""Import the micrographs of a series into one calibrated file.

PATH is a file of any vendor (dm3, dm4, emd, ser, mrc, tif, ...), a single image or a stack, or a
pattern in quotes. The pixel size of the settings wins over the file's. Pixels that are saturated,
not a number or the constant rim of a drift correction are marked and filled. Frames whose pixels
are outside the range that the model reads are resampled. The images of a focal series, consecutive
frames, are registered onto their mean position.

Settings, all optional: series (its name), pixel_size_A (null: the file's), frames (such as 0-9,12,
from 0; empty: all), focus_A (defocus of the images of a focal series, empty: single images), mask
(an image, nonzero where to analyse), model_pixel_size_A ([low, high], null: no resampling).

Example:
    python import_series.py 'images/boundary_*.dm4' frames.h5 \\
        --settings '{"series": "boundary", "frames": "0-9", "model_pixel_size_A": [0.1, 0.14]}'
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.reading import ImportSettings
from atomsight.files import provenance

if TYPE_CHECKING:
    from atomsight.reading.micrographs.series import Series


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the frames of a series one by one and write them."""
    arguments = parse(argv)
    from atomsight.reading.micrographs.series import open_series

    chosen = ImportSettings.parse(arguments.settings, "series_import")
    series = open_series(arguments.path, chosen)
    write_series(arguments.output, series, chosen)
    logging.info(
        "%s: %d frames of %d × %d pixels of %.4g Å",
        chosen.series,
        *series.shape,
        series.pixel_size_A,
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("path", metavar="PATH", help="a file, or a pattern for several")
    arguments.add_argument("output", metavar="OUTPUT.h5", help="the frames, calibrated")
    command_line.add_settings(arguments, "series_import", ImportSettings)
    return arguments.parse_args(argv)


def write_series(path: Path | str, series: "Series", chosen: ImportSettings) -> None:
    """Write the frames of a series, holding one, or one focal series, at a time."""
    from atomsight.files import layout, sealed
    from atomsight.reading.micrographs.series import read_specimens

    facts = chosen.model_dump()
    if chosen.mask is not None:
        facts["mask"] = Path(chosen.mask).name
    made_by = provenance.made_by(
        "import_series.py", facts, inputs=[file.name for file, _ in series.files]
    )
    with sealed.create(path, made_by) as file:
        images, usable = layout.create_frames(
            file,
            series.shape,
            series.pixel_size_A,
            series.source_pixel_size_A,
            series.names,
            series.focus_A,
        )
        shifts_A = np.zeros((len(series.names), 2))
        start = 0
        for registered, marks, displaced_A in read_specimens(series):
            frames = slice(start, start := start + len(registered))
            images[frames], usable[frames], shifts_A[frames] = registered, marks, displaced_A
        if series.focus_A:
            layout.write_shifts(file, shifts_A)
            shift_A = np.hypot(*shifts_A.T).max()
            logging.info("%s: registered, largest displacement %.2f Å", chosen.series, shift_A)


if __name__ == "__main__":
    sys.exit(main())
