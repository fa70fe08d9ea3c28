"""Count what a model finds in simulated images of backgrounds, where there is nothing to find.

The backgrounds are vacuum, films of amorphous carbon, and films of ceria in orientations that show
no columns. OUT.csv has one row per background and dose: views, area_nm2, false_positives, per_nm2,
and per_nm2_low and per_nm2_high, the exact 95 % interval of a Poisson distribution.

Settings: doses_e_per_A2, min_area_nm2, border_A, thickness_A, contrast, seed, acquisition.

Example:
    python evaluate.py background data/models/gold background.csv \\
        --settings '{"doses_e_per_A2": [1000], "min_area_nm2": 100}'
"""

import argparse

import numpy as np
import pandas as pd
from scipy import stats

from atomsight import command_line
from atomsight.config.evaluation import BackgroundSettings
from atomsight.config.reading import InferenceSettings
from atomsight.evaluation import scores
from atomsight.evaluation.columns import BOX_STEP_A, RIM_A
from atomsight.evaluation.readers import Finder, finder
from atomsight.files import tables
from atomsight.phantoms import acquisition, films

SECTION = "background_evaluation"

#: What is evaluated on.
BACKGROUNDS = ("vacuum", "amorphous", "crystalline")


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("output", metavar="OUT.csv", help="the table to write")
    command_line.add_settings(arguments, SECTION, BackgroundSettings, inference=InferenceSettings)


def run(given: argparse.Namespace) -> None:
    chosen = BackgroundSettings.parse(given.settings, SECTION)
    find = finder(given.model, chosen.acquisition, given.inference, chosen.contrast, SECTION)
    table = evaluate(chosen, find)
    tables.write_csv(given.output, table)
    command_line.print_table(table)


def evaluate(settings: BackgroundSettings, find: Finder) -> pd.DataFrame:
    """Count what is found where nothing is, on every background at every dose."""
    optics = settings.acquisition.exposure()
    searched_A = np.array(optics.field_of_view_A) - 2 * settings.border_A
    area_nm2 = searched_A.prod() / 100
    views = int(np.ceil(settings.min_area_nm2 / area_nm2))
    rows = []
    for number, background in enumerate(BACKGROUNDS):
        inventions = np.zeros(len(settings.doses_e_per_A2), int)
        for view in range(views):
            rng = np.random.default_rng([settings.seed, number, view])
            intensity = background_intensity(background, settings, rng)
            for index, dose in enumerate(settings.doses_e_per_A2):
                exposure = optics.but(dose_e_per_A2=dose)
                found = find(acquisition.expose(intensity, exposure, rng).astype("float32"))
                inventions[index] += scores.inside(
                    found, optics.field_of_view_A, settings.border_A
                ).sum()
        rows += [
            {"background": background, "dose_e_per_A2": dose, "views": views}
            | _rate(int(count), views * area_nm2)
            for dose, count in zip(settings.doses_e_per_A2, inventions, strict=True)
        ]
    return pd.DataFrame(rows)


def background_intensity(
    background: str, settings: BackgroundSettings, rng: np.random.Generator
) -> np.ndarray:
    """Intensity of an image of one of :data:`BACKGROUNDS`; 1 is the incident beam."""
    optics = settings.acquisition.exposure()
    if background == "vacuum":
        return np.ones((optics.rows, optics.columns))
    view_A = np.array(optics.field_of_view_A) + optics.pixel_size_A
    size_A = BOX_STEP_A * np.ceil((view_A + 2 * RIM_A) / BOX_STEP_A)
    thickness_A = rng.uniform(*settings.thickness_A)
    film = films.make_film(background, tuple(size_A), thickness_A, rng)
    return acquisition.image_intensity(film, optics)


def _rate(count: int, area_nm2: float) -> dict[str, float]:
    low, high = poisson_interval(count)
    return {
        "area_nm2": area_nm2,
        "false_positives": count,
        "per_nm2": count / area_nm2,
        "per_nm2_low": low / area_nm2,
        "per_nm2_high": high / area_nm2,
    }


def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact confidence interval of the mean of a Poisson distribution.

    Garwood, Biometrika 28, 437 (1936).
    """
    tail = (1 - confidence) / 2
    low = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(stats.chi2.isf(tail, 2 * count + 2) / 2)
