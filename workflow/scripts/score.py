"""Score what was found in one simulated series against its truth.

To score is to compare one series with a known truth; evaluate.py measures a model over many images
and conditions. KIND says what is compared.

Example:
    python score.py atoms --help
"""

import sys

from atomsight import command_line

#: The modules of the kinds. A kind's module is imported only if it is chosen.
KINDS = {kind: f"atomsight.evaluation.scoring.{kind}" for kind in ("atoms", "classes", "dynamics")}


@command_line.script
def main(argv: list[str] | None = None) -> None:
    command_line.run_kind(__doc__, KINDS, argv)


if __name__ == "__main__":
    sys.exit(main())
