"""Draw the atoms counted in a simulated particle, and how good the counts of many particles are.

The particle is given by its images, its counted columns and its truth; the scores by the tables
that "evaluate.py heights" writes. The confusion matrix is of the measured dose nearest to --dose.

Example:
    python plot_gold_heights.py gold.png frames.h5 heights.csv truth.h5 --summary summary.csv \\
        --confusion confusion.csv --reliability reliability.csv --abstention abstention.csv
"""

import argparse
import sys

from atomsight import command_line
from atomsight.figures import column_tables, gold_heights, score_tables, style
from atomsight.figures.counting_scores import Scores


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the particle and the scores, and draw them."""
    given = parse(argv)
    style.check_output(given.output)
    truth = column_tables.read_truth(given.truth)
    particle = gold_heights.Particle(
        series=column_tables.read_images(given.frames, given.specimen),
        counted=column_tables.read_heights(given.heights, given.specimen),
        truth=column_tables.with_heights(truth, given.truth),
    )
    summary = score_tables.read_summary(given.summary)
    score_tables.of_network(summary, given.summary)  # refuses a summary without it
    scores = Scores(
        summary=summary,
        confusion=score_tables.read_confusion(given.confusion),
        reliability=score_tables.read_reliability(given.reliability),
        abstention=score_tables.read_abstention(given.abstention),
    )
    dose = given.dose or truth.dose_e_per_A2
    style.save(gold_heights.draw(particle, scores, dose, given.title), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("frames", metavar="FRAMES.h5", help="the images of the particle")
    arguments.add_argument("heights", metavar="HEIGHTS.csv", help="its counted columns")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="its truth")
    for name in ("summary", "confusion", "reliability", "abstention"):
        arguments.add_argument(
            f"--{name}",
            required=True,
            metavar=f"{name.upper()}.csv",
            help=f"heights_{name}.csv of the evaluation",
        )
    arguments.add_argument(
        "--dose", type=float, help="of the confusion matrix; that of the particle without it"
    )
    arguments.add_argument("--specimen", type=int, default=0, help="its number, from 0")
    arguments.add_argument(
        "--title", metavar="TEXT", default="Simulated gold particle", help="what the particle is"
    )
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
