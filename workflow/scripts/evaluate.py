"""Evaluate a trained model over conditions: what it finds in simulated images whose truth is known.

KIND says what is measured. No image is of the sort that the training sees: the specimens come from
other generators, the images from abTEM's own microscope.

Example:
    python evaluate.py columns --help
"""

import sys

from atomsight import command_line

#: The modules of the kinds. A kind's module is imported only if it is chosen.
KINDS = {
    kind: f"atomsight.evaluation.{kind}"
    for kind in (
        "atoms",
        "conditions",
        "strain",
        "columns",
        "background",
        "detection_errors",
        "heights",
        "species",
    )
}


@command_line.script
def main(argv: list[str] | None = None) -> None:
    command_line.run_kind(__doc__, KINDS, argv)


if __name__ == "__main__":
    sys.exit(main())
