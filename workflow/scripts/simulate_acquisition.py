"""Take a simulated HRTEM image of a simulated specimen, and write down where its atoms are.

OUTPUT.tif is a calibrated TIFF of counts. TRUTH.h5 holds the table atoms: x_A, y_A from the centre
of the first pixel, region, and strain where it is known. The settings have the sections "specimen"
(its kind "pristine", "strained" or "polycrystal", and that kind's own keys) and "acquisition"
(microscope, exposure, camera). A specimen of make_specimen.py can be taken instead of the first.

Examples:
    python simulate_acquisition.py strained.tif truth.h5 --settings \\
        '{"specimen": {"kind": "strained", "seed": 3}, "acquisition": {"dose_e_per_A2": 5000}}'
    python simulate_acquisition.py grains.tif truth.h5 --specimen grains.h5 --settings \\
        '{"acquisition": {"rows": 1024, "columns": 1024, "pixel_size_A": 0.1}}'
"""

import argparse
import logging
import sys
from pathlib import Path

from atomsight import command_line
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.phantoms import acquisition, specimens
from atomsight.phantoms.acquisition import AcquisitionSettings


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Make or read the specimen, take the image, write image and truth."""
    given = parse(argv)
    section = read_section(given.settings, given.specimen)
    optics = settings.build(AcquisitionSettings, section["acquisition"])
    if given.specimen:
        structure, known = specimens.read_specimen(given.specimen)
    else:
        structure, known = specimens.make_specimen(section["specimen"])
    image = acquisition.record(structure, optics)
    truth = acquisition.truth_in_view(structure, known, optics)

    inputs = {"specimen": Path(given.specimen).name} if given.specimen else {}
    made_by = provenance.made_by("simulate_acquisition.py", section, seed=optics.seed, **inputs)
    acquisition.write_truth(given.truth, truth, made_by)
    acquisition.write_acquisition(given.output, image, optics.pixel_size_A)
    logging.info("a simulated image of %d × %d pixels and %d atoms", *image.shape, len(truth.atoms))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.tif", help="the image to write")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth to write")
    arguments.add_argument("--specimen", metavar="FILE.h5", help="a specimen made before")
    command_line.add_settings(arguments, "acquisitions.<name>")
    return arguments.parse_args(argv)


def read_section(section: dict, specimen_file: str | None) -> dict:
    """Read the settings, and see that there is one specimen.

    Parameters
    ----------
    section : dict
        What ``--settings`` gives.
    specimen_file : path, optional
        The file that takes the place of the key ``specimen``.

    Returns
    -------
    dict
        The sections ``acquisition`` and, without a file, ``specimen``, complete.

    Raises
    ------
    InputError
        If a key or a value is wrong, or there is not exactly one specimen.
    """
    section = settings.complete(section, "simulation")
    if ("specimen" in section) == bool(specimen_file):
        raise InputError("give either --specimen or the key 'specimen' of --settings, one of them")
    return section


if __name__ == "__main__":
    sys.exit(main())
