"""Take a simulated sequence of a nanoparticle, drifting, some of its surface columns hopping.

STACK.tif is a calibrated stack of counts. TRUTH.h5 holds the tables sites (site, x_A, y_A in the
first frame, atoms, dynamic, p_appear, p_vanish, hop_rate, region, clear) and drift, and the data
set occupied, one row per site and one column per frame.

The particle and the sites that hop follow from particle.seed; drift, hops and noise from seed. A
second gas is the same particle.seed with other ranges p_appear and p_vanish and another seed. With
dynamic_share 0 nothing hops.

Example:
    python simulate_sequence.py vacuum.tif vacuum.h5 \\
        --settings '{"frames": 40, "p_appear": [0.02, 0.1], "p_vanish": [0.02, 0.1], "seed": 1}'
"""

import argparse
import logging
import sys

from atomsight import command_line
from atomsight.config import settings
from atomsight.files import provenance
from atomsight.phantoms import acquisition, sequences
from atomsight.phantoms.sequences import SequenceSettings


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Take the sequence, write stack and truth."""
    given = parse(argv)
    section = settings.complete(given.settings, "sequence", "sequence")
    chosen = settings.build(SequenceSettings, section)
    stack, truth = sequences.simulate(chosen)
    made_by = provenance.made_by("simulate_sequence.py", section, seed=chosen.seed)
    sequences.write_truth(given.truth, truth, chosen.acquisition, made_by)
    acquisition.write_acquisition(given.stack, stack, chosen.acquisition.pixel_size_A)
    logging.info(
        "a simulated sequence of %d frames of %d × %d pixels, %d columns, %d of them hopping",
        *stack.shape,
        len(truth.sites),
        truth.sites["dynamic"].sum(),
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("stack", metavar="STACK.tif", help="the images to write")
    arguments.add_argument("truth", metavar="TRUTH.h5", help="the truth to write")
    command_line.add_settings(arguments, "sequence")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
