"""Evaluate how well a model counts the atoms of columns, against tilt and total dose.

The particles come from another generator than those of the training, their focal series from
abTEM's own microscope, with as many images as the model reads. Every particle is tilted by an angle
from every range; its exit wave is computed once, imaged at every focus and exposed at every dose.
The series are registered: what is left of the shifts between images is an error of some hundredths
of a nanometre. All methods see the same counts, and at some doses the network those of other
cameras than the main one, of the same electrons. SUMMARY.csv has one row per method, camera, range
of tilts and total dose: the shares of the columns that are counted exactly and wrong by 1, 2, 3 or
more, the mean error, what is missed and invented, the calibration error of the stated
probabilities, and whether the model was trained on such images, whatever the tilt (in_range). The
methods are the network, which finds the columns itself, and two that are told where they are: a
mixture model of integrated intensities and the most similar of simulated columns, both as well
tuned as the truth allows.

--confusion counts how often one height is taken for another (0: missed, or nothing there);
--reliability compares stated probabilities with the share that is right; --abstention shows how the
error falls as the least certain columns are left out. --displacements shows the counts of the
network against thermal and static displacements of the atoms.

Settings: methods, particles, tilts_deg, doses_e_per_A2, cameras, camera_doses_e_per_A2, defocus_A,
registration_error_A, radius_A, bins, contrast, seed, particle, library, displacements, acquisition.

Example:
    python evaluate.py heights data/models/gold_heights summary.csv \\
        --settings '{"particles": 4, "doses_e_per_A2": [1000], "methods": ["network"]}'
"""

import argparse
import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from atomsight import command_line
from atomsight.analysis.heights import height_columns
from atomsight.config.evaluation import MAIN_CAMERA, HeightEvaluationSettings
from atomsight.config.phantoms import AcquisitionSettings, ParticleSettings
from atomsight.config.reading import InferenceSettings
from atomsight.evaluation import classification
from atomsight.evaluation.counting import column_library, height_tables, intensity_mixture
from atomsight.evaluation.counting.height_tables import SETTING
from atomsight.evaluation.counting.particle_series import (
    ParticleWave,
    in_units_of_the_beam,
    simulate_particle,
)
from atomsight.evaluation.exposures import exposures, mark_trained, noise_seed
from atomsight.evaluation.readers import AtomReader, atom_reader
from atomsight.files import tables
from atomsight.learning import models
from atomsight.phantoms import focal_series

SECTION = "height_evaluation"

METHODS = ("network", "intensity_mixture", "column_library")

# Streams of random numbers, so that particles, noise and library are independent.
_PARTICLES, _NOISE, _LIBRARY = range(3)


@dataclass(frozen=True)
class FocalSeries:
    """The images of one particle without noise, shape (F, H, W); 1 is the incident beam."""

    particle: ParticleWave
    focus_A: tuple[float, ...]
    intensities: np.ndarray


@dataclass(frozen=True)
class Counter:
    """What counts: from the images of a series to the table of its columns.

    ``steps_A`` is the focus of its images less that of the one drawn [Å]. ``largest`` is its last
    class, which stands for larger heights too; no method tells more.
    """

    read: AtomReader
    steps_A: tuple[float, ...]
    largest: int


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("model", metavar="MODEL", help="folder of a trained model that counts")
    arguments.add_argument("output", metavar="SUMMARY.csv", help="the table to write")
    arguments.add_argument("--confusion", metavar="CONFUSION.csv", help="heights against answers")
    arguments.add_argument(
        "--reliability", metavar="RELIABILITY.csv", help="stated probabilities against the truth"
    )
    arguments.add_argument(
        "--abstention", metavar="ABSTENTION.csv", help="errors against the share answered"
    )
    arguments.add_argument(
        "--displacements",
        metavar="DISPLACEMENTS.csv",
        help="errors against thermal and static displacements",
    )
    command_line.add_settings(
        arguments, SECTION, HeightEvaluationSettings, inference=InferenceSettings
    )


