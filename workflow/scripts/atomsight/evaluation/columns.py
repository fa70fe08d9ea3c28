"""Evaluate how well a model finds the columns of simulated particles, against tilt and dose.

The particles come from another generator than those of the training, their images from abTEM's own
microscope. Every particle is tilted by every angle, in a direction of its own; its exit wave is
imaged once and exposed at every dose, at some doses also by other cameras than the main one, which
see the same electrons. OUT.csv has one row per zone axis, tilt, camera and dose: particles,
columns, precision, recall, f1, rms_error_pm (of the positions along one axis) and the recall of
columns of 1, 2, and 3 or more atoms. The same with classical_ in front is peak finding on the same
images, its filter and its threshold chosen with the truth in hand: the best it can do. in_range
says whether the model was trained on such images, whatever the tilt. --summary pools all tilts.

Settings: particles, zone_axes, tilts_deg, doses_e_per_A2, cameras, camera_doses_e_per_A2, radius_A,
contrast, seed, particle, acquisition.

Example:
    python evaluate.py columns data/models/gold columns.csv \\
        --settings '{"particles": 4, "tilts_deg": [0, 5], "doses_e_per_A2": [1000]}'
"""

import argparse
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.analysis.matching import match_atoms
from atomsight.config.evaluation import ColumnEvaluationSettings
from atomsight.config.phantoms import AcquisitionSettings, ParticleSettings
from atomsight.config.reading import InferenceSettings
from atomsight.evaluation import peaks, scores
from atomsight.evaluation.exposures import exposures, mark_trained, noise_seed
from atomsight.evaluation.readers import Finder, finder
from atomsight.files import tables
from atomsight.learning import models
from atomsight.phantoms import acquisition, particles

SECTION = "column_evaluation"

POOLED = ["zone_axis", "camera", "dose_e_per_A2"]
SINGLE = ["zone_axis", "tilt_deg", "camera", "dose_e_per_A2"]

#: An image is a multiple of this many pixels wide, its box of this length [Å]; with few sizes
#: of boxes the Fourier transforms are planned only once.
_IMAGE_STEP_PX = 8
BOX_STEP_A = 4.0

#: Smallest width of the box outside the image, on both sides together [Å].
RIM_A = 2.0

#: Classes of columns by their number of atoms; the last is open.
ATOM_CLASSES = {"1": (1, 1), "2": (2, 2), "3plus": (3, np.inf)}


@dataclass(frozen=True)
class ParticleImage:
    """The intensity of a particle's image, 1 being the incident beam, and its columns.

    They have ``x_A, y_A`` from the centre of the first pixel [Å], ``atoms``, ``region``, ``clear``.
    """

    intensity: np.ndarray
    columns: pd.DataFrame
    optics: AcquisitionSettings


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model")
    arguments.add_argument("output", metavar="OUT.csv", help="the table to write")
    arguments.add_argument(
        "--summary", metavar="SUMMARY.csv", help="a table by zone axis and dose, over all tilts"
    )
    command_line.add_settings(
        arguments, SECTION, ColumnEvaluationSettings, inference=InferenceSettings
    )


def run(given: argparse.Namespace) -> None:
    chosen = ColumnEvaluationSettings.parse(given.settings, SECTION)
    find = finder(given.model, chosen.acquisition, given.inference, chosen.contrast, SECTION)
    trained = models.read_card(given.model).microscope
    counts = evaluate(chosen, find)
    single, pooled = (
        mark_trained(summarise(counts, by), chosen, trained, (chosen.acquisition.defocus_A,))
        for by in (SINGLE, POOLED)
    )
    tables.write_csv(given.output, single)
    if given.summary:
        tables.write_csv(given.summary, pooled)
    command_line.print_table(single)


