"""Take a simulated focal series of a particle or a monolayer, and write down what its columns are.

STACK.tif is a calibrated stack of counts, one image for every focus, drifting from image to image.
TRUTH.h5 holds the tables columns (x_A, y_A where the images lie on average, class: the number of
atoms or the species, region) and shifts (frame, x_A, y_A: how far every image has moved).

Settings: specimen (its kind "particle" or "monolayer", and that kind's own keys), acquisition
(microscope, field of view, camera, dose of all images together), focus_A, drift_A, seed. The focus
counts from the lower side of the specimen, underfocus positive.

Example:
    python simulate_focal_series.py stack.tif truth.h5 --settings \\
        '{"specimen": {"kind": "particle", "seed": 3}, "acquisition": {"dose_e_per_A2": 30000}}'
"""

import argparse
import logging
import sys

from atomsight import command_line
from atomsight.config import settings
from atomsight.files import provenance
from atomsight.phantoms import acquisition, focal_recordings, focal_truth
from atomsight.phantoms.focal_recordings import RecordingSettings


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Record the series, write stack and truth."""
    given = parse(argv)
    name = "focal_series"
    section = settings.complete(given.settings, name, name)
    chosen = settings.build(RecordingSettings, section)
    stack, truth = focal_recordings.record(chosen)
    made_by = provenance.made_by("simulate_focal_series.py", section, seed=chosen.seed)
    focal_truth.write_truth(given.truth, truth, made_by)
    acquisition.write_acquisition(given.stack, stack, chosen.acquisition.pixel_size_A)
    logging.info(
        "a simulated focal series of %d images of %d × %d pixels and %d columns",
        *stack.shape,
        len(truth.columns),
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("stack", metavar="STACK.tif", help="the images to write")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth to write")
    command_line.add_settings(arguments, "focal_series")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