def run(given: argparse.Namespace) -> None:
    chosen = HeightEvaluationSettings.parse(given.settings, SECTION)
    counter = load_counter(given.model, chosen, given.inference)
    answers = evaluate(chosen, counter)
    trained = models.read_card(given.model).microscope
    summary = height_tables.summarise(answers, chosen.bins)
    summary = mark_trained(summary, chosen, trained, chosen.defocus_A)
    tables.write_csv(given.output, summary)
    if given.confusion:
        tables.write_csv(given.confusion, height_tables.confusion(answers))
    if given.reliability:
        tables.write_csv(given.reliability, height_tables.reliability(answers, chosen.bins))
    if given.abstention:
        tables.write_csv(given.abstention, height_tables.abstention(answers))
    if given.displacements:
        answers = evaluate_displacements(chosen, counter)
        setting = (*height_tables.DISPLACEMENTS, *SETTING)
        displaced = height_tables.summarise(answers, chosen.bins, setting)
        tables.write_csv(given.displacements, displaced)
    command_line.print_table(summary)


def load_counter(folder: str, chosen: HeightEvaluationSettings, inference: dict) -> Counter:
    """Load a model that counts; refuse one that does not."""
    card = models.read_card(folder)
    heights = height_columns([f"p_{name}" for name in card.class_names[1:]], folder)
    steps_A = card.focus_steps_A
    read = atom_reader(
        folder, chosen.acquisition, inference, chosen.contrast, SECTION, frames=len(steps_A)
    )
    return Counter(read, steps_A, len(heights))


def evaluate(settings: HeightEvaluationSettings, counter: Counter) -> pd.DataFrame:
    """Image all particles, and count their columns in every way.

    One row per column and answer: ``method, camera, tilt_low_deg, tilt_high_deg, dose_e_per_A2,
    particle`` and what :func:`atomsight.evaluation.classification.pair_columns` gives; the classes
    are heights. ``variant`` is what was chosen for a baseline with the truth in hand.
    """
    answers = []
    for low, high in settings.tilts_deg:
        of_range = pd.concat(list(_answers(settings, counter, (low, high))), ignore_index=True)
        answers.append(of_range.assign(tilt_low_deg=low, tilt_high_deg=high))
    return best_variants(pd.concat(answers, ignore_index=True))


def evaluate_displacements(settings: HeightEvaluationSettings, counter: Counter) -> pd.DataFrame:
    """Let the network count the columns of particles with every displacement of their atoms.

    The table is that of :func:`evaluate`, with ``thermal_displacement_A, static_displacement_A``.
    """
    varied = settings.displacements
    fewer = settings.but(
        methods=("network",),
        particles=varied.particles,
        tilts_deg=settings.tilts_deg[:1],
        doses_e_per_A2=(varied.dose_e_per_A2,),
        cameras={},
    )
    answers = []
    for thermal_A, static_A in itertools.product(varied.thermal_A, varied.static_A):
        chosen = fewer.but(
            particle=settings.particle.but(displacement_A=static_A),
            acquisition=settings.acquisition.but(thermal_displacement_A=thermal_A),
        )
        values = dict(zip(height_tables.DISPLACEMENTS, (thermal_A, static_A), strict=True))
        answers.append(evaluate(chosen, counter).assign(**values))
    return pd.concat(answers, ignore_index=True)


def _answers(
    settings: HeightEvaluationSettings, counter: Counter, tilt_deg: tuple[float, float]
) -> Iterator[pd.DataFrame]:
    """Answers of all methods to all columns of one range of tilts."""
    particle = settings.particle.but(tilt_deg=tilt_deg)
    waves = []
    if "column_library" in settings.methods:
        rng = np.random.default_rng([settings.seed, _LIBRARY])
        waves = column_library.simulate_library(
            settings.library, particle, settings.acquisition.exposure(), rng
        )
    for number in range(settings.particles):
        series = take_series(settings, particle, counter.steps_A, number)
        known = None
        if waves:
            radius_A = max(settings.library.radii_A)
            known = column_library.image_library(waves, series.focus_A, radius_A)
        for camera, counts, optics in _exposures(settings, series, tilt_deg, number):
            seen = dataclasses.replace(series.particle, optics=optics)
            methods = [
                name for name in settings.methods if camera == MAIN_CAMERA or name == "network"
            ]
            for method, variant, found in _count(methods, settings, counter, counts, seen, known):
                yield _pair(found, seen, settings.radius_A, counter.largest).assign(
                    camera=camera,
                    method=method,
                    variant=variant,
                    particle=number,
                    dose_e_per_A2=optics.dose_e_per_A2,
                )