def evaluate(settings: ColumnEvaluationSettings, find: Finder) -> pd.DataFrame:
    """Image all particles, find their columns, count what is right and wrong.

    One row per zone axis, tilt, camera, dose, particle and method (``network``, ``classical``),
    with the counts of :func:`count_matches`; ``filter`` is that of the classical method.
    """
    rows = []
    for zone_axis in settings.zone_axes:
        for tilt_deg in settings.tilts_deg:
            setting = {"zone_axis": zone_axis, "tilt_deg": tilt_deg}
            truths, candidates = [], []
            for number, image in enumerate(_images(settings, zone_axis, tilt_deg)):
                truths.append(image)
                candidates.append({})
                where = (zone_axis, tilt_deg, number)
                for camera, dose, counts in _exposures(settings, image, where):
                    matches = _count(find(counts), image, settings.radius_A)
                    here = setting | {"camera": camera, "dose_e_per_A2": dose, "particle": number}
                    rows.append(here | {"method": "network"} | matches)
                    candidates[-1][camera, dose] = {
                        one: peaks.find_peaks(counts, image.optics.pixel_size_A, one)
                        for one in peaks.FILTERS
                    }
                # The intensities are not needed any more, and there may be many.
                truths[-1] = dataclasses.replace(image, intensity=np.empty((0, 0)))
            for camera, dose in candidates[0]:
                alike = [one[camera, dose] for one in candidates]
                rows += [
                    setting | {"camera": camera, "dose_e_per_A2": dose} | row
                    for row in _classical(alike, truths, settings.radius_A)
                ]
    return pd.DataFrame(rows)


def _images(
    settings: ColumnEvaluationSettings, zone_axis: str, tilt_deg: float
) -> Iterator[ParticleImage]:
    chosen = settings.particle.but(zone_axis=zone_axis, tilt_deg=(tilt_deg, tilt_deg))
    for number in range(settings.particles):
        rng, support_rng = np.random.default_rng([settings.seed, int(zone_axis), number]).spawn(2)
        particle = particles.make_particle(chosen, rng)
        yield image_particle(particle, chosen, settings.acquisition.exposure(), support_rng)


def image_particle(
    particle: particles.Particle,
    settings: ParticleSettings,
    optics: AcquisitionSettings,
    rng: np.random.Generator,
) -> ParticleImage:
    """Image a particle in a field of view that is just large enough.

    The defocus counts from the lower side of the particle. ``rng`` draws the support.
    """
    pixel_A = optics.pixel_size_A
    wanted_A = particles.extent_A(particle) + 2 * settings.margin_A + particles.lift_A(settings)
    columns, rows = (
        _IMAGE_STEP_PX * np.ceil(wanted_A / pixel_A / _IMAGE_STEP_PX).astype(int)
    ).tolist()
    optics = optics.but(rows=rows, columns=columns)
    view_A = np.array([columns, rows]) * pixel_A
    size_A = BOX_STEP_A * np.ceil((view_A + RIM_A) / BOX_STEP_A)
    specimen = particles.put_into_box(particle, settings, tuple(size_A), rng)
    focused = acquisition.focused(optics, specimen.below_A)
    intensity = acquisition.image_intensity(specimen.structure, focused)
    columns = specimen.columns.copy()
    columns[["x_A", "y_A"]] -= acquisition.view_origin(specimen.structure, focused)
    return ParticleImage(intensity, columns, focused)


def _exposures(
    settings: ColumnEvaluationSettings, image: ParticleImage, where: tuple[str, float, int]
) -> Iterator[tuple[str, float, np.ndarray]]:
    """Expose an image by every camera at its doses: camera, dose, counts.

    The noise depends on what is imaged alone.
    """
    zone_axis, tilt_deg, number = where
    seed = [settings.seed, int(zone_axis), number, round(1000 * tilt_deg)]
    for camera, exposure in exposures(settings, image.optics):
        rng = np.random.default_rng(noise_seed(seed, exposure))
        counts = acquisition.expose(image.intensity, exposure, rng).astype("float32")
        yield camera, exposure.dose_e_per_A2, counts


