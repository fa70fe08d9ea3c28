"""Measure how well a model finds the atoms of a simulated specimen, against the electron dose.

The specimen is one of make_specimen.py, of a sort that no training sees; its images come from
abTEM's own microscope. EVALUATION.csv has one row per dose: precision, recall, F1, the error of the
positions along one axis, and the recall in every region of the specimen.

Settings: acquisition (microscope, field of view, camera), doses_e_per_A2.

Example:
    python evaluate_model.py results/models/graphene/model polycrystal.h5 evaluation.csv \\
        --settings '{"doses_e_per_A2": [1000, 10000]}'
"""

import argparse
import dataclasses
import sys

import numpy as np
import pandas as pd

from atomsight import command_line, hdf5, models, settings
from atomsight.evaluation import acquisition, scores, specimens
from atomsight.evaluation.reading import find_sites

POSITION = ["x_A", "y_A"]


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Image the specimen at every dose, read the images, score them."""
    given = parse(argv)
    section = settings.complete(command_line.read_json(given.settings), "evaluation", "evaluation")
    reading = settings.complete(command_line.read_json(given.inference), "inference", "inference")
    optics = settings.load(section["acquisition"], "acquisition", acquisition.AcquisitionSettings)
    structure, known = specimens.read_specimen(given.specimen)
    truth = acquisition.truth_in_view(structure, known, optics)
    network, card = models.load_network(given.model)
    models.check_pixel_size(card, optics.pixel_size_A, "evaluation.acquisition")
    intensity = acquisition.image_intensity(structure, optics)
    rows = []
    for number, dose in enumerate(section["doses_e_per_A2"]):
        exposure = dataclasses.replace(optics, dose_e_per_A2=dose, seed=optics.seed + number)
        image = acquisition.expose(intensity, exposure).astype("float32")
        found = find_sites(network, card, image, optics.pixel_size_A, reading)
        rows.append({"dose_e_per_A2": dose, **score(found, truth)})
    table = pd.DataFrame(rows)
    hdf5.write_csv(given.evaluation, table)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    arguments = command_line.parser(__doc__)
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("specimen", metavar="SPECIMEN.h5", help="the simulated specimen")
    arguments.add_argument("evaluation", metavar="EVALUATION.csv", help="the table to write")
    arguments.add_argument(
        "--inference", default="{}", metavar="JSON", help="the section 'inference', likewise"
    )
    command_line.add_settings(arguments, "evaluation")
    return arguments.parse_args(argv)


def score(found: np.ndarray, truth: acquisition.Truth) -> dict[str, float]:
    """Compare with the truth.

    Parameters
    ----------
    found : ndarray of shape (N, 2)
        Positions found [Å].
    truth : Truth
        The true atoms.

    Returns
    -------
    dict of str to float
        The scores of :class:`atomsight.evaluation.scores.DetectionScores`, and ``recall_<region>``.
    """
    true = truth.atoms[POSITION].to_numpy(float)
    detection = scores.detection_scores(found, true, truth.field_of_view_A)
    regions = scores.recall_by_region(
        found, true, truth.atoms["region"].to_numpy(), truth.field_of_view_A
    )
    return dataclasses.asdict(detection) | {
        f"recall_{name}": regions[name] for name in sorted(regions)
    }


if __name__ == "__main__":
    sys.exit(main())
