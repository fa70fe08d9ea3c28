"""Fetch a public image by its name in the registry.

The file is copied from the folder that the environment variable ATOMSIGHT_DATA names if it is
there, else it is downloaded. Its sha256 is checked. A correct file at OUTPUT is kept, so
without internet the file can be put there by hand.

Example:
    python fetch_image.py ulm_graphene_grain_boundary data/images/ulm_graphene_grain_boundary.tif
"""

import argparse
import sys

from atomsight import command_line


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Fetch one image."""
    arguments = parse(argv)
    from atomsight.orchestration import registry

    registry.fetch(arguments.name, arguments.output, arguments.registry or registry.REGISTRY)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("name", metavar="NAME", help="name of the image in the registry")
    arguments.add_argument("output", metavar="OUTPUT", help="where the file will stand")
    arguments.add_argument(
        "--registry",
        metavar="TSV",
        help="the table of images; data/registry.tsv without it",
    )
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