def _classical(
    candidates: list[dict[peaks.Filter, peaks.Peaks]], images: list[ParticleImage], radius_A: float
) -> Iterator[dict]:
    """Count what peak finding finds in the images of one setting, tuned to them."""
    true = [image.columns[["x_A", "y_A"]].to_numpy() for image in images]
    best = peaks.find_best(candidates, true, radius_A)
    for number, (found, image) in enumerate(zip(best.found, images, strict=True)):
        row = {"particle": number, "method": "classical", "filter": str(best.chosen)}
        yield row | _count(found, image, radius_A)


def _count(found: np.ndarray, image: ParticleImage, radius_A: float) -> dict[str, float]:
    return count_matches(found, image.columns, image.optics.field_of_view_A, radius_A)


def count_matches(
    found: np.ndarray,
    columns: pd.DataFrame,
    field_of_view_A: tuple[float, float],
    radius_A: float,
) -> dict[str, float]:
    """Count the columns of one image that are found, missed and invented.

    ``columns`` has ``x_A, y_A, atoms`` of the true ones. Beside ``true_positives, false_positives,
    false_negatives`` there are ``squared_error_A2`` (summed over the columns found, along one
    axis), and ``columns_<k>, found_<k>`` for the classes by number of atoms.
    """
    true = columns[["x_A", "y_A"]].to_numpy()
    detection = scores.detection_scores(found, true, field_of_view_A, radius_A=radius_A)
    hits = detection.true_positives
    counts = {
        "true_positives": hits,
        "false_positives": detection.false_positives,
        "false_negatives": detection.false_negatives,
        "squared_error_A2": hits * detection.rms_error_A**2 if hits else 0.0,
    }
    _, matched = match_atoms(found, true, radius_A)
    is_found = np.isin(np.arange(len(true)), matched)
    inside = scores.inside(true, field_of_view_A)
    atoms = columns["atoms"].to_numpy()
    for name, (fewest, most) in ATOM_CLASSES.items():
        of_class = inside & (atoms >= fewest) & (atoms <= most)
        counts[f"columns_{name}"] = int(of_class.sum())
        counts[f"found_{name}"] = int((of_class & is_found).sum())
    return counts


def summarise(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Scores of network and peak finding, pooled over particles and whatever is not asked for.

    ``by`` names the columns that distinguish settings. The table has them, ``particles, columns,
    precision, recall, f1, rms_error_pm, recall_1, recall_2, recall_3plus`` and the same from
    ``precision`` on with ``classical_``.
    """
    sums = counts.drop(columns="particle")
    sums = sums.groupby([*by, "method"], sort=False).sum(numeric_only=True)
    network, classical = (
        _ratios(sums.xs(method, level="method")) for method in ("network", "classical")
    )
    images = counts[counts["method"] == "network"].groupby(by, sort=False)
    true = sums.xs("network", level="method")
    table = network.join(classical.add_prefix("classical_"))
    table.insert(0, "columns", true["true_positives"] + true["false_negatives"])
    table.insert(0, "particles", images["particle"].nunique())
    return table.reset_index()


def _ratios(sums: pd.DataFrame) -> pd.DataFrame:
    hits, inventions, misses = (
        sums[f"{name}"] for name in ("true_positives", "false_positives", "false_negatives")
    )
    error_A = np.sqrt(_share(sums["squared_error_A2"], hits))
    return pd.DataFrame(
        {
            "precision": _share(hits, hits + inventions).fillna(0),
            "recall": _share(hits, hits + misses),
            "f1": _share(2 * hits, 2 * hits + inventions + misses),
            "rms_error_pm": 100 * error_A,
        }
        | {
            f"recall_{name}": _share(sums[f"found_{name}"], sums[f"columns_{name}"])
            for name in ATOM_CLASSES
        }
    )


def _share(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Part of a whole; NaN where there is nothing."""
    return part / whole.where(whole > 0)
