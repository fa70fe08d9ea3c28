"""Make a simulated specimen whose truth is known, to be imaged as often as wanted.

The kinds are "pristine", "strained" and "polycrystal". OUTPUT.h5 is a file of structures with one
more table of what is known of every atom: its region and its strain.

Example:
    python make_specimen.py grains.h5 \\
        --settings '{"kind": "polycrystal", "size_A": [104, 104], "grain_count": 6, "seed": 1}'
"""

import logging
import sys

from atomsight import command_line
from atomsight.config import settings
from atomsight.files import provenance
from atomsight.phantoms.specimens import make_specimen, write_specimen


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Make one specimen and write it."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.h5", help="the specimen to write")
    command_line.add_settings(arguments, "evaluation.specimen")
    arguments = arguments.parse_args(argv)

    section = settings.complete(arguments.settings, "specimen", "specimen")
    structure, truth = make_specimen(section)
    made_by = provenance.made_by("make_specimen.py", section, seed=section["seed"])
    write_specimen(arguments.output, structure, truth, made_by)
    logging.info("a simulated specimen of %d atoms in %s", len(structure.sites), arguments.output)


if __name__ == "__main__":
    sys.exit(main())
