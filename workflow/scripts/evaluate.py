"""Evaluate a trained model over conditions: what it finds in simulated images whose truth is known.

To evaluate is to measure a model, over many images and conditions; score.py measures what was found
in one series. KIND says what is measured. The training sees no such images: the specimens come from
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
