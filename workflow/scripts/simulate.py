"""Simulate specimens and micrographs whose truth is known, to try the whole chain on.

KIND says what is made. simulate_waves.py makes what networks are trained on.

Example:
    python simulate.py acquisition --help
"""

import sys

from atomsight import command_line

#: The modules of the kinds. A kind's module is imported only if it is chosen.
KINDS = {
    "specimen": "atomsight.phantoms.specimens",
    "acquisition": "atomsight.phantoms.acquisition",
    "sequence": "atomsight.phantoms.sequences",
    "focal_series": "atomsight.phantoms.focal_recordings",
}


@command_line.script
def main(argv: list[str] | None = None) -> None:
    command_line.run_kind(__doc__, KINDS, argv)


if __name__ == "__main__":
    sys.exit(main())
