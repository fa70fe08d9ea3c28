"""Draw the species found in a simulated monolayer, and how well models name them against dose.

The monolayer is given by its images, its sites and its truth; the models by the summaries of their
scores, one row per model and dose: model, frames, dose_e_per_A2, sites, accuracy, accuracy_low,
accuracy_high, f1_S.

Example:
    python plot_mos2_species.py mos2.png frames.h5 atoms.h5 truth.h5 species_summary.csv
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import column_tables, mos2_species, score_tables, style

SPECIES = ("Mo", "S2", "S")


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the monolayer and the scores, and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    series = column_tables.read_images(given.frames, given.specimen)
    found = column_tables.read_sites(given.atoms, given.specimen)
    truth = column_tables.read_truth(given.truth)
    summaries = score_tables.read_species(given.summaries, mos2_species.SUMMARY_COLUMNS)
    figure = mos2_species.draw(series, found, SPECIES, truth, summaries, given.title)
    style.save(figure, given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("frames", metavar="FRAMES.h5", help="the images of the monolayer")
    arguments.add_argument("atoms", metavar="ATOMS.h5", help="the sites found in them")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth")
    arguments.add_argument(
        "summaries", metavar="SUMMARY.csv", nargs="+", help="scores of one model or several"
    )
    arguments.add_argument("--specimen", type=int, default=0, help="its number, from 0")
    arguments.add_argument(
        "--title", metavar="TEXT", default="Simulated MoS₂ monolayer", help="what the specimen is"
    )
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
