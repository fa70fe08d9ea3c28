"""Draw a figure of what other scripts made, as PNG.

FIGURE is one of those below; FIGURE --help tells about it. A title should say so where what is
shown is simulated.

Example:
    python plot.py occupancy occupancy.png --sites sites.h5 --substrate substrate.h5
"""

import sys

from atomsight import command_line
from atomsight.figures import FIGURES
from atomsight.figures.parts import command, style
from atomsight.files import provenance


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the files of a figure and draw it."""
    words = sys.argv[1:] if argv is None else argv
    first_lines = (
        f"  {name}: {module.__doc__.splitlines()[0]}" for name, module in FIGURES.items()
    )
    chooser = command_line.parser("\n".join([__doc__, "Figures:", *first_lines]))
    chooser.add_argument("figure", metavar="FIGURE", choices=FIGURES, help="what to draw")
    name = chooser.parse_args(words[:1]).figure
    provenance.note_kind(name)
    output, arguments = command.read(name, FIGURES[name], words[1:])
    style.check_output(output)
    with style.styled():
        style.save(FIGURES[name].plot(**arguments), output)


if __name__ == "__main__":
    sys.exit(main())
