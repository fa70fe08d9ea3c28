"""Evaluate how well a model finds the atoms of a simulated specimen, against the electron dose.

The specimen is one of "simulate.py specimen", of a kind that no training sees; its images come from
abTEM's own microscope. EVALUATION.csv has one row per dose and camera: precision, recall, F1, the
error of the positions along one axis, and the recall in every region of the specimen, with 95 %
intervals; whether the model was trained on such images (in_range); the Cramér–Rao bound of the
position error of any method that knows nothing of graphene (bound_A); and the scores of classical
peak finding with the filter and threshold that suit the truth best (peaks_f1 …).

The camera of the acquisition is called main and takes images at all doses; others take the same
electrons at some, see atomsight.evaluation.exposures.

Settings: acquisition (microscope, field of view, camera), doses_e_per_A2, cameras (others, by
name), camera_doses_e_per_A2; the other keys of the section are those of "evaluate.py conditions".

Example:
    python evaluate.py atoms data/models/graphene polycrystal.h5 evaluation.csv \\
        --settings '{"doses_e_per_A2": [1000, 10000]}'
"""

import argparse

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.config.evaluation import EvaluationSettings
from atomsight.config.reading import InferenceSettings
from atomsight.evaluation import atom_scores, position_bound, trained_ranges
from atomsight.evaluation.exposures import exposures, noise_seed
from atomsight.evaluation.readers import finder
from atomsight.files import tables
from atomsight.learning import models
from atomsight.phantoms import acquisition, specimens


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("specimen", metavar="SPECIMEN.h5", help="the simulated specimen")
    arguments.add_argument("evaluation", metavar="EVALUATION.csv", help="the table to write")
    command_line.add_settings(
        arguments, "evaluation", EvaluationSettings, inference=InferenceSettings
    )


def run(given: argparse.Namespace) -> None:
    chosen = EvaluationSettings.parse(given.settings, "evaluation")
    optics = chosen.acquisition
    find = finder(given.model, optics, given.inference, "auto", "evaluation")
    trained = models.read_card(given.model).microscope
    structure, known = specimens.read_specimen(given.specimen)
    truth = acquisition.truth_in_view(structure, known, optics)
    intensity = acquisition.image_intensity(structure, optics)
    images = list(exposures(chosen, optics))
    doses = [exposure.dose_e_per_A2 for _, exposure in images]
    bounds_A = position_bound.position_bound_A(optics, doses)
    rows = []
    for (camera, exposure), dose, bound_A in zip(images, doses, bounds_A, strict=True):
        rng = np.random.default_rng(noise_seed([optics.seed], exposure))
        image = acquisition.expose(intensity, exposure, rng).astype("float32")
        row = {"camera": camera, "dose_e_per_A2": dose}
        row |= atom_scores.score_atoms(find(image), truth)
        row["in_range"] = trained_ranges.in_range(trained, exposure)
        row["bound_A"] = bound_A
        rows.append(row | atom_scores.score_peaks(image, optics.pixel_size_A, truth))
    table = pd.DataFrame(rows)
    tables.write_csv(given.evaluation, table)
    shown = ["precision", "recall", "f1", "rms_error_A", "bound_A", "peaks_f1", "in_range"]
    command_line.print_table(table[["camera", "dose_e_per_A2", *shown]])