def take_series(
    settings: HeightEvaluationSettings,
    particle: ParticleSettings,
    steps_A: tuple[float, ...],
    number: int,
) -> FocalSeries:
    """Take the focal series of one of the particles, without noise.

    ``particle`` says the range of its tilt too.
    """
    rng = np.random.default_rng([settings.seed, _PARTICLES, number])
    particle_rng, focus_rng, shift_rng = rng.spawn(3)
    wave = simulate_particle(particle, settings.acquisition.exposure(), particle_rng)
    middle_A = focus_rng.uniform(*settings.defocus_A)
    focus_A = tuple(middle_A + step for step in steps_A)
    shifts_A = focal_series.draw_shifts(len(steps_A), settings.registration_error_A, shift_rng)
    return FocalSeries(wave, focus_A, wave.images(focus_A, shifts_A))


def _exposures(
    settings: HeightEvaluationSettings,
    series: FocalSeries,
    tilt_deg: tuple[float, float],
    number: int,
) -> Iterator[tuple[str, np.ndarray, AcquisitionSettings]]:
    """Expose a series by every camera at its doses: camera, counts, settings.

    The noise depends on what is imaged alone.
    """
    seed = [settings.seed, _NOISE, number, *(round(1000 * angle) for angle in tilt_deg)]
    for camera, optics in exposures(settings, series.particle.optics):
        rng = np.random.default_rng(noise_seed(seed, optics))
        yield camera, focal_series.expose_series(series.intensities, optics, rng), optics


def _count(
    methods: Sequence[str],
    settings: HeightEvaluationSettings,
    counter: Counter,
    counts: np.ndarray,
    particle: ParticleWave,
    known: column_library.ColumnImages | None,
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Count the columns of one series in every way: method, variant, table of columns."""
    if "network" in methods:
        yield "network", "", counter.read(counts.astype(np.float32))
    images = in_units_of_the_beam(counts, particle.optics)
    pixel_A, positions = particle.optics.pixel_size_A, particle.positions
    heights = particle.columns["atoms"].to_numpy()
    if "intensity_mixture" in methods:
        sections = intensity_mixture.cross_sections(images, positions, pixel_A)
        counted = intensity_mixture.count_heights(sections, heights, counter.largest)
        for criterion, table in counted.items():
            found = _at(particle, table["height"], table["p_height"])
            yield "intensity_mixture", criterion, found
    if known is not None and "column_library" in methods:
        radii_A = settings.library.radii_A
        patches = column_library.cut_patches(
            images, positions, particle.rotation_rad, pixel_A, max(radii_A)
        )
        for radius_A in radii_A:
            told = column_library.count_heights(patches, known, radius_A / pixel_A)
            yield "column_library", f"{radius_A:g} Å", _at(particle, told, np.nan)


def _at(particle: ParticleWave, heights: np.ndarray, p: np.ndarray | float) -> pd.DataFrame:
    """Heights told for the true positions, as a network tells them."""
    return particle.columns[["x_A", "y_A"]].assign(**{"class": heights, "p_class": p})


def _pair(
    found: pd.DataFrame, particle: ParticleWave, radius_A: float, largest: int
) -> pd.DataFrame:
    told = found.assign(**{"class": classification.cap_heights(found["class"], largest)})
    heights = classification.cap_heights(particle.columns["atoms"], largest)
    true = particle.columns.assign(**{"class": heights})
    view_A = particle.optics.field_of_view_A
    return classification.pair_columns(told, true, view_A, radius_A)


def best_variants(answers: pd.DataFrame) -> pd.DataFrame:
    """Keep of every method the variant that counts best in a setting, the first of equal ones."""
    exact = answers["true_class"] == answers["found_class"]
    keys = [answers[name] for name in (*SETTING, "variant")]
    shares = exact.groupby(keys, sort=False).mean()
    best = shares.groupby(SETTING, sort=False).idxmax()
    chosen = pd.MultiIndex.from_frame(answers[[*SETTING, "variant"]]).isin(best)
    return answers[chosen].reset_index(drop=True)
