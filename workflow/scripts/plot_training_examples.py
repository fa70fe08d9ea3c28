"""Draw simulated training examples of a model, from the lowest to the highest dose.

The images, normalised images and ground truths are made as in the training, from its exit waves and
within the ranges of its microscope. Each has other conditions, which are written above it.

Example:
    python plot_training_examples.py examples.png waves_0.h5 waves_1.h5 --seed 1 \\
        --settings @graphene.json
"""

import argparse
import sys

import numpy as np

from atomsight import command_line
from atomsight.config import settings
from atomsight.errors import InputError
from atomsight.figures import style
from atomsight.files import layout
from atomsight.imaging.conditions import MicroscopeSettings


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the waves, make examples, draw them."""
    given = parse(argv)
    style.check_output(given.output)
    section = given.settings
    section = settings.check_configuration({"models": {"model": section}})["models"]["model"]
    microscope = settings.load(section["microscope"], "microscope", MicroscopeSettings)
    waves = layout.read_waves(given.waves)

    # Keras and its backend take seconds to load: only once the settings are known to be right.
    from atomsight.figures import training_examples

    training = section["training"]
    chosen = training_examples.ExampleSettings(
        microscope=microscope,
        image_px=training["image_px"],
        site_sigma_A=training["site_sigma_A"],
        window_A=training["window_A"],
        classes=len(section["class_names"]) + 1,
    )
    doses = np.geomspace(*microscope.dose_e_per_A2, given.columns)
    examples = training_examples.make_examples(waves, chosen, doses, given.seed)
    style.save(training_examples.draw(examples), given.output)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("output", metavar="OUTPUT.png", help="the figure")
    arguments.add_argument("waves", metavar="WAVES.h5", nargs="+", help="shards of exit waves")
    arguments.add_argument("--columns", type=int, default=5, help="number of examples (default: 5)")
    arguments.add_argument("--seed", type=int, required=True)
    command_line.add_settings(arguments, "models.<name>")
    given = arguments.parse_args(argv)
    if given.columns < 1:
        raise InputError(f"--columns is {given.columns}; draw one example at least")
    return given


if __name__ == "__main__":
    sys.exit(main())
